use axum::http::StatusCode;
use chrono::TimeDelta;
use guichet::rights::Scope;
use guichet::{Holder, KeyTerms};
use serde_json::json;

use crate::support::{Town, pothole};

/// A program's key with these rights and limits.
fn program(town: &Town, scopes: &[Scope], processes: &[&str]) -> String {
    let terms = KeyTerms {
        scopes: Some(scopes.to_vec()),
        processes: processes.iter().map(|one| (*one).to_owned()).collect(),
        ..KeyTerms::new("ville", Holder::Integrator("portail".into()))
    };
    let access = town.access();
    access.make(&terms).unwrap().0
}

#[tokio::test]
async fn whoever_opens_a_dossier_is_on_record_once_an_hour() {
    let town = Town::new().await;
    let request = town.pothole().await.json["request"].as_str().unwrap().to_owned();
    let path = format!("/v1/ville/requests/{request}");
    let accesses = async || {
        town.guichet.read_models().catch_up(std::time::Duration::from_secs(10)).await.unwrap();
        town.get(&format!("{path}/accesses"), Some(&town.agent("a83"))).await
    };
    town.get(&path, Some(&town.agent("a60"))).await;
    assert_eq!(accesses().await.json["n"], 0, "who sees no dossier opens none");
    for _ in 0..3 {
        assert!(town.get(&path, Some(&town.agent("a01"))).await.json["dossier"].is_object());
    }
    let first = accesses().await;
    assert_eq!(first.status, StatusCode::OK, "{}", first.text);
    assert_eq!(first.json["n"], 1, "{}", first.text);
    let one = &first.json["accesses"][0];
    assert_eq!(
        (&one["actor"], &one["what"], &one["hour"]),
        (&json!("agent:a01"), &json!("dossier"), &json!("2026-11-03T09:00:00Z"))
    );
    town.move_to("2026-11-03T10:05:00Z");
    town.get(&path, Some(&town.agent("a01"))).await;
    let reader = program(&town, &[Scope::RequestsRead, Scope::DossiersRead], &[]);
    let opened = town.get(&path, Some(&reader)).await;
    assert_eq!(opened.json["dossier"]["contact"]["email"], "jeanne@exemple.example");
    let all = accesses().await;
    assert_eq!(all.json["n"], 3, "{}", all.text);
    assert!(all.text.contains("integrator:portail") && !all.text.contains("jeanne"), "{}", all.text);
    let other = town
        .get(
            &format!("/v1/ccas/requests/{request}/accesses"),
            Some(&town.key("ccas", Holder::Agent("c81".into()))),
        )
        .await;
    assert_eq!(other.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn who_may_do_nothing_with_a_request_does_not_come_to_read_it_by_writing_on_it() {
    let town = Town::new().await;
    let request = town.pothole().await.json["request"].as_str().unwrap().to_owned();
    let path = format!("/v1/ville/requests/{request}");
    let colleague = town.agent("a60");
    town.post(&format!("{path}/commands"), Some(&colleague), &json!({ "command": "note", "text": "x" }))
        .await;
    let read = town.get(&path, Some(&colleague)).await;
    assert!(read.json["dossier"].is_null() && !read.text.contains("jeanne"), "{}", read.text);
}

#[tokio::test]
async fn a_limited_key_reaches_its_own_processes_and_nothing_else() {
    let town = Town::new().await;
    let request = town.pothole().await.json["request"].as_str().unwrap().to_owned();
    let path = format!("/v1/ville/requests/{request}");
    let rights = [Scope::RequestsRead, Scope::RequestsReceive, Scope::DefinitionsRead, Scope::FiguresRead];
    let near = program(&town, &rights, &["voirie"]);
    let far = program(&town, &rights, &["proprete", "voirie/eclairage"]);
    assert_eq!(town.get(&path, Some(&near)).await.status, StatusCode::OK);
    assert_eq!(town.get(&path, Some(&far)).await.status, StatusCode::NOT_FOUND);
    assert_eq!(town.get(&format!("{path}/timeline"), Some(&far)).await.status, StatusCode::NOT_FOUND);
    for (key, list, status) in [
        (&near, "?theme=voirie", 200),
        (&near, "?process=voirie/chaussee-abimee", 200),
        (&near, "", 403),
        (&far, "?theme=voirie", 403),
        (&far, "?process=voirie/chaussee-abimee&theme=proprete", 403),
    ] {
        let answer = town.get(&format!("/v1/ville/requests{list}"), Some(key)).await;
        assert_eq!(answer.status.as_u16(), status, "{list} {}", answer.text);
    }
    assert_eq!(town.get("/v1/ville/dashboard", Some(&near)).await.json["code"], "access.limited");
    assert_eq!(town.post("/v1/ville/requests", Some(&near), &pothole()).await.status, StatusCode::CREATED);
    assert_eq!(town.post("/v1/ville/requests", Some(&far), &pothole()).await.status, StatusCode::FORBIDDEN);
    let versions = "/v1/ville/processes/voirie/chaussee-abimee/versions";
    assert_eq!(town.get(versions, Some(&near)).await.status, StatusCode::OK);
    assert_eq!(town.get(versions, Some(&far)).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn keys_are_made_replaced_and_taken_back_and_nobody_gives_more_than_they_have() {
    let town = Town::new().await;
    let head = town.agent("a83");
    let new = json!({ "integrator": "portail", "scopes": ["requests:read"] });
    let made = town.post("/v1/ville/keys", Some(&head), &new).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let (key, id) = (made.json["secret"].as_str().unwrap(), made.json["key"]["id"].as_str().unwrap());
    assert_eq!(town.get("/v1/ville/requests", Some(key)).await.status, StatusCode::OK);
    let replace = json!({ "grace_days": 1 });
    let rotated = town.post(&format!("/v1/ville/keys/{id}/rotate"), Some(&head), &replace).await;
    let next = rotated.json["secret"].as_str().unwrap();
    assert_eq!(town.get("/v1/ville/requests", Some(key)).await.status, StatusCode::OK, "within its grace");
    town.clock.move_to(town.guichet.now() + TimeDelta::days(2));
    assert_eq!(town.get("/v1/ville/requests", Some(key)).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(town.get("/v1/ville/requests", Some(next)).await.status, StatusCode::OK);
    let next_id = rotated.json["key"]["id"].as_str().unwrap();
    let revoke = format!("/v1/ville/keys/{next_id}/revoke");
    let stranger = town.key("ccas", Holder::Agent("c81".into()));
    assert_eq!(
        town.post(&revoke.replace("ville", "ccas"), Some(&stranger), &json!({})).await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(town.post(&revoke, Some(&head), &json!({})).await.status, StatusCode::OK);
    let gone = town.get("/v1/ville/requests", Some(next)).await;
    assert_eq!(gone.status, StatusCode::UNAUTHORIZED);
    assert_eq!(gone.headers["www-authenticate"], "Bearer");
    let list = town.get("/v1/ville/keys", Some(&head)).await;
    assert!(!list.text.contains(next) && list.text.contains(next_id), "{}", list.text);

    let manager = program(&town, &[Scope::KeysManage, Scope::RequestsRead], &[]);
    assert_eq!(town.post("/v1/ville/keys", Some(&manager), &new).await.status, StatusCode::CREATED);
    let more = json!({ "integrator": "portail", "scopes": ["requests:act"] });
    assert_eq!(town.post("/v1/ville/keys", Some(&manager), &more).await.status, StatusCode::FORBIDDEN);
    let account = json!({ "integrator": "portail", "scopes": ["account"] });
    assert_eq!(town.post("/v1/ville/keys", Some(&head), &account).await.json["code"], "key.scope");
}

#[tokio::test]
async fn whoever_tries_keys_is_slowed_down() {
    let town = Town::new().await;
    let guessed = format!("gk_{}", "1".repeat(64));
    let mut last = town.get("/v1/ville/requests", Some(&guessed)).await;
    for _ in 0..30 {
        last = town.get("/v1/ville/requests", Some(&guessed)).await;
    }
    assert_eq!((last.status.as_u16(), last.json["code"].as_str()), (429, Some("rate.exceeded")));
    assert_eq!(town.get("/v1/ville/requests", Some(&town.agent("a01"))).await.status, StatusCode::OK);
}
