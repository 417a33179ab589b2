use axum::http::StatusCode;

use crate::support::Town;

#[tokio::test]
async fn ready_tells_the_truth() {
    let town = Town::new().await;
    assert_eq!(town.get("/health", None).await.status, StatusCode::OK);
    let ready = town.get("/ready", None).await;
    assert_eq!(
        (ready.status, ready.json["caught_up"].as_bool()),
        (StatusCode::OK, Some(true)),
        "{}",
        ready.text
    );
    town.guichet.read_models().close().await;
    tokio::time::sleep(guichet::http::READY_CACHED).await;
    let not = town.get("/ready", None).await;
    assert_eq!((not.status.as_u16(), not.json["read_models"].as_bool()), (503, Some(false)), "{}", not.text);
    assert_eq!(not.json["reasons"], serde_json::json!(["read_models.unreachable"]));
}
