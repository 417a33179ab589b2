//! A bucket of a server that speaks S3.
//!
//! An object appears whole or not at all, and once the server has answered. Files larger than [`PART`] are sent in parts:
//! no more than one part of a file is in memory, and a note under `.parts/` of the bucket names what is under way, so
//! that what a dead program left half sent is given up later, whether or not the server can list such things.

use std::collections::BTreeSet;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::multipart::MultipartStore;
use object_store::path::Path as Key;
use object_store::{
    BackoffConfig, GetOptions, GetRange, MultipartId, ObjectStore, ObjectStoreExt, PutMode, PutOptions,
    RetryConfig,
};
use reqwest::Url;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};
use tokio::sync::Semaphore;

use super::connector::Connector;
use super::{Reader, sound};
use crate::attachments::arrive::hexadecimal;
use crate::attachments::error::AttachmentError;
use crate::settings::Bucket as Settings;

/// The size of a part, in bytes; S3 takes none below 5 MiB but the last.
pub const PART: usize = 8 * 1024 * 1024;
/// Files that are sent at once, each with one part in memory; more wait for their turn.
pub const SENT_AT_ONCE: usize = 8;
/// The folder of notes of what is under way.
const PARTS: &str = ".parts";
/// How often a call is repeated that may pass.
const RETRIES: usize = 4;
/// After this no call is repeated: whoever sent the file is waiting.
const RETRIED_FOR: Duration = Duration::from_secs(12);
/// The pause before the first repetition; each further one is twice as long, at most [`PAUSE_MAX`].
const PAUSE: Duration = Duration::from_millis(100);
/// The longest pause before a repetition.
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// A bucket, or the part of it below a prefix.
#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    store: Arc<AmazonS3>,
    prefix: Key,
    connector: Connector,
    turns: Arc<Semaphore>,
}

/// What is noted of a file that is sent in parts.
#[derive(Serialize, Deserialize)]
struct Parts {
    key: String,
    id: String,
}

impl Bucket {
    pub(super) fn new(settings: &Settings) -> Result<Self, String> {
        let secret = |path: &Path| {
            let text =
                std::fs::read_to_string(path).map_err(|error| format!("`{}`: {error}", path.display()))?;
            Ok::<_, String>(text.trim().to_owned())
        };
        let connector = Connector::new()?;
        let backoff = BackoffConfig { init_backoff: PAUSE, max_backoff: PAUSE_MAX, base: 2. };
        let retry = RetryConfig { backoff, max_retries: RETRIES, retry_timeout: RETRIED_FOR };
        let builder = AmazonS3Builder::new()
            .with_endpoint(endpoint(settings)?)
            .with_virtual_hosted_style_request(!settings.path_style)
            .with_bucket_name(&settings.bucket)
            .with_region(&settings.region)
            .with_access_key_id(secret(&settings.access_key_file)?)
            .with_secret_access_key(secret(&settings.secret_key_file)?)
            .with_allow_http(true)
            // One `DELETE` each: not every server knows how to take away many.
            .with_disable_bulk_delete(true)
            .with_retry(retry)
            .with_http_connector(connector.clone());
        let store = builder.build().map_err(|error| error.to_string())?;
        let prefix = settings.prefix.trim_matches('/');
        let prefix = Key::parse(prefix).map_err(|_| "the prefix of the bucket is none".to_owned())?;
        let turns = Arc::new(Semaphore::new(SENT_AT_ONCE));
        Ok(Self { store: Arc::new(store), prefix, connector, turns })
    }

    fn at(&self, key: &str) -> Result<Key, AttachmentError> {
        sound(key)?;
        self.below(key)
    }

    fn below(&self, key: &str) -> Result<Key, AttachmentError> {
        let whole =
            if self.prefix.as_ref().is_empty() { key.to_owned() } else { format!("{}/{key}", self.prefix) };
        Key::parse(whole)
            .map_err(|_| AttachmentError::Store { reason: "a key that no object can have".to_owned() })
    }

