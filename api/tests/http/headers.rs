//! What the headers of any exchange say, and what is done with those that a client sends.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderValue, Method, StatusCode};
use guichet::http::{HttpOptions, router};
use serde_json::json;
use tower::ServiceExt;

use crate::support::{Answer, Town, pothole, request};

async fn from(router: &axum::Router, peer: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut call = request(Method::GET, path, None, headers, Body::empty());
    let peer: SocketAddr = peer.parse().unwrap();
    call.extensions_mut().insert(ConnectInfo(peer));
    let (parts, body) = router.clone().oneshot(call).await.unwrap().into_parts();
    let bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Answer {
        status: parts.status,
        headers: parts.headers,
        json: serde_json::from_str(&text).unwrap_or_default(),
        text,
    }
}

#[tokio::test]
async fn callers_are_limited_each_for_itself_also_behind_a_proxy() {
    let town = Town::new().await;
    let options = HttpOptions {
        calls_each_second: 1,
        trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()],
        ..HttpOptions::default()
    };
    let router = router(&town.guichet, &options).unwrap();
    let by = |who: &'static str| [("x-forwarded-for", who)];
    for left in (0..6).rev() {
        let answer = from(&router, "10.0.0.1:4000", "/v1/ville/catalogue", &by("192.0.2.1")).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.headers["ratelimit-policy"], "\"calls\";q=6;w=6");
        let told = answer.headers["ratelimit"].to_str().unwrap().to_owned();
        assert!(told.starts_with(&format!("\"calls\";r={left};t=")), "{told}");
    }
    let over = from(&router, "10.0.0.1:4000", "/v1/ville/catalogue", &by("192.0.2.1")).await;
    assert_eq!(
        (over.status, over.json["code"].as_str()),
        (StatusCode::TOO_MANY_REQUESTS, Some("rate.exceeded"))
    );
    assert_eq!(over.headers["retry-after"], "1");
    let neighbour = from(&router, "10.0.0.1:4000", "/v1/ville/catalogue", &by("192.0.2.2")).await;
    assert_eq!(neighbour.status, StatusCode::OK, "a proxy's callers do not share a limit");
    for _ in 0..6 {
        from(&router, "198.51.100.1:4000", "/v1/ville/catalogue", &by("192.0.2.3")).await;
    }
    let forged = from(&router, "198.51.100.1:4000", "/v1/ville/catalogue", &by("192.0.2.4")).await;
    assert_eq!(forged.status, StatusCode::TOO_MANY_REQUESTS, "nobody is believed who was not named");
    let watched = from(&router, "198.51.100.1:4000", "/health", &[]).await;
    assert_eq!(watched.status, StatusCode::OK);
}

#[tokio::test]
async fn whoever_tries_keys_is_stopped_and_whoever_has_one_is_not() {
    let town = Town::new().await;
    let mut stopped = false;
    for n in 0..40 {
        let key = format!("Bearer gk_{n:064}");
        let answer =
            from(&town.router, "192.0.2.1:1", "/v1/ville/requests", &[("authorization", &key)]).await;
        stopped |= answer.status == StatusCode::TOO_MANY_REQUESTS;
        assert!(stopped || answer.status == StatusCode::UNAUTHORIZED, "{}", answer.text);
    }
    assert!(stopped);
    let key = format!("Bearer {}", town.agent("a01"));
    let other = from(&town.router, "192.0.2.2:1", "/v1/ville/requests", &[("authorization", &key)]).await;
    assert_eq!(other.status, StatusCode::OK, "{}", other.text);
}

#[tokio::test]
async fn what_has_not_changed_is_not_sent_again_and_pages_name_the_next() {
    let town = Town::new().await;
    let key = town.agent("a01");
    let id = town.pothole().await.json["request"].as_str().unwrap().to_owned();
    town.pothole().await;
    for path in [format!("/v1/ville/requests/{id}"), "/v1/ville/requests?limit=1".to_owned()] {
        let first = town.get(&path, Some(&key)).await;
        let tag = first.headers["etag"].to_str().unwrap().to_owned();
        let known = [("if-none-match", tag.as_str())];
        let again = town.call(request(Method::GET, &path, Some(&key), &known, Body::empty())).await;
        assert_eq!((again.status, again.text.as_str()), (StatusCode::NOT_MODIFIED, ""), "{path}");
        assert_eq!(again.headers["etag"], tag.as_str());
        let note = json!({ "command": "note", "text": "vu" });
        let done = town
            .post_with(
                &format!("/v1/ville/requests/{id}/commands"),
                Some(&key),
                &[("prefer", "wait=5")],
                &note,
            )
            .await;
        assert_eq!(done.status, StatusCode::OK, "{}", done.text);
        let changed = town.call(request(Method::GET, &path, Some(&key), &known, Body::empty())).await;
        assert_eq!(changed.status, StatusCode::OK, "{path}");
    }
    let page = town.get("/v1/ville/requests?limit=1&order=oldest", Some(&key)).await;
    let link = page.headers["link"].to_str().unwrap();
    let next = link.strip_prefix('<').unwrap().strip_suffix(">; rel=\"next\"").unwrap();
    let second = town.get(next, Some(&key)).await;
    assert_eq!(second.status, StatusCode::OK, "{next}: {}", second.text);
    assert_ne!(second.json["value"]["items"][0]["request"], page.json["value"]["items"][0]["request"]);
    assert!(!second.headers.contains_key("link"), "the last page has none");
}

