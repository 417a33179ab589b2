//! mySociety's extension: what became of service requests, to be followed, and what people say about them elsewhere.

use std::collections::HashMap;

use axum::extract::{RawQuery, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use guichet_engine::Submission;
use guichet_engine::rules::request::{Actor, Command, CommandId};
use guichet_projections::{CardQuery, PAGE_ROWS_MAX};
use serde::Serialize;
use serde_json::Map;
use utoipa::ToSchema;
use uuid::Uuid;

use super::answer::{ErrorRow, Fault, Format, written};
use super::call::{Call, answered};
use super::receive::sender;
use super::requests::{dated, instant, named, no_request, processes, window};
use super::status;
use crate::http::App;
use crate::http::extract::Wishes;
use crate::http::flat_form::Flat;
use crate::http::problem::Problem;
use crate::http::words;
use crate::rights::Scope;

/// The longest text of an update, in characters.
const DESCRIPTION_MAX: usize = 4_000;
/// The longest id of an update, in bytes.
const ID_BYTES_MAX: usize = 200;

/// A change of a service request.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Open311Update)]
pub(crate) struct UpdateRow {
    /// Its id.
    update_id: String,
    /// The request.
    service_request_id: String,
    /// The status since then, one of mySociety's thirteen.
    #[schema(value_type = String)]
    status: &'static str,
    /// When.
    updated_datetime: String,
    /// In words, without anything personal.
    description: String,
    /// Never given.
    #[schema(required)]
    media_url: Option<String>,
}

/// What became of an update that was sent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Open311UpdateReceipt)]
pub(crate) struct UpdateReceipt {
    /// Its id here.
    update_id: String,
}

/// An update as a form.
#[derive(ToSchema)]
#[schema(as = Open311UpdateSubmission, example = json!({ "jurisdiction_id": "ville",
    "service_request_id": "0198c6a2-0000-7000-8000-0000000000ff", "update_id": "12", "status": "open",
    "updated_datetime": "2026-11-03T09:00:00Z", "description": "Toujours là" }))]
#[allow(dead_code, reason = "it stands for the schema of a body")]
pub(crate) struct UpdateBody {
    /// The key; it may also come as `Authorization: Bearer …`.
    api_key: Option<String>,
    /// The collectivity; may be left out where there is only one.
    jurisdiction_id: String,
    /// The request.
    #[schema(min_length = 1)]
    service_request_id: String,
    /// The id of the update where it comes from: a second one of the same id is refused.
    #[schema(min_length = 1)]
    update_id: String,
    /// One of mySociety's thirteen statuses, in capitals or not.
    #[schema(min_length = 1)]
    status: String,
    /// When it was made (ISO 8601 with a zone).
    #[schema(min_length = 1)]
    updated_datetime: String,
    /// What is said, at most 4,000 characters.
    #[schema(min_length = 1)]
    description: String,
}

