use axum::body::Body;
use axum::http::{Method, StatusCode};
use guichet::outbound::{Means, MemoryOutbound, OutMessage, Outbound, SendError};
use guichet::projections::{InboxQuery, Whose, Work};
use guichet::rights::Scope;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::{Answer, Town, pothole, request};

async fn town() -> (Town, String) {
    let becomes = r#"{ process = "institutions/question-generale", text = "question" }"#;
    let settings = format!(
        "[[channels.sms]]\ntenant = \"ville\"\nfields = {{ from = \"msisdn\" }}\nbecomes = {becomes}\n\
         [[channels.social]]\ntenant = \"ville\"\nbecomes = {becomes}\n"
    );
    let town = Town::set("institutions", &settings).await;
    let key = town.program("ville", &[Scope::ChannelsDeliver]);
    (town, key)
}

async fn text(town: &Town, key: &str, id: &str, text: &str) -> Answer {
    let body = json!({ "msisdn": "+33639980001", "text": text, "id": id });
    town.post("/v1/ville/channels/sms", Some(key), &body).await
}

fn became(answer: &Answer) -> (u16, &str, bool) {
    let word = answer.json["became"].as_str().unwrap_or(&answer.text);
    (answer.status.as_u16(), word, answer.json["repeated"].as_bool().unwrap_or_default())
}

#[tokio::test]
async fn a_text_message_becomes_a_request_a_word_on_one_or_a_question_about_one() {
    let (town, key) = town().await;
    let first = text(&town, &key, "1", "La mairie est-elle ouverte le 11 ?").await;
    assert_eq!(became(&first), (200, "request", false));
    assert_eq!(
        became(&text(&town, &key, "1", "La mairie est-elle ouverte le 11 ?").await),
        (200, "request", true)
    );
    town.send_all().await;
    let sent = town.sent.sent();
    let receipt =
        sent.iter().find(|message| message.means == Means::Sms).expect("acknowledged by text message");
    let code = receipt
        .text
        .split(' ')
        .find(|word| word.len() == 12 && word.matches('-').count() == 2)
        .unwrap()
        .to_owned();
    let asked = text(&town, &key, "2", &code.to_lowercase()).await;
    assert_eq!(became(&asked), (200, "followed", false));
    let words = asked.json["answer"].as_str().unwrap();
    assert!(
        words.contains("Poser une question") && words.contains("au plus tard le 5 novembre 2026"),
        "{words}"
    );
    let said = text(&town, &key, "3", &format!("{code} et le 12 aussi ?")).await;
    assert_eq!((became(&said), &said.json["request"]), ((200, "reply", false), &first.json["request"]));
    // As a form, as many gateways send it.
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let body = Body::from("msisdn=%2B33639980002&text=Autre+question&id=4");
    let form = town.call(request(Method::POST, "/v1/ville/channels/sms", Some(&key), &headers, body)).await;
    assert_eq!(became(&form), (200, "request", false), "{}", form.text);
}

#[tokio::test]
async fn who_writes_stop_gets_no_more_text_messages_until_they_write_start() {
    let (town, key) = town().await;
    let stopped = text(&town, &key, "1", "Stop").await;
    assert_eq!(stopped.json["reason"], "stopped", "{}", stopped.text);
    text(&town, &key, "2", "Une question ?").await;
    town.send_all().await;
    let texts = || town.sent.sent().into_iter().filter(|message| message.means == Means::Sms).count();
    assert_eq!(texts(), 0);
    text(&town, &key, "3", "START").await;
    text(&town, &key, "4", "Une autre question ?").await;
    town.send_all().await;
    assert_eq!(texts(), 1);
}

