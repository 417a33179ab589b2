//! Service requests as clients read them. Everybody sees where reports and questions stand; who shows a key with the right
//! `requests:read` also sees the place to the metre and the descriptions that are not personal.

use std::collections::HashMap;

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use guichet_engine::rules::request::{ClockStatus, RequestId, Stage};
use guichet_engine::rules::text::{Language, Text};
use guichet_projections::{Card, CardQuery, Commitment, PAGE_ROWS_MAX};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::answer::{ErrorRow, Fault, Format, written};
use super::call::{Call, answered, code_of, is_service, no_service, process_of};
use super::form::Own;
use super::status;
use crate::http::App;
use crate::http::extract::{At, Caller, Wishes};
use crate::http::flat_form::Flat;
use crate::http::words;

/// The longest stretch of time that one answer covers.
const SPAN_MAX: TimeDelta = TimeDelta::days(90);
/// The most rows of one answer with its extensions, each of which has a history.
const EXTENDED_ROWS_MAX: u32 = 100;
/// The last page that can be asked for.
const PAGES_MAX: u32 = 1_000;
/// The most requests that can be asked for by id at once.
const IDS_MAX: usize = 1_000;

/// A service request.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = Open311Request)]
pub(crate) struct RequestRow {
    /// Its id.
    service_request_id: String,
    /// `open` or `closed`.
    #[schema(value_type = String)]
    status: &'static str,
    /// Where it stands, in words.
    #[schema(required)]
    status_notes: Option<String>,
    /// The name of its service.
    service_name: String,
    /// The code of its service.
    service_code: String,
    /// What was said, with a key and where it is not personal.
    #[schema(required)]
    description: Option<String>,
    /// The service of the town hall in charge.
    #[schema(required)]
    agency_responsible: Option<String>,
    /// What the service promises.
    #[schema(required)]
    service_notice: Option<String>,
    /// When it was made.
    requested_datetime: String,
    /// When it last changed; when it was closed, once it is.
    updated_datetime: String,
    /// When the answer is promised; none while the promise rests.
    #[schema(required)]
    expected_datetime: Option<String>,
    /// Its address, with a key.
    #[schema(required)]
    address: Option<String>,
    /// Never known.
    #[schema(required)]
    address_id: Option<String>,
    /// Never known.
    #[schema(required)]
    zipcode: Option<String>,
    /// Latitude in degrees (WGS 84): to a hundred metres, or as given with a key.
    #[schema(required)]
    lat: Option<f64>,
    /// Longitude, likewise.
    #[schema(required)]
    long: Option<f64>,
    /// Where its file is, for whoever may fetch it.
    #[schema(required)]
    media_url: Option<String>,
    /// Its history without anything personal, with `extensions=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    notes: Option<Vec<Note>>,
    /// More, with `extensions=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    extended_attributes: Option<ExtendedAttributes>,
}

/// Something that happened.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Open311Note)]
pub(crate) struct Note {
    /// When.
    datetime: String,
    /// What, in words.
    description: String,
    /// What, as a name, for example `assigned`.
    #[serde(rename = "type")]
    kind: String,
}

/// What the specification does not know.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Open311ExtendedAttributes)]
pub(crate) struct ExtendedAttributes {
    /// The way it came in.
    #[schema(value_type = String)]
    channel: &'static str,
    /// The status among mySociety's thirteen.
    #[schema(value_type = String)]
    extended_status: &'static str,
}

