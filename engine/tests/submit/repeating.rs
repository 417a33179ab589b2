use std::sync::Arc;

use guichet_engine::EngineError;
use guichet_engine::journal::{JournalError, MemoryJournal};
use guichet_engine::rules::request::{Actor, Command, RequestId};
use uuid::Uuid;

use crate::town::{Town, note, pothole, qualify, submission};

#[tokio::test]
async fn the_same_command_sent_again_answers_the_first_receipt_and_appends_nothing() {
    let town = Town::new().await;
    let first = town.pothole(1).await.unwrap();
    let qualified = town.act(2, first.request, qualify()).await.unwrap();
    let before = town.events().await;
    town.later(30);
    let again = town.pothole(1).await.unwrap();
    assert!(again.repeated && !first.repeated);
    assert_eq!(
        (again.request, again.revision, again.position),
        (first.request, first.revision, first.position)
    );
    assert_eq!(again.tracking, first.tracking, "a citizen who sends twice keeps one code");
    assert_eq!(again.events, first.events);
    let again = town.act(2, first.request, qualify()).await.unwrap();
    assert_eq!((again.repeated, again.revision), (true, qualified.revision));
    assert_eq!(town.events().await, before);
}

#[tokio::test]
async fn a_repeat_is_recognised_by_an_engine_that_has_forgotten_everything() {
    let journal = Arc::new(MemoryJournal::new().unwrap());
    let first = Town::on(Arc::clone(&journal) as _).await.pothole(1).await.unwrap();
    let town = Town::on(journal).await;
    let again = town.pothole(1).await.unwrap();
    assert_eq!((again.repeated, again.request, again.tracking), (true, first.request, first.tracking));
}

#[tokio::test]
async fn a_command_id_with_another_content_is_refused() {
    let town = Town::new().await;
    let request = town.pothole(1).await.unwrap().request;
    town.act(2, request, note("premier")).await.unwrap();
    let before = town.events().await;
    let reused = town.act(2, request, note("autre")).await.unwrap_err();
    assert!(matches!(reused, EngineError::Journal(JournalError::CommandReused { .. })), "{reused}");
    assert_eq!(town.events().await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn commands_that_race_are_all_decided_and_none_is_lost() {
    let town = Arc::new(Town::new().await);
    let request = town.pothole(1).await.unwrap().request;
    let mut tasks = Vec::new();
    for id in 0..12_u128 {
        let town = Arc::clone(&town);
        tasks.push(tokio::spawn(
            async move { town.act(100 + id, request, note(&format!("note {id}"))).await },
        ));
    }
    let mut revisions = Vec::new();
    for task in tasks {
        revisions.push(task.await.unwrap().unwrap().revision);
    }
    revisions.sort_unstable();
    let expected: Vec<u64> = (1..=12).map(|n| n + revisions[0] - 1).collect();
    assert_eq!(revisions, expected, "each has a revision of its own");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_who_close_it_at_once_one_wins_and_the_other_is_told_why() {
    let town = Arc::new(Town::new().await);
    let request = town.pothole(1).await.unwrap().request;
    let close = |reason: &str| Command::Cancel { reason: reason.into() };
    let one = tokio::spawn({
        let (town, command) = (Arc::clone(&town), close("doublon"));
        async move { town.act(2, request, command).await }
    });
    let other = town.act(3, request, close("erreur")).await;
    let outcomes = [one.await.unwrap(), other];
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    let refused = outcomes.into_iter().find_map(Result::err).unwrap();
    let rejection = refused.rejection().expect("the rules refuse, not the journal");
    assert_eq!(rejection.stage.as_deref(), Some("cancelled"), "the refusal speaks of the new state");
}

#[tokio::test]
async fn a_sender_who_looked_at_an_older_revision_is_told_so() {
    let town = Town::new().await;
    let receipt = town.pothole(1).await.unwrap();
    let mut late = submission(2, Some(receipt.request), note("vu"), Actor::Agent("a01".into()));
    late.expected = Some(receipt.revision + 7);
    let error = town.engine.submit(late.clone()).await.unwrap_err();
    assert_eq!(error.rejection().unwrap().code, "request.moved_on");
    late.expected = Some(receipt.revision);
    town.engine.submit(late).await.unwrap();
}

#[tokio::test]
async fn another_collectivity_neither_sees_nor_moves_a_request_nor_learns_that_it_is_there() {
    let town = Town::new().await;
    let request = town.pothole(1).await.unwrap().request;
    for id in [request, RequestId(Uuid::from_u128(99))] {
        let mut foreign = submission(2, Some(id), note("curieux"), Actor::Agent("a01".into()));
        foreign.tenant = "ccas".into();
        let told = town.engine.submit(foreign).await.unwrap_err().to_string();
        assert_eq!(told, EngineError::UnknownRequest.to_string());
        let told = town.engine.state("ccas", id).await.unwrap_err().to_string();
        assert_eq!(told, EngineError::UnknownRequest.to_string());
    }
    let mut nowhere = submission(3, None, pothole(), Actor::Requester);
    nowhere.tenant = "atlantis".into();
    assert!(matches!(town.engine.submit(nowhere).await.unwrap_err(), EngineError::UnknownTenant));
}
