//! Following a request with its tracking code. The code comes in the body, never in an address: addresses are logged.

use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use guichet_engine::rules::request::{Actor, Command, ForwardStanding, Hold, RequestId, Stage, What};
use guichet_engine::rules::text::Text;
use guichet_engine::rules::tracking::TrackingCode;
use guichet_engine::{Known, Span, Submission, tenant_of};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::appointments::{AppointmentView, appointment_view};
use super::payments::{PaymentView, payment_views};
use crate::attachments::form_of_mut;
use crate::dossier::Dossier;
use crate::http::App;
use crate::http::answers::{Promise, ReceiptAnswer, promises, receipt, tag};
use crate::http::extract::{At, Json, Wishes};
use crate::http::openapi::{ProblemAnswer, RequesterCommand, Words};
use crate::http::problem::Problem;
use crate::http::routes::files::proven;
use crate::http::words;

/// What a citizen may do with the code alone.
pub(crate) const ACTIONS: [&str; 6] =
    ["reply", "withdraw", "reopen", "rate", "choose_appointment", "cancel_appointment"];

/// How long a code that is not in the lists yet is waited for.
const CATCH_UP: Duration = Duration::from_secs(2);

/// A tracking code.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FollowBody {
    /// The code, with or without hyphens, in capitals or not.
    #[schema(min_length = 1, max_length = 64)]
    code: String,
}

impl FollowBody {
    /// The code, as it was sent.
    pub(super) fn code(&self) -> &str {
        &self.code
    }
}

/// A tracking code and what its bearer wants.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ActionBody {
    /// The code.
    code: String,
    /// The command: `reply`, `withdraw`, `reopen`, `rate`, `choose_appointment` or `cancel_appointment`.
    #[schema(value_type = RequesterCommand)]
    command: Command,
}

/// A request as its requester sees it.
#[derive(Serialize, ToSchema)]
pub(crate) struct Followed {
    /// What it is about.
    #[schema(value_type = Words)]
    pub(crate) title: Text,
    /// The stage: `received`, `qualified`, `assigned`, `validated`, `delivered`, `withdrawn`, `cancelled`, `refused`,
    /// `forwarded` or `merged`.
    pub(crate) stage: String,
    /// The stage in words, in the reader's language.
    pub(crate) words: String,
    /// The same in French and in English.
    #[schema(value_type = Words)]
    pub(crate) text: Text,
    /// When it was made (UTC).
    pub(crate) received: DateTime<Utc>,
    /// The service in charge, by its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Words>)]
    pub(crate) service: Option<Text>,
    /// What the town hall promised.
    pub(crate) promises: Vec<Promise>,
    /// What the requester is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) asked: Option<Asked>,
    /// Messages of the town hall.
    pub(crate) messages: Vec<String>,
    /// The answer, once it is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) answer: Option<String>,
    /// Where it goes on, if it was passed on to another administration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) passed_on: Option<PassedOnView>,
    /// Who passed it on, if it came from another collectivity.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Words>)]
    pub(crate) passed_on_by: Option<Text>,
    /// What is to be paid, was paid, or is no longer asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) payments: Vec<PaymentView>,
    /// The appointment to choose or to keep, or the last one there was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) appointment: Option<AppointmentView>,
    /// What the requester may do: of `reply`, `withdraw`, `reopen`, `rate`, `choose_appointment`, `cancel_appointment`.
    /// Whether a payment may be made stands with the payment.
    pub(crate) may: Vec<String>,
    /// The revision shown, for `If-Match`.
    pub(crate) revision: u64,
}

/// Where a request goes on that was passed on (CRPA L114-2).
#[derive(Serialize, ToSchema)]
pub(crate) struct PassedOnView {
    /// What the administration is called.
    #[schema(value_type = Words)]
    pub(crate) to: Text,
    /// The collectivity at which it is followed from now on, if it is one of this installation and has it by now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tenant: Option<String>,
    /// The code under which it is followed there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "7K3M-9XQ2-4T")]
    pub(crate) code: Option<String>,
}

/// What the requester is asked for.
#[derive(Serialize, ToSchema)]
pub(crate) struct Asked {
    /// In words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) question: Option<String>,
    /// Pieces that are missing.
    pub(crate) pieces: Vec<String>,
    /// The end of the term given (UTC).
    pub(crate) reply_by: DateTime<Utc>,
}

/// Follow a request.
#[utoipa::path(
    post, path = "/v1/{tenant}/follow", tag = "public", operation_id = "follow_read", security(()),
    request_body(content = FollowBody, example = json!({ "code": "7K3M-9XQ2-4T" })),
    responses(
        (status = 200, description = "The request as its requester sees it.", body = Followed)
    )
)]
pub(crate) async fn follow(
    State(app): State<App>,
    At(tenant): At<String>,
    wishes: Wishes,
    Json(body): Json<FollowBody>,
) -> Result<Response, Problem> {
    let request = find(&app, &tenant, &wishes, &body.code).await?;
    let known = app.guichet.request(&tenant, request).await?;
    let dossier = app.guichet.dossier(&tenant, &known).await?;
    let mut seen = view(&app, &wishes, &known, dossier);
    seen.passed_on = passed_on(&app, &known).await?;
    let mut response = axum::Json(seen).into_response();
    tag(response.headers_mut(), known.revision);
    Ok(response)
}

