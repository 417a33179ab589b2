//! The counter, the telephone and the letter room: one call for what an agent does with one person.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use guichet_engine::Submission;
use guichet_engine::rules::process::{Channel, Opener};
use guichet_engine::rules::request::{Actor, Command};
use guichet_engine::rules::tracking::TrackingCode;
use guichet_engine::{Receipt, Span};
use guichet_projections::Card;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::channels::nearby::{METRES_MAX, nearby, place_of};
use crate::http::App;
use crate::http::answers::{Promise, promises};
use crate::http::extract::{At, Json, Wishes};
use crate::http::openapi::{IncomingBody, ProblemAnswer};
use crate::http::problem::Problem;
use crate::http::routes::receive::Incoming;
use crate::outbound::render::render;
use crate::outbound::values::{Ground, Reader, reference};
use crate::rights::Scope;

/// Requests this close, in metres, are shown as similar unless the desk says otherwise.
const METRES: f64 = 50.0;

/// What somebody says at the counter or on the telephone, or writes in a letter.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Desk {
    request: Incoming,
    #[serde(default)]
    although_similar: bool,
    #[serde(default)]
    within_metres: Option<f64>,
}

/// What somebody says at the counter or on the telephone, or writes in a letter.
#[derive(ToSchema)]
#[allow(dead_code, reason = "it stands for the schema of a body")]
#[schema(example = json!({ "request": { "process": "voirie/chaussee-abimee", "channel": "phone", "opened_by": "agent", "form": { "place": [48.957, 4.363] }, "requester": { "contact": { "phone": "+33639980001" } } } }))]
pub(crate) struct DeskBody {
    /// The request, with `opened_by: agent`; with an `answer` it is answered at once, with `occurred_at` it was made then.
    #[schema(inline)]
    request: IncomingBody,
    /// Receive it although similar ones are open.
    #[schema(default = false)]
    although_similar: Option<bool>,
    /// How close an open request counts as similar, in metres; 50 if nothing is said.
    #[schema(minimum = 0, maximum = 1000)]
    within_metres: Option<f64>,
}

/// An open request that may be the same.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({ "request": "8d698e70-82cc-5089-85b7-f13ddea0fe6f", "metres": 12.5, "stage": "assigned", "received": "2026-11-03T09:00:00Z" }))]
pub(crate) struct Similar {
    /// Its id.
    pub(super) request: Uuid,
    /// How far away it is, in metres.
    metres: f64,
    /// Its stage.
    stage: String,
    /// When it was received (UTC).
    received: chrono::DateTime<chrono::Utc>,
    /// The service in charge.
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<String>,
}

impl From<(Card, f64)> for Similar {
    fn from((card, metres): (Card, f64)) -> Self {
        let (request, stage, received) = (card.request.0, card.stage, card.received);
        Self { request, metres: (metres * 10.0).round() / 10.0, stage, received, service: card.service }
    }
}

/// What the desk shows.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({ "received": { "request": "8d698e70-82cc-5089-85b7-f13ddea0fe6f", "reference": "F13DDEA0FE6F", "tracking_code": "K7M-4QP-9TXA", "stage": "received", "repeated": false, "promises": [], "slip": "Bonjour…" }, "similar": [] }))]
pub(crate) struct DeskAnswer {
    /// What was received; nothing while similar requests are open.
    #[serde(skip_serializing_if = "Option::is_none")]
    received: Option<Received>,
    /// Open requests of the same process close by.
    similar: Vec<Similar>,
}

/// What was received.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Received {
    request: Uuid,
    /// The number by which colleagues name it.
    reference: String,
    /// The tracking code, for the person at the desk and nobody else.
    #[serde(skip_serializing_if = "Option::is_none")]
    tracking_code: Option<String>,
    stage: String,
    /// Whether it had been received before.
    repeated: bool,
    /// The promises made.
    promises: Vec<Promise>,
    /// What to print and hand over, in the person's language: the acknowledgement of the process.
    slip: String,
}

