//! What a backup says of itself.

use std::fmt;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use chrono::{DateTime, Utc};
use guichet_engine::journal::{Digest, Position};
use serde::{Deserialize, Serialize};
use sha2::Digest as _;

use super::BackupError;

/// The manifest's name in its folder.
pub const MANIFEST_FILE: &str = "manifest.json";
/// The version of manifests that this program writes, and the newest that it reads.
pub const MANIFEST_VERSION: u32 = 1;

/// Which half of a town's memory a folder holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holds {
    /// The journal, and who may come in.
    Journal,
    /// The sealing keys.
    Keys,
}

impl fmt::Display for Holds {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Journal => "a journal",
            Self::Keys => "keys",
        })
    }
}

/// A file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackedUpFile {
    /// Its name in the folder.
    pub name: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// SHA-256 of its content, in hexadecimal.
    pub sha256: Digest,
}

/// What a folder of a backup holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of this text.
    pub manifest: u32,
    /// Which half.
    pub holds: Holds,
    /// The kind of store it was taken from: `sqlite` or `postgres`.
    pub store: String,
    /// The version of the program that took it.
    pub program: String,
    /// When the copy was begun (UTC): the keys' after the journal's has ended.
    pub began: DateTime<Utc>,
    /// When the copy was whole (UTC).
    pub taken: DateTime<Utc>,
    /// How many events the journal holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events: Option<u64>,
    /// The position of the last of them: what was answered up to there is in the backup.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
    /// SHA-256 of the last event's stored header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head: Option<Digest>,
    /// How many keys are there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keys: Option<u64>,
    /// How many more are known to be destroyed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destroyed: Option<u64>,
    /// The files, in the order in which they are put back.
    pub files: Vec<BackedUpFile>,
}

impl Manifest {
    /// Reads the manifest of a folder.
    ///
    /// # Errors
    /// [`BackupError::NotABackup`] when there is none, it cannot be read, is of a newer version, or of the other half.
    pub fn read(folder: &Path, what: Holds) -> Result<Self, BackupError> {
        let none = |reason: String| BackupError::NotABackup { path: folder.to_owned(), what, reason };
        let text = std::fs::read_to_string(folder.join(MANIFEST_FILE))
            .map_err(|error| none(format!("{MANIFEST_FILE}: {error}")))?;
        let manifest: Self =
            serde_json::from_str(&text).map_err(|error| none(format!("{MANIFEST_FILE}: {error}")))?;
        if manifest.manifest > MANIFEST_VERSION {
            return Err(none(format!(
                "its manifest has version {}, newer than this program",
                manifest.manifest
            )));
        }
        if manifest.holds != what {
            return Err(none(format!("it holds {}", manifest.holds)));
        }
        let plain = |file: &BackedUpFile| Path::new(&file.name).file_name() == Some(file.name.as_ref());
        if !manifest.files.iter().all(plain) {
            return Err(none(format!("{MANIFEST_FILE} names files outside of its folder")));
        }
        Ok(manifest)
    }

    /// Writes it durably, as the last file of its folder.
    pub(super) fn write(&self, folder: &Path) -> Result<(), BackupError> {
        let path = folder.join(MANIFEST_FILE);
        let written = || {
            let mut file = File::create_new(&path)?;
            serde_json::to_writer_pretty(&mut file, self)?;
            file.write_all(b"\n")?;
            file.sync_all()?;
            File::open(folder)?.sync_all()
        };
        written().map_err(BackupError::file(&path))
    }
}

/// What a file holds, told as a manifest tells it; `aside` is given every byte on the way.
pub(super) fn described(path: &Path, mut aside: impl Write) -> Result<BackedUpFile, BackupError> {
    let wrong = || BackupError::file(path);
    let mut file = File::open(path).map_err(wrong())?;
    let (mut sum, mut bytes, mut buffer) = (sha2::Sha256::new(), 0, vec![0; 1 << 16]);
    loop {
        let read = file.read(&mut buffer).map_err(wrong())?;
        let Some(part) = buffer.get(..read).filter(|part| !part.is_empty()) else { break };
        sum.update(part);
        aside.write_all(part).map_err(wrong())?;
        bytes += u64::try_from(read).unwrap_or_default();
    }
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(BackedUpFile { name, bytes, sha256: Digest::new(sum.finalize().into()) })
}
