//! Requests that are passed on: to another collectivity of the installation, where each arrives once, and out of it.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use axum::http::StatusCode;
use guichet::Holder;
use guichet::engine::Submission;
use guichet::engine::rules::request::{Actor, ForwardStanding, RequestId};
use guichet::outbound::OutMessage;
use guichet::projections::{Card, CardQuery, InboxItem, InboxQuery, Whose, Work};
use guichet::workers::{Brought, Forwards};
use serde_json::{Value, json};

use crate::support::{Answer, Town, pothole};

const CATCH_UP: Duration = Duration::from_secs(20);
/// A photo of four points.
const PHOTO: &[u8] = include_bytes!("photo.png");
const CITIZEN: &str = "jeanne@exemple.example";

async fn group() -> Town {
    Town::of(&["voirie", "eau", "institutions"]).await
}

/// A pothole with a photo, reported at the counter of the town; its id and the first code.
async fn reported(town: &Town) -> (String, String) {
    let files = town.guichet.attachments();
    let photo = files.put_bytes("ville", "trou.png", Some("image/png"), PHOTO).await.unwrap();
    let mut body = pothole();
    body["channel"] = json!("counter");
    body["opened_by"] = json!("agent");
    body["form"]["photos"] = json!([photo]);
    body["form"]["danger"] = json!(true);
    body["form"]["details"] = json!("De l’eau en sort.");
    let receipt = town.guichet.submit(Submission {
        tenant: "ville".into(),
        request: None,
        command: serde_json::from_value({
            body["command"] = json!("receive");
            body
        })
        .unwrap(),
        actor: Actor::Agent("a02".into()),
        command_id: town.guichet.fresh_command_id().unwrap(),
        occurred_at: None,
        expected: None,
    });
    let receipt = receipt.await.unwrap();
    (receipt.request.to_string(), receipt.tracking.unwrap().spoken())
}

async fn command(town: &Town, tenant: &str, agent: &str, request: &str, command: Value) -> Answer {
    let key = town.key(tenant, Holder::Agent(agent.into()));
    town.post_with(
        &format!("/v1/{tenant}/requests/{request}/commands"),
        Some(&key),
        &[("prefer", "wait=5")],
        &command,
    )
    .await
}

/// Passes on to the agglomeration as a leak, in the name of the front office.
async fn to_agglo(town: &Town, request: &str) {
    let forward =
        json!({ "command": "forward", "to": "agglo", "process": "eau/fuite", "basis": "CRPA L114-2" });
    let answer = command(town, "ville", "a01", request, forward).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
}

async fn cards(town: &Town, tenant: &str) -> Vec<Card> {
    town.guichet.read_models().catch_up(CATCH_UP).await.unwrap();
    let query = CardQuery { tenant: Some(tenant.into()), limit: 1_000, ..CardQuery::default() };
    town.guichet.read_models().cards(&query).await.unwrap().value.items
}

async fn inbox(town: &Town) -> Vec<InboxItem> {
    let query = InboxQuery { tenant: "ville".into(), whose: Whose::Everyone, work: Vec::new(), limit: 1_000 };
    town.guichet.read_models().inbox(&query).await.unwrap().value
}

async fn run(town: &Town) -> Brought {
    Forwards::new(&town.guichet).run_once(town.guichet.now()).await.unwrap()
}

fn to_citizen(town: &Town) -> Vec<OutMessage> {
    town.sent.sent().into_iter().filter(|message| message.to == CITIZEN).collect()
}

fn id(request: &str) -> RequestId {
    RequestId(request.parse().unwrap())
}

/// A request that arrived at the agglomeration: what it was, its first code, and what it is.
struct Arrived {
    request: String,
    old_code: String,
    new: RequestId,
}

async fn arrived(town: &Town) -> Arrived {
    let (request, old_code) = reported(town).await;
    town.move_to("2026-11-03T11:00:00Z");
    to_agglo(town, &request).await;
    assert_eq!(run(town).await, Brought { arrived: 1, blocked: 0 });
    let there = cards(town, "agglo").await;
    assert_eq!(there.len(), 1);
    Arrived { request, old_code, new: there[0].request }
}

