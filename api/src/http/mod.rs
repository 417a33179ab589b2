//! HTTP: receiving, following, acting, inbox, dashboards. JSON in and out, problems as RFC 9457 says.
//!
//! One file of `routes/` is one resource; the list in `openapi::routes` names them all.

mod answers;
mod cross_origin;
mod dress;
pub(crate) mod extract;
mod flat_form;
mod impatient;
pub mod openapi;
mod position;
mod pressure;
pub mod problem;
mod proxies;
mod readiness;
mod routes;
mod schemas;
mod sent;
mod serving;
mod terms;
mod throttle;
pub(crate) mod words;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::HeaderValue;
use guichet_engine::{Receipt, Submission};
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;

use crate::guichet::Guichet;
use crate::rights::Accesses;
use crate::rights::keys::{AccessError, Keyring};
use crate::sign_in::SignIn;
use cross_origin::cross_origin;
pub use extract::Recognised;
use pressure::Pressure;
pub use pressure::{COMMAND_WAIT_MAX, COMMANDS_MAX, COMMANDS_WAITING_MAX};
use problem::Problem;
pub use proxies::Network;
use readiness::Readiness;
pub use readiness::{BEHIND_MAX, READY_CACHED, STORE_ANSWER_MAX};
use routes::changes::Listeners;
pub use serving::{CONNECTIONS_MAX, HEAD_MAX, Server, Stop, asked_to_stop};
use throttle::{ARRIVALS, LOOK_UPS, Rate, STRANGERS, Throttle};

/// The largest body, in bytes.
pub const BODY_BYTES_MAX: usize = 256 * 1024;
/// Exchanges under way at once, waiting commands included; more are told to come back. Commands never take all of them.
pub const EXCHANGES_MAX: usize = 256 + COMMANDS_MAX + COMMANDS_WAITING_MAX;
/// How long an exchange may take.
pub const EXCHANGE_MAX: Duration = Duration::from_secs(30);

/// How long sending a file may take.
pub const UPLOAD_MAX: Duration = Duration::from_secs(5 * 60);

/// What a server may choose.
#[derive(Debug, Clone)]
pub struct HttpOptions {
    /// The address to listen on; 127.0.0.1:8080 by default, so that nobody else reaches it before someone wants that.
    pub bind: SocketAddr,
    /// Whether the dashboard can be seen without a key. It holds figures only, and still tells how a town hall works.
    pub open_figures: bool,
    /// How long a server that was asked to stop goes on serving while `/ready` says 503: as long as the load balancers
    /// in front of it take to notice. Nothing by default.
    pub drain: Duration,
    /// Reverse proxies whose word on who calls is believed (`Forwarded`, `X-Forwarded-For`); none by default.
    pub trusted_proxies: Vec<Network>,
    /// Web pages that may call from browsers, by origin, such as `https://portail.exemple.fr`; none by default.
    pub origins: Vec<HeaderValue>,
    /// Calls a second of one caller (a key, a session, or an address without either); six times as many at once.
    pub calls_each_second: u32,
}

/// Callers that one address may stand for.
const CALLERS_EACH: u32 = 5;
/// Calls a second of one caller, where nothing else is said.
pub const CALLS_EACH_SECOND: u32 = 100;

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            bind: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080),
            open_figures: false,
            drain: Duration::ZERO,
            trusted_proxies: Vec::new(),
            origins: Vec::new(),
            calls_each_second: CALLS_EACH_SECOND,
        }
    }
}

/// Why a server does not come up.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error("cannot listen on {bind}: {source}")]
    Bind {
        /// The address.
        bind: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The keys cannot be read.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// What the settings say of signing in cannot be.
    #[error("[sign_in]: {0}")]
    SignIn(String),
    /// It ended badly.
    #[error("the server stopped: {0}")]
    Stopped(std::io::Error),
}

/// What every handler is given.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) guichet: Guichet,
    pub(crate) access: Keyring,
    pub(crate) sign_in: Arc<SignIn>,
    pub(crate) accesses: Arc<Accesses>,
    pub(crate) look_ups: Arc<Throttle>,
    pub(crate) arrivals: Arc<Throttle>,
    pub(crate) strangers: Arc<Throttle>,
    /// All calls, by caller.
    pub(crate) calls: Arc<Throttle>,
    /// All calls, by address, whatever key they show.
    pub(crate) addresses: Arc<Throttle>,
    /// Those who follow changes as they happen.
    pub(crate) listeners: Arc<Listeners>,
    pub(crate) trusted_proxies: Arc<[Network]>,
    pub(crate) slots: Arc<Semaphore>,
    pub(crate) pressure: Arc<Pressure>,
    pub(crate) readiness: Arc<Readiness>,
    pub(crate) open_figures: bool,
    pub(crate) began: Instant,
}

