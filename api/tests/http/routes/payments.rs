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
use guichet::outbound::OutFile;
use guichet::settings::{PaymentProvider, Settings};
use guichet::workers::PaymentInquiries;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};

use super::account::Citizen;
use crate::support::{Answer, Town, pothole, request};

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

    /// Settings of a town whose money this provider takes.
    async fn settings(&self, folder: &std::path::Path) -> Settings {
        let secret_file = folder.join("secret");
        std::fs::write(&secret_file, format!("{SECRET}\n")).unwrap();
        let provider = PaymentProvider {
            url: self.listen().await.parse().unwrap(),
            merchant: "12345".into(),
            secret_file,
            server_url: None,
            ask_after_minutes: 15,
        };
        let mut settings = Settings::default();
        settings.payments.providers.insert("ville".into(), provider);
        settings
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
        let town = Town::with(None, fake.settings(folder.path()).await).await;
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
    let path = format!("{}/commands", paid.path);
    let anybody = paid.town.post(&path, Some(&paid.agent), &refund).await;
    assert_eq!(
        (anybody.status.as_u16(), &anybody.json["needs"]),
        (403, &json!("payments:manage")),
        "{}",
        anybody.text
    );
    let cashier = paid.town.agent("a60");
    let done = paid.town.post(&path, Some(&cashier), &refund).await;
    assert_eq!(done.status, 200, "{}", done.text);
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
    let text = |file: &OutFile| String::from_utf8(file.bytes.to_vec()).unwrap();
    let fixed =
        sent.iter().flat_map(|message| &message.files).next().expect("a file for the calendar").clone();
    assert_eq!(
        (fixed.name.as_str(), fixed.kind.as_str()),
        ("rendez-vous.ics", "text/calendar; charset=utf-8; method=PUBLISH")
    );
    for line in ["METHOD:PUBLISH", "ORGANIZER:mailto:bonjour@ville.chalons.example", "STATUS:CONFIRMED"] {
        assert!(text(&fixed).contains(&format!("{line}\r\n")), "{line}: {}", text(&fixed));
    }
    let off =
        json!({ "code": paid.code, "command": { "command": "cancel_appointment", "reason": "empêchée" } });
    assert_eq!(paid.town.post("/v1/ville/follow/actions", None, &off).await.status, 200);
    assert!(paid.town.post(path, None, &calendar).await.text.contains("STATUS:CANCELLED\r\n"));
    paid.town.guichet.read_models().catch_up(std::time::Duration::from_secs(20)).await.unwrap();
    paid.town.send_all().await;
    let sent = paid.town.sent.sent();
    let last = sent.iter().flat_map(|message| &message.files).next_back().unwrap();
    assert!(last.kind.ends_with("method=CANCEL"), "{}", last.kind);
    assert!(text(last).contains("METHOD:CANCEL\r\n") && text(last).contains("STATUS:CANCELLED\r\n"));
    let uid = |text: &str| text.lines().find(|line| line.starts_with("UID:")).unwrap().to_owned();
    assert_eq!(uid(&text(last)), uid(&text(&fixed)), "the same entry");
}

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// A town whose sheet asks for what an invoice says.
struct Billed {
    town: Town,
    fake: Fake,
    _secret: tempfile::TempDir,
}

impl Billed {
    async fn new() -> Self {
        let fake = Fake::default();
        let folder = tempfile::tempdir().unwrap();
        let settings = fake.settings(folder.path()).await;
        let town = Town::paying("demarches-administratives", settings).await;
        Self { town, fake, _secret: folder }
    }

    fn invoice() -> Value {
        json!({
            "process": "demarches-administratives/payer-facture",
            "form": { "invoice": "CAN-2026-10-4471", "amount": "62.40 EUR", "means": "card" },
            "requester": { "contact": { "email": "elise@exemple.example" } },
        })
    }

    async fn caught_up(&self) {
        self.town.guichet.read_models().catch_up(std::time::Duration::from_secs(20)).await.unwrap();
    }