#[tokio::test]
async fn parts_of_one_message_and_messages_of_one_thread_are_one_request() {
    let (town, key) = town().await;
    let part =
        |id: &str, text: &str| json!({ "msisdn": "+33639980001", "text": text, "id": id, "reference": "r1" });
    let path = "/v1/ville/channels/sms";
    let first = town.post(path, Some(&key), &part("1", "Le début, ")).await;
    let second = town.post(path, Some(&key), &part("2", "et la fin.")).await;
    assert_eq!((became(&second), &second.json["request"]), ((200, "reply", false), &first.json["request"]));
    assert!(town.post(path, Some(&key), &part("2", "et la fin.")).await.json["repeated"].as_bool().unwrap());

    let post = |id: &str, text: &str| json!({ "platform": "mastodon", "thread": "t1", "author": "@camille", "text": text, "id": id, "media": ["https://m.example/1.jpg"] });
    let path = "/v1/ville/channels/social";
    let first = town.post(path, Some(&key), &post("1", "Un banc est cassé")).await;
    assert_eq!(became(&first), (200, "request", false), "{}", first.text);
    let again = town.post(path, Some(&key), &post("1", "Un banc est cassé")).await;
    assert_eq!((became(&again), &again.json["request"]), ((200, "request", true), &first.json["request"]));
    let more = town.post(path, Some(&key), &post("2", "Près du kiosque")).await;
    assert_eq!((became(&more), &more.json["request"]), ((200, "reply", false), &first.json["request"]));
    let agent = town.agent("a01");
    let commands = format!("/v1/ville/requests/{}/commands", first.json["request"].as_str().unwrap());
    let cancel: Value = json!({ "command": "cancel", "reason": "Doublon." });
    assert_eq!(town.post(&commands, Some(&agent), &cancel).await.status, StatusCode::OK);
    let late = town.post(path, Some(&key), &post("2", "Près du kiosque")).await;
    assert_eq!((became(&late), &late.json["request"]), ((200, "reply", true), &first.json["request"]));
    let new = town.post(path, Some(&key), &post("3", "Il y en a un autre")).await;
    assert_eq!(became(&new), (200, "request", false));
    assert_ne!(new.json["request"], first.json["request"]);
}

#[tokio::test]
async fn what_is_incomplete_or_from_nobody_is_refused() {
    let (town, key) = town().await;
    let path = "/v1/ville/channels/sms";
    let body = json!({ "msisdn": "+33639980001", "text": "x" });
    assert_eq!(town.post(path, None, &body).await.status, StatusCode::UNAUTHORIZED);
    let missing = town.post(path, Some(&key), &body).await;
    assert_eq!((missing.status.as_u16(), missing.json["code"].as_str()), (422, Some("message.incomplete")));
    let list = town.post(path, Some(&key), &json!([1])).await;
    assert_eq!((list.status.as_u16(), list.json["code"].as_str()), (400, Some("body.malformed")));
}

#[tokio::test]
async fn a_gateway_may_sign_instead_of_showing_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "a secret of the gateway").unwrap();
    let settings = format!(
        "[[channels.sms]]\ntenant = \"ville\"\n\
         proof = {{ header = \"x-signature\", secret_file = {secret:?}, signed = true, timestamp = \"x-at\" }}\n\
         becomes = {{ process = \"institutions/question-generale\", text = \"question\" }}\n"
    );
    let town = Town::set("institutions", &settings).await;
    let body = r#"{"from":"+33639980001","text":"Une question ?","id":"1"}"#;
    let at = town.guichet.now().timestamp().to_string();
    let mut mac = Hmac::<Sha256>::new_from_slice(b"a secret of the gateway").unwrap();
    mac.update(format!("{at}.{body}").as_bytes());
    let signature =
        mac.finalize().into_bytes().iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    let send = async |headers: &[(&str, &str)], body: &str| {
        let sent =
            request(Method::POST, "/v1/ville/channels/sms", None, headers, Body::from(body.to_owned()));
        town.call(sent).await
    };
    let signed =
        [("content-type", "application/json"), ("x-signature", signature.as_str()), ("x-at", at.as_str())];
    let done = send(&signed, body).await;
    assert_eq!(became(&done), (200, "request", false), "{}", done.text);
    assert_eq!(became(&send(&signed, body).await), (200, "request", true), "sent again it counts once");
    assert_eq!(send(&signed, &body.replace("Une", "Autre")).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(send(&signed[..1], body).await.status, StatusCode::UNAUTHORIZED);
    town.clock.move_to(town.guichet.now() + chrono::TimeDelta::minutes(6));
    assert_eq!(send(&signed, body).await.status, StatusCode::UNAUTHORIZED, "overheard, and sent again later");
}

/// Gives every message an id of its own, as gateways do.
#[derive(Clone, Default)]
struct Carrier(MemoryOutbound);

#[async_trait::async_trait]
impl Outbound for Carrier {
    async fn send(&self, message: &OutMessage) -> Result<(), SendError> {
        self.0.send(message).await
    }

    async fn hand_over(&self, message: &OutMessage) -> Result<Option<String>, SendError> {
        self.send(message).await?;
        Ok(Some(format!("g-{}", self.0.sent().len())))
    }
}

