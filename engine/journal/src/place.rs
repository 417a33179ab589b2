//! Placing: an append that is ready meets the head of its stream. Every store decides by these same functions.

use crate::digest::Digest;
use crate::error::{Expected, JournalError};
use crate::event::{Appended, Recorded, TOMBSTONE};
use crate::id::{Position, Revision};
use crate::prepare::Prepared;

/// The last event of a stream, as far as the next one needs to know it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    /// The position token of the stream's first event: a short name for the stream inside the store.
    pub(crate) birth: u64,
    pub(crate) revision: Revision,
    pub(crate) digest: Digest,
    pub(crate) closed: bool,
}

impl Head {
    /// The head that this stored event is.
    pub(crate) fn of(birth: u64, last: &Recorded) -> Result<Self, JournalError> {
        let revision = last.revision().ok_or_else(|| {
            JournalError::corrupt(format!("the header at position {} has no revision", last.position()))
        })?;
        Ok(Self { birth, revision, digest: last.header_digest(), closed: last.event_type() == TOMBSTONE })
    }
}

/// Whether the stream is in the state that the append expects, and open.
pub(crate) fn admit(prepared: &Prepared, head: Option<&Head>) -> Result<(), JournalError> {
    let actual = head.map(|head| head.revision);
    if head.is_some_and(|head| head.closed) {
        return Err(JournalError::Tombstoned { stream: prepared.stream.clone() });
    }
    let holds = match prepared.expected {
        Expected::NoStream => actual.is_none(),
        Expected::Exact(revision) => actual == Some(revision),
        Expected::Exists => actual.is_some(),
        Expected::Any => true,
    };
    if holds {
        Ok(())
    } else {
        Err(JournalError::Conflict { stream: prepared.stream.clone(), expected: prepared.expected, actual })
    }
}

/// The receipt of an append placed behind `head` at position token `next`, and the stream's new head.
pub(crate) fn place(
    prepared: &Prepared,
    head: Option<&Head>,
    next: u64,
) -> Result<(Appended, Head), JournalError> {
    let first = head.map_or(Revision::FIRST, |head| head.revision.next());
    let birth = head.map_or(next, |head| head.birth);
    let mut previous = head.map(|head| head.digest);
    let (mut token, mut revision) = (next, first);
    let mut events: Vec<Recorded> = Vec::with_capacity(prepared.events.len());
    let mut closed = false;
    for event in &prepared.events {
        if !events.is_empty() {
            (token, revision) = (token.saturating_add(1), revision.next());
        }
        let header = event.template.place(&prepared.stream, revision, previous.as_ref());
        previous = Some(Digest::of(header.as_bytes()));
        events.push(Recorded::new(Position::from_token(token), header, event.body.clone()));
        closed = event.closes;
    }
    let digest = previous.ok_or_else(|| JournalError::invalid("it holds no event"))?;
    let receipt = Appended {
        first_revision: first,
        revision,
        position: Position::from_token(token),
        events,
        repeated: false,
    };
    Ok((receipt, Head { birth, revision, digest, closed }))
}

/// The receipt of a command that stands already, from the events that it wrote.
pub(crate) fn repeated(
    prepared: &Prepared,
    stored_fingerprint: &[u8],
    events: Vec<Recorded>,
) -> Result<Appended, JournalError> {
    let reused =
        || JournalError::CommandReused { stream: prepared.stream.clone(), command: prepared.command };
    let same_slots = events.len() == prepared.events.len()
        && events
            .iter()
            .zip(&prepared.events)
            .all(|(stands, wanted)| stands.header().is_ok_and(|header| header.event == wanted.id));
    if stored_fingerprint != prepared.fingerprint || !same_slots {
        return Err(reused());
    }
    let (Some(first), Some(last)) = (events.first(), events.last()) else { return Err(reused()) };
    let (first_revision, revision, position) =
        (first.header()?.revision, last.header()?.revision, last.position());
    Ok(Appended { first_revision, revision, position, events, repeated: true })
}
