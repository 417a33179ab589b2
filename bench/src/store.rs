//! The stores that Guichet is measured on, each time with an empty journal.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use guichet_journal::{
    Journal, MemoryKeyStore, PostgresJournal, PostgresKeyStore, PostgresOptions, SqliteJournal,
};
use guichet_projections::Place as Tables;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use tempfile::TempDir;

use crate::measure::Fault;

/// A kind of store.
#[derive(Debug, Clone)]
pub(crate) enum Store {
    Sqlite,
    /// The server's address; its user may create databases.
    Postgres(String),
}

impl Store {
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres(_) => "PostgreSQL",
        }
    }

    /// Its name as the peers' program says it.
    pub(crate) const fn key(&self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres(_) => "postgres",
        }
    }

    /// Its name and what durable means there.
    pub(crate) const fn says(&self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite, synchronous=FULL",
            Self::Postgres(_) => "PostgreSQL, synchronous_commit=on",
        }
    }
}

/// A database of its own on a server, until it is dropped.
#[derive(Debug)]
pub(crate) struct Database {
    server: String,
    name: String,
}

impl Database {
    /// Makes one.
    ///
    /// # Errors
    /// When the server refuses.
    pub(crate) async fn fresh(server: &str) -> Result<Self, Fault> {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("guichet_bench_{}_{number}", std::process::id());
        let database = Self { server: server.to_owned(), name };
        database.tell(&format!("CREATE DATABASE {}", database.name)).await?;
        Ok(database)
    }

    /// Its address.
    #[must_use]
    pub(crate) fn url(&self) -> String {
        let (server, _) = self.server.rsplit_once('/').unwrap_or((&self.server, ""));
        format!("{server}/{}", self.name)
    }

    /// Another server's view of it: a journal of its own over the same tables, and no keys of others.
    ///
    /// # Errors
    /// When the database refuses.
    pub(crate) async fn server(&self) -> Result<Arc<dyn Journal>, Fault> {
        let options = PostgresOptions::parse(&self.url())?;
        Ok(Arc::new(PostgresJournal::open(&options, Arc::new(MemoryKeyStore::new()?)).await?))
    }

    /// How many bytes it takes.
    ///
    /// # Errors
    /// When the server refuses.
    pub(crate) async fn bytes(&self) -> Result<u64, Fault> {
        let mut connection = self.url().parse::<PgConnectOptions>()?.connect().await?;
        let bytes: i64 = sqlx::query_scalar("SELECT pg_database_size(current_database())")
            .fetch_one(&mut connection)
            .await?;
        connection.close().await?;
        Ok(bytes.unsigned_abs())
    }

    /// Drops it, whoever is still connected.
    ///
    /// # Errors
    /// When the server refuses.
    pub(crate) async fn leave(self) -> Result<(), Fault> {
        self.tell(&format!("DROP DATABASE {} WITH (FORCE)", self.name)).await
    }

    async fn tell(&self, what: &str) -> Result<(), Fault> {
        let server = self.server.parse::<PgConnectOptions>()?.disable_statement_logging();
        sqlx::raw_sql(AssertSqlSafe(what.to_owned())).execute(&mut server.connect().await?).await?;
        Ok(())
    }
}

/// A journal of its own, gone when it is left.
pub(crate) struct Place {
    folder: TempDir,
    pub(crate) database: Option<Database>,
    pub(crate) journal: Arc<dyn Journal>,
}

impl Place {
    /// Makes one.
    ///
    /// # Errors
    /// When the store refuses.
    pub(crate) async fn fresh(store: &Store) -> Result<Self, Fault> {
        let folder = tempfile::tempdir()?;
        let Store::Postgres(server) = store else {
            let journal: Arc<dyn Journal> = Arc::new(SqliteJournal::open(folder.path()).await?);
            return Ok(Self { folder, database: None, journal });
        };
        let database = Database::fresh(server).await?;
        let options = PostgresOptions::parse(&database.url())?;
        let keys = PostgresKeyStore::open(&options, folder.path()).await?;
        let journal = Arc::new(PostgresJournal::open(&options, Arc::new(keys)).await?);
        Ok(Self { folder, database: Some(database), journal })
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where the read models of this journal stand: beside it, in the same kind of store.
    #[must_use]
    pub(crate) fn tables(&self) -> Tables {
        match &self.database {
            Some(database) => Tables::Postgres(database.url()),
            None => Tables::Sqlite(self.folder().join("read-models.db")),
        }
    }

    /// Closes the journal and removes everything.
    ///
    /// # Errors
    /// When the folder or the database cannot be removed.
    pub(crate) async fn leave(self) -> Result<(), Fault> {
        self.journal.close().await;
        if let Some(database) = self.database {
            database.leave().await?;
        }
        Ok(self.folder.close()?)
    }
}
