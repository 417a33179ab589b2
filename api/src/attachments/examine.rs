//! Between arriving and being kept: looked at for viruses, told by its bytes, and, if it is a photo, drawn anew.

use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::sync::SemaphorePermit;

use super::arrive::{Arrived, hexadecimal};
use super::error::AttachmentError;
use super::film::emptied;
use super::kinds::{LOOKED_AT, kind_of};
use super::photo::{points, redraw};
use super::scan::Verdict;
use super::{Attachments, StoredFile, name};
use crate::settings::WhenDown;

/// How long a photo waits for its turn: few are drawn at once, for the memory that they take.
const TURN_MAX: Duration = Duration::from_secs(20);
/// Photos drawn at once.
pub(super) const DRAWN_AT_ONCE: usize = 2;
/// A photo of more points is drawn alone: it takes three bytes for each, twice while it is turned.
pub(super) const DRAWN_ALONE: u64 = 25_000_000;

/// A file ready to be kept.
pub(super) struct Examined {
    pub(super) file: StoredFile,
    pub(super) arrived: Arrived,
    /// Whether no scanner has seen it that should have.
    pub(super) unseen: bool,
}

impl Attachments {
    pub(super) async fn examine(
        &self,
        arrived: Arrived,
        called: &str,
        declared: Option<&str>,
    ) -> Result<Examined, AttachmentError> {
        let unseen = self.scanned(&arrived).await?;
        let _turn = self.turn(&arrived).await?;
        let (called, declared) = (called.to_owned(), declared.map(str::to_owned));
        let taken = self.inner.taken.clone();
        let most = self.inner.most;
        let work = move || looked_at(arrived, &called, declared.as_deref(), &taken, most);
        let done = tokio::task::spawn_blocking(work).await;
        // A panic of a decoder is a picture that cannot be read.
        let (file, arrived) =
            done.map_err(|_| AttachmentError::Picture { reason: "the decoder failed".to_owned() })??;
        Ok(Examined { file, arrived, unseen })
    }

    /// A turn at drawing. A large photo is drawn alone.
    async fn turn(&self, arrived: &Arrived) -> Result<SemaphorePermit<'_>, AttachmentError> {
        let path = arrived.path.clone();
        // A head that breaks its decoder is told by drawing it.
        let points = tokio::task::spawn_blocking(move || points(&path)).await.unwrap_or(0);
        let turns = if points > DRAWN_ALONE { DRAWN_AT_ONCE } else { 1 };
        let turns = u32::try_from(turns).unwrap_or(1);
        let turn = tokio::time::timeout(TURN_MAX, self.inner.turns.acquire_many(turns)).await;
        turn.map_err(|_| AttachmentError::Busy)?.map_err(|_| AttachmentError::Busy)
    }

    /// Whether the file still has to be seen by a scanner that does not answer now.
    async fn scanned(&self, arrived: &Arrived) -> Result<bool, AttachmentError> {
        let mut unseen = false;
        for scanner in &self.inner.scanners {
            let file = tokio::fs::File::open(&arrived.path).await;
            let file = file.map_err(|error| AttachmentError::of_system(&error))?;
            match scanner.scan(file, arrived.size).await {
                Ok(Verdict::Clean) => {}
                Ok(Verdict::Found(finding)) => {
                    tracing::warn!(finding, "the scanner refuses a file");
                    metrics::counter!("guichet_files_infected_total").increment(1);
                    return Err(AttachmentError::Infected { finding });
                }
                Err(reason) => unseen = self.away(reason)?,
            }
        }
        Ok(unseen)
    }

    /// What becomes of a file while a scanner is away.
    fn away(&self, reason: String) -> Result<bool, AttachmentError> {
        match self.inner.when_down {
            WhenDown::Refuse => {
                tracing::error!(reason, "the scanner does not answer; files are refused");
                Err(AttachmentError::Scanner { reason })
            }
            WhenDown::Quarantine => {
                tracing::error!(reason, "the scanner does not answer; files wait in quarantine");
                Ok(true)
            }
        }
    }
}

/// On a thread that may take its time.
fn looked_at(
    arrived: Arrived,
    called: &str,
    declared: Option<&str>,
    taken: &[String],
    most: u64,
) -> Result<(StoredFile, Arrived), AttachmentError> {
    let (head, tail) = ends(&arrived.path).map_err(|error| AttachmentError::of_system(&error))?;
    let kind = kind_of(&head, &tail, declared, taken)?;
    let called = name::cleaned(called);
    let drawn = Arrived { path: arrived.path.with_extension("drawn"), size: 0, sha256: String::new() };
    let redrawn =
        redraw(&arrived.path, &drawn.path, &kind).map_err(|reason| AttachmentError::Picture { reason })?;
    let (arrived, kind, called) = match redrawn {
        None => (silenced(arrived, &kind)?, kind, called),
        Some(new) => {
            let ending = if new == "image/png" { "png" } else { "jpg" };
            let called = if new == kind { called } else { name::with_ending(&called, ending) };
            (weighed(drawn).map_err(|error| AttachmentError::of_system(&error))?, new.to_owned(), called)
        }
    };
    if arrived.size > most {
        return Err(AttachmentError::TooLarge { most });
    }
    let file = StoredFile { name: called, kind, size: arrived.size, sha256: arrived.sha256.clone() };
    Ok((file, arrived))
}

/// A film without what its camera wrote beside the pictures; anything else as it is.
fn silenced(mut arrived: Arrived, kind: &str) -> Result<Arrived, AttachmentError> {
    let changed = emptied(&arrived.path, kind).map_err(|error| match error.kind() {
        ErrorKind::InvalidData | ErrorKind::UnexpectedEof => {
            AttachmentError::Picture { reason: error.to_string() }
        }
        _ => AttachmentError::of_system(&error),
    })?;
    if !changed {
        return Ok(arrived);
    }
    arrived.size = 0;
    weighed(arrived).map_err(|error| AttachmentError::of_system(&error))
}

/// The first and the last bytes of a file.
fn ends(path: &Path) -> std::io::Result<(Vec<u8>, Vec<u8>)> {
    let most = u64::try_from(LOOKED_AT).unwrap_or(u64::MAX);
    let mut file = std::fs::File::open(path)?;
    let (mut head, mut tail) = (Vec::new(), Vec::new());
    (&mut file).take(most).read_to_end(&mut head)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(most)))?;
    file.take(most).read_to_end(&mut tail)?;
    Ok((head, tail))
}

/// Its size and digest.
fn weighed(mut drawn: Arrived) -> std::io::Result<Arrived> {
    let mut file = std::fs::File::open(&drawn.path)?;
    let mut sum = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        drawn.size += u64::try_from(read).unwrap_or(u64::MAX);
        sum.update(buffer.get(..read).unwrap_or_default());
    }
    drawn.sha256 = hexadecimal(&sum.finalize());
    Ok(drawn)
}
