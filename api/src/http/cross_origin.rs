//! Which web pages may call from browsers (CORS, as the Fetch standard says it). None may, unless the operator names
//! their origins. Cookies never come along: a page shows who calls by a key or by a token that it holds.

use std::time::Duration;

use axum::Router;
use axum::http::{HeaderName, HeaderValue, Method, header};
use tower_http::cors::{AllowOrigin, CorsLayer};

/// How long browsers may remember what they were told.
const REMEMBERED: Duration = Duration::from_secs(60 * 60);

/// What pages may send.
const SENT: [HeaderName; 10] = [
    header::ACCEPT,
    header::ACCEPT_LANGUAGE,
    header::AUTHORIZATION,
    header::CONTENT_TYPE,
    header::IF_MATCH,
    header::IF_NONE_MATCH,
    HeaderName::from_static("idempotency-key"),
    HeaderName::from_static("prefer"),
    HeaderName::from_static("last-event-id"),
    super::position::GUICHET_POSITION,
];

/// What pages may read of answers beyond what browsers show anyway.
const SHOWN: [HeaderName; 8] = [
    header::ETAG,
    header::LINK,
    header::LOCATION,
    header::RETRY_AFTER,
    HeaderName::from_static("preference-applied"),
    HeaderName::from_static("ratelimit"),
    HeaderName::from_static("ratelimit-policy"),
    super::position::GUICHET_POSITION,
];

/// The routes, open to pages of these origins.
pub(crate) fn cross_origin(router: Router, origins: &[HeaderValue]) -> Router {
    if origins.is_empty() {
        return router;
    }
    let layer = CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins.to_vec()))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers(SENT)
        .expose_headers(SHOWN)
        .max_age(REMEMBERED);
    router.layer(layer)
}
