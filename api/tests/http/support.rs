//! One town hall for each test, on a clock that stands still until it is moved.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, Response, StatusCode, header};
use chrono::{DateTime, Utc};
use futures_util::StreamExt;
use guichet::ambient::Surroundings;
use guichet::engine::ManualClock;
use guichet::engine::rules::language::Catalogue;
use guichet::http::{HttpOptions, router};
use guichet::outbound::{MemoryOutbound, Outbound};
use guichet::rights::Scope;
use guichet::settings::Settings;
use guichet::workers::{Outbox, Timers};
use guichet::{Guichet, Holder, KeyTerms, Options, load_folder};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;

use crate::store::{Database, Keys, on_postgres};

/// Tuesday, 3 November 2026, 10:00 in Paris.
pub(crate) const MORNING: &str = "2026-11-03T09:00:00Z";

pub(crate) struct Town {
    pub(crate) guichet: Guichet,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) sent: MemoryOutbound,
    pub(crate) router: Router,
    pub(crate) folder: TempDir,
    /// Goes away after everything that uses it.
    #[allow(dead_code, reason = "it is held so that it goes away last")]
    pub(crate) database: Option<Database>,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: axum::http::HeaderMap,
    pub(crate) json: Value,
    pub(crate) text: String,
}

pub(crate) fn chalons() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../processes/chalons")
}

/// Read once: forty sheets with their rules take a while.
pub(crate) fn catalogue() -> &'static Catalogue {
    static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();
    CATALOGUE.get_or_init(|| load_folder(&chalons()).unwrap_or_else(|error| panic!("{error}")))
}

/// The processes of one theme: enough for most tests, and published in a moment.
pub(crate) fn roads() -> &'static Catalogue {
    static ROADS: OnceLock<Catalogue> = OnceLock::new();
    ROADS.get_or_init(|| {
        let mut roads = catalogue().clone();
        roads.definitions.retain(|definition| definition.theme == "voirie");
        roads
    })
}

impl Town {
    pub(crate) async fn new() -> Self {
        Self::sending(None).await
    }

    /// A town of one theme's processes, with these settings (TOML).
    pub(crate) async fn set(theme: &str, settings: &str) -> Self {
        Self::set_with(theme, settings, None).await
    }

    /// The same, with a way out of the test's own.
    pub(crate) async fn set_sending(theme: &str, settings: &str, outbound: Arc<dyn Outbound>) -> Self {
        Self::set_with(theme, settings, Some(outbound)).await
    }

    async fn set_with(theme: &str, settings: &str, outbound: Option<Arc<dyn Outbound>>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("guichet.toml");
        std::fs::write(&path, settings).unwrap();
        let settings = Settings::read(&path).unwrap_or_else(|error| panic!("{error}"));
        let mut some = catalogue().clone();
        some.definitions.retain(|definition| definition.theme == theme);
        Self::made(outbound, |options| options.settings(settings), (theme, &some)).await
    }

    /// A town of these themes' processes.
    pub(crate) async fn of(themes: &[&str]) -> Self {
        let mut some = catalogue().clone();
        some.definitions.retain(|definition| themes.contains(&definition.theme.as_str()));
        Self::made(None, |options| options, (&themes.join("_"), &some)).await
    }

    /// A town of one theme's processes, with these settings.
    pub(crate) async fn paying(theme: &str, settings: Settings) -> Self {
        let mut some = catalogue().clone();
        some.definitions.retain(|definition| definition.theme == theme);
        Self::made(None, |options| options.settings(settings), (theme, &some)).await
    }

    pub(crate) async fn sending(outbound: Option<Arc<dyn Outbound>>) -> Self {
        Self::opened(outbound, |options| options).await
    }

    pub(crate) async fn with(outbound: Option<Arc<dyn Outbound>>, settings: Settings) -> Self {
        Self::opened(outbound, |options| options.settings(settings)).await
    }

    /// With other choices.
    pub(crate) async fn opened(
        outbound: Option<Arc<dyn Outbound>>,
        choose: impl FnOnce(Options) -> Options,
    ) -> Self {
        Self::made(outbound, choose, ("voirie", roads())).await
    }

