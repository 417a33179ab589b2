//! What should never come, and what it is told.

use axum::body::Body;
use axum::http::Method;
use serde_json::json;

use crate::support::{Town, pothole, request};

async fn code(town: &Town, body: impl Into<Body>, headers: &[(&str, &str)]) -> (u16, String) {
    let answer = town.call(request(Method::POST, "/v1/ville/requests", None, headers, body.into())).await;
    assert_eq!(answer.headers["content-type"], "application/problem+json", "{}", answer.text);
    assert!(answer.json["text"]["fr"].is_string() && answer.json["text"]["en"].is_string());
    assert!(!answer.text.contains("panicked") && !answer.text.contains(".rs:"), "{}", answer.text);
    (answer.status.as_u16(), answer.json["code"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn each_fault_has_its_own_words() {
    let town = Town::new().await;
    let told = |status: u16, code: &str| (status, code.to_owned());
    assert_eq!(code(&town, "{\"process\":", &[]).await, told(400, "body.malformed"));
    assert_eq!(code(&town, "", &[]).await, told(400, "body.malformed"));
    assert_eq!(code(&town, "\u{0}", &[]).await, told(400, "body.malformed"));
    assert_eq!(code(&town, "[".repeat(100_000), &[]).await, told(400, "body.too_deep"));
    assert_eq!(code(&town, "{\"prozess\":\"x\"}", &[]).await, told(422, "body.shape"));
    assert_eq!(code(&town, vec![b'a'; 10 * 1024 * 1024], &[]).await, told(413, "body.too_large"));
    assert_eq!(code(&town, "process=x", &[("content-type", "text/plain")]).await, told(415, "body.not_json"));
    let key = [("idempotency-key", "clé")];
    assert_eq!(code(&town, pothole().to_string(), &key).await, told(400, "idempotency.malformed"));
    let mut unknown = pothole();
    unknown["process"] = json!("voirie/nulle-part");
    assert_eq!(code(&town, unknown.to_string(), &[]).await, told(422, "process.unknown"));
}

#[tokio::test]
async fn every_wrong_field_is_named_at_once_where_it_stands() {
    let town = Town::new().await;
    let mut body = pothole();
    body["form"] = json!({ "danger": "peut-être", "inconnu": 1 });
    let answer = town.post("/v1/ville/requests", None, &body).await;
    assert_eq!(
        (answer.status.as_u16(), answer.json["code"].as_str()),
        (422, Some("form.invalid")),
        "{}",
        answer.text
    );
    let mut pointers: Vec<_> =
        answer.json["errors"].as_array().unwrap().iter().map(|e| e["pointer"].as_str().unwrap()).collect();
    pointers.sort_unstable();
    assert_eq!(pointers, ["/form/danger", "/form/inconnu", "/form/place"]);
    assert!(!answer.text.contains("peut-être"), "what was sent is not repeated: {}", answer.text);
}

#[tokio::test]
async fn addresses_and_methods_that_are_not_there_are_problems_too() {
    let town = Town::new().await;
    let nowhere = town.get("/v2/nothing", None).await;
    assert_eq!((nowhere.status.as_u16(), nowhere.json["code"].as_str()), (404, Some("not_found")));
    let method = town.call(request(Method::DELETE, "/v1/ville/requests", None, &[], Body::empty())).await;
    assert_eq!((method.status.as_u16(), method.json["code"].as_str()), (405, Some("method.not_allowed")));
    assert!(method.headers.contains_key("allow"));
    let key = town.agent("a01");
    let odd = town.get("/v1/ville/requests?limit=beaucoup", Some(&key)).await;
    assert_eq!((odd.status.as_u16(), odd.json["code"].as_str()), (400, Some("query.invalid")));
    let none = town.get("/v1/ville/requests?limit=0", Some(&key)).await;
    assert_eq!((none.status.as_u16(), none.json["code"].as_str()), (400, Some("query.limit")));
    let id = town.get("/v1/ville/requests/12", Some(&key)).await;
    assert_eq!(id.status.as_u16(), 404);
    let wrong_key = town.get("/v1/ville/inbox", Some("gk_00")).await;
    assert_eq!(
        (wrong_key.status.as_u16(), wrong_key.headers["www-authenticate"].to_str().unwrap()),
        (401, "Bearer")
    );
    let tenant = town.post("/v1/nulle/requests", None, &pothole()).await;
    assert_eq!(tenant.status.as_u16(), 404);
}