#[tokio::test]
async fn a_request_passed_on_is_in_the_other_inbox_with_all_it_had() {
    let town = group().await;
    let Arrived { new, .. } = arrived(&town).await;
    assert_eq!(run(&town).await, Brought::default(), "and not again, by a server that remembers nothing");
    let there = cards(&town, "agglo").await;
    assert_eq!((there[0].process.as_str(), there[0].external.as_deref()), ("eau/fuite", None));
    let known = town.guichet.request("agglo", new).await.unwrap();
    let instant = |text: &str| text.parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    assert_eq!(known.request.first_received_at, Some(instant("2026-11-03T09:00:00Z")));
    assert_eq!(known.request.milestones.received, instant("2026-11-03T11:00:00Z"));
    assert!(known.request.clock("answer").is_some(), "promises of its own");
    let dossier = town.guichet.dossier("agglo", &known).await.unwrap();
    assert_eq!(dossier.contact.unwrap().email.as_deref(), Some(CITIZEN));
    assert_eq!(dossier.form["danger"], json!(true));
    let photo = &dossier.form["photos"][0];
    let sha256 = photo["sha256"].as_str().unwrap();
    let copy = town.guichet.attachments().open("agglo", sha256).await.unwrap();
    assert!(copy.is_some(), "its photo is there as well");
    assert_eq!(photo["name"], "trou.png");
}

#[tokio::test]
async fn the_citizen_hears_once_from_who_is_competent_and_the_old_code_leads_on() {
    let town = group().await;
    let Arrived { request, old_code, .. } = arrived(&town).await;
    town.send_all().await;
    let told = to_citizen(&town);
    assert_eq!(told.len(), 1, "{:?}", told.iter().map(|mail| &mail.subject).collect::<Vec<_>>());
    let seen = town.post("/v1/ville/follow", None, &json!({ "code": old_code })).await;
    let new_code = seen.json["passed_on"]["code"].as_str().unwrap().to_owned();
    assert_ne!(new_code, old_code);
    for word in ["Ville de Châlons-en-Champagne nous a transmis", &new_code, "3 novembre 2026"] {
        assert!(told[0].text.contains(word), "{word}: {}", told[0].text);
    }
    assert!(told[0].from.contains("agglo"), "{}", told[0].from);
    assert_eq!(seen.json["passed_on"]["tenant"], json!("agglo"));
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let body = axum::body::Body::from(format!("code={old_code}"));
    let post = axum::http::Method::POST;
    let page = town.call(crate::support::request(post, "/pages/ville/follow", None, &form, body)).await;
    assert!(page.text.contains(&new_code) && page.text.contains("/pages/agglo/follow"), "{}", page.text);
    let goes_on = town.post("/v1/agglo/follow", None, &json!({ "code": new_code })).await;
    assert_eq!(goes_on.json["passed_on_by"]["en"], "Town of Châlons-en-Champagne", "{}", goes_on.text);
    let open311 = format!("/open311/v2/requests/{request}.json?jurisdiction_id=ville");
    let open311 = town.get(&open311, None).await;
    assert!(open311.text.contains("Communauté d’agglomération"), "{}", open311.text);
    assert!(!open311.text.contains(&new_code), "{}", open311.text);
}

