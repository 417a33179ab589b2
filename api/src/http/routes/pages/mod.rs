//! Pages for people without a script, and without anything from elsewhere: what one can ask for, a
//! form for each process made of its definition, the tracking code, following with it, and an account for those who want one.
//!
//! The pages follow the RGAA's spirit: every field has its label, its help and its error told by `aria-describedby`, what
//! is wrong is listed at the top with links, and nothing needs a mouse, colours or a script.

mod account;
mod catalogue;
mod context;
mod follow;
mod form;
mod page;
mod schema;
mod send;
mod token;

use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::App;
use crate::http::sent::FORM_BYTES_MAX;

/// The routes of this resource. The pages themselves are no part of the contract: programs have the schema of the form.
pub(crate) fn routes() -> OpenApiRouter<App> {
    let forms = OpenApiRouter::new()
        .route("/pages/{tenant}/{theme}/{process}", get(catalogue::process).post(send::send))
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX));
    OpenApiRouter::new()
        .routes(routes!(schema::pages_form))
        .route("/pages/style.css", get(style))
        .route("/pages/{tenant}", get(catalogue::list))
        .route("/pages/{tenant}/received", get(send::received))
        .route("/pages/{tenant}/follow", get(follow::ask).post(follow::follow))
        .route("/pages/{tenant}/follow/actions", post(follow::act))
        .route("/pages/{tenant}/account", get(account::show))
        .route("/pages/{tenant}/account/code", post(account::ask))
        .route("/pages/{tenant}/account/sign-in", post(account::enter))
        .route("/pages/{tenant}/account/sign-out", post(account::leave))
        .route("/pages/{tenant}/account/consents", post(account::withdraw))
        .route("/pages/{tenant}/account/requests", post(account::take_in))
        .route("/pages/{tenant}/account/requests/{request}", get(account::one))
        .route("/pages/{tenant}/account/requests/{request}/actions", post(account::act))
        .route("/pages/{tenant}/account/requests/{request}/pay", post(account::pay))
        .route("/pages/{tenant}/account/requests/{request}/calendar", post(account::calendar))
        .route("/pages/{tenant}/follow/pay", post(follow::pay))
        .route("/pages/{tenant}/follow/calendar", post(follow::calendar))
        .merge(forms)
}

/// The one style sheet.
async fn style() -> Response {
    let mut response = include_str!("../../../../pages/style.css").into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/css; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    response
}
