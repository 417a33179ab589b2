//! What surrounds every exchange: an id, a limit of time and of number, a net for panics, problems in the client's
//! language, a line in the log without anything personal.

use std::any::Any;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use guichet_engine::rules::text::Language;
use sha2::{Digest, Sha256};
use tracing::Instrument;

use super::extract::{language_of, wait_of};
use super::problem::{PROBLEM_JSON, Problem};
use super::{App, EXCHANGE_MAX, UPLOAD_MAX, position, proxies, terms};

/// Answered whatever else is going on: those who watch must not be turned away by the load that they watch.
const WATCHED: [&str; 2] = ["/health", "/ready"];
/// The header that names an exchange.
const EXCHANGE_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What is left of the limit of calls.
const RATELIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// And what the limit is.
const RATELIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// The outermost layer.
pub(crate) async fn dress(State(app): State<App>, mut request: Request, next: Next) -> Response {
    if let Some(ConnectInfo(peer)) = request.extensions_mut().get_mut::<ConnectInfo<SocketAddr>>().copied() {
        let caller = proxies::caller(&app.trusted_proxies, peer.ip(), request.headers());
        request.extensions_mut().insert(ConnectInfo(SocketAddr::new(caller, peer.port())));
    }
    let exchange = app.guichet.fresh_command_id().map(|id| id.0.to_string()).unwrap_or_default();
    let language = language_of(request.headers());
    // The route as it is written in the list, never the address: addresses hold ids.
    let route = request.extensions().get::<MatchedPath>().map_or("-", MatchedPath::as_str).to_owned();
    let method = known_method(request.method());
    let span = tracing::info_span!("http.request", method, route, exchange);
    crate::traces::go_on(&span, request.headers());
    let known = request.headers().get(header::IF_NONE_MATCH).filter(|_| request.method().is_safe()).cloned();
    let began = Instant::now();
    let response = within_limits(&app, request, next).instrument(span.clone()).await;
    let mut response = unchanged(translate(response, language, &exchange), known.as_ref());
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
    if WATCHED.contains(&request.uri().path()) {
        return timed(EXCHANGE_MAX, next.run(request)).await;
    }
    let Ok(_permit) = app.slots.clone().try_acquire_owned() else { return Problem::busy().into_response() };
    let caller = Caller::of(&request);
    let left = match caller.counted(app) {
        Ok(left) => left,
        Err(seconds) => return Problem::too_many(seconds).into_response(),
    };
    // A telephone takes a while to send a photo; what the file may weigh, and how many come at once, has its own limit.
    let uploads = request.method() == Method::POST && request.uri().path().ends_with("/files");
    let most = if uploads { UPLOAD_MAX } else { EXCHANGE_MAX };
    let admitted = admitted(app, &request);
    let mut response = match admitted.await {
        Ok(()) => timed(most, next.run(request)).await,
        Err(problem) => problem.into_response(),
    };
    tell_rate(response.headers_mut(), app, left);
    response
}

async fn timed(most: Duration, answer: impl Future<Output = Response>) -> Response {
    match tokio::time::timeout(most, answer).await {
        Ok(response) => response,
        Err(_) => Problem::too_slow().into_response(),
    }
}

/// What is asked of every call before its own route sees it: nothing of the request is kept while it waits.
fn admitted<'a>(
    app: &'a App,
    request: &Request,
) -> impl Future<Output = Result<(), Problem>> + Send + use<'a> {
    let headers = request.headers();
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let checked = terms::check(request.method().as_str(), route, request.uri().query(), headers);
    let prefer = headers.get("prefer").and_then(|value| value.to_str().ok()).and_then(wait_of);
    let position = headers.get(position::GUICHET_POSITION).filter(|_| request.method().is_safe()).cloned();
    async move {
        checked?;
        match position {
            Some(position) => position::reached(app, &position, prefer).await,
            None => Ok(()),
        }
    }
}

/// Who is counted: the bearer of what was shown, or an address.
struct Caller {
    shown: Option<String>,
    address: Option<IpAddr>,
}

impl Caller {
    fn of(request: &Request) -> Self {
        let headers = request.headers();
        let shown = headers.get(header::AUTHORIZATION).or_else(|| headers.get(header::COOKIE));
        // Keys are not kept in memory for longer than it takes to look at them.
        let shown = shown.map(|shown| digest(shown.as_bytes()));
        let address = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        Self { shown, address }
    }

    /// How many calls are left; or the seconds to wait.
    fn counted(&self, app: &App) -> Result<f64, u64> {
        let now = app.since_start();
        match (&self.shown, self.address) {
            (Some(shown), address) => {
                if address.is_some() {
                    // Whoever makes up keys is still one address.
                    app.addresses.take("", address, now)?;
                }
                app.calls.take(shown, None, now)
            }
            (None, Some(address)) => app.calls.take("", Some(address), now),
            // Called by the program itself.
            (None, None) => Ok(app.calls.rate().burst()),
        }
    }
}

fn digest(shown: &[u8]) -> String {
    Sha256::digest(shown).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Says how much of the limit of calls is left (draft-ietf-httpapi-ratelimit-headers).
fn tell_rate(headers: &mut HeaderMap, app: &App, left: f64) {
    let rate = app.calls.rate();
    let (burst, back) = (rate.burst(), rate.seconds_for(rate.burst()));
    let missing = rate.seconds_for(rate.burst() - left);
    let policy = format!("\"calls\";q={burst:.0};w={:.0}", back.ceil());
    let state = format!("\"calls\";r={:.0};t={:.0}", left.floor(), missing.ceil());
    for (name, value) in [(RATELIMIT_POLICY, policy), (RATELIMIT, state)] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
}

/// 304 where the client has what would be answered (RFC 9110, section 13.1.2).
fn unchanged(response: Response, known: Option<&HeaderValue>) -> Response {
    let Some(known) = known.and_then(|known| known.to_str().ok()) else { return response };
    let Some(tag) = response.headers().get(header::ETAG).and_then(|tag| tag.to_str().ok()) else {
        return response;
    };
    let bare = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let same = known.split(',').take(64).any(|known| known.trim() == "*" || bare(known) == bare(tag));
    if response.status() != StatusCode::OK || !same {
        return response;
    }
    let (mut parts, _) = response.into_parts();
    parts.status = StatusCode::NOT_MODIFIED;
    parts.headers.remove(header::CONTENT_TYPE);
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::empty())
}

/// Writes a problem in the client's language; what something beneath us refused in its own way becomes a problem too.
fn translate(mut response: Response, language: Language, exchange: &str) -> Response {
    let status = response.status();
    let problem = response.extensions_mut().remove::<Problem>();
    let foreign = (status.is_client_error() || status.is_server_error()) && !is_ours(&response);
    let problem = problem.or_else(|| foreign.then(|| Problem::of_status(status)));
    if let Some(mut problem) = problem {
        problem.exchange = Some(exchange.to_owned());
        let kept: Vec<_> = [header::ALLOW, header::ETAG, RATELIMIT, RATELIMIT_POLICY]
            .into_iter()
            .filter_map(|name| response.headers().get(&name).cloned().map(|value| (name, value)))
            .collect();
        response = problem.speaking(language).into_response();
        response.headers_mut().extend(kept);
        response.headers_mut().insert(
            header::CONTENT_LANGUAGE,
            HeaderValue::from_static(match language {
                Language::Fr => "fr",
                Language::En => "en",
            }),
        );
    }
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(exchange) {
        headers.insert(EXCHANGE_ID, value);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.append(header::VARY, HeaderValue::from_static("Accept-Language, Authorization, Cookie"));
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
