//! Making a service request.

use axum::extract::{RawQuery, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use guichet_engine::rules::process::{Definition, FieldType, Opener, Plan, Requirement, request_of};
use guichet_engine::rules::request::{ClockStatus, Command, CommandId, Contact, RequesterInput};
use guichet_engine::rules::text::Language;
use guichet_engine::{Receipt, Submission};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::answer::{ErrorRow, Fault, Format, written};
use super::call::{Call, answered, channel, is_service, no_service, process_of};
use super::form::Own;
use super::media;
use crate::http::App;
use crate::http::extract::{At, Caller, Wishes};
use crate::http::flat_form::{Flat, values};
use crate::http::problem::Problem;
use crate::http::sent::Sent;
use crate::http::words;
use crate::outbound::dates;
use crate::rights::{Principal, Scope};

/// The longest description, in characters (GeoReport v2).
const DESCRIPTION_MAX: usize = 4_000;

/// What becomes of a service request that was sent: its id, or a token to ask for it with, never both.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Open311Receipt)]
pub(crate) struct ReceiptRow {
    /// The id.
    #[serde(skip_serializing_if = "Option::is_none")]
    service_request_id: Option<String>,
    /// A token: it is not known yet whether the request was recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    /// What is promised, and the tracking code for the citizen.
    #[schema(required)]
    service_notice: Option<String>,
    /// Never given.
    #[schema(required)]
    account_id: Option<String>,
}

/// A service request as a form; a real one also has `attribute[CODE]`, once or several times for each attribute.
#[derive(ToSchema)]
#[schema(as = Open311Submission, example = json!({ "jurisdiction_id": "ville", "service_code": "voirie.chaussee-abimee",
    "lat": "48.957", "long": "4.363", "description": "Un trou" }))]
#[allow(dead_code, reason = "it stands for the schema of a body")]
pub(crate) struct SubmissionBody {
    /// The key; it may also come as `Authorization: Bearer …`.
    api_key: Option<String>,
    /// The collectivity; may be left out where there is only one.
    jurisdiction_id: String,
    /// The service.
    #[schema(min_length = 1)]
    service_code: String,
    /// Latitude in degrees (WGS 84), with `long`.
    lat: Option<String>,
    /// Longitude in degrees (WGS 84), with `lat`.
    long: Option<String>,
    /// An address in words, where there are no degrees.
    address_string: Option<String>,
    /// The id of an address, kept as the address where there is nothing better.
    address_id: Option<String>,
    /// The requester's e-mail address.
    email: Option<String>,
    /// Says that a mobile device sends it; the id itself is not kept.
    device_id: Option<String>,
    /// Not kept.
    account_id: Option<String>,
    /// The requester's given name.
    first_name: Option<String>,
    /// The requester's family name.
    last_name: Option<String>,
    /// The requester's telephone number.
    phone: Option<String>,
    /// What is said, at most 4,000 characters.
    description: Option<String>,
    /// The address of a picture.
    media_url: Option<String>,
}

macro_rules! receive {
    ($name:ident, $path:tt, $format:expr, $body:ty, $errors:ty, $type:tt) => {
        /// Make a service request of Open311.
        ///
        /// It needs a key. An `Idempotency-Key` (any UUID) makes sending it twice safe; it is the token with which its id
        /// can be asked for.
        #[utoipa::path(
            post, path = $path, tag = "open311", security(("open311_key" = ["requests:receive"]), ("key" = ["requests:receive"])),
            params(("Idempotency-Key" = Option<String>, Header, description = "A UUID chosen by the client.")),
            request_body(content(
                (SubmissionBody = "application/x-www-form-urlencoded"),
                (SubmissionBody = "multipart/form-data")
            )),
            responses(
                (status = 200, description = "Received: a list of one.", body = $body, content_type = $type),
                (status = 400, description = "Everything that is wrong.", body = $errors, content_type = $type),
                (status = 403, description = "A key is needed, or the one given opens nothing here.", body = $errors, content_type = $type),
                (status = 404, description = "No such collectivity or service.", body = $errors, content_type = $type)
            )
        )]
        pub(crate) async fn $name(
            State(app): State<App>,
            RawQuery(query): RawQuery,
            wishes: Wishes,
            request: Request,
        ) -> Response {
            let language = wishes.language;
            answered($format, language, receive(&app, query, wishes, request, $format)).await
        }
    };
}