    async fn page(&self, path: &str, pairs: &[(&str, &str)]) -> Answer {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        let call = request(axum::http::Method::POST, path, None, &[FORM], axum::body::Body::from(body));
        self.town.call(call).await
    }

    async fn settles(&self, reference: &str) {
        let body = json!({ "merchant": "12345", "reference": reference, "status": "accepted",
            "transaction": "TX-9", "amount": 6240, "currency": "EUR" })
        .to_string();
        let header = signed(SECRET, self.town.guichet.now().timestamp(), &body);
        let body: Value = serde_json::from_str(&body).unwrap();
        let path = "/v1/ville/payments/notifications";
        let heard = self.town.post_with(path, None, &[("payment-signature", &header)], &body).await;
        assert_eq!(
            (heard.status.as_u16(), &heard.json["status"]),
            (200, &json!("settled")),
            "{}",
            heard.text
        );
    }
}

/// The value of the first input of this name.
fn input<'a>(page: &'a str, name: &str) -> &'a str {
    page.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap().split('"').next().unwrap()
}

#[tokio::test]
async fn a_sheet_asks_and_a_page_without_a_script_leads_to_the_provider_and_back() {
    let billed = Billed::new().await;
    let blank = billed.town.get("/pages/ville/demarches-administratives/payer-facture?lang=fr", None).await;
    assert!(
        blank.text.contains("Un paiement peut être demandé"),
        "known before anything is sent: {}",
        blank.text
    );
    let received =
        billed.town.post_with("/v1/ville/requests", None, &[("prefer", "wait=5")], &Billed::invoice()).await;
    assert_eq!(received.status, 201, "{}", received.text);
    let code = received.json["tracking_code"].as_str().unwrap();
    let id = received.json["request"].as_str().unwrap();
    let desk = billed.town.agent("a60");
    let card = billed.town.get(&format!("/v1/ville/requests/{id}"), Some(&desk)).await;
    assert!(card.text.contains("\"awaited\"") || card.status == 200, "{}", card.text);
    let list = billed.town.get("/v1/ville/requests", Some(&desk)).await;
    assert_eq!(list.json["value"]["items"][0]["hold"], "waiting_for_payment", "{}", list.text);

    let page = billed.page("/pages/ville/follow?lang=fr", &[("code", code)]).await;
    assert!(page.text.contains("62,40\u{a0}€") && page.text.contains("Payer"), "{}", page.text);
    let token = input(&page.text, "token").to_owned();
    let pay = [("code", code), ("token", token.as_str()), ("payment", "1")];
    let onwards = billed.page("/pages/ville/follow/pay?lang=fr", &pay).await;
    assert_eq!(onwards.status, 200, "{}", onwards.text);
    let refresh = onwards.headers["refresh"].to_str().unwrap().to_owned();
    let reference =
        refresh.strip_prefix("0; url=https://payer.example/").expect("the provider’s page").to_owned();
    assert!(onwards.text.contains("id=\"pay\""), "and a link for whoever does not go by itself");
    assert!(onwards.headers["content-security-policy"].to_str().unwrap().contains("form-action 'self'"));
    let twice = billed.page("/pages/ville/follow/pay?lang=fr", &pay).await;
    assert_eq!(twice.headers["refresh"].to_str().unwrap(), refresh, "pressing twice is one visit");
    assert_eq!(billed.fake.0.lock().unwrap().pages[0]["amount"], 6240);
    let forged = [("code", code), ("token", "nothing"), ("payment", "1")];
    assert_eq!(billed.page("/pages/ville/follow/pay", &forged).await.status, 422);

    billed.settles(&reference).await;
    billed.caught_up().await;
    let page = billed.page("/pages/ville/follow?lang=fr", &[("code", code)]).await;
    assert!(page.text.contains("reçu") && !page.text.contains("follow/pay"), "{}", page.text);
    let list = billed.town.get("/v1/ville/requests", Some(&desk)).await;
    assert_eq!(list.json["value"]["items"][0]["hold"], Value::Null, "{}", list.text);

    let totals = billed.town.get("/v1/ville/payments/totals?from=2026-11", Some(&desk)).await;
    assert_eq!(
        totals.json["totals"],
        json!([{ "process": "demarches-administratives/payer-facture", "month": "2026-11", "payments": 1,
            "received": 6240, "refunded": 0, "currency": "EUR" }]),
        "{}",
        totals.text
    );
    assert_eq!(
        billed.town.get("/v1/ville/payments/totals?until=2026-10", Some(&desk)).await.json["count"],
        0
    );
    assert_eq!(billed.town.get("/v1/ville/payments/totals?from=2026-13", Some(&desk)).await.status, 400);
}

