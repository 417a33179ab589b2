//! Where files stand: a store of bytes under keys.
//!
//! What a store promises: [`Shelf::place`], [`Shelf::receive`] and [`Shelf::write`] return once their bytes outlive a loss
//! of power, and nobody ever sees half of them under a key. `conformance.rs` holds every store to it.

mod bucket;
#[cfg(test)]
mod conformance;
mod connector;
mod disk;
#[cfg(test)]
mod faults;

use std::collections::BTreeSet;
use std::path::Path;
use std::pin::Pin;

use tokio::io::AsyncRead;

use super::error::AttachmentError;
use crate::settings::Bucket as BucketSettings;
use bucket::Bucket;
pub use bucket::{PART, SENT_AT_ONCE};
use disk::Disk;

/// Reads a file.
pub type Reader = Pin<Box<dyn AsyncRead + Send>>;

/// A place for bytes under keys such as `ville/blobs/9f/9f86…`.
#[derive(Debug)]
pub(crate) enum Shelf {
    /// A folder.
    Disk(Disk),
    /// A bucket of a server that speaks S3.
    Bucket(Bucket),
}

impl Shelf {
    /// A folder, made when something is first stored.
    pub(crate) fn disk(folder: &Path) -> Self {
        Self::Disk(Disk::new(folder))
    }

    /// A bucket. Nobody is called yet: a server that is away when this program begins may come back.
    ///
    /// # Errors
    /// [`AttachmentError::Store`] when the settings or the files of its keys cannot be used.
    pub(crate) fn bucket(settings: &BucketSettings) -> Result<Self, AttachmentError> {
        Bucket::new(settings).map(Self::Bucket).map_err(|reason| AttachmentError::Store { reason })
    }

    /// Moves a finished temporary file below a key that names its bytes: where they stand already, nothing happens.
    pub(crate) async fn place(&self, file: &Path, key: &str) -> Result<(), AttachmentError> {
        match self {
            Self::Disk(disk) => disk.place(file, key).await,
            Self::Bucket(bucket) => bucket.place(file, key).await,
        }
    }

    /// Writes all that `reader` gives below a key, or nothing where it breaks off.
    pub(crate) async fn receive(&self, key: &str, reader: Reader) -> Result<(), AttachmentError> {
        match self {
            Self::Disk(disk) => disk.receive(key, reader).await,
            Self::Bucket(bucket) => bucket.receive(key, reader).await,
        }
    }

    /// Writes a few bytes below a key.
    pub(crate) async fn write(&self, key: &str, bytes: Vec<u8>) -> Result<(), AttachmentError> {
        match self {
            Self::Disk(disk) => disk.write(key, bytes).await,
            Self::Bucket(bucket) => bucket.write(key, bytes).await,
        }
    }

    /// The bytes of a small key.
    pub(crate) async fn read(&self, key: &str) -> Result<Option<Vec<u8>>, AttachmentError> {
        match self {
            Self::Disk(disk) => disk.read(key).await,
            Self::Bucket(bucket) => bucket.read(key).await,
        }
    }

    /// The size of a key's bytes, if there is such a key.
    pub(crate) async fn size(&self, key: &str) -> Result<Option<u64>, AttachmentError> {
        match self {
            Self::Disk(disk) => disk.size(key).await,
            Self::Bucket(bucket) => bucket.size(key).await,
        }
    }

    /// Reads a key from a byte on.
    pub(crate) async fn open(&self, key: &str, from: u64) -> Result<Option<Reader>, AttachmentError> {
        match self {
            Self::Disk(disk) => disk.open(key, from).await,
            Self::Bucket(bucket) => bucket.open(key, from).await,
        }
    }

    /// Gives a key another name; whether there was such a key. A crash may leave both.
    pub(crate) async fn rename(&self, key: &str, to: &str) -> Result<bool, AttachmentError> {
        match self {
            Self::Disk(disk) => disk.rename(key, to).await,
            Self::Bucket(bucket) => bucket.rename(key, to).await,
        }
    }

    /// Removes a key; nothing happens where there is none.
    pub(crate) async fn remove(&self, key: &str) -> Result<(), AttachmentError> {
        match self {
            Self::Disk(disk) => disk.remove(key).await,
            Self::Bucket(bucket) => bucket.remove(key).await,
        }
    }

    /// The last parts of the keys directly below a folder, those that begin with a dot left out.
    pub(crate) async fn list(&self, folder: &str) -> Result<Vec<String>, AttachmentError> {
        match self {
            Self::Disk(disk) => disk.list(folder).await,
            Self::Bucket(bucket) => bucket.list(folder).await,
        }
    }

    /// All keys, those left out of which a part begins with a dot.
    pub(crate) async fn all(&self) -> Result<BTreeSet<String>, AttachmentError> {
        match self {
            Self::Disk(disk) => disk.all().await,
            Self::Bucket(bucket) => bucket.all().await,
        }
    }

    /// Whether there is a place at all: a folder that nothing was ever put into is not there.
    pub(crate) fn is_there(&self) -> bool {
        match self {
            Self::Disk(disk) => disk.is_there(),
            // Whoever listed its keys was answered.
            Self::Bucket(_) => true,
        }
    }

    /// What stands half sent, by names that [`Shelf::abandon`] takes: of programs that died, and of those still at it.
    pub(crate) async fn half_sent(&self) -> Result<Vec<String>, AttachmentError> {
        match self {
            // Files arrive in a folder of their own, which is swept by itself.
            Self::Disk(_) => Ok(Vec::new()),
            Self::Bucket(bucket) => bucket.half_sent().await,
        }
    }

    /// Gives up what was half sent.
    pub(crate) async fn abandon(&self, name: &str) -> Result<(), AttachmentError> {
        match self {
            Self::Disk(_) => Ok(()),
            Self::Bucket(bucket) => bucket.abandon(name).await,
        }
    }
}

/// Keys are made by this program from checked names; one that climbs is refused all the same.
fn sound(key: &str) -> Result<(), AttachmentError> {
    let climbs = key.split('/').any(|part| part.is_empty() || part.starts_with('.'));
    if climbs || key.contains('\\') {
        return Err(AttachmentError::Store { reason: "a key that no file can have".to_owned() });
    }
    Ok(())
}
