//! The table, and the settings of the connections.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Row, SqlitePool};

use super::fault;
use crate::error::JournalError;

/// The format of `journal.db` that this program writes.
const FORMAT: u32 = 1;

/// Tells `file` and SQLite's tools whose database this is: "Guij" in ASCII.
const APPLICATION: u32 = 0x4775_696a;

/// One table holds everything, so that one statement is a whole transaction.
///
/// `birth` is the position of the stream's first event, a short name for the stream. The stream's name stands on its first event only, the
/// command and its keyed digest on the first event of each append only; the indexes leave the other rows out and stay small. Headers and
/// bodies are text, so that anyone can read the table with SQLite's own tools.
const TABLE: &str = "
    CREATE TABLE events (
        position INTEGER PRIMARY KEY,
        birth INTEGER NOT NULL,
        revision INTEGER NOT NULL,
        stream TEXT,
        command BLOB,
        fingerprint BLOB,
        header TEXT NOT NULL,
        body TEXT NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX events_by_stream ON events (stream) WHERE stream IS NOT NULL;
    CREATE UNIQUE INDEX events_by_place ON events (birth, revision);
    CREATE UNIQUE INDEX events_by_command ON events (birth, command) WHERE command IS NOT NULL;
";

/// Settings of the one connection that writes. Pages gather in the write-ahead log until there are 4,000 of them: fewer, longer moves into
/// the table than SQLite's own 1,000.
const WRITING: &str = "
    PRAGMA trusted_schema = OFF;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA wal_autocheckpoint = 4000;
";

/// How long a connection waits for others that hold the file, such as a backup.
const PATIENCE: Duration = Duration::from_secs(5);

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(PATIENCE)
        .pragma("trusted_schema", "OFF")
        .disable_statement_logging()
}

/// The one connection that writes. It belongs to the writer's own thread, with nothing between them.
pub(super) fn writing(path: &Path) -> Result<Connection, rusqlite::Error> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(PATIENCE)?;
    connection.execute_batch(WRITING)?;
    Ok(connection)
}

/// A connection that copies the whole file elsewhere. `query_only` would forbid that, though nothing is written here.
pub(super) fn copying(path: &Path) -> SqliteConnectOptions {
    options(path).create_if_missing(false)
}

/// Connections that read beside it.
pub(crate) fn reading(path: &Path) -> SqliteConnectOptions {
    options(path).create_if_missing(false).pragma("query_only", "ON")
}

/// Makes the table in a new file, and refuses files that are not ours or newer than this program.
pub(super) fn prepare(connection: &Connection, path: &Path) -> Result<(), JournalError> {
    let fault = |error: rusqlite::Error| fault::reading(&error, path);
    let about = "SELECT user_version, application_id, (SELECT count(*) FROM sqlite_schema) FROM pragma_user_version, pragma_application_id";
    let (format, application, objects): (u32, u32, i64) =
        connection.query_row(about, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).map_err(fault)?;
    if objects == 0 && format == 0 {
        let make = format!(
            "BEGIN IMMEDIATE; {TABLE} PRAGMA user_version = {FORMAT}; PRAGMA application_id = {APPLICATION}; COMMIT"
        );
        return connection.execute_batch(&make).map_err(fault);
    }
    known(path, format, application)
}

/// Refuses a file that is no journal of ours or newer than this program.
pub(super) async fn recognise(pool: &SqlitePool, path: &Path) -> Result<(), JournalError> {
    let query =
        sqlx::query("SELECT user_version, application_id FROM pragma_user_version, pragma_application_id");
    let row = query.fetch_one(pool).await;
    let marks = row.and_then(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
    let (format, application) = marks.map_err(|error| fault::reading(&error, path))?;
    known(path, format, application)
}

fn known(path: &Path, format: u32, application: u32) -> Result<(), JournalError> {
    if application != APPLICATION {
        return Err(JournalError::corrupt(format!("`{}` is a database of something else", path.display())));
    }
    if format > FORMAT {
        return Err(JournalError::Newer { path: path.display().to_string(), found: format, known: FORMAT });
    }
    Ok(())
}