    async fn made(
        outbound: Option<Arc<dyn Outbound>>,
        choose: impl FnOnce(Options) -> Options,
        (theme, catalogue): (&str, &Catalogue),
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(MORNING.parse().unwrap()));
        let sent = MemoryOutbound::default();
        let outbound = outbound.unwrap_or_else(|| Arc::new(sent.clone()));
        let options = Options::new(folder.path())
            .ambient(Arc::new(Surroundings::with_clock(clock.clone())))
            .outbound(outbound);
        let (guichet, database) = if on_postgres() {
            let database = Database::with((theme, catalogue), folder.path(), &options.ambient).await;
            let options = options.store(database.store());
            (Guichet::open(choose(options)).await.unwrap(), Some(database))
        } else {
            let guichet = Guichet::in_memory(choose(options)).await.unwrap();
            guichet.publish(catalogue).await.unwrap();
            (guichet, None)
        };
        guichet.read_models().catch_up(Duration::from_secs(20)).await.unwrap();
        let router = router(&guichet, &HttpOptions::default()).unwrap();
        Self { guichet, clock, sent, router, folder, database }
    }

    /// The keys, from beside the server.
    pub(crate) fn access(&self) -> Keys {
        Keys::of(&self.guichet)
    }

    pub(crate) fn key(&self, tenant: &str, holder: Holder) -> String {
        self.access().create(tenant, holder)
    }

    /// A key of a program that holds these rights.
    pub(crate) fn program(&self, tenant: &str, scopes: &[Scope]) -> String {
        let terms = KeyTerms::new(tenant, Holder::Integrator("programme".into()));
        let terms = KeyTerms { scopes: Some(scopes.to_vec()), ..terms };
        self.access().make(&terms).unwrap().0
    }

    pub(crate) fn agent(&self, code: &str) -> String {
        self.key("ville", Holder::Agent(code.into()))
    }

    pub(crate) fn move_to(&self, now: &str) -> DateTime<Utc> {
        let now = now.parse().unwrap();
        self.clock.move_to(now);
        now
    }

    /// Everything that can be sent now is sent.
    pub(crate) async fn send_all(&self) {
        let outbox = Outbox::new(&self.guichet).in_order();
        while outbox.run_once(self.guichet.now()).await.unwrap().claimed > 0 {}
    }

    pub(crate) async fn fire(&self) -> usize {
        Timers::new(&self.guichet).run_once(self.guichet.now()).await.unwrap().fired
    }

    pub(crate) async fn call(&self, request: Request<Body>) -> Answer {
        let response: Response<Body> = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let endless = parts.headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "text/event-stream");
        let bytes = if endless {
            // A stream of changes has no end: its first event says that it was let in.
            body.into_data_stream().next().await.unwrap().unwrap()
        } else {
            axum::body::to_bytes(body, 8 * 1024 * 1024).await.unwrap()
        };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let json = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer { status: parts.status, headers: parts.headers, json, text }
    }

    pub(crate) async fn get(&self, path: &str, key: Option<&str>) -> Answer {
        self.call(request(Method::GET, path, key, &[], Body::empty())).await
    }

    pub(crate) async fn post(&self, path: &str, key: Option<&str>, body: &Value) -> Answer {
        self.post_with(path, key, &[], body).await
    }

    pub(crate) async fn post_with(
        &self,
        path: &str,
        key: Option<&str>,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Answer {
        self.call(request(Method::POST, path, key, headers, Body::from(body.to_string()))).await
    }

    /// A pothole reported through the web by someone with an e-mail address; lists show it already.
    pub(crate) async fn pothole(&self) -> Answer {
        let answer = self.post_with("/v1/ville/requests", None, &[("prefer", "wait=5")], &pothole()).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        answer
    }
}

pub(crate) fn pothole() -> Value {
    json!({
        "process": "voirie/chaussee-abimee",
        "requester": {
            "language": "fr", "preferred": "email",
            "contact": { "name": "Jeanne Dupont", "email": "jeanne@exemple.example" }
        },
        "form": { "place": [48.957, 4.363], "danger": false }
    })
}

pub(crate) fn request(
    method: Method,
    path: &str,
    key: Option<&str>,
    headers: &[(&str, &str)],
    body: Body,
) -> Request<Body> {
    let mut builder = Request::builder().method(method).uri(path);
    if let Some(key) = key {
        builder = builder.header(header::AUTHORIZATION, format!("Bearer {key}"));
    }
    let mut typed = false;
    for (name, value) in headers {
        typed |= *name == "content-type";
        builder = builder.header(*name, *value);
    }
    if !typed {
        builder = builder.header(header::CONTENT_TYPE, "application/json");
    }
    builder.body(body).unwrap()
}
