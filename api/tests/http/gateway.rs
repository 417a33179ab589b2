//! Text messages through a gateway on this machine, which misbehaves in every way there is.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Response};
use guichet::outbound::gateway::measure;
use guichet::outbound::{GatewayOutbound, Means, OutMessage, Outbound, SendError};
use guichet::outgoing::Outgoing;
use guichet::settings::messages::SmsGateway;
use serde_json::{Value, json};

#[derive(Clone)]
struct Gateway {
    status: u16,
    answer: String,
    slow: bool,
    heard: Arc<Mutex<Vec<(HeaderMap, Bytes)>>>,
}

async fn hear(State(gateway): State<Gateway>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    gateway.heard.lock().unwrap().push((headers, body));
    if gateway.slow {
        tokio::time::sleep(Duration::from_secs(3600)).await;
    }
    let location = "http://127.0.0.1:1/";
    let answer = Response::builder().status(gateway.status).header("location", location);
    answer.body(Body::from(gateway.answer)).unwrap()
}

async fn gateway(status: u16, answer: &str) -> (u16, Gateway) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let slow = status == 0;
    let gateway = Gateway {
        status: if slow { 200 } else { status },
        answer: answer.into(),
        slow,
        heard: Arc::default(),
    };
    let router = Router::new().fallback(hear).with_state(gateway.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (port, gateway)
}

fn settings(port: u16) -> SmsGateway {
    SmsGateway {
        url: format!("http://127.0.0.1:{port}/messages"),
        json: Some(r#"{"to":["{to}"],"body":"{text}","from":"{from}"}"#.into()),
        sender: "VILLE".into(),
        headers: BTreeMap::from([("idempotency-key".to_owned(), "{id}".to_owned())]),
        ..SmsGateway::default()
    }
}

fn message(text: &str) -> OutMessage {
    OutMessage {
        id: "0198c6a2-0000-7000-8000-0000000000ab.0-0".into(),
        means: Means::Sms,
        to: "06 12 34 56 78".into(),
        from: "bonjour@ville.example".into(),
        from_name: "Ville".into(),
        subject: "Réponse".into(),
        text: text.into(),
        at: "2026-11-03T09:00:00Z".parse().unwrap(),
        language: guichet::engine::rules::text::Language::Fr,
        thread: String::new(),
        link: String::new(),
        files: Vec::new(),
        unsubscribe: None,
    }
}

async fn send(settings: &SmsGateway, message: &OutMessage) -> Result<(), SendError> {
    GatewayOutbound::new(settings, Outgoing::new().unwrap()).unwrap().send(message).await
}

#[tokio::test]
async fn a_message_arrives_as_the_operator_described_it() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "Bearer s3cret\n").unwrap();
    let (port, gateway) = gateway(202, "").await;
    let mut settings = settings(port);
    settings.header_files.insert("authorization".into(), token);
    let text = "Votre demande est reçue : \"K7M\" {to}";
    send(&settings, &message(text)).await.unwrap();
    send(&settings, &message(text)).await.unwrap();
    let heard = gateway.heard.lock().unwrap().clone();
    let (headers, body) = &heard[0];
    let body: Value = serde_json::from_slice(body).unwrap();
    assert_eq!(body, json!({ "to": ["+33612345678"], "body": text, "from": "VILLE" }));
    assert_eq!(headers["authorization"], "Bearer s3cret");
    assert_eq!(headers["idempotency-key"], "0198c6a2-0000-7000-8000-0000000000ab.0-0");
    assert_eq!(heard[0].0["idempotency-key"], heard[1].0["idempotency-key"], "a repeat can be told");
}

#[tokio::test]
async fn a_form_is_written_as_forms_are_and_long_texts_are_cut_and_simplified() {
    let (port, gateway) = gateway(200, "").await;
    let form = BTreeMap::from([("to", "{to}"), ("msg", "{text}"), ("ref", "{id}")]);
    let settings = SmsGateway {
        json: None,
        form: form.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        segments_max: 2,
        transliterate: true,
        ..settings(port)
    };
    send(&settings, &message(&"forêt & cœur=1 ".repeat(60))).await.unwrap();
    let (_, body) = gateway.heard.lock().unwrap()[0].clone();
    let fields: BTreeMap<String, String> = url_decoded(&body);
    assert_eq!(fields["to"], "+33612345678");
    assert!(fields["msg"].starts_with("foret & coeur=1 foret"), "{}", fields["msg"]);
    assert!(measure(&fields["msg"]).2 == 2 && fields["msg"].ends_with("..."));
}

fn url_decoded(body: &[u8]) -> BTreeMap<String, String> {
    let text = format!("http://x/?{}", String::from_utf8_lossy(body));
    text.parse::<axum::http::Uri>().unwrap();
    let request = axum::http::Request::get(text).body(()).unwrap();
    let query = axum::extract::Query::<BTreeMap<String, String>>::try_from_uri(request.uri()).unwrap();
    query.0
}

