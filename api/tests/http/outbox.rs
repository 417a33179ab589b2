//! Messages that wait: for the morning, for others, for somebody.

use axum::http::StatusCode;
use guichet::outbound::{MemoryOutbound, Outbound};
use guichet::rights::Scope;
use guichet::settings::messages::Section;
use guichet::workers::Outbox;
use guichet::{Holder, KeyTerms, Options};
use serde_json::{Value, json};

use crate::store::on_postgres;
use crate::support::{Answer, Town};

async fn town(messages: Section) -> Town {
    Town::opened(None, |options| {
        options.settings(guichet::settings::Settings { messages, ..Default::default() })
    })
    .await
}

fn clerk(town: &Town) -> String {
    let access = town.access();
    let scopes = Some(vec![Scope::OutboxManage, Scope::RequestsAct, Scope::RequestsReceive]);
    let terms = KeyTerms { scopes, ..KeyTerms::new("ville", Holder::Agent("a01".into())) };
    access.make(&terms).unwrap().0
}

async fn received(town: &Town, requester: Value, form: Value) -> Answer {
    let body = json!({ "process": "voirie/chaussee-abimee", "requester": requester, "form": form });
    let answer = town.post_with("/v1/ville/requests", None, &[("prefer", "wait=5")], &body).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    answer
}

async fn qualify(town: &Town, request: &Value) {
    let path = format!("/v1/ville/requests/{}/commands", request.as_str().unwrap());
    let done = town.post(&path, Some(&town.agent("a01")), &json!({ "command": "qualify" })).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.text);
}

fn by_phone() -> Value {
    json!({ "language": "en", "preferred": "sms", "contact": { "phone": "06 12 34 56 78" } })
}

fn place() -> Value {
    json!({ "place": [48.957, 4.363], "danger": false })
}

fn quiet() -> Section {
    Section { quiet_hours: Some("20:00-08:00".to_owned().try_into().unwrap()), ..Section::default() }
}

#[tokio::test]
async fn a_text_message_waits_for_the_morning_and_a_mail_does_not() {
    let town = town(quiet()).await;
    town.move_to("2026-11-03T21:00:00Z");
    received(&town, by_phone(), place()).await;
    town.pothole().await;
    town.send_all().await;
    let sent = town.sent.sent();
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert_eq!(sent[0].to, "jeanne@exemple.example");
    town.move_to("2026-11-04T06:59:59Z");
    town.send_all().await;
    assert_eq!(town.sent.sent().len(), 1);
    town.move_to("2026-11-04T07:00:00Z");
    town.send_all().await;
    let text = &town.sent.sent()[1];
    assert!(text.to.starts_with("06") && text.text.contains("News by"), "in English: {}", text.text);
}

#[tokio::test]
async fn an_acknowledgement_with_a_term_goes_out_before_it_even_at_night() {
    let town = town(quiet()).await;
    let answer = received(&town, by_phone(), place()).await;
    let promises = answer.json["promises"].as_array().unwrap();
    let due = promises.iter().find(|one| one["commitment"] == "acknowledgement").unwrap()["due"].clone();
    let due: chrono::DateTime<chrono::Utc> = due.as_str().unwrap().parse().unwrap();
    // An outbox that stood still until the evening before the term: the morning would be too late.
    town.clock.move_to(due - chrono::TimeDelta::hours(1));
    let night = town.guichet.now().format("%H").to_string();
    let mut settings = quiet();
    settings.quiet_hours = Some(format!("{night}:00-{night}:59").try_into().unwrap());
    town.send_all().await;
    assert_eq!(town.sent.sent().len(), 1);
}

