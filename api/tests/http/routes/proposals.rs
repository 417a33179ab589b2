//! Sheets that enter force through their own circuit, on a data folder.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use guichet::ambient::Surroundings;
use guichet::engine::rules::language::Catalogue;
use guichet::engine::rules::request::Actor;
use guichet::engine::{ManualClock, Settled};
use guichet::http::{HttpOptions, router};
use guichet::outbound::MemoryOutbound;
use guichet::workers::Publications;
use guichet::{Guichet, Holder, Options, read_catalogue_folder};
use serde_json::{Value, json};

use crate::support::{Answer, MORNING, Town, catalogue, chalons, pothole};

const PROCESS: &str = "voirie/chaussee-abimee";
const OLD: &str = "acknowledgement: { from: received, until: acknowledged, within: 1 working hour }";
const NEW: &str = "acknowledgement: { from: received, until: acknowledged, within: 2 working hours }";

/// The roads, and the sheet by which sheets enter force.
fn published() -> Catalogue {
    let mut some = catalogue().clone();
    some.definitions.retain(|sheet| sheet.theme == "voirie" || sheet.process.ends_with("fiche-de-procedure"));
    some
}

async fn open(folder: &std::path::Path, clock: &Arc<ManualClock>, sent: &MemoryOutbound) -> Guichet {
    let options = Options::new(folder)
        .ambient(Arc::new(Surroundings::with_clock(Arc::clone(clock) as _)))
        .outbound(Arc::new(sent.clone()));
    Guichet::open(options).await.unwrap()
}

async fn town() -> Town {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at(MORNING.parse().unwrap()));
    let sent = MemoryOutbound::default();
    let guichet = open(folder.path(), &clock, &sent).await;
    guichet.publish(&published()).await.unwrap();
    guichet.read_models().catch_up(Duration::from_secs(20)).await.unwrap();
    let router = router(&guichet, &HttpOptions::default()).unwrap();
    Town { guichet, clock, sent, router, folder, database: None }
}

/// The server dies and comes back: what it had not written is gone.
async fn restarted(town: Town) -> Town {
    let Town { guichet, clock, sent, router, folder, .. } = town;
    drop(router);
    guichet.close().await;
    drop(guichet);
    let guichet = open(folder.path(), &clock, &sent).await;
    let router = guichet::http::router(&guichet, &HttpOptions::default()).unwrap();
    Town { guichet, clock, sent, router, folder, database: None }
}

/// The files of the Châlons catalogue, the sheet changed.
fn files(from: &str, to: &str) -> Vec<Value> {
    let files = read_catalogue_folder(&chalons()).unwrap();
    let changed = files.into_iter().map(|file| {
        let mine = file.path == format!("{PROCESS}.yaml");
        assert!(!mine || file.text.contains(from));
        let text = if mine { file.text.replace(from, to) } else { file.text };
        json!({ "path": file.path, "text": text })
    });
    changed.collect()
}

fn proposal() -> Value {
    json!({ "process": PROCESS, "files": files(OLD, NEW), "reason": "Le lundi matin, une heure ne suffit pas." })
}

async fn propose(town: &Town, body: &Value) -> Answer {
    town.post("/v1/ville/processes/proposals", Some(&town.agent("a57")), body).await
}

async fn act(town: &Town, request: &str, by: &str, command: Value) {
    let path = format!("/v1/ville/requests/{request}/commands");
    let answer = town.post(&path, Some(&town.agent(by)), &command).await;
    assert_eq!(answer.status, StatusCode::OK, "{command} by {by}: {}", answer.text);
}

/// As far as the circuit, whose first step is then open.
async fn to_circuit(town: &Town, request: &str) {
    act(
        town,
        request,
        "a02",
        json!({ "command": "complete", "task": "relecture", "report": { "scenarios_pass": true } }),
    )
    .await;
    act(town, request, "a11", json!({ "command": "complete", "task": "avis_juridique", "report": {} })).await;
    act(town, request, "a02", json!({ "command": "answer", "text": "La fiche est prête." })).await;
}

const CIRCUIT: [(&str, &str); 6] = [
    ("a01", "chef"),
    ("a80", "direction"),
    ("a81", "direction"),
    ("a82", "dga"),
    ("a83", "dgs"),
    ("a90", "elu"),
];

async fn approve(town: &Town, request: &str, steps: &[(&str, &str)]) {
    for (by, step) in steps {
        act(town, request, by, json!({ "command": "approve", "step": step })).await;
    }
}

async fn settle(town: &Town) -> Settled {
    Publications::new(&town.guichet).run_once().await.unwrap()
}

