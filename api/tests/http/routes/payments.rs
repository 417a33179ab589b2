//! Money, end to end: a provider on this machine, with signing code of its own, that says things twice, late, wrong, and
//! in somebody else's name.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use chrono::{DateTime, Utc};
use guichet::settings::{PaymentProvider, Settings};
use guichet::workers::PaymentInquiries;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};

use crate::support::{Answer, Town, pothole};

const SECRET: &str = "a secret of thirty-two bytes and a few more";

/// The provider's own signature, written apart from Guichet's.
fn signed(secret: &str, seconds: i64, body: &str) -> String {
    let mut mac = <Hmac<sha2::Sha256> as KeyInit>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{seconds}.{body}").as_bytes());
    let hex = mac.finalize().into_bytes().iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    format!("t={seconds},v1={hex}")
}

/// What the provider was asked, and what it says of each reference.
#[derive(Default)]
struct Said {
    pages: Vec<Value>,
    status: BTreeMap<String, Value>,
    asked: usize,
    unsigned: usize,
    down: bool,
}

#[derive(Clone, Default)]
struct Fake(Arc<Mutex<Said>>);

impl Fake {
    /// Listens on a port of its own.
    async fn listen(&self) -> String {
        let router = Router::new()
            .route("/pay/pages", post(pages))
            .route("/pay/status", post(status))
            .with_state(self.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        format!("http://{address}/pay/")
    }

    fn heard(&self, headers: &HeaderMap, body: &Bytes) -> Result<Value, StatusCode> {
        let header = headers["payment-signature"].to_str().unwrap();
        let seconds = header.split(',').next().unwrap().strip_prefix("t=").unwrap().parse().unwrap();
        let text = std::str::from_utf8(body).unwrap();
        let mut said = self.0.lock().unwrap();
        if said.down {
            return Err(StatusCode::BAD_GATEWAY);
        }
        if signed(SECRET, seconds, text) != header {
            said.unsigned += 1;
            return Err(StatusCode::FORBIDDEN);
        }
        Ok(serde_json::from_str(text).unwrap())
    }
}

async fn pages(State(fake): State<Fake>, headers: HeaderMap, body: Bytes) -> Result<String, StatusCode> {
    let asked = fake.heard(&headers, &body)?;
    let url = format!("https://payer.example/{}", asked["reference"].as_str().unwrap());
    fake.0.lock().unwrap().pages.push(asked);
    Ok(json!({ "url": url }).to_string())
}

async fn status(State(fake): State<Fake>, headers: HeaderMap, body: Bytes) -> Result<String, StatusCode> {
    let asked = fake.heard(&headers, &body)?;
    let mut said = fake.0.lock().unwrap();
    said.asked += 1;
    said.status.get(asked["reference"].as_str().unwrap()).map(Value::to_string).ok_or(StatusCode::NOT_FOUND)
}

/// A town that takes money, and a pothole whose repair costs 42,50 €.
struct Paid {
    town: Town,
    fake: Fake,
    agent: String,
    code: String,
    path: String,
    _secret: tempfile::TempDir,
}

impl Paid {
    async fn new() -> Self {
        let fake = Fake::default();
        let folder = tempfile::tempdir().unwrap();
        let secret_file = folder.path().join("secret");
        std::fs::write(&secret_file, format!("{SECRET}\n")).unwrap();
        let provider = PaymentProvider {
            url: fake.listen().await.parse().unwrap(),
            merchant: "12345".into(),
            secret_file,
            server_url: None,
            ask_after_minutes: 15,
        };
        let mut settings = Settings::default();
        settings.payments.providers.insert("ville".into(), provider);
        let town = Town::with(None, settings).await;
        let received = town.post_with("/v1/ville/requests", None, &[("prefer", "wait=5")], &pothole()).await;
        let agent = town.agent("a01");
        let path = format!("/v1/ville/requests/{}", received.json["request"].as_str().unwrap());
        let code = received.json["tracking_code"].as_str().unwrap().to_owned();
        let paid = Self { town, fake, agent, code, path, _secret: folder };
        paid.does(json!({ "command": "request_payment", "amount": 4250, "label": "Remise en état" })).await;
        paid
    }

    async fn does(&self, command: Value) {
        let answer = self.town.post(&format!("{}/commands", self.path), Some(&self.agent), &command).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }

    /// Begins to pay; the name of the attempt.
    async fn start(&self) -> String {
        let answer = self.town.post("/v1/ville/payments/start", None, &json!({ "code": self.code })).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let reference = answer.json["reference"].as_str().unwrap().to_owned();
        assert_eq!(answer.json["url"], format!("https://payer.example/{reference}"));
        reference
    }

    async fn post_signed(&self, tenant: &str, secret: &str, at: DateTime<Utc>, body: &str) -> Answer {
        let header = signed(secret, at.timestamp(), body);
        let path = format!("/v1/{tenant}/payments/notifications");
        let body: Value = serde_json::from_str(body).unwrap();
        self.town.post_with(&path, None, &[("payment-signature", &header)], &body).await
    }

    async fn says(&self, body: &Value) -> Answer {
        self.post_signed("ville", SECRET, self.town.guichet.now(), &body.to_string()).await
    }

    async fn follow(&self) -> Value {
        self.town.post("/v1/ville/follow", None, &json!({ "code": self.code })).await.json
    }

    async fn events(&self) -> Vec<String> {
        let entries = self.town.get(&format!("{}/timeline", self.path), Some(&self.agent)).await.json;
        let text = entries.to_string();
        let names = ["payment_requested", "payment_started", "payment_settled", "payment_failed"];
        names
            .iter()
            .flat_map(|name| vec![(*name).to_owned(); text.matches(&format!("request.{name}\"")).count()])
            .collect()
    }
}

fn notice(reference: &str, status: &str) -> Value {
    json!({ "merchant": "12345", "reference": reference, "status": status, "transaction": "TX-1",
        "amount": 4250, "currency": "EUR" })
}

#[tokio::test]
async fn a_citizen_pays_and_only_the_providers_word_counts() {
    let paid = Paid::new().await;
    paid.town.guichet.read_models().catch_up(std::time::Duration::from_secs(20)).await.unwrap();
    paid.town.send_all().await;
    let asked =
        paid.town.sent.sent().into_iter().find(|message| message.text.contains("42,50")).expect("told");
    assert!(asked.text.contains("Remise en état"), "{}", asked.text);
    assert!(!asked.text.contains("reference="), "the link holds no secret: {}", asked.text);
    let before = paid.follow().await;
    assert_eq!(
        (&before["payments"][0]["status"], &before["payments"][0]["may_start"]),
        (&json!("awaited"), &json!(true))
    );

    let reference = paid.start().await;
    let page = paid.fake.0.lock().unwrap().pages[0].clone();
    assert_eq!(
        (&page["amount"], &page["currency"], &page["label"]),
        (&json!(4250), &json!("EUR"), &json!("Remise en état"))
    );
    let back = format!("/v1/ville/payments/return?reference={reference}&status=accepted&paid=true");
    let page = paid.town.get(&back, None).await;
    assert!(
        page.status == 200 && page.text.contains("non confirmé"),
        "a browser is not believed: {}",
        page.text
    );

    let first = paid.says(&notice(&reference, "accepted")).await;
    assert_eq!(
        (first.status.as_u16(), &first.json),
        (200, &json!({ "reference": reference, "status": "settled" }))
    );
    let again = paid.says(&notice(&reference, "accepted")).await;
    assert_eq!((again.status, again.json), (first.status, first.json), "the same word, the same answer");
    let after = paid.says(&notice(&reference, "refused")).await;
    assert_eq!(
        (after.status.as_u16(), &after.json["status"]),
        (200, &json!("settled")),
        "what is paid stays paid"
    );
    assert!(paid.town.get(&back, None).await.text.contains("Paiement reçu"));
    assert_eq!(paid.follow().await["payments"][0]["status"], "settled");
    paid.town.guichet.read_models().catch_up(std::time::Duration::from_secs(20)).await.unwrap();
    assert_eq!(paid.events().await, ["payment_requested", "payment_started", "payment_settled"]);
    paid.town.send_all().await;
    assert!(
        paid.town
            .sent
            .sent()
            .iter()
            .any(|message| message.text.contains("vaut reçu") && message.text.contains("TX-1"))
    );
    let cashier = paid.town.agent("a60");
    let list = paid.town.get("/v1/ville/payments?status=settled", Some(&cashier)).await;
    assert_eq!(paid.town.get("/v1/ville/payments", Some(&paid.agent)).await.status, 403);
    assert_eq!(
        (&list.json["count"], &list.json["payments"][0]["received"]),
        (&json!(1), &json!(4250)),
        "{}",
        list.text
    );
}

#[tokio::test]
async fn refused_first_and_accepted_later_is_accepted() {
    let paid = Paid::new().await;
    let reference = paid.start().await;
    assert_eq!(paid.says(&notice(&reference, "refused")).await.json["status"], "awaited");
    assert_eq!(paid.says(&notice(&reference, "accepted")).await.json["status"], "settled");
}

#[tokio::test]
async fn a_word_that_does_not_fit_what_was_asked_changes_nothing() {
    let paid = Paid::new().await;
    let reference = paid.start().await;
    for (key, value, status) in [
        ("amount", json!(1), 422),
        ("currency", json!("USD"), 422),
        ("merchant", json!("99999"), 404),
        ("reference", json!("2R7XF8B6A0QMZ1T4C9KJ3H5N8W0101"), 404),
        ("reference", json!("x"), 404),
    ] {
        let mut wrong = notice(&reference, "accepted");
        wrong[key] = value;
        let answer = paid.says(&wrong).await;
        assert_eq!(answer.status.as_u16(), status, "{key}: {}", answer.text);
    }
    assert_eq!(paid.follow().await["payments"][0]["status"], "awaited");
    assert_eq!(paid.says(&notice(&reference, "accepted")).await.status, 200, "the right word is still heard");
}

#[tokio::test]
async fn a_forged_or_old_signature_and_another_town_are_one_answer() {
    let paid = Paid::new().await;
    let reference = paid.start().await;
    let body = notice(&reference, "accepted").to_string();
    let now = paid.town.guichet.now();
    let forged = paid.post_signed("ville", "another secret of thirty-two bytes", now, &body).await;
    let old = paid.post_signed("ville", SECRET, now - chrono::TimeDelta::minutes(6), &body).await;
    let elsewhere = paid.post_signed("agglo", SECRET, now, &body).await;
    let nowhere = paid.post_signed("nulle-part", SECRET, now, &body).await;
    for answer in [&forged, &old, &elsewhere, &nowhere] {
        assert_eq!(
            (answer.status.as_u16(), &answer.json["code"]),
            (400, &json!("payment.unsigned")),
            "{}",
            answer.text
        );
    }
    assert_eq!(paid.follow().await["payments"][0]["status"], "awaited");
}

#[tokio::test]
async fn money_that_comes_after_the_request_was_closed_is_recorded_to_be_given_back() {
    let paid = Paid::new().await;
    let reference = paid.start().await;
    paid.does(json!({ "command": "cancel", "reason": "sans objet" })).await;
    let start = paid.town.post("/v1/ville/payments/start", None, &json!({ "code": paid.code })).await;
    assert_eq!(start.status, 409, "{}", start.text);
    let late = paid.says(&notice(&reference, "accepted")).await;
    assert_eq!((late.status.as_u16(), &late.json["status"]), (200, &json!("cancelled")));
    let refund =
        json!({ "command": "refund_payment", "payment": 1, "amount": 4250, "reason": "demande close" });
    paid.does(refund).await;
    assert_eq!(paid.follow().await["payments"][0]["refunded"], 4250);
}

#[tokio::test]
async fn a_payment_of_which_nothing_is_heard_is_asked_about() {
    let paid = Paid::new().await;
    let mut worker = PaymentInquiries::new(&paid.town.guichet);
    let reference = paid.start().await;
    assert_eq!(worker.run_once(paid.town.guichet.now()).await.unwrap().asked, 0, "not at once");
    let now = paid.town.move_to("2026-11-03T09:16:00Z");
    assert_eq!(worker.run_once(now).await.unwrap().asked, 1);
    assert_eq!(worker.run_once(now).await.unwrap().asked, 0, "and not all the time");
    paid.fake.0.lock().unwrap().status.insert(reference.clone(), notice(&reference, "accepted"));
    let now = paid.town.move_to("2026-11-03T09:22:00Z");
    assert_eq!(worker.run_once(now).await.unwrap().settled, 1);
    assert_eq!(paid.follow().await["payments"][0]["status"], "settled");
    let now = paid.town.move_to("2026-11-03T12:00:00Z");
    assert_eq!(worker.run_once(now).await.unwrap().asked, 0);
    assert_eq!(
        paid.says(&notice(&reference, "accepted")).await.json["status"],
        "settled",
        "its late word changes nothing"
    );
    assert_eq!(paid.fake.0.lock().unwrap().unsigned, 0);
}

#[tokio::test]
async fn a_page_that_comes_to_nothing_is_given_up_after_two_days() {
    let paid = Paid::new().await;
    let mut worker = PaymentInquiries::new(&paid.town.guichet);
    paid.start().await;
    let now = paid.town.move_to("2026-11-05T10:00:00Z");
    assert_eq!(worker.run_once(now).await.unwrap().settled, 1, "the provider never heard of it");
    assert_eq!(paid.follow().await["payments"][0]["status"], "awaited");
}

#[tokio::test]
async fn a_provider_that_does_not_answer_loses_nothing() {
    let paid = Paid::new().await;
    paid.fake.0.lock().unwrap().down = true;
    let key = [("idempotency-key", "0198c6a2-0000-7000-8000-0000000000ab")];
    let body = json!({ "code": paid.code, "payment": 1 });
    let down = paid.town.post_with("/v1/ville/payments/start", None, &key, &body).await;
    assert_eq!((down.status.as_u16(), &down.json["code"]), (503, &json!("payment.provider_unavailable")));
    paid.fake.0.lock().unwrap().down = false;
    let up = paid.town.post_with("/v1/ville/payments/start", None, &key, &body).await;
    assert_eq!(up.status, 200, "{}", up.text);
    assert!(up.json["reference"].as_str().unwrap().ends_with("0101"), "the same attempt: {}", up.text);
    for wrong in [json!({ "code": "AAAA-AAAA-AA" }), json!({ "code": paid.code, "payment": 7 })] {
        let answer = paid.town.post("/v1/ville/payments/start", None, &wrong).await;
        assert!(answer.status.is_client_error(), "{}", answer.text);
    }
}

#[tokio::test]
async fn an_appointment_is_offered_chosen_and_put_into_a_calendar() {
    let paid = Paid::new().await;
    paid.does(
        json!({ "command": "offer_appointment", "place": "Mairie, guichet 3 ; 1er étage", "what": "Constat",
        "slots": [{ "from": "2026-11-05T08:00:00Z", "until": "2026-11-05T08:30:00Z" },
                  { "from": "2026-11-06T08:00:00Z", "until": "2026-11-06T08:30:00Z" }] }),
    )
    .await;
    let seen = paid.follow().await;
    assert_eq!(
        (&seen["appointment"]["status"], &seen["appointment"]["zone"]),
        (&json!("offered"), &json!("Europe/Paris"))
    );
    assert!(seen["may"].as_array().unwrap().contains(&json!("choose_appointment")), "{seen}");
    let calendar = json!({ "code": paid.code });
    let path = "/v1/ville/appointments/calendar";
    assert_eq!(paid.town.post(path, None, &calendar).await.status, 404, "nothing is fixed yet");
    let choose = json!({ "code": paid.code, "command": { "command": "choose_appointment", "slot": "2026-11-05T08:00:00Z" } });
    let chosen = paid.town.post("/v1/ville/follow/actions", None, &choose).await;
    assert_eq!(chosen.status, 200, "{}", chosen.text);
    let file = paid.town.post(path, None, &calendar).await;
    assert_eq!(file.headers["content-type"], "text/calendar; charset=utf-8");
    assert!(file.text.contains("DTSTART:20261105T080000Z\r\n"), "{}", file.text);
    assert!(file.text.contains("LOCATION:Mairie\\, guichet 3 \\; 1er étage\r\n"), "{}", file.text);
    paid.town.move_to("2026-11-04T09:00:00Z");
    paid.town.guichet.read_models().catch_up(std::time::Duration::from_secs(20)).await.unwrap();
    assert!(paid.town.fire().await >= 1, "reminded at ten on the day before");
    paid.town.guichet.read_models().catch_up(std::time::Duration::from_secs(20)).await.unwrap();
    paid.town.send_all().await;
    let sent = paid.town.sent.sent();
    let reminder =
        sent.iter().find(|message| message.text.starts_with("Bonjour,\n\nRappel")).expect("reminded");
    assert!(reminder.text.contains("5 novembre 2026 à 9 h – 9 h 30 (Europe/Paris)"), "{}", reminder.text);
    let off =
        json!({ "code": paid.code, "command": { "command": "cancel_appointment", "reason": "empêchée" } });
    assert_eq!(paid.town.post("/v1/ville/follow/actions", None, &off).await.status, 200);
    assert!(paid.town.post(path, None, &calendar).await.text.contains("STATUS:CANCELLED\r\n"));
}