macro_rules! updates {
    ($get:ident, $post:ident, $path:tt, $format:expr, $rows:ty, $receipts:ty, $errors:ty, $type:tt) => {
        /// List what became of service requests.
        ///
        /// Of the last 90 days if no dates are given. Only changes of status are told, in general words.
        #[utoipa::path(
            get, path = $path, tag = "open311", security((), ("open311_key" = ["requests:read"]), ("key" = ["requests:read"])),
            params(
                ("jurisdiction_id" = String, Query, description = "The collectivity: its id or its web domain; may be left out where there is only one.", pattern = "^[a-z0-9][a-z0-9.-]{0,99}$", example = "ville"),
                ("start_date" = Option<String>, Query, format = DateTime, description = "Recorded at this instant or later (ISO 8601 with a zone)."),
                ("end_date" = Option<String>, Query, format = DateTime, description = "Recorded at this instant or before (ISO 8601 with a zone)."),
            ),
            responses(
                (status = 200, description = "Changes, the first first.", body = $rows, content_type = $type),
                (status = 400, description = "What is wrong.", body = $errors, content_type = $type),
                (status = 403, description = "The key opens nothing here.", body = $errors, content_type = $type),
                (status = 404, description = "No such collectivity.", body = $errors, content_type = $type)
            )
        )]
        pub(crate) async fn $get(State(app): State<App>, RawQuery(query): RawQuery, wishes: Wishes) -> Response {
            let language = wishes.language;
            answered($format, language, list(&app, query, wishes, $format)).await
        }

        /// Send what somebody says about a service request elsewhere.
        ///
        /// Its text becomes the requester’s words. A status that is open takes up again what was delivered, `cancelled`
        /// takes the request back; others decide nothing: the town hall does.
        #[utoipa::path(
            post, path = $path, tag = "open311", security(("open311_key" = ["requests:act"]), ("key" = ["requests:act"])),
            request_body(content = UpdateBody, content_type = "application/x-www-form-urlencoded"),
            responses(
                (status = 200, description = "Recorded.", body = $receipts, content_type = $type),
                (status = 400, description = "What is wrong; also an `update_id` that came before.", body = $errors, content_type = $type),
                (status = 403, description = "A key is needed, or the one given opens nothing here.", body = $errors, content_type = $type),
                (status = 404, description = "No such collectivity or request.", body = $errors, content_type = $type)
            )
        )]
        pub(crate) async fn $post(
            State(app): State<App>,
            RawQuery(query): RawQuery,
            wishes: Wishes,
            request: Request,
        ) -> Response {
            let language = wishes.language;
            answered($format, language, update(&app, query, wishes, request, $format)).await
        }
    };
}

updates!(
    open311_updates_xml,
    open311_update_xml,
    "/open311/v2/servicerequestupdates.xml",
    Format::Xml,
    String,
    String,
    String,
    "text/xml"
);
updates!(
    open311_updates_json,
    open311_update_json,
    "/open311/v2/servicerequestupdates.json",
    Format::Json,
    Vec<UpdateRow>,
    Vec<UpdateReceipt>,
    Vec<ErrorRow>,
    "application/json"
);

async fn list(app: &App, query: Option<String>, wishes: Wishes, format: Format) -> Result<Response, Fault> {
    let call = Call::new(app, Flat::parse(query.unwrap_or_default().as_bytes())?, wishes).await?;
    call.reader(app).await?;
    let (from, until) = window(app, &call)?;
    let processes = processes(app, &call).await?;
    let models = app.guichet.read_models();
    let query = CardQuery {
        tenant: Some(call.tenant.clone()),
        processes: processes.clone(),
        updated_from: Some(from),
        limit: PAGE_ROWS_MAX,
        ..CardQuery::default()
    };
    let cards = if processes.is_empty() { Vec::new() } else { models.cards(&query).await?.value.items };
    let by_request: HashMap<_, _> = cards.iter().map(|card| (card.request, card)).collect();
    let ids: Vec<_> = cards.iter().map(|card| card.request).collect();
    let history = models.timeline_among(&call.tenant, &ids, (from, until)).await?;
    let row = |(request, entry): (_, &guichet_projections::TimelineEntry)| {
        let card = by_request.get(&request)?;
        let name = entry.event_type.trim_start_matches("request.");
        Some(UpdateRow {
            update_id: format!("{}.{}", card.request.0, entry.revision),
            service_request_id: card.request.0.to_string(),
            status: status::of_event(&entry.event_type, card.kind, triaged(app, card))?,
            updated_datetime: dated(entry.recorded),
            description: words::stage(name).get(call.wishes.language).to_owned(),
            media_url: None,
        })
    };
    let rows: Vec<UpdateRow> =
        history.value.iter().filter_map(|(request, entry)| row((*request, entry))).collect();
    Ok(written(StatusCode::OK, format, "service_request_updates", &rows))
}

