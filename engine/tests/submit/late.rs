use guichet_engine::journal::{MemoryJournal, Revision};
use guichet_engine::rules::request::{Actor, Command, TimerKind};
use std::sync::Arc;

use crate::town::{Town, note, submission};

#[tokio::test]
async fn what_fell_due_before_a_command_stands_before_it_dated_by_its_instant_and_done_by_nobody() {
    let journal = Arc::new(MemoryJournal::new().unwrap());
    let town = Town::on(Arc::clone(&journal) as _).await;
    let received = town.pothole(1).await.unwrap();
    let due = received.state.clock("answer").unwrap().due;
    town.later(24 * 30);
    let receipt = town.act(2, received.request, note("Rappelé.")).await.unwrap();
    let stream = guichet_engine::request_stream(&"ville".parse().unwrap(), received.request).unwrap();
    let stored = guichet_engine::journal::Journal::read(
        journal.as_ref(),
        &stream,
        Revision::new(received.revision + 1),
        100,
    )
    .await
    .unwrap();
    assert_eq!(stored.len(), receipt.events.len());
    let headers: Vec<_> = stored.iter().map(|event| event.header().unwrap()).collect();
    let (noted, before) = headers.split_last().unwrap();
    assert_eq!((noted.event_type.as_str(), noted.actor.as_str()), ("request.noted", "agent:a01"));
    assert!(before.iter().all(|header| header.actor.as_str() == "engine" && header.command == noted.command));
    assert!(before.iter().all(|header| header.occurred_at < noted.occurred_at));
    let broken = before.iter().find(|header| header.occurred_at == due).unwrap();
    assert_eq!(broken.event_type.as_str(), "request.commitment_broken");
    // The worker that comes later finds nothing left to say, and the same command again changes nothing.
    let timer = TimerKind::Breach { commitment: "answer".into() };
    let elapse = submission(3, Some(received.request), Command::Elapse { timer, due }, Actor::Engine);
    assert!(town.engine.submit(elapse).await.is_err());
    let again = town.act(2, received.request, note("Rappelé.")).await.unwrap();
    assert_eq!((again.repeated, again.events), (true, receipt.events));
}
