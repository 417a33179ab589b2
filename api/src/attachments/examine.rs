//! Between arriving and being kept: looked at for viruses, told by its bytes, and, if it is a photo, drawn anew.

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::arrive::{Arrived, hexadecimal};
use super::error::AttachmentError;
use super::kinds::{LOOKED_AT, kind_of};
use super::photo::redraw;
use super::scan::Verdict;
use super::{Attachments, StoredFile, name};
use crate::settings::WhenDown;

/// How long a photo waits for its turn: few are drawn at once, for the memory that they take.
const TURN_MAX: Duration = Duration::from_secs(20);
/// Photos drawn at once.
pub(super) const DRAWN_AT_ONCE: usize = 2;

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
        let _turn = tokio::time::timeout(TURN_MAX, self.inner.turns.acquire())
            .await
            .map_err(|_| AttachmentError::Busy)?
            .map_err(|_| AttachmentError::Busy)?;
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

    /// Whether the file still has to be seen by a scanner that does not answer now.
    async fn scanned(&self, arrived: &Arrived) -> Result<bool, AttachmentError> {
        let Some(scanner) = &self.inner.scanner else { return Ok(false) };
        let file = tokio::fs::File::open(&arrived.path).await;
        let file = file.map_err(|error| AttachmentError::of_system(&error))?;
        match scanner.scan(file).await {
            Ok(Verdict::Clean) => Ok(false),
            Ok(Verdict::Found(finding)) => {
                tracing::warn!(finding, "the scanner refuses a file");
                metrics::counter!("guichet_files_infected_total").increment(1);
                Err(AttachmentError::Infected { finding })
            }
            Err(reason) => match self.inner.when_down {
                WhenDown::Refuse => {
                    tracing::error!(reason, "the scanner does not answer; files are refused");
                    Err(AttachmentError::Scanner { reason })
                }
                WhenDown::Quarantine => {
                    tracing::error!(reason, "the scanner does not answer; files wait in quarantine");
                    Ok(true)
                }
            },
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
        None => (arrived, kind, called),
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
