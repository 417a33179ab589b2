//! A journal in memory: for tests, and for trying a process out. It keeps every promise of the port except that it outlives the program.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::watch;

use crate::error::JournalError;
use crate::event::{Append, Appended, Recorded};
use crate::follow::{Follower, Progress, Source};
use crate::id::{CommandId, Kid, Position, Revision, StreamId, Subject};
use crate::keys::{KeyStore, MemoryKeyStore};
use crate::limits::READ_EVENTS_MAX;
use crate::place::{Head, admit, place, repeated};
use crate::port::{Filter, Journal, Page};
use crate::prepare::{Fingerprint, Prepared, Preparer, StreamKeys};
use crate::seal;

/// A journal that lives as long as the program.
pub struct MemoryJournal {
    inner: Arc<Inner>,
    preparer: Preparer,
}

struct Inner {
    log: Mutex<Log>,
    progress: watch::Sender<Progress>,
}

#[derive(Default)]
struct Log {
    /// The event with position token `t` stands at index `t - 1`.
    events: Vec<Recorded>,
    streams: HashMap<StreamId, Stream>,
    closed: bool,
}

struct Stream {
    head: Head,
    /// Indexes in `events`, by revision.
    places: Vec<usize>,
    commands: HashMap<CommandId, Command>,
}

struct Command {
    fingerprint: Fingerprint,
    first: usize,
    count: usize,
}

impl MemoryJournal {
    /// An empty journal with keys in memory too.
    ///
    /// # Errors
    /// `Unavailable` when the system gives no random bytes.
    pub fn new() -> Result<Self, JournalError> {
        Ok(Self::with_keys(Arc::new(MemoryKeyStore::new()?)))
    }

    /// An empty journal that seals with these keys.
    #[must_use]
    pub fn with_keys(keys: Arc<dyn KeyStore>) -> Self {
        let inner = Inner { log: Mutex::default(), progress: watch::Sender::default() };
        Self { inner: Arc::new(inner), preparer: Preparer::new(keys) }
    }
}

impl Inner {
    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open_log(&self) -> Result<MutexGuard<'_, Log>, JournalError> {
        let log = self.log();
        if log.closed { Err(JournalError::Closed) } else { Ok(log) }
    }
}

impl Log {
    fn append(&mut self, prepared: &Prepared) -> Result<Appended, JournalError> {
        let stream = self.streams.get(&prepared.stream);
        if let Some((stream, command)) =
            stream.and_then(|stream| Some((stream, stream.commands.get(&prepared.command)?)))
        {
            let places = stream.places.iter().skip(command.first).take(command.count);
            let events = places.filter_map(|place| self.events.get(*place).cloned()).collect();
            return repeated(prepared, &command.fingerprint, events);
        }
        let head = stream.map(|stream| &stream.head);
        admit(prepared, head)?;
        let index = self.events.len();
        let token = u64::try_from(index).unwrap_or(u64::MAX).saturating_add(1);
        let (receipt, head) = place(prepared, head, token)?;
        self.events.extend(receipt.events.iter().cloned());
        let stream = self.streams.entry(prepared.stream.clone()).or_insert_with(|| Stream {
            head,
            places: Vec::new(),
            commands: HashMap::new(),
        });
        stream.head = head;
        let command = Command {
            fingerprint: prepared.fingerprint,
            first: stream.places.len(),
            count: receipt.events.len(),
        };
        stream.commands.insert(prepared.command, command);
        stream.places.extend(index..index + receipt.events.len());
        Ok(receipt)
    }
}

#[async_trait]
impl StreamKeys for Inner {
    async fn keys_of(&self, stream: &StreamId) -> Result<Vec<(Subject, Kid)>, JournalError> {
        let log = self.open_log()?;
        let places = log.streams.get(stream).map(|stream| stream.places.as_slice()).unwrap_or_default();
        Ok(places
            .iter()
            .filter_map(|place| log.events.get(*place))
            .filter(|event| event.is_sealed())
            .flat_map(|event| seal::keys_in(event.stored_body()))
            .collect())
    }
}

#[async_trait]
impl Source for Inner {
    async fn page(
        &self,
        after: Option<Position>,
        filter: &Filter,
        limit: usize,
    ) -> Result<Page, JournalError> {
        let log = self.log();
        let start = after.map_or(0, |after| usize::try_from(after.token()).unwrap_or(usize::MAX));
        let rest = log.events.get(start..).unwrap_or_default();
        let looked = rest.get(..limit.clamp(1, READ_EVENTS_MAX)).unwrap_or(rest);
        let through = looked.last().map(Recorded::position).or(after);
        Ok(Page {
            events: looked.iter().filter(|event| filter.wants(event)).cloned().collect(),
            through,
            at_end: looked.len() == rest.len(),
        })
    }
}

#[async_trait]
impl Journal for MemoryJournal {
    async fn append(&self, append: Append) -> Result<Appended, JournalError> {
        self.inner.open_log().map(drop)?;
        let (prepared, given) = self.preparer.prepare(append, self.inner.as_ref()).await?;
        let mut log = self.inner.open_log()?;
        let receipt = log.append(&prepared)?;
        // Told while the log is held, so that followers hear of positions in their order.
        if !receipt.repeated {
            self.inner.progress.send_modify(|progress| progress.head = Some(receipt.position));
            self.preparer.learn(given);
        }
        Ok(receipt)
    }

    async fn read(
        &self,
        stream: &StreamId,
        from: Revision,
        limit: usize,
    ) -> Result<Vec<Recorded>, JournalError> {
        let log = self.inner.open_log()?;
        let places = log.streams.get(stream).map(|stream| stream.places.as_slice()).unwrap_or_default();
        let skipped = usize::try_from(from.get()).unwrap_or(usize::MAX);
        Ok(places
            .iter()
            .skip(skipped)
            .take(limit.min(READ_EVENTS_MAX))
            .filter_map(|place| log.events.get(*place).cloned())
            .collect())
    }

    async fn read_all(
        &self,
        after: Option<Position>,
        filter: &Filter,
        limit: usize,
    ) -> Result<Page, JournalError> {
        self.inner.open_log().map(drop)?;
        self.inner.page(after, filter, limit).await
    }

    fn follow(&self, after: Option<Position>, filter: Filter) -> Follower {
        Follower::new(Arc::<Inner>::clone(&self.inner), self.inner.progress.subscribe(), after, filter)
    }

    async fn head(&self) -> Result<Option<Position>, JournalError> {
        Ok(self.inner.open_log()?.events.last().map(Recorded::position))
    }

    fn keys(&self) -> &Arc<dyn KeyStore> {
        self.preparer.keys()
    }

    async fn close(&self) {
        self.inner.log().closed = true;
        Progress::close(&self.inner.progress);
        self.preparer.keys().close().await;
    }
}

impl std::fmt::Debug for MemoryJournal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MemoryJournal({} events)", self.inner.log().events.len())
    }
}
