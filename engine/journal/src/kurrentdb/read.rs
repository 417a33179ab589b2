//! Reading streams and the whole log. A page that ends early is not taken for the end: a node that goes away closes a reading as politely as
//! one that has told everything, so the end is believed only when something else says so too: the number of the stream's last event, a second
//! look, or the last event of the log read backwards.

use std::sync::{Mutex, PoisonError};

use eventstore_client::{
    Client, Error, Position as LogPosition, ReadAllOptions, ReadEvent, ReadStream, ReadStreamOptions,
    RecordedEvent, StreamPosition,
};
use tokio::time::timeout;

use super::client::{Connection, GaveUp};
use super::wire::{Standing, check_number, from_store, own_stream, stream_name};
use crate::error::JournalError;
use crate::event::Recorded;
use crate::id::{Position, StreamId};
use crate::limits::READ_EVENTS_MAX;
use crate::port::{Filter, Page};

/// Events of others that one page passes over before it answers with what it has.
const PASSED_OVER_MAX: usize = 16 * READ_EVENTS_MAX;

/// Events that one call asks for at least where others' stand between ours.
const PASSING_EVENTS: usize = 1024;

/// Calls that one page makes before it answers with what it has.
const LOOKS_MAX: usize = 64;

/// Events that one call asks for when it looks for the last of ours.
const BACKWARDS: usize = 256;

pub(super) struct Reader {
    connection: std::sync::Arc<Connection>,
    seen: Mutex<Seen>,
}

/// What is known of the log: no event of ours stands behind `head`, up to `through`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) head: Option<Position>,
    pub(super) through: Option<Position>,
}

/// What a page has come to.
#[derive(Default)]
struct Looked {
    events: Vec<Recorded>,
    cursor: Option<Position>,
    last_own: Option<Position>,
    own: usize,
    passed: usize,
}

impl Looked {
    fn take(&mut self, position: Position, own: Option<Recorded>, filter: &Filter) {
        self.cursor = Some(position);
        match own {
            Some(event) => {
                self.own += 1;
                self.last_own = Some(position);
                self.events.extend(Some(event).filter(|event| filter.wants(event)));
            }
            None => self.passed += 1,
        }
    }
}

/// What one call brought.
struct Stretch {
    events: Vec<RecordedEvent>,
    /// The number of the stream's last event, if the node told it.
    last: Option<u64>,
}

fn log_position(position: Position) -> LogPosition {
    LogPosition { commit: position.token(), prepare: position.token() }
}

pub(super) fn position_of(event: &RecordedEvent) -> Position {
    Position::from_token(event.position.commit)
}

/// Reads a call to its end, each event within `patience`.
async fn drain(mut stream: ReadStream, patience: std::time::Duration) -> Result<Stretch, Error> {
    let mut found = Stretch { events: Vec::new(), last: None };
    loop {
        let next =
            timeout(patience, stream.next_read_event()).await.map_err(|_| Error::DeadlineExceeded)??;
        match next {
            Some(ReadEvent::Event(event)) => found.events.extend(event.event),
            Some(ReadEvent::LastStreamPosition(last)) => found.last = Some(last),
            Some(ReadEvent::FirstStreamPosition(_) | ReadEvent::LastAllStreamPosition(_)) => {}
            None => return Ok(found),
        }
    }
}

impl Reader {
    pub(super) fn new(connection: std::sync::Arc<Connection>) -> Self {
        Self { connection, seen: Mutex::default() }
    }

    pub(super) fn prefix(&self) -> &str {
        &self.connection.options().prefix
    }

