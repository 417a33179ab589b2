//! Appends one after the other, and what is read of them.

use super::tools::{
    command, contents, ensure, ensure_refused, event, everything, instant, stream, with_events,
};
use super::{Outcome, Store};
use crate::error::{Expected, JournalError};
use crate::event::{Body, NewEvent};
use crate::id::{EventId, Pseudonym, Revision};
use crate::limits::{APPEND_BYTES_MAX, APPEND_EVENTS_MAX, BODY_BYTES_MAX};
use crate::{Digest, verify_all, verify_stream};
use chrono::TimeDelta;

pub(super) async fn what_is_appended_is_read_back(store: &dyn Store) -> Outcome {
    let place = store.place().await?;
    let journal = place.open().await?;
    let stream = stream()?;
    let odd = "{ \"b\": 1.50, \"a\": [1e3, \"é\\u0041\\n\"],\n\t\"n\": 12345678901234567890 }";
    let mut append = with_events(
        &stream,
        Expected::NoStream,
        vec![event("request.received", odd)?, event("request.noted", "null")?],
    )?;
    append.on_behalf_of = Some("agent:13".parse()?);
    append.correlation = Some(super::tools::draw());
    append.recorded_at = instant() + TimeDelta::microseconds(1);
    if let Some(first) = append.events.first_mut() {
        first.definition = Some(Digest::of(b"definition"));
    }
    // The second one was nobody's doing.
    let nobody: Pseudonym = "engine".parse()?;
    append.channel = Some("web".parse()?);
    if let Some(second) = append.events.get_mut(1) {
        second.actor = Some(nobody.clone());
    }
    let receipt = journal.append(append.clone()).await?;
    ensure!(
        !receipt.repeated && receipt.first_revision == Revision::FIRST && receipt.revision.get() == 1,
        "{receipt:?}"
    );
    let read = journal.read(&stream, Revision::FIRST, 10).await?;
    ensure!(contents(&read) == contents(&receipt.events), "the receipt shows other events than the stream");
    ensure!(
        contents(&everything(journal.as_ref(), 100).await?) == contents(&read),
        "the journal shows other events than the stream"
    );
    ensure!(journal.head().await? == Some(receipt.position), "the head is not the last position");
    let bodies: Vec<_> = read.iter().map(crate::Recorded::body).collect();
    ensure!(bodies == [odd, "null"], "bodies were rewritten: {bodies:?}");
    for (index, event) in read.iter().enumerate() {
        let header = event.header()?;
        ensure!(
            header.stream == stream && header.tenant == stream.tenant(),
            "another stream or tenant: {header:?}"
        );
        ensure!(
            header.event == EventId::of(append.command, index) && header.command == append.command,
            "other ids: {header:?}"
        );
        let people = (&header.actor, header.on_behalf_of.as_ref(), header.channel.as_ref());
        let expected = match index {
            0 => (&append.actor, append.on_behalf_of.as_ref(), append.channel.as_ref()),
            _ => (&nobody, None, None),
        };
        ensure!(people == expected, "other people or another way in: {header:?}");
        ensure!(header.correlation == append.correlation, "another correlation: {header:?}");
        ensure!(
            header.occurred_at == instant() && header.recorded_at == append.recorded_at,
            "other times: {header:?}"
        );
        ensure!(header.definition.is_some() == (index == 0), "another definition: {header:?}");
        ensure!(header.body == Digest::of(event.stored_body().as_bytes()), "another body: {header:?}");
        ensure!(
            event.revision() == Some(header.revision) && event.event_type() == header.event_type.as_str(),
            "{header:?}"
        );
    }
    Ok(())
}

pub(super) async fn expectations_hold_or_change_nothing(store: &dyn Store) -> Outcome {
    let place = store.place().await?;
    let journal = place.open().await?;
    let absent = stream()?;
    for expected in [Expected::Exists, Expected::Exact(Revision::FIRST), Expected::Exact(Revision::new(7))] {
        let refused = journal.append(command(&absent, expected, 1)?).await;
        ensure_refused!(refused, JournalError::Conflict { actual: None, ref stream, expected: told } if *stream == absent && told == expected);
    }
    ensure!(
        journal.read(&absent, Revision::FIRST, 10).await?.is_empty(),
        "a refused append left something behind"
    );
    for first in [Expected::NoStream, Expected::Any] {
        let stream = stream()?;
        journal.append(command(&stream, first, 2)?).await?;
        for expected in
            [Expected::NoStream, Expected::Exact(Revision::FIRST), Expected::Exact(Revision::new(2))]
        {
            let refused = journal.append(command(&stream, expected, 1)?).await;
            ensure_refused!(refused, JournalError::Conflict { actual: Some(actual), .. } if actual == Revision::new(1));
        }
        for expected in [Expected::Exact(Revision::new(1)), Expected::Exists, Expected::Any] {
            journal.append(command(&stream, expected, 1)?).await?;
        }
        let read = journal.read(&stream, Revision::FIRST, 10).await?;
        ensure!(read.len() == 5, "5 events were due, {} stand", read.len());
    }
    ensure!(verify_all(journal.as_ref()).await?.events == 10, "a refused append left something behind");
    Ok(())
}

