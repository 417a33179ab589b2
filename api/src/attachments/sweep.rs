//! Taking away what nobody named, and looking again at what waits in quarantine.

use chrono::{DateTime, TimeDelta, Utc};
use guichet_engine::rules::request::RequestId;
use guichet_engine::{EngineError, Span};
use uuid::Uuid;

use super::error::AttachmentError;
use super::naming::{Asked, file_in, holder_key, pending_key, request_key};
use super::scan::Verdict;
use super::{Attachments, Note, blob_key, quarantine_key};
use crate::guichet::Guichet;

/// How long an upload may be named.
pub const UNNAMED_KEPT: TimeDelta = TimeDelta::hours(24);
/// How much longer it is kept: whoever named it in the last moment is being served still.
const GRACE: TimeDelta = TimeDelta::hours(1);

/// What a sweep did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Files taken away because no request names them.
    pub removed: usize,
    /// Files that a request was found to name.
    pub named: usize,
    /// Files that left quarantine, whatever was found.
    pub scanned: usize,
}

impl Attachments {
    /// One round through all collectivities. What fails is tried again in the next; nothing is taken away on a doubt.
    ///
    /// # Errors
    /// [`AttachmentError::Store`] when the store does not answer.
    pub async fn sweep(&self, guichet: &Guichet, now: DateTime<Utc>) -> Result<Swept, AttachmentError> {
        let mut swept = Swept::default();
        for tenant in self.inner.shelf.list("").await? {
            swept.scanned += self.scan_again(&tenant).await?;
            for aside in self.inner.shelf.list(&format!("{tenant}/aside")).await? {
                swept.removed += usize::from(self.judge(&tenant, &aside).await?);
            }
            self.settle(guichet, &tenant, now, &mut swept).await?;
            for upload in self.inner.shelf.list(&format!("{tenant}/uploads")).await? {
                let key = format!("{tenant}/uploads/{upload}");
                let Some((sha256, _)) = upload.split_once('.') else { continue };
                if self.note_at(&key).await?.is_some_and(|note| note.at + UNNAMED_KEPT + GRACE > now) {
                    continue;
                }
                // The bytes first: while the note stands, a crash is made good in the next round.
                swept.removed += usize::from(self.discard(&tenant, sha256, Some(&upload)).await?);
                self.inner.shelf.remove(&key).await?;
            }
        }
        self.sweep_half_sent().await?;
        self.sweep_arriving().await;
        Ok(swept)
    }

    /// Looks at notes of commands a day old: was the command accepted, and does the request name the file?
    async fn settle(
        &self,
        guichet: &Guichet,
        tenant: &str,
        now: DateTime<Utc>,
        swept: &mut Swept,
    ) -> Result<(), AttachmentError> {
        for pending in self.inner.shelf.list(&format!("{tenant}/pending")).await? {
            let key = format!("{tenant}/pending/{pending}");
            let Some((request, sha256)) = pending.split_once('.') else { continue };
            let Ok(request) = Uuid::parse_str(request).map(RequestId) else { continue };
            if self.note_at(&key).await?.is_some_and(|note| note.at + UNNAMED_KEPT + GRACE > now) {
                continue;
            }
            match names(guichet, tenant, request, sha256).await {
                Ok(true) => swept.named += 1,
                Ok(false) => {
                    self.inner.shelf.remove(&holder_key(tenant, sha256, request)).await?;
                    self.inner.shelf.remove(&request_key(tenant, request, sha256)).await?;
                    swept.removed += usize::from(self.discard(tenant, sha256, None).await?);
                }
                Err(error) => {
                    tracing::warn!(%error, "whether a request names a file cannot be told; the file is kept");
                    continue;
                }
            }
            self.inner.shelf.remove(&key).await?;
        }
        Ok(())
    }

    /// Takes away all that a request names and no other does: for whoever erases the request. Answers how many files
    /// went.
    ///
    /// # Errors
    /// [`AttachmentError::Store`] when the store does not answer; call it again then.
    pub async fn forget(&self, tenant: &str, request: RequestId) -> Result<usize, AttachmentError> {
        super::checked(tenant)?;
        let mut gone = 0;
        for sha256 in self.inner.shelf.list(&format!("{tenant}/requests/{}", request.0)).await? {
            self.inner.shelf.remove(&holder_key(tenant, &sha256, request)).await?;
            gone += usize::from(self.discard(tenant, &sha256, None).await?);
            self.inner.shelf.remove(&pending_key(tenant, request, &sha256)).await?;
            self.inner.shelf.remove(&request_key(tenant, request, &sha256)).await?;
        }
        Ok(gone)
    }

    /// Takes a file away unless somebody holds it. It is set aside first and judged then: whoever uploads the same
    /// bytes meanwhile has noted it before, or puts them there again after.
    async fn discard(&self, tenant: &str, sha256: &str, but: Option<&str>) -> Result<bool, AttachmentError> {
        if self.is_held(tenant, sha256, but).await? {
            return Ok(false);
        }
        let aside = format!("{tenant}/aside/{sha256}");
        if !self.inner.shelf.rename(&blob_key(tenant, sha256), &aside).await? {
            return Ok(false);
        }
        if self.is_held(tenant, sha256, but).await? {
            self.inner.shelf.rename(&aside, &blob_key(tenant, sha256)).await?;
            return Ok(false);
        }
        self.inner.shelf.remove(&aside).await?;
        self.inner.shelf.remove(&quarantine_key(tenant, sha256)).await?;
        Ok(true)
    }

