use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::{Method, StatusCode};
use futures_util::StreamExt;
use guichet::http::{HttpOptions, router};
use guichet::{Access, Guichet, Holder, Options};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::support::{Town, catalogue, pothole, request};

/// One event of a stream.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) data: Value,
}

/// A connection: what it has received and not yet read as events.
pub(crate) struct Ear {
    body: BodyDataStream,
    text: String,
}

impl Ear {
    pub(crate) async fn open(
        router: &axum::Router,
        path: &str,
        key: Option<&str>,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Self {
        let method = if body.is_empty() { Method::GET } else { Method::POST };
        let call = request(method, path, key, headers, Body::from(body.to_owned()));
        let answer = router.clone().oneshot(call).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        Self { body: answer.into_body().into_data_stream(), text: String::new() }
    }

    /// The next event; comments are passed over.
    pub(crate) async fn next(&mut self) -> Event {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    block
                        .lines()
                        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
                        .unwrap_or_default()
                };
                let event = Event {
                    id: field("id").to_owned(),
                    name: field("event").to_owned(),
                    data: serde_json::from_str(field("data")).unwrap_or_default(),
                };
                self.text = rest.to_owned();
                if !event.name.is_empty() {
                    return event;
                }
                continue;
            }
            let more = tokio::time::timeout(Duration::from_secs(10), self.body.next()).await;
            let more = more.expect("nothing came").expect("the stream ended").unwrap();
            self.text.push_str(std::str::from_utf8(&more).unwrap());
        }
    }
}

#[tokio::test]
async fn changes_are_told_as_they_happen_and_nothing_personal_with_them() {
    let town = Town::new().await;
    let key = town.agent("a01");
    town.pothole().await;
    let mut ear =
        Ear::open(&town.router, "/v1/ville/changes?process=voirie/chaussee-abimee", Some(&key), &[], "")
            .await;
    let ready = ear.next().await;
    assert_eq!((ready.name.as_str(), ready.data["position"].as_str()), ("ready", Some(ready.id.as_str())));
    let made = town.post("/v1/ville/requests", None, &pothole()).await;
    let told = ear.next().await;
    assert_eq!((told.name.as_str(), &told.data["request"]), ("request.received", &made.json["request"]));
    assert_eq!(told.data["position"].as_str(), Some(told.id.as_str()));
    assert!(told.data["promises"].as_array().unwrap().contains(&json!("acknowledgement")), "{}", told.data);
    let id = made.json["request"].as_str().unwrap();
    let qualify = json!({ "command": "qualify" });
    let done = town.post(&format!("/v1/ville/requests/{id}/commands"), Some(&key), &qualify).await;
    let names: Vec<String> =
        done.json["events"].as_array().unwrap().iter().map(|n| n.as_str().unwrap().to_owned()).collect();
    for name in names {
        let event = ear.next().await;
        assert_eq!(event.name, name);
        let text = event.data.to_string();
        assert!(!text.contains("Jeanne") && !text.contains("exemple.example"), "{text}");
    }
}

