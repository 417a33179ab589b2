use axum::http::StatusCode;
use serde_json::json;

use crate::support::Town;

#[tokio::test]
async fn agents_carry_a_request_along() {
    let town = Town::new().await;
    let request = town.pothole().await.json["request"].as_str().unwrap().to_owned();
    let path = format!("/v1/ville/requests/{request}/commands");
    let key = town.agent("a01");
    let qualified = town.post(&path, Some(&key), &json!({ "command": "qualify" })).await;
    assert_eq!(qualified.status, StatusCode::OK, "{}", qualified.text);
    assert_eq!(qualified.json["stage"], "assigned");
    assert_eq!(qualified.json["service"], "voirie");
    let events = qualified.json["events"].as_array().unwrap();
    assert!(events.contains(&json!("request.qualified")) && events.contains(&json!("request.assigned")));
}

#[tokio::test]
async fn a_command_on_an_older_revision_is_refused() {
    let town = Town::new().await;
    let received = town.pothole().await;
    let path = format!("/v1/ville/requests/{}/commands", received.json["request"].as_str().unwrap());
    let key = town.agent("a01");
    let tag = received.headers["etag"].to_str().unwrap().to_owned();
    let note = json!({ "command": "note", "text": "vu" });
    let first = town.post_with(&path, Some(&key), &[("if-match", &tag)], &note).await;
    assert_eq!(first.status, StatusCode::OK, "{}", first.text);
    let second = town.post_with(&path, Some(&key), &[("if-match", &tag)], &note).await;
    assert_eq!((second.status.as_u16(), second.json["code"].as_str()), (412, Some("request.moved_on")));
    let odd = town.post_with(&path, Some(&key), &[("if-match", "abc")], &note).await;
    assert_eq!((odd.status.as_u16(), odd.json["code"].as_str()), (400, Some("if_match.malformed")));
}

#[tokio::test]
async fn a_command_in_the_wrong_stage_says_what_would_be_allowed() {
    let town = Town::new().await;
    let request = town.pothole().await.json["request"].as_str().unwrap().to_owned();
    let path = format!("/v1/ville/requests/{request}/commands");
    let key = town.agent("a01");
    let refused = town.post(&path, Some(&key), &json!({ "command": "deliver", "by": "counter" })).await;
    assert_eq!(
        (refused.status.as_u16(), refused.json["code"].as_str()),
        (409, Some("stage.wrong")),
        "{}",
        refused.text
    );
    assert_eq!(refused.json["stage"], "received");
    assert!(refused.json["allowed"].as_array().unwrap().contains(&json!("qualify")), "{}", refused.text);
    assert_eq!(refused.headers["content-type"], "application/problem+json");
}

#[tokio::test]
async fn the_engines_own_commands_are_nobody_elses() {
    let town = Town::new().await;
    let request = town.pothole().await.json["request"].as_str().unwrap().to_owned();
    let path = format!("/v1/ville/requests/{request}/commands");
    let key = town.agent("a01");
    let elapse = json!({
        "command": "elapse", "due": "2026-11-05T16:00:00Z", "timer": { "breach": { "commitment": "answer" } }
    });
    let refused = town.post(&path, Some(&key), &elapse).await;
    assert_eq!(
        (refused.status.as_u16(), refused.json["code"].as_str()),
        (403, Some("role.needed")),
        "{}",
        refused.text
    );
}
