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
        Self::Store { reason: error.to_string() }
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
            Self::Store { .. } | Self::Timeout { .. } | Self::Superseded => true,
            Self::Journal(error) => {
                matches!(error, JournalError::Unavailable { .. } | JournalError::Full)
            }
            Self::Poison(_) | Self::UnknownName { .. } | Self::Cursor | Self::Closed => false,
        }
    }
}
