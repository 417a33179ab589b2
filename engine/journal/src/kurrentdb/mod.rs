#![doc = include_str!("README.md")]

mod append;
mod client;
mod fault;
mod live;
mod options;
mod read;
mod wire;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{Semaphore, watch};

use crate::error::JournalError;
use crate::event::{Append, Appended, Recorded};
use crate::follow::{Follower, Progress, Source};
use crate::id::{Kid, Position, Revision, StreamId, Subject};
use crate::keys::KeyStore;
use crate::limits::{CALLS_IN_FLIGHT_MAX, READ_EVENTS_MAX};
use crate::port::{Filter, Journal, Page};
use crate::prepare::{Preparer, StreamKeys};
use append::Writer;
use client::Connection;
use live::Live;
pub use options::{KurrentOptions, Patience};
use read::Reader;

/// Rest of a follower that was told of an event which the node it reads from does not have yet.
const REST: Duration = Duration::from_millis(20);

/// A journal kept by KurrentDB.
pub struct KurrentJournal {
    store: Arc<Store>,
    writer: Arc<Writer>,
    preparer: Preparer,
    /// A place for each append under way. Closed with the journal.
    places: Arc<Semaphore>,
    live: OnceLock<()>,
}

struct Store {
    live: Arc<Live>,
    closed: AtomicBool,
}

impl KurrentJournal {
    /// Opens the journal in the database at this address, `kurrentdb://user:password@host:2113?tls=true`, and seals with these keys. The
    /// address never shows in an error or a log.
    ///
    /// # Errors
    /// `Invalid` when the address cannot be read, `Unavailable` when no node answers or the user may not read `$all`.
    pub async fn open(url: &str, keys: Arc<dyn KeyStore>) -> Result<Self, JournalError> {
        Self::open_with(KurrentOptions::parse(url)?, keys).await
    }

    /// Whether the journal at this address holds nothing yet, so that a key store beside it may be new.
    ///
    /// # Errors
    /// As [`KurrentJournal::open`].
    pub async fn is_empty(url: &str) -> Result<bool, JournalError> {
        let connection = Arc::new(Connection::new(KurrentOptions::parse(url)?)?);
        Ok(Reader::new(connection).head().await?.is_none())
    }

    /// As [`KurrentJournal::open`], with options of one's own.
    ///
    /// # Errors
    /// As [`KurrentJournal::open`].
    pub async fn open_with(options: KurrentOptions, keys: Arc<dyn KeyStore>) -> Result<Self, JournalError> {
        let connection = Arc::new(Connection::new(options.clone())?);
        let reader = Arc::new(Reader::new(Arc::clone(&connection)));
        let head = reader.head().await?;
        let progress = watch::Sender::new(Progress { head, closed: false });
        let live = Arc::new(Live { options, reader: Arc::clone(&reader), progress: progress.clone() });
        Ok(Self {
            store: Arc::new(Store { live, closed: AtomicBool::new(false) }),
            writer: Arc::new(Writer::new(connection, reader, progress)),
            preparer: Preparer::new(keys),
            places: Arc::new(Semaphore::new(CALLS_IN_FLIGHT_MAX)),
            live: OnceLock::new(),
        })
    }
}

impl Store {
    fn refuse_closed(&self) -> Result<(), JournalError> {
        if self.closed.load(Ordering::Acquire) { Err(JournalError::Closed) } else { Ok(()) }
    }
}

#[async_trait]
impl StreamKeys for Store {
    async fn keys_of(&self, stream: &StreamId) -> Result<Vec<(Subject, Kid)>, JournalError> {
        let events = match self.live.reader.whole(stream, 0).await {
            Ok(events) => events,
            // A stream that is gone has no keys to go on with; the append will hear why.
            Err(read::ReadError::Deleted) => Vec::new(),
            Err(error) => return Err(error.reading(stream)),
        };
        Ok(events
            .iter()
            .filter(|standing| standing.event.is_sealed())
            .flat_map(|standing| crate::seal::keys_in(standing.event.stored_body()))
            .collect())
    }
}

#[async_trait]
impl Source for Store {
    async fn page(
        &self,
        after: Option<Position>,
        filter: &Filter,
        limit: usize,
    ) -> Result<Page, JournalError> {
        let page = self.live.reader.page(after, filter, limit).await?;
        let told = self.live.progress.borrow().head;
        if page.at_end && told > page.through {
            tokio::time::sleep(REST).await;
        }
        Ok(page)
    }
}

#[async_trait]
impl Journal for KurrentJournal {
    #[tracing::instrument(name = "journal.append", level = "debug", skip_all, fields(stream = %append.stream, command = %append.command))]
    async fn append(&self, append: Append) -> Result<Appended, JournalError> {
        self.store.refuse_closed()?;
        let (prepared, given) = self.preparer.prepare(append, self.store.as_ref()).await?;
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| JournalError::Closed)?;
        let writer = Arc::clone(&self.writer);
        // Once it has a place it is carried out, whether or not anyone still waits for the answer.
        let carried_out = tokio::spawn(async move {
            let _place = place;
            writer.append(&prepared).await
        });
        let lost = |_| JournalError::Indeterminate { reason: "the append was broken off".to_owned() };
        let receipt = carried_out.await.map_err(lost)??;
        if !receipt.repeated {
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
        self.store.refuse_closed()?;
        let limit = limit.min(READ_EVENTS_MAX);
        let found = self.store.live.reader.stream(stream, from.get(), limit).await;
        let found = found.map_err(|error| error.reading(stream))?;
        Ok(found.into_iter().map(|standing| standing.event).collect())
    }

    async fn read_all(
        &self,
        after: Option<Position>,
        filter: &Filter,
        limit: usize,
    ) -> Result<Page, JournalError> {
        self.store.refuse_closed()?;
        self.store.live.reader.page(after, filter, limit).await
    }

    fn follow(&self, after: Option<Position>, filter: Filter) -> Follower {
        self.live.get_or_init(|| {
            let every = self.store.live.options.patience.watch;
            tokio::spawn(live::watch_over(Arc::downgrade(&self.store.live), every));
        });
        let progress = self.store.live.progress.subscribe();
        Follower::new(Arc::<Store>::clone(&self.store), progress, after, filter)
    }

    async fn head(&self) -> Result<Option<Position>, JournalError> {
        self.store.refuse_closed()?;
        self.store.live.reader.head().await
    }

    fn keys(&self) -> &Arc<dyn KeyStore> {
        self.preparer.keys()
    }

    async fn close(&self) {
        // Whoever has a place finishes; whoever still waits for one is told that the journal is closed.
        let all = u32::try_from(CALLS_IN_FLIGHT_MAX).unwrap_or(u32::MAX);
        let finished = self.places.acquire_many(all).await;
        self.places.close();
        drop(finished);
        if !self.store.closed.swap(true, Ordering::AcqRel) {
            // Followers go as far as the log does now. Should it not answer, they go as far as they were told.
            if let Ok(head) = self.store.live.reader.head().await {
                self.store.live.reached(head);
            }
        }
        Progress::close(&self.store.live.progress);
        self.preparer.keys().close().await;
    }
}

impl std::fmt::Debug for KurrentJournal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KurrentJournal")
            .field("options", &self.store.live.options)
            .field("progress", &*self.store.live.progress.borrow())
            .finish_non_exhaustive()
    }
}
