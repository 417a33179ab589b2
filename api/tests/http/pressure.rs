//! A store that is slow, full or away: commands wait, not many and not long, reading goes on, and readiness says so.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use guichet::engine::Submission;
use guichet::engine::journal::{
    Append, Appended, Filter, Follower, Journal, JournalError, KeyStore, MemoryJournal, Page, Position,
    Recorded, Revision, StreamId,
};
use guichet::engine::rules::process::Delivery;
use guichet::engine::rules::request::{Actor, Command, Contact};
use guichet::http::{COMMAND_WAIT_MAX, COMMANDS_MAX, COMMANDS_WAITING_MAX, HttpOptions, router};
use guichet::rights::Scope;
use guichet::{Access, Guichet, Holder, KeyTerms, NewRequest, Options};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tower::ServiceExt;

use crate::support::chalons;

/// A store whose appends wait until they are let go, and that can be full or away.
struct Slow {
    beneath: MemoryJournal,
    gate: Semaphore,
    slow: AtomicBool,
    full: AtomicBool,
    away: AtomicBool,
    /// What is appended does not arrive; reading goes on.
    cut: AtomicBool,
    under_way: AtomicUsize,
    most: AtomicUsize,
}

impl Slow {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            beneath: MemoryJournal::new().unwrap(),
            gate: Semaphore::new(0),
            slow: AtomicBool::new(false),
            full: AtomicBool::new(false),
            away: AtomicBool::new(false),
            cut: AtomicBool::new(false),
            under_way: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
        })
    }

    fn reached(&self) -> Result<(), JournalError> {
        let away = self.away.load(Ordering::SeqCst);
        if away { Err(JournalError::Unavailable { reason: "unplugged".into() }) } else { Ok(()) }
    }
}

#[async_trait]
impl Journal for Slow {
    async fn append(&self, append: Append) -> Result<Appended, JournalError> {
        self.reached()?;
        if self.full.load(Ordering::SeqCst) {
            return Err(JournalError::Full);
        }
        if self.cut.load(Ordering::SeqCst) {
            return Err(JournalError::Unavailable { reason: "cut off".into() });
        }
        if self.slow.load(Ordering::SeqCst) {
            let now = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(now, Ordering::SeqCst);
            self.gate.acquire().await.unwrap().forget();
            self.under_way.fetch_sub(1, Ordering::SeqCst);
        }
        self.beneath.append(append).await
    }

    async fn read(
        &self,
        stream: &StreamId,
        from: Revision,
        limit: usize,
    ) -> Result<Vec<Recorded>, JournalError> {
        self.reached()?;
        self.beneath.read(stream, from, limit).await
    }

    async fn read_all(
        &self,
        after: Option<Position>,
        filter: &Filter,
        limit: usize,
    ) -> Result<Page, JournalError> {
        self.reached()?;
        self.beneath.read_all(after, filter, limit).await
    }

    fn follow(&self, after: Option<Position>, filter: Filter) -> Follower {
        self.beneath.follow(after, filter)
    }

    async fn head(&self) -> Result<Option<Position>, JournalError> {
        self.reached()?;
        self.beneath.head().await
    }

    fn keys(&self) -> &Arc<dyn KeyStore> {
        self.beneath.keys()
    }

    async fn close(&self) {
        self.beneath.close().await;
    }
}

struct Town {
    journal: Arc<Slow>,
    guichet: Guichet,
    router: axum::Router,
    folder: tempfile::TempDir,
}

