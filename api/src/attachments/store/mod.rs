//! Where files stand: a store of bytes under keys.
//!
//! What a store promises: [`Shelf::place`] and [`Shelf::write`] return once their bytes outlive a loss of power, and
//! nobody ever sees half of them under a key.

mod disk;

use std::path::Path;
use std::pin::Pin;

use tokio::io::AsyncRead;

use super::error::AttachmentError;
use disk::Disk;

/// Reads a file.
pub type Reader = Pin<Box<dyn AsyncRead + Send>>;

/// A place for bytes under keys such as `ville/blobs/9f/9f86…`.
#[derive(Debug)]
pub(crate) enum Shelf {
    /// A folder.
    Disk(Disk),
}

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

    /// Gives a key another name; whether there was such a key.
    pub(crate) async fn rename(&self, key: &str, to: &str) -> Result<bool, AttachmentError> {
        match self {
            Self::Disk(disk) => disk.rename(key, to).await,
        }
    }

    /// Removes a key; nothing happens where there is none.
    pub(crate) async fn remove(&self, key: &str) -> Result<(), AttachmentError> {
        match self {
            Self::Disk(disk) => disk.remove(key).await,
        }
    }

    /// The last parts of the keys directly below a folder, those that begin with a dot left out.
    pub(crate) async fn list(&self, folder: &str) -> Result<Vec<String>, AttachmentError> {
        match self {
            Self::Disk(disk) => disk.list(folder).await,
        }
    }
}
