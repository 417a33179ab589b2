//! Sealing keys: one for each person in each stream, kept apart from the journal, so that destroying a key erases the person's data
//! everywhere at once and no proof breaks.

mod beside;
mod master;
mod memory;
mod pool;
mod postgres;
mod sqlite;

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use lru::LruCache;

use crate::error::JournalError;
use crate::id::{Kid, Tenant};

pub(crate) use beside::KeysBeside;
pub use master::MasterKey;
pub use memory::MemoryKeyStore;
pub use postgres::PostgresKeyStore;
pub use sqlite::{KEYS_FILE, MASTER_FILE, SqliteKeyStore};

/// The name under which a wrapped known value stands in a key store, to tell whether a master key fits.
const CHECK: &str = "check";

/// Length of the key ids made here.
pub(crate) const KID_BYTES: usize = 12;

/// Length of an XChaCha20-Poly1305 nonce; drawn at random, two never meet in practice.
const NONCE_BYTES: usize = 24;

/// A key that seals and opens. It is never printed.
#[derive(Clone)]
pub struct DataKey([u8; 32]);

impl DataKey {
    pub(crate) fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(crate) fn draw() -> Result<Self, JournalError> {
        random().map(Self)
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A fresh nonce followed by the ciphertext and its tag. `bound` is authenticated, not stored.
    pub(crate) fn seal(&self, clear: &[u8], bound: &[u8]) -> Result<Vec<u8>, JournalError> {
        let nonce: [u8; NONCE_BYTES] = random()?;
        let mut sealed = nonce.to_vec();
        let cipher = XChaCha20Poly1305::new((&self.0).into());
        let text = cipher
            .encrypt((&nonce).into(), Payload { msg: clear, aad: bound })
            .map_err(|_| JournalError::Keys { reason: "a part could not be sealed".to_owned() })?;
        sealed.extend_from_slice(&text);
        Ok(sealed)
    }

    /// What was sealed, or nothing when it or what it was bound to has changed, or the key is another.
    pub(crate) fn open(&self, sealed: &[u8], bound: &[u8]) -> Option<Vec<u8>> {
        let (nonce, text) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        XChaCha20Poly1305::new((&self.0).into()).decrypt(nonce.into(), Payload { msg: text, aad: bound }).ok()
    }
}

impl std::fmt::Debug for DataKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DataKey(…)")
    }
}

/// What has become of a key.
#[derive(Debug, Clone)]
pub enum KeyState {
    /// It seals and opens.
    Active(DataKey),
    /// It opens nothing for now, and can be restored.
    Revoked,
    /// It is gone for ever; what it sealed is erased.
    Destroyed,
    /// This store never had it.
    Unknown,
}

/// Keeps the sealing keys, outside the journal.
#[async_trait]
pub trait KeyStore: Send + Sync {
    /// A key that was never given out before and is durable already.
    ///
    /// # Errors
    /// `Unavailable` or `Full` when no durable key is left and none can be made.
    async fn fresh(&self) -> Result<(Kid, DataKey), JournalError>;

    /// What has become of a key.
    ///
    /// # Errors
    /// `Unavailable` when the store cannot be asked, `Keys` when the key cannot be unwrapped.
    async fn find(&self, kid: &Kid) -> Result<KeyState, JournalError>;

    /// Makes what the key sealed unreadable until `restore`. A destroyed or unknown key stays what it is.
    ///
    /// # Errors
    /// `Unavailable` when the store cannot be written.
    async fn revoke(&self, kid: &Kid) -> Result<(), JournalError>;

    /// Takes a `revoke` back.
    ///
    /// # Errors
    /// As `revoke`.
    async fn restore(&self, kid: &Kid) -> Result<(), JournalError>;

    /// Erases for ever what the key sealed. Answers once the loss is durable.
    ///
    /// # Errors
    /// As `revoke`.
    async fn destroy(&self, kid: &Kid) -> Result<(), JournalError>;

    /// A digest of `text` under a secret of the tenant, so that a tracking code can be looked up though the table of digests gives none away.
    fn blind(&self, tenant: &Tenant, text: &[u8]) -> [u8; 32];

    /// Gives back what was reserved. Keys already given out stay valid.
    async fn close(&self);
}

/// A mutex around a bounded cache.
pub(crate) struct Cache<K, V>(Mutex<LruCache<K, V>>);

impl<K: std::hash::Hash + Eq, V: Clone> Cache<K, V> {
    pub(crate) fn new(most: usize) -> Self {
        Self(Mutex::new(LruCache::new(NonZeroUsize::new(most).unwrap_or(NonZeroUsize::MIN))))
    }

    pub(crate) fn get(&self, key: &K) -> Option<V> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    pub(crate) fn put(&self, key: K, value: V) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).put(key, value);
    }

    pub(crate) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    pub(crate) fn forget(&self, key: &K) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop(key);
    }
}

/// Bytes from the operating system's generator.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], JournalError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| JournalError::unavailable(format!("the system gives no random bytes: {error}")))?;
    Ok(bytes)
}

/// A new key id: 72 random bits, which never meet in the life of a town.
pub(crate) fn draw_kid() -> Result<Kid, JournalError> {
    const SYMBOLS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bytes: [u8; KID_BYTES] = random()?;
    let text: String = bytes
        .iter()
        .filter_map(|byte| SYMBOLS.get(usize::from(byte & 63)))
        .map(|symbol| char::from(*symbol))
        .collect();
    Ok(text.parse()?)
}
