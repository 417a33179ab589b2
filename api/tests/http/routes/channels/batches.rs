use axum::body::Body;
use axum::http::{Method, StatusCode};
use guichet::rights::Scope;
use serde_json::{Value, json};

use crate::support::{Town, pothole, request};

async fn send(town: &Town, key: &str, body: String) -> (StatusCode, Vec<Value>, String) {
    let headers = [("content-type", "application/x-ndjson")];
    let answer =
        town.call(request(Method::POST, "/v1/ville/batches", Some(key), &headers, Body::from(body))).await;
    let lines = answer.text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    (answer.status, lines, answer.text)
}

#[tokio::test]
async fn each_line_stands_or_falls_alone_and_counts_once() {
    let town = Town::new().await;
    let key = town.program("ville", &[Scope::RequestsReceive]);
    let line = |number: u32, process: &str| {
        let mut request = pothole();
        request["process"] = json!(process);
        json!({ "id": format!("0198c6a2-0000-7000-8000-0000000000{number:02}"), "request": request })
            .to_string()
    };
    let body = [
        line(1, "voirie/chaussee-abimee"),
        line(2, "voirie/inconnu"),
        "{".to_owned(),
        String::new(),
        line(3, "voirie/chaussee-abimee"),
    ]
    .join("\n");
    let (status, lines, text) = send(&town, &key, body.clone()).await;
    assert_eq!(status, StatusCode::OK, "{text}");
    let told: Vec<_> =
        lines.iter().map(|line| (line["line"].as_u64().unwrap(), line["status"].as_u64().unwrap())).collect();
    assert_eq!(told, [(1, 201), (2, 422), (3, 400), (5, 201)], "{text}");
    assert_eq!(lines[1]["problem"]["code"], "process.unknown");
    let (_, again, text) = send(&town, &key, body).await;
    assert_eq!(
        (again[0]["status"].as_u64(), &again[0]["request"]),
        (Some(200), &lines[0]["request"]),
        "{text}"
    );
}

#[tokio::test]
async fn a_batch_is_bounded() {
    let town = Town::new().await;
    let key = town.program("ville", &[Scope::RequestsReceive]);
    let (status, _, text) = send(&town, &key, "{}\n".repeat(1_001)).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{text}");
    let nobody = town.call(request(Method::POST, "/v1/ville/batches", None, &[], Body::empty())).await;
    assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);
    let json = town.call(request(Method::POST, "/v1/ville/batches", Some(&key), &[], Body::from("{}"))).await;
    assert_eq!(json.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}
