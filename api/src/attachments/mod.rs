//! Files that requests name: photos, scans, papers.
//!
//! A file is stored under the SHA-256 of its bytes, in a folder for each collectivity. What stands there:
//!
//! | key | what |
//! | --- | --- |
//! | `TENANT/blobs/9f/9f86…` | the bytes |
//! | `TENANT/uploads/9f86….PROOF` | that they were uploaded, by whoever holds the proof; for a day |
//! | `TENANT/pending/REQUEST.9f86…` | that a command for this request was about to name them; for a day |
//! | `TENANT/requests/REQUEST/9f86…` | that a command for this request names them, and under what name |
//! | `TENANT/holders/9f86…/REQUEST` | the same, to be found from the file |
//! | `TENANT/quarantine/9f86…` | that no scanner has seen the bytes yet |
//! | `TENANT/aside/9f86…` | bytes about to go |
//! | `.arriving/` | files that are not whole yet, on this machine |
//! | `.parts/` | in a bucket: what is being sent to it in parts |
//!
//! The order of writing makes every crash harmless. The upload is noted before the bytes appear, so no bytes are without
//! a note. That a request names a file is noted before the command is decided, so nothing that was named is ever
//! without its note; what a refused command left is taken away a day later, after a look into the journal.

mod arrive;
mod error;
mod examine;
mod file;
mod film;
mod kinds;
mod mirror;
mod name;
mod naming;
mod photo;
mod scan;
mod store;
mod sweep;

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::Stream;
use guichet_engine::{Ambient, tenant_of};
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, Semaphore};

use crate::settings::{Settings, WhenDown};
use arrive::{arrive, hexadecimal};
pub use error::AttachmentError;
use examine::{DRAWN_AT_ONCE, Examined};
pub use file::{StoredFile, Uploaded};
pub use film::BOXES_MAX;
pub use kinds::KINDS_TAKEN;
pub use mirror::{Checked, Files, Mirrored};
pub use name::NAME_BYTES_MAX;
pub(crate) use naming::{Asked, as_file, file_in, files_of_requester, form_of_mut, named};
pub use photo::{PICTURE_MEMORY_MAX, PICTURE_POINTS_MAX, PICTURE_SIDE_MAX};
pub use scan::SCAN_MAX;
use scan::Scanner;
use store::Shelf;
pub use store::{PART, Reader, SENT_AT_ONCE};
pub use sweep::{Swept, UNNAMED_KEPT};

/// The folder of attachments in the data folder, unless the settings name another.
pub const ATTACHMENTS_FOLDER: &str = "attachments";
/// Where files arrive, below the folder of attachments.
const ARRIVING: &str = ".arriving";
/// Files that may arrive at once; more are told to come back.
pub const ARRIVING_AT_ONCE: usize = 64;

/// The files of an installation. Cheap to clone; all clones are the same.
#[derive(Clone)]
pub struct Attachments {
    inner: Arc<Inner>,
}

struct Inner {
    shelf: Shelf,
    arriving: PathBuf,
    most: u64,
    taken: Vec<String>,
    scanners: Vec<Scanner>,
    when_down: WhenDown,
    ambient: Arc<dyn Ambient>,
    places: Semaphore,
    turns: Semaphore,
    /// What stood in the folder of arriving files at the last sweep.
    standing: Mutex<Vec<PathBuf>>,
    /// What stood half sent in the store then.
    half_sent: Mutex<Vec<String>>,
}

/// What stands beside a file: what it is, and since when.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    #[serde(flatten)]
    file: StoredFile,
    at: DateTime<Utc>,
}

/// A stored file, to be read.
pub struct Opened {
    /// Its size in bytes.
    pub size: u64,
    /// Its bytes, from the first one asked for.
    pub reader: Reader,
}

