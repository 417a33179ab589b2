//! Alerts: to all whom they concern, once, by whoever may, and to nobody who asked to be left in peace.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, StatusCode};
use guichet::accounts::{self, Identity};
use guichet::engine::rules::records::contact::Wish;
use guichet::outbound::{OutMessage, Outbound, SendError};
use guichet::workers::Alerts;
use serde_json::{Value, json};
use uuid::Uuid;

use super::account::last_code;
use crate::support::{Answer, Town, request};

fn alert(severity: &str) -> Value {
    json!({
        "severity": severity, "topics": ["voirie"], "channels": ["email", "sms"],
        "subject": { "fr": "Pont fermé", "en": "Bridge closed" },
        "body": { "fr": "Le pont est fermé.", "en": "The bridge is closed." }
    })
}

async fn subscriber(town: &Town, number: u128, wish: Wish) -> Uuid {
    let account = Uuid::from_u128(number);
    let identity = Identity {
        provider: "email".into(),
        email: Some(format!("a{number}@exemple.example")),
        ..Identity::default()
    };
    accounts::signed_in(&town.guichet, "ville", account, &identity).await.unwrap();
    let (id, subscription) = (town.guichet.fresh_command_id().unwrap(), Uuid::from_u128(number + 1_000_000));
    let decide =
        |known: &guichet::engine::rules::records::contact::Account| known.subscribe(subscription, &wish);
    accounts::change(&town.guichet, ("ville", account), id, &"subscribe", decide).await.unwrap();
    account
}

fn voirie() -> Wish {
    Wish { topic: Some("voirie".into()), ..Wish::default() }
}

async fn act(town: &Town, agent: &str, alert: &Value, action: &str) -> Answer {
    let path = format!("/v1/ville/alerts/{}/actions", alert.as_str().unwrap());
    town.post(&path, Some(agent), &json!({ "action": action })).await
}

async fn caught_up(town: &Town) {
    town.guichet.read_models().catch_up(Duration::from_secs(20)).await.unwrap();
}

