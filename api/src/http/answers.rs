//! The shapes of answers that several routes share.

use axum::http::{HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use guichet_engine::Receipt;
use guichet_engine::journal::Position;
use guichet_engine::rules::request::{Clock, ClockStatus, Request};
use guichet_projections::{Answer, Page};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::extract::Wishes;
use super::openapi::PromiseStatus;
use super::{App, position};

/// Says that the wait asked for was done.
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// What became of a command.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ReceiptAnswer {
    /// The request.
    pub(crate) request: Uuid,
    /// The tracking code for the citizen, when a request was received. It lets its bearer follow and act: show it to
    /// nobody else, and put it in no address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tracking_code: Option<String>,
    /// The request's revision after the command, for `If-Match`.
    pub(crate) revision: u64,
    /// The position from which read models show it.
    #[schema(value_type = String, pattern = "^[0-9a-f]{16}$")]
    pub(crate) position: Position,
    /// Whether the same command had been carried out before; then nothing happened now.
    pub(crate) repeated: bool,
    /// The stage of the request now.
    pub(crate) stage: String,
    /// The service in charge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) service: Option<String>,
    /// What happened, by the names of the events.
    pub(crate) events: Vec<String>,
    /// The promises made.
    pub(crate) promises: Vec<Promise>,
}

/// A promise of the town hall.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Promise {
    /// Its name; `silence` for the legal clock.
    pub(crate) commitment: String,
    /// `running`, `paused`, `kept`, `late` or `dropped`.
    #[schema(value_type = PromiseStatus)]
    pub(crate) status: ClockStatus,
    /// When it is due (UTC); while it is paused, the instant that was due when the pause began.
    pub(crate) due: DateTime<Utc>,
    /// Whether it was found broken.
    pub(crate) broken: bool,
}

impl From<&Clock> for Promise {
    fn from(clock: &Clock) -> Self {
        Self {
            commitment: clock.commitment.clone(),
            status: clock.status,
            due: clock.due,
            broken: clock.broken,
        }
    }
}

/// The promises of the present cycle.
pub(crate) fn promises(request: &Request) -> Vec<Promise> {
    request.clocks.iter().filter(|clock| clock.cycle == request.cycle).map(Promise::from).collect()
}

/// Answers a command, after the wait that the client asked for.
pub(crate) async fn receipt(app: &App, wishes: &Wishes, receipt: Receipt, created: bool) -> Response {
    let waited = match wishes.wait {
        Some(wait) => app.guichet.wait_for(receipt.position, wait).await.is_ok(),
        None => false,
    };
    let status = if created && !receipt.repeated { StatusCode::CREATED } else { StatusCode::OK };
    let tenant = receipt.state.tenant.clone();
    let location = format!("/v1/{tenant}/requests/{}", receipt.request);
    let body = ReceiptAnswer {
        request: receipt.request.0,
        tracking_code: receipt.tracking.as_ref().map(guichet_engine::rules::tracking::TrackingCode::spoken),
        revision: receipt.revision,
        position: receipt.position,
        repeated: receipt.repeated,
        stage: receipt.state.stage.id().to_owned(),
        service: receipt.state.service.clone(),
        events: receipt.events.iter().map(|event| event.what.name().to_owned()).collect(),
        promises: promises(&receipt.state),
    };
    let mut response = (status, axum::Json(body)).into_response();
    let headers = response.headers_mut();
    tag(headers, receipt.revision);
    position::tell(headers, Some(receipt.position));
    if created && let Ok(location) = HeaderValue::from_str(&location) {
        headers.insert(header::LOCATION, location);
    }
    if waited {
        headers.insert(PREFERENCE_APPLIED, HeaderValue::from_static("wait"));
    }
    response
}

/// Marks an answer with the revision that it shows.
pub(crate) fn tag(headers: &mut axum::http::HeaderMap, revision: u64) {
    if let Ok(value) = HeaderValue::from_str(&format!("\"{revision}\"")) {
        headers.insert(header::ETAG, value);
    }
}

/// A page of a list, true at a position: two pages of one position are the same, and the next one has an address.
pub(crate) fn page<T: Serialize>(answer: &Answer<Page<T>>, address: &Uri) -> Response {
    let mut response = axum::Json(answer).into_response();
    let headers = response.headers_mut();
    true_at(headers, answer.as_of);
    if let Some(next) = &answer.value.next
        && let Ok(link) = HeaderValue::from_str(&format!("<{}>; rel=\"next\"", following(address, next)))
    {
        headers.insert(header::LINK, link);
    }
    response
}

/// Marks an answer that follows from the journal alone with the position that it is true at.
pub(crate) fn true_at(headers: &mut axum::http::HeaderMap, as_of: Option<Position>) {
    position::tell(headers, as_of);
    if let Some(as_of) = as_of
        && let Ok(value) = HeaderValue::from_str(&format!("W/\"{as_of}\""))
    {
        headers.insert(header::ETAG, value);
    }
}

/// The address of a list with another cursor.
fn following(address: &Uri, cursor: &str) -> String {
    let kept = url::form_urlencoded::parse(address.query().unwrap_or_default().as_bytes());
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(kept.filter(|(name, _)| name != "cursor")).append_pair("cursor", cursor);
    format!("{}?{}", address.path(), query.finish())
}