async fn version_of_a_new_request(town: &Town) -> String {
    let answer = town.post("/v1/ville/requests", None, &pothole()).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    let request = answer.json["request"].as_str().unwrap().parse().unwrap();
    let request = guichet::engine::rules::request::RequestId(request);
    town.guichet.request("ville", request).await.unwrap().request.definition.0.clone()
}

async fn history(town: &Town) -> Vec<Value> {
    let path = format!("/v1/ville/processes/{PROCESS}/versions");
    let answer = town.get(&path, Some(&town.agent("a01"))).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.json["versions"].as_array().unwrap().clone()
}

fn kinds(history: &[Value]) -> Vec<&str> {
    history.iter().map(|line| line["what"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_sheet_enters_force_once_when_all_have_approved_it_and_a_crash_in_between_changes_nothing() {
    let town = town().await;
    let before = version_of_a_new_request(&town).await;
    let answer = propose(&town, &proposal()).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    let request = answer.json["request"].as_str().unwrap().to_owned();
    // A draft is never used, whoever has approved it so far.
    to_circuit(&town, &request).await;
    for step in &CIRCUIT {
        assert_eq!(settle(&town).await, Settled::default());
        assert_eq!(version_of_a_new_request(&town).await, before);
        approve(&town, &request, &[*step]).await;
    }
    // Approved by all; the server dies before anything follows from that.
    let town = restarted(town).await;
    assert_eq!(version_of_a_new_request(&town).await, before);
    assert_eq!(settle(&town).await, Settled { published: 1, ..Settled::default() });
    let after = version_of_a_new_request(&town).await;
    assert_ne!(after, before);
    // It dies again, right after: nothing is done twice.
    let town = restarted(town).await;
    assert_eq!(settle(&town).await, Settled::default());
    assert_eq!(version_of_a_new_request(&town).await, after);
    let history = history(&town).await;
    assert_eq!(kinds(&history), ["published", "drafted", "published"]);
    let (drafted, entered) = (&history[1], &history[2]);
    assert_eq!(drafted["actor"], "agent:a57");
    assert_eq!(drafted["differences"], json!([{ "fr": "engagements", "en": "promises" }]));
    assert_eq!((&entered["hash"], &entered["in_force"]), (&json!(after), &json!(true)));
    assert_eq!((&entered["request"], &history[0]["in_force"]), (&json!(request), &json!(false)));
    let approvals: Vec<_> =
        entered["approvals"].as_array().unwrap().iter().map(|a| a["by"].clone()).collect();
    assert_eq!(approvals, CIRCUIT.map(|(by, _)| json!(by)));
}

#[tokio::test]
async fn what_is_returned_waits_and_what_is_cancelled_is_given_up() {
    let town = town().await;
    let before = version_of_a_new_request(&town).await;
    let request = propose(&town, &proposal()).await.json["request"].as_str().unwrap().to_owned();
    to_circuit(&town, &request).await;
    act(&town, &request, "a01", json!({ "command": "return", "step": "chef", "reason": "Dire pourquoi." }))
        .await;
    assert_eq!(settle(&town).await, Settled::default());
    act(&town, &request, "a02", json!({ "command": "cancel", "reason": "On y renonce." })).await;
    assert_eq!(settle(&town).await, Settled { abandoned: 1, ..Settled::default() });
    assert_eq!(settle(&town).await, Settled::default());
    assert_eq!(version_of_a_new_request(&town).await, before);
    let history = history(&town).await;
    assert_eq!(kinds(&history), ["published", "drafted", "draft_abandoned"]);
    assert_eq!(history[2]["reason"], "draft.cancelled");
}

#[tokio::test]
async fn a_draft_of_a_version_that_is_no_longer_in_force_is_given_up_and_its_request_closed() {
    let town = town().await;
    let request = propose(&town, &proposal()).await.json["request"].as_str().unwrap().to_owned();
    to_circuit(&town, &request).await;
    approve(&town, &request, &CIRCUIT).await;
    // Before the worker looks, the designer publishes another version from disk.
    let mut other = published();
    for sheet in other.definitions.iter_mut().filter(|sheet| sheet.process == PROCESS) {
        sheet.title.fr.push_str(" (bis)");
    }
    town.guichet.publish(&other).await.unwrap();
    let in_force = version_of_a_new_request(&town).await;
    assert_eq!(settle(&town).await, Settled { abandoned: 1, ..Settled::default() });
    assert_eq!(version_of_a_new_request(&town).await, in_force);
    let card = town.get(&format!("/v1/ville/requests/{request}"), Some(&town.agent("a02"))).await;
    assert_eq!(card.json["stage"], "cancelled", "{}", card.text);
    assert_eq!(history(&town).await.last().unwrap()["reason"], "draft.stale");
}

#[tokio::test]
async fn a_sheet_waits_for_its_day() {
    let town = town().await;
    let mut body = proposal();
    body["enters_force"] = json!("2027-01-01");
    let request = propose(&town, &body).await.json["request"].as_str().unwrap().to_owned();
    to_circuit(&town, &request).await;
    approve(&town, &request, &CIRCUIT).await;
    assert_eq!(settle(&town).await, Settled::default());
    // 23:59 in Paris, then midnight.
    town.move_to("2026-12-31T22:59:00Z");
    assert_eq!(settle(&town).await, Settled::default());
    town.move_to("2026-12-31T23:00:00Z");
    assert_eq!(settle(&town).await, Settled { published: 1, ..Settled::default() });
}

#[tokio::test]
async fn nobody_proposes_what_they_may_not_or_what_is_wrong_and_nothing_is_recorded_then() {
    let town = town().await;
    let path = "/v1/ville/processes/proposals";
    assert_eq!(town.post(path, None, &proposal()).await.status, StatusCode::UNAUTHORIZED);
    let program = town.key("ville", Holder::Integrator("portail".into()));
    assert_eq!(town.post(path, Some(&program), &proposal()).await.status, StatusCode::FORBIDDEN);
    let stranger = town.key("agglo", Holder::Agent("g01".into()));
    assert_eq!(town.post(path, Some(&stranger), &proposal()).await.status, StatusCode::UNAUTHORIZED);
    let versions = format!("/v1/ville/processes/{PROCESS}/versions");
    assert_eq!(town.get(&versions, Some(&stranger)).await.status, StatusCode::UNAUTHORIZED);
    let mut wrong = proposal();
    wrong["files"] = json!(files("service:voirie", "service:voierie"));
    let answer = propose(&town, &wrong).await;
    assert_eq!(
        (answer.status, &answer.json["code"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("catalogue.faults"))
    );
    let error = &answer.json["errors"][0];
    assert_eq!(error["code"], "service.unknown");
    assert!(error["pointer"].as_str().unwrap().starts_with("/files/voirie/chaussee-abimee.yaml:"), "{error}");
    let mut same = proposal();
    same["files"] = json!(files(OLD, OLD));
    assert_eq!(propose(&town, &same).await.json["code"], "draft.no_change");
    let mut nowhere = proposal();
    nowhere["process"] = json!("voirie/nulle-part");
    assert_eq!(propose(&town, &nowhere).await.json["code"], "process.unknown");
    assert_eq!(kinds(&history(&town).await), ["published"]);
}

#[tokio::test]
async fn a_retired_process_takes_no_new_request_and_those_under_way_go_on() {
    let town = town().await;
    let under_way = town.pothole().await.json["request"].as_str().unwrap().to_owned();
    let body = json!({ "process": PROCESS, "reason": "Tout passe par l’application.", "replacement": "voirie/trottoir-abime" });
    let request = propose(&town, &body).await.json["request"].as_str().unwrap().to_owned();
    // A removal changes what was promised: it takes the long way.
    to_circuit(&town, &request).await;
    approve(&town, &request, &CIRCUIT).await;
    assert_eq!(settle(&town).await, Settled { retired: 1, ..Settled::default() });
    let answer = town.post("/v1/ville/requests", None, &pothole()).await;
    assert_eq!(
        (answer.status, &answer.json["code"]),
        (StatusCode::CONFLICT, &json!("request.process_retired"))
    );
    assert!(answer.text.contains("voirie/trottoir-abime"), "{}", answer.text);
    act(&town, &under_way, "a02", json!({ "command": "qualify" })).await;
    town.guichet.read_models().catch_up(Duration::from_secs(20)).await.unwrap();
    let entry = town.get(&format!("/v1/ville/catalogue/{PROCESS}"), None).await;
    assert_eq!(entry.status, StatusCode::NOT_FOUND);
    // Publishing the same sheet again does not bring it back; another version does.
    let again = town.guichet.publish(&published()).await.unwrap();
    assert_eq!((again.changed, again.retired), (0, 1));
    let town = restarted(town).await;
    let refused = town.post("/v1/ville/requests", None, &pothole()).await;
    assert_eq!(refused.json["code"], "request.process_retired");
    assert_eq!(kinds(&history(&town).await), ["published", "drafted", "retired"]);
    assert!(town.guichet.engine().retire("ville", PROCESS, "-", None, &Actor::Engine).await.is_err());
}
