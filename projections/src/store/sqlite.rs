//! What is particular to SQLite: how it is opened, what its types are called. PostgreSQL would be a second such file.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection};

use super::table::Type;
use crate::error::ProjectionError;

/// Connections that answer queries beside the one that writes.
const READERS: u32 = 4;

/// Statements kept prepared on the writing connection: every table has a handful, while it serves and while it is rebuilt.
const STATEMENTS: usize = 256;

/// A transaction that writes says so at once: one that reads first could no longer begin to write.
pub(super) const BEGIN: &str = "BEGIN IMMEDIATE";

pub(super) fn type_name(kind: Type) -> &'static str {
    match kind {
        Type::Int => "INTEGER",
        Type::Real => "REAL",
        Type::Text => "TEXT",
        Type::Bytes => "BLOB",
    }
}

/// Rows that are found by a compound key only are stored in the key's own tree.
pub(super) fn storage(compound_key: bool) -> &'static str {
    if compound_key { " WITHOUT ROWID" } else { "" }
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(Duration::from_secs(30))
        .statement_cache_capacity(STATEMENTS)
        .disable_statement_logging()
}

/// The connection that writes. A power cut may take the last commits with it, never a part of one; they are made
/// again from the journal, which is why nothing waits for the disk here.
pub(crate) async fn connect(path: &Path) -> Result<SqliteConnection, ProjectionError> {
    let options = options(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .pragma("cache_size", "-65536")
        .pragma("wal_autocheckpoint", "8192");
    Ok(SqliteConnection::connect_with(&options).await?)
}

/// The connections that read.
pub(crate) async fn pool(path: &Path) -> Result<SqlitePool, ProjectionError> {
    let options = options(path).read_only(true);
    Ok(SqlitePoolOptions::new().max_connections(READERS).connect_with(options).await?)
}
