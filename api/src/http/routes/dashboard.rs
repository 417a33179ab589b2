//! The figures of a collectivity.

use axum::extract::State;
use axum::response::{IntoResponse, Response};

use crate::http::extract::{At, Wishes};
use crate::http::openapi::DashboardAnswer;
use crate::http::problem::Problem;
use crate::http::{App, position};
use crate::rights::Scope;

/// Read the dashboard: requests by stage, channel and theme, commitments kept with their denominator, the oldest waiting,
/// cost and saving. Each figure names the journal position at which it is true.
#[utoipa::path(
    get, path = "/v1/{tenant}/dashboard", tag = "agents", operation_id = "dashboard_read", security(("key" = ["figures:read"])),
    responses(
        (status = 200, description = "The figures.", body = DashboardAnswer)
    )
)]
pub(crate) async fn dashboard(
    State(app): State<App>,
    At(tenant): At<String>,
    wishes: Wishes,
) -> Result<Response, Problem> {
    if !app.open_figures || wishes.caller(&app, &tenant).await?.is_some() {
        wishes.needs(&app, &tenant, Scope::FiguresRead).await?;
    }
    if app.guichet.engine().organisation_now(&tenant).await?.is_none() {
        return Err(Problem::not_found());
    }
    let dashboard = app.guichet.dashboard(Some(&tenant)).await?;
    let mut response = axum::Json(&dashboard).into_response();
    position::tell(response.headers_mut(), dashboard.as_of);
    Ok(response)
}
