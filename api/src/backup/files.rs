//! Files on their way into a backup and out of it.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use super::BackupError;
use super::manifest::{BackedUpFile, described};

/// Copies a file durably, and tells what it holds.
pub(super) fn copy(from: &Path, to: &Path, name: &str) -> Result<BackedUpFile, BackupError> {
    let path = to.join(name);
    let file = private(&path).map_err(BackupError::file(&path))?;
    let described = described(&from.join(name), &file)?;
    file.sync_all().map_err(BackupError::file(&path))?;
    Ok(described)
}

/// A new file that nobody but this user reads.
pub(super) fn private(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// A folder that is emptied again unless it is kept: half a backup must not be taken for one.
pub(super) struct Fresh {
    path: PathBuf,
    made: bool,
    kept: bool,
}

impl Fresh {
    /// Makes the folder for nobody but this user, or takes it if it is empty.
    pub(super) fn make(path: &Path) -> Result<Self, BackupError> {
        let made = !path.exists();
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(path).map_err(BackupError::file(path))?;
        let mut entries = std::fs::read_dir(path).map_err(BackupError::file(path))?;
        if entries.next().is_some() {
            return Err(BackupError::Taken(path.to_owned()));
        }
        Ok(Self { path: path.to_owned(), made, kept: false })
    }

    pub(super) fn keep(&mut self) {
        self.kept = true;
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        // The folder was empty when it was taken, so everything in it is ours.
        let emptied = std::fs::read_dir(&self.path)
            .map(|entries| entries.flatten().all(|entry| std::fs::remove_file(entry.path()).is_ok()));
        if self.made && emptied.is_ok_and(|emptied| emptied) && std::fs::remove_dir(&self.path).is_err() {
            tracing::warn!(path = %self.path.display(), "an empty folder stays behind");
        }
    }
}

/// Refuses a file that is not the one of the manifest.
pub(super) fn same(found: &BackedUpFile, told: &BackedUpFile, path: &Path) -> Result<(), BackupError> {
    if found == told {
        return Ok(());
    }
    let reason = format!(
        "{} bytes with SHA-256 {}, the manifest says {} bytes with {}",
        found.bytes, found.sha256, told.bytes, told.sha256
    );
    Err(BackupError::Changed { path: path.to_owned(), reason })
}
