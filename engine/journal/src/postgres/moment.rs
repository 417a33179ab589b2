//! A moment of the journal, held still while PostgreSQL's own tools copy it, and whether a database is free for a copy.

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row};

use super::fault;
use super::options::PostgresOptions;
use crate::digest::Digest;
use crate::error::JournalError;
use crate::id::Position;
use crate::sqlite::Copied;

/// A moment of the journal of a database. `pg_dump --snapshot` with its name copies exactly what it tells of, while servers go on
/// appending. It lasts until it is released or dropped.
pub struct PostgresMoment {
    connection: PgConnection,
    name: String,
    copied: Copied,
}

impl PostgresMoment {
    /// Holds this moment.
    ///
    /// # Errors
    /// `Unavailable`; also when there is no journal in the database.
    pub async fn hold(options: &PostgresOptions) -> Result<Self, JournalError> {
        let fault = |error: sqlx::Error| fault::reading(&error);
        let mut connection = options.connect().connect().await.map_err(fault)?;
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL idle_in_transaction_session_timeout = 0";
        sqlx::raw_sql(begin).execute(&mut connection).await.map_err(fault)?;
        let schema = options.schema();
        // The name of a schema is made of small letters, digits and underscores.
        let about = format!(
            "SELECT pg_export_snapshot(), count(*), max(position),
                    (SELECT header FROM {schema}.events ORDER BY position DESC LIMIT 1)
             FROM {schema}.events"
        );
        let row = sqlx::query(AssertSqlSafe(about)).fetch_one(&mut connection).await.map_err(fault)?;
        let read = || {
            let (name, events, last): (String, i64, Option<i64>) =
                (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            let header: Option<String> = row.try_get(3)?;
            let copied = Copied {
                events: events.unsigned_abs(),
                last: last.map(|token| Position::from_token(token.unsigned_abs())),
                head: header.map(|header| Digest::of(header.as_bytes())),
            };
            Ok((name, copied))
        };
        let (name, copied) = read().map_err(fault)?;
        Ok(Self { connection, name, copied })
    }

    /// The snapshot's name, for `pg_dump --snapshot`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Lets the moment go, and tells what it held.
    pub async fn release(self) -> Copied {
        if let Err(error) = self.connection.close().await {
            tracing::debug!(%error, "the connection that held a moment ended badly");
        }
        self.copied
    }
}

impl std::fmt::Debug for PostgresMoment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PostgresMoment({:?})", self.copied)
    }
}

impl PostgresOptions {
    /// Which of the two schemas, the journal's and the keys', the database has already.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn standing(&self) -> Result<Vec<String>, JournalError> {
        let fault = |error: sqlx::Error| fault::reading(&error);
        let mut connection = self.connect().connect().await.map_err(fault)?;
        let names = vec![self.schema().to_owned(), self.keys_schema()];
        let query =
            sqlx::query_scalar("SELECT nspname::text FROM pg_namespace WHERE nspname = ANY($1) ORDER BY 1");
        let found = query.bind(names).fetch_all(&mut connection).await.map_err(fault)?;
        connection.close().await.map_err(fault)?;
        Ok(found)
    }
}
