//! The port: what every store of events does, whatever lies beneath.

use std::sync::Arc;

use async_trait::async_trait;

use crate::error::JournalError;
use crate::event::{Append, Appended, Recorded};
use crate::follow::Follower;
use crate::id::{EventType, Position, Revision, StreamId, Tenant};
use crate::keys::KeyStore;
use crate::limits::READ_EVENTS_MAX;

/// Which events a reader wants. Empty lists want everything; several lists must all agree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only this tenant's.
    pub tenant: Option<Tenant>,
    /// Only streams of these kinds, such as `request`.
    pub kinds: Vec<String>,
    /// Only events of these types.
    pub types: Vec<EventType>,
}

impl Filter {
    /// Every event of every tenant.
    #[must_use]
    pub fn everything() -> Self {
        Self::default()
    }

    /// Every event of one tenant.
    #[must_use]
    pub fn tenant(tenant: Tenant) -> Self {
        Self { tenant: Some(tenant), ..Self::default() }
    }

    /// Whether this event is wanted.
    #[must_use]
    pub fn wants(&self, event: &Recorded) -> bool {
        if self.tenant.is_none() && self.kinds.is_empty() && self.types.is_empty() {
            return true;
        }
        let (tenant, rest) = event.stream().split_once('.').unwrap_or_default();
        let kind = rest.split_once('-').map_or(rest, |(kind, _)| kind);
        self.tenant.as_ref().is_none_or(|wanted| wanted.as_str() == tenant)
            && (self.kinds.is_empty() || self.kinds.iter().any(|wanted| wanted == kind))
            && (self.types.is_empty()
                || self.types.iter().any(|wanted| wanted.as_str() == event.event_type()))
    }
}

/// From how many events to look through on a page of some kinds of streams is found by the names of streams instead.
pub(crate) const FAR_EVENTS: u64 = 1_024;
/// The most streams that are found that way: kinds with more are not rare.
pub(crate) const RARE_STREAMS_MAX: usize = 8_000;

/// A stretch of the journal, in order of position.
#[derive(Debug, Clone)]
pub struct Page {
    /// The wanted events.
    pub events: Vec<Recorded>,
    /// Up to where the journal was looked through, wanted or not: go on from here. None while the journal is empty.
    pub through: Option<Position>,
    /// Whether that was the end of the journal at the time of reading.
    pub at_end: bool,
}

impl Page {
    /// The page of `found`, the first `limit` events of some kinds of streams up to `head`.
    pub(crate) fn of_rare(found: Vec<Recorded>, head: Position, filter: &Filter, limit: usize) -> Self {
        let full = found.len() >= limit.clamp(1, READ_EVENTS_MAX);
        let last = found.last().map(Recorded::position).filter(|_| full);
        let events = found.into_iter().filter(|event| filter.wants(event)).collect();
        Self { events, through: Some(last.unwrap_or(head)), at_end: !full }
    }
}

/// A durable, append-only memory of events.
///
/// Every store keeps the same promises, and one suite (`conformance`) holds them to it:
/// - an append is wholly there or wholly absent, and what was acknowledged stays;
/// - revisions of a stream are 0, 1, 2, …, and positions grow;
/// - a reader that follows never misses an event;
/// - the same command sent again to the same stream answers the first receipt and appends nothing, even when `expected` no longer holds;
/// - an `append` that is dropped half-way is either carried out whole or not at all.
#[async_trait]
pub trait Journal: Send + Sync {
    /// Appends a command's events to a stream, whole or not at all, and answers once they are durable.
    ///
    /// # Errors
    /// See [`JournalError`]; with any but `Indeterminate`, nothing was written.
    async fn append(&self, append: Append) -> Result<Appended, JournalError>;

    /// At most `limit` events of a stream, from revision `from` on; none when the stream does not exist.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt` or `Closed`.
    async fn read(
        &self,
        stream: &StreamId,
        from: Revision,
        limit: usize,
    ) -> Result<Vec<Recorded>, JournalError>;

    /// The events behind `after`, looking through at most `limit` (and at most [`READ_EVENTS_MAX`](crate::limits::READ_EVENTS_MAX)) of them.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt` or `Closed`.
    async fn read_all(
        &self,
        after: Option<Position>,
        filter: &Filter,
        limit: usize,
    ) -> Result<Page, JournalError>;

    /// Everything behind `after`, then whatever is appended, without end.
    fn follow(&self, after: Option<Position>, filter: Filter) -> Follower;

    /// The position of the last event; none while the journal is empty.
    ///
    /// # Errors
    /// `Unavailable` or `Closed`.
    async fn head(&self) -> Result<Option<Position>, JournalError>;

    /// Whether others may append to the same store while this journal is open: another program, or another engine of
    /// this one. Whoever keeps in memory what the store holds must ask again then, before deciding by it.
    fn is_shared(&self) -> bool {
        true
    }

    /// The key store that this journal seals with.
    fn keys(&self) -> &Arc<dyn KeyStore>;

    /// The JSON text of an event's body with its personal parts opened: `{"$personal": subject, "value": …}`, or `{"$personal": subject}`
    /// where the key is revoked or destroyed.
    ///
    /// # Errors
    /// `Corrupt` when a part was changed, `KeyMissing` when the key store never knew its key, `Unavailable` when it cannot be asked.
    async fn open(&self, event: &Recorded) -> Result<String, JournalError> {
        crate::seal::open(self.keys().as_ref(), event).await
    }

    /// What the store itself finds wrong with its files, a sentence each; none when they are sound. Takes its time.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt` or `Closed`.
    async fn examine(&self) -> Result<Vec<String>, JournalError> {
        Ok(Vec::new())
    }

    /// Finishes what is under way, then refuses everything with `Closed`. Followers read to the end and then see `Closed`.
    async fn close(&self);
}
