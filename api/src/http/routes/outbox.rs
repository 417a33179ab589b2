//! Messages that did not go out yet, and deliveries that people do by hand: looked at, tried again, given up, done.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, Utc};
use guichet_engine::Submission;
use guichet_engine::rules::process::Delivery;
use guichet_engine::rules::request::Command;
use guichet_projections::OutboxItem;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::http::App;
use crate::http::answers::{ReceiptAnswer, receipt};
use crate::http::extract::{Ask, At, Json, Wishes, request_id};
use crate::http::openapi::ProblemAnswer;
use crate::http::problem::Problem;
use crate::outbound::named::{is_by_hand, recipient, subject};
use crate::rights::Scope;
use crate::workers::{done_command, failed_command};

/// The most messages of one answer.
const LISTED_MAX: u32 = 1_000;
/// The longest reason, in characters.
const REASON_CHARACTERS_MAX: usize = 500;

/// The routes of this resource.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(outbox_list))
        .routes(routes!(outbox_retry))
        .routes(routes!(outbox_give_up))
        .routes(routes!(outbox_done))
}

/// Which messages.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct OutboxFilter {
    /// Only what people do by hand (letters, the counter, the telephone), or only what is sent by itself.
    by_hand: Option<bool>,
    /// Only what failed at least once, or only what never did.
    failed: Option<bool>,
}

/// A message that is not out yet.
#[derive(Serialize, ToSchema)]
pub(crate) struct OutboxEntry {
    /// Its request.
    request: Uuid,
    /// Its number within the request.
    #[schema(example = "0-0")]
    effect: String,
    /// Who it goes to: `requester`, `service:…`, `role:…` or `person:…`.
    #[schema(example = "requester")]
    recipient: String,
    /// What it is about, for example `acknowledgement`, `answer` or `task`.
    #[schema(example = "answer")]
    subject: String,
    /// The means: `email`, `sms`, `letter`, `counter`, `phone` or `screen`.
    #[schema(value_type = String, example = "letter")]
    by: Delivery,
    /// Whether people do it by hand.
    by_hand: bool,
    /// When it was asked for (UTC).
    asked: DateTime<Utc>,
    /// How often it was tried.
    attempts: u32,
    /// When it is tried again (UTC).
    next_attempt: Option<DateTime<Utc>>,
    /// Why the last try failed.
    error: Option<String>,
}

/// Messages that are not out yet.
#[derive(Serialize, ToSchema)]
pub(crate) struct OutboxList {
    /// How many there are in all, whatever the filter.
    n: u64,
    /// The longest asked for first, at most 1,000.
    messages: Vec<OutboxEntry>,
}

impl From<OutboxItem> for OutboxEntry {
    fn from(item: OutboxItem) -> Self {
        Self {
            request: item.request.0,
            effect: item.effect,
            recipient: recipient(&item.recipient),
            subject: subject(&item.subject).to_owned(),
            by_hand: is_by_hand(item.by),
            by: item.by,
            asked: item.asked,
            attempts: item.attempts,
            next_attempt: item.next_attempt,
            error: item.error,
        }
    }
}

/// List messages that are not out yet, with why and when they are tried again, and deliveries that wait for somebody.
#[utoipa::path(
    get, path = "/v1/{tenant}/outbox", tag = "agents", security(("key" = ["outbox:manage"])),
    params(OutboxFilter),
    responses(
        (status = 200, description = "The longest asked for first.", body = OutboxList)
    )
)]
pub(crate) async fn outbox_list(
    State(app): State<App>,
    At(tenant): At<String>,
    Ask(filter): Ask<OutboxFilter>,
    wishes: Wishes,
) -> Result<axum::Json<OutboxList>, Problem> {
    wishes.needs(&app, &tenant, Scope::OutboxManage).await?;
    let answer = app.guichet.read_models().outbox(Some(&tenant), LISTED_MAX).await?;
    let messages = answer
        .value
        .into_iter()
        .map(OutboxEntry::from)
        .filter(|entry| filter.by_hand.is_none_or(|by_hand| by_hand == entry.by_hand))
        .filter(|entry| filter.failed.is_none_or(|failed| failed == (entry.attempts > 0)))
        .collect();
    Ok(axum::Json(OutboxList { n: answer.n, messages }))
}