#[tokio::test]
async fn both_histories_name_the_other_and_neither_opens_it() {
    let town = group().await;
    let Arrived { request, new, .. } = arrived(&town).await;
    let front = town.agent("a01");
    let water = town.key("agglo", Holder::Agent("g04".into()));
    let first = town.get(&format!("/v1/ville/requests/{request}"), Some(&front)).await;
    assert_eq!(first.json["forwarding"]["request"], json!(new.0));
    assert_eq!(first.json["forwarding"]["standing"], "arrived");
    let timeline = town.get(&format!("/v1/ville/requests/{request}/timeline"), Some(&front)).await;
    assert!(timeline.text.contains("request.forward_arrived") && timeline.text.contains(&new.to_string()));
    let second = town.get(&format!("/v1/agglo/requests/{new}"), Some(&water)).await;
    assert_eq!(second.json["origin"]["through"], json!(["ville"]), "{}", second.text);
    assert_eq!(second.json["origin"]["request"], json!(request));
    let timeline = town.get(&format!("/v1/agglo/requests/{new}/timeline"), Some(&water)).await;
    for words in ["Transmise par Ville de Châlons", "Passed on by Town of Châlons"] {
        assert!(timeline.text.contains(words), "{}", timeline.text);
    }
    let elsewhere = town.get(&format!("/v1/ville/requests/{new}"), Some(&front)).await;
    assert_eq!(elsewhere.status, StatusCode::NOT_FOUND);
    let elsewhere = town.get(&format!("/v1/agglo/requests/{request}"), Some(&water)).await;
    assert_eq!(elsewhere.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_has_no_field_there_is_told_in_words_and_nobody_goes_round_in_a_circle() {
    let town = group().await;
    let (request, _) = reported(&town).await;
    let forward =
        json!({ "command": "forward", "to": "tenant:agglo", "process": "institutions/question-generale" });
    assert_eq!(command(&town, "ville", "a01", &request, forward).await.status, StatusCode::OK);
    assert_eq!(run(&town).await.arrived, 1);
    let there = cards(&town, "agglo").await[0].request;
    let known = town.guichet.request("agglo", there).await.unwrap();
    let dossier = town.guichet.dossier("agglo", &known).await.unwrap();
    let note = &dossier.notes[0];
    assert!(note.contains("Y a-t-il un danger immédiat\u{a0}: oui") && note.contains("48.95700"), "{note}");
    let all = format!("{} {}", Value::Object(dossier.form.clone()), dossier.notes.join(" "));
    assert!(all.contains("De l’eau en sort.") && all.contains("trou.png"), "nothing is lost: {all}");
    for to in ["ville", "tenant:ville"] {
        let back = json!({ "command": "forward", "to": to });
        let refused = command(&town, "agglo", "g01", &there.to_string(), back).await;
        assert_eq!(
            (refused.status.as_u16(), &refused.json["code"]),
            (422, &json!("forward.already_from_there"))
        );
    }
    let mut faked = pothole();
    faked["origin"] = json!({ "through": ["agglo"], "request": request });
    let refused = town.post("/v1/ville/requests", Some(&town.agent("a01")), &faked).await;
    assert!(refused.status.is_client_error(), "{}", refused.text);
}

#[tokio::test]
async fn whom_it_cannot_reach_is_told_once_and_it_arrives_when_it_can() {
    let town = group().await;
    let (request, _) = reported(&town).await;
    let forward = json!({ "command": "forward", "to": "agglo", "process": "voirie/chaussee-abimee" });
    assert_eq!(command(&town, "ville", "a01", &request, forward).await.status, StatusCode::OK);
    let mut worker = Forwards::new(&town.guichet);
    assert_eq!(worker.run_once(town.guichet.now()).await.unwrap(), Brought { arrived: 0, blocked: 1 });
    let blocked = |events: &str| events.matches("request.forward_blocked").count();
    for minutes in 1..60 {
        town.move_to(&format!("2026-11-03T09:{minutes:02}:00Z"));
        assert_eq!(worker.run_once(town.guichet.now()).await.unwrap(), Brought::default());
    }
    town.send_all().await;
    let timeline =
        town.get(&format!("/v1/ville/requests/{request}/timeline"), Some(&town.agent("a01"))).await;
    assert_eq!(blocked(&timeline.text), 1, "told once: {}", timeline.text);
    let told: Vec<_> = town
        .sent
        .sent()
        .into_iter()
        .filter(|mail| mail.text.contains("n’a pas pu être enregistrée"))
        .collect();
    assert!(!told.is_empty() && told.iter().all(|mail| mail.to != CITIZEN));
    let inbox = inbox(&town).await;
    let waiting = inbox.iter().find(|item| item.request == id(&request)).unwrap();
    assert_eq!((waiting.work, waiting.item.as_deref()), (Work::PassOn, Some("agglo")));
    let seen = town.get(&format!("/v1/ville/requests/{request}"), Some(&town.agent("a01"))).await;
    assert_eq!(seen.json["forwarding"]["reason"], "process.unknown", "{}", seen.text);

    // The agglomeration offers it from now on: it arrives by itself, however long it waited.
    let mut more = crate::support::catalogue().clone();
    more.definitions.retain(|definition| definition.process == "voirie/chaussee-abimee");
    more.definitions[0].tenants.push("agglo".into());
    town.guichet.publish(&more).await.unwrap();
    let now = town.move_to("2026-11-03T16:00:00Z");
    assert_eq!(worker.run_once(now).await.unwrap(), Brought { arrived: 1, blocked: 0 });
    assert_eq!(cards(&town, "agglo").await.len(), 1);
    let known = town.guichet.request("ville", id(&request)).await.unwrap();
    assert!(matches!(known.request.forwarding.as_ref().unwrap().standing, ForwardStanding::Arrived { .. }));
    cards(&town, "ville").await;
    assert!(crate::forwarding::inbox(&town).await.iter().all(|item| item.request != id(&request)));
}

#[tokio::test]
async fn a_file_that_cannot_be_copied_keeps_it_where_it_is_until_it_can() {
    let town = group().await;
    let (request, _) = reported(&town).await;
    let known = town.guichet.request("ville", id(&request)).await.unwrap();
    let dossier = town.guichet.dossier("ville", &known).await.unwrap();
    let sha256 = dossier.form["photos"][0]["sha256"].as_str().unwrap().to_owned();
    let path = town.folder.path().join("attachments/ville/blobs").join(&sha256[..2]).join(&sha256);
    let aside = town.folder.path().join("aside");
    std::fs::rename(&path, &aside).unwrap();
    to_agglo(&town, &request).await;
    let mut worker = Forwards::new(&town.guichet);
    assert_eq!(worker.run_once(town.guichet.now()).await.unwrap(), Brought { arrived: 0, blocked: 1 });
    assert!(cards(&town, "agglo").await.is_empty(), "not without its photo");
    std::fs::rename(&aside, &path).unwrap();
    let now = town.move_to("2026-11-03T10:00:00Z");
    assert_eq!(worker.run_once(now).await.unwrap().arrived, 1);
}

#[tokio::test]
async fn an_agent_may_pass_it_on_otherwise_or_keep_it_while_it_cannot_be_taken() {
    let town = group().await;
    for (reopened, again) in [
        (true, json!({ "command": "reopen", "reason": "Nous la gardons." })),
        (false, json!({ "command": "forward", "to": "agglo", "process": "eau/fuite" })),
    ] {
        let (request, _) = reported(&town).await;
        let nowhere = json!({ "command": "forward", "to": "agglo", "process": "voirie/nulle-part" });
        assert_eq!(command(&town, "ville", "a01", &request, nowhere).await.status, StatusCode::OK);
        assert_eq!(run(&town).await.blocked, 1);
        let before = cards(&town, "agglo").await.len();
        let answer = command(&town, "ville", "a01", &request, again).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        let arrived = run(&town).await.arrived;
        assert_eq!(arrived, usize::from(!reopened));
        assert_eq!(cards(&town, "agglo").await.len() - before, arrived);
    }
}

/// Runs `work` until it was polled so often, and drops it there as a death would; whether it came to its end.
async fn dies_after(polls: usize, work: impl Future) -> bool {
    let mut work = pin!(work);
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        work.as_mut().poll(context).map(|_| true)
    })
    .await
}

