//! Ideas: shown once somebody has read them, and one vote for each person, whatever they send and wherever.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::http::{Method, StatusCode};
use guichet::accounts::votes::{Ballot, vote};
use guichet::ambient::Surroundings;
use guichet::engine::ManualClock;
use guichet::engine::journal::{Journal, MemoryJournal};
use guichet::engine::rules::language::Catalogue;
use guichet::engine::rules::process::Voter;
use guichet::projections::IdeaQuery;
use guichet::{Guichet, Options};
use serde_json::{Value, json};
use uuid::Uuid;

use super::account::{Citizen, last_code};
use crate::support::{MORNING, Town, catalogue};

const PROCESS: &str = "vie-municipale/idee-citoyenne";

/// The sheet of Châlons, shown once it is qualified.
fn ideas(by: Voter, until: Option<&str>) -> Catalogue {
    let mut ideas = catalogue().clone();
    ideas.definitions.retain(|definition| definition.process == PROCESS);
    for definition in &mut ideas.definitions {
        let voting = definition.voting.as_mut().unwrap();
        (voting.after, voting.by) = (None, by);
        voting.until = until.map(|day| day.parse().unwrap());
    }
    ideas
}

fn idea(title: &str) -> Value {
    json!({
        "process": PROCESS,
        "requester": { "contact": { "name": "Jeanne Dupont", "email": "jeanne@exemple.example" } },
        "form": { "title": title, "pitch": "Des arbres.", "subject": "nature", "budget": "1200.50 EUR" }
    })
}

