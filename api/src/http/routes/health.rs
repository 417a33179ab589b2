//! Whether the server lives, and whether it can work.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::App;
use crate::http::readiness::Ready;

/// That the server lives.
#[derive(Serialize, ToSchema)]
pub(crate) struct Alive {
    /// Always `up`.
    #[schema(example = "up")]
    status: &'static str,
}

/// Whether the server lives.
#[utoipa::path(get, path = "/health", tag = "operators", operation_id = "health", security(()),
    responses((status = 200, description = "It does.", body = Alive)))]
pub(crate) async fn health() -> Response {
    axum::Json(Alive { status: "up" }).into_response()
}

/// Whether the server can work: the store answers and takes commands, the data folder can be written, the read models
/// follow, and nobody asked it to stop. Found out by using them, at most once a second.
#[utoipa::path(get, path = "/ready", tag = "operators", operation_id = "ready", security(()),
    responses(
        (status = 200, description = "It can.", body = Ready),
        (status = 503, description = "It cannot, for the reasons named.", body = Ready)
    ))]
pub(crate) async fn ready(State(app): State<App>) -> Response {
    let answer = app.readiness.ask(&app.guichet).await;
    let code = if answer.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, axum::Json(answer)).into_response()
}
