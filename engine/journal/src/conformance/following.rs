//! Readers that follow, and readers that page.

use super::tools::{
    command, contents, ensure, ensure_refused, event, everything, soon, stream, stream_of, with_events,
};
use super::{Failure, Outcome, Store};
use crate::error::{Expected, JournalError};
use crate::follow::Followed;
use crate::id::Position;
use crate::limits::FOLLOW_PAGE_EVENTS;
use crate::port::{Filter, Journal};

pub(super) async fn a_follower_catches_up_and_wakes(store: &dyn Store) -> Outcome {
    let place = store.place().await?;
    let journal = place.open().await?;
    let mut follower = journal.follow(None, Filter::everything());
    ensure!(
        matches!(soon(follower.next()).await?, Followed::CaughtUp(None)),
        "an empty journal was not caught up with"
    );
    let stream = stream()?;
    for _ in 0..3 {
        let (receipt, told) =
            tokio::join!(journal.append(command(&stream, Expected::Any, 1)?), soon(follower.next()));
        let receipt = receipt?;
        ensure!(
            matches!(told?, Followed::Event(event) if event.position() == receipt.position),
            "another event was told"
        );
        ensure!(
            matches!(soon(follower.next()).await?, Followed::CaughtUp(through) if through == Some(receipt.position)),
            "not caught up"
        );
        let early = tokio::time::timeout(std::time::Duration::from_millis(20), follower.next()).await;
        ensure!(early.is_err(), "the follower told {early:?} though nothing was appended");
    }
    let mut batches = journal.follow(None, Filter::everything());
    let batch = soon(batches.batch()).await?;
    ensure!(
        batch.events.len() == 3 && batch.caught_up && batch.through == journal.head().await?,
        "{batch:?}"
    );
    let (receipt, batch) =
        tokio::join!(journal.append(command(&stream, Expected::Any, 2)?), soon(batches.batch()));
    let batch = batch?;
    ensure!(batch.through == Some(receipt?.position) && batch.events.len() == 2, "{batch:?}");
    Ok(())
}

pub(super) async fn filters_and_positions_are_kept(store: &dyn Store) -> Outcome {
    let place = store.place().await?;
    let journal = place.open().await?;
    let mut positions = Vec::new();
    for (tenant, kind, event_type) in [
        ("ville", "request", "request.received"),
        ("ville", "process", "process.published"),
        ("ccas", "request", "request.received"),
        ("ville", "request", "request.qualified"),
    ] {
        let append =
            with_events(&stream_of(tenant, kind)?, Expected::NoStream, vec![event(event_type, "{}")?])?;
        positions.push(journal.append(append).await?.position);
    }
    let town = Filter::tenant("ville".parse()?);
    let requests = Filter { kinds: vec!["request".to_owned()], ..Filter::default() };
    let received = Filter {
        types: vec!["request.received".parse()?, "process.published".parse()?],
        ..Filter::default()
    };
    let all =
        Filter { tenant: town.tenant.clone(), kinds: requests.kinds.clone(), types: received.types.clone() };
    let none = Filter::tenant("agglo".parse()?);
    for (filter, due) in [
        (town, vec![0, 1, 3]),
        (requests, vec![0, 2, 3]),
        (received, vec![0, 1, 2]),
        (all, vec![0]),
        (none, vec![]),
    ] {
        let due: Vec<_> = due.into_iter().filter_map(|index: usize| positions.get(index).copied()).collect();
        let page = journal.read_all(None, &filter, 100).await?;
        let read: Vec<_> = page.events.iter().map(crate::Recorded::position).collect();
        ensure!(
            read == due && page.at_end && page.through == positions.last().copied(),
            "{filter:?}: {page:?}"
        );
        let mut follower = journal.follow(None, filter.clone());
        for position in &due {
            ensure!(
                matches!(soon(follower.next()).await?, Followed::Event(event) if event.position() == *position),
                "{filter:?}"
            );
        }
        let end = soon(follower.next()).await?;
        ensure!(
            matches!(end, Followed::CaughtUp(through) if through == positions.last().copied()),
            "{filter:?}: {end:?}"
        );
    }
    for (index, after) in positions.iter().enumerate() {
        let page = journal.read_all(Some(*after), &Filter::everything(), 100).await?;
        let read: Vec<_> = page.events.iter().map(crate::Recorded::position).collect();
        ensure!(read == positions.get(index + 1..).unwrap_or_default(), "behind {after}: {read:?}");
        let parsed = after.to_string().parse()?;
        ensure!(*after == parsed, "a position does not survive being written down");
    }
    Ok(())
}

