use axum::http::StatusCode;
use guichet::Holder;
use serde_json::json;

use crate::support::{Town, pothole};

#[tokio::test]
async fn a_citizen_receives_a_code_and_promises() {
    let town = Town::new().await;
    let answer = town.pothole().await;
    assert_eq!(answer.json["stage"], "received");
    assert_eq!(answer.json["tracking_code"].as_str().unwrap().len(), 12);
    assert_eq!(answer.headers["etag"], format!("\"{}\"", answer.json["revision"]));
    assert_eq!(answer.headers["preference-applied"], "wait");
    let promises = answer.json["promises"].as_array().unwrap();
    assert!(
        promises.iter().any(|p| p["commitment"] == "answer" && p["due"] == "2026-11-05T16:00:00Z"),
        "{}",
        answer.text
    );
    let location = answer.headers["location"].to_str().unwrap();
    assert!(!location.contains(answer.json["tracking_code"].as_str().unwrap()), "no secret in an address");
}

#[tokio::test]
async fn the_same_key_sent_again_answers_the_first_receipt() {
    let town = Town::new().await;
    let headers = [("idempotency-key", "0198c6a2-0000-7000-8000-0000000000ab")];
    let first = town.post_with("/v1/ville/requests", None, &headers, &pothole()).await;
    let again = town.post_with("/v1/ville/requests", None, &headers, &pothole()).await;
    assert_eq!((first.status, again.status), (StatusCode::CREATED, StatusCode::OK));
    assert_eq!(first.json["request"], again.json["request"]);
    assert_eq!(first.json["tracking_code"], again.json["tracking_code"]);
    assert_eq!(again.json["repeated"], true);
    let mut other = pothole();
    other["form"]["danger"] = json!(true);
    let other = town.post_with("/v1/ville/requests", None, &headers, &other).await;
    assert_eq!((other.status.as_u16(), other.json["code"].as_str()), (422, Some("idempotency.reused")));
}

#[tokio::test]
async fn only_a_key_lets_someone_speak_for_others() {
    let town = Town::new().await;
    let mut body = pothole();
    body["channel"] = json!("phone");
    body["opened_by"] = json!("agent");
    let denied = town.post("/v1/ville/requests", None, &body).await;
    assert_eq!((denied.status.as_u16(), denied.json["code"].as_str()), (401, Some("access.key_needed")));
    let key = town.agent("a01");
    assert_eq!(town.post("/v1/ville/requests", Some(&key), &body).await.status, StatusCode::CREATED);
    assert_eq!(town.post("/v1/ccas/requests", Some(&key), &body).await.status, StatusCode::UNAUTHORIZED);
    let portal = town.key("ville", Holder::Integrator("portail".into()));
    assert_eq!(town.post("/v1/ville/requests", Some(&portal), &pothole()).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_flood_without_a_key_is_slowed_down_and_portals_are_not() {
    let town = Town::new().await;
    let mut last = town.pothole().await;
    for _ in 0..60 {
        last = town.post("/v1/ville/requests", None, &pothole()).await;
    }
    assert_eq!((last.status.as_u16(), last.json["code"].as_str()), (429, Some("rate.exceeded")));
    let portal = town.key("ville", Holder::Integrator("portail".into()));
    assert_eq!(town.post("/v1/ville/requests", Some(&portal), &pothole()).await.status, StatusCode::CREATED);
}
