//! The journal in PostgreSQL: many towns, several servers.
//!
//! Each server has one task that writes, by one connection (`table`); the database gives the positions under a lock that is held while a group
//! becomes durable, so they have no holes and no reader ever passes one that is still to come. Readers have connections of their own (`read`)
//! and hear of other servers' appends by notification, or half a second later (`listen`).

pub(crate) mod connection;
mod examine;
pub(crate) mod fault;
pub(crate) mod listen;
pub(crate) mod migrate;
mod moment;
mod notify;
mod options;
mod rare;
mod read;
mod seen;
mod table;

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::PgPool;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::error::JournalError;
use crate::event::{Append, Appended, Recorded};
use crate::follow::{Follower, Progress, Source};
use crate::id::{Kid, Position, Revision, StreamId, Subject};
use crate::keys::KeyStore;
use crate::port::{Filter, Journal, Page};
use crate::prepare::StreamKeys;
use crate::queue::Queue;
use crate::sequencer::Sequencer;
use listen::Ear;
use migrate::Migration;
pub use moment::PostgresMoment;
pub use options::PostgresOptions;
use seen::Seen;
use table::PostgresTable;

/// The steps to the format that this program writes.
const MIGRATIONS: &[Migration] = &[Migration { version: 1, sql: include_str!("migrations/0001_events.sql") }];

/// A journal in a database, shared with other servers.
pub struct PostgresJournal {
    readers: Arc<Readers>,
    queue: Queue,
    options: PostgresOptions,
    listening: AbortHandle,
}

struct Readers {
    pool: PgPool,
    progress: watch::Sender<Progress>,
    seen: Arc<Seen>,
}

impl PostgresJournal {
    /// Opens the journal of a database, and makes its schema when it is new. Other servers may have it open.
    ///
    /// # Errors
    /// `Unavailable`, `Newer`, `Corrupt` or `Full`; nothing is changed then.
    pub async fn open(options: &PostgresOptions, keys: Arc<dyn KeyStore>) -> Result<Self, JournalError> {
        let (progress, seen) = (watch::Sender::new(Progress::default()), Arc::new(Seen::default()));
        let (written, to_tell) = watch::channel(0);
        let table = PostgresTable::new(options.clone(), Arc::clone(&seen), written);
        let sequencer = Sequencer::open(table).await?;
        Progress::reach(&progress, sequencer.head());
        let pool = connection::pool(options, options.readers());
        let channel = format!("{}_events", options.schema());
        let ear = EventsEar { progress: progress.clone() };
        let listening = tokio::spawn(listen::listen(options.clone(), channel.clone(), ear));
        // This one ends with the table, when there is nothing left to tell.
        tokio::spawn(notify::notify(options.clone(), channel, to_tell));
        let queue = Queue::start(sequencer, progress.clone(), keys);
        let readers = Arc::new(Readers { pool, progress, seen });
        Ok(Self { readers, queue, options: options.clone(), listening: listening.abort_handle() })
    }

    /// Ends the newest partition of the table and begins the next, so that the years that are finished come to rest in partitions of their own.
    /// Streams stay where they were born; those born up to `margin` positions from now still go to the old partition. Appends go on meanwhile.
    ///
    /// # Errors
    /// `Unavailable`; the call may be repeated.
    pub async fn begin_partition(&self, margin: u32) -> Result<(), JournalError> {
        Progress::refuse_closed(&self.readers.progress)?;
        let mut connection = connection::connect(&self.options).await?;
        // Looking through a year takes longer than any other statement may.
        let call =
            format!("SET statement_timeout = 0; SET enable_seqscan = on; CALL begin_partition({margin})");
        for statement in call.split("; ") {
            let done =
                sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned())).execute(&mut connection).await;
            done.map_err(|error| fault::reading(&error))?;
        }
        Ok(())
    }
}

/// Hears how far other servers have got.
struct EventsEar {
    progress: watch::Sender<Progress>,
}

impl Ear for EventsEar {
    const QUESTION: &'static str = "SELECT coalesce(max(position), 0) FROM events";

    fn heard(&self, payload: &str) {
        self.answered(payload.parse().unwrap_or(0));
    }

    fn answered(&self, number: i64) {
        let head = (number > 0).then(|| Position::from_token(number.unsigned_abs()));
        Progress::reach(&self.progress, head);
    }
}

#[async_trait]
impl StreamKeys for Readers {
    async fn keys_of(&self, stream: &StreamId) -> Result<Vec<(Subject, Kid)>, JournalError> {
        let bodies = read::sealed_bodies(&self.pool, stream).await?;
        Ok(bodies.iter().flat_map(|body| crate::seal::keys_in(body)).collect())
    }
}

#[async_trait]
impl Source for Readers {
    async fn page(
        &self,
        after: Option<Position>,
        filter: &Filter,
        limit: usize,
    ) -> Result<Page, JournalError> {
        read::page(&self.pool, &self.seen, after, filter, limit).await
    }
}

#[async_trait]
impl Journal for PostgresJournal {
    #[tracing::instrument(name = "journal.append", level = "debug", skip_all, fields(stream = %append.stream, command = %append.command))]
    async fn append(&self, append: Append) -> Result<Appended, JournalError> {
        self.queue.append(append, self.readers.as_ref()).await
    }

    async fn read(
        &self,
        stream: &StreamId,
        from: Revision,
        limit: usize,
    ) -> Result<Vec<Recorded>, JournalError> {
        Progress::refuse_closed(&self.readers.progress)?;
        read::stream(&self.readers.pool, stream, from, limit).await
    }

    async fn read_all(
        &self,
        after: Option<Position>,
        filter: &Filter,
        limit: usize,
    ) -> Result<Page, JournalError> {
        Progress::refuse_closed(&self.readers.progress)?;
        self.readers.page(after, filter, limit).await
    }

    fn follow(&self, after: Option<Position>, filter: Filter) -> Follower {
        Follower::new(Arc::<Readers>::clone(&self.readers), self.readers.progress.subscribe(), after, filter)
    }

    async fn head(&self) -> Result<Option<Position>, JournalError> {
        Progress::refuse_closed(&self.readers.progress)?;
        let head = read::head(&self.readers.pool).await?;
        Progress::reach(&self.readers.progress, head);
        Ok(head)
    }

    async fn examine(&self) -> Result<Vec<String>, JournalError> {
        Progress::refuse_closed(&self.readers.progress)?;
        examine::examine(&self.options).await
    }

    fn keys(&self) -> &Arc<dyn KeyStore> {
        self.queue.keys()
    }

    async fn close(&self) {
        self.queue.close().await;
        self.listening.abort();
        Progress::close(&self.readers.progress);
        self.queue.keys().close().await;
    }
}

impl Drop for PostgresJournal {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl std::fmt::Debug for PostgresJournal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresJournal")
            .field("options", &self.options)
            .field("progress", &*self.readers.progress.borrow())
            .finish_non_exhaustive()
    }
}
