//! What can go wrong: a variant for the machine, a sentence for the person. No error repeats what a body held.

use crate::id::{BadName, CommandId, Kid, Revision, StreamId};

/// In which state an append wants to find its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Without any event: the append begins it.
    NoStream,
    /// With this revision as its last.
    Exact(Revision),
    /// With at least one event.
    Exists,
    /// In whatever state it is.
    Any,
}

impl std::fmt::Display for Expected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoStream => f.write_str("no event"),
            Self::Exact(revision) => write!(f, "revision {revision} as the last"),
            Self::Exists => f.write_str("at least one event"),
            Self::Any => f.write_str("anything"),
        }
    }
}

/// Why the journal did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// The stream is not in the state that the append expected. Nothing was written.
    #[error("stream `{stream}` was expected to hold {expected}, and {}", standing(*actual))]
    Conflict {
        /// The stream.
        stream: StreamId,
        /// What the append expected.
        expected: Expected,
        /// The last revision that stands, or none when the stream has no event.
        actual: Option<Revision>,
    },
    /// The stream already holds a command with this id and another content. Nothing was written.
    #[error(
        "command `{command}` was already carried out on stream `{stream}` with another content; a new command needs a new id"
    )]
    CommandReused {
        /// The stream.
        stream: StreamId,
        /// The id that was used twice.
        command: CommandId,
    },
    /// The stream was closed for ever. Nothing was written.
    #[error("stream `{stream}` is closed for ever and takes no more events")]
    Tombstoned {
        /// The stream.
        stream: StreamId,
    },
    /// Something is larger than `limits` allows. Nothing was written.
    #[error("{what} is {size}, more than the {limit} allowed")]
    TooLarge {
        /// What is too large, with its unit.
        what: &'static str,
        /// How large it is.
        size: usize,
        /// How large it may be.
        limit: usize,
    },
    /// The append makes no sense whatever the journal holds. Nothing was written.
    #[error("the append is not valid: {reason}")]
    Invalid {
        /// What is wrong with it.
        reason: String,
    },
    /// The store cannot be reached or refused. Surely nothing was written; the same may be tried again later.
    #[error("the journal is not available and nothing was written: {reason}")]
    Unavailable {
        /// What the store said.
        reason: String,
    },
    /// The disk, or the space given to the store, is full. Surely nothing was written; it works again once there is room.
    #[error("the disk of the journal is full and nothing was written")]
    Full,
    /// The store failed while it made the events durable: they may stand or not. Send the same append again, with the same command id, and the answer is sure.
    #[error("it is not known whether the events were written, send the same command again: {reason}")]
    Indeterminate {
        /// What the store said.
        reason: String,
    },
    /// The journal was closed, here or by the end of the program.
    #[error("the journal is closed")]
    Closed,
    /// The journal was written by a newer version of the program. Nothing was changed.
    #[error(
        "`{path}` has format {found}, written by a newer version of guichet; this version knows formats up to {known}"
    )]
    Newer {
        /// The file.
        path: String,
        /// The format it has.
        found: u32,
        /// The newest format that this program knows.
        known: u32,
    },
    /// What is stored is not what was written.
    #[error(
        "the journal is damaged: {what}; restore it from a backup, or run a verification to see how far the damage goes"
    )]
    Corrupt {
        /// What is damaged and where.
        what: String,
    },
    /// Another running program holds the data folder.
    #[error(
        "the data folder `{path}` is in use by another running guichet; two servers cannot share one folder"
    )]
    Locked {
        /// The folder.
        path: String,
    },
    /// The data folder or one of its files cannot be written.
    #[error("the data folder `{path}` cannot be written: {reason}")]
    ReadOnly {
        /// The folder or file.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// The master key or the key store is missing, unreadable or does not fit. Nothing was changed.
    #[error("the sealing keys cannot be used: {reason}")]
    Keys {
        /// What is wrong with them.
        reason: String,
    },
    /// A sealed part names a key that the key store never heard of: the key store belongs to another journal, or is older than it.
    #[error(
        "key `{kid}` is not in the key store; the key store does not belong to this journal, or comes from an older backup"
    )]
    KeyMissing {
        /// The key's id.
        kid: Kid,
    },
}

fn standing(actual: Option<Revision>) -> String {
    actual
        .map_or_else(|| "it does not exist".to_owned(), |revision| format!("its last revision is {revision}"))
}

impl JournalError {
    pub(crate) fn invalid(reason: impl Into<String>) -> Self {
        Self::Invalid { reason: reason.into() }
    }

    pub(crate) fn unavailable(reason: impl std::fmt::Display) -> Self {
        Self::Unavailable { reason: reason.to_string() }
    }

    pub(crate) fn corrupt(what: impl Into<String>) -> Self {
        Self::Corrupt { what: what.into() }
    }

    /// Whether it is sure that a failed append wrote nothing.
    #[must_use]
    pub fn surely_not_written(&self) -> bool {
        !matches!(self, Self::Indeterminate { .. })
    }
}

impl From<BadName> for JournalError {
    fn from(bad: BadName) -> Self {
        Self::invalid(bad.to_string())
    }
}