impl Attachments {
    /// The files of an installation; nothing is written, and nobody called, until something is stored.
    ///
    /// # Errors
    /// [`AttachmentError::Store`] when the settings of a bucket, or the files of its keys, cannot be used.
    pub(crate) fn new(
        data: &Path,
        settings: &Settings,
        ambient: &Arc<dyn Ambient>,
    ) -> Result<Self, AttachmentError> {
        let section = &settings.attachments;
        let folder = section.folder.clone().unwrap_or_else(|| data.join(ATTACHMENTS_FOLDER));
        let inner = Inner {
            shelf: section.s3.as_ref().map_or_else(|| Ok(Shelf::disk(&folder)), Shelf::bucket)?,
            arriving: folder.join(ARRIVING),
            most: section.bytes_max,
            taken: section.types.clone(),
            scanners: Scanner::all(section)?,
            when_down: section.scanner_down,
            ambient: Arc::clone(ambient),
            places: Semaphore::new(ARRIVING_AT_ONCE),
            turns: Semaphore::new(DRAWN_AT_ONCE),
            standing: Mutex::default(),
            half_sent: Mutex::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Stores a file that a request is about to name. Unless a command that names it is accepted within a day, it is
    /// taken away again.
    ///
    /// `declared_type` is what its sender says that it is; a type that the bytes deny is refused.
    ///
    /// # Errors
    /// [`AttachmentError`], and then nothing was kept.
    pub async fn put<B, E>(
        &self,
        tenant: &str,
        name: &str,
        declared_type: Option<&str>,
        stream: impl Stream<Item = Result<B, E>>,
    ) -> Result<StoredFile, AttachmentError>
    where
        B: AsRef<[u8]>,
    {
        Ok(self.upload(tenant, name, declared_type, stream).await?.file)
    }

    /// The same for bytes that are in memory already.
    ///
    /// # Errors
    /// As [`Attachments::put`].
    pub async fn put_bytes(
        &self,
        tenant: &str,
        name: &str,
        declared_type: Option<&str>,
        bytes: &[u8],
    ) -> Result<StoredFile, AttachmentError> {
        let whole = futures_util::stream::once(async { Ok::<_, Infallible>(bytes) });
        self.put(tenant, name, declared_type, whole).await
    }

    /// Stores a file for somebody who has to prove later that it was them.
    ///
    /// # Errors
    /// As [`Attachments::put`].
    pub async fn upload<B, E>(
        &self,
        tenant: &str,
        name: &str,
        declared_type: Option<&str>,
        stream: impl Stream<Item = Result<B, E>>,
    ) -> Result<Uploaded, AttachmentError>
    where
        B: AsRef<[u8]>,
    {
        checked(tenant)?;
        let inner = &self.inner;
        let _place = inner.places.try_acquire().map_err(|_| AttachmentError::Busy)?;
        let temporary = format!("{}.part", self.drawn()?);
        let arrived = arrive(&inner.arriving, &temporary, inner.most, stream).await?;
        let examined = self.examine(arrived, name, declared_type).await?;
        self.keep(tenant, examined).await
    }

    /// Notes the upload, then lets the bytes appear.
    async fn keep(&self, tenant: &str, examined: Examined) -> Result<Uploaded, AttachmentError> {
        let Examined { file, arrived, unseen } = examined;
        let (proof, shelf) = (self.drawn()?, &self.inner.shelf);
        let note = Note { file, at: self.inner.ambient.now() };
        let bytes = serde_json::to_vec(&note).map_err(unwritable)?;
        let file = note.file;
        shelf.write(&upload_key(tenant, &file.sha256, &proof), bytes).await?;
        let blob = blob_key(tenant, &file.sha256);
        if unseen && shelf.size(&blob).await?.is_none() {
            shelf.write(&quarantine_key(tenant, &file.sha256), Vec::new()).await?;
        }
        shelf.place(&arrived.path, &blob).await?;
        metrics::counter!("guichet_files_stored_total").increment(1);
        Ok(Uploaded { file, proof })
    }

    /// A file of a collectivity, to be read whole.
    ///
    /// # Errors
    /// [`AttachmentError::Store`] when the store does not answer.
    pub async fn open(&self, tenant: &str, sha256: &str) -> Result<Option<Opened>, AttachmentError> {
        self.open_from(tenant, sha256, 0).await
    }

    /// A file of a collectivity, to be read from byte `from` on; a file that ends before has nothing more.
    ///
    /// # Errors
    /// As [`Attachments::open`].
    pub async fn open_from(
        &self,
        tenant: &str,
        sha256: &str,
        from: u64,
    ) -> Result<Option<Opened>, AttachmentError> {
        let Some(sha256) = file::digest(sha256) else { return Ok(None) };
        checked(tenant)?;
        let key = blob_key(tenant, &sha256);
        if self.inner.shelf.size(&quarantine_key(tenant, &sha256)).await?.is_some() {
            return Err(AttachmentError::Quarantined);
        }
        let Some(size) = self.inner.shelf.size(&key).await? else { return Ok(None) };
        Ok(self.inner.shelf.open(&key, from).await?.map(|reader| Opened { size, reader }))
    }

    /// Whether somebody who holds this proof uploaded exactly this file within the last day.
    ///
    /// # Errors
    /// As [`Attachments::open`].
    pub async fn is_proven(
        &self,
        tenant: &str,
        file: &StoredFile,
        proof: &str,
    ) -> Result<bool, AttachmentError> {
        let drawn = proof.len() == 32 && proof.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !drawn || file::digest(&file.sha256).as_ref() != Some(&file.sha256) {
            return Ok(false);
        }
        checked(tenant)?;
        let note = self.inner.shelf.read(&upload_key(tenant, &file.sha256, proof)).await?;
        let known = note.and_then(|note| serde_json::from_slice::<Note>(&note).ok());
        let now = self.inner.ambient.now();
        Ok(known.is_some_and(|note| note.file == *file && note.at + UNNAMED_KEPT > now))
    }

    /// The largest file, in bytes.
    #[must_use]
    pub fn bytes_max(&self) -> u64 {
        self.inner.most
    }

    fn drawn(&self) -> Result<String, AttachmentError> {
        let mut bytes = [0; 16];
        self.inner.ambient.fill(&mut bytes).map_err(|reason| AttachmentError::Store { reason })?;
        Ok(hexadecimal(&bytes))
    }
}

/// Nothing of what is stored is printed.
impl std::fmt::Debug for Attachments {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Attachments").field("shelf", &self.inner.shelf).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Opened").field("size", &self.size).finish_non_exhaustive()
    }
}

/// A collectivity's name is part of a path: only one that can be a collectivity's goes there.
fn checked(tenant: &str) -> Result<(), AttachmentError> {
    tenant_of(tenant).map(drop).map_err(|_| AttachmentError::UnknownTenant)
}

#[allow(clippy::needless_pass_by_value, reason = "it is handed to map_err")]
fn unwritable(error: serde_json::Error) -> AttachmentError {
    AttachmentError::Store { reason: error.to_string() }
}

fn blob_key(tenant: &str, sha256: &str) -> String {
    format!("{tenant}/blobs/{}/{sha256}", sha256.get(..2).unwrap_or("00"))
}

fn quarantine_key(tenant: &str, sha256: &str) -> String {
    format!("{tenant}/quarantine/{sha256}")
}

fn upload_key(tenant: &str, sha256: &str, proof: &str) -> String {
    format!("{tenant}/uploads/{sha256}.{proof}")
}

#[cfg(test)]
mod tests;