async fn proposed(town: &Town, title: &str) -> String {
    let answer = town.post_with("/v1/ville/requests", None, &[("prefer", "wait=5")], &idea(title)).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    answer.json["request"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_idea_is_shown_without_its_author_and_counts_each_person_once() {
    let town = Town::new().await;
    town.guichet.publish(&ideas(Voter::Account, Some("2026-11-30"))).await.unwrap();
    let (bench, trees) = (proposed(&town, "Un banc").await, proposed(&town, "Des arbres").await);
    let (angela, other) = (Citizen::new(&town, 1).await, Citizen::new(&town, 2).await);
    let vote = |id: &str| format!("/v1/ville/ideas/{id}/vote");
    for _ in 0..2 {
        let voted = angela.send(Method::PUT, &vote(&trees), &Value::Null).await;
        assert_eq!(
            (voted.status, &voted.json["votes"], &voted.json["voted"]),
            (StatusCode::OK, &json!(1), &json!(true)),
            "{}",
            voted.text
        );
    }
    other.send(Method::PUT, &vote(&trees), &Value::Null).await;
    let list = town.get("/v1/ville/ideas", None).await;
    assert_eq!(
        (&list.json["n"], &list.json["ideas"][0]["title"]),
        (&json!(2), &json!("Des arbres")),
        "{}",
        list.text
    );
    assert_eq!(
        (&list.json["ideas"][0]["votes"], &list.json["ideas"][0]["cost_cents"]),
        (&json!(2), &json!(120_050))
    );
    assert!(
        !list.text.contains("Jeanne") && !list.text.contains(&angela.account.to_string()),
        "{}",
        list.text
    );
    assert_eq!(town.get("/v1/ccas/ideas", None).await.json["n"], json!(0));
    assert_eq!(town.get(&format!("/v1/ccas/ideas/{trees}"), None).await.status, StatusCode::NOT_FOUND);
    let taken_back = other.send(Method::DELETE, &vote(&trees), &Value::Null).await;
    assert_eq!(
        (&taken_back.json["votes"], &taken_back.json["voted"]),
        (&json!(1), &json!(false)),
        "{}",
        taken_back.text
    );
    // Nobody votes by mail where an account is asked for, for what is no idea, or when the vote is over.
    let by_mail =
        town.post(&format!("/v1/ville/ideas/{bench}/votes"), None, &json!({ "email": "a@b.example" })).await;
    assert_eq!(by_mail.status, StatusCode::FORBIDDEN, "{}", by_mail.text);
    let pothole = town.pothole().await.json["request"].as_str().unwrap().to_owned();
    assert_eq!(angela.send(Method::PUT, &vote(&pothole), &Value::Null).await.status, StatusCode::NOT_FOUND);
    town.move_to("2026-11-30T23:30:00Z");
    let over = angela.send(Method::PUT, &vote(&bench), &Value::Null).await;
    assert_eq!((over.status, &over.json["code"]), (StatusCode::CONFLICT, &json!("voting.over")));
    // What is refused is shown no more.
    let agent = town.agent("a13");
    let refuse = json!({ "command": "refuse", "reason": "hors sujet" });
    let path = format!("/v1/ville/requests/{bench}/commands");
    let refused = town.post_with(&path, Some(&agent), &[("prefer", "wait=5")], &refuse).await;
    assert_eq!(refused.status, StatusCode::OK, "{}", refused.text);
    assert_eq!(town.get(&format!("/v1/ville/ideas/{bench}"), None).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn whoever_proves_an_address_votes_once_where_the_sheet_lets_them() {
    let town = Town::new().await;
    town.guichet.publish(&ideas(Voter::Email, None)).await.unwrap();
    let bench = proposed(&town, "Un banc").await;
    let (ask, confirm) =
        (format!("/v1/ville/ideas/{bench}/votes"), format!("/v1/ville/ideas/{bench}/votes/confirm"));
    for address in ["camille@exemple.example", "Camille@Exemple.example"] {
        let asked = town.post(&ask, None, &json!({ "email": address })).await;
        assert_eq!(asked.status, StatusCode::ACCEPTED, "{}", asked.text);
        let body = json!({ "email": address, "code": last_code(&town) });
        let voted = town.post_with(&confirm, None, &[("prefer", "wait=5")], &body).await;
        assert_eq!((voted.status, &voted.json["votes"]), (StatusCode::OK, &json!(1)), "{}", voted.text);
    }
}

async fn engine(journal: &Arc<dyn Journal>, folder: &std::path::Path) -> Guichet {
    let clock = Arc::new(ManualClock::at(MORNING.parse().unwrap()));
    let options = Options::new(folder).ambient(Arc::new(Surroundings::with_clock(clock)));
    Guichet::on_journal(Arc::clone(journal), options).await.unwrap()
}

/// Votes of people who vote again, take their vote back and race themselves, through two engines on one journal, are as
/// many as people whose last word was yes; and a read model made anew says the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn racing_votes_over_two_engines_are_exactly_the_distinct_voters() {
    let journal: Arc<dyn Journal> = Arc::new(MemoryJournal::new().unwrap());
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let engines = [engine(&journal, folders[0].path()).await, engine(&journal, folders[1].path()).await];
    engines[0].publish(&ideas(Voter::Account, None)).await.unwrap();
    engines[1].engine().refresh().await.unwrap();
    let receipt = engines[0]
        .receive(
            guichet::NewRequest::new("ville", PROCESS)
                .field("title", json!("Un banc"))
                .field("pitch", json!("Pour s’asseoir."))
                .field("subject", json!("nature")),
        )
        .await
        .unwrap();
    let request = receipt.request;
    let (mut seed, mut standing): (u64, BTreeSet<Uuid>) = (0x2545_f491_4f6c_dd1d, BTreeSet::new());
    for round in 0..5 {
        // In one round all vote at once, in the next all take their votes back: whoever is drawn twice races themselves.
        let supports = round % 2 == 0;
        let mut tasks = Vec::new();
        for number in 0..60_u64 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let account = Uuid::from_u128(1 + u128::from(seed >> 59));
            let guichet = engines[usize::from(number % 2 == 0)].clone();
            let ballot = Ballot { request, account, by: Voter::Account, supports };
            if supports {
                standing.insert(account)
            } else {
                standing.remove(&account)
            };
            tasks.push(tokio::spawn(async move {
                let id = guichet.fresh_command_id().unwrap();
                vote(&guichet, "ville", ballot, id).await.unwrap();
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
        for guichet in &engines {
            guichet.read_models().catch_up(std::time::Duration::from_secs(20)).await.unwrap();
            assert_eq!(votes(guichet).await, standing.len() as u64, "round {round}");
        }
    }
    assert!((10..=32).contains(&standing.len()), "{}", standing.len());
    let fresh = engine(&journal, folders[2].path()).await;
    fresh.read_models().catch_up(std::time::Duration::from_secs(20)).await.unwrap();
    assert_eq!(votes(&fresh).await, standing.len() as u64, "read anew");
    engines[0].read_models().rebuild(&["ideas"]).await.unwrap();
    assert_eq!(votes(&engines[0]).await, standing.len() as u64, "rebuilt beside");
}

async fn votes(guichet: &Guichet) -> u64 {
    let query = IdeaQuery { tenant: "ville".into(), ..IdeaQuery::default() };
    guichet.read_models().ideas(&query).await.unwrap().value.items[0].votes
}
