use axum::http::StatusCode;

use crate::support::Town;

#[tokio::test]
async fn figures_name_their_denominator_and_their_position() {
    let town = Town::new().await;
    town.pothole().await;
    let denied = town.get("/v1/ville/dashboard", None).await;
    assert_eq!(denied.status, StatusCode::UNAUTHORIZED);
    let answer = town.get("/v1/ville/dashboard", Some(&town.agent("a01"))).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(answer.json["total"]["requests"], 1);
    assert!(answer.json["as_of"].is_string());
    let kept = answer.json["kept"].as_array().unwrap();
    assert!(kept.iter().all(|line| line["known"].is_u64() && line["on_time"].is_u64()), "{}", answer.text);
    assert_eq!(town.get("/", None).await.status, StatusCode::NOT_FOUND, "closed unless it was opened");
}