/// Receive at the desk.
///
/// For the counter, the telephone and letters: looks for open requests of the same process close by, and, unless there
/// are some, receives the request and writes the slip to hand over. With an `answer` it is answered at first contact.
#[utoipa::path(
    post, path = "/v1/{tenant}/desk", tag = "agents", operation_id = "desk_receive",
    security(("key" = ["requests:receive"])),
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "A UUID chosen by the client.")
    ),
    request_body = DeskBody,
    responses(
        (status = 201, description = "Received.", body = DeskAnswer),
        (status = 200, description = "Similar requests are open, and nothing was received; or it had been received before.", body = DeskAnswer),
        (status = 409, response = ProblemAnswer)
    )
)]
pub(crate) async fn desk_receive(
    State(app): State<App>,
    At(tenant): At<String>,
    wishes: Wishes,
    Json(desk): Json<Desk>,
) -> Result<Response, Problem> {
    let principal = wishes.needs(&app, &tenant, Scope::RequestsReceive).await?;
    if app.guichet.engine().organisation_now(&tenant).await?.is_none() {
        return Err(Problem::not_found());
    }
    let metres = desk.within_metres.unwrap_or(METRES);
    if !(0.0..=METRES_MAX).contains(&metres) {
        return Err(too_far());
    }
    let (mut command, occurred_at) = desk.request.command();
    if let Some(form) = crate::attachments::form_of_mut(&mut command) {
        crate::http::routes::files::proven(&app, &tenant, form).await?;
    }
    let Command::Receive { process, channel, opened_by, form, .. } = &command else {
        return Err(Problem::internal());
    };
    at_a_desk(&principal.actor(), *channel, *opened_by)?;
    let plan = app.guichet.engine().definitions().in_force(&tenant, process);
    let place = plan.as_ref().and_then(|plan| place_of(plan.definition(), form));
    let similar = match place.filter(|_| !desk.although_similar) {
        Some(place) => nearby(&app.guichet, &tenant, process, place, metres).await?,
        None => Vec::new(),
    };
    let command_id = wishes.command_id(&app)?;
    let own = guichet_engine::rules::process::request_of(command_id.0);
    let similar: Vec<Similar> =
        similar.into_iter().filter(|(card, _)| card.request.0 != own).map(Similar::from).collect();
    if !similar.is_empty() {
        return Ok(axum::Json(DeskAnswer { received: None, similar }).into_response());
    }
    let submission = Submission {
        request: None,
        command,
        actor: principal.actor(),
        command_id,
        occurred_at,
        expected: None,
        tenant: tenant.clone(),
    };
    let receipt = app.submit(submission).await?;
    let status = if receipt.repeated { StatusCode::OK } else { StatusCode::CREATED };
    let slip = slip(&app, &tenant, &receipt).await?;
    let received = Received {
        request: receipt.request.0,
        reference: reference(&receipt.state),
        tracking_code: receipt.tracking.as_ref().map(TrackingCode::spoken),
        stage: receipt.state.stage.id().to_owned(),
        repeated: receipt.repeated,
        promises: promises(&receipt.state),
        slip,
    };
    Ok((status, axum::Json(DeskAnswer { received: Some(received), similar })).into_response())
}

pub(super) fn too_far() -> Problem {
    Problem::unprocessable(
        "desk.too_far",
        "Le rayon va de 0 à 1 000 mètres.",
        "The distance goes from 0 to 1,000 metres.",
    )
}

fn at_a_desk(actor: &Actor, channel: Channel, opened_by: Opener) -> Result<(), Problem> {
    if !matches!(actor, Actor::Agent(_)) {
        return Err(Problem::forbidden(
            "Ce guichet est celui des agents.",
            "This desk is for members of staff.",
        ));
    }
    let desk = matches!(channel, Channel::Counter | Channel::Phone | Channel::Letter | Channel::Council);
    if desk && opened_by == Opener::Agent {
        return Ok(());
    }
    Err(Problem::unprocessable(
        "desk.channel",
        "Au guichet, le canal est « counter », « phone », « letter » ou « council », et « opened_by » vaut « agent ».",
        "At the desk the channel is “counter”, “phone”, “letter” or “council”, and “opened_by” is “agent”.",
    ))
}

/// The acknowledgement of the process, for the person at the desk.
async fn slip(app: &App, tenant: &str, receipt: &Receipt) -> Result<String, Problem> {
    let known = app.guichet.request(tenant, receipt.request).await?;
    let history = app.guichet.history(tenant, receipt.request, &Span::default(), true).await?;
    let definition = known.plan.definition();
    let language = known.request.requester.language;
    let calendar = known.plan.calendar(&definition.calendar);
    let ground = Ground {
        known: &known,
        history: &history,
        language,
        reader: Reader::Requester,
        zone: calendar.map_or(chrono_tz::Europe::Paris, guichet_engine::rules::calendar::Calendar::zone),
        now: app.guichet.now(),
        public_url: &app.guichet.options().public_url,
    };
    Ok(render(definition.acknowledgement.body.get(language), &ground.values(), language))
}
