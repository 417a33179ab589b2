//! What the cases are made of.

use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::Failure;
use crate::digest::Digest;
use crate::error::Expected;
use crate::event::{Append, Body, NewEvent};
use crate::id::{CommandId, StreamId};
use crate::port::{Filter, Journal};
use crate::{JournalError, Recorded};

/// Fails the case with a sentence unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($sentence:tt)+) => {
        if !$condition {
            return Err($crate::conformance::Failure(format!($($sentence)+)));
        }
    };
}

/// Fails the case unless the result is the error of this shape.
macro_rules! ensure_refused {
    ($result:expr, $shape:pat $(if $guard:expr)?) => {
        match $result {
            Err($shape) $(if $guard)? => {}
            other => return Err($crate::conformance::Failure(format!(
                "{} was expected of line {}, not {other:?}", stringify!($shape), line!()
            ))),
        }
    };
}

pub(super) use {ensure, ensure_refused};

static DRAWN: AtomicU64 = AtomicU64::new(1);

/// A new id, different from all others of this run.
pub(super) fn draw() -> Uuid {
    let number = DRAWN.fetch_add(1, Ordering::Relaxed);
    Uuid::new_v5(&Uuid::NAMESPACE_OID, &number.to_be_bytes())
}

pub(super) fn stream_of(tenant: &str, kind: &str) -> Result<StreamId, Failure> {
    Ok(StreamId::new(&tenant.parse()?, kind, draw())?)
}

/// A new stream of a request of the town.
pub(super) fn stream() -> Result<StreamId, Failure> {
    stream_of("ville", "request")
}

pub(super) fn instant() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000)
}

pub(super) fn event(event_type: &str, body: &str) -> Result<NewEvent, Failure> {
    Ok(NewEvent {
        event_type: event_type.parse()?,
        occurred_at: instant(),
        definition: None,
        actor: None,
        body: Body::parse(body.to_owned())?,
    })
}

/// A command of `count` small events.
pub(super) fn command(stream: &StreamId, expected: Expected, count: usize) -> Result<Append, Failure> {
    let events = (0..count)
        .map(|index| event("request.noted", &format!("{{\"index\":{index}}}")))
        .collect::<Result<_, _>>()?;
    with_events(stream, expected, events)
}

pub(super) fn with_events(
    stream: &StreamId,
    expected: Expected,
    events: Vec<NewEvent>,
) -> Result<Append, Failure> {
    let id = draw();
    Ok(Append {
        stream: stream.clone(),
        expected,
        command: CommandId::new(id),
        command_digest: Digest::of(id.as_bytes()),
        actor: "agent:12".parse()?,
        on_behalf_of: None,
        channel: Some("counter".parse()?),
        recorded_at: instant(),
        correlation: None,
        causation: None,
        known_keys: Vec::new(),
        events,
    })
}

/// The whole journal, in pages of this many.
pub(super) async fn everything(journal: &dyn Journal, page: usize) -> Result<Vec<Recorded>, Failure> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let found = journal.read_all(after, &Filter::everything(), page).await?;
        all.extend(found.events);
        after = found.through;
        if found.at_end {
            return Ok(all);
        }
    }
}

/// The place, the stored header and the stored body of each: equal lists are equal journals.
pub(super) fn contents(events: &[Recorded]) -> Vec<(String, String, String)> {
    let content = |event: &Recorded| {
        (event.position().to_string(), event.stored_header().to_owned(), event.stored_body().to_owned())
    };
    events.iter().map(content).collect()
}

/// Waits, but not for ever.
pub(super) async fn soon<T>(future: impl Future<Output = Result<T, JournalError>>) -> Result<T, Failure> {
    Ok(tokio::time::timeout(std::time::Duration::from_secs(30), future).await??)
}
