//! Several engines on one journal, as several servers are: none decides or answers by what another has changed.

use std::sync::Arc;

use guichet_engine::journal::{
    Append, Body, CommandId, Expected, Journal, JournalError, MemoryJournal, NewEvent,
};
use guichet_engine::rules::request::{Actor, Command, RequestId};
use guichet_engine::{Engine, EngineError, Publication, request_stream, tenant_of};
use uuid::Uuid;

use crate::town::{Town, note, pothole, publication, qualify, submission};

const PROCESS: &str = "voirie/chaussee-abimee";

async fn two() -> (Town, Engine) {
    let journal = Arc::new(MemoryJournal::new().unwrap());
    let first = Town::on(Arc::clone(&journal) as _).await;
    let second = Engine::new(journal, Arc::clone(&first.around) as _);
    second.refresh().await.unwrap();
    (first, second)
}

fn titled(mark: &str) -> Publication {
    let mut changed = publication();
    // One process is enough to publish, and quicker.
    changed.definitions.retain(|(definition, _)| definition.process == PROCESS);
    changed.definitions[0].0.title.fr.push_str(mark);
    changed
}

fn agent() -> Actor {
    Actor::Agent("a01".into())
}

#[tokio::test]
async fn a_version_published_on_one_server_counts_on_the_other_at_once() {
    let (first, second) = two().await;
    for round in 0..8_u128 {
        let published = titled(&format!(" ({round})"));
        first.engine.publish(&published, &Actor::Engine).await.unwrap();
        let in_force = first.engine.definitions().in_force("ville", PROCESS).unwrap();
        let command = submission(1000 + round, None, pothole(), Actor::Integrator("portal".into()));
        let received = second.submit(command).await.unwrap();
        assert_eq!(received.state.definition, *in_force.hash(), "round {round}");
    }
}

#[tokio::test]
async fn a_process_retired_on_one_server_is_refused_by_the_other_and_back_when_it_comes_back() {
    let (first, second) = two().await;
    first.engine.retire("ville", PROCESS, "finie", None, &Actor::Engine).await.unwrap();
    let command = |id| submission(id, None, pothole(), Actor::Integrator("portal".into()));
    let refused = second.submit(command(1)).await.unwrap_err();
    assert_eq!(refused.rejection().unwrap().code, "request.process_retired");
    first.engine.publish(&titled(" (de retour)"), &Actor::Engine).await.unwrap();
    second.submit(command(2)).await.unwrap();
}

#[tokio::test]
async fn an_organisation_published_on_one_server_counts_on_the_other_at_once() {
    let (first, second) = two().await;
    let mut changed = Publication { definitions: Vec::new(), ..publication() };
    changed.organisation.people.retain(|person| person.person != "a01");
    let known = second.organisation_now("ville").await.unwrap().unwrap();
    assert!(known.person("a01").is_some());
    first.engine.publish(&changed, &Actor::Engine).await.unwrap();
    let known = second.organisation_now("ville").await.unwrap().unwrap();
    assert!(known.person("a01").is_none());
    assert_eq!(second.organisation_now("nowhere").await.unwrap(), None);
}

#[tokio::test]
async fn a_server_that_knows_no_collectivity_yet_finds_it_when_a_command_names_it() {
    let journal = Arc::new(MemoryJournal::new().unwrap());
    let first = Town::on(Arc::clone(&journal) as _).await;
    let second = Engine::new(journal, Arc::clone(&first.around) as _);
    second.submit(submission(1, None, pothole(), Actor::Integrator("portal".into()))).await.unwrap();
}

#[tokio::test]
async fn what_is_shown_is_what_any_server_has_acknowledged() {
    let (first, second) = two().await;
    let request = first.pothole(1).await.unwrap().request;
    assert_eq!(second.state("ville", request).await.unwrap().revision, 0);
    let qualified = first.act(2, request, qualify()).await.unwrap();
    let shown = second.state("ville", request).await.unwrap();
    assert_eq!((shown.revision, shown.request.stage.id()), (qualified.revision, qualified.state.stage.id()));
}

/// What one server refuses by an old state, the other has made possible meanwhile.
#[tokio::test]
async fn nothing_is_refused_by_a_state_that_has_passed() {
    let (first, second) = two().await;
    let request = first.pothole(1).await.unwrap().request;
    let act = |id, command| submission(id, Some(request), command, agent());
    second.submit(act(2, note("vu"))).await.unwrap();
    let early = second.submit(act(3, Command::Claim {})).await;
    let code = early.unwrap_err().rejection().unwrap().code.clone();
    assert_eq!(
        code, "stage.wrong",
        "so the claim below can only be let through by what the first server did"
    );
    first.act(4, request, qualify()).await.unwrap();
    let claimed = second.submit(act(5, Command::Claim {})).await;
    assert_ne!(
        claimed.err().and_then(|e| e.rejection().map(|r| r.code.clone())).as_deref(),
        Some("stage.wrong")
    );
    // The revision that the sender saw on the first server is not refused by the second.
    let seen = first.act(6, request, note("encore")).await.unwrap().revision;
    let mut minded = act(7, note("vu aussi"));
    minded.expected = Some(seen);
    second.submit(minded).await.unwrap();
}

