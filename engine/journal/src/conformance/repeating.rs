//! The same command more than once.

use super::tools::{command, contents, ensure, ensure_refused, event, everything, stream};
use super::{Outcome, Store};
use crate::Digest;
use crate::error::{Expected, JournalError};
use crate::id::Revision;

pub(super) async fn a_retry_answers_the_first_receipt(store: &dyn Store) -> Outcome {
    let place = store.place().await?;
    let journal = place.open().await?;
    let stream = stream()?;
    let mut commands = Vec::new();
    for expected in [Expected::NoStream, Expected::Exact(Revision::new(1)), Expected::Exists, Expected::Any] {
        let append = command(&stream, expected, 2)?;
        let receipt = journal.append(append.clone()).await?;
        commands.push((append, receipt));
    }
    let before = everything(journal.as_ref(), 100).await?;
    let head = Expected::Exact(Revision::new(7));
    for (append, receipt) in &commands {
        for expected in [
            append.expected,
            Expected::NoStream,
            Expected::Exists,
            Expected::Any,
            Expected::Exact(Revision::FIRST),
            head,
        ] {
            let mut again = append.clone();
            again.expected = expected;
            let answer = journal.append(again).await?;
            ensure!(answer.repeated, "{expected}: the retry was not recognised");
            ensure!(
                answer.first_revision == receipt.first_revision && answer.revision == receipt.revision,
                "{expected}: other revisions"
            );
            ensure!(answer.position == receipt.position, "{expected}: another position");
            ensure!(contents(&answer.events) == contents(&receipt.events), "{expected}: other events");
        }
    }
    ensure!(
        contents(&everything(journal.as_ref(), 100).await?) == contents(&before),
        "a retry appended something"
    );
    journal.append(command(&stream, head, 1)?).await?;
    Ok(())
}

pub(super) async fn a_retry_is_recognised_after_a_restart(store: &dyn Store) -> Outcome {
    let place = store.place().await?;
    if !place.outlives() {
        return Ok(());
    }
    let journal = place.open().await?;
    let stream = stream()?;
    let append = command(&stream, Expected::NoStream, 3)?;
    let receipt = journal.append(append.clone()).await?;
    let second = command(&stream, Expected::Exact(Revision::new(2)), 1)?;
    journal.append(second.clone()).await?;
    journal.close().await;
    for retry in [append.clone(), second] {
        let journal = place.open().await?;
        let answer = journal.append(retry.clone()).await?;
        ensure!(answer.repeated, "a retry after a restart was not recognised");
        ensure!(
            retry.command != append.command || contents(&answer.events) == contents(&receipt.events),
            "other events"
        );
        let mut reused = retry.clone();
        reused.command_digest = Digest::of(b"another content");
        ensure_refused!(journal.append(reused).await, JournalError::CommandReused { .. });
        ensure!(everything(journal.as_ref(), 100).await?.len() == 4, "a retry appended something");
        journal.close().await;
    }
    Ok(())
}

pub(super) async fn a_command_id_used_twice_is_refused(store: &dyn Store) -> Outcome {
    let place = store.place().await?;
    let journal = place.open().await?;
    let stream = stream()?;
    let append = command(&stream, Expected::NoStream, 2)?;
    journal.append(append.clone()).await?;
    journal.append(command(&stream, Expected::Any, 1)?).await?;
    for expected in [
        Expected::NoStream,
        Expected::Any,
        Expected::Exact(Revision::new(2)),
        Expected::Exact(Revision::new(1)),
    ] {
        let mut other = append.clone();
        (other.expected, other.command_digest) = (expected, Digest::of(b"another content"));
        ensure_refused!(journal.append(other).await, JournalError::CommandReused { command, .. } if command == append.command);
        let mut longer = append.clone();
        longer.expected = expected;
        longer.events.push(event("request.noted", "1")?);
        ensure_refused!(journal.append(longer).await, JournalError::CommandReused { .. });
        let mut shorter = append.clone();
        shorter.expected = expected;
        shorter.events.truncate(1);
        ensure_refused!(journal.append(shorter).await, JournalError::CommandReused { .. });
    }
    ensure!(everything(journal.as_ref(), 100).await?.len() == 3, "a refused command appended something");
    Ok(())
}

pub(super) async fn a_command_sent_many_times_at_once_is_carried_out_once(store: &dyn Store) -> Outcome {
    let place = store.place().await?;
    let journal = place.open().await?;
    for first in [Expected::NoStream, Expected::Any] {
        let append = command(&stream()?, first, 2)?;
        let senders: Vec<_> = (0..32)
            .map(|_| {
                let (journal, append) = (journal.clone(), append.clone());
                tokio::spawn(async move { journal.append(append).await })
            })
            .collect();
        let mut fresh = 0;
        for sender in senders {
            let receipt = sender.await??;
            fresh += usize::from(!receipt.repeated);
            ensure!(receipt.revision == Revision::new(1), "a second copy at revision {}", receipt.revision);
        }
        ensure!(fresh == 1, "{fresh} of 32 say that they were the first");
        ensure!(
            journal.read(&append.stream, Revision::FIRST, 100).await?.len() == 2,
            "it was carried out more than once"
        );
    }
    Ok(())
}

pub(super) async fn streams_know_only_their_own_commands(store: &dyn Store) -> Outcome {
    let place = store.place().await?;
    let journal = place.open().await?;
    let append = command(&stream()?, Expected::NoStream, 1)?;
    journal.append(append.clone()).await?;
    let mut elsewhere = append.clone();
    elsewhere.stream = super::tools::stream_of("ccas", "request")?;
    elsewhere.command_digest = Digest::of(b"another content");
    let receipt = journal.append(elsewhere).await?;
    ensure!(
        !receipt.repeated && receipt.revision == Revision::FIRST,
        "another tenant's command was taken for this one"
    );
    Ok(())
}