pub(super) async fn revisions_have_no_hole_and_positions_grow(store: &dyn Store) -> Outcome {
    let place = store.place().await?;
    let journal = place.open().await?;
    let streams = [stream()?, stream()?, stream()?];
    let mut last = None;
    for round in 0..8_usize {
        for (index, stream) in streams.iter().enumerate() {
            let receipt = journal.append(command(stream, Expected::Any, 1 + (round + index) % 4)?).await?;
            for event in &receipt.events {
                ensure!(
                    Some(event.position()) > last,
                    "position {} does not follow {last:?}",
                    event.position()
                );
                last = Some(event.position());
            }
            ensure!(Some(receipt.position) == last, "the receipt names another position than its last event");
        }
    }
    for stream in &streams {
        let revisions: Vec<_> = journal
            .read(stream, Revision::FIRST, 100)
            .await?
            .iter()
            .filter_map(crate::Recorded::revision)
            .collect();
        ensure!(revisions.iter().map(|revision| revision.get()).eq(0..20), "holes in {revisions:?}");
    }
    Ok(())
}

pub(super) async fn limits_hold(store: &dyn Store) -> Outcome {
    let place = store.place().await?;
    let journal = place.open().await?;
    let stream = stream()?;
    let text = |length: usize| format!("\"{}\"", "x".repeat(length - 2));
    ensure_refused!(Body::parse(text(BODY_BYTES_MAX + 1)), JournalError::TooLarge { .. });
    ensure_refused!(Body::of(&text(BODY_BYTES_MAX)), JournalError::TooLarge { .. });
    ensure_refused!(Body::parse("{\"a\":".to_owned()), JournalError::Invalid { .. });
    ensure_refused!(journal.append(command(&stream, Expected::Any, 0)?).await, JournalError::Invalid { .. });
    ensure_refused!(
        journal.append(command(&stream, Expected::Any, APPEND_EVENTS_MAX + 1)?).await,
        JournalError::TooLarge { .. }
    );
    let large = event("request.noted", &text(BODY_BYTES_MAX))?;
    let too_many = APPEND_BYTES_MAX / BODY_BYTES_MAX + 1;
    let refused = journal.append(with_events(&stream, Expected::Any, vec![large.clone(); too_many])?).await;
    ensure_refused!(refused, JournalError::TooLarge { .. });
    let mut early = command(&stream, Expected::Any, 1)?;
    early.recorded_at = instant() - TimeDelta::microseconds(1);
    ensure_refused!(journal.append(early).await, JournalError::Invalid { .. });
    for bad in [
        "{\"$personal\":\"jean@example.fr\",\"value\":1}",
        "{\"$sealed\":\"x\"}",
        "{\"$personal\":\"p\",\"value\":1,\"x\":1}",
    ] {
        let refused =
            journal.append(with_events(&stream, Expected::Any, vec![event("request.noted", bad)?])?).await;
        ensure_refused!(refused, JournalError::Invalid { .. });
    }
    ensure!(journal.head().await?.is_none(), "a refused append left something behind");
    journal.append(with_events(&stream, Expected::NoStream, vec![large; too_many - 2])?).await?;
    journal.append(command(&stream, Expected::Exists, APPEND_EVENTS_MAX)?).await?;
    let report = verify_all(journal.as_ref()).await?;
    ensure!(report.is_sound(), "{:?}", report.findings);
    Ok(())
}

pub(super) async fn a_closed_stream_takes_nothing_more(store: &dyn Store) -> Outcome {
    let place = store.place().await?;
    let mut journal = place.open().await?;
    let stream = stream()?;
    let closing = vec![event("request.noted", "1")?, NewEvent::tombstone(instant())?];
    let behind = vec![NewEvent::tombstone(instant())?, event("request.noted", "1")?];
    ensure_refused!(
        journal.append(with_events(&stream, Expected::NoStream, behind)?).await,
        JournalError::Invalid { .. }
    );
    let last = with_events(&stream, Expected::NoStream, closing)?;
    journal.append(last.clone()).await?;
    for _ in 0..2 {
        for expected in
            [Expected::NoStream, Expected::Exact(Revision::new(1)), Expected::Exists, Expected::Any]
        {
            ensure_refused!(
                journal.append(command(&stream, expected, 1)?).await,
                JournalError::Tombstoned { .. }
            );
        }
        ensure!(
            journal.append(last.clone()).await?.repeated,
            "the command that closed the stream was not recognised"
        );
        ensure!(
            journal.read(&stream, Revision::FIRST, 10).await?.len() == 2,
            "a closed stream cannot be read"
        );
        if !place.outlives() {
            break;
        }
        journal.close().await;
        journal = place.open().await?;
    }
    Ok(())
}