    pub(super) async fn place(&self, file: &Path, key: &str) -> Result<(), AttachmentError> {
        let told = |error: std::io::Error| AttachmentError::of_system(&error);
        let file = tokio::fs::File::open(file).await.map_err(told)?;
        let size = file.metadata().await.map_err(told)?.len();
        // The key is made of the bytes: what stands there is what would be sent.
        if self.size(key).await? == Some(size) {
            return Ok(());
        }
        self.receive(key, Box::pin(file)).await
    }

    pub(super) async fn receive(&self, key: &str, mut reader: Reader) -> Result<(), AttachmentError> {
        let at = self.at(key)?;
        let _turn = self.turns.acquire().await.map_err(|_| AttachmentError::Busy)?;
        let first = piece(&mut reader).await?;
        if first.len() < PART {
            return self.put_new(&at, first.into()).await;
        }
        let id = self.store.create_multipart(&at).await.map_err(|error| told(&error))?;
        let sending = Sending::begin(self, key, at, id).await?;
        let (mut parts, mut bytes) = (Vec::new(), first);
        while !bytes.is_empty() {
            let sent = self.store.put_part(&sending.at, &sending.id, parts.len(), bytes.into()).await;
            parts.push(sent.map_err(|error| told(&error))?);
            bytes = piece(&mut reader).await?;
        }
        let whole = self.store.complete_multipart(&sending.at, &sending.id, parts).await;
        whole.map_err(|error| told(&error))?;
        sending.finish().await
    }

