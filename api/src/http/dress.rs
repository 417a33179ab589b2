//! What surrounds every exchange: an id, a limit of time and of number, a net for panics, problems in the client's
//! language, a line in the log without anything personal.

use std::any::Any;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument;

use super::extract::language_of;
use super::problem::{PROBLEM_JSON, Problem};
use super::{App, EXCHANGE_MAX, UPLOAD_MAX};

/// Answered whatever else is going on: those who watch must not be turned away by the load that they watch.
const WATCHED: [&str; 2] = ["/health", "/ready"];
/// The header that names an exchange.
const EXCHANGE_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The outermost layer.
pub(crate) async fn dress(State(app): State<App>, request: Request, next: Next) -> Response {
    let exchange = app.guichet.fresh_command_id().map(|id| id.0.to_string()).unwrap_or_default();
    let language = language_of(request.headers());
    // The route as it is written in the list, never the address: addresses hold ids.
    let route = request.extensions().get::<MatchedPath>().map_or("-", MatchedPath::as_str).to_owned();
    let method = known_method(request.method());
    let span = tracing::info_span!("http.request", method, route, exchange);
    crate::traces::go_on(&span, request.headers());
    let began = Instant::now();
    let response = within_limits(&app, request, next).instrument(span.clone()).await;
    let mut response = translate(response, language, &exchange);
    if app.readiness.is_draining() {
        // The client comes back by a connection of its own, to another server.
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    let (took, status) = (began.elapsed(), response.status().as_u16());
    span.in_scope(|| tracing::info!(status, duration_ms = took.as_millis(), "answered"));
    let labels = [("route", route), ("method", method.to_owned()), ("status", status.to_string())];
    metrics::histogram!("guichet_http_requests_seconds", &labels).record(took);
    response
}

/// The method, if it is one of those in use: a client may write anything there.
fn known_method(method: &Method) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    KNOWN.into_iter().find(|known| method == *known).unwrap_or("other")
}

async fn within_limits(app: &App, request: Request, next: Next) -> Response {
    let watched = WATCHED.contains(&request.uri().path());
    let permit = app.slots.clone().try_acquire_owned();
    if permit.is_err() && !watched {
        return Problem::busy().into_response();
    }
    // A telephone takes a while to send a photo; what the file may weigh, and how many come at once, has its own limit.
    let uploads = request.method() == Method::POST && request.uri().path().ends_with("/files");
    let most = if uploads { UPLOAD_MAX } else { EXCHANGE_MAX };
    match tokio::time::timeout(most, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::too_slow().into_response(),
    }
}

/// Writes a problem in the client's language; what something beneath us refused in its own way becomes a problem too.
fn translate(
    mut response: Response,
    language: guichet_engine::rules::text::Language,
    exchange: &str,
) -> Response {
    let status = response.status();
    let problem = response.extensions_mut().remove::<Problem>();
    let foreign = (status.is_client_error() || status.is_server_error()) && !is_ours(&response);
    let problem = problem.or_else(|| foreign.then(|| Problem::of_status(status)));
    if let Some(mut problem) = problem {
        problem.exchange = Some(exchange.to_owned());
        let kept: Vec<_> = [header::ALLOW, header::ETAG]
            .into_iter()
            .filter_map(|name| response.headers().get(&name).cloned().map(|value| (name, value)))
            .collect();
        response = problem.speaking(language).into_response();
        response.headers_mut().extend(kept);
    }
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(exchange) {
        headers.insert(EXCHANGE_ID, value);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// Marks an answer that tells what went wrong in a form of its own: a page, or another protocol's errors.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OwnForm;

/// Whether a handler of ours wrote the answer: those speak JSON or say that they speak
/// otherwise, what lies beneath them plain text or nothing.
fn is_ours(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE);
    response.extensions().get::<OwnForm>().is_some()
        || kind.is_some_and(|kind| kind == PROBLEM_JSON || kind == "application/json")
}

/// What a panic is answered with: nothing of it reaches the client.
pub(crate) fn caught(_: Box<dyn Any + Send + 'static>) -> Response {
    tracing::error!("a handler panicked");
    Problem::of_status(StatusCode::INTERNAL_SERVER_ERROR).into_response()
}
