//! Where read models stand.

use std::path::PathBuf;

/// Where the tables of the read models stand.
#[derive(Clone, PartialEq, Eq)]
pub enum Place {
    /// A file of SQLite, made if it is not there. One program at a time follows the journal into it.
    Sqlite(PathBuf),
    /// A PostgreSQL database (15 or later), by its URL: `postgres://user:password@host/database`. Any number of servers
    /// share it; one of them at a time follows the journal. The URL must lead to the server itself or to a pooler that
    /// pools whole sessions.
    Postgres(String),
}

impl std::fmt::Debug for Place {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => formatter.debug_tuple("Sqlite").field(path).finish(),
            // The URL may hold a password.
            Self::Postgres(_) => formatter.write_str("Postgres(…)"),
        }
    }
}
