//! A patroller's quick report: a photo, a position, a word.

use axum::extract::multipart::{Field, Multipart};
use axum::extract::{FromRequest, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use guichet_engine::Submission;
use guichet_engine::rules::process::{Channel, Definition, FieldType, Opener, Plan};
use guichet_engine::rules::request::{Actor, Command, CommandId, RequestId, RequesterInput};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::desk::{Similar, too_far};
use crate::channels::form::{files_field, store};
use crate::channels::mail::Attachment;
use crate::channels::nearby::{METRES_MAX, nearby};
use crate::http::App;
use crate::http::extract::{At, Wishes, parse};
use crate::http::openapi::ProblemAnswer;
use crate::http::problem::Problem;
use crate::rights::Scope;

/// The largest report, in bytes: three photos of a telephone.
pub(crate) const REPORT_BYTES_MAX: usize = 32 * 1024 * 1024;
/// The most photos.
pub(crate) const PHOTOS_MAX: usize = 5;
/// The most parts of a report.
const PARTS_MAX: usize = 20;
/// The longest word, in characters.
const WORD_CHARACTERS_MAX: usize = 2_000;
/// An open request this close, in metres, is the same thing unless the report says otherwise.
const METRES: f64 = 20.0;

/// A quick report.
#[derive(ToSchema)]
#[allow(dead_code, reason = "it stands for the schema of a body")]
#[schema(example = json!({ "process": "voirie/chaussee-abimee", "lat": 48.957, "lon": 4.363, "word": "Trou de 30 cm" }))]
pub(crate) struct PatrolBody {
    /// The process, for example `voirie/chaussee-abimee`.
    process: String,
    /// Latitude in degrees (WGS 84).
    #[schema(minimum = -90, maximum = 90)]
    lat: f64,
    /// Longitude in degrees (WGS 84).
    #[schema(minimum = -180, maximum = 180)]
    lon: f64,
    /// What was seen.
    #[schema(max_length = 2000)]
    word: Option<String>,
    /// Other fields of the form, as JSON.
    form: Option<String>,
    /// `true` if the place was made safe.
    made_safe: Option<bool>,
    /// `false` to open a request even where one is open close by.
    merge: Option<bool>,
    /// How close an open request is taken for the same thing, in metres; 20 if nothing is said.
    #[schema(minimum = 0, maximum = 1000)]
    within_metres: Option<f64>,
    /// Photos, five at most.
    #[schema(format = Binary)]
    photo: Option<Vec<String>>,
}

/// What became of a report.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({ "became": "visit", "request": "8d698e70-82cc-5089-85b7-f13ddea0fe6f", "similar": [], "refused": [] }))]
pub(crate) struct PatrolAnswer {
    /// `request`: a new one; `visit`: a visit of one that was open close by.
    became: &'static str,
    /// The request.
    request: Uuid,
    /// Open requests close by.
    similar: Vec<Similar>,
    /// Photos that were not taken, and why, in the reader's language.
    refused: Vec<String>,
}

/// What a report holds, read.
#[derive(Default)]
struct Report {
    process: String,
    lat: Option<f64>,
    lon: Option<f64>,
    word: String,
    form: Map<String, Value>,
    made_safe: bool,
    apart: bool,
    metres: Option<f64>,
    photos: Vec<Attachment>,
}

/// Report on patrol.
///
/// One call for who is on the street. Where a request of the same process is open within 20 metres, the report becomes a
/// visit of it, and its photos are added; otherwise it becomes a request.
#[utoipa::path(
    post, path = "/v1/{tenant}/patrol", tag = "agents", operation_id = "patrol_report",
    security(("key" = ["requests:receive"])),
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "A UUID chosen by the client.")
    ),
    request_body(content = PatrolBody, content_type = "multipart/form-data", description = "The report."),
    responses(
        (status = 201, description = "A new request.", body = PatrolAnswer),
        (status = 200, description = "A visit of an open one, or a report that had come before.", body = PatrolAnswer),
        (status = 409, response = ProblemAnswer)
    )
)]
pub(crate) async fn patrol_report(
    State(app): State<App>,
    At(tenant): At<String>,
    wishes: Wishes,
    request: Request,
) -> Result<Response, Problem> {
    let principal = wishes.needs(&app, &tenant, Scope::RequestsReceive).await?;
    let actor = principal.actor();
    if !matches!(actor, Actor::Agent(_)) {
        return Err(Problem::forbidden(
            "Ce signalement est réservé aux agents.",
            "This report is for members of staff.",
        ));
    }
    let _place = app.guichet.limits().place().ok_or_else(Problem::busy)?;
    let report = read(Multipart::from_request(request, &app).await.map_err(|_| malformed())?).await?;
    let (Some(lat), Some(lon)) = (report.lat, report.lon) else { return Err(malformed()) };
    let metres = report.metres.unwrap_or(METRES);
    if !(0.0..=METRES_MAX).contains(&metres) {
        return Err(too_far());
    }
    app.guichet.engine().organisation_now(&tenant).await?.ok_or_else(Problem::not_found)?;
    let command_id = wishes.command_id(&app)?;
    let own = RequestId(guichet_engine::rules::process::request_of(command_id.0));
    let near = nearby(&app.guichet, &tenant, &report.process, (lat, lon), metres).await?;
    let near: Vec<_> = near.into_iter().filter(|(card, _)| card.request != own).collect();
    let open = near.first().map(|(card, _)| card.request).filter(|_| !report.apart);
    let similar = near.into_iter().map(Similar::from).collect();
    let begun = Begun { app: &app, tenant: &tenant, actor, command_id };
    let (became, request, repeated, refused) = match open {
        Some(request) => {
            let (repeated, refused) = begun.visit(request, &report).await?;
            ("visit", request, repeated, refused)
        }
        None => {
            let (request, repeated, refused) = begun.receive(&report, (lat, lon)).await?;
            ("request", request, repeated, refused)
        }
    };
    let new = became == "request" && !repeated;
    let refused = refused.into_iter().map(|file| format!("{}: {}", file.name, file.why.get(wishes.language)));
    let answer = PatrolAnswer { became, request: request.0, similar, refused: refused.collect() };
    let status = if new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, axum::Json(answer)).into_response())
}

