use axum::http::StatusCode;
use guichet::rights::Scope;
use serde_json::{Value, json};

use crate::support::Town;

fn call(place: [f64; 2], more: &Value) -> Value {
    let mut request = json!({
        "process": "voirie/chaussee-abimee", "channel": "phone", "opened_by": "agent",
        "requester": { "contact": { "name": "Éliane Buffet", "phone": "+33639980077" } },
        "form": { "place": place, "danger": false }
    });
    for (name, value) in more.as_object().unwrap() {
        request[name] = value.clone();
    }
    json!({ "request": request })
}

#[tokio::test]
async fn the_desk_receives_writes_the_slip_and_shows_what_is_open_close_by() {
    let town = Town::new().await;
    let agent = town.agent("a02");
    let first = town.post("/v1/ville/desk", Some(&agent), &call([48.957, 4.363], &json!({}))).await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.text);
    let received = &first.json["received"];
    let code = received["tracking_code"].as_str().unwrap();
    assert!(received["slip"].as_str().unwrap().contains(code), "{}", first.text);
    assert!(received["promises"].as_array().unwrap().iter().any(|promise| promise["commitment"] == "answer"));
    town.guichet.read_models().catch_up(std::time::Duration::from_secs(10)).await.unwrap();
    let near = town.post("/v1/ville/desk", Some(&agent), &call([48.957_1, 4.363], &json!({}))).await;
    assert_eq!((near.status, near.json.get("received")), (StatusCode::OK, None), "{}", near.text);
    assert_eq!(near.json["similar"][0]["request"], received["request"]);
    assert!(!near.text.contains("Buffet"), "who reported it is not shown");
    let mut although = call([48.957_1, 4.363], &json!({}));
    although["although_similar"] = json!(true);
    let received = town.post("/v1/ville/desk", Some(&agent), &although).await;
    assert_eq!(received.status, StatusCode::CREATED, "{}", received.text);
}

#[tokio::test]
async fn what_is_known_at_once_is_answered_at_once() {
    let town = Town::set("institutions", "").await;
    let agent = town.agent("a02");
    let call = json!({ "request": {
        "process": "institutions/question-generale", "channel": "counter", "opened_by": "agent",
        "requester": { "contact": { "name": "Éliane Buffet" } },
        "form": { "question": "La déchèterie est-elle ouverte le samedi ?" }, "answer": "Oui, de 9 h à 18 h."
    } });
    let done = town.post("/v1/ville/desk", Some(&agent), &call).await;
    assert_eq!(
        (done.status, done.json["received"]["stage"].as_str()),
        (StatusCode::CREATED, Some("delivered")),
        "{}",
        done.text
    );
}

#[tokio::test]
async fn a_letter_counts_from_its_arrival_and_is_acknowledged_by_letter() {
    let town = Town::new().await;
    let agent = town.agent("a02");
    let address =
        json!({ "contact": { "name": "Éliane Buffet", "address": "3 rue de la Marne\n51000 Châlons" } });
    let letter = call(
        [48.957, 4.363],
        &json!({ "channel": "letter", "requester": address, "occurred_at": "2026-10-30T09:00:00Z" }),
    );
    let done = town.post("/v1/ville/desk", Some(&agent), &letter).await;
    assert_eq!(done.status, StatusCode::CREATED, "{}", done.text);
    let due = done.json["received"]["promises"]
        .as_array()
        .unwrap()
        .iter()
        .find(|p| p["commitment"] == "answer")
        .unwrap();
    assert_eq!(due["due"], "2026-11-03T16:00:00Z", "counted from the Friday on which it came");
    town.send_all().await;
    assert!(
        town.sent.sent().iter().all(|message| message.to.contains("chalons.example")),
        "no message: a letter is an agent’s work"
    );
}

#[tokio::test]
async fn the_desk_is_for_agents_and_their_channels() {
    let town = Town::new().await;
    let program = town.program("ville", &[Scope::RequestsReceive]);
    let denied = town.post("/v1/ville/desk", Some(&program), &call([48.957, 4.363], &json!({}))).await;
    assert_eq!(denied.status, StatusCode::FORBIDDEN);
    let agent = town.agent("a02");
    let web =
        town.post("/v1/ville/desk", Some(&agent), &call([48.957, 4.363], &json!({ "channel": "web" }))).await;
    assert_eq!((web.status.as_u16(), web.json["code"].as_str()), (422, Some("desk.channel")));
    let mut far = call([48.957, 4.363], &json!({}));
    far["within_metres"] = json!(1000.1);
    assert_eq!(town.post("/v1/ville/desk", Some(&agent), &far).await.json["code"], "desk.too_far");
}
