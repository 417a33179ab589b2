//! Taking a backup.

use std::io::sink;
use std::path::{Path, PathBuf};

use guichet_engine::Ambient;
use guichet_engine::journal::{JOURNAL_FILE, KEYS_FILE, MASTER_FILE, copy_journal, copy_keys};

use super::BackupError;
use super::files::{Fresh, copy};
use super::manifest::{BackedUpFile, Holds, MANIFEST_VERSION, Manifest, described};
use super::postgres::{self, JOURNAL_DUMP, KEYS_DUMP, Tools};
use crate::options::Options;
use crate::rights::keys::{ACCESS_FILE, Keyring, write};
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
    match Keyring::at(options)?.exported().await? {
        // As a file, which the first server after a restore takes over.
        Some(keys) => {
            let path = journal.join(ACCESS_FILE);
            write(&path, &keys)?;
            files.push(described(&path, sink())?);
        }
        None if data.join(ACCESS_FILE).exists() => files.push(copy(data, journal, ACCESS_FILE)?),
        None => {}
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
        store: store.kind().to_owned(),
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

fn apart(journal: &Path, keys: &Path) -> Result<(), BackupError> {
    if keys.starts_with(journal) || journal.starts_with(keys) {
        return Err(BackupError::Together(keys.to_owned()));
    }
    Ok(())
}

fn real(path: &Path) -> Result<PathBuf, BackupError> {
    path.canonicalize().map_err(BackupError::file(path))
}
