//! Several servers on one place.

use std::sync::Arc;

use super::tools::{command, contents, ensure, ensure_refused, event, everything, soon, stream, with_events};
use super::{Failure, Outcome, Place, Store, racing};
use crate::error::{Expected, JournalError};
use crate::event::NewEvent;
use crate::follow::Followed;
use crate::id::Revision;
use crate::port::{Filter, Journal};
use crate::verify_all;

/// Two or three servers on an empty place, and the place, which must outlive them. Fewer where a place belongs to one program at a time.
struct Servers {
    _place: Box<dyn Place>,
    all: Vec<Arc<dyn Journal>>,
}

async fn servers(store: &dyn Store, count: usize) -> Result<Servers, Failure> {
    let place = store.place().await?;
    let mut all = Vec::new();
    for _ in 0..count {
        let Some(opened) = place.open_beside().await else { break };
        all.push(opened?);
    }
    Ok(Servers { _place: place, all })
}

pub(super) async fn followers_on_several_servers_miss_nothing(store: &dyn Store) -> Outcome {
    let servers = servers(store, 3).await?;
    if servers.all.is_empty() {
        return Ok(());
    }
    racing::follow_writers_of(servers.all, 50).await
}

pub(super) async fn a_retry_on_another_server_answers_the_first_receipt(store: &dyn Store) -> Outcome {
    let servers = servers(store, 2).await?;
    let [first, second] = servers.all.as_slice() else { return Ok(()) };
    for (round, expected) in (0..10).flat_map(|round| {
        [Expected::NoStream, Expected::Any, Expected::Exists, Expected::Exact(Revision::FIRST)]
            .map(|expected| (round, expected))
    }) {
        let stream = stream()?;
        if matches!(expected, Expected::Exists | Expected::Exact(_)) {
            second.append(command(&stream, Expected::NoStream, 1)?).await?;
        }
        let append = command(&stream, expected, 3)?;
        let (told, retold) = if round % 2 == 0 {
            let told = first.append(append.clone()).await?;
            ensure!(!told.repeated, "{told:?} is the first");
            (told, second.append(append.clone()).await?)
        } else {
            let (told, retold) = tokio::join!(first.append(append.clone()), second.append(append.clone()));
            (told?, retold?)
        };
        ensure!(
            told.repeated != retold.repeated,
            "{expected}: one of the two carried it out, not {told:?} and {retold:?}"
        );
        ensure!(
            contents(&told.events) == contents(&retold.events) && told.position == retold.position,
            "{expected}: the retry answers another receipt"
        );
        let mut other = append;
        other.command_digest = crate::Digest::of(b"another content");
        for server in [first, second] {
            ensure_refused!(server.append(other.clone()).await, JournalError::CommandReused { .. });
        }
    }
    let report = verify_all(first.as_ref()).await?;
    ensure!(report.is_sound() && report.events == 10 * (3 * 4 + 2), "{report:?}");
    Ok(())
}

pub(super) async fn what_another_server_wrote_is_known(store: &dyn Store) -> Outcome {
    let servers = servers(store, 2).await?;
    let [first, second] = servers.all.as_slice() else { return Ok(()) };
    let stream = stream()?;
    first.append(command(&stream, Expected::NoStream, 1)?).await?;
    second.append(command(&stream, Expected::Exact(Revision::FIRST), 2)?).await?;
    // Both of them remember the stream as they left it; the first one is behind.
    for expected in [Expected::NoStream, Expected::Exact(Revision::FIRST), Expected::Exact(Revision::new(9))]
    {
        let refused = first.append(command(&stream, expected, 1)?).await;
        ensure_refused!(refused, JournalError::Conflict { actual: Some(actual), .. } if actual == Revision::new(2));
    }
    second.append(command(&stream, Expected::Any, 1)?).await?;
    let receipt = first.append(command(&stream, Expected::Exact(Revision::new(3)), 1)?).await?;
    ensure!(receipt.revision == Revision::new(4), "{receipt:?}");
    let receipt = second.append(command(&stream, Expected::Any, 1)?).await?;
    ensure!(receipt.revision == Revision::new(5), "{receipt:?}");
    ensure!(
        first.head().await? == Some(receipt.position),
        "the first server does not know the head that the second one made"
    );
    let closing = with_events(
        &stream,
        Expected::Any,
        vec![event("request.noted", "1")?, NewEvent::tombstone(super::tools::instant())?],
    )?;
    first.append(closing).await?;
    ensure_refused!(
        second.append(command(&stream, Expected::Exact(Revision::new(5)), 1)?).await,
        JournalError::Tombstoned { .. }
    );
    let (one, other) = (everything(first.as_ref(), 3).await?, everything(second.as_ref(), 100).await?);
    ensure!(one.len() == 8 && contents(&one) == contents(&other), "the servers show different journals");
    let report = verify_all(second.as_ref()).await?;
    ensure!(report.is_sound(), "{:?}", report.findings);
    Ok(())
}

pub(super) async fn one_of_many_wins_on_several_servers(store: &dyn Store) -> Outcome {
    let servers = servers(store, 3).await?;
    let stream = stream()?;
    for round in 0..if servers.all.is_empty() { 0 } else { 10_u64 } {
        let expected =
            if round == 0 { Expected::NoStream } else { Expected::Exact(Revision::new(round - 1)) };
        let mut rivals = Vec::new();
        for (journal, _) in servers.all.iter().cycle().zip(0..30) {
            let (journal, append) = (Arc::clone(journal), command(&stream, expected, 1)?);
            rivals.push(tokio::spawn(async move { journal.append(append).await }));
        }
        racing::one_won(rivals, Revision::new(round)).await?;
    }
    Ok(())
}

pub(super) async fn a_follower_wakes_for_another_server(store: &dyn Store) -> Outcome {
    let servers = servers(store, 2).await?;
    let [first, second] = servers.all.as_slice() else { return Ok(()) };
    let mut follower = first.follow(None, Filter::everything());
    ensure!(
        matches!(soon(follower.next()).await?, Followed::CaughtUp(None)),
        "an empty journal was not caught up with"
    );
    for _ in 0..5 {
        let receipt = second.append(command(&stream()?, Expected::NoStream, 1)?).await?;
        ensure!(
            matches!(soon(follower.next()).await?, Followed::Event(event) if event.position() == receipt.position),
            "another event was told"
        );
        ensure!(
            matches!(soon(follower.next()).await?, Followed::CaughtUp(through) if through == Some(receipt.position)),
            "not caught up"
        );
    }
    Ok(())
}