#[tokio::test]
async fn ten_notices_are_one_mail_and_each_is_reported() {
    let town = town(Section { digest_minutes: 30, ..Section::default() }).await;
    let mut requests = Vec::new();
    for _ in 0..5 {
        let request = town.pothole().await.json["request"].clone();
        qualify(&town, &request).await;
        requests.push(request);
    }
    town.send_all().await;
    let to_staff = |town: &Town| {
        let all = town.sent.sent();
        all.into_iter().filter(|one| one.to != "jeanne@exemple.example").collect::<Vec<_>>()
    };
    assert_eq!(to_staff(&town).len(), 0, "they wait for each other");
    town.move_to("2026-11-03T09:30:00Z");
    town.send_all().await;
    let mails = to_staff(&town);
    let to_roads: Vec<_> = mails.iter().filter(|one| one.to.starts_with("voirie@")).collect();
    assert_eq!(to_roads.len(), 1, "{:?}", mails.iter().map(|one| &one.subject).collect::<Vec<_>>());
    assert!(to_roads[0].id.starts_with("digest-"));
    assert!(to_roads[0].text.matches("\n- [").count() + 1 >= 5, "{}", to_roads[0].text);
    for request in &requests {
        let id = guichet::engine::rules::request::RequestId(request.as_str().unwrap().parse().unwrap());
        let history = town.guichet.history("ville", id, &Default::default(), false).await.unwrap();
        assert!(history.iter().any(|entry| entry.event.what.name() == "request.notified"), "{request}");
    }
    town.send_all().await;
    assert_eq!(to_staff(&town).len(), mails.len(), "nothing goes out twice");
}

#[tokio::test]
async fn what_is_urgent_is_never_gathered() {
    let town = town(Section { digest_minutes: 30, ..Section::default() }).await;
    let danger = json!({ "place": [48.957, 4.363], "danger": true });
    let contact = json!({ "contact": { "email": "jeanne@exemple.example" } });
    let request = received(&town, contact, danger).await.json["request"].clone();
    qualify(&town, &request).await;
    town.send_all().await;
    let at_once = town.sent.sent().into_iter().filter(|one| one.to != "jeanne@exemple.example").count();
    assert!(at_once >= 1, "the on-call team is told at once");
}

/// Takes everything; once, the program dies before it can report.
struct Dying(MemoryOutbound);

#[async_trait::async_trait]
impl Outbound for Dying {
    async fn send(
        &self,
        message: &guichet::outbound::OutMessage,
    ) -> Result<(), guichet::outbound::SendError> {
        self.0.send(message).await?;
        let digests = self.0.sent().into_iter().filter(|one| one.id.starts_with("digest-")).count();
        assert!(digests != 1, "the program dies here");
        Ok(())
    }
}

#[tokio::test]
async fn a_digest_that_was_sent_and_not_reported_is_sent_again_with_the_same_id() {
    let kept = MemoryOutbound::default();
    let town = Town::opened(Some(std::sync::Arc::new(Dying(kept.clone()))), |options| {
        let mut settings = guichet::settings::Settings::default();
        settings.messages.digest_minutes = 30;
        // Where several servers could be, claims are counted by the database's clock, which no test moves.
        let lease = if on_postgres() { std::time::Duration::from_secs(1) } else { options.lease };
        Options { lease, ..options.settings(settings) }
    })
    .await;
    for _ in 0..3 {
        let request = town.pothole().await.json["request"].clone();
        qualify(&town, &request).await;
    }
    town.send_all().await;
    town.move_to("2026-11-03T09:30:00Z");
    let _ = Outbox::new(&town.guichet).in_order().run_once(town.guichet.now()).await;
    // Meanwhile something else is asked for; the claim of the dead program ends.
    if on_postgres() {
        tokio::time::sleep(std::time::Duration::from_millis(1_200)).await;
    }
    let request = town.pothole().await.json["request"].clone();
    qualify(&town, &request).await;
    town.move_to("2026-11-03T10:00:00Z");
    town.send_all().await;
    let digests: Vec<_> = kept.sent().into_iter().filter(|one| one.id.starts_with("digest-")).collect();
    let same: Vec<_> = digests.iter().filter(|one| one.id == digests[0].id).collect();
    assert_eq!(same.len(), 2, "{:?}", digests.iter().map(|one| &one.id).collect::<Vec<_>>());
    assert_eq!(same[0].text, same[1].text, "what came later is in another");
}