receive!(open311_receive_xml, "/open311/v2/requests.xml", Format::Xml, String, String, "text/xml");
receive!(
    open311_receive_json,
    "/open311/v2/requests.json",
    Format::Json,
    Vec<ReceiptRow>,
    Vec<ErrorRow>,
    "application/json"
);

/// The arguments of a call that sends something, those of the address included, and who sends it. Whoever shows no key
/// learns nothing else.
pub(super) async fn sender(
    app: &App,
    query: Option<String>,
    wishes: Wishes,
    request: Request,
    scope: Scope,
) -> Result<(Call, Caller, Sent), Fault> {
    let mut sent = Sent::read(request, app).await?;
    for (name, value) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        sent.flat.push(&name, &value)?;
    }
    if sent.flat.one("api_key").is_none() && !wishes.shows_key() {
        return Err(Problem::unauthorized().into());
    }
    let call = Call::new(app, std::mem::take(&mut sent.flat), wishes).await?;
    let caller = call.wishes.needs_caller(app, &call.tenant, scope).await?;
    Ok((call, caller, sent))
}

async fn receive(
    app: &App,
    query: Option<String>,
    wishes: Wishes,
    request: Request,
    format: Format,
) -> Result<Response, Fault> {
    let (call, caller, sent) = sender(app, query, wishes, request, Scope::RequestsReceive).await?;
    let Some(code) = call.arguments.one("service_code") else {
        let (fr, en) = ("cet argument est nécessaire.", "this argument is needed.");
        return Err(Fault::argument("service_code", fr, en).into());
    };
    let plan = app.guichet.engine().in_force_now(&call.tenant, &process_of(code)).await?;
    let offered = |plan: &std::sync::Arc<Plan>| {
        is_service(plan.definition()) && caller.reaches(&plan.definition().process)
    };
    let plan = plan.filter(offered).ok_or_else(no_service)?;
    let mut incoming = Incoming::read(plan.definition(), &call)?;
    if let Some(field) = Own::of(plan.definition()).media {
        let media = media::arrived(app, &call, Some(field), sent.files).await?;
        if !media.files.is_empty() {
            incoming.form.insert(field.field.clone(), media.files.into());
        }
        incoming.address = media.address;
    } else {
        incoming.address = media::arrived(app, &call, None, sent.files).await?.address;
    }
    let command_id = call.wishes.command_id(app)?;
    let row = match incoming.received(app, &call, &caller.principal, command_id).await {
        Ok(receipt) => row(&plan, &receipt, call.wishes.language),
        Err(fault) if fault.code() == "journal.indeterminate" => ReceiptRow {
            service_request_id: None,
            token: Some(command_id.0.to_string()),
            service_notice: None,
            account_id: None,
        },
        Err(fault) => return Err(fault.naming(|field| Own::of(plan.definition()).argument(field))),
    };
    Ok(written(StatusCode::OK, format, "service_requests", &[row]))
}

fn row(plan: &Plan, receipt: &Receipt, language: Language) -> ReceiptRow {
    ReceiptRow {
        service_request_id: Some(receipt.request.0.to_string()),
        token: None,
        service_notice: Some(notice(plan, receipt, language)),
        account_id: None,
    }
}

/// What the citizen should be told: the promised date, else the promise; and the code by which the request is followed.
fn notice(plan: &Plan, receipt: &Receipt, language: Language) -> String {
    let calendar = plan.calendar(&plan.definition().calendar);
    let zone = calendar.map_or(chrono_tz::Europe::Paris, guichet_engine::rules::calendar::Calendar::zone);
    let clock = receipt.state.clock("answer").filter(|clock| clock.status == ClockStatus::Running);
    let mut said = match clock.map(|clock| dates::date_time(clock.due, &zone, language)) {
        Some(due) => vec![match language {
            Language::Fr => format!("Réponse promise au plus tard le {due}."),
            Language::En => format!("An answer is promised by {due}."),
        }],
        None => words::promises(plan.definition()).iter().map(|text| text.get(language).to_owned()).collect(),
    };
    if let Some(code) = &receipt.tracking {
        said.push(match language {
            Language::Fr => format!("Code de suivi : {}.", code.spoken()),
            Language::En => format!("Tracking code: {}.", code.spoken()),
        });
    }
    said.join(" ")
}

/// A service request as it was sent.
struct Incoming {
    process: String,
    requester: RequesterInput,
    form: Map<String, Value>,
    /// What was said, and the field that it stands in, if there is one.
    description: Option<(String, Option<String>)>,
    channel: Option<guichet_engine::rules::process::Channel>,
    /// The address of a picture that was not fetched.
    address: Option<String>,
}