pub(super) async fn reads_keep_their_bounds(store: &dyn Store) -> Outcome {
    let place = store.place().await?;
    let journal = place.open().await?;
    let stream = stream()?;
    ensure!(journal.head().await?.is_none(), "an empty journal has a head");
    ensure!(
        journal.read(&stream, Revision::FIRST, 10).await?.is_empty(),
        "events in a stream that does not exist"
    );
    journal.append(command(&stream, Expected::NoStream, 10)?).await?;
    for (from, limit, due) in
        [(0, 3, 0..3), (3, 100, 3..10), (9, 1, 9..10), (10, 5, 0..0), (u64::MAX, 5, 0..0), (2, 0, 0..0)]
    {
        let read = journal.read(&stream, Revision::new(from), limit).await?;
        let revisions: Vec<_> =
            read.iter().filter_map(crate::Recorded::revision).map(Revision::get).collect();
        ensure!(
            revisions.iter().copied().eq(due.clone()),
            "from {from}, {limit} at most: {revisions:?}, not {due:?}"
        );
    }
    Ok(())
}

pub(super) async fn what_was_acknowledged_outlives_a_restart(store: &dyn Store) -> Outcome {
    let place = store.place().await?;
    if !place.outlives() {
        return Ok(());
    }
    let (mut before, known) = (Vec::new(), stream()?);
    for round in 0..3_u64 {
        let journal = place.open().await?;
        ensure!(
            contents(&everything(journal.as_ref(), 7).await?) == contents(&before),
            "round {round} lost or changed something"
        );
        let expected =
            if round == 0 { Expected::NoStream } else { Expected::Exact(Revision::new(round * 2 - 1)) };
        before.extend(journal.append(command(&known, expected, 2)?).await?.events);
        before.extend(journal.append(command(&stream()?, Expected::NoStream, 1)?).await?.events);
        let report = verify_all(journal.as_ref()).await?;
        ensure!(report.is_sound(), "{:?}", report.findings);
        ensure!(journal.examine().await?.is_empty(), "{:?}", journal.examine().await);
        journal.close().await;
    }
    Ok(())
}

pub(super) async fn a_closed_journal_refuses(store: &dyn Store) -> Outcome {
    let place = store.place().await?;
    let journal = place.open().await?;
    let stream = stream()?;
    journal.append(command(&stream, Expected::NoStream, 1)?).await?;
    // An append that its caller has begun and left lying must not keep the journal from closing.
    let mut lying = journal.append(command(&stream, Expected::Any, 1)?);
    let _first_step = tokio::time::timeout(std::time::Duration::ZERO, &mut lying).await;
    tokio::time::timeout(std::time::Duration::from_secs(30), journal.close()).await?;
    journal.close().await;
    drop(lying);
    ensure_refused!(journal.append(command(&stream, Expected::Any, 1)?).await, JournalError::Closed);
    ensure_refused!(journal.read(&stream, Revision::FIRST, 1).await, JournalError::Closed);
    ensure_refused!(journal.read_all(None, &crate::Filter::everything(), 1).await, JournalError::Closed);
    ensure_refused!(journal.head().await, JournalError::Closed);
    Ok(())
}

pub(super) async fn headers_form_a_chain(store: &dyn Store) -> Outcome {
    let place = store.place().await?;
    let journal = place.open().await?;
    let (one, other) = (stream()?, stream()?);
    for _ in 0..5 {
        journal.append(command(&one, Expected::Any, 2)?).await?;
        journal.append(command(&other, Expected::Any, 1)?).await?;
    }
    for stream in [&one, &other] {
        let mut previous = None;
        for event in journal.read(stream, Revision::FIRST, 100).await? {
            ensure!(event.header()?.previous == previous, "the chain breaks at {event:?}");
            previous = Some(event.header_digest());
        }
        let report = verify_stream(journal.as_ref(), stream).await?;
        ensure!(report.is_sound() && report.streams == 1, "{report:?}");
    }
    let report = verify_all(journal.as_ref()).await?;
    ensure!(report.is_sound() && (report.events, report.streams, report.opened) == (15, 2, 15), "{report:?}");
    Ok(())
}