#[tokio::test]
async fn one_reads_ones_own_write_by_its_position() {
    let town = Town::new().await;
    let key = town.agent("a01");
    for n in 1..=20 {
        let made = town.post("/v1/ville/requests", None, &pothole()).await;
        let position = made.headers["guichet-position"].to_str().unwrap().to_owned();
        assert_eq!(made.json["position"], position.as_str());
        let list = [("guichet-position", position.as_str())];
        let list =
            town.call(request(Method::GET, "/v1/ville/requests", Some(&key), &list, Body::empty())).await;
        assert_eq!(list.json["n"], n, "{}", list.text);
        assert!(list.headers["guichet-position"].to_str().unwrap() >= position.as_str());
    }
    let ahead = [("guichet-position", "00000000ffffffff")];
    let ahead =
        town.call(request(Method::GET, "/v1/ville/requests", Some(&key), &ahead, Body::empty())).await;
    assert_eq!((ahead.status.as_u16(), ahead.json["code"].as_str()), (400, Some("position.unknown")));
    let odd = [("guichet-position", "12")];
    let odd = town.call(request(Method::GET, "/v1/ville/requests", Some(&key), &odd, Body::empty())).await;
    assert_eq!((odd.status.as_u16(), odd.json["code"].as_str()), (400, Some("position.malformed")));
}

#[tokio::test]
async fn pages_of_other_origins_call_only_where_the_operator_said_so() {
    let town = Town::new().await;
    let asked = [
        ("origin", "https://portail.exemple.fr"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "idempotency-key"),
    ];
    let preflight = request(Method::OPTIONS, "/v1/ville/requests", None, &asked, Body::empty());
    let closed = town.call(preflight).await;
    assert!(!closed.headers.contains_key("access-control-allow-origin"));
    let origins = vec![HeaderValue::from_static("https://portail.exemple.fr")];
    let options = HttpOptions { origins, ..HttpOptions::default() };
    let open = router(&town.guichet, &options).unwrap();
    let preflight = request(Method::OPTIONS, "/v1/ville/requests", None, &asked, Body::empty());
    let answer = open.clone().oneshot(preflight).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["access-control-allow-origin"], "https://portail.exemple.fr");
    let stranger = request(
        Method::GET,
        "/v1/ville/catalogue",
        None,
        &[("origin", "https://ailleurs.example")],
        Body::empty(),
    );
    let answer = open.oneshot(stranger).await.unwrap();
    assert!(!answer.headers().contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn keys_of_commands_may_be_any_text_and_are_ones_own() {
    let town = Town::new().await;
    let (one, other) = (town.agent("a01"), town.agent("a02"));
    let mut sent = pothole();
    sent["channel"] = json!("counter");
    let post = async |key: &str, name: &str| {
        town.post_with("/v1/ville/requests", Some(key), &[("idempotency-key", name)], &sent).await
    };
    let first = post(&one, "dossier 2026/17").await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.text);
    let again = post(&one, "\"dossier 2026/17\"").await;
    assert_eq!((again.status, &again.json["request"]), (StatusCode::OK, &first.json["request"]));
    let theirs = post(&other, "dossier 2026/17").await;
    assert_eq!(theirs.status, StatusCode::CREATED, "{}", theirs.text);
    assert_eq!(post(&one, &"k".repeat(255)).await.status, StatusCode::CREATED);
    let long = post(&one, &"k".repeat(256)).await;
    assert_eq!((long.status.as_u16(), long.json["code"].as_str()), (400, Some("idempotency.malformed")));
}

#[tokio::test]
async fn doors_answer_what_they_can_and_say_what_they_cannot() {
    let town = Town::new().await;
    let key = town.agent("a01");
    let unknown = town.get("/v1/ville/dashboard?mois=11&an=2026", Some(&key)).await;
    assert_eq!((unknown.status.as_u16(), unknown.json["code"].as_str()), (400, Some("query.unknown")));
    let pointers: Vec<_> = unknown.json["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["pointer"].as_str().unwrap())
        .collect();
    assert_eq!(pointers, ["?an", "?mois"]);
    let html = [("accept", "text/html, image/*"), ("accept-language", "en;q=0.9, fr;q=0.3")];
    let html = town.call(request(Method::GET, "/v1/ville/catalogue", None, &html, Body::empty())).await;
    assert_eq!((html.status.as_u16(), html.json["code"].as_str()), (406, Some("accept.impossible")));
    assert_eq!(html.headers["content-language"], "en");
    assert!(html.headers["vary"].to_str().unwrap().contains("Accept-Language"));
    assert_eq!(html.json["detail"], html.json["text"]["en"]);
    let body = json!({ "channel": "pigeon", "requester": { "age": 7 }, "form": [] });
    let shape = town.post("/v1/ville/requests", None, &body).await;
    let mut wrong: Vec<_> = shape.json["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| (error["pointer"].as_str().unwrap(), error["code"].as_str().unwrap()))
        .collect();
    wrong.sort_unstable();
    assert_eq!(
        wrong,
        [
            ("/channel", "field.choice"),
            ("/form", "field.type"),
            ("/process", "field.required"),
            ("/requester/age", "field.unknown")
        ]
    );
}