#[tokio::test]
async fn whoever_was_cut_off_goes_on_where_they_were() {
    let town = Town::new().await;
    let key = town.agent("a01");
    let mut ear = Ear::open(&town.router, "/v1/ville/changes", Some(&key), &[], "").await;
    let mut last = ear.next().await.id;
    let mut heard = Vec::new();
    // Cut off after each event, while others write.
    for _ in 0..12 {
        let sent = pothole();
        let writing = town.post("/v1/ville/requests", None, &sent);
        let (made, ()) = tokio::join!(writing, async {
            let event = async {
                let mut ear =
                    Ear::open(&town.router, "/v1/ville/changes", Some(&key), &[("last-event-id", &last)], "")
                        .await;
                assert_eq!(ear.next().await.id, last);
                ear.next().await
            };
            let event = event.await;
            last.clone_from(&event.id);
            heard.push(event);
        });
        assert_eq!(made.status, StatusCode::CREATED);
    }
    let mut ids: Vec<_> = heard.iter().map(|event| event.id.clone()).collect();
    assert!(ids.is_sorted());
    ids.dedup();
    assert_eq!(ids.len(), 12, "none twice");
    let all = town.get("/v1/ville/requests?limit=100", Some(&key)).await;
    let mut known: Vec<_> = all.json["value"]["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|card| card["request"].to_string())
        .collect();
    let mut told: Vec<_> = heard.iter().map(|event| event.data["request"].to_string()).collect();
    known.sort();
    told.sort();
    assert_eq!(told, known, "none left out");
}

#[tokio::test]
async fn a_stream_goes_on_after_the_server_was_started_anew() {
    let folder = tempfile::tempdir().unwrap();
    let start = async || {
        let guichet = Guichet::open(Options::new(folder.path())).await.unwrap();
        let mut roads = catalogue().clone();
        roads.definitions.retain(|definition| definition.theme == "voirie");
        guichet.publish(&roads).await.unwrap();
        let router = router(&guichet, &HttpOptions::default()).unwrap();
        (guichet, router)
    };
    let receive = async |router: &axum::Router| {
        let call = request(Method::POST, "/v1/ville/requests", None, &[], Body::from(pothole().to_string()));
        assert_eq!(router.clone().oneshot(call).await.unwrap().status(), StatusCode::CREATED);
    };
    let (guichet, router) = start().await;
    let access = Access::open(folder.path()).unwrap();
    let key = access.create("ville", Holder::Agent("a01".into()), guichet.ambient().as_ref()).unwrap();
    let mut ear = Ear::open(&router, "/v1/ville/changes", Some(&key), &[], "").await;
    ear.next().await;
    receive(&router).await;
    let first = ear.next().await;
    drop(ear);
    receive(&router).await;
    guichet.close().await;
    drop((guichet, router));
    let (guichet, router) = start().await;
    receive(&router).await;
    let mut ear =
        Ear::open(&router, "/v1/ville/changes", Some(&key), &[("last-event-id", &first.id)], "").await;
    ear.next().await;
    let (second, third) = (ear.next().await, ear.next().await);
    assert!(first.id < second.id && second.id < third.id);
    assert_eq!((second.name.as_str(), third.name.as_str()), ("request.received", "request.received"));
    guichet.close().await;
}

#[tokio::test]
async fn a_requester_hears_of_the_one_request_and_not_of_what_is_the_town_halls_business() {
    let town = Town::new().await;
    let key = town.agent("a01");
    let mine = town.pothole().await;
    let code = mine.json["tracking_code"].as_str().unwrap();
    let body = json!({ "code": code }).to_string();
    let mut ear =
        Ear::open(&town.router, "/v1/ville/follow/changes", None, &[("accept-language", "en")], &body).await;
    ear.next().await;
    town.pothole().await;
    let id = mine.json["request"].as_str().unwrap();
    for command in [
        json!({ "command": "note", "text": "Jeanne exagère" }),
        json!({ "command": "message", "text": "Bonjour" }),
    ] {
        let done = town.post(&format!("/v1/ville/requests/{id}/commands"), Some(&key), &command).await;
        assert_eq!(done.status, StatusCode::OK, "{}", done.text);
    }
    let told = ear.next().await;
    assert_eq!(
        (told.name.as_str(), &told.data["about"]),
        ("request.messaged", &json!(["message"])),
        "{}",
        told.data
    );
    assert_eq!(told.data["words"], told.data["text"]["en"]);
    assert!(told.data.get("request").is_none() && !told.data.to_string().contains("Bonjour"));
    let qualify = json!({ "command": "qualify" });
    town.post(&format!("/v1/ville/requests/{id}/commands"), Some(&key), &qualify).await;
    assert_eq!(ear.next().await.data["about"][0], "stage");
    let wrong = town.post("/v1/ville/follow/changes", None, &json!({ "code": "AAAA-AAAA-AA" })).await;
    assert!(matches!(wrong.status.as_u16(), 404 | 422), "{}", wrong.text);
}

#[tokio::test]
async fn few_listen_at_once_and_nobody_without_a_key() {
    let town = Town::new().await;
    let key = town.agent("a01");
    let nobody = town.get("/v1/ville/changes", None).await;
    assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);
    let odd = town.get("/v1/ville/changes?after=12", Some(&key)).await;
    assert_eq!(odd.status, StatusCode::BAD_REQUEST);
    let mut ears = Vec::new();
    for _ in 0..16 {
        ears.push(Ear::open(&town.router, "/v1/ville/changes", Some(&key), &[], "").await);
    }
    let over = town.get("/v1/ville/changes", Some(&key)).await;
    assert_eq!(over.status, StatusCode::TOO_MANY_REQUESTS);
    ears.pop();
    Ear::open(&town.router, "/v1/ville/changes", Some(&key), &[], "").await;
}