#[tokio::test]
async fn what_a_gateway_answers_says_whether_trying_again_makes_sense() {
    for status in [408, 425, 429, 500, 502, 503] {
        let (port, _) = gateway(status, "").await;
        let error = send(&settings(port), &message("a")).await.unwrap_err();
        assert_eq!(error, SendError::Later(format!("the gateway answered {status}")));
    }
    for status in [301, 400, 401, 403, 404, 422] {
        let (port, gateway) = gateway(status, "").await;
        let error = send(&settings(port), &message("a")).await.unwrap_err();
        assert_eq!(error, SendError::Never(format!("the gateway answered {status}")));
        assert_eq!(gateway.heard.lock().unwrap().len(), 1, "no redirect is followed");
    }
    let nobody = send(&settings(9), &message("a")).await.unwrap_err();
    assert!(matches!(nobody, SendError::Later(_)), "{nobody:?}");
    let (port, _) = gateway(200, &"x".repeat(200_000)).await;
    assert!(matches!(send(&settings(port), &message("a")).await.unwrap_err(), SendError::Later(_)));
    let mut wrong = message("a");
    wrong.to = "jeanne".into();
    let (port, gateway) = gateway(200, "").await;
    assert!(matches!(send(&settings(port), &wrong).await.unwrap_err(), SendError::Never(_)));
    assert!(gateway.heard.lock().unwrap().is_empty());
}

#[tokio::test]
async fn some_gateways_say_no_with_a_200() {
    let accepted = |port| SmsGateway {
        accepted_at: Some("/messages/0/status".into()),
        accepted: vec!["queued".into(), "0".into()],
        ..settings(port)
    };
    for (answer, fits) in [
        (r#"{"messages":[{"status":"queued"}]}"#, true),
        (r#"{"messages":[{"status":0}]}"#, true),
        (r#"{"messages":[{"status":"rejected"}]}"#, false),
        ("{}", false),
        ("<html>", false),
    ] {
        let (port, _) = gateway(200, answer).await;
        assert_eq!(send(&accepted(port), &message("a")).await.is_ok(), fits, "{answer}");
    }
}

#[tokio::test]
async fn a_gateway_that_never_answers_is_given_up_for_now() {
    let (port, _) = gateway(0, "").await;
    let begun = std::time::Instant::now();
    let error = send(&settings(port), &message("a")).await.unwrap_err();
    assert_eq!(error, SendError::Later("the gateway: no answer came in time".into()));
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn a_gateways_own_id_of_a_message_is_taken_from_where_the_settings_say() {
    for (answer, id) in [
        (r#"{"messages":[{"id":"g-77"}]}"#, Some("g-77")),
        (r#"{"messages":[{"id":77}]}"#, Some("77")),
        (r#"{"messages":[{"id":""}]}"#, None),
        (r#"{"messages":[]}"#, None),
        ("<html>", None),
    ] {
        let (port, _) = gateway(200, answer).await;
        let settings = SmsGateway { id_at: Some("/messages/0/id".into()), ..settings(port) };
        let outbound = GatewayOutbound::new(&settings, Outgoing::new().unwrap()).unwrap();
        assert_eq!(outbound.hand_over(&message("a")).await.unwrap().as_deref(), id, "{answer}");
    }
}

#[tokio::test]
async fn a_social_message_names_its_conversation_and_is_no_longer_than_the_network_takes() {
    let (port, gateway) = gateway(200, r#"{"id":"p-1"}"#).await;
    let settings = SmsGateway {
        json: Some(
            r#"{"in_reply_to":"{thread}","to":"{to}","network":"{platform}","status":"{text}","key":"{id}"}"#
                .into(),
        ),
        characters_max: 20,
        ..settings(port)
    };
    let outbound = GatewayOutbound::social(&settings, Outgoing::new().unwrap()).unwrap();
    let to = json!({ "platform": "mastodon", "thread": "t-1", "author": "@camille\"{id}" }).to_string();
    let post = OutMessage { means: Means::Social, to, ..message("Samedi à neuf heures, à la piscine.") };
    outbound.send(&post).await.unwrap();
    let (_, body) = gateway.heard.lock().unwrap()[0].clone();
    let body: Value = serde_json::from_slice(&body).unwrap();
    let id = "0198c6a2-0000-7000-8000-0000000000ab.0-0";
    assert_eq!(
        body,
        json!({ "in_reply_to": "t-1", "to": "@camille\"{id}", "network": "mastodon", "status": "Samedi à neuf heure…", "key": id })
    );
    let lost = OutMessage { to: "@camille".into(), ..post };
    assert!(matches!(outbound.send(&lost).await, Err(SendError::Never(_))));
    assert!(
        matches!(outbound.send(&message("a")).await, Err(SendError::Never(_))),
        "text messages go elsewhere"
    );
}