    pub(super) fn seen(&self) -> Seen {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers how far the log is known. What reaches less far than what is known already is of no use.
    pub(super) fn learn(&self, seen: Seen) {
        let mut known = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.through > known.through && seen.head >= known.head {
            *known = seen;
        }
    }

    /// Remembers that nothing of ours stands between what is known and `through`.
    pub(super) fn passed(&self, through: Position) {
        let known = self.seen();
        self.learn(Seen { through: Some(through), ..known });
    }

    /// One call on a stream; none when the stream has no event, or was deleted softly.
    async fn stretch(&self, name: &str, from: u64, count: usize) -> Result<Option<Stretch>, ReadError> {
        let options = ReadStreamOptions::default()
            .position(StreamPosition::Position(from))
            .max_count(count)
            .requires_leader(true);
        let attempt = |client: Client, patience| {
            let options = &options;
            async move {
                let reading = async { drain(client.read_stream(name, options).await?, patience).await };
                match reading.await {
                    Ok(found) => Ok(Ok(Some(found))),
                    Err(Error::ResourceNotFound) => Ok(Ok(None)),
                    Err(Error::ResourceDeleted) => Ok(Err(ReadError::Deleted)),
                    Err(error) => Err(error),
                }
            }
        };
        self.connection.call(attempt).await.map_err(ReadError::GaveUp)?
    }

    /// At most `limit` events of a stream from number `from` on.
    pub(super) async fn stream(
        &self,
        stream: &StreamId,
        from: u64,
        limit: usize,
    ) -> Result<Vec<Standing>, ReadError> {
        let name = stream_name(self.prefix(), stream);
        let mut all: Vec<Standing> = Vec::new();
        // KurrentDB counts in signed numbers; no stream reaches the half of them.
        while all.len() < limit && i64::try_from(from).is_ok() {
            let next = all.last().map_or(from, |last| last.number.saturating_add(1));
            let found = self.stretch(&name, next, limit - all.len()).await?;
            let Some(found) = found else {
                if all.is_empty() && self.is_deleted(stream).await? {
                    return Err(ReadError::Deleted);
                }
                break;
            };
            let told = found.events.last().map(|event| event.revision);
            all.extend(found.events.iter().map(from_store));
            let reached = found.last.is_some_and(|last| told.map_or(last < next, |told| told >= last));
            if reached || told.is_none() {
                break;
            }
        }
        if let Some(first) = all.first().filter(|first| first.number != from) {
            return Err(ReadError::Gone { from, found: first.number });
        }
        for standing in all.iter().filter(|standing| standing.origin.is_some()) {
            check_number(stream, standing)
                .map_err(|error| ReadError::GaveUp(GaveUp { perhaps: false, error }))?;
        }
        Ok(all)
    }

    /// The whole stream from number `from` on.
    pub(super) async fn whole(&self, stream: &StreamId, from: u64) -> Result<Vec<Standing>, ReadError> {
        let mut all: Vec<Standing> = Vec::new();
        loop {
            let next = all.last().map_or(from, |last| last.number.saturating_add(1));
            let found = self.stream(stream, next, READ_EVENTS_MAX).await?;
            let ended = found.len() < READ_EVENTS_MAX;
            all.extend(found);
            if ended {
                return Ok(all);
            }
        }
    }

    /// Whether somebody deleted the stream on the server so that it can be begun anew. Its numbers would go on where they stopped, which no
    /// header allows.
    pub(super) async fn is_deleted(&self, stream: &StreamId) -> Result<bool, ReadError> {
        let name = format!("$${}", stream_name(self.prefix(), stream));
        let options = ReadStreamOptions::default()
            .backwards()
            .position(StreamPosition::End)
            .max_count(1)
            .requires_leader(true);
        let attempt = |client: Client, patience| {
            let (name, options) = (name.as_str(), &options);
            async move {
                let reading = async { drain(client.read_stream(name, options).await?, patience).await };
                match reading.await {
                    Ok(found) => Ok(found.events),
                    Err(Error::ResourceNotFound | Error::ResourceDeleted) => Ok(Vec::new()),
                    Err(error) => Err(error),
                }
            }
        };
        let found = self.connection.call(attempt).await.map_err(ReadError::GaveUp)?;
        let truncated = |event: &RecordedEvent| {
            event.as_json::<serde_json::Value>().is_ok_and(|metadata| metadata.get("$tb").is_some())
        };
        Ok(found.first().is_some_and(truncated))
    }

    /// One call on the log.
    async fn log(&self, options: ReadAllOptions) -> Result<Vec<RecordedEvent>, JournalError> {
        let options = options.requires_leader(true);
        let attempt = |client: Client, patience| {
            let options = &options;
            async move { drain(client.read_all(options).await?, patience).await }
        };
        self.connection.call(attempt).await.map(|found| found.events).map_err(|gave_up| gave_up.error)
    }

    /// The event as ours, or nothing when it is the system's or another program's.
    pub(super) fn own(&self, event: &RecordedEvent) -> Option<Recorded> {
        own_stream(self.prefix(), event.stream_id()).map(|_| from_store(event).event)
    }

    pub(super) async fn page(
        &self,
        after: Option<Position>,
        filter: &Filter,
        limit: usize,
    ) -> Result<Page, JournalError> {
        let limit = limit.clamp(1, READ_EVENTS_MAX);
        let known = self.seen();
        let begin = if known.head == after { known.through.max(after) } else { after };
        let mut looked = Looked { cursor: begin, ..Looked::default() };
        for _ in 0..LOOKS_MAX {
            // A reading begins with the event at the position itself, which was seen already.
            let least = if looked.passed > 0 { PASSING_EVENTS } else { 0 };
            let asked = (limit - looked.own).saturating_add(1).max(least);
            let from =
                looked.cursor.map_or(StreamPosition::Start, |at| StreamPosition::Position(log_position(at)));
            let options = ReadAllOptions::default().position(from).max_count(asked);
            let mut found = self.log(options).await?;
            let short = found.len() < asked;
            found.retain(|event| Some(position_of(event)) > looked.cursor);
            for event in &found {
                if looked.own < limit {
                    looked.take(position_of(event), self.own(event), filter);
                }
            }
            if looked.own >= limit || looked.passed >= PASSED_OVER_MAX {
                break;
            }
            if short && self.is_end(looked.cursor).await? {
                let through = looked.last_own.or(after);
                if looked.last_own.is_some() || after.is_none() || after == known.head {
                    self.learn(Seen { head: through, through: looked.cursor });
                }
                return Ok(Page { events: looked.events, through, at_end: true });
            }
        }
        Ok(Page { events: looked.events, through: looked.cursor, at_end: false })
    }

    /// Whether nothing stands in the log behind this position.
    async fn is_end(&self, cursor: Option<Position>) -> Result<bool, JournalError> {
        let options = ReadAllOptions::default().backwards().position(StreamPosition::End).max_count(1);
        let found = self.log(options).await?;
        let last = found.first().map(position_of);
        match (last, cursor) {
            (Some(last), Some(cursor)) if last < cursor => Err(JournalError::unavailable(format!(
                "KurrentDB's log ends at {last}, before {cursor}, which was read from it; the node is cut off, or was put back from an older copy"
            ))),
            // No event at all is only believed where none was seen.
            (last, cursor) => Ok(last.is_some() && last <= cursor || cursor.is_none() && last.is_none()),
        }
    }

    /// The position of the last event of ours, looked for backwards from the end to where the log is known.
    pub(super) async fn head(&self) -> Result<Option<Position>, JournalError> {
        let known = self.seen();
        let (mut from, mut end) = (StreamPosition::End, None);
        loop {
            let options = ReadAllOptions::default().backwards().position(from).max_count(BACKWARDS);
            let found = self.log(options).await?;
            end = end.or_else(|| found.first().map(position_of));
            for event in &found {
                let position = position_of(event);
                let own = self.own(event).is_some();
                if own || Some(position) <= known.through {
                    let head = if own { Some(position) } else { known.head };
                    self.learn(Seen { head, through: end });
                    return Ok(head);
                }
            }
            let Some(last) = found.last() else {
                self.learn(Seen { head: None, through: end });
                return Ok(None);
            };
            from = StreamPosition::Position(log_position(position_of(last)));
        }
    }
}

/// Why a stream could not be read.
#[derive(Debug)]
pub(super) enum ReadError {
    /// Somebody deleted it on the server.
    Deleted,
    /// Its beginning was removed on the server.
    Gone {
        from: u64,
        found: u64,
    },
    GaveUp(GaveUp),
}

impl ReadError {
    /// As a reader must see it: what was acknowledged should be there.
    pub(super) fn reading(self, stream: &StreamId) -> JournalError {
        match self {
            Self::Deleted => JournalError::corrupt(format!("stream `{stream}` was deleted in KurrentDB")),
            Self::Gone { from, found } => JournalError::corrupt(format!(
                "events {from} to {} of stream `{stream}` were removed in KurrentDB",
                found.saturating_sub(1)
            )),
            Self::GaveUp(gave_up) => gave_up.error,
        }
    }
}