/// Try a message again now, however often it failed.
#[utoipa::path(
    post, path = "/v1/{tenant}/outbox/{request}/{effect}/retry", tag = "agents", security(("key" = ["outbox:manage"])),
    params(
        ("effect" = String, Path, description = "The message’s number within the request.")
    ),
    responses(
        (status = 202, description = "It is tried again from now on."),
        (status = 409, response = ProblemAnswer)
    )
)]
pub(crate) async fn outbox_retry(
    State(app): State<App>,
    At((tenant, request, effect)): At<(String, String, String)>,
    wishes: Wishes,
) -> Result<StatusCode, Problem> {
    wishes.needs(&app, &tenant, Scope::OutboxManage).await?;
    let item = found(&app, &tenant, &request, &effect).await?;
    if is_by_hand(item.by) {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "outbox.by_hand",
            "Cet envoi se fait à la main : signalez-le comme fait.",
            "This is done by hand: report it done.",
        ));
    }
    app.guichet.read_models().outbox_retried(&item).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Why a message is given up.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OutboxGivenUp {
    /// Recorded for ever: nothing personal.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// Give a message up: it is reported failed, and the sheet says what comes next (another means, for an answer).
#[utoipa::path(
    post, path = "/v1/{tenant}/outbox/{request}/{effect}/give-up", tag = "agents", security(("key" = ["outbox:manage"])),
    params(
        ("effect" = String, Path, description = "The message’s number within the request."),
        ("Idempotency-Key" = Option<String>, Header, description = "A UUID chosen by the client.")
    ),
    request_body(content = OutboxGivenUp, example = json!({ "reason": "Adresse inconnue du serveur" })),
    responses(
        (status = 200, description = "What became of the request.", body = ReceiptAnswer),
        (status = 409, response = ProblemAnswer)
    )
)]
pub(crate) async fn outbox_give_up(
    State(app): State<App>,
    At((tenant, request, effect)): At<(String, String, String)>,
    wishes: Wishes,
    Json(given_up): Json<OutboxGivenUp>,
) -> Result<Response, Problem> {
    wishes.needs(&app, &tenant, Scope::OutboxManage).await?;
    let reason = given_up.reason;
    if reason.is_empty() || reason.chars().count() > REASON_CHARACTERS_MAX {
        return Err(Problem::unprocessable(
            "outbox.reason",
            format!("Le motif compte de 1 à {REASON_CHARACTERS_MAX} caractères."),
            format!("The reason has 1 to {REASON_CHARACTERS_MAX} characters."),
        ));
    }
    let item = found(&app, &tenant, &request, &effect).await?;
    let command = failed_command(&item.subject, &item.recipient, item.by, &item.effect, reason);
    report(&app, &wishes, &tenant, item, command).await
}

/// Report a message done: the letter is posted, the requester was called or met.
#[utoipa::path(
    post, path = "/v1/{tenant}/outbox/{request}/{effect}/done", tag = "agents", security(("key" = ["outbox:manage"])),
    params(
        ("effect" = String, Path, description = "The message’s number within the request."),
        ("Idempotency-Key" = Option<String>, Header, description = "A UUID chosen by the client.")
    ),
    responses(
        (status = 200, description = "What became of the request.", body = ReceiptAnswer),
        (status = 409, response = ProblemAnswer),
        (status = 422, response = ProblemAnswer)
    )
)]
pub(crate) async fn outbox_done(
    State(app): State<App>,
    At((tenant, request, effect)): At<(String, String, String)>,
    wishes: Wishes,
) -> Result<Response, Problem> {
    wishes.needs(&app, &tenant, Scope::OutboxManage).await?;
    let item = found(&app, &tenant, &request, &effect).await?;
    let command = done_command(&item.subject, &item.recipient, item.by, &item.effect);
    report(&app, &wishes, &tenant, item, command).await
}

/// The message, if it is this collectivity's and not out yet.
async fn found(app: &App, tenant: &str, request: &str, effect: &str) -> Result<OutboxItem, Problem> {
    let request = request_id(request)?;
    let item = app.guichet.read_models().outbox_item(tenant, request, effect).await?;
    item.ok_or_else(Problem::not_found)
}

async fn report(
    app: &App,
    wishes: &Wishes,
    tenant: &str,
    item: OutboxItem,
    command: Command,
) -> Result<Response, Problem> {
    let principal = wishes.needs(app, tenant, Scope::OutboxManage).await?;
    let submission = Submission {
        tenant: tenant.to_owned(),
        request: Some(item.request),
        command,
        actor: principal.actor(),
        command_id: wishes.command_id(app)?,
        occurred_at: None,
        expected: None,
    };
    let done = app.submit(submission).await?;
    app.guichet.read_models().outbox_done(&item).await?;
    Ok(receipt(app, wishes, done, false).await)
}
