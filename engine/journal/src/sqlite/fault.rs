//! What an error of SQLite means for the one who asked.

use std::path::Path;

use crate::error::JournalError;

/// SQLite's primary result codes that mean something of their own here. See <https://www.sqlite.org/rescode.html>.
const READONLY: u32 = 8;
const IOERR: u32 = 10;
const CORRUPT: u32 = 11;
const FULL: u32 = 13;
const CONSTRAINT: u32 = 19;
const NOTADB: u32 = 26;

/// The extended code of a file that is no longer where it was opened.
const GONE: &str = "1802";

/// The primary result code, when it was SQLite that spoke.
fn code(error: &sqlx::Error) -> Option<u32> {
    let extended: u32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(extended & 0xff)
}

/// Whether a row stands already where one was to be written.
pub(crate) fn is_taken(error: &sqlx::Error) -> bool {
    code(error) == Some(CONSTRAINT)
}

/// An error of a statement that reads, or of opening the file: nothing was written by it.
pub(crate) fn reading(error: &sqlx::Error, path: &Path) -> JournalError {
    match code(error) {
        Some(READONLY) => {
            JournalError::ReadOnly { path: path.display().to_string(), reason: error.to_string() }
        }
        Some(CORRUPT | NOTADB) => JournalError::corrupt(format!("`{}`: {error}", path.display())),
        Some(FULL) => JournalError::Full,
        Some(IOERR) if error.as_database_error().and_then(|error| error.code()).as_deref() == Some(GONE) => {
            JournalError::unavailable(format!("`{}` was taken away or replaced", path.display()))
        }
        _ if matches!(error, sqlx::Error::PoolClosed) => JournalError::Closed,
        _ => JournalError::unavailable(format!("`{}`: {error}", path.display())),
    }
}

/// An error of a statement that writes and commits. SQLite rolled it back, but a failure of the disk itself may have come after the
/// commit reached it; then only a restart of the machine would tell.
pub(crate) fn writing(error: &sqlx::Error, path: &Path) -> JournalError {
    match code(error) {
        Some(IOERR) | None => {
            JournalError::Indeterminate { reason: format!("`{}`: {error}", path.display()) }
        }
        Some(_) => reading(error, path),
    }
}
