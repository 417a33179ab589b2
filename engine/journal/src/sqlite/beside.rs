//! A journal that is only read, beside the server that holds its folder: for reports, checks and backups.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::SqlitePool;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{JOURNAL_FILE, Readers, read, schema};
use crate::error::JournalError;
use crate::event::{Append, Appended, Recorded};
use crate::follow::{Follower, Progress, Source};
use crate::id::{Position, Revision, StreamId};
use crate::keys::{KeyStore, KeysBeside};
use crate::port::{Filter, Journal, Page};

/// How often followers are told how far the server has got.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The journal of a data folder, read without holding the folder. Every append is refused with `ReadOnly`.
pub struct SqliteBeside {
    readers: Arc<Readers>,
    keys: Arc<dyn KeyStore>,
    watcher: JoinHandle<()>,
    path: String,
}

impl SqliteBeside {
    /// Opens the journal of a data folder and its keys for reading, whether or not a server holds the folder.
    ///
    /// # Errors
    /// `Unavailable` when there is no journal, `Newer`, `Corrupt`, `Keys`, `ReadOnly`; nothing is changed then.
    pub async fn open(folder: &Path) -> Result<Self, JournalError> {
        let path = folder.join(JOURNAL_FILE);
        let pool = read::pool(&path).await?;
        schema::recognise(&pool, &path).await?;
        let keys: Arc<dyn KeyStore> = Arc::new(KeysBeside::open(folder).await?);
        let progress = watch::Sender::new(Progress { head: read::head(&pool).await?, closed: false });
        let watcher = tokio::spawn(watch_head(pool.clone(), progress.clone()));
        let readers = Arc::new(Readers { pool, progress });
        Ok(Self { readers, keys, watcher, path: folder.display().to_string() })
    }
}

async fn watch_head(pool: SqlitePool, progress: watch::Sender<Progress>) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        match read::head(&pool).await {
            Ok(head) => {
                progress.send_if_modified(|progress| std::mem::replace(&mut progress.head, head) != head);
            }
            Err(JournalError::Closed) => return,
            Err(error) => tracing::debug!(%error, "the journal does not say how far it has got"),
        }
    }
}

impl Drop for SqliteBeside {
    fn drop(&mut self) {
        self.watcher.abort();
    }
}

#[async_trait]
impl Journal for SqliteBeside {
    async fn append(&self, _append: Append) -> Result<Appended, JournalError> {
        let reason = "it was opened for reading only, beside the server that holds it".to_owned();
        Err(JournalError::ReadOnly { path: self.path.clone(), reason })
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
        read::head(&self.readers.pool).await
    }

    fn keys(&self) -> &Arc<dyn KeyStore> {
        &self.keys
    }

    async fn examine(&self) -> Result<Vec<String>, JournalError> {
        Progress::refuse_closed(&self.readers.progress)?;
        read::examine(&self.readers.pool).await
    }

    async fn close(&self) {
        Progress::close(&self.readers.progress);
        self.readers.pool.close().await;
        self.keys.close().await;
    }
}

impl std::fmt::Debug for SqliteBeside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteBeside").field("path", &self.path).finish_non_exhaustive()
    }
}