#[tokio::test]
async fn who_is_signed_in_pays_from_their_account_and_nobody_elses() {
    let billed = Billed::new().await;
    let elise = Citizen::new(&billed.town, 0xe115e).await;
    let other = Citizen::new(&billed.town, 0x07e4).await;
    let received = elise.post("/v1/ville/requests", &Billed::invoice()).await;
    assert_eq!(received.status, 201, "{}", received.text);
    let id = received.json["request"].as_str().unwrap();
    let mine = elise.get("/v1/ville/account/requests").await;
    assert_eq!(mine.json["requests"][0]["waits_for_you"], true, "{}", mine.text);
    let path = format!("/v1/ville/account/requests/{id}/payments/start");
    assert_eq!(other.post(&path, &json!({})).await.status, 404);
    let begun = elise.post(&path, &json!({})).await;
    assert_eq!((begun.status.as_u16(), &begun.json["amount"]), (200, &json!(6240)), "{}", begun.text);
    billed.settles(begun.json["reference"].as_str().unwrap()).await;
    assert_eq!(elise.post(&path, &json!({ "payment": 1 })).await.status, 409, "paid once");
}

#[tokio::test]
async fn a_payment_that_did_not_come_is_the_services_turn_in_its_inbox() {
    let billed = Billed::new().await;
    let received =
        billed.town.post_with("/v1/ville/requests", None, &[("prefer", "wait=5")], &Billed::invoice()).await;
    let desk = billed.town.agent("a61");
    let waits = billed.town.get("/v1/ville/inbox", Some(&desk)).await;
    assert!(
        !waits.text.contains(received.json["request"].as_str().unwrap()),
        "nothing to do yet: {}",
        waits.text
    );
    billed.town.move_to("2026-11-19T09:00:00Z");
    billed.caught_up().await;
    assert!(billed.town.fire().await >= 1);
    billed.caught_up().await;
    let turn = billed.town.get("/v1/ville/inbox", Some(&desk)).await;
    assert!(turn.text.contains("\"work\":\"payment\""), "{}", turn.text);
}

#[tokio::test]
async fn open311_says_that_a_payment_is_awaited_and_not_how_much() {
    let paid = Paid::new().await;
    let id = paid.path.rsplit('/').next().unwrap().to_owned();
    let does = async |who: &str, command: Value| {
        let key = paid.town.agent(who);
        let done = paid.town.post(&format!("{}/commands", paid.path), Some(&key), &command).await;
        assert_eq!(done.status, 200, "{}", done.text);
    };
    does("a01", json!({ "command": "qualify", "complexity": "simple" })).await;
    let report = json!({ "finding": "Un trou, rebouché.", "made_safe": true });
    does("a05", json!({ "command": "complete", "task": "visite", "report": report })).await;
    does("a22", json!({ "command": "answer", "text": "Rebouché." })).await;
    paid.town.guichet.read_models().catch_up(std::time::Duration::from_secs(20)).await.unwrap();
    let row = paid.town.get(&format!("/open311/v2/requests/{id}.json?jurisdiction_id=ville"), None).await;
    assert_eq!(row.json[0]["status_notes"], "Nous attendons votre paiement pour continuer.", "{}", row.text);
    assert!(!row.text.contains("42") || !row.text.contains("Remise en état"), "{}", row.text);
}
