use axum::http::StatusCode;

use crate::support::Town;

#[tokio::test]
async fn processes_are_found_by_words_and_show_their_form() {
    let town = Town::new().await;
    let found = town.get("/v1/ville/catalogue?q=chaussee", None).await;
    assert_eq!(found.status, StatusCode::OK, "{}", found.text);
    assert!(found.text.contains("voirie/chaussee-abimee"), "{}", found.text);
    let one = town.get("/v1/ville/catalogue/voirie/chaussee-abimee", None).await;
    assert_eq!(one.status, StatusCode::OK, "{}", one.text);
    assert!(one.json["form"].as_array().unwrap().iter().any(|field| field["field"] == "place"));
    assert_eq!(town.get("/v1/ville/catalogue/voirie/nulle-part", None).await.status, StatusCode::NOT_FOUND);
    assert_eq!(town.get("/v1/nulle/catalogue", None).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn citizens_find_what_they_mean_in_their_own_words() {
    let town = Town::new().await;
    town.guichet.publish(crate::support::catalogue()).await.unwrap();
    town.guichet.read_models().catch_up(std::time::Duration::from_secs(20)).await.unwrap();
    for (words, process) in [
        ("lampadère cassé", "eclairage/panne"),
        ("trou dans la route", "voirie/chaussee-abimee"),
        ("carte d'identité", "demarches-administratives/rendez-vous-titre-identite"),
        ("CNI périmée", "demarches-administratives/rendez-vous-titre-identite"),
        ("grafitti", "proprete/graffiti"),
        ("ma rue est sale", "proprete/salissure"),
        ("place pour un camion de déménagement", "voirie/stationnement-demenagement"),
        ("inscrir mon fils a l ecole", "education/inscription-scolaire"),
        ("voisins bruyants", "tranquillite/nuisances-sonores"),
    ] {
        let path = format!("/v1/ville/catalogue?limit=3&q={}", words.replace(' ', "+"));
        let path: String =
            path.chars().map(|c| if c.is_ascii() { c.to_string() } else { coded(c) }).collect();
        let found = town.get(&path, None).await;
        assert_eq!(found.json["value"][0]["process"], process, "{words}: {}", found.text);
    }
    let found = town.get("/v1/ville/catalogue?q=poubele", None).await;
    assert!(found.json["value"][0]["theme"] == "proprete", "{}", found.text);
    assert!(town.get("/v1/ville/catalogue?q=xyzzy", None).await.json["value"].as_array().unwrap().is_empty());
    assert_eq!(town.get("/v1/ville/catalogue?order=size", None).await.status, StatusCode::BAD_REQUEST);
    let long = format!("/v1/ville/catalogue?q={}", "a".repeat(201));
    assert_eq!(town.get(&long, None).await.status, StatusCode::BAD_REQUEST);
}

fn coded(symbol: char) -> String {
    let mut bytes = [0; 4];
    symbol.encode_utf8(&mut bytes).bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test]
async fn what_may_be_meant_instead_has_its_title() {
    let town = Town::new().await;
    town.guichet.publish(crate::support::catalogue()).await.unwrap();
    town.guichet.read_models().catch_up(std::time::Duration::from_secs(20)).await.unwrap();
    let all = town.get("/v1/ville/catalogue?limit=1000", None).await.json["value"].clone();
    let with =
        all.as_array().unwrap().iter().find(|entry| entry["see_also"] != serde_json::json!([])).unwrap();
    let one = town.get(&format!("/v1/ville/catalogue/{}", with["process"].as_str().unwrap()), None).await;
    assert_eq!(one.json["related"][0]["process"], one.json["see_also"][0]);
    assert!(one.json["related"][0]["title"]["fr"].is_string());
}
