use axum::http::StatusCode;
use serde_json::json;

use crate::support::Town;

#[tokio::test]
async fn a_requester_follows_in_words_and_may_withdraw() {
    let town = Town::new().await;
    let received = town.pothole().await;
    let code = received.json["tracking_code"].as_str().unwrap().to_lowercase().replace('-', " ");
    let french = town.post("/v1/ville/follow", None, &json!({ "code": code })).await;
    assert_eq!(french.status, StatusCode::OK, "{}", french.text);
    assert_eq!(french.json["stage"], "received");
    assert!(french.json["words"].as_str().unwrap().starts_with("Votre demande"));
    let english = town
        .post_with("/v1/ville/follow", None, &[("accept-language", "en")], &json!({ "code": code }))
        .await;
    assert!(english.json["words"].as_str().unwrap().starts_with("Your request"));
    assert!(english.json["may"].as_array().unwrap().contains(&json!("withdraw")), "{}", english.text);
    let body = json!({ "code": code, "command": { "command": "withdraw", "reason": "réparé" } });
    let done = town.post("/v1/ville/follow/actions", None, &body).await;
    assert_eq!(
        (done.status, done.json["stage"].as_str()),
        (StatusCode::OK, Some("withdrawn")),
        "{}",
        done.text
    );
}

#[tokio::test]
async fn the_code_opens_nothing_else() {
    let town = Town::new().await;
    let received = town.pothole().await;
    let code = received.json["tracking_code"].as_str().unwrap();
    let body = json!({ "code": code, "command": { "command": "cancel", "reason": "non" } });
    let denied = town.post("/v1/ville/follow/actions", None, &body).await;
    assert_eq!((denied.status.as_u16(), denied.json["code"].as_str()), (403, Some("access.denied")));
    let elsewhere = town.post("/v1/ccas/follow", None, &json!({ "code": code })).await;
    assert_eq!(elsewhere.status, StatusCode::NOT_FOUND, "a code opens nothing in another collectivity");
}

#[tokio::test]
async fn mistakes_in_a_code_are_told_and_guessing_is_slowed_down() {
    let town = Town::new().await;
    let wrong = town.post("/v1/ville/follow", None, &json!({ "code": "ABC" })).await;
    assert_eq!((wrong.status.as_u16(), wrong.json["code"].as_str()), (422, Some("follow.code_unreadable")));
    let mut last = wrong;
    for _ in 0..20 {
        last = town.post("/v1/ville/follow", None, &json!({ "code": "222-222-2222" })).await;
    }
    assert_eq!((last.status.as_u16(), last.json["code"].as_str()), (429, Some("rate.exceeded")));
    assert!(last.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() >= 1);
}