#[tokio::test]
async fn wherever_a_server_dies_each_request_arrives_exactly_once() {
    let town = group().await;
    let mut rounds = 0;
    for polls in 0.. {
        let (request, _) = reported(&town).await;
        to_agglo(&town, &request).await;
        rounds += 1;
        let mut dying = Forwards::new(&town.guichet);
        let survived = dies_after(polls, dying.run_once(town.guichet.now())).await;
        // Twice over: the second may find what the first left half done.
        for _ in 0..2 {
            run(&town).await;
        }
        let known = town.guichet.request("ville", id(&request)).await.unwrap();
        assert!(
            matches!(known.request.forwarding.as_ref().unwrap().standing, ForwardStanding::Arrived { .. }),
            "{polls}"
        );
        if survived {
            break;
        }
        assert!(polls < 500, "a step has an end");
    }
    assert!(rounds > 5, "it was killed at {rounds} places");
    let there = cards(&town, "agglo").await;
    assert_eq!(there.len(), rounds, "one for each");
    town.send_all().await;
    assert_eq!(to_citizen(&town).len(), rounds, "and one mail for each");
}

#[tokio::test]
async fn two_servers_that_both_think_they_lead_bring_it_once() {
    let town = group().await;
    for _ in 0..5 {
        let (request, _) = reported(&town).await;
        to_agglo(&town, &request).await;
        let (mut one, mut other) = (Forwards::new(&town.guichet), Forwards::new(&town.guichet));
        let now = town.guichet.now();
        let (first, second) = tokio::join!(one.run_once(now), other.run_once(now));
        first.unwrap();
        second.unwrap();
    }
    assert_eq!(cards(&town, "agglo").await.len(), 5);
}

