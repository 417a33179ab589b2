//! What can go wrong with read models: a variant for the machine, a sentence for the person.

use guichet_journal::{JournalError, Position};

/// Why a read model could not be read, kept or rebuilt. No sentence repeats what an event's body holds.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ProjectionError {
    /// The database of the read models did not do what was asked. It can be deleted at any time: it is made again
    /// from the journal.
    #[error("the read models cannot be used: {reason}")]
    Store {
        /// What the database said.
        reason: String,
    },
    /// The database of the read models does not answer for now.
    #[error("the database of the read models is unavailable: {reason}")]
    Unavailable {
        /// What happened.
        reason: String,
    },
    /// The journal did not answer.
    #[error("the journal could not be followed: {0}")]
    Journal(#[from] JournalError),
    /// An event cannot be folded. Nothing behind it was taken in.
    #[error(transparent)]
    Poison(#[from] Poison),
    /// The position was not reached in the time given.
    #[error("the read models have not reached position {wanted} in the time given; they stand at {}", at(*.reached))]
    Timeout {
        /// The position waited for.
        wanted: Position,
        /// Where they stand.
        reached: Option<Position>,
    },
    /// No read model has that name.
    #[error("no read model is called `{name}`; there are: {known}")]
    UnknownName {
        /// What was asked for.
        name: String,
        /// The names that exist.
        known: String,
    },
    /// A cursor that this list did not give.
    #[error("the cursor is not one that this list gave; start again without it")]
    Cursor,
    /// Another server follows the journal into these tables now, or the tables were rebuilt meanwhile. Nothing was written.
    #[error("another server keeps the read models now, or they were rebuilt; nothing was written here")]
    Superseded,
    /// They were closed.
    #[error("the read models are closed")]
    Closed,
}

/// An event that stops the read models, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the read models stop before the event `{event_type}` at position {position} (stream `{stream}`, revision {revision}): {reason}"
)]
pub struct Poison {
    /// Its position.
    pub position: Position,
    /// Its stream.
    pub stream: String,
    /// Its place in the stream.
    pub revision: u64,
    /// Its type.
    pub event_type: String,
    /// Why it cannot be folded.
    pub reason: String,
}

fn at(position: Option<Position>) -> String {
    position.map_or_else(|| "the beginning".to_owned(), |position| position.to_string())
}

impl From<sqlx::Error> for ProjectionError {
    fn from(error: sqlx::Error) -> Self {
        if matches!(error, sqlx::Error::PoolClosed) {
            return Self::Closed;
        }
        let reason = error.to_string();
        if is_unavailable(&error) { Self::Unavailable { reason } } else { Self::Store { reason } }
    }
}

/// Whether the connection failed, or the server was stopping or starting, rather than the statement.
fn is_unavailable(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::BeginFailed => true,
        // Connection exceptions, too many connections, shutdowns.
        sqlx::Error::Database(error) => error
            .code()
            .is_some_and(|code| ["08", "57P", "53300", "25P03"].iter().any(|class| code.starts_with(class))),
        _ => false,
    }
}

impl ProjectionError {
    pub(crate) fn store(reason: impl Into<String>) -> Self {
        Self::Store { reason: reason.into() }
    }

    /// Whether trying again later can help.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Store { .. } | Self::Unavailable { .. } | Self::Timeout { .. } | Self::Superseded => true,
            Self::Journal(error) => {
                matches!(error, JournalError::Unavailable { .. } | JournalError::Full)
            }
            Self::Poison(_) | Self::UnknownName { .. } | Self::Cursor | Self::Closed => false,
        }
    }
}
