//! A citizen's account: theirs alone, in one town alone, and gone when they wish.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use guichet::accounts::{self, Identity};
use guichet::http::Recognised;
use guichet::rights::Principal;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Answer, Town, pothole, request};

/// Somebody who is signed in.
pub(crate) struct Citizen<'t> {
    pub(crate) town: &'t Town,
    pub(crate) account: Uuid,
}

impl<'t> Citizen<'t> {
    pub(crate) async fn new(town: &'t Town, account: u128) -> Self {
        let account = Uuid::from_u128(account);
        let identity = Identity {
            provider: "franceconnect".into(),
            given_name: Some("Angela".into()),
            family_name: Some("Dubois".into()),
            email: Some(format!("{}@exemple.example", account.simple())),
            ..Identity::default()
        };
        accounts::signed_in(&town.guichet, "ville", account, &identity).await.unwrap();
        Self { town, account }
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: &Value) -> Answer {
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        let mut call = request(method, path, None, &[("prefer", "wait=5")], body);
        let known = Recognised { tenant: "ville".into(), principal: Principal::Citizen(self.account) };
        call.extensions_mut().insert(known);
        self.town.call(call).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &Value::Null).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, body).await
    }
}

/// The code of the last message that was sent.
pub(crate) fn last_code(town: &Town) -> String {
    let sent = town.sent.sent();
    let digits = sent.last().unwrap().subject.chars().filter(char::is_ascii_digit);
    digits.take(8).collect()
}