impl Town {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let journal = Slow::new();
        let guichet =
            Guichet::on_journal(Arc::clone(&journal) as _, Options::new(folder.path())).await.unwrap();
        guichet.publish_folder(&chalons()).await.unwrap();
        let router = router(&guichet, &HttpOptions { open_figures: true, ..HttpOptions::default() }).unwrap();
        Self { journal, guichet, router, folder }
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.call(Request::get(path).body(Body::empty()).unwrap()).await.0
    }

    async fn call(&self, request: Request<Body>) -> ((StatusCode, Value), Option<String>) {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (status, again) = (response.status(), response.headers().get("retry-after").cloned());
        let bytes = axum::body::to_bytes(response.into_body(), 1024 * 1024).await.unwrap();
        let again = again.map(|value| value.to_str().unwrap().to_owned());
        ((status, serde_json::from_slice(&bytes).unwrap_or_default()), again)
    }

    /// A report; each four come from one address, so that nobody is throttled.
    async fn report(&self, nth: usize) -> ((StatusCode, Value), Option<String>) {
        let body = json!({ "process": "voirie/chaussee-abimee", "form": { "place": [48.957, 4.363] } });
        let mut request = Request::post("/v1/ville/requests").header("content-type", "application/json");
        let peer = std::net::SocketAddr::from(([10, 0, u8::try_from(nth / 4).unwrap(), 1], 1));
        request.extensions_mut().unwrap().insert(axum::extract::ConnectInfo(peer));
        self.call(request.body(Body::from(body.to_string())).unwrap()).await
    }
}

fn reasons(answer: &Value) -> Vec<&str> {
    answer["reasons"].as_array().unwrap().iter().filter_map(Value::as_str).collect()
}

