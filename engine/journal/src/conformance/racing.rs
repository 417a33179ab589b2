//! Many at once.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use super::tools::{command, ensure, ensure_refused, everything, soon, stream};
use super::{Failure, Outcome, Store};
use crate::error::{Expected, JournalError};
use crate::event::Appended;
use crate::follow::Followed;
use crate::id::Revision;
use crate::{Filter, Journal, verify_all};

pub(super) async fn one_of_many_wins(store: &dyn Store) -> Outcome {
    let place = store.place().await?;
    let journal = place.open().await?;
    let stream = stream()?;
    for round in 0..10_u64 {
        let expected =
            if round == 0 { Expected::NoStream } else { Expected::Exact(Revision::new(round - 1)) };
        let mut rivals = Vec::new();
        for _ in 0..32 {
            let (journal, append) = (journal.clone(), command(&stream, expected, 1)?);
            rivals.push(tokio::spawn(async move { journal.append(append).await }));
        }
        one_won(rivals, Revision::new(round)).await?;
    }
    Ok(())
}

/// Waits for rivals that all wanted to stand at this revision, and sees that one of them does.
pub(super) async fn one_won(
    rivals: Vec<JoinHandle<Result<Appended, JournalError>>>,
    stands: Revision,
) -> Outcome {
    let (many, mut won) = (rivals.len(), 0);
    for rival in rivals {
        match rival.await? {
            Ok(receipt) => {
                ensure!(receipt.revision == stands, "the winner stands at {}", receipt.revision);
                won += 1;
            }
            Err(JournalError::Conflict { actual, .. }) => {
                ensure!(actual == Some(stands), "a loser is told that {actual:?} stands");
            }
            Err(error) => return Err(error.into()),
        }
    }
    ensure!(won == 1, "{won} of {many} won");
    Ok(())
}

pub(super) async fn conflicts_spoil_nothing_else(store: &dyn Store) -> Outcome {
    let place = store.place().await?;
    let journal = place.open().await?;
    let taken = stream()?;
    journal.append(command(&taken, Expected::NoStream, 1)?).await?;
    let mut tasks = Vec::new();
    for index in 0..200 {
        let append = if index % 2 == 0 {
            command(&stream()?, Expected::NoStream, 1)?
        } else {
            command(&taken, Expected::NoStream, 1)?
        };
        let journal = journal.clone();
        tasks.push((index, tokio::spawn(async move { journal.append(append).await })));
    }
    for (index, task) in tasks {
        let answer = task.await?;
        if index % 2 == 0 {
            answer?;
        } else {
            ensure_refused!(answer, JournalError::Conflict { .. });
        }
    }
    ensure!(everything(journal.as_ref(), 100).await?.len() == 101, "not what was acknowledged");
    Ok(())
}

const WRITERS: usize = 64;

/// Has 64 writers write to these servers in turn: to streams of their own, to one stream that all fight for, and single events. Answers how
/// many events they leave behind.
async fn write_at_once(servers: Vec<Arc<dyn Journal>>, rounds: u64) -> Result<usize, Failure> {
    let shared = stream()?;
    let mut writers = Vec::new();
    for (journal, _) in servers.iter().cycle().zip(0..WRITERS) {
        let (journal, shared, own) = (Arc::clone(journal), shared.clone(), stream()?);
        writers.push(tokio::spawn(async move {
            let mut written = 0;
            for round in 0..rounds {
                let expected = if round == 0 {
                    Expected::NoStream
                } else {
                    Expected::Exact(Revision::new(round * 2 - 1))
                };
                written += journal.append(command(&own, expected, 2)?).await?.events.len();
                if round % 5 == 0 {
                    written += journal.append(command(&shared, Expected::Any, 1)?).await?.events.len();
                }
                written += journal.append(command(&stream()?, Expected::NoStream, 1)?).await?.events.len();
            }
            Ok::<_, Failure>(written)
        }));
    }
    let mut written = 0;
    for writer in writers {
        written += writer.await??;
    }
    Ok(written)
}

/// How many events 64 writers leave behind in so many rounds.
fn due(rounds: u64) -> usize {
    WRITERS * usize::try_from(rounds * 3 + rounds.div_ceil(5)).unwrap_or(0)
}

/// Follows until so many events were told, each once and in order, and nothing comes after them.
async fn follow_all(journal: Arc<dyn Journal>, due: usize) -> Outcome {
    let mut follower = journal.follow(None, Filter::everything());
    let (mut last, mut next, mut seen) = (None, HashMap::<String, u64>::new(), 0);
    while seen < due {
        let Followed::Event(event) = soon(follower.next()).await? else { continue };
        ensure!(
            Some(event.position()) > last,
            "the follower went back from {last:?} to {}",
            event.position()
        );
        last = Some(event.position());
        let revision = next.entry(event.stream().to_owned()).or_default();
        ensure!(
            event.revision() == Some(Revision::new(*revision)),
            "{event:?} came where revision {revision} was due"
        );
        *revision += 1;
        seen += 1;
    }
    ensure!(
        matches!(soon(follower.next()).await?, Followed::CaughtUp(through) if through == last),
        "not caught up"
    );
    Ok(())
}

/// Follows on each server what 64 writers write to all of them.
pub(super) async fn follow_writers_of(servers: Vec<Arc<dyn Journal>>, rounds: u64) -> Outcome {
    let due = due(rounds);
    let followers: Vec<_> =
        servers.iter().map(|journal| tokio::spawn(follow_all(Arc::clone(journal), due))).collect();
    let written = write_at_once(servers.clone(), rounds).await?;
    ensure!(written == due, "{written} events were acknowledged, {due} were due");
    for follower in followers {
        follower.await??;
    }
    if let Some(journal) = servers.first() {
        let report = verify_all(journal.as_ref()).await?;
        ensure!(report.is_sound() && report.events == u64::try_from(due).unwrap_or(0), "{report:?}");
    }
    Ok(())
}

pub(super) async fn a_follower_of_many_writers_misses_nothing(store: &dyn Store) -> Outcome {
    let place = store.place().await?;
    follow_writers_of(vec![place.open().await?], 20).await
}

pub(super) async fn an_abandoned_append_is_whole_or_absent(store: &dyn Store) -> Outcome {
    let place = store.place().await?;
    let journal = place.open().await?;
    let mut commands = Vec::new();
    for delay in 0..120_u64 {
        let append = command(&stream()?, Expected::NoStream, 5)?;
        let (patient, hasty) = (journal.append(append.clone()), Duration::from_micros(delay * 10));
        let _given_up = tokio::time::timeout(hasty, patient).await;
        commands.push(append);
    }
    for append in commands {
        let stands = journal.read(&append.stream, Revision::FIRST, 10).await?.len();
        ensure!(stands == 0 || stands == 5, "{stands} of 5 events stand");
        let receipt = journal.append(append.clone()).await?;
        ensure!(receipt.revision == Revision::new(4), "the retry stands at {}", receipt.revision);
        let stands = journal.read(&append.stream, Revision::FIRST, 10).await?.len();
        ensure!(stands == 5, "{stands} events stand after the retry of 5");
    }
    let report = verify_all(journal.as_ref()).await?;
    ensure!(report.is_sound() && report.events == 600, "{report:?}");
    Ok(())
}
