//! The database as a whole: who gets which connection.

use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqliteConnection;
use tokio::sync::MutexGuard;

use super::connection::Connection;
use super::place::Place;
use super::postgres::{self, Postgres};
use super::read::Reading;
use super::sqlite::Sqlite;
use crate::error::ProjectionError;

/// Where the tables stand, opened.
#[derive(Debug)]
pub(crate) enum Database {
    Sqlite(Sqlite),
    Postgres(Box<Postgres>),
}

/// A connection that is held for a while.
pub(crate) enum Held<'a> {
    Sqlite(MutexGuard<'a, SqliteConnection>),
    Postgres(tokio::sync::MappedMutexGuard<'a, PgConnection>),
}

impl Held<'_> {
    /// The connection.
    pub(crate) fn connection(&mut self) -> Connection<'_> {
        match self {
            Self::Sqlite(connection) => Connection::Sqlite(connection),
            Self::Postgres(connection) => Connection::Postgres(connection),
        }
    }
}

impl Database {
    /// Opens it, or makes it. `set` names the tables of this version, where several versions stand side by side.
    pub(crate) async fn open(place: &Place, set: &str) -> Result<Self, ProjectionError> {
        match place {
            Place::Sqlite(path) => Ok(Self::Sqlite(Sqlite::open(path).await?)),
            Place::Postgres(url) => Ok(Self::Postgres(Box::new(Postgres::open(url, set.to_owned()).await?))),
        }
    }

    /// The connection with which the live run writes.
    pub(crate) async fn live(&self) -> Result<Held<'_>, ProjectionError> {
        match self {
            Self::Sqlite(sqlite) => Ok(Held::Sqlite(sqlite.writer.lock().await)),
            Self::Postgres(postgres) => held(postgres, postgres.live.lock().await, "0").await,
        }
    }

    /// The connection with which tables are made and filled beside.
    pub(crate) async fn beside(&self) -> Result<Held<'_>, ProjectionError> {
        match self {
            Self::Sqlite(sqlite) => Ok(Held::Sqlite(sqlite.writer.lock().await)),
            Self::Postgres(postgres) => held(postgres, postgres.beside.lock().await, BESIDE_SILENCE).await,
        }
    }

    /// Ends the session of the live run; the next begins with a new one.
    pub(crate) async fn forget_live(&self) {
        if let Self::Postgres(postgres) = self {
            postgres.live.lock().await.take();
        }
    }

    /// Ends the session that worked beside, if nobody works with it now.
    pub(crate) fn forget_beside(&self) {
        if let Self::Postgres(postgres) = self
            && let Ok(mut slot) = postgres.beside.try_lock()
        {
            slot.take();
        }
    }

    /// A transaction that reads: one snapshot.
    pub(super) async fn reading(&self) -> Result<Reading, ProjectionError> {
        match self {
            Self::Sqlite(sqlite) => Ok(Reading::Sqlite(sqlite.readers.begin().await?)),
            Self::Postgres(postgres) => Ok(Reading::Postgres(postgres.begin(postgres::BEGIN_READING).await?)),
        }
    }

    /// Carries out, whole or not at all, work on what does not follow from the journal; nobody else does such work at
    /// the same time.
    pub(crate) async fn shared<T>(
        &self,
        work: impl AsyncFnOnce(&mut Connection<'_>) -> Result<T, ProjectionError>,
    ) -> Result<T, ProjectionError> {
        match self {
            Self::Sqlite(sqlite) => {
                let mut writer = sqlite.writer.lock().await;
                Connection::Sqlite(&mut writer).in_transaction(work).await
            }
            Self::Postgres(postgres) => {
                let mut transaction = postgres.begin(postgres::BEGIN_SHARED).await?;
                let value = work(&mut Connection::Postgres(&mut transaction)).await?;
                transaction.commit().await?;
                Ok(value)
            }
        }
    }

    /// Carries out, whole or not at all, the work that makes the tables; nobody else does it at the same time.
    pub(crate) async fn set_up<T>(
        &self,
        work: impl AsyncFnOnce(&mut Connection<'_>) -> Result<T, ProjectionError>,
    ) -> Result<T, ProjectionError> {
        match self {
            Self::Sqlite(sqlite) => {
                let mut writer = sqlite.writer.lock().await;
                Connection::Sqlite(&mut writer).in_transaction(work).await
            }
            Self::Postgres(postgres) => {
                let mut transaction = postgres.begin(postgres::BEGIN_SET_UP).await?;
                let mut connection = Connection::Postgres(&mut transaction);
                connection.execute(postgres::schemas(&postgres.schema)).await?;
                let value = work(&mut connection).await?;
                transaction.commit().await?;
                Ok(value)
            }
        }
    }

    /// Lets nobody in any more.
    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite(sqlite) => sqlite.readers.close().await,
            Self::Postgres(postgres) => {
                self.forget_live().await;
                self.forget_beside();
                postgres.pool.close().await;
            }
        }
    }
}

/// A rebuild that writes nothing for this long is frozen: its session ends, and another server may rebuild.
const BESIDE_SILENCE: &str = "120s";

async fn held<'a>(
    postgres: &Postgres,
    mut slot: MutexGuard<'a, Option<PgConnection>>,
    silence: &str,
) -> Result<Held<'a>, ProjectionError> {
    if slot.is_none() {
        *slot = Some(postgres.writer(silence).await?);
    }
    let connected = MutexGuard::try_map(slot, Option::as_mut);
    connected.map(Held::Postgres).map_err(|_| ProjectionError::store("there is no connection"))
}
