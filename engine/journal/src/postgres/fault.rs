//! What an error of PostgreSQL means for the one who asked.

use sqlx::postgres::{PgDatabaseError, PgSeverity};

use crate::error::JournalError;

/// Codes that mean something of their own here. See <https://www.postgresql.org/docs/current/errcodes-appendix.html>; `GU` are ours.
const UNIQUE: &str = "23505";
const DISK_FULL: &str = "53100";
const DATA_CORRUPTED: &str = "XX001";
const INDEX_CORRUPTED: &str = "XX002";
const BEHIND: &str = "GU001";

fn said(error: &sqlx::Error) -> Option<&PgDatabaseError> {
    error.as_database_error()?.try_downcast_ref()
}

/// Whether a row stands already where one was to be written.
pub(crate) fn is_taken(error: &sqlx::Error) -> bool {
    said(error).is_some_and(|said| said.code() == UNIQUE)
}

/// Whether the session goes on after this error: it was the statement that failed, not the server or the way to it.
pub(crate) fn spares_the_connection(error: &sqlx::Error) -> bool {
    said(error).is_some_and(|said| matches!(said.severity(), PgSeverity::Error))
}

/// An error of connecting or of a statement that reads: nothing was written by it.
pub(crate) fn reading(error: &sqlx::Error) -> JournalError {
    match said(error).map(PgDatabaseError::code) {
        Some(DISK_FULL) => JournalError::Full,
        Some(DATA_CORRUPTED | INDEX_CORRUPTED | BEHIND) => JournalError::corrupt(error.to_string()),
        _ if matches!(error, sqlx::Error::PoolClosed) => JournalError::Closed,
        _ => JournalError::unavailable(error),
    }
}

/// An error of a statement that writes and commits. A statement that failed was rolled back; when the server or the way to it failed, it may
/// have been carried out before.
pub(crate) fn writing(error: &sqlx::Error) -> JournalError {
    if spares_the_connection(error) {
        reading(error)
    } else {
        JournalError::Indeterminate { reason: error.to_string() }
    }
}