    /// Sends what no other than the same bytes can stand at. Where it stands already, that is as well.
    async fn put_new(&self, at: &Key, bytes: Bytes) -> Result<(), AttachmentError> {
        if !self.connector.is_unconditional() {
            let created = PutOptions::from(PutMode::Create);
            match self.store.put_opts(at, bytes.clone().into(), created).await {
                Ok(_)
                | Err(object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. }) =>
                {
                    return Ok(());
                }
                // Older servers know no conditions; the same bytes over themselves do no harm.
                Err(_) if self.connector.is_unconditional() => {}
                Err(error) => return Err(told(&error)),
            }
        }
        self.store.put(at, bytes.into()).await.map(drop).map_err(|error| told(&error))
    }

    pub(super) async fn write(&self, key: &str, bytes: Vec<u8>) -> Result<(), AttachmentError> {
        self.store.put(&self.at(key)?, bytes.into()).await.map(drop).map_err(|error| told(&error))
    }

    pub(super) async fn read(&self, key: &str) -> Result<Option<Vec<u8>>, AttachmentError> {
        self.read_at(&self.at(key)?).await
    }

    async fn read_at(&self, at: &Key) -> Result<Option<Vec<u8>>, AttachmentError> {
        let Some(found) = present(self.store.get(at).await)? else { return Ok(None) };
        let bytes = found.bytes().await.map_err(|error| told(&error))?;
        Ok(Some(bytes.into()))
    }

    pub(super) async fn size(&self, key: &str) -> Result<Option<u64>, AttachmentError> {
        Ok(present(self.store.head(&self.at(key)?).await)?.map(|found| found.size))
    }

    pub(super) async fn open(&self, key: &str, from: u64) -> Result<Option<Reader>, AttachmentError> {
        let mut options = GetOptions::default();
        if from > 0 {
            // S3 calls a part beyond the end a fault.
            match self.size(key).await? {
                None => return Ok(None),
                Some(size) if size <= from => return Ok(Some(Box::pin(tokio::io::empty()))),
                Some(_) => options.range = Some(GetRange::Offset(from)),
            }
        }
        let found = present(self.store.get_opts(&self.at(key)?, options).await)?;
        Ok(found.map(|found| -> Reader {
            Box::pin(Streamed { pieces: found.into_stream(), left: Bytes::new() })
        }))
    }

    pub(super) async fn rename(&self, key: &str, to: &str) -> Result<bool, AttachmentError> {
        let (from, to) = (self.at(key)?, self.at(to)?);
        if present(self.store.copy(&from, &to).await)?.is_none() {
            return Ok(false);
        }
        self.remove_at(&from).await?;
        Ok(true)
    }

    pub(super) async fn remove(&self, key: &str) -> Result<(), AttachmentError> {
        self.remove_at(&self.at(key)?).await
    }

    async fn remove_at(&self, at: &Key) -> Result<(), AttachmentError> {
        present(self.store.delete(at).await).map(drop)
    }

    pub(super) async fn list(&self, folder: &str) -> Result<Vec<String>, AttachmentError> {
        let at = if folder.is_empty() { self.prefix.clone() } else { self.at(folder)? };
        Ok(self.children(&at).await?.into_iter().filter(|name| !name.starts_with('.')).collect())
    }

    async fn children(&self, at: &Key) -> Result<Vec<String>, AttachmentError> {
        let found = self.store.list_with_delimiter(Some(at)).await.map_err(|error| told(&error))?;
        let objects = found.objects.iter().map(|object| &object.location);
        let all = found.common_prefixes.iter().chain(objects);
        Ok(all.filter_map(|key| key.filename().map(str::to_owned)).collect())
    }

    pub(super) async fn all(&self) -> Result<BTreeSet<String>, AttachmentError> {
        let mut found = self.store.list(Some(&self.prefix));
        let mut keys = BTreeSet::new();
        while let Some(object) = found.next().await {
            let object = object.map_err(|error| told(&error))?;
            let key = object.location.as_ref().strip_prefix(self.prefix.as_ref()).unwrap_or_default();
            let key = key.trim_start_matches('/');
            if sound(key).is_ok() {
                keys.insert(key.to_owned());
            }
        }
        Ok(keys)
    }

    pub(super) async fn half_sent(&self) -> Result<Vec<String>, AttachmentError> {
        self.children(&self.below(PARTS)?).await
    }

    pub(super) async fn abandon(&self, name: &str) -> Result<(), AttachmentError> {
        let note = self.below(&format!("{PARTS}/{name}"))?;
        let Some(bytes) = self.read_at(&note).await? else { return Ok(()) };
        if let Ok(parts) = serde_json::from_slice::<Parts>(&bytes) {
            // What came to its end meanwhile is no upload any more.
            present(self.store.abort_multipart(&self.at(&parts.key)?, &parts.id).await)?;
        }
        self.remove_at(&note).await
    }
}

/// A file that is being sent in parts. It is given up when this goes away unfinished: because the store failed, or
/// because whoever sent the file is gone.
struct Sending {
    bucket: Bucket,
    at: Key,
    id: MultipartId,
    /// The name of its note.
    name: String,
    finished: bool,
}

impl Sending {
    async fn begin(bucket: &Bucket, key: &str, at: Key, id: MultipartId) -> Result<Self, AttachmentError> {
        let name = hexadecimal(&Sha256::digest(id.as_bytes()));
        let sending = Self { bucket: bucket.clone(), at, id, name, finished: false };
        let note = Parts { key: key.to_owned(), id: sending.id.clone() };
        let note = serde_json::to_vec(&note)
            .map_err(|error| AttachmentError::Store { reason: error.to_string() })?;
        let at = bucket.below(&format!("{PARTS}/{}", sending.name))?;
        bucket.store.put(&at, note.into()).await.map_err(|error| told(&error))?;
        Ok(sending)
    }

    async fn finish(mut self) -> Result<(), AttachmentError> {
        self.finished = true;
        self.bucket.remove_at(&self.bucket.below(&format!("{PARTS}/{}", self.name))?).await
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        let (bucket, at, id, name) =
            (self.bucket.clone(), self.at.clone(), self.id.clone(), self.name.clone());
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            // What cannot be given up now has its note, and is given up by the next sweeps.
            if present(bucket.store.abort_multipart(&at, &id).await).is_ok() {
                let _ = bucket.abandon(&name).await;
            }
        });
    }
}

