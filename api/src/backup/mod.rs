//! Backups: copies of a town's memory taken beside a running server, and the way back from them.
//!
//! Two folders, because they are kept for different times: the journal for years, the keys for days. Destroying a key
//! erases a person's data in every copy of the journal; a copy of the keys that is older brings it back. Each folder
//! has a manifest, written last: a folder without one is no backup.

mod files;
mod manifest;
mod postgres;
mod restore;
mod take;

use std::path::PathBuf;

use guichet_engine::journal::JournalError;

use crate::rights::keys::AccessError;
pub use manifest::{BackedUpFile, Holds, MANIFEST_FILE, MANIFEST_VERSION, Manifest};
pub use postgres::Tools;
pub use restore::{Restored, restore};
pub use take::{Taken, backup};

/// Why there is no backup, or nothing was restored from one.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The journal or its keys cannot be read or written.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Who may come in cannot be told.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The store is none that this program backs up.
    #[error("KurrentDB is backed up by its own means; back up the data folder’s keys apart from it")]
    Elsewhere,
    /// A program of PostgreSQL is missing or failed. Nothing of what it says holds a password.
    #[error("`{program}` {reason}")]
    Tool {
        /// The program.
        program: String,
        /// What it said.
        reason: String,
    },
    /// The database holds a journal or keys already. Nothing was changed.
    #[error("the database has these schemas already: {0}; restore into an empty one")]
    Standing(String),
    /// The backup is of another kind of store.
    #[error("the backup is of a store of kind `{0}`; name such a store with --store, an empty one")]
    OtherStore(String),
    /// The two folders are one, or one lies in the other: whoever has the one would have both.
    #[error(
        "`{0}` would hold keys and journal together; give the keys a folder of their own, on another disk"
    )]
    Together(PathBuf),
    /// The folder holds something already. Nothing in it was changed.
    #[error("the folder `{0}` is not empty")]
    Taken(PathBuf),
    /// The folder holds no backup of this kind.
    #[error("`{path}` holds no backup of {what}: {reason}")]
    NotABackup {
        /// The folder.
        path: PathBuf,
        /// The journal or the keys.
        what: Holds,
        /// What is wrong with it.
        reason: String,
    },
    /// A file is not the one that was backed up. Nothing was restored.
    #[error("`{path}` is not the file that was backed up: {reason}")]
    Changed {
        /// The file.
        path: PathBuf,
        /// What differs.
        reason: String,
    },
    /// A file or folder cannot be read or written.
    #[error("`{path}`: {source}")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl BackupError {
    fn file(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }
}
