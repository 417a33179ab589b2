//! The journal in SQLite: one town, one machine, nobody to look after it.
//!
//! One thread owns the only connection that writes; appends that wait at the same moment share one transaction and one fsync (`writer`).
//! Readers have connections of their own and never wait for the writer (`read`).

mod beside;
mod copy;
pub(crate) mod fault;
mod folder;
mod rare;
mod read;
mod schema;
mod writer;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use sqlx::SqlitePool;
use tokio::sync::watch;

use crate::error::JournalError;
use crate::event::{Append, Appended, Recorded};
use crate::follow::{Follower, Progress, Source};
use crate::id::{Kid, Position, Revision, StreamId, Subject};
use crate::keys::{KeyStore, SqliteKeyStore};
use crate::port::{Filter, Journal, Page};
use crate::prepare::StreamKeys;
use crate::queue::Queue;
use crate::sequencer::Sequencer;
use crate::thread;
pub use beside::SqliteBeside;
pub use copy::{Copied, CopiedKeys, copy_journal, copy_keys};
use folder::Folder;
pub(crate) use folder::sync_folder;
pub(crate) use schema::reading;
use writer::{SqliteTable, Writer};

/// The journal's file in the data folder.
pub const JOURNAL_FILE: &str = "journal.db";

/// A journal in a data folder, kept by SQLite.
pub struct SqliteJournal {
    readers: Arc<Readers>,
    queue: Queue,
}

struct Readers {
    pool: SqlitePool,
    progress: watch::Sender<Progress>,
}

impl SqliteJournal {
    /// Opens the journal of a data folder with its key store, and makes both when the folder is new. The folder belongs to this program
    /// until the journal is closed or the program ends, however it ends.
    ///
    /// # Errors
    /// `Locked`, `ReadOnly`, `Newer`, `Corrupt`, `Keys`, `Full` or `Unavailable`; nothing is changed then.
    pub async fn open(folder: &Path) -> Result<Self, JournalError> {
        let folder = Folder::lock(folder)?;
        let (writer, pool) = connect(&folder).await?;
        let keys = SqliteKeyStore::open(folder.path(), writer.is_empty()).await?;
        Self::start(writer, pool, Arc::new(keys))
    }

    /// As [`SqliteJournal::open`], with keys that are kept elsewhere.
    ///
    /// # Errors
    /// As [`SqliteJournal::open`].
    pub async fn open_with_keys(folder: &Path, keys: Arc<dyn KeyStore>) -> Result<Self, JournalError> {
        let (writer, pool) = connect(&Folder::lock(folder)?).await?;
        Self::start(writer, pool, keys)
    }

    fn start(writer: Writer, pool: SqlitePool, keys: Arc<dyn KeyStore>) -> Result<Self, JournalError> {
        let progress = watch::Sender::new(Progress { head: writer.head(), closed: false });
        let queue = Queue::start_on_a_thread(writer, progress.clone(), keys)?;
        Ok(Self { readers: Arc::new(Readers { pool, progress }), queue })
    }
}

async fn connect(folder: &Folder) -> Result<(Writer, SqlitePool), JournalError> {
    let path = folder.path().join(JOURNAL_FILE);
    folder.refuse_keys_without_journal(&path)?;
    let opening = thread::run(Sequencer::open(SqliteTable::new(folder.clone(), &path)))?;
    let writer = opening.await.map_err(JournalError::unavailable)??;
    let pool = read::pool(&path).await?;
    Ok((writer, pool))
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
        read::page(&self.pool, after, filter, limit).await
    }
}

#[async_trait]
impl Journal for SqliteJournal {
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
        Ok(self.readers.progress.borrow().head)
    }

    async fn examine(&self) -> Result<Vec<String>, JournalError> {
        Progress::refuse_closed(&self.readers.progress)?;
        read::examine(&self.readers.pool).await
    }

    /// The lock of the folder keeps everybody else out.
    fn is_shared(&self) -> bool {
        false
    }

    fn keys(&self) -> &Arc<dyn KeyStore> {
        self.queue.keys()
    }

    async fn close(&self) {
        self.queue.close().await;
        Progress::close(&self.readers.progress);
        self.queue.keys().close().await;
    }
}

impl std::fmt::Debug for SqliteJournal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteJournal")
            .field("progress", &*self.readers.progress.borrow())
            .finish_non_exhaustive()
    }
}