macro_rules! requests {
    ($name:ident, $path:tt, $format:expr, $body:ty, $errors:ty, $type:tt) => {
        /// List service requests of Open311.
        ///
        /// Those of the last 90 days if no dates are given, never more than 90 days and 1,000 rows at once. Without a key
        /// nothing personal is shown: no description, no address, and the place to a hundred metres.
        #[utoipa::path(
            get, path = $path, tag = "open311", security((), ("open311_key" = ["requests:read"]), ("key" = ["requests:read"])),
            params(
                ("jurisdiction_id" = String, Query, description = "The collectivity: its id or its web domain; may be left out where there is only one.", pattern = "^[a-z0-9][a-z0-9.-]{0,99}$", example = "ville"),
                ("service_request_id" = Option<String>, Query, description = "Ids, separated by commas; every other filter is left aside then."),
                ("service_code" = Option<String>, Query, description = "Codes of services, separated by commas."),
                ("start_date" = Option<String>, Query, format = DateTime, description = "Made at this instant or later (ISO 8601 with a zone)."),
                ("end_date" = Option<String>, Query, format = DateTime, description = "Made at this instant or before (ISO 8601 with a zone)."),
                ("status" = Option<String>, Query, pattern = "^(open|closed)(,(open|closed))?$", description = "`open`, `closed`, or both, separated by a comma."),
                ("page" = Option<String>, Query, pattern = "^([1-9][0-9]{0,2}|1000)$", description = "The page, from 1 to 1,000."),
                ("page_size" = Option<String>, Query, pattern = "^([1-9][0-9]{0,2}|1000)$", description = "Rows of a page, 1 to 1,000; with extensions 100 at most."),
                ("extensions" = Option<String>, Query, pattern = "^(true|false)$", description = "`true`: with notes and extended attributes.")
            ),
            responses(
                (status = 200, description = "The last made first.", body = $body, content_type = $type),
                (status = 400, description = "What is wrong.", body = $errors, content_type = $type),
                (status = 403, description = "The key opens nothing here.", body = $errors, content_type = $type),
                (status = 404, description = "No such collectivity or service.", body = $errors, content_type = $type)
            )
        )]
        pub(crate) async fn $name(State(app): State<App>, RawQuery(query): RawQuery, wishes: Wishes) -> Response {
            let language = wishes.language;
            answered($format, language, list(&app, query, wishes, $format)).await
        }
    };
}

requests!(open311_requests_xml, "/open311/v2/requests.xml", Format::Xml, String, String, "text/xml");
requests!(
    open311_requests_json,
    "/open311/v2/requests.json",
    Format::Json,
    Vec<RequestRow>,
    Vec<ErrorRow>,
    "application/json"
);

async fn list(app: &App, query: Option<String>, wishes: Wishes, format: Format) -> Result<Response, Fault> {
    let call = Call::new(app, Flat::parse(query.unwrap_or_default().as_bytes())?, wishes).await?;
    let reader = call.reader(app).await?;
    let ids = call.list("service_request_id");
    let cards = if ids.is_empty() { found(app, &call).await? } else { named(app, &call, &ids).await? };
    let rows = Rows { app, call: &call, reader }.of(cards).await?;
    Ok(written(StatusCode::OK, format, "service_requests", &rows))
}

/// Read a service request of Open311.
#[utoipa::path(
    get, path = "/open311/v2/requests/{id}", tag = "open311", security((), ("open311_key" = ["requests:read"]), ("key" = ["requests:read"])),
    params(
        ("id" = String, Path, description = "The id of the request and `.xml` or `.json`."),
        ("jurisdiction_id" = String, Query, description = "The collectivity: its id or its web domain; may be left out where there is only one.", pattern = "^[a-z0-9][a-z0-9.-]{0,99}$", example = "ville"),
        ("extensions" = Option<String>, Query, pattern = "^(true|false)$", description = "`true`: with notes and extended attributes.")
    ),
    responses(
        (status = 200, description = "A list of one.", content((Vec<RequestRow> = "application/json"), (String = "text/xml"))),
        (status = 400, description = "What is wrong.", content((Vec<ErrorRow> = "application/json"), (String = "text/xml"))),
        (status = 403, description = "The key opens nothing here.", content((Vec<ErrorRow> = "application/json"), (String = "text/xml"))),
        (status = 404, description = "No such collectivity or request.", content((Vec<ErrorRow> = "application/json"), (String = "text/xml")))
    )
)]
pub(crate) async fn open311_request(
    State(app): State<App>,
    At(request): At<String>,
    RawQuery(query): RawQuery,
    wishes: Wishes,
) -> Response {
    let language = wishes.language;
    let (id, format) = match Format::split(&request) {
        Ok(split) => split,
        Err(fault) => return fault.answer(Format::Json, language),
    };
    answered(format, language, async {
        let call = Call::new(&app, Flat::parse(query.unwrap_or_default().as_bytes())?, wishes).await?;
        let reader = call.reader(&app).await?;
        let cards = named(&app, &call, &[id]).await?;
        if cards.is_empty() {
            return Err(no_request().into());
        }
        let rows = Rows { app: &app, call: &call, reader }.of(cards).await?;
        Ok(written(StatusCode::OK, format, "service_requests", &rows))
    })
    .await
}

