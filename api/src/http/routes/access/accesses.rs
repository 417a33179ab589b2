//! Who opened what was said in a request.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::App;
use crate::http::extract::{At, Wishes, request_id};
use crate::http::problem::Problem;
use crate::rights::Scope;

/// Who opened what was said in a request.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "n": 1,
    "accesses": [{ "actor": "agent:a01", "what": "dossier", "ground": "qualification", "hour": "2026-11-03T09:00:00Z" }]
}))]
pub(crate) struct AccessesAnswer {
    /// How many there are; the last 1,000 are shown.
    n: u64,
    /// The last first. Looking again within the hour adds nothing.
    accesses: Vec<AccessAnswer>,
}

/// That somebody opened something.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccessAnswer {
    /// Who: `agent:` with a staff code, `integrator:` with the name of a program, or `operator:` with a user of the
    /// server’s machine.
    actor: String,
    /// What: `dossier` or `file`.
    what: String,
    /// By which right: `in_charge`, `service`, `qualification`, `task`, `approval`, `key`, `outbox` (letters),
    /// or `console` (the command line).
    ground: String,
    /// The beginning of the hour (UTC).
    hour: DateTime<Utc>,
}

/// Read who opened what was said in a request, and by which right.
#[utoipa::path(
    get, path = "/v1/{tenant}/requests/{request}/accesses", tag = "agents", operation_id = "accesses_list",
    security(("key" = ["accesses:read"])),
    responses(
        (status = 200, description = "Who, what, by which right, in which hour.", body = AccessesAnswer)
    )
)]
pub(crate) async fn accesses_list(
    State(app): State<App>,
    At((tenant, request)): At<(String, String)>,
    wishes: Wishes,
) -> Result<Response, Problem> {
    wishes.needs(&app, &tenant, Scope::AccessesRead).await?;
    let known = app.guichet.request(&tenant, request_id(&request)?).await?;
    let found = app.guichet.read_models().accesses(&tenant, known.request.id).await?;
    let accesses = found.value.into_iter().map(|one| AccessAnswer {
        actor: one.actor,
        what: one.what,
        ground: one.ground,
        hour: one.hour,
    });
    Ok(axum::Json(AccessesAnswer { n: found.n, accesses: accesses.collect() }).into_response())
}
