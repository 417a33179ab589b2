//! What did not arrive: seen, sent again, dropped.

use axum::extract::State;
use axum::http::StatusCode;

use super::shapes::{WebhookDeadLetters, WebhookRevived};
use super::{known, managing, webhook_id};
use crate::http::App;
use crate::http::extract::{At, Wishes};
use crate::http::problem::Problem;

/// The most dead letters of one answer.
const LISTED_MAX: u32 = 1_000;

/// List the events that an address did not take within three days: they are not tried any more. At most 1,000 are told.
#[utoipa::path(
    get, path = "/v1/{tenant}/webhooks/{webhook}/dead-letters", tag = "agents", security(("key" = ["webhooks:manage"])),
    params(
        ("webhook" = Uuid, Path, description = "The address’s id.")
    ),
    responses(
        (status = 200, description = "The first first.", body = WebhookDeadLetters)
    )
)]
pub(crate) async fn webhooks_dead_letters(
    State(app): State<App>,
    At((tenant, id)): At<(String, String)>,
    wishes: Wishes,
) -> Result<axum::Json<WebhookDeadLetters>, Problem> {
    managing(&app, &wishes, &tenant).await?;
    let id = webhook_id(&id)?;
    known(&app, &tenant, id).await?;
    let letters = app.guichet.read_models().dead_letters(id, LISTED_MAX).await?;
    Ok(axum::Json(WebhookDeadLetters { dead_letters: letters.into_iter().map(Into::into).collect() }))
}

/// Send all dead letters of an address again.
#[utoipa::path(
    post, path = "/v1/{tenant}/webhooks/{webhook}/dead-letters/resend", tag = "agents",
    security(("key" = ["webhooks:manage"])),
    params(
        ("webhook" = Uuid, Path, description = "The address’s id.")
    ),
    responses(
        (status = 202, description = "They are sent again from now on, as if for the first time.", body = WebhookRevived)
    )
)]
pub(crate) async fn webhooks_resend_all(
    State(app): State<App>,
    At((tenant, id)): At<(String, String)>,
    wishes: Wishes,
) -> Result<(StatusCode, axum::Json<WebhookRevived>), Problem> {
    managing(&app, &wishes, &tenant).await?;
    let id = webhook_id(&id)?;
    known(&app, &tenant, id).await?;
    let revived = app.guichet.read_models().revive_dead_letters(id, None, app.guichet.now()).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(WebhookRevived { revived })))
}

/// Send one dead letter again.
#[utoipa::path(
    post, path = "/v1/{tenant}/webhooks/{webhook}/dead-letters/{event}/resend", tag = "agents",
    security(("key" = ["webhooks:manage"])),
    params(
        ("webhook" = Uuid, Path, description = "The address’s id."),
        ("event" = Uuid, Path, description = "The event’s id.")
    ),
    responses(
        (status = 202, description = "It is sent again from now on, as if for the first time.", body = WebhookRevived)
    )
)]
pub(crate) async fn webhooks_resend(
    State(app): State<App>,
    At((tenant, id, event)): At<(String, String, String)>,
    wishes: Wishes,
) -> Result<(StatusCode, axum::Json<WebhookRevived>), Problem> {
    managing(&app, &wishes, &tenant).await?;
    let (id, event) = (webhook_id(&id)?, webhook_id(&event)?);
    known(&app, &tenant, id).await?;
    match app.guichet.read_models().revive_dead_letters(id, Some(event), app.guichet.now()).await? {
        0 => Err(Problem::not_found()),
        revived => Ok((StatusCode::ACCEPTED, axum::Json(WebhookRevived { revived }))),
    }
}

/// Drop a dead letter: it is never sent.
#[utoipa::path(
    delete, path = "/v1/{tenant}/webhooks/{webhook}/dead-letters/{event}", tag = "agents",
    security(("key" = ["webhooks:manage"])),
    params(
        ("webhook" = Uuid, Path, description = "The address’s id."),
        ("event" = Uuid, Path, description = "The event’s id.")
    ),
    responses(
        (status = 204, description = "Dropped.")
    )
)]
pub(crate) async fn webhooks_drop(
    State(app): State<App>,
    At((tenant, id, event)): At<(String, String, String)>,
    wishes: Wishes,
) -> Result<StatusCode, Problem> {
    managing(&app, &wishes, &tenant).await?;
    let (id, event) = (webhook_id(&id)?, webhook_id(&event)?);
    known(&app, &tenant, id).await?;
    match app.guichet.read_models().drop_dead_letter(id, event).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Problem::not_found()),
    }
}