/// What is said of a request that is not there, or not to be seen.
pub(super) fn no_request() -> crate::http::problem::Problem {
    Fault::unknown(
        "service_request_id",
        "il n’y a pas de telle demande ici.",
        "there is no such request here.",
    )
}

/// The cards of these requests, in their order. A request just received may not be in the lists yet: it is waited for.
pub(super) async fn named(app: &App, call: &Call, ids: &[&str]) -> Result<Vec<Card>, Fault> {
    if ids.len() > IDS_MAX {
        let (fr, en) = (format!("{IDS_MAX} au plus à la fois."), format!("at most {IDS_MAX} at once."));
        return Err(Fault::argument("service_request_id", fr, en).into());
    }
    let models = app.guichet.read_models();
    let mut cards = Vec::new();
    let mut waited = false;
    for id in ids.iter().filter_map(|id| Uuid::parse_str(id).ok()).map(RequestId) {
        let mut card = models.card(&call.tenant, id).await?.value;
        if card.is_none() && !waited && app.guichet.request(&call.tenant, id).await.is_ok() {
            models.catch_up(CATCH_UP).await?;
            waited = true;
            card = models.card(&call.tenant, id).await?.value;
        }
        let shown = |card: &Card| models.definition(&card.definition).is_some_and(|d| is_service(&d));
        cards.extend(card.filter(shown));
    }
    Ok(cards)
}

/// How long lists are waited for that do not show yet what the journal has.
const CATCH_UP: std::time::Duration = std::time::Duration::from_secs(2);

/// The names of the processes that are services, those asked for if any were.
pub(super) async fn processes(app: &App, call: &Call) -> Result<Vec<String>, Fault> {
    let plans = app.guichet.engine().definitions().all_in_force(&call.tenant);
    let offered = plans.iter().map(|plan| plan.definition()).filter(|definition| is_service(definition));
    let offered: Vec<String> = offered.map(|definition| definition.process.clone()).collect();
    let asked: Vec<String> = call.list("service_code").into_iter().map(process_of).collect();
    if asked.iter().any(|name| !offered.contains(name)) {
        return Err(no_service().into());
    }
    Ok(if asked.is_empty() { offered } else { asked })
}

async fn found(app: &App, call: &Call) -> Result<Vec<Card>, Fault> {
    let (from, until) = window(app, call)?;
    let open = match call.list("status").as_slice() {
        [] => None,
        words if words.iter().any(|word| !matches!(*word, "open" | "closed")) => {
            let (fr, en) = ("`open` ou `closed`.", "`open` or `closed`.");
            return Err(Fault::argument("status", fr, en).into());
        }
        words if words.contains(&"open") && words.contains(&"closed") => None,
        words => Some(words.contains(&"open")),
    };
    let rows_max = if call.says("extensions") { EXTENDED_ROWS_MAX } else { PAGE_ROWS_MAX };
    let size = call.number("page_size", (1, PAGE_ROWS_MAX))?.unwrap_or(rows_max).min(rows_max);
    let page = call.number("page", (1, PAGES_MAX))?.unwrap_or(1);
    let processes = processes(app, call).await?;
    if processes.is_empty() {
        return Ok(Vec::new());
    }
    let query = CardQuery {
        tenant: Some(call.tenant.clone()),
        processes,
        open,
        received_from: Some(from),
        // The end counts as well; instants are told to the microsecond.
        received_until: Some(until + TimeDelta::microseconds(1)),
        limit: size,
        skip: (page - 1) * size,
        ..CardQuery::default()
    };
    Ok(app.guichet.read_models().cards(&query).await?.value.items)
}

