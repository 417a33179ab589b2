//! Brings a schema to the format of this program, however many servers start at once.

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection};

use super::fault;
use super::options::PostgresOptions;
use crate::error::JournalError;

/// A numbered step, as an operator can read it and run it with `psql`. It notes itself in the table `format`.
pub(crate) struct Migration {
    pub(crate) version: i32,
    pub(crate) sql: &'static str,
}

/// The format of the schema; none while it does not exist or is empty.
async fn format(
    connection: &mut PgConnection,
    options: &PostgresOptions,
) -> Result<Option<i32>, JournalError> {
    let fault = |error: sqlx::Error| fault::reading(&error);
    // Asked of the catalogue itself: the functions that look up names may remember what was there before another server's turn.
    let ours = sqlx::query_as(
        "SELECT coalesce(bool_or(relname = 'format'), false), count(*)
         FROM pg_class JOIN pg_namespace AS space ON space.oid = relnamespace WHERE nspname = $1",
    );
    let (ours, objects): (bool, i64) =
        ours.bind(options.schema()).fetch_one(&mut *connection).await.map_err(fault)?;
    if !ours {
        return match objects {
            0 => Ok(None),
            _ => Err(JournalError::corrupt(format!("{} holds tables of something else", options.place()))),
        };
    }
    sqlx::query_scalar("SELECT max(version) FROM format").fetch_one(connection).await.map_err(fault)
}

/// Applies what is missing, in one transaction that other servers wait for.
pub(crate) async fn apply(
    connection: &mut PgConnection,
    options: &PostgresOptions,
    migrations: &[Migration],
) -> Result<(), JournalError> {
    let fault = |error: sqlx::Error| fault::reading(&error);
    let known = migrations.last().map_or(0, |migration| migration.version);
    let found = format(connection, options).await?;
    if found.is_none_or(|found| found < known) {
        let mut transaction = connection.begin().await.map_err(fault)?;
        let lock =
            sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('guichet format of ' || $1, 0))");
        lock.bind(options.schema()).execute(&mut *transaction).await.map_err(fault)?;
        let exists = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)");
        if !exists.bind(options.schema()).fetch_one(&mut *transaction).await.map_err(fault)? {
            let create = format!("CREATE SCHEMA {}", options.schema());
            sqlx::raw_sql(AssertSqlSafe(create)).execute(&mut *transaction).await.map_err(fault)?;
        }
        let found = format(&mut transaction, options).await?.unwrap_or(0);
        for migration in migrations.iter().filter(|migration| migration.version > found) {
            sqlx::raw_sql(migration.sql).execute(&mut *transaction).await.map_err(fault)?;
        }
        transaction.commit().await.map_err(fault)?;
    }
    match found {
        Some(found) if found > known => Err(JournalError::Newer {
            path: options.place(),
            found: found.unsigned_abs(),
            known: known.unsigned_abs(),
        }),
        Some(_) | None => Ok(()),
    }
}
