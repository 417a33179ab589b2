//! The data folder: made when it is missing, held by one program at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::JournalError;
use crate::keys::KEYS_FILE;

/// The file whose lock says that the folder is in use. The system gives the lock back however the program ends.
const LOCK_FILE: &str = "lock";

/// A data folder that belongs to this program as long as any clone of this lives.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    path: PathBuf,
    _lock: Arc<File>,
}

impl Folder {
    pub(super) fn lock(path: &Path) -> Result<Self, JournalError> {
        make(path).map_err(|error| refused(path, &error))?;
        let lock = path.join(LOCK_FILE);
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&lock);
        let file = file.map_err(|error| refused(path, &error))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: Arc::new(file) }),
            Err(TryLockError::WouldBlock) => Err(JournalError::Locked { path: path.display().to_string() }),
            Err(TryLockError::Error(error)) => Err(refused(path, &error)),
        }
    }

    /// A folder that is held by a lock of the test's own making, or by none.
    #[cfg(test)]
    pub(super) fn unlocked(path: &Path) -> Self {
        Self { path: path.to_owned(), _lock: Arc::new(File::open(path).unwrap()) }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A journal made anew beside old keys would look like an empty town: somebody lost a file.
    pub(super) fn refuse_keys_without_journal(&self, journal: &Path) -> Result<(), JournalError> {
        if !journal.exists() && self.path.join(KEYS_FILE).exists() {
            return Err(JournalError::corrupt(format!(
                "`{}` is missing beside its key store",
                journal.display()
            )));
        }
        Ok(())
    }

    /// Makes the names of new files durable.
    pub(super) fn sync(&self) -> Result<(), JournalError> {
        sync_folder(&self.path)
    }
}

/// Makes the folder where it is missing, for nobody but this user: keys and letters lie in it.
fn make(path: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(path: &Path) -> Result<(), JournalError> {
    #[cfg(unix)]
    File::open(path).and_then(|folder| folder.sync_all()).map_err(|error| refused(path, &error))?;
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

fn refused(path: &Path, error: &std::io::Error) -> JournalError {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => JournalError::Full,
        ErrorKind::PermissionDenied
        | ErrorKind::ReadOnlyFilesystem
        | ErrorKind::NotADirectory
        | ErrorKind::AlreadyExists => {
            JournalError::ReadOnly { path: path.display().to_string(), reason: error.to_string() }
        }
        _ => JournalError::unavailable(format!("`{}`: {error}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    #[cfg(unix)]
    #[test]
    fn a_new_data_folder_is_closed_to_others() {
        use std::os::unix::fs::PermissionsExt;
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("town/data");
        super::Folder::lock(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
    }
}