/// The stretch of time asked for: the last 90 days; 90 days from or until a date; at most 90 days between two.
pub(super) fn window(app: &App, call: &Call) -> Result<(DateTime<Utc>, DateTime<Utc>), Fault> {
    let (start, end) = (instant(call, "start_date")?, instant(call, "end_date")?);
    let now = app.guichet.now();
    let (from, until) = match (start, end) {
        (None, None) => (now - SPAN_MAX, now),
        (Some(from), None) => (from, from.checked_add_signed(SPAN_MAX).unwrap_or(from)),
        (None, Some(until)) => (until.checked_sub_signed(SPAN_MAX).unwrap_or(until), until),
        (Some(from), Some(until)) => (from, until),
    };
    if until < from || until - from > SPAN_MAX {
        let (fr, en) = (
            "de « start_date » à « end_date » il y a 90 jours au plus, dans cet ordre.",
            "from “start_date” to “end_date” there are at most 90 days, in this order.",
        );
        return Err(Fault::argument("end_date", fr, en).into());
    }
    Ok((from, until))
}

/// An instant in the W3C's profile of ISO 8601, with its zone.
pub(super) fn instant(call: &Call, name: &str) -> Result<Option<DateTime<Utc>>, Fault> {
    let Some(text) = call.arguments.one(name) else { return Ok(None) };
    // A plus sign that was not escaped arrives as a blank.
    let read = DateTime::parse_from_rfc3339(&text.replace(' ', "+")).ok();
    // Further away no calendar of ours goes, nor do ninety days overflow.
    let near = |at: &DateTime<Utc>| (1900..=9000).contains(&chrono::Datelike::year(at));
    read.map(|at| at.to_utc()).filter(near).map(Some).ok_or_else(|| {
        let (fr, en) = (
            "il faut un instant avec son fuseau, par exemple 2026-11-03T09:00:00Z.",
            "an instant with its zone is needed, such as 2026-11-03T09:00:00Z.",
        );
        Fault::argument(name, fr, en).into()
    })
}

/// An instant as Open311 writes it.
pub(super) fn dated(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// What makes rows of cards.
struct Rows<'a> {
    app: &'a App,
    call: &'a Call,
    reader: Option<Caller>,
}

