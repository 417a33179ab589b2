use axum::http::StatusCode;
use guichet::Holder;

use crate::support::Town;

#[tokio::test]
async fn another_collectivitys_request_reads_as_one_that_does_not_exist() {
    let town = Town::new().await;
    let request = town.pothole().await.json["request"].as_str().unwrap().to_owned();
    let stranger = town.key("ccas", Holder::Agent("c01".into()));
    let unknown = "0198c6a2-0000-7000-8000-0000000000ff";
    for tail in ["", "/timeline", "/explanation"] {
        let foreign = town.get(&format!("/v1/ccas/requests/{request}{tail}"), Some(&stranger)).await;
        let nothing = town.get(&format!("/v1/ccas/requests/{unknown}{tail}"), Some(&stranger)).await;
        let mut seen = [foreign.json, nothing.json];
        for answer in &mut seen {
            answer.as_object_mut().unwrap().remove("exchange");
        }
        assert_eq!(foreign.status, StatusCode::NOT_FOUND);
        assert_eq!(seen[0], seen[1], "{tail}");
    }
    let note = serde_json::json!({ "command": "note", "text": "x" });
    let foreign = town.post(&format!("/v1/ccas/requests/{request}/commands"), Some(&stranger), &note).await;
    assert_eq!(foreign.status, StatusCode::NOT_FOUND);
    let denied = town.get(&format!("/v1/ville/requests/{request}"), Some(&stranger)).await;
    assert_eq!(denied.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn agents_read_what_was_said_and_programs_do_not() {
    let town = Town::new().await;
    let request = town.pothole().await.json["request"].as_str().unwrap().to_owned();
    let path = format!("/v1/ville/requests/{request}");
    let agent = town.get(&path, Some(&town.agent("a01"))).await;
    assert_eq!(agent.status, StatusCode::OK, "{}", agent.text);
    assert_eq!(agent.json["dossier"]["contact"]["email"], "jeanne@exemple.example");
    assert!(agent.json["allowed"].as_array().unwrap().iter().any(|name| name == "qualify"));
    let colleague = town.get(&path, Some(&town.agent("a60"))).await;
    assert_eq!(colleague.status, StatusCode::OK, "{}", colleague.text);
    assert!(!colleague.text.contains("jeanne"), "finance has nothing to do with it: {}", colleague.text);
    let gone = town.get(&path, Some(&town.agent("z99"))).await;
    assert_eq!(gone.status, StatusCode::UNAUTHORIZED, "nobody there has this code any more");
    let portal = town.key("ville", Holder::Integrator("portail".into()));
    let program = town.get(&path, Some(&portal)).await;
    assert_eq!(program.status, StatusCode::OK);
    assert!(!program.text.contains("jeanne"), "{}", program.text);
    let timeline = town.get(&format!("{path}/timeline"), Some(&portal)).await;
    assert_eq!(timeline.status, StatusCode::OK);
    assert!(!timeline.text.contains("jeanne") && timeline.text.contains("request.received"));
}

#[tokio::test]
async fn lists_come_in_pages_and_explanations_cite_rules() {
    let town = Town::new().await;
    for _ in 0..3 {
        town.pothole().await;
    }
    let key = town.agent("a01");
    let first = town.get("/v1/ville/requests?stage=received&limit=2", Some(&key)).await;
    assert_eq!(first.status, StatusCode::OK, "{}", first.text);
    assert_eq!(
        (first.json["n"].as_u64(), first.json["value"]["items"].as_array().unwrap().len()),
        (Some(3), 2)
    );
    let cursor = first.json["value"]["next"].as_str().unwrap();
    let second =
        town.get(&format!("/v1/ville/requests?stage=received&limit=2&cursor={cursor}"), Some(&key)).await;
    assert_eq!(second.json["value"]["items"].as_array().unwrap().len(), 1);
    let odd = town.get("/v1/ville/requests?cursor=nonsense", Some(&key)).await;
    assert_eq!((odd.status.as_u16(), odd.json["code"].as_str()), (400, Some("query.cursor")));
    let request = second.json["value"]["items"][0]["request"].as_str().unwrap();
    let path = format!("/v1/ville/requests/{request}");
    town.post(&format!("{path}/commands"), Some(&key), &serde_json::json!({ "command": "qualify" })).await;
    let why = town.get(&format!("{path}/explanation"), Some(&key)).await;
    assert_eq!(why.status, StatusCode::OK, "{}", why.text);
    assert!(
        why.text.contains("chaussee-abimee.yaml") || why.text.contains("signalement.yaml"),
        "{}",
        why.text
    );
    let inbox = town.get("/v1/ville/inbox?role=ambassadrice", Some(&key)).await;
    assert_eq!(inbox.status, StatusCode::OK, "{}", inbox.text);
}
