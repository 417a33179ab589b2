//! Where files stand: a store of bytes under keys.
//!
//! What a store promises: [`Shelf::place`] and [`Shelf::write`] return once their bytes outlive a loss of power, and
//! nobody ever sees half of them under a key.

mod disk;

use std::path::Path;
use std::pin::Pin;

use chrono::{DateTime, Utc};
use tokio::io::AsyncRead;

use super::error::AttachmentError;
use disk::Disk;

/// Reads a file.
pub type Reader = Pin<Box<dyn AsyncRead + Send>>;

/// One key of a folder.
#[allow(dead_code, reason = "the worker that takes unnamed files away comes next")]
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    /// The last part of the key.
    pub(crate) name: String,
    /// When it was last written (UTC), by the store's clock.
    pub(crate) written: DateTime<Utc>,
}

/// A place for bytes under keys such as `ville/blobs/9f/9f86…`.
#[derive(Debug)]
pub(crate) enum Shelf {
    /// A folder.
    Disk(Disk),
}

#[allow(dead_code, reason = "the worker that takes unnamed files away comes next")]
impl Shelf {
    /// A folder, made when something is first stored.
    pub(crate) fn disk(folder: &Path) -> Self {
        Self::Disk(Disk::new(folder))
    }

    /// Moves a finished temporary file below a key.
    pub(crate) async fn place(&self, file: &Path, key: &str) -> Result<(), AttachmentError> {
        match self {
            Self::Disk(disk) => disk.place(file, key).await,
        }
    }

    /// Writes a few bytes below a key.
    pub(crate) async fn write(&self, key: &str, bytes: Vec<u8>) -> Result<(), AttachmentError> {
        match self {
            Self::Disk(disk) => disk.write(key, bytes).await,
        }
    }

    /// The bytes of a small key.
    pub(crate) async fn read(&self, key: &str) -> Result<Option<Vec<u8>>, AttachmentError> {
        match self {
            Self::Disk(disk) => disk.read(key).await,
        }
    }

    /// The size of a key's bytes, if there is such a key.
    pub(crate) async fn size(&self, key: &str) -> Result<Option<u64>, AttachmentError> {
        match self {
            Self::Disk(disk) => disk.size(key).await,
        }
    }

    /// Reads a key from a byte on.
    pub(crate) async fn open(&self, key: &str, from: u64) -> Result<Option<Reader>, AttachmentError> {
        match self {
            Self::Disk(disk) => disk.open(key, from).await,
        }
    }

    /// Removes a key; nothing happens where there is none.
    pub(crate) async fn remove(&self, key: &str) -> Result<(), AttachmentError> {
        match self {
            Self::Disk(disk) => disk.remove(key).await,
        }
    }

    /// What stands directly below a folder.
    pub(crate) async fn list(&self, folder: &str) -> Result<Vec<Listed>, AttachmentError> {
        match self {
            Self::Disk(disk) => disk.list(folder).await,
        }
    }
}
