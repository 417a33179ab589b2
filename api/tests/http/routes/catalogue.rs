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