#[tokio::test]
async fn an_alert_reaches_whom_it_concerns_once_each_alone_and_in_their_language() {
    let town = Town::new().await;
    let (author, second) = (town.agent("a84"), town.agent("a83"));
    subscriber(&town, 1, voirie()).await;
    subscriber(&town, 2, Wish::default()).await;
    subscriber(&town, 3, Wish { topic: Some("eau".into()), ..Wish::default() }).await;
    caught_up(&town).await;
    let drafted = town.post("/v1/ville/alerts", Some(&author), &alert("danger")).await;
    assert_eq!(
        (drafted.status, &drafted.json["people"]),
        (StatusCode::CREATED, &json!(2)),
        "{}",
        drafted.text
    );
    let id = &drafted.json["alert"];
    assert_eq!(act(&town, &author, id, "send").await.json["code"], json!("alert.approval_needed"));
    assert_eq!(act(&town, &author, id, "approve").await.status, StatusCode::FORBIDDEN);
    assert_eq!(act(&town, &second, id, "approve").await.status, StatusCode::OK);
    assert_eq!(act(&town, &author, id, "send").await.status, StatusCode::OK);
    // Whoever subscribes once it goes out is not concerned any more.
    town.move_to("2026-11-03T23:00:00Z");
    subscriber(&town, 4, voirie()).await;
    caught_up(&town).await;
    let worker = Alerts::new(&town.guichet);
    assert_eq!(worker.run_once(town.guichet.now()).await.unwrap().reached, 2, "a danger goes out at night");
    assert_eq!(worker.run_once(town.guichet.now()).await.unwrap().reached, 0);
    let sent = town.sent.sent();
    let to: Vec<&str> = sent.iter().map(|letter| letter.to.as_str()).collect();
    assert_eq!(to, ["a1@exemple.example", "a2@exemple.example"]);
    assert!(!sent[0].text.contains("a2@") && sent[0].text.contains("/unsubscribe/"), "{}", sent[0].text);
    caught_up(&town).await;
    let now = town.get(&format!("/v1/ville/alerts/{}", id.as_str().unwrap()), Some(&author)).await;
    assert_eq!(
        (&now.json["standing"], &now.json["reach"]["reached"]),
        (&json!("finished"), &json!(2)),
        "{}",
        now.text
    );
    assert!(!now.text.contains("exemple.example"));
    assert_eq!(town.get("/v1/ccas/alerts", Some(&author)).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn what_is_no_danger_waits_for_the_morning_and_can_be_stopped() {
    let town = Town::new().await;
    let author = town.agent("a84");
    subscriber(&town, 1, voirie()).await;
    let drafted = town.post("/v1/ville/alerts", Some(&author), &alert("warning")).await;
    let id = &drafted.json["alert"];
    town.move_to("2026-11-03T22:00:00Z");
    assert_eq!(act(&town, &author, id, "send").await.json["standing"], json!("sending"));
    caught_up(&town).await;
    let worker = Alerts::new(&town.guichet);
    assert_eq!(worker.run_once(town.guichet.now()).await.unwrap().reached, 0);
    assert_eq!(act(&town, &author, id, "cancel").await.json["standing"], json!("cancelled"));
    caught_up(&town).await;
    town.move_to("2026-11-04T09:00:00Z");
    assert_eq!(worker.run_once(town.guichet.now()).await.unwrap().reached, 0);
    assert!(town.sent.sent().is_empty());
}

#[tokio::test]
async fn each_collectivity_has_quiet_hours_of_its_own() {
    let settings =
        "[alerts]\nquiet_hours = \"12:00-14:00\"\n[alerts.tenants.ville]\nquiet_hours = \"21:00-22:00\"\n";
    let town = Town::set("voirie", settings).await;
    let author = town.agent("a84");
    subscriber(&town, 1, voirie()).await;
    caught_up(&town).await;
    let drafted = town.post("/v1/ville/alerts", Some(&author), &alert("warning")).await;
    assert_eq!(act(&town, &author, &drafted.json["alert"], "send").await.status, StatusCode::OK);
    caught_up(&town).await;
    let worker = Alerts::new(&town.guichet);
    for (now, reached) in [("2026-11-03T20:30:00Z", 0), ("2026-11-03T21:00:00Z", 1)] {
        town.move_to(now);
        assert_eq!(worker.run_once(town.guichet.now()).await.unwrap().reached, reached, "{now}");
    }
}

/// Hands messages over, and never comes back from the one whose turn is `hangs_at`.
struct Falling {
    sent: Mutex<Vec<String>>,
    hangs_at: AtomicUsize,
}

#[async_trait::async_trait]
impl Outbound for Falling {
    async fn send(&self, message: &OutMessage) -> Result<(), SendError> {
        let turn = {
            let mut sent = self.sent.lock().unwrap();
            sent.push(message.id.clone());
            sent.len()
        };
        if turn == self.hangs_at.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_that_die_at_any_message_leave_nobody_out_and_repeat_only_the_one_in_their_hands() {
    let falling = Arc::new(Falling { sent: Mutex::default(), hangs_at: AtomicUsize::new(0) });
    let town = Town::sending(Some(falling.clone())).await;
    let author = town.agent("a84");
    for number in 1..=120 {
        subscriber(&town, number, voirie()).await;
    }
    let drafted = town.post("/v1/ville/alerts", Some(&author), &alert("information")).await;
    act(&town, &author, &drafted.json["alert"], "send").await;
    caught_up(&town).await;
    let deaths = [1, 2, 49, 51, 52, 103, 125];
    for death in deaths {
        falling.hangs_at.store(death, Ordering::SeqCst);
        let (worker, now) = (Alerts::new(&town.guichet), town.guichet.now());
        let running = tokio::spawn(async move { worker.run_once(now).await });
        while falling.sent.lock().unwrap().len() < death {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        running.abort();
        let _ = running.await;
    }
    falling.hangs_at.store(0, Ordering::SeqCst);
    Alerts::new(&town.guichet).run_once(town.guichet.now()).await.unwrap();
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for id in falling.sent.lock().unwrap().iter() {
        *times.entry(id.clone()).or_default() += 1;
    }
    assert_eq!(times.len(), 120, "everybody was told");
    let repeats: usize = times.values().map(|times| times - 1).sum();
    assert!(repeats <= deaths.len(), "{repeats} repeats");
    caught_up(&town).await;
    let now = town.get("/v1/ville/alerts", Some(&author)).await;
    assert_eq!(now.json["alerts"][0]["reach"]["reached"], json!(120), "{}", now.text);
}

#[tokio::test]
async fn news_are_asked_for_twice_and_ended_by_one_click() {
    let town = Town::new().await;
    let asked = json!({ "by": "email", "address": "camille@exemple.example", "wish": { "topic": "voirie" }, "language": "en" });
    let sent = town.post("/v1/ville/subscriptions", None, &asked).await;
    assert_eq!(sent.status, StatusCode::ACCEPTED, "{}", sent.text);
    let code = last_code(&town);
    let mut other = asked.clone();
    other["wish"] = json!({});
    let confirm = |body: &Value| json!({ "code": code, "subscription": body });
    let path = "/v1/ville/subscriptions/confirm";
    assert_eq!(town.post(path, None, &confirm(&other)).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let stands = town.post(path, None, &confirm(&asked)).await;
    assert_eq!(stands.status, StatusCode::OK, "{}", stands.text);
    let token = stands.json["token"].as_str().unwrap().to_owned();
    caught_up(&town).await;
    let people = async || {
        let author = town.agent("a84");
        town.post("/v1/ville/alerts", Some(&author), &alert("warning")).await.json["people"].clone()
    };
    assert_eq!(people().await, json!(1));
    let end = format!("/v1/ville/unsubscribe/{token}");
    // Looking at the link ends nothing; a token of another town, or made up, is none.
    assert_eq!(town.get(&end, None).await.status, StatusCode::OK);
    for wrong in
        [format!("/v1/ccas/unsubscribe/{token}"), format!("{}0", &end[..end.len() - 1]), format!("{end}0")]
    {
        if wrong != end {
            assert_eq!(town.get(&wrong, None).await.status, StatusCode::NOT_FOUND, "{wrong}");
        }
    }
    assert_eq!(people().await, json!(1));
    let click = request(
        Method::POST,
        &end,
        None,
        &[("content-type", "application/x-www-form-urlencoded")],
        Body::from("List-Unsubscribe=One-Click"),
    );
    assert_eq!(town.call(click).await.status, StatusCode::OK);
    caught_up(&town).await;
    assert_eq!(people().await, json!(0));
}