impl App {
    /// The time that limits are counted by: it goes on whatever the engine’s clock does.
    pub(crate) fn since_start(&self) -> chrono::DateTime<chrono::Utc> {
        chrono::DateTime::UNIX_EPOCH + self.began.elapsed()
    }

    /// Carries a command out, when its turn has come.
    pub(crate) async fn submit(&self, submission: Submission) -> Result<Receipt, Problem> {
        let _place = self.pressure.place().await?;
        Ok(self.guichet.submit(submission).await?)
    }
}

/// The routes of an engine, ready to be served or called in a test.
///
/// # Errors
/// [`ServeError::Access`], [`ServeError::SignIn`].
pub fn router(guichet: &Guichet, options: &HttpOptions) -> Result<Router, ServeError> {
    Ok(cross_origin(surrounded(app(guichet, options)?), &options.origins))
}

fn app(guichet: &Guichet, options: &HttpOptions) -> Result<App, ServeError> {
    Ok(App {
        guichet: guichet.clone(),
        access: Keyring::of(guichet)?,
        sign_in: Arc::new(SignIn::new(guichet).map_err(ServeError::SignIn)?),
        accesses: Arc::default(),
        look_ups: Arc::new(Throttle::new(LOOK_UPS)),
        arrivals: Arc::new(Throttle::new(ARRIVALS)),
        strangers: Arc::new(Throttle::new(STRANGERS)),
        calls: Arc::new(Throttle::new(Rate::calls(options.calls_each_second))),
        addresses: Arc::new(Throttle::new(Rate::calls(
            options.calls_each_second.saturating_mul(CALLERS_EACH),
        ))),
        listeners: Arc::default(),
        trusted_proxies: options.trusted_proxies.as_slice().into(),
        slots: Arc::new(Semaphore::new(EXCHANGES_MAX)),
        pressure: Arc::default(),
        readiness: Arc::default(),
        open_figures: options.open_figures,
        began: Instant::now(),
    })
}

fn surrounded(app: App) -> Router {
    let (routes, _) = openapi::routes().split_for_parts();
    dressed(routes, app)
}

/// Routes with everything that surrounds them.
fn dressed(routes: Router<App>, app: App) -> Router {
    routes
        .fallback(async || Problem::not_found())
        .layer(CatchPanicLayer::custom(dress::caught))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(axum::middleware::from_fn_with_state(app.clone(), dress::dress))
        .with_state(app)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::{Request, StatusCode};
    use axum::routing::get;
    use tower::ServiceExt;

    use super::*;
    use crate::Options;

    async fn app(folder: &tempfile::TempDir, slots: usize) -> App {
        let guichet = Guichet::in_memory(Options::new(folder.path())).await.unwrap();
        let app = super::app(&guichet, &HttpOptions::default()).unwrap();
        App { slots: Arc::new(Semaphore::new(slots)), ..app }
    }

    async fn call(router: Router, path: &str) -> (StatusCode, String) {
        let request = Request::get(path).header("accept-language", "en").body(Body::empty()).unwrap();
        let response = router.oneshot(request).await.unwrap();
        let status = response.status();
        let bytes = axum::body::to_bytes(response.into_body(), 64 * 1024).await.unwrap();
        (status, String::from_utf8(bytes.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_panic_reaches_no_client() {
        let folder = tempfile::tempdir().unwrap();
        async fn falls() -> StatusCode {
            panic!("the secret of /home/jeanne")
        }
        let router = dressed(Router::new().route("/falls", get(falls)), app(&folder, 8).await);
        let (status, text) = call(router.clone(), "/falls").await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(text.contains("server.error") && text.contains("Something went wrong inside."), "{text}");
        assert!(!text.contains("jeanne"), "{text}");
        assert_eq!(call(router, "/nowhere").await.0, StatusCode::NOT_FOUND, "others are served on");
    }

    #[tokio::test]
    async fn whoever_comes_when_all_places_are_taken_is_asked_to_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let router = dressed(Router::new().route("/", get(async || "")), app(&folder, 0).await);
        let (status, text) = call(router.clone(), "/").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(text.contains("server.busy") && text.contains("retry_after"), "{text}");
        let router = surrounded(app(&folder, 0).await);
        assert_eq!(call(router, "/health").await.0, StatusCode::OK, "whoever watches is always answered");
    }
}
