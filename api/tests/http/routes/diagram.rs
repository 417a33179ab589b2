use axum::http::StatusCode;
use guichet::Holder;
use serde_json::json;

use crate::support::Town;

#[tokio::test]
async fn a_request_is_drawn_where_it_stands_and_nobody_is_named() {
    let town = Town::new().await;
    let request = town.pothole().await.json["request"].as_str().unwrap().to_owned();
    let path = format!("/v1/ville/requests/{request}/diagram.svg");
    let key = town.agent("a01");
    let fresh = town.get(&path, Some(&key)).await;
    assert_eq!(fresh.status, StatusCode::OK, "{}", fresh.text);
    assert_eq!(fresh.headers["content-type"], "image/svg+xml; charset=utf-8");
    assert!(fresh.headers["content-security-policy"].to_str().unwrap().contains("default-src 'none'"));
    assert!(fresh.text.contains("✓ reçue 03/11/2026 10:00"), "{}", fresh.text);
    assert!(!fresh.text.contains("✓ qualifiée") && fresh.text.contains("▸ en cours"));

    let command = json!({ "command": "qualify" });
    let done = town.post(&format!("/v1/ville/requests/{request}/commands"), Some(&key), &command).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.text);
    let later = town.get(&path, Some(&key)).await.text;
    assert!(later.contains("✓ qualifiée") && later.contains("✓ affectée"), "{later}");
    assert!(later.contains("échéance"), "the open task is due some day: {later}");
    for name in ["jeanne", "a01", "agent:"] {
        assert!(!later.contains(name), "{name} stands in the picture");
    }
    let people = &crate::support::catalogue().organisation.people;
    assert!(people.iter().all(|person| !later.contains(&person.name)));
}

#[tokio::test]
async fn pictures_are_for_staff_of_the_same_collectivity() {
    let town = Town::new().await;
    let request = town.pothole().await.json["request"].as_str().unwrap().to_owned();
    let path = format!("/v1/ville/requests/{request}/diagram.svg");
    assert_eq!(town.get(&path, None).await.status, StatusCode::UNAUTHORIZED);
    let stranger = town.key("ccas", Holder::Agent("c01".into()));
    assert_eq!(town.get(&path, Some(&stranger)).await.status, StatusCode::UNAUTHORIZED);
    let foreign = format!("/v1/ccas/requests/{request}/diagram.svg");
    assert_eq!(town.get(&foreign, Some(&stranger)).await.status, StatusCode::NOT_FOUND);

    let process = "/v1/ville/processes/voirie/chaussee-abimee/diagram.svg";
    assert_eq!(town.get(process, None).await.status, StatusCode::UNAUTHORIZED);
    let drawn = town.get(process, Some(&town.agent("a01"))).await;
    assert_eq!(drawn.status, StatusCode::OK);
    assert!(drawn.text.contains("Visite du") && !drawn.text.contains("✓ reçue"), "{}", drawn.text);
    let none = town.get("/v1/ville/processes/voirie/nowhere/diagram.svg", Some(&town.agent("a01"))).await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
}