#[tokio::test]
async fn a_letter_waits_for_somebody_who_reports_it_done() {
    let town = town(Section::default()).await;
    let key = clerk(&town);
    let contact = json!({
        "preferred": "letter", "contact": { "name": "Jeanne Dupont",
        "address": "1 rue de l’Arquebuse, 51000 Châlons-en-Champagne" }
    });
    let body = json!({
        "process": "voirie/chaussee-abimee", "channel": "letter", "opened_by": "agent",
        "requester": contact, "form": place()
    });
    let wait = [("prefer", "wait=5")];
    let received = town.post_with("/v1/ville/requests", Some(&town.agent("a01")), &wait, &body).await;
    assert_eq!(received.status, StatusCode::CREATED, "{}", received.text);
    town.send_all().await;
    let list = town.get("/v1/ville/outbox?by_hand=true", Some(&key)).await;
    assert_eq!(list.status, StatusCode::OK, "{}", list.text);
    let letters = list.json["messages"].as_array().unwrap();
    let letter = letters.iter().find(|one| one["request"] == received.json["request"]).unwrap();
    assert_eq!((&letter["by"], &letter["subject"]), (&json!("letter"), &json!("acknowledgement")));
    assert!(!list.text.contains("Jeanne") && !list.text.contains("Arquebuse"), "{}", list.text);
    let path = format!(
        "/v1/ville/outbox/{}/{}",
        letter["request"].as_str().unwrap(),
        letter["effect"].as_str().unwrap()
    );
    let retried = town.post(&format!("{path}/retry"), Some(&key), &json!({})).await;
    assert_eq!(retried.json["code"], "outbox.by_hand", "{}", retried.text);
    let done = town.post_with(&format!("{path}/done"), Some(&key), &wait, &json!({})).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.text);
    assert_eq!(done.json["events"], json!(["request.acknowledged"]));
    let again = town.post(&format!("{path}/done"), Some(&key), &json!({})).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND, "{}", again.text);
}

#[tokio::test]
async fn a_message_that_failed_is_seen_tried_again_and_given_up() {
    struct Down;
    #[async_trait::async_trait]
    impl Outbound for Down {
        async fn send(&self, _: &guichet::outbound::OutMessage) -> Result<(), guichet::outbound::SendError> {
            Err(guichet::outbound::SendError::Later("the mail server answered 450".into()))
        }
    }
    let town = Town::sending(Some(std::sync::Arc::new(Down))).await;
    let key = clerk(&town);
    let request = town.pothole().await.json["request"].clone();
    town.send_all().await;
    let list = town.get("/v1/ville/outbox?failed=true", Some(&key)).await;
    let message = list.json["messages"][0].clone();
    assert_eq!(message["error"], "the mail server answered 450", "{}", list.text);
    assert_eq!((&message["request"], &message["attempts"]), (&request, &json!(1)));
    let path =
        format!("/v1/ville/outbox/{}/{}", request.as_str().unwrap(), message["effect"].as_str().unwrap());
    let retried = town.post(&format!("{path}/retry"), Some(&key), &json!({})).await;
    assert_eq!(retried.status, StatusCode::ACCEPTED, "{}", retried.text);
    let outbox = Outbox::new(&town.guichet).in_order();
    assert_eq!(outbox.run_once(town.guichet.now()).await.unwrap().postponed, 1, "at once");
    let reason = json!({ "reason": "Adresse inconnue" });
    let given_up =
        town.post_with(&format!("{path}/give-up"), Some(&key), &[("prefer", "wait=5")], &reason).await;
    assert_eq!(given_up.status, StatusCode::OK, "{}", given_up.text);
    assert_eq!(given_up.json["events"], json!(["request.notification_failed"]));
    for reason in ["", &"x".repeat(501)] {
        let refused = town.post(&format!("{path}/give-up"), Some(&key), &json!({ "reason": reason })).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text);
    }
    let gone = town.post(&format!("{path}/retry"), Some(&key), &json!({})).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND, "{}", gone.text);
}
