//! Taking a backup.

use std::fs::{File, OpenOptions};
use std::io::sink;
use std::path::{Path, PathBuf};

use guichet_engine::Ambient;
use guichet_engine::journal::{JOURNAL_FILE, KEYS_FILE, MASTER_FILE, copy_journal, copy_keys};

use super::BackupError;
use super::manifest::{BackedUpFile, Holds, MANIFEST_VERSION, Manifest, described};
use super::postgres::{self, JOURNAL_DUMP, KEYS_DUMP, Tools};
use crate::access::ACCESS_FILE;
use crate::options::Options;
use crate::store::Store;

/// A backup that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The journal's half.
    pub journal: Manifest,
    /// The keys' half.
    pub keys: Manifest,
}

/// Takes a backup of what these options open, while a server may be using it: the journal and who may come in into the folder
/// `journal`, the keys and the master key into the folder `keys`. Both are made, or must be empty.
///
/// The journal is copied first. Every key is durable before the journal names it, so the keys copied after it open all
/// of it; a key that is destroyed in between is destroyed in the backup, and its person erased there too.
///
/// # Errors
/// [`BackupError`], and then what was made is taken away again, as far as that is possible.
pub async fn backup(
    options: &Options,
    tools: &Tools,
    journal: &Path,
    keys: &Path,
) -> Result<Taken, BackupError> {
    let (data, clock) = (&options.data, options.ambient.as_ref());
    apart(journal, keys)?;
    let (mut journal_folder, mut keys_folder) = (Fresh::make(journal)?, Fresh::make(keys)?);
    apart(&real(journal)?, &real(keys)?)?;
    let began = clock.now();
    let (copied, name) = match &options.store {
        Store::Sqlite(store) => (copy_journal(store, &journal.join(JOURNAL_FILE)).await?, JOURNAL_FILE),
        Store::Postgres(address) => {
            (postgres::dump_journal(address, tools, &journal.join(JOURNAL_DUMP)).await?, JOURNAL_DUMP)
        }
        #[cfg(feature = "kurrentdb")]
        Store::Kurrent(_) => return Err(BackupError::Elsewhere),
    };
    let mut files = vec![];
    if data.join(ACCESS_FILE).exists() {
        files.push(copy(data, journal, ACCESS_FILE)?);
    }
    files.push(described(&journal.join(name), sink())?);
    let of_journal = Manifest {
        events: Some(copied.events),
        position: copied.last,
        head: copied.head,
        ..manifest(Holds::Journal, &options.store, began, clock, files)
    };
    let began = clock.now();
    let (copied, master, name) = match &options.store {
        Store::Sqlite(store) => {
            (Some(copy_keys(store, &keys.join(KEYS_FILE)).await?), copy(store, keys, MASTER_FILE)?, KEYS_FILE)
        }
        Store::Postgres(address) => {
            postgres::dump_keys(address, tools, &keys.join(KEYS_DUMP)).await?;
            (None, copy(data, keys, MASTER_FILE)?, KEYS_DUMP)
        }
        #[cfg(feature = "kurrentdb")]
        Store::Kurrent(_) => return Err(BackupError::Elsewhere),
    };
    let files = vec![master, described(&keys.join(name), sink())?];
    let of_keys = Manifest {
        keys: copied.as_ref().map(|copied| copied.keys),
        destroyed: copied.as_ref().map(|copied| copied.destroyed),
        ..manifest(Holds::Keys, &options.store, began, clock, files)
    };
    of_keys.write(keys)?;
    of_journal.write(journal)?;
    journal_folder.keep();
    keys_folder.keep();
    Ok(Taken { journal: of_journal, keys: of_keys })
}

fn manifest(
    holds: Holds,
    store: &Store,
    began: chrono::DateTime<chrono::Utc>,
    clock: &dyn Ambient,
    files: Vec<BackedUpFile>,
) -> Manifest {
    Manifest {
        manifest: MANIFEST_VERSION,
        holds,
        store: kind_of(store).to_owned(),
        program: env!("CARGO_PKG_VERSION").to_owned(),
        began,
        taken: clock.now(),
        events: None,
        position: None,
        head: None,
        keys: None,
        destroyed: None,
        files,
    }
}

/// A store's kind, as manifests name it.
pub(super) fn kind_of(store: &Store) -> &'static str {
    match store {
        Store::Sqlite(_) => "sqlite",
        Store::Postgres(_) => "postgres",
        #[cfg(feature = "kurrentdb")]
        Store::Kurrent(_) => "kurrentdb",
    }
}

fn apart(journal: &Path, keys: &Path) -> Result<(), BackupError> {
    if keys.starts_with(journal) || journal.starts_with(keys) {
        return Err(BackupError::Together(keys.to_owned()));
    }
    Ok(())
}

fn real(path: &Path) -> Result<PathBuf, BackupError> {
    path.canonicalize().map_err(BackupError::file(path))
}

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
