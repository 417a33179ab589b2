//! Letters on paper.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use guichet::engine::rules::process::Delivery;
use serde_json::json;

use crate::support::{Town, pothole, request};

#[tokio::test]
async fn whoever_wants_paper_gets_a_letter_that_can_be_printed_and_nobody_else_can() {
    let town = Town::new().await;
    let agent = town.agent("a01");
    let mut body = pothole();
    body["channel"] = "letter".into();
    body["requester"] = json!({ "language": "fr", "preferred": "letter", "contact": {
        "name": "Jeanne Łukasiewicz", "address": "3, rue de l’Œuvre\n51000 CHÂLONS-EN-CHAMPAGNE" } });
    let received = town.post_with("/v1/ville/requests", Some(&agent), &[("prefer", "wait=5")], &body).await;
    assert_eq!(received.status, StatusCode::CREATED, "{}", received.text);
    let outbox = town.guichet.read_models().outbox(Some("ville"), 10).await.unwrap().value;
    let effect = &outbox.iter().find(|item| item.by == Delivery::Letter).unwrap().effect;
    let id = received.json["request"].as_str().unwrap();
    let path = format!("/v1/ville/requests/{id}/letters/{effect}.pdf");

    use tower::ServiceExt;
    let asked = request(Method::GET, &path, Some(&agent), &[], Body::empty());
    let answer = town.router.clone().oneshot(asked).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["content-type"], "application/pdf");
    let bytes = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    if let Some(path) = std::env::var_os("GUICHET_TEST_KEEP_LETTER") {
        std::fs::write(path, &bytes).unwrap();
    }
    let holds = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
    assert!(bytes.starts_with(b"%PDF-1.7") && holds(b"%%EOF"));
    assert!(holds(b"(Jeanne Lukasiewicz)"), "the window");
    // A string with an accent is written in hexadecimal digits.
    let digits: String = id.bytes().map(|byte| format!("{byte:02X}")).collect();
    assert!(holds(digits.as_bytes()), "the reference");

    assert_eq!(town.get(&path, None).await.status, StatusCode::UNAUTHORIZED);
    let other = path.replace(effect.as_str(), "99-answer");
    assert_eq!(town.get(&other, Some(&agent)).await.status, StatusCode::NOT_FOUND);
    assert_eq!(
        town.get(&path.replace("/ville/", "/ccas/"), Some(&agent)).await.status,
        StatusCode::UNAUTHORIZED
    );
}