pub(super) async fn rare_kinds_are_found_among_many_events(store: &dyn Store) -> Outcome {
    let place = store.place().await?;
    let journal = place.open().await?;
    let kinds = ["process", "organisation"];
    let mut due = Vec::new();
    // Names that begin as those asked for do, and tenants that begin as others do, are told apart.
    for (round, tenant) in ["ville", "ville2", "ccas", "a", "ville"].into_iter().enumerate() {
        for kind in kinds.into_iter().chain(["processor", "proces"]) {
            let rare = stream_of(tenant, kind)?;
            let first = journal.append(command(&rare, Expected::NoStream, 1)?).await?;
            for _ in 0..3 {
                journal.append(command(&stream_of(tenant, "request")?, Expected::NoStream, 60)?).await?;
            }
            let again = journal.append(command(&rare, Expected::Any, 2)?).await?;
            if kinds.contains(&kind) {
                due.push(first.position);
                due.extend(again.events.iter().map(crate::Recorded::position));
            }
        }
        ensure!(due.len() == (round + 1) * 6, "{} are due", due.len());
    }
    let head = due_head(journal.as_ref()).await?;
    let filter = Filter { kinds: kinds.map(str::to_owned).into(), ..Filter::default() };
    for limit in [1, 4, 100] {
        for from in [None, due.get(7).copied()] {
            let (mut read, mut through) = (Vec::new(), from);
            loop {
                let page = journal.read_all(through, &filter, limit).await?;
                ensure!(page.events.len() <= limit, "{} events on a page of {limit}", page.events.len());
                ensure!(page.through >= through, "a page leads back");
                read.extend(page.events.iter().map(crate::Recorded::position));
                through = page.through;
                if page.at_end {
                    break;
                }
            }
            let due: Vec<_> = due.iter().copied().filter(|position| Some(*position) > from).collect();
            ensure!(read == due && through == head, "pages of {limit} behind {from:?}: {read:?}");
        }
    }
    Ok(())
}

async fn due_head(journal: &dyn Journal) -> Result<Option<Position>, Failure> {
    let mut through = None;
    loop {
        let page = journal.read_all(through, &Filter::everything(), 8_000).await?;
        through = page.through;
        if page.at_end {
            return Ok(through);
        }
    }
}

pub(super) async fn a_follower_ends_with_the_journal(store: &dyn Store) -> Outcome {
    let place = store.place().await?;
    let journal = place.open().await?;
    let mut waiting = journal.follow(None, Filter::everything());
    ensure!(
        matches!(soon(waiting.next()).await?, Followed::CaughtUp(None)),
        "an empty journal was not caught up with"
    );
    journal.append(command(&stream()?, Expected::NoStream, 2)?).await?;
    let mut late = journal.follow(None, Filter::everything());
    journal.close().await;
    for follower in [&mut waiting, &mut late] {
        for _ in 0..2 {
            ensure!(
                matches!(soon(follower.next()).await?, Followed::Event(_)),
                "an event was lost at the end"
            );
        }
        ensure!(
            matches!(soon(follower.next()).await?, Followed::CaughtUp(Some(_))),
            "not caught up at the end"
        );
        let end = tokio::time::timeout(std::time::Duration::from_secs(30), follower.next()).await?;
        ensure_refused!(end, JournalError::Closed);
    }
    Ok(())
}

pub(super) async fn pages_of_any_size_make_the_whole(store: &dyn Store) -> Outcome {
    let place = store.place().await?;
    let journal = place.open().await?;
    let mut told = Vec::new();
    for _ in 0..FOLLOW_PAGE_EVENTS / 250 + 1 {
        told.extend(journal.append(command(&stream()?, Expected::NoStream, 250)?).await?.events);
    }
    for page in [1, 249, 250, 251, usize::MAX] {
        let all = if page == 1 { continue } else { everything(journal.as_ref(), page).await? };
        ensure!(contents(&all) == contents(&told), "pages of {page} are not the whole");
    }
    let one = journal.read_all(None, &Filter::everything(), 1).await?;
    ensure!(one.events.len() == 1 && !one.at_end, "a page of one holds {}", one.events.len());
    let mut follower = journal.follow(None, Filter::everything());
    for event in &told {
        let next = soon(follower.next()).await?;
        ensure!(
            matches!(&next, Followed::Event(told) if told.position() == event.position()),
            "{next:?} where {event:?} was due"
        );
    }
    ensure!(matches!(soon(follower.next()).await?, Followed::CaughtUp(_)), "not caught up");
    Ok(())
}