impl Rows<'_> {
    async fn of(&self, cards: Vec<Card>) -> Result<Vec<RequestRow>, Fault> {
        let models = self.app.guichet.read_models();
        let ids: Vec<RequestId> = cards.iter().map(|card| card.request).collect();
        let clocks = models.commitments_among(&self.call.tenant, &ids, &["answer", "silence"]).await?.value;
        let mut expected: HashMap<RequestId, Vec<Commitment>> = HashMap::new();
        for clock in clocks {
            expected.entry(clock.request).or_default().push(clock);
        }
        let mut rows = Vec::with_capacity(cards.len());
        for card in &cards {
            let clocks = expected.remove(&card.request).unwrap_or_default();
            rows.push(self.row(card, &clocks).await?);
        }
        Ok(rows)
    }

    async fn row(&self, card: &Card, clocks: &[Commitment]) -> Result<RequestRow, Fault> {
        let language = self.call.wishes.language;
        let models = self.app.guichet.read_models();
        let definition = models.definition(&card.definition);
        let organisation = models.organisation(&card.tenant);
        let service = card.service.as_deref().and_then(|id| organisation.as_ref()?.service(id).cloned());
        let notices = definition.as_deref().map(words::promises).unwrap_or_default();
        let notices: Vec<&str> = notices.iter().map(|text| text.get(language)).collect();
        let mut row = RequestRow {
            service_request_id: card.request.0.to_string(),
            status: status::plain(card),
            status_notes: Some(self.notes(card).await?.get(language).to_owned()),
            service_name: definition
                .as_deref()
                .map_or_else(String::new, |d| d.title.get(language).to_owned()),
            service_code: code_of(&card.process),
            agency_responsible: service.map(|service| service.title.get(language).to_owned()),
            service_notice: (!notices.is_empty()).then(|| notices.join(" ")),
            requested_datetime: dated(card.received),
            updated_datetime: dated(card.closed.unwrap_or(card.updated)),
            expected_datetime: expected(card, clocks).map(dated),
            lat: card.lat.map(coarse),
            long: card.lon.map(coarse),
            ..RequestRow::default()
        };
        if self.reader.as_ref().is_some_and(|reader| reader.reaches(&card.process)) {
            self.open(card, &mut row).await?;
        }
        if self.call.says("extensions") {
            self.extend(card, &mut row, language).await?;
        }
        Ok(row)
    }

    /// Where it stands, in words; and whom it was passed on to, where that is somebody of a list: what an agent wrote is
    /// not for everybody.
    async fn notes(&self, card: &Card) -> Result<Text, Fault> {
        let words = words::stage(standing(card));
        if card.stage != "forwarded" {
            return Ok(words);
        }
        let known = self.app.guichet.request(&card.tenant, card.request).await?;
        let Stage::Forwarded { to } = &known.request.stage else { return Ok(words) };
        let organisation = &known.organisation;
        if organisation.tenant(to).is_none() && organisation.administration(to).is_none() {
            return Ok(words);
        }
        let name = organisation.addressee(to);
        Ok(Text::new(
            format!("{} {}.", words.get(Language::Fr), name.get(Language::Fr)),
            format!("{} {}.", words.get(Language::En), name.get(Language::En)),
        ))
    }

    /// What only the bearer of a key sees. Personal fields stay sealed: what is read is the request as it stands.
    async fn open(&self, card: &Card, row: &mut RequestRow) -> Result<(), Fault> {
        let known = self.app.guichet.request(&card.tenant, card.request).await?;
        let own = Own::of(known.plan.definition());
        let value = |field: Option<&guichet_engine::rules::process::Field>| {
            field.and_then(|field| known.request.form.get(&field.field))
        };
        let address = value(own.place).and_then(|place| place.get("address")).and_then(Value::as_str);
        (row.lat, row.long) = (card.lat, card.lon);
        row.address = address.map(str::to_owned);
        row.description = value(own.description).and_then(Value::as_str).map(str::to_owned);
        Ok(())
    }

    async fn extend(&self, card: &Card, row: &mut RequestRow, language: Language) -> Result<(), Fault> {
        let history = self.app.guichet.read_models().timeline(&card.tenant, card.request).await?.value;
        let notes =
            history.iter().filter(|entry| status::of_event(&entry.event_type, card.kind, false).is_some());
        let note = |entry: &guichet_projections::TimelineEntry| {
            let name = entry.event_type.trim_start_matches("request.");
            Note {
                datetime: dated(entry.occurred),
                description: words::stage(name).get(language).to_owned(),
                kind: name.to_owned(),
            }
        };
        row.notes = Some(notes.map(note).collect());
        row.extended_attributes =
            Some(ExtendedAttributes { channel: card.channel.id(), extended_status: status::extended(card) });
        Ok(())
    }
}

/// Where it stands, for words: that a payment is awaited is told like a stage, never how much or what for.
fn standing(card: &Card) -> &str {
    card.hold.as_deref().filter(|hold| *hold == "waiting_for_payment").unwrap_or(&card.stage)
}

/// When the answer is promised: by the commitment `answer`, else by the law, in the present cycle, unless it rests.
fn expected(card: &Card, clocks: &[Commitment]) -> Option<DateTime<Utc>> {
    let counts = |clock: &&Commitment| match clock.status {
        ClockStatus::Running | ClockStatus::Kept | ClockStatus::Late => clock.cycle == card.cycle,
        ClockStatus::Paused | ClockStatus::Dropped => false,
    };
    let of = |name: &str| clocks.iter().filter(counts).find(|clock| clock.commitment == name);
    of("answer").or_else(|| of("silence")).map(|clock| clock.due)
}

/// Degrees to three decimals: about a hundred metres, so that a place tells the street and not the house.
fn coarse(degrees: f64) -> f64 {
    (degrees * 1e3).round() / 1e3
}