#[tokio::test]
async fn an_account_is_opened_once_shown_to_its_holder_and_nothing_in_another_town() {
    let town = Town::new().await;
    let angela = Citizen::new(&town, 1).await;
    // Signing in again with the same identity tells nothing new.
    Citizen::new(&town, 1).await;
    let me = angela.get("/v1/ville/account").await;
    assert_eq!(me.status, StatusCode::OK, "{}", me.text);
    assert_eq!((&me.json["given_name"], &me.json["email_proven"]), (&json!("Angela"), &json!(true)));
    let history = accounts::history(&town.guichet, "ville", angela.account).await.unwrap();
    assert_eq!(history.len(), 2);
    assert_eq!(angela.get("/v1/ccas/account").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(town.get("/v1/ville/account", None).await.status, StatusCode::UNAUTHORIZED);
    let agent = town.agent("a01");
    assert_eq!(town.get("/v1/ville/account", Some(&agent)).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn requests_made_in_an_account_or_taken_into_it_are_found_there_and_by_nobody_else() {
    let town = Town::new().await;
    let (angela, other) = (Citizen::new(&town, 1).await, Citizen::new(&town, 2).await);
    let mut body = pothole();
    body["requester"] = json!({});
    let made = angela.post("/v1/ville/requests", &body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    // The account's own address is where the acknowledgement goes.
    town.send_all().await;
    assert!(
        town.sent
            .sent()
            .iter()
            .any(|letter| letter.to == format!("{}@exemple.example", angela.account.simple()))
    );
    let earlier = town.pothole().await;
    let code = earlier.json["tracking_code"].clone();
    let claimed = angela.post("/v1/ville/account/requests", &json!({ "code": code })).await;
    assert_eq!(claimed.status, StatusCode::OK, "{}", claimed.text);
    let mine = angela.get("/v1/ville/account/requests?limit=1").await;
    assert_eq!(
        (mine.json["n"].clone(), mine.json["requests"].as_array().unwrap().len()),
        (json!(2), 1),
        "{}",
        mine.text
    );
    let next = mine.json["next"].as_str().unwrap();
    let rest = angela.get(&format!("/v1/ville/account/requests?limit=1&cursor={next}")).await;
    assert_eq!(rest.json["requests"].as_array().unwrap().len(), 1, "{}", rest.text);
    assert!(rest.json.get("next").is_none());
    assert_eq!(other.get("/v1/ville/account/requests").await.json["n"], json!(0));
    for id in [&made.json["request"], &earlier.json["request"]] {
        let path = format!("/v1/ville/account/requests/{}", id.as_str().unwrap());
        assert_eq!(angela.get(&path).await.status, StatusCode::OK);
        assert_eq!(other.get(&path).await.status, StatusCode::NOT_FOUND);
        let withdraw = json!({ "command": "withdraw" });
        let act = format!("{path}/actions");
        assert_eq!(other.post(&act, &withdraw).await.status, StatusCode::NOT_FOUND);
        assert_eq!(angela.post(&act, &json!({ "command": "qualify" })).await.status, StatusCode::FORBIDDEN);
        assert_eq!(angela.post(&act, &withdraw).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn nobody_names_an_account_that_is_not_theirs() {
    let town = Town::new().await;
    let angela = Citizen::new(&town, 1).await;
    let mut body = pothole();
    body["requester"]["account_id"] = json!(angela.account);
    let agent = town.agent("a01");
    for key in [None, Some(agent.as_str())] {
        let refused = town.post("/v1/ville/requests", key, &body).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text);
    }
}

#[tokio::test]
async fn an_address_that_changes_is_proven_anew_and_a_code_is_worth_something_once() {
    let town = Town::new().await;
    let angela = Citizen::new(&town, 1).await;
    let wrong = angela.send(Method::PATCH, "/v1/ville/account", &json!({ "email": "nowhere" })).await;
    assert_eq!(
        (wrong.status, &wrong.json["errors"][0]["pointer"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("/email"))
    );
    let change = json!({ "email": "new@exemple.example", "preferred": "email", "language": "en" });
    let changed = angela.send(Method::PATCH, "/v1/ville/account", &change).await;
    assert_eq!(
        (&changed.json["email_proven"], &changed.json["language"]),
        (&json!(false), &json!("en")),
        "{}",
        changed.text
    );
    let by = json!({ "by": "email" });
    assert_eq!(angela.post("/v1/ville/account/proofs", &by).await.status, StatusCode::ACCEPTED);
    assert_eq!(town.sent.sent().last().unwrap().to, "new@exemple.example");
    let code = last_code(&town);
    let confirm = |code: &str| json!({ "by": "email", "code": code });
    let path = "/v1/ville/account/proofs/confirm";
    assert_eq!(angela.post(path, &confirm("00000000")).await.json["code"], json!("code.wrong"));
    let proven = angela.post(path, &confirm(&code)).await;
    assert_eq!(proven.json["email_proven"], json!(true), "{}", proven.text);
    assert_eq!(angela.post(path, &confirm(&code)).await.json["code"], json!("code.wrong"), "spent");
    // The fifth message within an hour is the last.
    for _ in 0..4 {
        assert_eq!(angela.post("/v1/ville/account/proofs", &by).await.status, StatusCode::ACCEPTED);
    }
    let much = angela.post("/v1/ville/account/proofs", &by).await;
    assert_eq!(much.status, StatusCode::TOO_MANY_REQUESTS, "{}", much.text);
    // Guessed wrong five times, the right one is worth nothing; and an old one never is.
    let code = last_code(&town);
    for _ in 0..5 {
        angela.post(path, &confirm("00000001")).await;
    }
    assert_eq!(angela.post(path, &confirm(&code)).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    town.move_to("2026-11-03T11:00:00Z");
    assert_eq!(angela.post("/v1/ville/account/proofs", &by).await.status, StatusCode::ACCEPTED);
    let code = last_code(&town);
    town.move_to("2026-11-03T11:10:01Z");
    assert_eq!(angela.post(path, &confirm(&code)).await.status, StatusCode::UNPROCESSABLE_ENTITY, "too late");
}

#[tokio::test]
async fn consents_are_given_withdrawn_and_counted_without_names() {
    let town = Town::new().await;
    let (angela, other) = (Citizen::new(&town, 1).await, Citizen::new(&town, 2).await);
    let path = "/v1/ville/account/consents/contact_base";
    for citizen in [&angela, &other] {
        let given = citizen.send(Method::PUT, path, &json!({ "version": "2026-01" })).await;
        assert_eq!(given.status, StatusCode::OK, "{}", given.text);
    }
    let withdrawn = other.send(Method::DELETE, path, &Value::Null).await;
    assert!(withdrawn.json["consents"][0]["withdrawn"].is_string(), "{}", withdrawn.text);
    let counted = town.get("/v1/ville/contact-base", Some(&town.agent("a84"))).await;
    assert_eq!(
        counted.json["consents"],
        json!([{ "purpose": "contact_base", "version": "2026-01", "people": 1 }]),
        "{}",
        counted.text
    );
    assert!(!counted.text.contains(&angela.account.to_string()) && !counted.text.contains("Angela"));
}

#[tokio::test]
async fn what_is_held_is_exported_and_who_it_was_is_unreadable_once_the_account_is_closed() {
    let town = Town::new().await;
    let angela = Citizen::new(&town, 1).await;
    let made = angela.post("/v1/ville/requests", &pothole()).await;
    angela.post("/v1/ville/account/subscriptions", &json!({ "topic": "voirie" })).await;
    let held = angela.get("/v1/ville/account/export").await;
    assert_eq!(held.status, StatusCode::OK, "{}", held.text);
    assert_eq!(held.json["requests"][0]["contact"]["name"], json!("Jeanne Dupont"), "{}", held.text);
    assert_eq!(held.json["history"][1]["content"]["identity"]["value"]["family_name"], json!("Dubois"));
    let closed = angela.send(Method::DELETE, "/v1/ville/account", &Value::Null).await;
    assert_eq!(closed.status, StatusCode::NO_CONTENT, "{}", closed.text);
    assert_eq!(angela.get("/v1/ville/account").await.status, StatusCode::UNAUTHORIZED);
    let history = accounts::history(&town.guichet, "ville", angela.account).await.unwrap();
    let words = serde_json::to_string(&history.iter().map(|entry| &entry.event).collect::<Vec<_>>()).unwrap();
    assert!(!words.contains("Dubois") && words.contains("holder"), "{words}");
    // The request stays: the town hall still has to answer it.
    let id = made.json["request"].as_str().unwrap();
    let agent = town.agent("a01");
    assert_eq!(town.get(&format!("/v1/ville/requests/{id}"), Some(&agent)).await.status, StatusCode::OK);
    // Whoever comes back begins anew: the old request is not theirs to see.
    town.move_to("2026-11-03T10:00:00Z");
    let again = Citizen::new(&town, 1).await;
    assert_eq!(again.get("/v1/ville/account/requests").await.json["n"], json!(0));
    assert_eq!(again.get(&format!("/v1/ville/account/requests/{id}")).await.status, StatusCode::NOT_FOUND);
}
