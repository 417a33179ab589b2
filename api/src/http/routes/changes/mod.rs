//! What changes, as it happens: server-sent events (HTML standard, section 9.2) that go on where they were broken off.

mod listeners;
mod stream;

use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_util::Stream;
use guichet_engine::journal::Position;
use guichet_engine::rules::process::{Channel, Kind};
use guichet_projections::{ChangeEntry, ChangeQuery};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::App;
use crate::http::extract::{Ask, At, Json, Wishes};
use crate::http::openapi::{ChangeBody, ChannelWord, FollowedChange, KindWord};
use crate::http::position::malformed;
use crate::http::problem::Problem;
use crate::http::routes::follow;
use crate::rights::{Principal, Scope};
pub(crate) use listeners::Listeners;
pub(crate) use stream::Told;

/// The media type of streams of events.
const EVENT_STREAM: &str = "text/event-stream";
/// Asks proxies (nginx and others) to pass events on at once.
const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Which changes.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filter {
    /// Only what happened after this position; from now on if nothing is said. `Last-Event-ID` counts before it.
    #[param(value_type = Option<String>, pattern = "^[0-9a-f]{16}$")]
    after: Option<Position>,
    /// Of requests of this process.
    process: Option<String>,
    /// Of this theme.
    theme: Option<String>,
    /// Of this kind.
    #[param(value_type = Option<KindWord>)]
    kind: Option<Kind>,
    /// That came in this way.
    #[param(value_type = Option<ChannelWord>)]
    channel: Option<Channel>,
    /// In one of these stages, separated by commas, as the lists show it when the change is told.
    stage: Option<String>,
    /// In the charge of this service.
    service: Option<String>,
    /// Of one of these events, separated by commas, such as `request.assigned`.
    event: Option<String>,
}

/// A tracking code, and where to go on from.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FollowChangesBody {
    /// The code, with or without hyphens, in capitals or not.
    #[schema(min_length = 1, max_length = 64)]
    code: String,
    /// Only what happened after this position; from now on if nothing is said.
    #[schema(value_type = Option<String>, pattern = "^[0-9a-f]{16}$")]
    after: Option<Position>,
}

/// The routes of this resource.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(changes)).routes(routes!(follow_changes))
}

fn listed(words: Option<String>) -> Vec<String> {
    words.unwrap_or_default().split(',').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Hear of changes as they happen.
///
/// Server-sent events: the first is `ready`, with the position from which on changes are told; then one for each change,
/// its name that of what happened, its `id` the position. A connection that breaks goes on by `Last-Event-ID` (or
/// `after`) without missing or repeating anything, on any server. A comment comes every 15 seconds while nothing happens;
/// after 15 minutes, or when the server is stopped, the stream ends, and one connects again.
#[utoipa::path(
    get, path = "/v1/{tenant}/changes", tag = "agents", operation_id = "changes_stream",
    security(("key" = ["requests:read"])),
    params(
        Filter,
        ("Last-Event-ID" = Option<String>, Header, description = "The `id` of the last event heard.")
    ),
    responses(
        (status = 200, description = "Events; the `data` of each is a `Change`.", body = ChangeBody,
            content_type = "text/event-stream")
    )
)]
pub(crate) async fn changes(
    State(app): State<App>,
    At(tenant): At<String>,
    Ask(filter): Ask<Filter>,
    headers: HeaderMap,
    wishes: Wishes,
) -> Result<Response, Problem> {
    let principal = wishes.needs(&app, &tenant, Scope::RequestsRead).await?;
    let after = last_event(&headers)?.or(filter.after);
    let whose = match principal {
        Principal::Agent(code) => format!("agent:{tenant}:{code}"),
        Principal::Integrator(name) => format!("integrator:{tenant}:{name}"),
        Principal::Citizen(account) => format!("account:{tenant}:{account}"),
    };
    let place = app.listeners.place(whose).ok_or_else(|| Problem::too_many(RETRY_SECONDS))?;
    let query = ChangeQuery {
        tenant,
        request: None,
        process: filter.process,
        theme: filter.theme,
        kind: filter.kind,
        channel: filter.channel,
        stage: listed(filter.stage),
        service: filter.service,
        events: listed(filter.event),
    };
    let told = |entry: &ChangeEntry| Some(serde_json::to_value(entry).unwrap_or_default());
    Ok(answer(stream::events(app, query, after, place, told).await?))
}

/// Seconds after which one who found no place tries again.
const RETRY_SECONDS: u64 = 15;

/// Hear of the changes of one request, with its tracking code.
///
/// As `changes_stream`, for the one request and what its requester sees of it: the stage, the promises, whether there is
/// something new to read. The text itself is read with `follow_read`.
#[utoipa::path(
    post, path = "/v1/{tenant}/follow/changes", tag = "public", operation_id = "follow_changes", security(()),
    params(
        ("Last-Event-ID" = Option<String>, Header, description = "The `id` of the last event heard.")
    ),
    request_body(content = FollowChangesBody, example = json!({ "code": "7K3M-9XQ2-4T" })),
    responses(
        (status = 200, description = "Events; the `data` of each is a `FollowedChange`.", body = FollowedChange,
            content_type = "text/event-stream")
    )
)]
pub(crate) async fn follow_changes(
    State(app): State<App>,
    At(tenant): At<String>,
    headers: HeaderMap,
    wishes: Wishes,
    Json(body): Json<FollowChangesBody>,
) -> Result<Response, Problem> {
    let after = last_event(&headers)?.or(body.after);
    let request = follow::find(&app, &tenant, &wishes, &body.code).await?;
    let place =
        app.listeners.place(format!("request:{request}")).ok_or_else(|| Problem::too_many(RETRY_SECONDS))?;
    let query = ChangeQuery { tenant, request: Some(request), ..ChangeQuery::default() };
    let language = wishes.language;
    let told = move |entry: &ChangeEntry| {
        Told::of(entry, language).map(|told| serde_json::to_value(told).unwrap_or_default())
    };
    Ok(answer(stream::events(app, query, after, place, told).await?))
}

fn last_event(headers: &HeaderMap) -> Result<Option<Position>, Problem> {
    let Some(id) = headers.get("last-event-id") else { return Ok(None) };
    let id = id.to_str().ok().map(str::trim).ok_or_else(malformed)?;
    // A browser that has heard nothing yet sends none, or an empty one.
    if id.is_empty() { Ok(None) } else { id.parse().map(Some).map_err(|_| malformed()) }
}

fn answer(events: impl Stream<Item = Result<Bytes, Infallible>> + Send + 'static) -> Response {
    let mut response = Body::from_stream(events).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(EVENT_STREAM));
    headers.insert(BUFFERING, HeaderValue::from_static("no"));
    response
}
