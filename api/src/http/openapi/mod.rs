//! The list of routes, and the OpenAPI document made from it and from the types.

mod finish;
mod links;
mod plain;

use std::sync::LazyLock;

use axum::extract::DefaultBodyLimit;
use axum::routing::get;
use serde_json::Value;
use utoipa::openapi::OpenApi as Document;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi, ToResponse};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;
use super::problem::Problem;
use super::routes::{
    access, account, alerts, appointments, catalogue, changes, channels, commands, dashboard, diagram,
    erasure, files, follow, health, ideas, inbox, letters, open311, outbox, page, pages, payments, proposals,
    receive, requests, webhooks,
};
pub(crate) use super::schemas::*;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Guichet",
        description = "Receives, routes, follows and answers the requests of citizens, and keeps the promises made to them. \
            Every refusal is a problem (RFC 9457) with a stable code and its sentence in French and English."
    ),
    components(schemas(Problem, crate::outbound::webhook::Envelope), responses(ProblemAnswer)),
    tags(
        (name = "public", description = "For citizens and the portals that stand between."),
        (name = "account", description = "For citizens who are signed in."),
        (name = "agents", description = "For the town hall's people and programs: with a key."),
        (name = "open311", description = "Open311 GeoReport v2, for clients that speak it already."),
        (name = "operators", description = "For whoever runs the server.")
    ),
    modifiers(&Key)
)]
struct Api;

struct Key;

impl Modify for Key {
    fn modify(&self, document: &mut Document) {
        let scheme = SecurityScheme::Http(
            HttpBuilder::new()
                .scheme(HttpAuthScheme::Bearer)
                .description(Some("A key made by `guichet key`, for one collectivity."))
                .build(),
        );
        let open311 = SecurityScheme::ApiKey(ApiKey::Query(ApiKeyValue::with_description(
            "api_key",
            "The same key as Open311 sends it: as an argument, behind the question mark or, better, in the form.",
        )));
        let components = document.components.get_or_insert_with(Default::default);
        components.add_security_scheme("key", scheme);
        components.add_security_scheme("open311_key", open311);
    }
}

/// A problem.
#[derive(ToResponse)]
#[response(description = "Why it was not done.", content_type = "application/problem+json")]
#[allow(dead_code, reason = "it stands for the schema of an answer")]
pub(crate) struct ProblemAnswer(Problem);

/// Every route there is. A new one is its file and one line here.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Api::openapi())
        .routes(routes!(receive::receive, requests::list))
        .routes(routes!(follow::follow))
        .routes(routes!(follow::act))
        .routes(routes!(requests::one))
        .routes(routes!(requests::timeline))
        .routes(routes!(requests::explanation))
        .routes(routes!(diagram::request))
        .routes(routes!(diagram::process))
        .routes(routes!(commands::command))
        .routes(routes!(inbox::inbox))
        .routes(routes!(dashboard::dashboard))
        .routes(routes!(catalogue::search))
        .routes(routes!(catalogue::process))
        .merge(
            OpenApiRouter::new()
                .routes(routes!(proposals::propose))
                .layer(DefaultBodyLimit::max(proposals::PROPOSAL_BYTES_MAX)),
        )
        .routes(routes!(proposals::versions))
        .merge(access::routes())
        .merge(account::routes())
        .merge(alerts::routes())
        .merge(appointments::routes())
        .merge(changes::routes())
        .merge(channels::routes())
        .merge(erasure::routes())
        .merge(files::routes())
        .merge(ideas::routes())
        .merge(letters::routes())
        .merge(open311::routes())
        .merge(outbox::routes())
        .merge(pages::routes())
        .merge(payments::routes())
        .merge(webhooks::routes())
        .routes(routes!(health::health))
        .routes(routes!(health::ready))
        .route("/", get(page::page))
        .route("/openapi.json", get(async || axum::Json(document())))
}

/// The OpenAPI document, made once.
#[must_use]
pub fn document() -> &'static Value {
    static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
        let (_, document) = routes().split_for_parts();
        finish::finished(serde_json::to_value(document).unwrap_or_default())
    });
    &DOCUMENT
}