/// Whether somebody of the front office looks at requests like this one before a service does.
fn triaged(app: &App, card: &guichet_projections::Card) -> bool {
    let definition = app.guichet.read_models().definition(&card.definition);
    definition.is_some_and(|definition| definition.qualification.by.is_some())
}

async fn update(
    app: &App,
    query: Option<String>,
    wishes: Wishes,
    request: Request,
    format: Format,
) -> Result<Response, Fault> {
    let (call, caller, _) = sender(app, query, wishes, request, Scope::RequestsAct).await?;
    let cards = named(app, &call, &[call.arguments.one("service_request_id").unwrap_or_default()]).await?;
    let sent = Update::read(&call)?;
    let card = cards.first().filter(|card| caller.reaches(&card.process)).ok_or_else(no_request)?;
    let actor = caller.principal.actor();
    let by = match &actor {
        Actor::Agent(name) | Actor::Integrator(name) => name.as_str(),
        Actor::Requester | Actor::Engine | Actor::Operator(_) => "",
    };
    let name = format!("open311:{by}:{}", sent.id);
    let submission = Submission {
        tenant: call.tenant.clone(),
        request: Some(card.request),
        actor,
        command_id: CommandId(Uuid::new_v5(&card.request.0, name.as_bytes())),
        occurred_at: instant(&call, "updated_datetime")?,
        expected: None,
        command: sent.command(card.stage.as_str()),
    };
    let repeated = || {
        let (fr, en) = ("cette mise à jour a déjà été envoyée.", "this update was sent before.");
        Fault::argument("update_id", fr, en)
    };
    let receipt = match app.submit(submission).await {
        Ok(receipt) if receipt.repeated => return Err(repeated().into()),
        Err(problem) if problem.code == "idempotency.reused" => return Err(repeated().into()),
        done => done?,
    };
    let row = UpdateReceipt { update_id: format!("{}.{}", receipt.request.0, receipt.revision) };
    Ok(written(StatusCode::OK, format, "service_request_updates", &[row]))
}

/// An update as it was sent.
struct Update<'a> {
    id: &'a str,
    status: String,
    description: &'a str,
}

impl<'a> Update<'a> {
    fn read(call: &'a Call) -> Result<Self, Fault> {
        let mut wrong: Vec<Problem> = Vec::new();
        let mut one = |name: &str| {
            let value = call.arguments.one(name);
            if value.is_none() {
                let (fr, en) = ("cet argument est nécessaire.", "this argument is needed.");
                wrong.push(Fault::argument(name, fr, en));
            }
            value.unwrap_or_default()
        };
        let (_, id, status) = (one("service_request_id"), one("update_id"), one("status"));
        let (_, description) = (one("updated_datetime"), one("description"));
        let status = status.to_lowercase();
        if !status.is_empty() && !status::is_known(&status) {
            let (fr, en) = ("ce statut est inconnu.", "this status is not known.");
            wrong.push(Fault::argument("status", fr, en));
        }
        if id.len() > ID_BYTES_MAX {
            let (fr, en) =
                (format!("{ID_BYTES_MAX} octets au plus."), format!("at most {ID_BYTES_MAX} bytes."));
            wrong.push(Fault::argument("update_id", fr, en));
        }
        if description.chars().count() > DESCRIPTION_MAX {
            let (fr, en) = (
                format!("{DESCRIPTION_MAX} caractères au plus."),
                format!("at most {DESCRIPTION_MAX} characters."),
            );
            wrong.push(Fault::argument("description", fr, en));
        }
        Fault::of(wrong)?;
        Ok(Self { id, status, description })
    }

    fn command(&self, stage: &str) -> Command {
        let text = self.description.to_owned();
        match self.status.as_str() {
            "cancelled" => Command::Withdraw { reason: Some(text) },
            open if status::is_open(open) && stage == "delivered" => Command::Reopen { reason: text },
            _ => Command::Reply { text: Some(text), form: Map::new(), complete: false },
        }
    }
}
