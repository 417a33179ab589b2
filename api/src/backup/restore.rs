//! The way back.

use std::path::Path;

use guichet_engine::journal::{Journal, SqliteBeside, Verification, verify_all};

use super::BackupError;
use super::files::{Fresh, copy, same};
use super::manifest::{Holds, Manifest};
use super::postgres::{self, Tools};
use crate::options::Options;
use crate::store::Store;

/// What was restored.
#[derive(Debug, Clone)]
pub struct Restored {
    /// What the journal's half said of itself.
    pub journal: Manifest,
    /// What the keys' half said of itself.
    pub keys: Manifest,
    /// Whether all of it is as it was written.
    pub verified: Verification,
}

/// Puts a backup back into a new or empty data folder, and verifies every event of it. The keys may be of a later backup
/// than the journal, and should be the newest there are: whoever was erased meanwhile stays erased. Read models are not
/// in a backup; they are made anew when the folder is opened.
///
/// # Errors
/// [`BackupError`], and then the folder is as it was. What a verification finds is in the answer, and the folder stays.
pub async fn restore(
    journal: &Path,
    keys: &Path,
    options: &Options,
    tools: &Tools,
) -> Result<Restored, BackupError> {
    let of_journal = Manifest::read(journal, Holds::Journal)?;
    let of_keys = Manifest::read(keys, Holds::Keys)?;
    let kind = options.store.kind();
    if let Some(other) = [&of_journal, &of_keys].into_iter().find(|manifest| manifest.store != kind) {
        return Err(BackupError::OtherStore(other.store.clone()));
    }
    let mut folder = Fresh::make(&options.data)?;
    let verified = match &options.store {
        Store::Sqlite(store) => {
            put_back(&[(&of_keys, keys), (&of_journal, journal)], store)?;
            let opened = SqliteBeside::open(store).await?;
            let verified = verify_all(&opened).await;
            opened.close().await;
            verified?
        }
        Store::Postgres(address) => {
            let halves = [(&of_keys, keys), (&of_journal, journal)];
            postgres::restore(address, tools, &halves, &options.data).await?
        }
        #[cfg(feature = "kurrentdb")]
        Store::Kurrent(_) => return Err(BackupError::Elsewhere),
    };
    let told = (of_journal.events, of_journal.position, of_journal.head);
    if (Some(verified.events), verified.through, verified.head) != told {
        let reason = format!("it holds {} events that end otherwise than its manifest says", verified.events);
        return Err(BackupError::Changed { path: journal.to_owned(), reason });
    }
    folder.keep();
    Ok(Restored { journal: of_journal, keys: of_keys, verified })
}

/// Copies the files of both halves into `data`, and compares their digests on the way.
fn put_back(halves: &[(&Manifest, &Path)], data: &Path) -> Result<(), BackupError> {
    // The journal comes last: keys without a journal are refused by every server, so a cut leaves nothing that looks whole.
    for (manifest, from) in halves {
        for file in &manifest.files {
            same(&copy(from, data, &file.name)?, file, &from.join(&file.name))?;
        }
    }
    let synced = std::fs::File::open(data).and_then(|folder| folder.sync_all());
    synced.map_err(BackupError::file(data))
}