/// A report being carried out: several commands, each with an id of its own made from the client's.
struct Begun<'a> {
    app: &'a App,
    tenant: &'a str,
    actor: Actor,
    command_id: CommandId,
}

type Refused = Vec<crate::channels::form::Refused>;

impl Begun<'_> {
    async fn submit(
        &self,
        request: Option<RequestId>,
        command: Command,
        how: &str,
    ) -> Result<guichet_engine::Receipt, Problem> {
        let command_id = match request {
            None => self.command_id,
            Some(_) => CommandId(Uuid::new_v5(&self.command_id.0, how.as_bytes())),
        };
        let submission = Submission {
            tenant: self.tenant.to_owned(),
            request,
            command,
            actor: self.actor.clone(),
            command_id,
            occurred_at: None,
            expected: None,
        };
        self.app.submit(submission).await
    }

    async fn files(
        &self,
        definition: &Definition,
        there: usize,
        photos: &[Attachment],
    ) -> Result<crate::channels::form::Files, Problem> {
        let field = files_field(definition, None);
        let stored = store(self.app.guichet.attachments(), self.tenant, field, there, photos).await;
        stored.map_err(|error| crate::channels::TakeError::Attachments(error).into())
    }

    async fn receive(
        &self,
        report: &Report,
        (lat, lon): (f64, f64),
    ) -> Result<(RequestId, bool, Refused), Problem> {
        let plan = self.app.guichet.engine().definitions().in_force(self.tenant, &report.process);
        let mut form = report.form.clone();
        let mut refused = Vec::new();
        if let Some(definition) = plan.as_deref().map(Plan::definition) {
            if let Some(field) = definition.form.iter().find(|field| field.kind == FieldType::Location) {
                form.insert(field.field.clone(), json!([lat, lon]));
            }
            let files = self.files(definition, 0, &report.photos).await?;
            if let Some(field) = files_field(definition, None).filter(|_| !files.taken.is_empty()) {
                form.insert(field.field.clone(), files.taken.into());
            }
            refused = files.refused;
        }
        let command = Command::Receive {
            process: report.process.clone(),
            channel: Channel::Patrol,
            opened_by: Opener::Patroller,
            requester: RequesterInput::default(),
            form,
            external: None,
            first_received_at: None,
            answer: None,
            origin: None,
        };
        let done = self.submit(None, command, "receive").await?;
        if !report.word.is_empty() {
            self.submit(Some(done.request), Command::Note { text: report.word.clone() }, "note").await?;
        }
        if report.made_safe {
            let finding =
                if report.word.is_empty() { "Mis en sécurité.".to_owned() } else { report.word.clone() };
            self.submit(Some(done.request), Command::Visit { finding, made_safe: true }, "visit").await?;
        }
        Ok((done.request, done.repeated, refused))
    }

    async fn visit(&self, request: RequestId, report: &Report) -> Result<(bool, Refused), Problem> {
        let finding =
            if report.word.is_empty() { "Vu en patrouille.".to_owned() } else { report.word.clone() };
        let visit = Command::Visit { finding, made_safe: report.made_safe };
        let done = self.submit(Some(request), visit, "visit").await?;
        if report.photos.is_empty() {
            return Ok((done.repeated, Vec::new()));
        }
        let guichet = &self.app.guichet;
        let known = guichet.request(self.tenant, request).await?;
        let definition = known.plan.definition();
        let Some(field) = files_field(definition, None) else {
            return Ok((done.repeated, self.files(definition, 0, &report.photos).await?.refused));
        };
        let dossier = guichet.dossier(self.tenant, &known).await?;
        let mut there = dossier.form.get(&field.field).and_then(Value::as_array).cloned().unwrap_or_default();
        let files = self.files(definition, there.len(), &report.photos).await?;
        let added: Vec<Value> = files.taken.into_iter().filter(|file| !there.contains(file)).collect();
        if !added.is_empty() && !done.repeated {
            there.extend(added);
            let form = Map::from_iter([(field.field.clone(), Value::Array(there))]);
            self.submit(Some(request), Command::Reply { text: None, form, complete: false }, "photos")
                .await?;
        }
        Ok((done.repeated, files.refused))
    }
}

