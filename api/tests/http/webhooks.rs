//! Webhooks from their registration to what a receiver is told, on a clock that is moved.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Response, StatusCode};
use guichet::engine::journal::Filter;
use guichet::outbound::webhook::{Sender, signature};
use guichet::outgoing::Outgoing;
use guichet::rights::Scope;
use guichet::workers::{Told, Webhooks};
use guichet::{Holder, KeyTerms};
use serde_json::{Value, json};

use crate::support::{Answer, Town, request};

/// How a receiver answers.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Mood {
    Takes,
    Status(u16),
    RetryAfter(u16, u32),
    Redirects,
    Huge,
    Resets,
    Hangs,
    /// Fails for the first request that it is told of, and takes everything of others.
    Particular,
}

#[derive(Clone)]
pub(crate) struct Delivery {
    id: String,
    timestamp: i64,
    signatures: String,
    body: Bytes,
}

impl Delivery {
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    fn event(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// A receiver on this machine.
#[derive(Clone)]
pub(crate) struct Receiver {
    mood: Arc<Mutex<Mood>>,
    heard: Arc<Mutex<Vec<Delivery>>>,
    port: u16,
}

impl Receiver {
    pub(crate) async fn new(mood: Mood) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let receiver = Self { mood: Arc::new(Mutex::new(mood)), heard: Arc::default(), port };
        let router = Router::new().fallback(hear).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        receiver
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/crochet?jeton=secret-du-portail", self.port)
    }

    fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    pub(crate) fn heard(&self) -> Vec<Delivery> {
        self.heard.lock().unwrap().clone()
    }

    pub(crate) fn types(&self) -> Vec<String> {
        self.heard().iter().map(|one| one.event()["type"].as_str().unwrap().to_owned()).collect()
    }
}

async fn hear(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let text = |name: &str| headers[name].to_str().unwrap().to_owned();
    assert_eq!(text("content-type"), "application/cloudevents+json; charset=utf-8");
    let delivery = Delivery {
        id: text("webhook-id"),
        timestamp: text("webhook-timestamp").parse().unwrap(),
        signatures: text("webhook-signature"),
        body,
    };
    let subject = delivery.event()["subject"].clone();
    receiver.heard.lock().unwrap().push(delivery);
    let mood = *receiver.mood.lock().unwrap();
    let answer = |status: u16| Response::builder().status(status);
    match mood {
        Mood::Takes => answer(204).body(Body::empty()),
        Mood::Status(status) => answer(status).body(Body::empty()),
        Mood::RetryAfter(status, seconds) => {
            answer(status).header("retry-after", seconds).body(Body::empty())
        }
        Mood::Redirects => {
            let elsewhere = format!("http://127.0.0.1:{}/ailleurs", receiver.port);
            answer(307).header("location", elsewhere).body(Body::empty())
        }
        Mood::Huge => answer(200).body(Body::from(vec![b'x'; 10 * 1024 * 1024])),
        Mood::Resets => {
            let broken = futures_util::stream::iter([Err::<Bytes, _>(std::io::Error::other("reset"))]);
            answer(500).body(Body::from_stream(broken))
        }
        Mood::Hangs => {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            answer(200).body(Body::empty())
        }
        Mood::Particular => {
            let first = receiver.heard()[0].event()["subject"].clone();
            answer(if subject == first { 500 } else { 200 }).body(Body::empty())
        }
    }
    .unwrap()
}

/// A town whose operator lets these receivers be called.
async fn town(receivers: &[&Receiver]) -> Town {
    let hosts: Vec<String> = receivers.iter().map(|one| format!("127.0.0.1:{}", one.port)).collect();
    Town::opened(None, |options| {
        let mut settings = guichet::settings::Settings::default();
        settings.webhooks.allowed_hosts = hosts;
        options.settings(settings)
    })
    .await
}

fn portal(town: &Town) -> String {
    managing(town, "ville")
}

fn managing(town: &Town, tenant: &str) -> String {
    let access = town.access();
    let scopes = Some(vec![Scope::WebhooksManage]);
    let terms = KeyTerms { scopes, ..KeyTerms::new(tenant, Holder::Integrator("portail".into())) };
    access.make(&terms).unwrap().0
}

async fn register(town: &Town, body: &Value) -> Answer {
    let headers = [("prefer", "wait=5")];
    town.post_with("/v1/ville/webhooks", Some(&portal(town)), &headers, body).await
}

/// The id and the secret.
async fn registered(town: &Town, receiver: &Receiver) -> (String, String) {
    let answer = register(town, &json!({ "url": receiver.url() })).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    let text = |name: &str| answer.json[name].as_str().unwrap().to_owned();
    (text("id"), text("secret"))
}

async fn tell(town: &Town) -> Told {
    let worker = Webhooks::new(&town.guichet, Sender::new(Outgoing::new().unwrap()));
    let mut all = Told::default();
    loop {
        let told = worker.run_once(town.guichet.now()).await.unwrap();
        all += told;
        if told.delivered == 0 {
            return all;
        }
    }
}

async fn look(town: &Town, id: &str, rest: &str) -> Value {
    let answer = town.get(&format!("/v1/ville/webhooks/{id}{rest}"), Some(&portal(town))).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.json
}

#[tokio::test]
async fn a_change_arrives_signed_and_says_nothing_personal() {
    let receiver = Receiver::new(Mood::Takes).await;
    let town = town(&[&receiver]).await;
    let before = town.pothole().await;
    let (id, secret) = registered(&town, &receiver).await;
    let received = town.pothole().await;
    assert_eq!(tell(&town).await.delivered, 1, "what happened before is not told");
    let heard = receiver.heard();
    let (one, event) = (&heard[0], heard[0].event());
    assert_eq!(event["specversion"], "1.0");
    assert_eq!(event["type"], "fr.guichet.request.received");
    assert_eq!(event["subject"], received.json["request"]);
    assert_ne!(event["subject"], before.json["request"]);
    assert_eq!(event["id"], one.id.as_str());
    assert_eq!(event["source"], "http://127.0.0.1:8080/v1/ville");
    assert_eq!(event["data"]["stage"], "received");
    assert_eq!(event["data"]["promises"], received.json["promises"]);
    assert_eq!(one.timestamp, town.guichet.now().timestamp());
    assert_eq!(one.signatures, signature(&secret, &one.id, one.timestamp, &one.body).unwrap());
    let (text, code) = (String::from_utf8_lossy(&one.body), received.json["tracking_code"].as_str().unwrap());
    assert!(!text.contains("Jeanne") && !text.contains("jeanne@") && !text.contains(code), "{text}");
    town.send_all().await;
    assert!(tell(&town).await.delivered >= 1);
    assert!(receiver.types().contains(&"fr.guichet.request.acknowledged".to_owned()));
    let shown = look(&town, &id, "").await;
    assert_eq!((&shown["standing"], &shown["deliveries"]["waiting"]), (&json!("active"), &json!(0)));
    assert_eq!(shown["deliveries"]["delivered"], json!(town.guichet.now()));
}

#[tokio::test]
async fn neither_the_address_nor_the_secret_stands_in_clear_in_the_journal() {
    let receiver = Receiver::new(Mood::Takes).await;
    let town = town(&[&receiver]).await;
    let (id, secret) = registered(&town, &receiver).await;
    let page = town.guichet.engine().journal().read_all(None, &Filter::everything(), 100_000).await.unwrap();
    let ours: Vec<_> = page.events.iter().filter(|event| event.stream().contains(&id)).collect();
    assert_eq!(ours.len(), 1);
    for event in ours {
        assert!(!event.stored_body().contains(&secret) && !event.stored_body().contains("jeton"));
        assert!(!event.stored_header().contains("jeton"));
    }
    let shown = look(&town, &id, "").await;
    assert_eq!(shown["url"], receiver.url(), "whoever manages it sees it");
    assert!(!shown.to_string().contains(&secret), "the secret is shown once");
}

#[tokio::test]
async fn the_same_command_answers_the_same_secret_and_another_town_sees_nothing() {
    let receiver = Receiver::new(Mood::Takes).await;
    let town = town(&[&receiver]).await;
    let headers = [("idempotency-key", "0198c6a2-0000-7000-8000-0000000000aa"), ("prefer", "wait=5")];
    let (key, body) = (portal(&town), json!({ "url": receiver.url() }));
    let first = town.post_with("/v1/ville/webhooks", Some(&key), &headers, &body).await;
    let second = town.post_with("/v1/ville/webhooks", Some(&key), &headers, &body).await;
    assert_eq!((first.status, second.status), (StatusCode::CREATED, StatusCode::OK));
    assert_eq!((&first.json["id"], &first.json["secret"]), (&second.json["id"], &second.json["secret"]));
    let other = json!({ "url": receiver.url(), "events": ["request.delivered"] });
    let third = town.post_with("/v1/ville/webhooks", Some(&key), &headers, &other).await;
    assert_eq!(third.json["code"], "idempotency.reused", "{}", third.text);
    let stranger = managing(&town, "agglo");
    let id = first.json["id"].as_str().unwrap();
    let foreign = town.get(&format!("/v1/agglo/webhooks/{id}"), Some(&stranger)).await;
    let none = town.get("/v1/agglo/webhooks/0198c6a2-0000-7000-8000-0000000000ff", Some(&stranger)).await;
    assert_eq!(foreign.status, StatusCode::NOT_FOUND);
    assert_eq!(foreign.json["code"], none.json["code"]);
    assert_eq!(town.get("/v1/agglo/webhooks", Some(&stranger)).await.json["webhooks"], json!([]));
    assert_eq!(town.get("/v1/ville/webhooks", None).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn both_secrets_sign_until_the_grace_time_is_over() {
    let receiver = Receiver::new(Mood::Takes).await;
    let town = town(&[&receiver]).await;
    let (id, old) = registered(&town, &receiver).await;
    let rotated =
        town.post(&format!("/v1/ville/webhooks/{id}/secret"), Some(&portal(&town)), &json!({})).await;
    assert_eq!(rotated.status, StatusCode::OK, "{}", rotated.text);
    let new = rotated.json["secret"].as_str().unwrap().to_owned();
    assert_eq!(rotated.json["previous_until"], "2026-11-04T09:00:00Z");
    town.pothole().await;
    tell(&town).await;
    town.move_to("2026-11-04T09:00:00Z");
    town.pothole().await;
    tell(&town).await;
    let heard = receiver.heard();
    let by = |secret: &str, one: &Delivery| signature(secret, &one.id, one.timestamp, &one.body).unwrap();
    assert_eq!(heard[0].signatures, format!("{} {}", by(&new, &heard[0]), by(&old, &heard[0])));
    assert_eq!(heard.last().unwrap().signatures, by(&new, heard.last().unwrap()));
}

#[tokio::test]
async fn what_fails_for_three_days_becomes_a_dead_letter_that_can_be_sent_again() {
    let receiver = Receiver::new(Mood::Takes).await;
    let town = town(&[&receiver]).await;
    let (id, _) = registered(&town, &receiver).await;
    receiver.set(Mood::Status(500));
    town.pothole().await;
    let mut dead = 0;
    let mut hours = 0;
    while dead == 0 {
        dead += tell(&town).await.dead;
        hours += 1;
        assert!(hours < 24 * 5 * 12, "it is given up at last");
        town.clock.move_to(town.guichet.now() + chrono::TimeDelta::minutes(5));
    }
    assert_eq!(receiver.heard().len(), 10, "ten tries");
    let ids: std::collections::BTreeSet<String> = receiver.heard().into_iter().map(|one| one.id).collect();
    assert_eq!(ids.len(), 1, "all with the same id");
    let letters = look(&town, &id, "/dead-letters").await;
    assert_eq!(letters["dead_letters"][0]["event"], ids.first().unwrap().as_str());
    assert_eq!(letters["dead_letters"][0]["error"], "answered 500");
    receiver.set(Mood::Takes);
    let path = format!("/v1/ville/webhooks/{id}/dead-letters");
    let again = town.post(&format!("{path}/resend"), Some(&portal(&town)), &json!({})).await;
    assert_eq!((again.status, &again.json["revived"]), (StatusCode::ACCEPTED, &json!(1)), "{}", again.text);
    assert_eq!(tell(&town).await.delivered, 1);
    assert_eq!(look(&town, &id, "/dead-letters").await["dead_letters"], json!([]));
    let event = ids.first().unwrap();
    let gone = town.post(&format!("{path}/{event}/resend"), Some(&portal(&town)), &json!({})).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn events_of_one_request_stay_in_order_and_those_of_others_pass() {
    let receiver = Receiver::new(Mood::Particular).await;
    let town = town(&[&receiver]).await;
    registered(&town, &receiver).await;
    let first = town.pothole().await.json["request"].clone();
    tell(&town).await;
    town.send_all().await;
    let second = town.pothole().await.json["request"].clone();
    tell(&town).await;
    let subjects = || receiver.heard().iter().map(|one| one.event()["subject"].clone()).collect::<Vec<_>>();
    assert_eq!(subjects().iter().filter(|subject| **subject == first).count(), 1, "its later events wait");
    assert!(subjects().contains(&second), "others pass");
    receiver.set(Mood::Takes);
    town.move_to("2026-11-03T10:00:00Z");
    tell(&town).await;
    let sequences: Vec<String> = receiver
        .heard()
        .iter()
        .map(Delivery::event)
        .filter(|event| event["subject"] == first)
        .map(|event| event["sequence"].as_str().unwrap().to_owned())
        .collect();
    assert!(sequences.len() >= 3 && sequences.is_sorted(), "{sequences:?}");
}

#[tokio::test]
async fn an_address_that_fails_holds_nobody_else_up_and_is_asked_less_and_less() {
    let (bad, good) = (Receiver::new(Mood::Status(500)).await, Receiver::new(Mood::Takes).await);
    let town = town(&[&bad, &good]).await;
    registered(&town, &bad).await;
    registered(&town, &good).await;
    for _ in 0..6 {
        town.pothole().await;
    }
    tell(&town).await;
    assert_eq!(good.heard().len(), 6);
    assert!(bad.heard().len() <= 6, "{}", bad.heard().len());
    let tries = bad.heard().len();
    for _ in 0..20 {
        tell(&town).await;
    }
    assert_eq!(bad.heard().len(), tries, "it rests");
    bad.set(Mood::Takes);
    town.move_to("2026-11-03T09:10:00Z");
    tell(&town).await;
    let events: std::collections::BTreeSet<String> = bad.heard().into_iter().map(|one| one.id).collect();
    assert_eq!(events.len(), 6, "nothing is lost");
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_disabled_and_one_that_asks_to_wait_is_left_alone() {
    let (gone, busy) =
        (Receiver::new(Mood::Status(410)).await, Receiver::new(Mood::RetryAfter(429, 600)).await);
    let town = town(&[&gone, &busy]).await;
    let (gone_id, _) = registered(&town, &gone).await;
    let (busy_id, _) = registered(&town, &busy).await;
    town.pothole().await;
    assert_eq!(tell(&town).await.disabled, 1);
    assert_eq!(look(&town, &gone_id, "").await["disabled"], "gone");
    busy.set(Mood::Takes);
    town.move_to("2026-11-03T09:09:59Z");
    tell(&town).await;
    assert_eq!(busy.heard().len(), 1);
    town.move_to("2026-11-03T09:10:00Z");
    assert_eq!(tell(&town).await.delivered, 1);
    assert_eq!(look(&town, &busy_id, "").await["deliveries"]["failures"], 0);
    gone.set(Mood::Takes);
    let path = format!("/v1/ville/webhooks/{gone_id}");
    let body = Body::from(json!({ "active": true }).to_string());
    let back =
        town.call(request(Method::PATCH, &path, Some(&portal(&town)), &[("prefer", "wait=5")], body)).await;
    assert_eq!((back.status, &back.json["standing"]), (StatusCode::OK, &json!("active")), "{}", back.text);
    assert_eq!(tell(&town).await.delivered, 1, "what happened meanwhile is sent");
}

#[tokio::test]
async fn an_address_that_fails_for_days_is_disabled_and_says_why() {
    let receiver = Receiver::new(Mood::Status(500)).await;
    let town = town(&[&receiver]).await;
    let (id, _) = registered(&town, &receiver).await;
    let mut disabled = 0;
    for _ in 0..30 {
        town.pothole().await;
        disabled += tell(&town).await.disabled;
        town.clock.move_to(town.guichet.now() + chrono::TimeDelta::hours(5));
    }
    assert_eq!(disabled, 1);
    town.guichet.read_models().catch_up(Duration::from_secs(5)).await.unwrap();
    let shown = look(&town, &id, "").await;
    assert_eq!((&shown["standing"], &shown["disabled"]), (&json!("disabled"), &json!("failing")));
    assert_eq!(shown["deliveries"]["error"], "answered 500");
    let tries = receiver.heard().len();
    town.pothole().await;
    tell(&town).await;
    assert_eq!(receiver.heard().len(), tries);
}

#[tokio::test]
async fn receivers_that_misbehave_are_judged_by_their_status_alone() {
    let huge = Receiver::new(Mood::Huge).await;
    let redirects = Receiver::new(Mood::Redirects).await;
    let resets = Receiver::new(Mood::Resets).await;
    let hangs = Receiver::new(Mood::Hangs).await;
    let town = town(&[&huge, &redirects, &resets, &hangs]).await;
    let mut ids = Vec::new();
    for receiver in [&huge, &redirects, &resets, &hangs] {
        ids.push(registered(&town, receiver).await.0);
    }
    town.pothole().await;
    let begun = std::time::Instant::now();
    let told = tell(&town).await;
    assert!(begun.elapsed() < Duration::from_secs(14), "{:?}", begun.elapsed());
    assert_eq!((told.delivered, told.postponed), (1, 3), "ten megabytes after a 200 are nobody's business");
    let error = async |id: &str| look(&town, id, "").await["deliveries"]["error"].clone();
    assert_eq!(error(&ids[1]).await, "answered 307: redirects are not followed");
    assert_eq!(redirects.heard().len(), 1);
    assert_eq!(error(&ids[3]).await, "no answer came in time");
}

#[tokio::test]
async fn the_town_halls_own_network_cannot_be_reached_through_a_webhook() {
    let receiver = Receiver::new(Mood::Takes).await;
    let town = Town::new().await;
    for url in [
        receiver.url(),
        format!("https://127.0.0.1:{}/", receiver.port),
        "https://169.254.169.254/latest/meta-data".into(),
        "https://[::ffff:10.0.0.1]/".into(),
        "https://017700000001/".into(),
        "gopher://127.0.0.1/".into(),
        "http://portail.example/".into(),
        "https://u:p@portail.example/".into(),
        String::new(),
    ] {
        let answer = register(&town, &json!({ "url": url })).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{url}: {}", answer.text);
        assert_eq!(answer.json["code"], "webhook.address", "{url}");
    }
    // A name is looked up when it is called, and where it leads to is what counts.
    let (id, _) = {
        let answer =
            register(&town, &json!({ "url": format!("https://localhost:{}/", receiver.port) })).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        (answer.json["id"].as_str().unwrap().to_owned(), ())
    };
    town.pothole().await;
    assert_eq!(tell(&town).await.postponed, 1);
    let error = look(&town, &id, "").await["deliveries"]["error"].clone();
    assert_eq!(error, "the address may not be called");
    let ping = town.post(&format!("/v1/ville/webhooks/{id}/ping"), Some(&portal(&town)), &json!({})).await;
    assert_eq!((&ping.json["delivered"], receiver.heard().len()), (&json!(false), 0), "{}", ping.text);
}

#[tokio::test]
async fn only_what_is_wanted_is_sent_and_a_pause_loses_nothing() {
    let receiver = Receiver::new(Mood::Takes).await;
    let town = town(&[&receiver]).await;
    let wanted = json!({ "url": receiver.url(), "events": ["fr.guichet.request.ack"] });
    let id = register(&town, &wanted).await.json["id"].as_str().unwrap().to_owned();
    let other = json!({ "url": receiver.url(), "processes": ["voirie/tag"] });
    assert_eq!(register(&town, &other).await.status, StatusCode::CREATED);
    let path = format!("/v1/ville/webhooks/{id}");
    let change = async |active: bool| {
        let body = Body::from(json!({ "active": active }).to_string());
        let wait = [("prefer", "wait=5")];
        town.call(request(Method::PATCH, &path, Some(&portal(&town)), &wait, body)).await
    };
    assert_eq!(change(false).await.json["standing"], "paused");
    town.pothole().await;
    town.send_all().await;
    assert_eq!(tell(&town).await.delivered, 0);
    assert_eq!(change(true).await.json["standing"], "active");
    assert_eq!(tell(&town).await.delivered, 1);
    assert_eq!(receiver.types(), ["fr.guichet.request.acknowledged"]);
    let removed = town.call(request(Method::DELETE, &path, Some(&portal(&town)), &[], Body::empty())).await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT, "{}", removed.text);
    assert_eq!(town.get(&path, Some(&portal(&town))).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_is_out_of_bounds_is_refused() {
    let town = Town::new().await;
    let key = portal(&town);
    let url = "https://portail.example/";
    for body in [
        json!({ "url": url, "events": ["REQUEST"] }),
        json!({ "url": url, "events": [""] }),
        json!({ "url": url, "events": vec!["request."; 21] }),
        json!({ "url": url, "processes": ["a b"] }),
        json!({ "url": url, "description": "x".repeat(201) }),
        json!({ "url": url, "secret": "mine" }),
        json!({ "events": [] }),
        json!({ "url": format!("{url}{}", "a".repeat(2_000)) }),
    ] {
        let answer = town.post("/v1/ville/webhooks", Some(&key), &body).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}: {}", answer.text);
    }
    let nobody = town.post("/v1/nulle-part/webhooks", Some(&key), &json!({ "url": url })).await;
    assert_eq!(nobody.status, StatusCode::UNAUTHORIZED, "{}", nobody.text);
}