#[tokio::test]
async fn out_of_the_installation_the_slip_goes_with_its_files_and_the_citizen_is_told_to_whom() {
    let town = group().await;
    let (request, code) = reported(&town).await;
    let forward = json!({ "command": "forward", "to": "Préfecture de la Marne", "basis": "CRPA L114-2" });
    let answer = command(&town, "ville", "a01", &request, forward).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(run(&town).await, Brought::default());
    town.send_all().await;
    let sent = town.sent.sent();
    let slip = sent.iter().find(|mail| mail.to == "transmissions@prefecture-marne.example").unwrap();
    for word in
        ["BORDEREAU", "3 novembre 2026", "Jeanne Dupont", CITIZEN, "De l’eau en sort.", "trou.png", "L114-3"]
    {
        assert!(slip.text.contains(word), "{word}: {}", slip.text);
    }
    assert!(!slip.subject.contains("Dupont") && !slip.text.contains(&code), "the code is the citizen’s own");
    let names: Vec<&str> = slip.files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["bordereau.pdf", "trou.png"]);
    assert!(slip.files[0].bytes.starts_with(b"%PDF-"));
    let told = to_citizen(&town);
    assert!(told.last().unwrap().text.contains("Préfecture de la Marne"), "{}", told.last().unwrap().text);
    let seen = town.get(&format!("/v1/ville/requests/{request}"), Some(&town.agent("a01"))).await;
    assert_eq!(
        (&seen.json["forwarding"]["standing"], &seen.json["forwarding"]["means"]),
        (&json!("sent"), &json!("email"))
    );
    let followed = town.post("/v1/ville/follow", None, &json!({ "code": code })).await;
    assert_eq!(followed.json["passed_on"]["to"]["fr"], "Préfecture de la Marne", "{}", followed.text);
    assert!(followed.json["passed_on"].get("code").is_none());
    let timeline =
        town.get(&format!("/v1/ville/requests/{request}/timeline"), Some(&town.agent("a01"))).await;
    assert!(timeline.text.contains("Prefecture of the Marne"), "{}", timeline.text);
}

#[tokio::test]
async fn whom_no_mail_reaches_gets_the_slip_as_a_letter_that_an_agent_prints() {
    let town = group().await;
    for (to, shown) in [("caf", "administration:caf"), ("Mairie de Reims", "administration:Mairie de Reims")]
    {
        let (request, _) = reported(&town).await;
        let forward = json!({ "command": "forward", "to": to });
        assert_eq!(command(&town, "ville", "a01", &request, forward).await.status, StatusCode::OK);
        town.send_all().await;
        let key = town.agent("a01");
        let outbox = town.get("/v1/ville/outbox?by_hand=true", Some(&key)).await;
        let entries = outbox.json["messages"].as_array().unwrap_or_else(|| panic!("{}", outbox.text)).clone();
        let entry = entries
            .iter()
            .find(|entry| entry["request"] == json!(request))
            .unwrap_or_else(|| panic!("{}", outbox.text));
        assert_eq!((&entry["recipient"], &entry["subject"]), (&json!(shown), &json!("slip")));
        let effect = entry["effect"].as_str().unwrap();
        let letter = town.get(&format!("/v1/ville/requests/{request}/letters/{effect}"), Some(&key)).await;
        assert_eq!(letter.status, StatusCode::OK, "{}", letter.text);
        assert!(letter.text.starts_with("%PDF-"));
        let done =
            town.post(&format!("/v1/ville/outbox/{request}/{effect}/done"), Some(&key), &json!({})).await;
        assert!(done.status.is_success(), "{}", done.text);
        let seen = town.get(&format!("/v1/ville/requests/{request}"), Some(&key)).await;
        assert_eq!(seen.json["forwarding"]["standing"], "sent", "{}", seen.text);
    }
    let refused = command(
        &town,
        "ville",
        "a01",
        &reported(&town).await.0,
        json!({ "command": "forward", "to": "tenant:reims" }),
    )
    .await;
    assert_eq!((refused.status.as_u16(), &refused.json["code"]), (422, &json!("forward.unknown")));
}