async fn read(mut parts: Multipart) -> Result<Report, Problem> {
    let mut report = Report::default();
    let mut count = 0;
    while let Some(part) = parts.next_field().await.map_err(|error| of(&error))? {
        count += 1;
        if count > PARTS_MAX {
            return Err(malformed());
        }
        let name = part.name().unwrap_or_default().to_owned();
        if name == "photo" {
            if report.photos.len() >= PHOTOS_MAX {
                return Err(malformed());
            }
            let file = part.file_name().unwrap_or("photo").to_owned();
            let kind = part.content_type().unwrap_or("application/octet-stream").to_owned();
            let bytes = part.bytes().await.map_err(|error| of(&error))?.to_vec();
            report.photos.push(Attachment { name: file, kind, bytes });
            continue;
        }
        let text = text(part).await?;
        match name.as_str() {
            "process" => report.process = text,
            "lat" => report.lat = Some(degrees(&text, 90.0)?),
            "lon" => report.lon = Some(degrees(&text, 180.0)?),
            "word" => report.word = text,
            "form" => report.form = parse(text.as_bytes())?,
            "made_safe" => report.made_safe = yes(&text)?,
            "merge" => report.apart = !yes(&text)?,
            "within_metres" => report.metres = Some(text.parse().map_err(|_| too_far())?),
            _ => return Err(malformed()),
        }
    }
    Ok(report)
}

async fn text(mut part: Field<'_>) -> Result<String, Problem> {
    let mut bytes = Vec::new();
    while let Some(chunk) = part.chunk().await.map_err(|error| of(&error))? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > 64 * 1024 {
            return Err(malformed());
        }
    }
    let text = String::from_utf8(bytes).map_err(|_| malformed())?.trim().to_owned();
    if part.name() == Some("word") && text.chars().count() > WORD_CHARACTERS_MAX {
        return Err(malformed());
    }
    Ok(text)
}

fn degrees(text: &str, most: f64) -> Result<f64, Problem> {
    text.parse::<f64>().ok().filter(|degrees| degrees.abs() <= most).ok_or_else(malformed)
}

fn yes(text: &str) -> Result<bool, Problem> {
    text.parse().map_err(|_| malformed())
}

fn of(error: &axum::extract::multipart::MultipartError) -> Problem {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE { Problem::too_large() } else { malformed() }
}

fn malformed() -> Problem {
    Problem::unprocessable(
        "patrol.malformed",
        "Le signalement doit comporter « process », « lat », « lon », et au plus « word », « form », « made_safe », « merge », « within_metres » et cinq « photo ».",
        "The report must have “process”, “lat”, “lon”, and at most “word”, “form”, “made_safe”, “merge”, “within_metres” and five times “photo”.",
    )
}