#[tokio::test]
async fn when_the_store_is_slow_few_commands_wait_the_rest_come_back_and_reading_goes_on() {
    let town = Arc::new(Town::new().await);
    let known = town
        .guichet
        .receive(NewRequest::new("ville", "voirie/chaussee-abimee").field("place", json!([48.957, 4.363])))
        .await
        .unwrap();
    town.guichet.wait_for(known.position, Duration::from_secs(20)).await.unwrap();
    town.journal.slow.store(true, Ordering::SeqCst);
    let sent = COMMANDS_MAX + COMMANDS_WAITING_MAX + 100;
    let began = tokio::time::Instant::now();
    let calls: Vec<_> = (0..sent)
        .map(|number| {
            let town = Arc::clone(&town);
            tokio::spawn(async move { town.report(number).await })
        })
        .collect();
    while town.journal.under_way.load(Ordering::SeqCst) < COMMANDS_MAX {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // Lists, figures and the catalogue do not wait for the store's writer.
    for path in ["/v1/ville/dashboard", "/v1/ville/catalogue?q=chaussee", "/ready", "/health"] {
        assert_eq!(town.get(path).await.0, StatusCode::OK, "{path}");
    }
    assert!(began.elapsed() < COMMAND_WAIT_MAX, "reading went on while commands waited");
    tokio::time::sleep(COMMAND_WAIT_MAX + Duration::from_millis(200)).await;
    town.journal.slow.store(false, Ordering::SeqCst);
    town.journal.gate.add_permits(sent);
    let (mut received, mut busy) = (0, 0);
    for call in calls {
        let ((status, answer), again) = call.await.unwrap();
        match status {
            StatusCode::CREATED => received += 1,
            StatusCode::SERVICE_UNAVAILABLE => {
                assert_eq!((answer["code"].as_str(), again.as_deref()), (Some("server.busy"), Some("2")));
                busy += 1;
            }
            other => panic!("{other} {answer}"),
        }
    }
    assert_eq!((received, busy), (COMMANDS_MAX, sent - COMMANDS_MAX));
    assert_eq!(town.journal.most.load(Ordering::SeqCst), COMMANDS_MAX, "never more reached the store");
    let ((status, answer), _) = town.report(sent).await;
    assert_eq!(status, StatusCode::CREATED, "afterwards all is as before: {answer}");
}

#[tokio::test]
async fn a_store_that_is_away_or_full_is_told_by_readiness_and_a_store_that_is_back_too() {
    let town = Town::new().await;
    let fresh = guichet::http::READY_CACHED + Duration::from_millis(50);
    let (status, answer) = town.get("/ready").await;
    assert_eq!((status, reasons(&answer)), (StatusCode::OK, vec![]), "{answer}");
    town.journal.away.store(true, Ordering::SeqCst);
    assert_eq!(town.get("/ready").await.0, StatusCode::OK, "an answer counts for a second");
    tokio::time::sleep(fresh).await;
    let (status, answer) = town.get("/ready").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(reasons(&answer).contains(&"store.unreachable"), "{answer}");
    assert_eq!(town.get("/health").await.0, StatusCode::OK, "it lives all the same");
    let ((status, answer), again) = town.report(0).await;
    assert_eq!(
        (status, answer["code"].as_str()),
        (StatusCode::SERVICE_UNAVAILABLE, Some("journal.unavailable"))
    );
    assert!(again.is_some());
    town.journal.away.store(false, Ordering::SeqCst);
    town.journal.full.store(true, Ordering::SeqCst);
    assert_eq!(town.report(0).await.0.1["code"], "journal.full");
    tokio::time::sleep(fresh).await;
    let (_, answer) = town.get("/ready").await;
    assert_eq!(reasons(&answer), ["store.refuses"], "{answer}");
    town.journal.full.store(false, Ordering::SeqCst);
    assert_eq!(town.report(0).await.0.0, StatusCode::CREATED);
    tokio::time::sleep(fresh).await;
    assert_eq!(town.get("/ready").await.0, StatusCode::OK);
}

/// Appends what a newer version would, behind this revision of a request.
async fn newer(journal: &dyn Journal, request: guichet::engine::rules::request::RequestId, revision: u64) {
    use guichet::engine::journal::{Body, CommandId, Digest, Expected, NewEvent};
    let stands = journal.read_all(None, &Filter::everything(), 1).await.unwrap();
    let recorded_at = stands.events[0].header().unwrap().recorded_at;
    let append = Append {
        stream: guichet::engine::request_stream(&"ville".parse().unwrap(), request).unwrap(),
        expected: Expected::Exact(Revision::new(revision)),
        command: CommandId::new(uuid::Uuid::from_u128(77)),
        command_digest: Digest::of(b"newer"),
        actor: "engine".parse().unwrap(),
        on_behalf_of: None,
        channel: None,
        recorded_at,
        correlation: None,
        causation: None,
        known_keys: Vec::new(),
        events: vec![NewEvent {
            event_type: "request.teleported".parse().unwrap(),
            occurred_at: recorded_at,
            definition: None,
            actor: None,
            body: Body::parse(r#"{"data":{"to":"moon"}}"#.into()).unwrap(),
        }],
    };
    journal.append(append).await.unwrap();
}

#[tokio::test]
async fn what_a_newer_server_wrote_is_answered_by_another_and_this_one_says_that_it_is_not_ready() {
    let town = Town::new().await;
    let report = NewRequest::new("ville", "voirie/chaussee-abimee").field("place", json!([48.957, 4.363]));
    let receipt = town.guichet.receive(report).await.unwrap();
    newer(town.journal.as_ref(), receipt.request, receipt.revision).await;
    let key = guichet::Access::open(&town.guichet.options().data)
        .unwrap()
        .create("ville", guichet::Holder::Agent("a01".into()), town.guichet.ambient().as_ref())
        .unwrap();
    let request = |method: &str, path: &str, body: Body| {
        let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
        request.header("authorization", format!("Bearer {key}")).body(body).unwrap()
    };
    let path = format!("/v1/ville/requests/{}", receipt.request);
    let command = Body::from(r#"{"command":"note","text":"vu"}"#);
    for request in [
        request("GET", &path, Body::empty()),
        request("POST", &format!("{path}/commands"), command),
        request("GET", &format!("{path}/explanation"), Body::empty()),
    ] {
        let ((status, answer), again) = town.call(request).await;
        assert_eq!(
            (status, answer["code"].as_str(), again.as_deref()),
            (StatusCode::SERVICE_UNAVAILABLE, Some("version.newer"), Some("2")),
            "{answer}"
        );
    }
    let ((status, answer), _) = town.report(0).await;
    assert_eq!(status, StatusCode::CREATED, "the rest goes on: {answer}");
    let stopped = async {
        while !reasons(&town.get("/ready").await.1).contains(&"read_models.stopped") {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), stopped).await.expect("it says so");
}

/// A photo that was sent, as a form names it.
async fn photo(town: &Town) -> Value {
    let mut photo = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(4, 4).write_to(&mut photo, image::ImageFormat::Jpeg).unwrap();
    let upload = Request::post("/v1/ville/files")
        .header("content-type", "image/jpeg")
        .header("content-disposition", "attachment; filename=\"trou.jpg\"")
        .body(Body::from(photo.into_inner()));
    let ((status, file), _) = town.call(upload.unwrap()).await;
    assert_eq!(status, StatusCode::CREATED, "{file}");
    file
}

#[tokio::test]
async fn what_cannot_be_recorded_as_opened_is_not_given_out() {
    let town = Town::new().await;
    let access = Access::open(town.folder.path()).unwrap();
    let ambient = town.guichet.ambient().as_ref();
    let key = access.create("ville", Holder::Agent("a01".into()), ambient).unwrap();
    let printer = KeyTerms {
        scopes: Some(vec![Scope::OutboxManage, Scope::FilesRead]),
        ..KeyTerms::new("ville", Holder::Integrator("imprimerie".into()))
    };
    let printer = access.make(&printer, ambient).unwrap().0;
    let file = photo(&town).await;
    let jeanne = Contact {
        name: Some("Jeanne Dupont".into()),
        address: Some("1 place Foch\n51000 Châlons".into()),
        ..Contact::default()
    };
    let made = NewRequest::new("ville", "voirie/chaussee-abimee")
        .field("place", json!([48.957, 4.363]))
        .field("danger", json!(true))
        .field("details", json!("devant chez moi"))
        .field("photos", json!([file]))
        .contact(jeanne);
    let made = town.guichet.receive(made).await.unwrap();
    // She gave a postal address alone: what she is told goes by letter.
    let said = Submission {
        tenant: "ville".into(),
        request: Some(made.request),
        command: Command::Message { text: "Nous passons jeudi.".into() },
        actor: Actor::Agent("a01".into()),
        command_id: town.guichet.fresh_command_id().unwrap(),
        occurred_at: None,
        expected: None,
    };
    let said = town.guichet.submit(said).await.unwrap();
    town.guichet.wait_for(said.position, Duration::from_secs(20)).await.unwrap();
    let request = format!("/v1/ville/requests/{}", made.request);
    let outbox = town.guichet.read_models().outbox(Some("ville"), 10).await.unwrap().value;
    let letter = outbox.iter().find(|item| item.by == Delivery::Letter).expect("a letter is owed");
    let doors = [
        (request.clone(), &key),
        (format!("{request}/files/{}", file["sha256"].as_str().unwrap()), &key),
        (format!("{request}/files/{}", file["sha256"].as_str().unwrap()), &printer),
        (format!("{request}/letters/{}.pdf", letter.effect), &printer),
    ];
    let ask = async |path: &str, key: &str| {
        let bearer = format!("Bearer {key}");
        let request = Request::get(path).header("authorization", bearer).body(Body::empty()).unwrap();
        let response = town.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let bytes = axum::body::to_bytes(response.into_body(), 1024 * 1024).await.unwrap();
        (status, String::from_utf8_lossy(&bytes).into_owned())
    };
    for (fault, code) in [(&town.journal.full, "journal.full"), (&town.journal.cut, "journal.unavailable")] {
        fault.store(true, Ordering::SeqCst);
        for (path, key) in &doors {
            let (status, text) = ask(path, key).await;
            assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{path}: {text}");
            assert!(text.contains(code), "{path}: {text}");
            assert!(!text.contains("Jeanne") && !text.contains("devant chez moi"), "{path}");
            assert!(!text.starts_with("%PDF") && text.starts_with('{'), "{path}");
        }
        fault.store(false, Ordering::SeqCst);
    }
    // Nothing of it was remembered as recorded: it is given out once it is.
    for (path, key) in &doors {
        assert_eq!(ask(path, key).await.0, StatusCode::OK, "{path}");
    }
    town.guichet.read_models().catch_up(Duration::from_secs(20)).await.unwrap();
    let noted = town.guichet.read_models().accesses("ville", made.request).await.unwrap();
    assert_eq!(noted.n, 4, "{:?}", noted.value);
}
