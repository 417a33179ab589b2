//! Secrets, and a trial of them.

use axum::extract::State;

use super::shapes::{WebhookRotation, WebhookSecret, WebhookTrial};
use super::{known, managing, wait, webhook_id};
use crate::http::App;
use crate::http::extract::{At, Json, Wishes};
use crate::http::openapi::ProblemAnswer;
use crate::http::problem::Problem;
use crate::outbound::webhook::{Envelope, Outcome, Sender, Signed};
use crate::outgoing::Outgoing;
use crate::webhooks::{Asking, GRACE_HOURS_MAX};

/// Give an address another secret. Both sign during the grace time: put the new one in place within it.
#[utoipa::path(
    post, path = "/v1/{tenant}/webhooks/{webhook}/secret", tag = "agents", security(("key" = ["webhooks:manage"])),
    params(
        ("webhook" = Uuid, Path, description = "The address’s id."),
        ("Idempotency-Key" = Option<String>, Header, description = "A UUID chosen by the client.")
    ),
    request_body(content = WebhookRotation, example = json!({ "grace_hours": 24 })),
    responses(
        (status = 200, description = "The new secret.", body = WebhookSecret),
        (status = 409, response = ProblemAnswer)
    )
)]
pub(crate) async fn webhooks_rotate(
    State(app): State<App>,
    At((tenant, id)): At<(String, String)>,
    wishes: Wishes,
    Json(rotation): Json<WebhookRotation>,
) -> Result<axum::Json<WebhookSecret>, Problem> {
    let principal = managing(&app, &wishes, &tenant).await?;
    let id = webhook_id(&id)?;
    known(&app, &tenant, id).await?;
    if rotation.grace_hours > GRACE_HOURS_MAX {
        return Err(Problem::unprocessable(
            "webhook.grace",
            format!("« grace_hours » va de 0 à {GRACE_HOURS_MAX}."),
            format!("“grace_hours” goes from 0 to {GRACE_HOURS_MAX}."),
        ));
    }
    let (actor, command_id) = (principal.actor(), wishes.command_id(&app)?);
    let asking = Asking { tenant: &tenant, actor: &actor, command_id };
    let _place = app.pressure.place().await?;
    let made = app.guichet.rotate_webhook(&asking, id, rotation.grace_hours).await?;
    wait(&app, &wishes, made.position).await;
    let previous_until = known(&app, &tenant, id).await?.previous.map(|(_, until)| until);
    Ok(axum::Json(WebhookSecret { secret: made.secret, previous_until }))
}

/// Send a trial: an event of the type `fr.guichet.ping`, signed like any other, at once and once.
#[utoipa::path(
    post, path = "/v1/{tenant}/webhooks/{webhook}/ping", tag = "agents", security(("key" = ["webhooks:manage"])),
    params(
        ("webhook" = Uuid, Path, description = "The address’s id.")
    ),
    responses(
        (status = 200, description = "How it ended.", body = WebhookTrial)
    )
)]
pub(crate) async fn webhooks_ping(
    State(app): State<App>,
    At((tenant, id)): At<(String, String)>,
    wishes: Wishes,
) -> Result<axum::Json<WebhookTrial>, Problem> {
    managing(&app, &wishes, &tenant).await?;
    let webhook = known(&app, &tenant, webhook_id(&id)?).await?;
    let (now, options) = (app.guichet.now(), app.guichet.options());
    let trial = app.guichet.fresh_command_id()?.0;
    let Some(signed) = Signed::of(&webhook, &options.settings, now) else {
        let error = Some("the address may not be called".to_owned());
        return Ok(axum::Json(WebhookTrial { id: trial, delivered: false, error }));
    };
    let sender = Sender::new(Outgoing::new().map_err(|_| Problem::internal())?);
    let body = Envelope::trial(trial, &tenant, &options.public_url, now).bytes();
    let error = match sender.send(&signed, &trial.to_string(), body, now).await {
        Outcome::Delivered => None,
        Outcome::Failed(words) | Outcome::Wait(_, words) => Some(words),
        Outcome::Gone => Some("answered 410".to_owned()),
    };
    Ok(axum::Json(WebhookTrial { id: trial, delivered: error.is_none(), error }))
}
