//! A file as it arrives: into a temporary file, counted and hashed on the way.

use std::path::{Path, PathBuf};

use futures_util::{Stream, StreamExt};
use sha2::{Digest, Sha256};
use tokio::fs::{File, OpenOptions};
use tokio::io::AsyncWriteExt;

use super::error::AttachmentError;

/// A temporary file. It is gone when this is, unless it was moved.
#[derive(Debug)]
pub(crate) struct Arrived {
    pub(crate) path: PathBuf,
    pub(crate) size: u64,
    pub(crate) sha256: String,
}

impl Drop for Arrived {
    fn drop(&mut self) {
        // Usually it was moved; what stays after a crash is swept later.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Writes what comes to a new file in `folder`, and its bytes to the disk.
pub(crate) async fn arrive<B, E>(
    folder: &Path,
    name: &str,
    most: u64,
    stream: impl Stream<Item = Result<B, E>>,
) -> Result<Arrived, AttachmentError>
where
    B: AsRef<[u8]>,
{
    let told = |error: std::io::Error| AttachmentError::of_system(&error);
    tokio::fs::create_dir_all(folder).await.map_err(told)?;
    let path = folder.join(name);
    let mut file = create(&path).await.map_err(told)?;
    let mut arrived = Arrived { path, size: 0, sha256: String::new() };
    let mut sum = Sha256::new();
    let mut stream = std::pin::pin!(stream);
    while let Some(piece) = stream.next().await {
        let piece = piece.map_err(|_| AttachmentError::Interrupted)?;
        let bytes = piece.as_ref();
        arrived.size += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if arrived.size > most {
            return Err(AttachmentError::TooLarge { most });
        }
        sum.update(bytes);
        file.write_all(bytes).await.map_err(told)?;
    }
    if arrived.size == 0 {
        return Err(AttachmentError::Empty);
    }
    file.sync_all().await.map_err(told)?;
    arrived.sha256 = hexadecimal(&sum.finalize());
    Ok(arrived)
}

/// A new file that only this program's user can read.
async fn create(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    options.mode(0o600);
    options.open(path).await
}

/// Bytes in small hexadecimal letters.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing into a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
