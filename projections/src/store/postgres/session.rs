//! Sessions: those that read, the one that follows the journal, the one that rebuilds beside.

use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, Transaction};
use tokio::sync::Mutex;

use crate::error::ProjectionError;

/// Connections of one server that answer queries, claim effects and count views.
const READERS: u32 = 8;

/// How long a query waits for a connection.
const PATIENCE: Duration = Duration::from_secs(5);

/// Statements kept prepared on each connection.
const STATEMENTS: usize = 256;

/// The schema of what all versions share, because it does not follow from the journal.
pub(crate) const SHARED: &str = "guichet_shared";

/// A session that stands still inside a transaction (its program is frozen) is ended by the server after this time, so
/// that nothing stays locked.
const STANDSTILL: &str = "10s";

/// One database, seen from one server.
#[derive(Debug)]
pub(crate) struct Postgres {
    pub(super) options: PgConnectOptions,
    /// The schema of this version's tables.
    pub(in crate::store) schema: String,
    pub(in crate::store) pool: PgPool,
    pub(in crate::store) live: Mutex<Option<PgConnection>>,
    pub(in crate::store) beside: Mutex<Option<PgConnection>>,
}

impl Postgres {
    pub(in crate::store) async fn open(url: &str, schema: String) -> Result<Self, ProjectionError> {
        let options = PgConnectOptions::from_str(url)
            .map_err(|_| ProjectionError::store("the URL of the PostgreSQL database cannot be read"))?
            .statement_cache_capacity(STATEMENTS)
            .application_name("guichet read models")
            .options([
                ("search_path", format!("{schema},{SHARED}").as_str()),
                ("idle_in_transaction_session_timeout", STANDSTILL),
                // Plans here are small; compiling them takes longer than running them.
                ("jit", "off"),
                // A peer that is gone without a word is noticed within seconds.
                ("tcp_keepalives_idle", "2"),
                ("tcp_keepalives_interval", "1"),
                ("tcp_keepalives_count", "3"),
                ("tcp_user_timeout", "10s"),
            ])
            .disable_statement_logging();
        let pool = PgPoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(PATIENCE)
            .connect_with(options.clone())
            .await?;
        Ok(Self { options, schema, pool, live: Mutex::new(None), beside: Mutex::new(None) })
    }

    /// Begins a transaction, in a task of its own: a `BEGIN` that was given up half-way, with whoever asked, would leave
    /// its connection in a transaction that the pool knows nothing of, and the next to get it in an old snapshot.
    pub(in crate::store) async fn begin(
        &self,
        statement: &'static str,
    ) -> Result<Transaction<'static, sqlx::Postgres>, ProjectionError> {
        let pool = self.pool.clone();
        let begun = tokio::spawn(async move { pool.begin_with(statement).await });
        let begun = begun.await.map_err(|_| ProjectionError::store("a transaction could not be begun"))?;
        Ok(begun?)
    }

    /// A connection that writes rows. A crash of the server may take the last commits with it, never a part of one;
    /// they are made again from the journal, which is why nothing waits for the disk here.
    /// It ends when it says nothing for `silence`, unless that is 0.
    pub(in crate::store) async fn writer(&self, silence: &str) -> Result<PgConnection, ProjectionError> {
        let options =
            self.options.clone().options([("synchronous_commit", "off"), ("idle_session_timeout", silence)]);
        Ok(PgConnection::connect_with(&options).await?)
    }
}

/// How a transaction that reads begins: the lock comes before the snapshot.
pub(in crate::store) const BEGIN_READING: &str =
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; LOCK TABLE reading IN ACCESS SHARE MODE";

/// How a transaction on what all versions share begins. The numbers of the locks are this crate's own.
pub(in crate::store) const BEGIN_SHARED: &str =
    "BEGIN; LOCK TABLE reading IN ACCESS SHARE MODE; SELECT pg_advisory_xact_lock(7162884950120001)";

/// How a transaction that makes tables begins.
pub(in crate::store) const BEGIN_SET_UP: &str = "BEGIN; SELECT pg_advisory_xact_lock(7162884950120002)";

/// Makes the schemas, and the table by which readers are held.
pub(in crate::store) fn schemas(schema: &str) -> String {
    format!(
        "CREATE SCHEMA IF NOT EXISTS {SHARED}; CREATE SCHEMA IF NOT EXISTS {schema}; \
         CREATE TABLE IF NOT EXISTS {schema}.reading (); \
         CREATE TABLE IF NOT EXISTS {SHARED}.model_set (name TEXT PRIMARY KEY, touched TIMESTAMPTZ NOT NULL); {}",
        super::presence::note(&format!("'{schema}'"))
    )
}
