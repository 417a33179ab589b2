//! Whether the server lives, and whether it can work.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use guichet_projections::RunState;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::App;

/// Whether the server can work.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Ready {
    /// Whether all of the rest is well.
    ready: bool,
    /// Whether the journal answers.
    journal: bool,
    /// Whether the data folder can be written.
    folder_writable: bool,
    /// Whether the read models follow the journal.
    read_models: bool,
    /// Whether they have seen all of it.
    caught_up: bool,
    /// The position of the journal's last event.
    #[serde(skip_serializing_if = "Option::is_none")]
    head: Option<String>,
    /// The position up to which lists and figures are true.
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<String>,
}

/// Whether the server lives.
#[utoipa::path(get, path = "/health", tag = "operators",
    responses((status = 200, description = "It does.", body = Object)))]
pub(crate) async fn health() -> Response {
    axum::Json(serde_json::json!({ "status": "up" })).into_response()
}

/// Whether the server can work: the journal answers, the data folder can be written, the read models follow.
#[utoipa::path(get, path = "/ready", tag = "operators",
    responses(
        (status = 200, description = "It can.", body = Ready),
        (status = 503, description = "It cannot.", body = Ready)
    ))]
pub(crate) async fn ready(State(app): State<App>) -> Response {
    let status = app.guichet.read_models().status().await;
    let folder = app.guichet.options().data.clone();
    let folder_writable = tokio::task::spawn_blocking(move || can_write(&folder)).await.unwrap_or(false);
    let answer = match status {
        Ok(status) => {
            let read_models = matches!(status.state, RunState::CatchingUp | RunState::Following);
            Ready {
                ready: folder_writable && read_models,
                journal: true,
                folder_writable,
                read_models,
                caught_up: status.caught_up,
                head: status.head.map(|position| position.to_string()),
                position: status.position.map(|position| position.to_string()),
            }
        }
        Err(_) => Ready {
            ready: false,
            journal: false,
            folder_writable,
            read_models: false,
            caught_up: false,
            head: None,
            position: None,
        },
    };
    let code = if answer.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, axum::Json(answer)).into_response()
}

/// Writes a few bytes where the journal lives: a full disk or a folder made read-only shows before the next request does.
fn can_write(folder: &std::path::Path) -> bool {
    let probe = folder.join(".ready");
    let written = std::fs::write(&probe, [b'.'; 4096]);
    let removed = std::fs::remove_file(&probe);
    written.is_ok() && removed.is_ok()
}
