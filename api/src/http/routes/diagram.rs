//! Processes and requests as pictures.

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use crate::diagram::{Chart, Names, chart, svg};
use crate::http::App;
use crate::http::extract::{At, Wishes, request_id};
use crate::http::problem::Problem;
use crate::rights::Scope;

/// A picture that may load nothing and run nothing, wherever it is shown.
fn picture(chart: &Chart) -> Response {
    let mut response = svg(chart).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("image/svg+xml; charset=utf-8"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
    response
}

/// Draw a process in force: who does what, in which stage, by when.
#[utoipa::path(
    get, path = "/v1/{tenant}/processes/{theme}/{process}/diagram.svg", tag = "agents", operation_id = "processes_diagram", security(("key" = ["definitions:read"])),
    responses(
        (status = 200, description = "An SVG document.", body = String, content_type = "image/svg+xml")
    )
)]
pub(crate) async fn process(
    State(app): State<App>,
    At((tenant, theme, process)): At<(String, String, String)>,
    wishes: Wishes,
) -> Result<Response, Problem> {
    wishes.needs(&app, &tenant, Scope::DefinitionsRead).await?;
    let engine = app.guichet.engine();
    let plan = engine.in_force_now(&tenant, &format!("{theme}/{process}")).await?;
    let plan = plan.ok_or_else(Problem::not_found)?;
    let organisation = engine.definitions().organisation(&tenant).ok_or_else(Problem::not_found)?;
    Ok(picture(&chart(plan.definition(), &Names::of(&organisation), wishes.language)))
}

/// Draw a request on its way: what is done, what is open, how its clocks stand. Nothing of it is personal.
#[utoipa::path(
    get, path = "/v1/{tenant}/requests/{request}/diagram.svg", tag = "agents", operation_id = "requests_diagram", security(("key" = ["definitions:read"])),
    responses(
        (status = 200, description = "An SVG document.", body = String, content_type = "image/svg+xml")
    )
)]
pub(crate) async fn request(
    State(app): State<App>,
    At((tenant, request)): At<(String, String)>,
    wishes: Wishes,
) -> Result<Response, Problem> {
    wishes.needs(&app, &tenant, Scope::DefinitionsRead).await?;
    Ok(picture(&app.guichet.diagram(&tenant, request_id(&request)?, wishes.language).await?))
}