/// What a program leaves that dies while it sends.
#[cfg(test)]
impl Bucket {
    pub(super) async fn leave_half_sent(&self, key: &str) -> Result<MultipartId, AttachmentError> {
        let at = self.at(key)?;
        let id = self.store.create_multipart(&at).await.map_err(|error| told(&error))?;
        let mut sending = Sending::begin(self, key, at, id.clone()).await?;
        let part = self.store.put_part(&sending.at, &id, 0, vec![7; PART].into()).await;
        part.map_err(|error| told(&error))?;
        sending.finished = true;
        Ok(id)
    }

    pub(super) async fn is_given_up(&self, key: &str, id: &MultipartId) -> bool {
        self.store.put_part(&self.below(key).unwrap(), id, 1, vec![7; PART].into()).await.is_err()
    }
}

/// The bytes of an object as they come.
struct Streamed {
    pieces: BoxStream<'static, object_store::Result<Bytes>>,
    left: Bytes,
}

impl AsyncRead for Streamed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        while self.left.is_empty() {
            match ready!(Pin::new(&mut self.pieces).poll_next(context)) {
                None => return Poll::Ready(Ok(())),
                Some(Ok(bytes)) => self.left = bytes,
                Some(Err(error)) => return Poll::Ready(Err(std::io::Error::other(told(&error)))),
            }
        }
        let length = self.left.len().min(buffer.remaining());
        buffer.put_slice(&self.left.split_to(length));
        Poll::Ready(Ok(()))
    }
}

/// The address that the library is given: where the bucket is part of the host's name, that stands in it already.
fn endpoint(settings: &Settings) -> Result<String, String> {
    let mut url: Url =
        settings.endpoint.parse().map_err(|_| "the endpoint of the bucket is no address".to_owned())?;
    if !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() || url.password().is_some() {
        return Err("the endpoint of the bucket must be http(s)://host, without a key in it".to_owned());
    }
    if !settings.path_style {
        let host = format!("{}.{}", settings.bucket, url.host_str().unwrap_or_default());
        url.set_host(Some(&host)).map_err(|_| "no host can be named after this bucket".to_owned())?;
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// The next bytes, a part of them at most; none at the end.
async fn piece(reader: &mut Reader) -> Result<Vec<u8>, AttachmentError> {
    let mut bytes = Vec::new();
    let most = u64::try_from(PART).unwrap_or(u64::MAX);
    let read = reader.take(most).read_to_end(&mut bytes).await;
    read.map_err(|error| AttachmentError::of_system(&error))?;
    Ok(bytes)
}

/// What is there, or nothing; every other fault stays one.
fn present<T>(found: object_store::Result<T>) -> Result<Option<T>, AttachmentError> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(told(&error)),
    }
}

/// The library's words name keys, and some keys hold proofs: only what is known of the kind of fault is passed on.
fn told(error: &object_store::Error) -> AttachmentError {
    let words = error.to_string();
    if ["status code: 507", "QuotaExceeded", "StorageFull"].iter().any(|full| words.contains(full)) {
        return AttachmentError::Full;
    }
    let status = words.split("status code: ").nth(1).and_then(|rest| rest.get(..3));
    let status = status.filter(|status| status.bytes().all(|byte| byte.is_ascii_digit()));
    let reason = match (error, status) {
        (object_store::Error::NotFound { .. }, _) => "the bucket is not there".to_owned(),
        (object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. }, _) => {
            "the server of the bucket refuses the key".to_owned()
        }
        (_, Some(status)) => format!("the server of the bucket answers {status}"),
        (_, None) => "the server of the bucket does not answer".to_owned(),
    };
    AttachmentError::Store { reason }
}
