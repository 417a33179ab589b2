//! Many at once.

use std::collections::HashMap;
use std::time::Duration;

use super::tools::{command, ensure, ensure_refused, everything, soon, stream};
use super::{Failure, Outcome, Store};
use crate::error::{Expected, JournalError};
use crate::follow::Followed;
use crate::id::Revision;
use crate::{Filter, verify_all};

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
        let mut won = 0;
        for rival in rivals {
            match rival.await? {
                Ok(receipt) => {
                    ensure!(
                        receipt.revision == Revision::new(round),
                        "the winner stands at {}",
                        receipt.revision
                    );
                    won += 1;
                }
                Err(JournalError::Conflict { actual, .. }) => {
                    ensure!(actual == Some(Revision::new(round)), "a loser is told that {actual:?} stands");
                }
                Err(error) => return Err(error.into()),
            }
        }
        ensure!(won == 1, "{won} of 32 won");
    }
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

/// What 64 writers leave behind: streams of their own, one stream that all fight for, and single events.
pub(super) async fn a_follower_of_many_writers_misses_nothing(store: &dyn Store) -> Outcome {
    const WRITERS: usize = 64;
    const ROUNDS: u64 = 20;
    let place = store.place().await?;
    let journal = place.open().await?;
    let shared = stream()?;
    let mut follower = journal.follow(None, Filter::everything());
    let mut writers = Vec::new();
    for _ in 0..WRITERS {
        let (journal, shared, own) = (journal.clone(), shared.clone(), stream()?);
        writers.push(tokio::spawn(async move {
            for round in 0..ROUNDS {
                let expected = if round == 0 {
                    Expected::NoStream
                } else {
                    Expected::Exact(Revision::new(round * 2 - 1))
                };
                journal.append(command(&own, expected, 2)?).await?;
                if round % 5 == 0 {
                    journal.append(command(&shared, Expected::Any, 1)?).await?;
                }
                journal.append(command(&stream()?, Expected::NoStream, 1)?).await?;
            }
            Ok::<_, Failure>(())
        }));
    }
    let due = WRITERS * 20 * 3 + WRITERS * 4;
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
    for writer in writers {
        writer.await??;
    }
    ensure!(
        matches!(soon(follower.next()).await?, Followed::CaughtUp(through) if through == last),
        "not caught up"
    );
    let report = verify_all(journal.as_ref()).await?;
    ensure!(report.is_sound() && report.events == u64::try_from(due).unwrap_or(0), "{report:?}");
    Ok(())
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