/// What is to be done because somebody was not reached, and how many messages did not arrive.
async fn unreached(town: &Town, request: &str) -> (Vec<String>, Value) {
    town.guichet.read_models().catch_up(std::time::Duration::from_secs(10)).await.unwrap();
    let query = InboxQuery { tenant: "ville".into(), whose: Whose::Everyone, work: Vec::new(), limit: 1_000 };
    let items = town.guichet.read_models().inbox(&query).await.unwrap().value.into_iter();
    let mine = items.filter(|item| item.request.to_string() == request && item.work == Work::Reach);
    let mine = mine.filter_map(|item| item.item).collect();
    let figures = town.get("/v1/ville/dashboard", Some(&town.agent("a01"))).await;
    (mine, figures.json["total"]["undelivered"].clone())
}

#[tokio::test]
async fn a_text_message_that_did_not_arrive_is_marked_however_late_and_seen_by_agents_until_they_act() {
    let becomes = r#"{ process = "voirie/chaussee-abimee", text = "details" }"#;
    let text = format!("[[channels.sms]]\ntenant = \"ville\"\nbecomes = {becomes}\n");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    std::fs::write(&path, text).unwrap();
    let carrier = Carrier::default();
    let settings = guichet::settings::Settings::read(&path).unwrap();
    let town = Town::with(Some(std::sync::Arc::new(carrier.clone())), settings).await;
    let (key, agent) = (town.program("ville", &[Scope::ChannelsDeliver]), town.agent("a01"));
    let mut body = pothole();
    body["requester"] = json!({ "preferred": "sms", "contact": { "phone": "+33639980001" } });
    let made = town.post_with("/v1/ville/requests", None, &[("prefer", "wait=5")], &body).await;
    let id = made.json["request"].as_str().unwrap().to_owned();
    let commands = format!("/v1/ville/requests/{id}/commands");
    let said =
        town.post(&commands, Some(&agent), &json!({ "command": "message", "text": "On arrive." })).await;
    assert_eq!(said.status, StatusCode::OK, "{}", said.text);
    town.send_all().await;
    let sent = carrier.0.sent();
    let texts = sent.iter().filter(|one| one.means == Means::Sms && one.to == "+33639980001").count();
    assert_eq!(texts, 2, "the receipt, and what the agent says: {sent:?}");
    let place = sent.iter().rposition(|one| one.means == Means::Sms).unwrap();
    let (message, carriers) = (sent[place].id.clone(), format!("g-{}", place + 1));
    assert_eq!(unreached(&town, &id).await, (vec![], json!(0)));

    let path = "/v1/ville/channels/sms/reports";
    let report = async |body: Value| town.post(path, Some(&key), &body).await;
    assert_eq!(town.post(path, None, &json!({ "id": "g-1", "status": "failed" })).await.status, 401);
    for (status, why) in [("delivered", "delivered"), ("accepted", "under_way")] {
        let ignored = report(json!({ "reference": message, "status": status })).await;
        assert_eq!(ignored.json["reason"], json!(why), "{}", ignored.text);
    }
    for body in [
        json!({ "id": "g-99", "status": "failed" }),
        json!({ "reference": format!("{id}.9999-0"), "status": "failed" }),
        json!({ "reference": "8d698e70-82cc-5089-85b7-f13ddea0fe6f.1-0", "status": "failed" }),
        json!({ "status": "failed" }),
    ] {
        let unknown = report(body).await;
        assert_eq!(
            (unknown.status.as_u16(), &unknown.json["reason"]),
            (200, &json!("unknown")),
            "{}",
            unknown.text
        );
    }
    town.move_to("2026-11-05T09:00:00Z");
    // By the gateway's own id, and by ours: the same news.
    let failed = report(json!({ "id": carriers, "status": "UNDELIV", "error": "27 <absent>" })).await;
    assert_eq!((became(&failed), &failed.json["request"]), ((200, "undelivered", false), &json!(id)));
    let again = report(json!({ "reference": message, "status": "failed" })).await;
    assert_eq!(became(&again), (200, "undelivered", false), "{}", again.text);
    let effect = message.split('.').nth(1).unwrap().to_owned();
    assert_eq!(unreached(&town, &id).await, (vec![effect], json!(1)));
    let timeline = town.get(&format!("/v1/ville/requests/{id}/timeline"), Some(&agent)).await;
    assert!(timeline.text.contains("the gateway reported 27 absent"), "{}", timeline.text);
    assert!(!timeline.text.contains("+336"), "{}", timeline.text);
    let note = json!({ "command": "note", "text": "Appelée, elle vient." });
    assert_eq!(town.post(&commands, Some(&agent), &note).await.status, StatusCode::OK);
    assert_eq!(unreached(&town, &id).await, (vec![], json!(1)), "looked after, and still counted");
}

