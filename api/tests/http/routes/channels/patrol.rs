use axum::body::Body;
use axum::http::{Method, StatusCode};
use serde_json::Value;

use crate::support::{Answer, Town, request};

/// A picture of one point.
const PNG: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0xd, 0xa, 0x1a, 0xa, 0, 0, 0, 0xd, 0x49, 0x48, 0x44, 0x52, 0, 0, 0, 1, 0, 0, 0,
    1, 8, 6, 0, 0, 0, 0x1f, 0x15, 0xc4, 0x89, 0, 0, 0, 0xd, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9c, 0x63, 0xf8,
    0xcf, 0xc0, 0xf0, 0x1f, 0, 5, 0, 1, 0xff, 0x89, 0x99, 0x3d, 0x1d, 0, 0, 0, 0, 0x49, 0x45, 0x4e, 0x44,
    0xae, 0x42, 0x60, 0x82,
];

async fn report(town: &Town, key: Option<&str>, lat: &str, word: &str) -> Answer {
    let mut body = Vec::new();
    for (name, value) in
        [("process", "voirie/chaussee-abimee"), ("lat", lat), ("lon", "4.363"), ("word", word)]
    {
        body.extend_from_slice(
            format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").as_bytes(),
        );
    }
    body.extend_from_slice(
        b"--B\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"trou.png\"\r\nContent-Type: image/png\r\n\r\n",
    );
    body.extend_from_slice(PNG);
    body.extend_from_slice(b"\r\n--B--\r\n");
    let headers = [("content-type", "multipart/form-data; boundary=B")];
    town.call(request(Method::POST, "/v1/ville/patrol", key, &headers, Body::from(body))).await
}

async fn photos(town: &Town, answer: &Answer) -> usize {
    let id =
        guichet::engine::rules::request::RequestId(answer.json["request"].as_str().unwrap().parse().unwrap());
    let known = town.guichet.request("ville", id).await.unwrap();
    let dossier = town.guichet.dossier("ville", &known).await.unwrap();
    dossier.form.get("photos").and_then(Value::as_array).map_or(0, Vec::len)
}

#[tokio::test]
async fn a_report_is_a_request_and_close_by_a_visit_of_it() {
    let town = Town::new().await;
    let patroller = town.agent("a05");
    let first = report(&town, Some(&patroller), "48.957", "Trou de 30 cm").await;
    assert_eq!(
        (first.status, first.json["became"].as_str()),
        (StatusCode::CREATED, Some("request")),
        "{}",
        first.text
    );
    assert_eq!((photos(&town, &first).await, &first.json["refused"]), (1, &serde_json::json!([])));
    town.guichet.read_models().catch_up(std::time::Duration::from_secs(10)).await.unwrap();
    let near = report(&town, Some(&patroller), "48.9571", "Toujours là").await;
    assert_eq!((near.status, near.json["became"].as_str()), (StatusCode::OK, Some("visit")), "{}", near.text);
    assert_eq!(near.json["request"], first.json["request"]);
    assert_eq!(photos(&town, &near).await, 1, "the same photo twice is one, and nothing is lost");
    let far = report(&town, Some(&patroller), "48.96", "Un autre").await;
    assert_eq!(far.json["became"], "request");
}

#[tokio::test]
async fn a_report_needs_an_agent_and_a_place() {
    let town = Town::new().await;
    assert_eq!(report(&town, None, "48.957", "x").await.status, StatusCode::UNAUTHORIZED);
    let patroller = town.agent("a05");
    for lat in ["91", "nord", "NaN", ""] {
        let answer = report(&town, Some(&patroller), lat, "x").await;
        assert_eq!(
            (answer.status.as_u16(), answer.json["code"].as_str()),
            (422, Some("patrol.malformed")),
            "{lat}"
        );
    }
}
