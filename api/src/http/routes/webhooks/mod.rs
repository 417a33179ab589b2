//! Where changes are sent: addresses that integrators register, their secrets, and what did not arrive.

mod dead_letters;
mod secrets;
mod shapes;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::http::App;
use crate::http::extract::{At, Json, Wishes};
use crate::http::openapi::ProblemAnswer;
use crate::http::problem::Problem;
use crate::rights::{Principal, Scope};
use crate::webhooks::{Asking, WEBHOOKS_MAX};
use guichet_engine::journal::Position;
use guichet_engine::rules::records::webhook::Webhook;
use shapes::{WebhookAnswer, WebhookChange, WebhookCreated, WebhookList, WebhookWanted, address_of};

/// The routes of this resource.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(webhooks_register, webhooks_list))
        .routes(routes!(webhooks_one, webhooks_change, webhooks_remove))
        .routes(routes!(secrets::webhooks_rotate))
        .routes(routes!(secrets::webhooks_ping))
        .routes(routes!(dead_letters::webhooks_dead_letters))
        .routes(routes!(dead_letters::webhooks_resend_all))
        .routes(routes!(dead_letters::webhooks_resend))
        .routes(routes!(dead_letters::webhooks_drop))
}

/// Register an address.
///
/// From now on every change of a request that is wanted is sent there (OpenAPI schema `WebhookEvent`): CloudEvents 1.0 in
/// structured JSON mode, signed as Standard Webhooks says, at least once, in order for each request. The secret is shown in
/// this answer and never again; the same `Idempotency-Key` answers it once more.
#[utoipa::path(
    post, path = "/v1/{tenant}/webhooks", tag = "agents", security(("key" = ["webhooks:manage"])),
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "A UUID chosen by the client.")
    ),
    request_body(content = WebhookWanted, example = json!({
        "url": "https://portail.exemple.example/guichet", "events": ["request."], "description": "Portail"
    })),
    responses(
        (status = 201, description = "Registered, with its secret.", body = WebhookCreated),
        (status = 200, description = "It had been registered by the same command before.", body = WebhookCreated),
        (status = 409, response = ProblemAnswer)
    )
)]
pub(crate) async fn webhooks_register(
    State(app): State<App>,
    At(tenant): At<String>,
    wishes: Wishes,
    Json(wanted): Json<WebhookWanted>,
) -> Result<Response, Problem> {
    let principal = wishes.needs(&app, &tenant, Scope::WebhooksManage).await?;
    let address = address_of(&app, &wanted.url)?;
    let subscription = wanted.subscription()?;
    if app.guichet.read_models().webhooks(&tenant).await?.len() >= WEBHOOKS_MAX {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "webhook.too_many",
            format!("{WEBHOOKS_MAX} adresses au plus par collectivité : retirez-en une."),
            format!("At most {WEBHOOKS_MAX} addresses for a collectivity: remove one."),
        ));
    }
    let (actor, command_id) = (principal.actor(), wishes.command_id(&app)?);
    let asking = Asking { tenant: &tenant, actor: &actor, command_id };
    let _place = app.pressure.place().await?;
    let made = app.guichet.register_webhook(&asking, &address, &subscription).await?;
    wait(&app, &wishes, made.position).await;
    let webhook = known(&app, &tenant, made.webhook).await?;
    let status = if made.repeated { StatusCode::OK } else { StatusCode::CREATED };
    let body =
        WebhookCreated { webhook: WebhookAnswer::of(made.webhook, &webhook, None), secret: made.secret };
    let mut response = (status, axum::Json(body)).into_response();
    if let Ok(location) = HeaderValue::from_str(&format!("/v1/{tenant}/webhooks/{}", made.webhook)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// List the addresses that changes are sent to.
#[utoipa::path(
    get, path = "/v1/{tenant}/webhooks", tag = "agents", security(("key" = ["webhooks:manage"])),
    responses(
        (status = 200, description = "All of them, the first registered first, with how their deliveries go.", body = WebhookList)
    )
)]
pub(crate) async fn webhooks_list(
    State(app): State<App>,
    At(tenant): At<String>,
    wishes: Wishes,
) -> Result<axum::Json<WebhookList>, Problem> {
    wishes.needs(&app, &tenant, Scope::WebhooksManage).await?;
    let mut webhooks = Vec::new();
    for entry in app.guichet.read_models().webhooks(&tenant).await? {
        if let Some(webhook) = app.guichet.webhook(&tenant, entry.webhook).await? {
            webhooks.push(WebhookAnswer::of(entry.webhook, &webhook, Some(entry)));
        }
    }
    Ok(axum::Json(WebhookList { webhooks }))
}