/// Takes no social message, as a network does in whose conversation one may not write any more.
#[derive(Clone, Default)]
struct Closed(MemoryOutbound);

#[async_trait::async_trait]
impl Outbound for Closed {
    async fn send(&self, message: &OutMessage) -> Result<(), SendError> {
        if message.means == Means::Social {
            return Err(SendError::Never("the gateway answered 403".into()));
        }
        self.0.send(message).await
    }
}

/// Somebody asks by a network and is answered: what left, and the request.
async fn answered(town: &Town, key: &str, email: Option<&str>) -> String {
    let post = json!({
        "platform": "mastodon", "thread": "t-1", "author": "@camille", "text": "La piscine ouvre quand ?", "id": "m-1",
        "email": email
    });
    let first = town.post("/v1/ville/channels/social", Some(key), &post).await;
    assert_eq!(became(&first), (200, "request", false), "{}", first.text);
    let id = first.json["request"].as_str().unwrap().to_owned();
    let resolve = json!({ "command": "resolve", "text": "Samedi à 9 h." });
    let done =
        town.post(&format!("/v1/ville/requests/{id}/commands"), Some(&town.agent("a01")), &resolve).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.text);
    for _ in 0..3 {
        town.guichet.read_models().catch_up(std::time::Duration::from_secs(10)).await.unwrap();
        town.send_all().await;
    }
    id
}

const SOCIAL: &str = "[[channels.social]]\ntenant = \"ville\"\n\
    becomes = { process = \"institutions/question-generale\", text = \"question\" }\n";

#[tokio::test]
async fn whoever_wrote_in_a_conversation_is_answered_in_it_without_what_opens_the_request() {
    let town = Town::set("institutions", SOCIAL).await;
    let key = town.program("ville", &[Scope::ChannelsDeliver]);
    let id = answered(&town, &key, None).await;
    let sent = town.sent.sent();
    let posts: Vec<&OutMessage> = sent.iter().filter(|one| one.means == Means::Social).collect();
    let [answer] = posts.as_slice() else { panic!("{posts:?}") };
    let to: Value = serde_json::from_str(&answer.to).unwrap();
    assert_eq!(to, json!({ "platform": "mastodon", "thread": "t-1", "author": "@camille" }));
    assert!(answer.text.contains("Samedi à 9 h."), "{}", answer.text);
    let codes = answer
        .text
        .split_whitespace()
        .filter(|word| guichet::engine::rules::tracking::TrackingCode::parse(word).is_ok());
    assert_eq!(codes.count(), 0, "others may read along: {}", answer.text);
    assert!(!answer.text.contains("http"), "{}", answer.text);
    let request = guichet::engine::rules::request::RequestId(id.parse().unwrap());
    let known = town.guichet.request("ville", request).await.unwrap();
    assert_eq!(known.request.stage.id(), "delivered");
    // Nobody names a conversation from elsewhere.
    let mut body = json!({ "process": "institutions/question-generale", "form": { "question": "x ?", "about": "other" } });
    body["requester"] = json!({ "contact": { "social": { "platform": "p", "thread": "t", "author": "a" } } });
    let made = town.post("/v1/ville/requests", None, &body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let made =
        guichet::engine::rules::request::RequestId(made.json["request"].as_str().unwrap().parse().unwrap());
    assert!(!town.guichet.request("ville", made).await.unwrap().request.requester.by_social);
}

#[tokio::test]
async fn where_the_conversation_takes_nothing_the_answer_goes_by_e_mail_if_there_is_one() {
    let closed = Closed::default();
    let town = Town::set_sending("institutions", SOCIAL, std::sync::Arc::new(closed.clone())).await;
    let key = town.program("ville", &[Scope::ChannelsDeliver]);
    let id = answered(&town, &key, Some("camille@exemple.example")).await;
    let sent = closed.0.sent();
    let answer = sent.iter().find(|one| one.text.contains("Samedi à 9 h.")).expect("it went out");
    assert_eq!((answer.means, answer.to.as_str()), (Means::Email, "camille@exemple.example"));
    town.guichet.read_models().catch_up(std::time::Duration::from_secs(10)).await.unwrap();
    let timeline = town.get(&format!("/v1/ville/requests/{id}/timeline"), Some(&town.agent("a01"))).await;
    assert!(timeline.text.contains("request.delivery_failed"), "{}", timeline.text);
}