impl Incoming {
    fn read(definition: &Definition, call: &Call) -> Result<Self, Fault> {
        let own = Own::of(definition);
        let mut wrong = Vec::new();
        let attributes = attributes_of(&call.arguments);
        let asked: Vec<_> = definition.form.iter().filter(|field| !own.has(field)).cloned().collect();
        let known = |name: &str| {
            let field = name.split('.').next().unwrap_or_default();
            asked.iter().any(|known| known.field == field && known.kind != FieldType::Files)
        };
        for name in attributes.names().into_iter().filter(|name| !known(name)) {
            let argument = format!("attribute[{}]", name.chars().take(60).collect::<String>());
            let (fr, en) = ("ce service ne demande rien de tel.", "this service asks for nothing like it.");
            wrong.push(Fault::argument(&argument, fr, en));
        }
        let mut form = values(&asked, &attributes, "");
        match (own.place, place(call, &mut wrong)) {
            (Some(field), Some(place)) => drop(form.insert(field.field.clone(), place)),
            (Some(field), None) if field.required == Requirement::Always && wrong.is_empty() => {
                let (fr, en) = (
                    "il faut « lat » et « long », « address_string » ou « address_id ».",
                    "either `lat` and `long`, or `address_string`, or `address_id` is needed.",
                );
                wrong.push(Fault::argument("lat, long", fr, en));
            }
            // What has no place asks for none.
            (Some(_) | None, _) => {}
        }
        let said = call.arguments.one("description").map(str::to_owned);
        if said.as_deref().is_some_and(|said| said.chars().count() > DESCRIPTION_MAX) {
            let (fr, en) = (
                format!("{DESCRIPTION_MAX} caractères au plus."),
                format!("at most {DESCRIPTION_MAX} characters."),
            );
            wrong.push(Fault::argument("description", fr, en));
        }
        let field = own.description.map(|field| field.field.clone());
        if let (Some(said), Some(field)) = (&said, &field) {
            form.insert(field.clone(), said.clone().into());
        }
        Fault::of(wrong)?;
        let device = call.arguments.one("device_id").is_some();
        Ok(Self {
            process: definition.process.clone(),
            requester: requester(call),
            form,
            description: said.map(|said| (said, field)),
            channel: channel(definition, device),
            address: None,
        })
    }

    /// Receives it. A description that the form does not take, because it asks for none here or for a shorter one, is
    /// recorded as the requester's words beside it.
    async fn received(
        mut self,
        app: &App,
        call: &Call,
        principal: &Principal,
        command_id: CommandId,
    ) -> Result<Receipt, Fault> {
        let (said, field) = self.description.take().unzip();
        let field = field.flatten();
        let first = self.submit(app, call, principal, command_id).await;
        let refused = match (&first, &field) {
            (Err(fault), Some(field)) => fault.is_about(&format!("/form/{field}")),
            _ => false,
        };
        let beside = said.filter(|_| refused || field.is_none());
        let beside: Vec<String> = beside.into_iter().chain(self.address.take()).collect();
        if beside.is_empty() {
            return first;
        }
        let receipt = if refused {
            if let Some(field) = &field {
                self.form.remove(field);
            }
            self.submit(app, call, principal, command_id).await?
        } else {
            first?
        };
        let reply = Submission {
            tenant: call.tenant.clone(),
            request: Some(receipt.request),
            actor: principal.actor(),
            command_id: CommandId(Uuid::new_v5(&command_id.0, b"description")),
            occurred_at: None,
            expected: None,
            command: Command::Reply { text: Some(beside.join("\n")), form: Map::new(), complete: false },
        };
        app.submit(reply).await?;
        Ok(receipt)
    }

    async fn submit(
        &self,
        app: &App,
        call: &Call,
        principal: &Principal,
        command_id: CommandId,
    ) -> Result<Receipt, Fault> {
        let command = Command::Receive {
            process: self.process.clone(),
            channel: self.channel.unwrap_or(guichet_engine::rules::process::Channel::Web),
            opened_by: Opener::Citizen,
            requester: self.requester.clone(),
            form: self.form.clone(),
            external: None,
            first_received_at: None,
            answer: None,
            origin: None,
        };
        let submission = Submission {
            tenant: call.tenant.clone(),
            request: None,
            // An agent's key may receive for a citizen too; on events it stands as whoever it is.
            actor: principal.actor(),
            command_id,
            occurred_at: None,
            expected: None,
            command,
        };
        Ok(app.submit(submission).await?)
    }
}