    /// What a crash left set aside.
    async fn judge(&self, tenant: &str, sha256: &str) -> Result<bool, AttachmentError> {
        let aside = format!("{tenant}/aside/{sha256}");
        if self.is_held(tenant, sha256, None).await? {
            self.inner.shelf.rename(&aside, &blob_key(tenant, sha256)).await?;
            return Ok(false);
        }
        self.inner.shelf.remove(&aside).await?;
        Ok(true)
    }

    /// Whether a request, or an upload other than `but`, holds a file.
    async fn is_held(&self, tenant: &str, sha256: &str, but: Option<&str>) -> Result<bool, AttachmentError> {
        if !self.inner.shelf.list(&format!("{tenant}/holders/{sha256}")).await?.is_empty() {
            return Ok(true);
        }
        let uploads = self.inner.shelf.list(&format!("{tenant}/uploads")).await?;
        let others = uploads.iter().filter(|upload| Some(upload.as_str()) != but);
        Ok(others.filter_map(|upload| upload.split_once('.')).any(|(digest, _)| digest == sha256))
    }

    /// Asks the scanner about what it has not seen yet.
    async fn scan_again(&self, tenant: &str) -> Result<usize, AttachmentError> {
        if self.inner.scanners.is_empty() {
            return Ok(0);
        }
        let mut seen = 0;
        for sha256 in self.inner.shelf.list(&format!("{tenant}/quarantine")).await? {
            let Some(verdict) = self.asked_again(&blob_key(tenant, &sha256)).await? else { continue };
            match verdict {
                Ok(Verdict::Clean) => {}
                Ok(Verdict::Found(finding)) => {
                    tracing::warn!(finding, "the scanner found something in quarantine; the file is gone");
                    metrics::counter!("guichet_files_infected_total").increment(1);
                    self.inner.shelf.remove(&blob_key(tenant, &sha256)).await?;
                }
                // It is still away.
                Err(_) => break,
            }
            self.inner.shelf.remove(&quarantine_key(tenant, &sha256)).await?;
            seen += 1;
        }
        Ok(seen)
    }

    /// What the scanners say of a stored file: the first that finds something, or is away, is the one that counts.
    async fn asked_again(&self, key: &str) -> Result<Option<Result<Verdict, String>>, AttachmentError> {
        let mut verdict = Ok(Verdict::Clean);
        for scanner in &self.inner.scanners {
            let Some(size) = self.inner.shelf.size(key).await? else { return Ok(None) };
            let Some(reader) = self.inner.shelf.open(key, 0).await? else { return Ok(None) };
            verdict = scanner.scan(reader, size).await;
            if verdict != Ok(Verdict::Clean) {
                break;
            }
        }
        Ok(Some(verdict))
    }

    async fn note_at(&self, key: &str) -> Result<Option<Note>, AttachmentError> {
        let bytes = self.inner.shelf.read(key).await?;
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    /// What dead programs left half sent in the store: whatever stood there in the last round already, an hour ago.
    async fn sweep_half_sent(&self) -> Result<(), AttachmentError> {
        let standing = self.inner.shelf.half_sent().await?;
        let mut before = self.inner.half_sent.lock().await;
        for name in standing.iter().filter(|name| before.contains(name)) {
            self.inner.shelf.abandon(name).await?;
        }
        *before = standing;
        Ok(())
    }

    /// Leftovers of uploads that a crash cut off: whatever stood there in the last round already, an hour ago. Each server
    /// does this where files arrive on it.
    pub(crate) async fn sweep_arriving(&self) {
        let Ok(mut entries) = tokio::fs::read_dir(&self.inner.arriving).await else { return };
        let mut standing = Vec::new();
        while let Ok(Some(entry)) = entries.next_entry().await {
            standing.push(entry.path());
        }
        let mut before = self.inner.standing.lock().await;
        for path in standing.iter().filter(|path| before.contains(path)) {
            // Another server on the same folder may have been faster.
            let _ = tokio::fs::remove_file(path).await;
        }
        *before = standing;
    }
}

/// Whether a request's history names a file. A history whose personal parts cannot be opened any more names nothing.
async fn names(
    guichet: &Guichet,
    tenant: &str,
    request: RequestId,
    sha256: &str,
) -> Result<bool, EngineError> {
    let history = match guichet.history(tenant, request, &Span::default(), true).await {
        Ok(history) => history,
        // The command that would have made it was refused.
        Err(EngineError::UnknownRequest | EngineError::UnknownTenant) => return Ok(false),
        Err(error) => return Err(error),
    };
    Ok(file_in(&history, sha256, Asked::ByStaff).is_some())
}
