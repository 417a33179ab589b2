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
const GONE: u32 = 1802;

/// What a driver reports.
pub(crate) struct Said {
    /// SQLite's extended result code, when it was SQLite that spoke.
    code: Option<u32>,
    words: String,
    closed: bool,
}

impl Said {
    fn primary(&self) -> Option<u32> {
        self.code.map(|extended| extended & 0xff)
    }
}

impl From<&sqlx::Error> for Said {
    fn from(error: &sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(|error| error.code()?.parse().ok());
        Self { code, words: error.to_string(), closed: matches!(error, sqlx::Error::PoolClosed) }
    }
}

impl From<&rusqlite::Error> for Said {
    fn from(error: &rusqlite::Error) -> Self {
        let code = error.sqlite_error().map(|error| error.extended_code.unsigned_abs());
        Self { code, words: error.to_string(), closed: false }
    }
}

/// Whether a row stands already where one was to be written.
pub(crate) fn is_taken<'e, E>(error: &'e E) -> bool
where
    Said: From<&'e E>,
{
    Said::from(error).primary() == Some(CONSTRAINT)
}

/// An error of a statement that reads, or of opening the file: nothing was written by it.
pub(crate) fn reading(error: impl Into<Said>, path: &Path) -> JournalError {
    let said: Said = error.into();
    let words = said.words.as_str();
    match said.primary() {
        Some(READONLY) => {
            JournalError::ReadOnly { path: path.display().to_string(), reason: words.to_owned() }
        }
        Some(CORRUPT | NOTADB) => JournalError::corrupt(format!("`{}`: {words}", path.display())),
        Some(FULL) => JournalError::Full,
        Some(IOERR) if said.code == Some(GONE) => {
            JournalError::unavailable(format!("`{}` was taken away or replaced", path.display()))
        }
        _ if said.closed => JournalError::Closed,
        _ => JournalError::unavailable(format!("`{}`: {words}", path.display())),
    }
}

/// An error of a statement that writes and commits. SQLite rolled it back, but a failure of the disk itself may have come after the
/// commit reached it; then only a restart of the machine would tell.
pub(crate) fn writing(error: impl Into<Said>, path: &Path) -> JournalError {
    let said: Said = error.into();
    match said.primary() {
        Some(IOERR) | None => {
            JournalError::Indeterminate { reason: format!("`{}`: {}", path.display(), said.words) }
        }
        Some(_) => reading(said, path),
    }
}