/// `attribute[CODE]` and `attribute[CODE][]` as values under their codes.
fn attributes_of(arguments: &Flat) -> Flat {
    arguments.renamed(|name| {
        let code = name.strip_prefix("attribute[")?;
        let code = code.strip_suffix("[]").unwrap_or(code).strip_suffix(']')?;
        (!code.is_empty()).then(|| code.to_owned())
    })
}

/// The place, as a field of a form holds it.
fn place(call: &Call, wrong: &mut Vec<Problem>) -> Option<Value> {
    let one = |name: &str| call.arguments.one(name);
    let mut place = Map::new();
    let address = one("address_string").or_else(|| one("address_id"));
    place.extend(address.map(|address| ("address".to_owned(), address.into())));
    for (argument, key, most) in [("lat", "lat", 90.0), ("long", "lon", 180.0)] {
        let Some(text) = one(argument) else { continue };
        match text.parse::<f64>().ok().filter(|degrees| degrees.is_finite() && degrees.abs() <= most) {
            Some(degrees) => drop(place.insert(key.to_owned(), json!(degrees))),
            None => {
                let (fr, en) = (
                    format!("il faut un nombre de degrés, de -{most} à {most}."),
                    format!("a number of degrees is needed, -{most} to {most}."),
                );
                wrong.push(Fault::argument(argument, fr, en));
            }
        }
    }
    if place.contains_key("lat") != place.contains_key("lon") && wrong.is_empty() {
        let (fr, en) = ("« lat » et « long » vont ensemble.", "`lat` and `long` go together.");
        wrong.push(Fault::argument("lat, long", fr, en));
    }
    (!place.is_empty()).then_some(Value::Object(place))
}

/// Who asks. Names and addresses go nowhere else.
fn requester(call: &Call) -> RequesterInput {
    let one = |name: &str| call.arguments.one(name).map(str::to_owned);
    let name: Vec<String> = [one("first_name"), one("last_name")].into_iter().flatten().collect();
    let contact = Contact {
        name: (!name.is_empty()).then(|| name.join(" ")),
        email: one("email"),
        phone: one("phone"),
        address: None,
        social: None,
    };
    RequesterInput { language: call.wishes.language, contact, ..RequesterInput::default() }
}

/// Ask for the id of a service request by its token.
#[utoipa::path(
    get, path = "/open311/v2/tokens/{token}", tag = "open311", security(()),
    params(
        ("token" = String, Path, description = "The token, which is the `Idempotency-Key` that was sent, and `.xml` or `.json`."),
        ("jurisdiction_id" = String, Query, description = "The collectivity: its id or its web domain; may be left out where there is only one.", pattern = "^[a-z0-9][a-z0-9.-]{0,99}$", example = "ville")
    ),
    responses(
        (status = 200, description = "A list of one.", content((Vec<TokenRow> = "application/json"), (String = "text/xml"))),
        (status = 400, description = "What is wrong.", content((Vec<ErrorRow> = "application/json"), (String = "text/xml"))),
        (status = 404, description = "Nothing was recorded under it.", content((Vec<ErrorRow> = "application/json"), (String = "text/xml")))
    )
)]
pub(crate) async fn open311_token(
    State(app): State<App>,
    At(token): At<String>,
    RawQuery(query): RawQuery,
    wishes: Wishes,
) -> Response {
    let language = wishes.language;
    let (token, format) = match Format::split(&token) {
        Ok(split) => split,
        Err(fault) => return fault.answer(Format::Json, language),
    };
    answered(format, language, async {
        let call = Call::new(&app, Flat::parse(query.unwrap_or_default().as_bytes())?, wishes).await?;
        let unknown = || {
            Fault::unknown(
                "token",
                "rien n’est enregistré sous ce jeton.",
                "nothing was recorded under this token.",
            )
        };
        let id = Uuid::parse_str(token).map_err(|_| Fault::from(unknown()))?;
        let request = request_of(id);
        let cards = super::requests::named(&app, &call, &[&request.to_string()]).await?;
        if cards.is_empty() {
            return Err(unknown().into());
        }
        let row = TokenRow { service_request_id: request.to_string(), token: id.to_string() };
        Ok(written(StatusCode::OK, format, "service_requests", &[row]))
    })
    .await
}

/// What a token stands for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Open311Token)]
pub(crate) struct TokenRow {
    /// The id.
    service_request_id: String,
    /// The token.
    token: String,
}
