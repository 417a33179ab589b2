//! The way back.

use std::path::Path;

use guichet_engine::journal::{Journal, SqliteBeside, Verification, verify_all};

use super::BackupError;
use super::manifest::{Holds, Manifest, described};
use super::take::{Fresh, private};

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
pub async fn restore(journal: &Path, keys: &Path, data: &Path) -> Result<Restored, BackupError> {
    let of_journal = Manifest::read(journal, Holds::Journal)?;
    let of_keys = Manifest::read(keys, Holds::Keys)?;
    let mut folder = Fresh::make(data)?;
    // The journal comes last: keys without a journal are refused by every server, so a cut leaves nothing that looks whole.
    for (manifest, from) in [(&of_keys, keys), (&of_journal, journal)] {
        for file in &manifest.files {
            let (from, to) = (from.join(&file.name), data.join(&file.name));
            let written = private(&to).map_err(BackupError::file(&to))?;
            let found = described(&from, &written)?;
            if found != *file {
                let reason = format!(
                    "{} bytes with SHA-256 {}, the manifest says {} bytes with {}",
                    found.bytes, found.sha256, file.bytes, file.sha256
                );
                return Err(BackupError::Changed { path: from, reason });
            }
            written.sync_all().map_err(BackupError::file(&to))?;
        }
    }
    let synced = std::fs::File::open(data).and_then(|folder| folder.sync_all());
    synced.map_err(BackupError::file(data))?;
    let opened = SqliteBeside::open(data).await?;
    let verified = verify_all(&opened).await;
    opened.close().await;
    let verified = verified?;
    let told = (of_journal.events, of_journal.position, of_journal.head);
    if (Some(verified.events), verified.through, verified.head) != told {
        let reason = format!("it holds {} events that end otherwise than its manifest says", verified.events);
        return Err(BackupError::Changed { path: journal.to_owned(), reason });
    }
    folder.keep();
    Ok(Restored { journal: of_journal, keys: of_keys, verified })
}