/// Act on a request with its code.
#[utoipa::path(
    post, path = "/v1/{tenant}/follow/actions", tag = "public", operation_id = "follow_act", security(()),
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "A UUID chosen by the client.")
    ),
    request_body(content = ActionBody, example = json!({
        "code": "7K3M-9XQ2-4T", "command": { "command": "withdraw", "reason": "Le trou a été bouché." }
    })),
    responses(
        (status = 200, description = "Done.", body = ReceiptAnswer),
        (status = 403, response = ProblemAnswer),
        (status = 409, response = ProblemAnswer)
    )
)]
pub(crate) async fn act(
    State(app): State<App>,
    At(tenant): At<String>,
    wishes: Wishes,
    Json(mut body): Json<ActionBody>,
) -> Result<Response, Problem> {
    let request = find(&app, &tenant, &wishes, &body.code).await?;
    may_act(&body.command)?;
    if let Some(form) = form_of_mut(&mut body.command) {
        proven(&app, &tenant, form).await?;
    }
    let submission = Submission {
        request: Some(request),
        command: body.command,
        actor: Actor::Requester,
        command_id: wishes.command_id(&app)?,
        occurred_at: None,
        expected: wishes.expected()?,
        tenant,
    };
    let done = app.submit(submission).await?;
    Ok(receipt(&app, &wishes, done, false).await)
}

/// Whether a requester may give this command.
pub(super) fn may_act(command: &Command) -> Result<(), Problem> {
    ACTIONS.contains(&command.name()).then_some(()).ok_or_else(|| {
        Problem::forbidden(
            "Avec le code de suivi, ou dans son compte, on peut répondre, retirer, rouvrir ou noter sa demande, choisir ou annuler un rendez-vous.",
            "With the tracking code, or in one’s account, one can reply, withdraw, reopen or rate one’s request, choose or call off an appointment.",
        )
    })
}

/// The request with this code. A code that is not one and a code that nobody has count alike against the caller.
pub(crate) async fn find(app: &App, tenant: &str, wishes: &Wishes, code: &str) -> Result<RequestId, Problem> {
    // Whoever shows a key that counts is known, and counted by it: a portal asks for many.
    if wishes.caller(app, tenant).await?.is_none() {
        app.look_ups.take(tenant, wishes.address, app.guichet.now()).map_err(Problem::too_many)?;
    }
    let name = tenant_of(tenant)?;
    let code = TrackingCode::parse(code).map_err(|_| {
        Problem::unprocessable(
            "follow.code_unreadable",
            "Ce code comporte une erreur : relisez ses dix lettres et chiffres.",
            "There is a mistake in this code: check its ten letters and digits.",
        )
    })?;
    let digest = app.guichet.engine().code_digest(&name, &code);
    let models = app.guichet.read_models();
    let mut card = models.card_by_tracking(&digest).await?.value;
    if card.is_none() {
        // Whoever types the code at once must not be faster than the lists.
        models.catch_up(CATCH_UP).await?;
        card = models.card_by_tracking(&digest).await?.value;
    }
    card.filter(|card| card.tenant == tenant).map(|card| card.request).ok_or_else(Problem::not_found)
}

/// Where the request goes on, with its new code: whoever shows the old one is its requester, and may have no address to
/// which the new one could have been sent.
pub(crate) async fn passed_on(app: &App, known: &Known) -> Result<Option<PassedOnView>, Problem> {
    let Stage::Forwarded { to } = &known.request.stage else { return Ok(None) };
    let title = known.organisation.addressee(to);
    let standing = known.request.forwarding.as_ref().map(|passed| &passed.standing);
    let Some(ForwardStanding::Arrived { request }) = standing else {
        return Ok(Some(PassedOnView { to: title, tenant: None, code: None }));
    };
    let history = app.guichet.history(to, *request, &Span::default(), true).await?;
    let code = history.iter().find_map(|entry| match &entry.event.what {
        What::Received(received) => received.tracking.known().cloned(),
        _ => None,
    });
    let code = code.map(|code| TrackingCode::parse(&code).map_or(code, |code| code.spoken()));
    Ok(Some(PassedOnView { to: title, tenant: Some(to.clone()), code }))
}

/// The request as its requester sees it.
pub(crate) fn view(app: &App, wishes: &Wishes, known: &Known, dossier: Dossier) -> Followed {
    let request = &known.request;
    let stage = request.stage.id();
    let text = words::stage(stage);
    let service = request.service.as_deref().and_then(|id| known.organisation.service(id));
    let (payments, appointment) = (payment_views(request, &dossier), appointment_view(known, &dossier));
    let asked = match &request.hold {
        Some(Hold::WaitingForRequester { reply_by, .. }) => {
            Some(Asked { question: dossier.question, pieces: dossier.pieces, reply_by: *reply_by })
        }
        Some(Hold::Suspended { .. }) | None => None,
    };
    let may = app.guichet.allowed(known, &Actor::Requester);
    Followed {
        title: known.plan.definition().title.clone(),
        stage: stage.to_owned(),
        words: text.get(wishes.language).to_owned(),
        text,
        received: request.milestones.received,
        service: service.map(|service| service.title.clone()),
        promises: promises(request),
        asked,
        payments,
        appointment,
        passed_on: None,
        passed_on_by: request.origin.as_ref().map(|origin| known.organisation.addressee(origin.from())),
        messages: dossier.messages,
        // A draft is nobody's business but the town hall's.
        answer: dossier.answer.filter(|_| request.milestones.delivered.is_some()),
        may: may.into_iter().filter(|name| ACTIONS.contains(name)).map(str::to_owned).collect(),
        revision: known.revision,
    }
}
