//! Two servers on one PostgreSQL database, as citizens, agents and programs meet them behind a load balancer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::{Method, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use guichet::ambient::Surroundings;
use guichet::engine::Ambient;
use guichet::http::{HttpOptions, router};
use guichet::outbound::MemoryOutbound;
use guichet::rights::Scope;
use guichet::{AccessError, Guichet, Holder, KeyTerms, Keyring, Options, Store};
use guichet_projections::Session;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt;

use crate::routes::changes::Ear;
use crate::store::{Database, Keys};
use crate::support::{pothole, request, roads};
use crate::webhooks::{Mood, Receiver};

struct Server {
    guichet: Guichet,
    router: Router,
    sent: MemoryOutbound,
    _folder: TempDir,
}

impl Server {
    async fn open(
        database: &Database,
        ambient: &Arc<dyn Ambient>,
        folder: TempDir,
        hosts: &[String],
    ) -> Self {
        let mut settings = guichet::settings::Settings::default();
        settings.webhooks.allowed_hosts = hosts.to_vec();
        let sent = MemoryOutbound::default();
        let options = Options::new(folder.path()).store(database.store()).ambient(Arc::clone(ambient));
        let options = options.outbound(Arc::new(sent.clone())).settings(settings);
        let guichet = Guichet::open(options).await.unwrap();
        let router = router(&guichet, &HttpOptions::default()).unwrap();
        Self { guichet, router, sent, _folder: folder }
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        key: Option<&str>,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> (StatusCode, Value) {
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        let answer = self.router.clone().oneshot(request(method, path, key, headers, body)).await.unwrap();
        let status = answer.status();
        let bytes = axum::body::to_bytes(answer.into_body(), 1024 * 1024).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    async fn get(&self, path: &str, key: &str) -> (StatusCode, Value) {
        self.call(Method::GET, path, Some(key), &[], &Value::Null).await
    }

    fn position(answer: &Value) -> (&'static str, &str) {
        ("guichet-position", answer["position"].as_str().unwrap())
    }
}

/// Two servers and their database, which goes away last; none where there is no PostgreSQL.
async fn two(hosts: &[String]) -> Option<([Server; 2], Database)> {
    // Only tells whether there is a server at all.
    drop(Database::for_servers()?);
    let ambient: Arc<dyn Ambient> = Arc::new(Surroundings::system());
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let database = Database::with(("voirie-now", roads()), folders[0].path(), &ambient).await;
    std::fs::copy(folders[0].path().join("master.key"), folders[1].path().join("master.key")).unwrap();
    let [one, other] = folders;
    let one = Server::open(&database, &ambient, one, hosts).await;
    let other = Server::open(&database, &ambient, other, hosts).await;
    Some(([one, other], database))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_idempotency_key_sent_to_both_at_once_is_one_request() {
    let Some(([one, other], _database)) = two(&[]).await else { return };
    let body = pothole();
    for round in 0..5 {
        let key = format!("portail-{round}");
        let headers = [("idempotency-key", key.as_str())];
        let send = |server: &Server| {
            let router = server.router.clone();
            let call =
                request(Method::POST, "/v1/ville/requests", None, &headers, Body::from(body.to_string()));
            async move {
                let answer = router.oneshot(call).await.unwrap();
                let status = answer.status();
                let bytes = axum::body::to_bytes(answer.into_body(), 1024 * 1024).await.unwrap();
                (status, serde_json::from_slice::<Value>(&bytes).unwrap())
            }
        };
        let (first, second) = tokio::join!(tokio::spawn(send(&one)), tokio::spawn(send(&other)));
        let (first, second) = (first.unwrap(), second.unwrap());
        assert_eq!(first.1["request"], second.1["request"], "{first:?} {second:?}");
        assert_eq!(first.1["tracking_code"], second.1["tracking_code"]);
        let mut statuses = [first.0, second.0];
        statuses.sort();
        assert_eq!(statuses, [StatusCode::OK, StatusCode::CREATED], "one made it, the other told of it");
    }
    let agent = Keys::of(&one.guichet).create("ville", Holder::Agent("a01".into()));
    other.guichet.read_models().catch_up(Duration::from_secs(10)).await.unwrap();
    assert_eq!(other.get("/v1/ville/requests", &agent).await.1["n"], 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_begun_on_one_goes_on_on_the_other() {
    let Some(([one, other], _database)) = two(&[]).await else { return };
    // Signed in on one, one is signed in on the other, until signing out on either.
    let (token, now) = ("gs_deux-serveurs", one.guichet.now());
    let session = Session {
        digest: URL_SAFE_NO_PAD.encode(Sha256::digest(token.as_bytes())),
        tenant: "ville".into(),
        kind: "agent".into(),
        holder: "a01".into(),
        opened: now,
        touched: now,
        ends: now + chrono::TimeDelta::hours(1),
    };
    one.guichet.read_models().session_open(&session, chrono::TimeDelta::minutes(30)).await.unwrap();
    for server in [&one, &other] {
        let (status, answer) = server.get("/v1/ville/session", token).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
    }
    // Received on one, read, acted upon and followed on the other.
    let (status, receipt) = one.call(Method::POST, "/v1/ville/requests", None, &[], &pothole()).await;
    assert_eq!(status, StatusCode::CREATED, "{receipt}");
    let code = json!({ "code": receipt["tracking_code"] });
    let at = [Server::position(&receipt)];
    let (status, answer) = other.call(Method::POST, "/v1/ville/follow", None, &at, &code).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let (status, list) = other.call(Method::GET, "/v1/ville/requests", Some(token), &at, &Value::Null).await;
    assert_eq!((status, &list["n"]), (StatusCode::OK, &json!(1)), "{list}");
    let path = format!("/v1/ville/requests/{}/commands", receipt["request"].as_str().unwrap());
    let note = json!({ "command": "note", "text": "Vu de l’autre serveur." });
    let (status, answer) = other.call(Method::POST, &path, Some(token), &[], &note).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let (status, _) = other.call(Method::POST, "/v1/ville/sign-out", Some(token), &[], &Value::Null).await;
    assert!(status.is_success(), "{status}");
    assert_eq!(one.get("/v1/ville/session", token).await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_of_changes_goes_on_on_the_other_server() {
    let Some(([one, other], _database)) = two(&[]).await else { return };
    let key = Keys::of(&one.guichet).create("ville", Holder::Agent("a01".into()));
    let receive = async |server: &Server| {
        let (status, receipt) = server.call(Method::POST, "/v1/ville/requests", None, &[], &pothole()).await;
        assert_eq!(status, StatusCode::CREATED, "{receipt}");
        receipt["request"].clone()
    };
    let mut ear = Ear::open(&one.router, "/v1/ville/changes", Some(&key), &[], "").await;
    ear.next().await;
    let mut made = vec![receive(&other).await];
    let first = ear.next().await;
    drop(ear);
    for server in [&one, &other, &one, &other] {
        made.push(receive(server).await);
    }
    let resume = [("last-event-id", first.id.as_str())];
    let mut ear = Ear::open(&other.router, "/v1/ville/changes", Some(&key), &resume, "").await;
    ear.next().await;
    let mut told = vec![first.data["request"].clone()];
    let mut last = first.id.clone();
    for _ in 1..made.len() {
        let event = ear.next().await;
        assert!(event.id > last, "in the order of the journal");
        last = event.id;
        told.push(event.data["request"].clone());
    }
    assert_eq!(told, made, "none left out, none twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_send_each_delivery_and_each_mail_once() {
    let receiver = Receiver::new(Mood::Takes).await;
    let hosts = [format!("127.0.0.1:{}", receiver.port())];
    let Some(([one, other], _database)) = two(&hosts).await else { return };
    let scopes = Some(vec![Scope::WebhooksManage]);
    let terms = KeyTerms { scopes, ..KeyTerms::new("ville", Holder::Integrator("portail".into())) };
    let portal = Keys::of(&one.guichet).make(&terms).unwrap().0;
    let body = json!({ "url": receiver.url() });
    let wait = [("prefer", "wait=5")];
    let (status, answer) = one.call(Method::POST, "/v1/ville/webhooks", Some(&portal), &wait, &body).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    let workers = [one.guichet.start_workers(), other.guichet.start_workers()];
    let mut made = 0;
    for server in [&one, &other].into_iter().cycle().take(20) {
        let (status, receipt) = server.call(Method::POST, "/v1/ville/requests", None, &[], &pothole()).await;
        assert_eq!(status, StatusCode::CREATED, "{receipt}");
        made += 1;
    }
    let began = Instant::now();
    // Each is received, and acknowledged once its mail has gone.
    let count = |kind: &str| receiver.types().iter().filter(|known| known.ends_with(kind)).count();
    while count("request.acknowledged") < made && began.elapsed() < Duration::from_secs(60) {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    for workers in workers {
        workers.stop().await;
    }
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for delivery in receiver.heard() {
        *times.entry(delivery.id().to_owned()).or_default() += 1;
    }
    assert!(times.values().all(|times| *times == 1), "{times:?}");
    assert_eq!((count("request.received"), count("request.acknowledged")), (made, made));
    let mails = [one.sent.sent().len(), other.sent.sent().len()];
    assert_eq!(mails.iter().sum::<usize>(), made, "{mails:?}");
}

/// A server with a gateway's secret and an address of its own.
async fn with_secret(database: &Database, master: &[u8], secret: &str, public_url: &str) -> Server {
    let folder = tempfile::tempdir().unwrap();
    crate::store::private(&folder.path().join("master.key"), master);
    let file = folder.path().join("sms.secret");
    std::fs::write(&file, secret).unwrap();
    let settings = folder.path().join("guichet.toml");
    let written = format!(
        "[[channels.sms]]\ntenant = \"ville\"\nproof = {{ header = \"x-signature\", secret_file = {file:?} }}\n\
         becomes = {{ process = \"voirie/chaussee-abimee\", text = \"details\" }}\n"
    );
    std::fs::write(&settings, written).unwrap();
    let options = Options::new(folder.path()).store(database.store()).public_url(public_url);
    let options = options.settings(guichet::settings::Settings::read(&settings).unwrap());
    let sent = MemoryOutbound::default();
    let guichet = Guichet::open(options.outbound(Arc::new(sent.clone()))).await.unwrap();
    let router = router(&guichet, &HttpOptions::default()).unwrap();
    Server { guichet, router, sent, _folder: folder }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_servers_were_given_otherwise_is_named_and_another_master_key_is_refused() {
    if Database::for_servers().is_none() {
        return;
    }
    let (first, ambient) = (tempfile::tempdir().unwrap(), Arc::new(Surroundings::system()));
    let ambient: Arc<dyn Ambient> = ambient;
    let database = Database::with(("voirie-now", roads()), first.path(), &ambient).await;
    let master = std::fs::read(first.path().join("master.key")).unwrap();
    let one = with_secret(&database, &master, "un secret de la passerelle", "https://a.example/").await;
    let same = with_secret(&database, &master, "un secret de la passerelle\n", "https://a.example/").await;
    let other =
        with_secret(&database, &master, "un autre secret de la passerelle", "https://b.example/").await;
    let mut workers = vec![one.guichet.start_workers(), same.guichet.start_workers()];
    tokio::time::sleep(Duration::from_secs(2)).await;
    let (status, ready) = same.get("/ready", "").await;
    assert_eq!((status, &ready["troubles"]), (StatusCode::OK, &Value::Null), "{ready}");
    workers.push(other.guichet.start_workers());
    let began = Instant::now();
    let ready = loop {
        let (status, ready) = other.get("/ready", "").await;
        assert_eq!(status, StatusCode::OK, "{ready}");
        if ready["troubles"].is_array() || began.elapsed() > Duration::from_secs(30) {
            break ready;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    let differs = |place: &str| json!({ "place": place, "code": "differs" });
    let expected = json!([differs("channels.sms.ville.proof.secret_file"), differs("public_url")]);
    assert_eq!(ready["troubles"], expected, "{ready}");
    assert!(!ready.to_string().contains("secret de la passerelle"));
    for workers in workers {
        workers.stop().await;
    }
    let stranger = tempfile::tempdir().unwrap();
    drop(Guichet::open(Options::new(stranger.path())).await.unwrap());
    let refused = Guichet::open(Options::new(stranger.path()).store(database.store())).await.unwrap_err();
    assert!(refused.to_string().contains("is not the master key of"), "{refused}");
}

/// Between a server and its database: passes everything on until it is frozen, and then keeps both sides waiting without
/// a word, as a cut cable does.
struct Cable {
    port: u16,
    frozen: Arc<AtomicBool>,
}

impl Cable {
    async fn to(database: &Database) -> (Self, Store) {
        let url = url::Url::parse(&database.url).unwrap();
        let target = (url.host_str().unwrap().to_owned(), url.port().unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let cable =
            Self { port: listener.local_addr().unwrap().port(), frozen: Arc::new(AtomicBool::new(false)) };
        let frozen = Arc::clone(&cable.frozen);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let far = TcpStream::connect((target.0.as_str(), target.1)).await.unwrap();
                let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
                tokio::spawn(pass(near_in, far_out, Arc::clone(&frozen)));
                tokio::spawn(pass(far_in, near_out, Arc::clone(&frozen)));
            }
        });
        let mut through = url;
        through.set_port(Some(cable.port)).unwrap();
        let store = Store::parse(through.as_str()).unwrap();
        (cable, store)
    }
}

async fn pass(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    frozen: Arc<AtomicBool>,
) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        while frozen.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        if to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_cut_off_without_a_word_lets_a_key_that_was_taken_back_in_no_longer_than_its_lease() {
    let Some(database) = Database::for_servers() else { return };
    let folder = tempfile::tempdir().unwrap();
    let ambient: Arc<dyn Ambient> = Arc::new(Surroundings::system());
    let near = Keyring::at(&Options::new(folder.path()).store(database.store())).unwrap();
    let (cable, store) = Cable::to(&database).await;
    let far = Keyring::at(&Options::new(folder.path()).store(store)).unwrap();
    let terms = KeyTerms::new("ville", Holder::Integrator("portail".into()));
    let (key, entry) = near.make(&terms, &ambient).await.unwrap();
    assert!(far.holder("ville", &key, ambient.now()).await.unwrap().is_some());

    // Busy with it all along, so that its copy is as young as can be when the cable is cut.
    let asking = async {
        let (mut let_in, began) = (Vec::new(), Instant::now());
        while began.elapsed() < Duration::from_secs(4) {
            match far.holder("ville", &key, ambient.now()).await {
                Ok(Some(_)) => let_in.push(Instant::now()),
                Ok(None) => {}
                Err(error) => assert!(matches!(error, AccessError::Table(_)), "{error}"),
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let_in
    };
    let revoking = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        cable.frozen.store(true, Ordering::SeqCst);
        near.revoke("ville", &entry.id, ambient.now()).await.unwrap();
        Instant::now()
    };
    let (let_in, revoked) = tokio::join!(asking, revoking);
    assert!(let_in.len() > 20, "it was let in before");
    let last = *let_in.last().unwrap();
    assert!(last < revoked, "let in {:?} after the answer", last - revoked);
    // Connected again, it knows.
    cable.frozen.store(false, Ordering::SeqCst);
    let began = Instant::now();
    loop {
        match far.holder("ville", &key, ambient.now()).await {
            Ok(None) => break,
            Ok(Some(_)) => panic!("it was taken back"),
            Err(_) => assert!(began.elapsed() < Duration::from_secs(30), "it does not come back"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