#[tokio::test]
async fn a_repeat_on_another_server_answers_the_first_receipt_with_the_state_as_it_is_now() {
    let (first, second) = two().await;
    let request = first.pothole(1).await.unwrap().request;
    let act = |id, command| submission(id, Some(request), command, agent());
    let once = second.submit(act(2, note("vu"))).await.unwrap();
    let qualified = first.act(3, request, qualify()).await.unwrap();
    let stage = qualified.state.stage.id();
    assert_ne!(once.state.stage.id(), stage);
    for engine in [&second, &first.engine] {
        let again = engine.submit(act(2, note("vu"))).await.unwrap();
        assert!(again.repeated);
        assert_eq!(again.revision, once.revision);
        assert_eq!(again.state.stage.id(), stage);
    }
}

/// The server that carried a command out died before it answered; the client asks another, which knows nothing of it and
/// decides later, when the same command would do more.
#[tokio::test]
async fn a_command_sent_again_to_another_server_is_known_even_if_it_would_do_something_else_by_now() {
    let (first, second) = two().await;
    let (request, other) = (first.pothole(1).await.unwrap().request, first.pothole(2).await.unwrap().request);
    second.state("ville", request).await.unwrap();
    let once = first.act(3, request, qualify()).await.unwrap();
    first.later(24 * 60);
    let late = first.act(4, other, qualify()).await.unwrap();
    assert_ne!(once.events.len(), late.events.len(), "the same command does something else by now");
    let again = second.submit(submission(3, Some(request), qualify(), agent())).await.unwrap();
    assert!(again.repeated);
    assert_eq!((again.revision, again.events), (once.revision, once.events));
    // Another content under the same id is refused here as there.
    let reused = second.submit(submission(3, Some(request), note("autre"), agent())).await;
    let refused =
        |error: &EngineError| matches!(error, EngineError::Journal(JournalError::CommandReused { .. }));
    assert!(reused.as_ref().is_err_and(refused), "{reused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_servers_that_change_one_request_at_the_same_time_lose_nothing() {
    let (first, second) = two().await;
    let request = first.pothole(1).await.unwrap().request;
    let engines = [Arc::new(first.engine), Arc::new(second)];
    let tasks = (0..100_u128).map(|number| {
        let engine = Arc::clone(&engines[usize::from(number % 2 == 0)]);
        tokio::spawn(async move {
            engine.submit(submission(10 + number, Some(request), note("vu"), agent())).await.unwrap()
        })
    });
    let mut revisions = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        revisions.push(task.await.unwrap().revision);
    }
    revisions.sort_unstable();
    assert_eq!(revisions, (1..=100).collect::<Vec<u64>>());
    assert_eq!(engines[0].state("ville", request).await.unwrap().revision, 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_servers_that_publish_at_the_same_time_both_succeed() {
    let (first, second) = two().await;
    let (one, other) = (titled(" (un)"), titled(" (deux)"));
    for _ in 0..10 {
        let (left, right) =
            tokio::join!(first.engine.publish(&one, &Actor::Engine), second.publish(&other, &Actor::Engine));
        left.unwrap();
        right.unwrap();
    }
    first.engine.refresh().await.unwrap();
    second.refresh().await.unwrap();
    let hash = |engine: &Engine| engine.definitions().in_force("ville", PROCESS).unwrap().hash().clone();
    assert_eq!(hash(&first.engine), hash(&second));
}

/// Appends what a newer version would.
async fn newer(journal: &dyn Journal, request: RequestId, revision: u64) {
    let event = NewEvent {
        event_type: "request.teleported".parse().unwrap(),
        occurred_at: "2026-05-06T08:00:00Z".parse().unwrap(),
        definition: None,
        actor: None,
        body: Body::parse(r#"{"data":{"to":"moon"}}"#.into()).unwrap(),
    };
    let append = Append {
        stream: request_stream(&tenant_of("ville").unwrap(), request).unwrap(),
        expected: Expected::Exact(guichet_engine::journal::Revision::new(revision)),
        command: CommandId::new(Uuid::from_u128(77)),
        command_digest: guichet_engine::journal::Digest::of(b"newer"),
        actor: "engine".parse().unwrap(),
        on_behalf_of: None,
        channel: None,
        recorded_at: "2026-05-06T08:00:00Z".parse().unwrap(),
        correlation: None,
        causation: None,
        known_keys: Vec::new(),
        events: vec![event],
    };
    journal.append(append).await.unwrap();
}

#[tokio::test]
async fn what_only_a_newer_version_knows_is_neither_folded_nor_decided_over() {
    let (first, second) = two().await;
    let request = first.pothole(1).await.unwrap().request;
    second.state("ville", request).await.unwrap();
    newer(second.journal().as_ref(), request, 0).await;
    let before = first.events().await;
    // Each has the request in memory as it was before.
    for engine in [&first.engine, &second] {
        let decided = engine.submit(submission(5, Some(request), note("vu"), agent())).await;
        assert!(matches!(decided, Err(EngineError::Newer(kind)) if kind == "request.teleported"));
        let refused = engine.submit(submission(6, Some(request), Command::Claim {}, agent())).await;
        assert!(matches!(refused, Err(EngineError::Newer(_))), "{refused:?}");
        assert!(matches!(engine.state("ville", request).await, Err(EngineError::Newer(_))));
    }
    assert_eq!(first.events().await, before);
    let census = first.engine.census(2.try_into().unwrap()).await;
    assert!(matches!(census, Err(EngineError::Newer(kind)) if kind == "request.teleported"));
    // Others are dealt with as ever.
    first.pothole(2).await.unwrap();
}