/// Read one address, and how its deliveries go.
#[utoipa::path(
    get, path = "/v1/{tenant}/webhooks/{webhook}", tag = "agents", security(("key" = ["webhooks:manage"])),
    params(
        ("webhook" = Uuid, Path, description = "The address’s id.")
    ),
    responses(
        (status = 200, description = "The address.", body = WebhookAnswer)
    )
)]
pub(crate) async fn webhooks_one(
    State(app): State<App>,
    At((tenant, id)): At<(String, String)>,
    wishes: Wishes,
) -> Result<axum::Json<WebhookAnswer>, Problem> {
    wishes.needs(&app, &tenant, Scope::WebhooksManage).await?;
    let id = webhook_id(&id)?;
    answer(&app, &tenant, id).await
}

/// Change an address: what it wants, where it is, whether it is paused. One that was disabled is active again.
#[utoipa::path(
    patch, path = "/v1/{tenant}/webhooks/{webhook}", tag = "agents", security(("key" = ["webhooks:manage"])),
    params(
        ("webhook" = Uuid, Path, description = "The address’s id."),
        ("Idempotency-Key" = Option<String>, Header, description = "A UUID chosen by the client.")
    ),
    request_body(content = WebhookChange, example = json!({ "active": false })),
    responses(
        (status = 200, description = "As it stands now.", body = WebhookAnswer),
        (status = 409, response = ProblemAnswer)
    )
)]
pub(crate) async fn webhooks_change(
    State(app): State<App>,
    At((tenant, id)): At<(String, String)>,
    wishes: Wishes,
    Json(change): Json<WebhookChange>,
) -> Result<axum::Json<WebhookAnswer>, Problem> {
    let principal = wishes.needs(&app, &tenant, Scope::WebhooksManage).await?;
    let id = webhook_id(&id)?;
    let before = known(&app, &tenant, id).await?;
    let address = change.url.as_deref().map(|url| address_of(&app, url)).transpose()?;
    let subscription = change.on(before.subscription)?;
    let (actor, command_id) = (principal.actor(), wishes.command_id(&app)?);
    let asking = Asking { tenant: &tenant, actor: &actor, command_id };
    let _place = app.pressure.place().await?;
    let changed = app.guichet.change_webhook(&asking, id, address.as_deref(), &subscription).await?;
    wait(&app, &wishes, changed.position).await;
    answer(&app, &tenant, id).await
}

/// Remove an address. What waits for it is never sent.
#[utoipa::path(
    delete, path = "/v1/{tenant}/webhooks/{webhook}", tag = "agents", security(("key" = ["webhooks:manage"])),
    params(
        ("webhook" = Uuid, Path, description = "The address’s id."),
        ("Idempotency-Key" = Option<String>, Header, description = "A UUID chosen by the client.")
    ),
    responses(
        (status = 204, description = "Removed."),
        (status = 409, response = ProblemAnswer),
        (status = 422, response = ProblemAnswer)
    )
)]
pub(crate) async fn webhooks_remove(
    State(app): State<App>,
    At((tenant, id)): At<(String, String)>,
    wishes: Wishes,
) -> Result<StatusCode, Problem> {
    let principal = wishes.needs(&app, &tenant, Scope::WebhooksManage).await?;
    let id = webhook_id(&id)?;
    known(&app, &tenant, id).await?;
    let (actor, command_id) = (principal.actor(), wishes.command_id(&app)?);
    let asking = Asking { tenant: &tenant, actor: &actor, command_id };
    let _place = app.pressure.place().await?;
    let removed = app.guichet.remove_webhook(&asking, id).await?;
    wait(&app, &wishes, removed.position).await;
    Ok(StatusCode::NO_CONTENT)
}

/// The address of this id, its secrets opened.
async fn known(app: &App, tenant: &str, id: Uuid) -> Result<Webhook, Problem> {
    app.guichet.webhook(tenant, id).await?.ok_or_else(Problem::not_found)
}

async fn answer(app: &App, tenant: &str, id: Uuid) -> Result<axum::Json<WebhookAnswer>, Problem> {
    let webhook = known(app, tenant, id).await?;
    let entry = app.guichet.read_models().webhook(tenant, id).await?;
    Ok(axum::Json(WebhookAnswer::of(id, &webhook, entry)))
}

/// The wait that the client asked for; an address registered without it is told a moment later all the same.
async fn wait(app: &App, wishes: &Wishes, position: Option<Position>) {
    if let (Some(position), Some(wait)) = (position, wishes.wait) {
        let _ = app.guichet.wait_for(position, wait).await;
    }
}

fn webhook_id(text: &str) -> Result<Uuid, Problem> {
    Uuid::parse_str(text).map_err(|_| Problem::not_found())
}

/// Who asks, where only the right matters.
async fn managing(app: &App, wishes: &Wishes, tenant: &str) -> Result<Principal, Problem> {
    wishes.needs(app, tenant, Scope::WebhooksManage).await
}
