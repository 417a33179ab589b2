//! Who may come in: bearer keys for agents and for programs, kept hashed in a file of the data folder.
//!
//! A key is 32 random bytes, so a plain SHA-256 of it cannot be reversed by guessing, and looking it up by its digest
//! tells nothing through timing.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use chrono::{DateTime, Utc};
use guichet_engine::Ambient;
use guichet_engine::rules::request::Actor;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The file of keys in the data folder.
pub const ACCESS_FILE: &str = "access.json";
/// The most keys.
pub const KEYS_MAX: usize = 10_000;
/// What a key begins with, so that people and secret scanners recognise it.
const PREFIX: &str = "gk_";

/// Whose a key is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holder {
    /// A member of staff, by staff code: they may do what their roles and services allow.
    Agent(String),
    /// A program, by a name: it acts on behalf of the public.
    Integrator(String),
}

/// A key as it is kept: without itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyEntry {
    /// The collectivity that it opens.
    pub tenant: String,
    /// Whose it is.
    pub holder: Holder,
    /// SHA-256 of the key, in hexadecimal.
    pub sha256: String,
    /// When it was made (UTC).
    pub created: DateTime<Utc>,
}

impl KeyEntry {
    /// Under which title its holder acts.
    #[must_use]
    pub fn actor(&self) -> Actor {
        match &self.holder {
            Holder::Agent(code) => Actor::Agent(code.clone()),
            Holder::Integrator(name) => Actor::Integrator(name.clone()),
        }
    }
}

/// Why keys cannot be read or made.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The file cannot be read or written.
    #[error("the keys in `{path}` cannot be used: {reason}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The name cannot stand on events.
    #[error("`{0}` cannot be a holder: letters without accents, digits, `_`, `-` and `.`, 32 at most")]
    Holder(String),
    /// The name cannot be a collectivity's.
    #[error("`{0}` cannot be a collectivity: a small letter, then small letters and digits, 16 at most")]
    Tenant(String),
    /// There are too many.
    #[error("there are {KEYS_MAX} keys already; take some back first")]
    TooMany,
    /// The system gives no random bytes.
    #[error("no randomness can be had: {0}")]
    Chance(String),
}

/// The keys of an installation. Changes of the file take effect without a restart.
#[derive(Debug)]
pub struct Access {
    path: PathBuf,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    read_at: Option<SystemTime>,
    keys: Vec<KeyEntry>,
}

impl Access {
    /// The keys of a data folder; none where there is no file yet.
    ///
    /// # Errors
    /// [`AccessError::File`].
    pub fn open(data: &Path) -> Result<Self, AccessError> {
        let access = Self { path: data.join(ACCESS_FILE), held: Mutex::new(Held::default()) };
        access.refresh()?;
        Ok(access)
    }

    /// Makes a key. It is returned once and kept nowhere.
    ///
    /// # Errors
    /// [`AccessError`].
    pub fn create(&self, tenant: &str, holder: Holder, ambient: &dyn Ambient) -> Result<String, AccessError> {
        let (Holder::Agent(name) | Holder::Integrator(name)) = &holder;
        if name.is_empty()
            || name.len() > 32
            || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
        {
            return Err(AccessError::Holder(name.clone()));
        }
        if guichet_engine::tenant_of(tenant).is_err() {
            return Err(AccessError::Tenant(tenant.to_owned()));
        }
        let mut bytes = [0; 32];
        ambient.fill(&mut bytes).map_err(AccessError::Chance)?;
        let key = format!("{PREFIX}{}", hexadecimal(&bytes));
        let entry =
            KeyEntry { tenant: tenant.to_owned(), holder, sha256: digest(&key), created: ambient.now() };
        self.refresh()?;
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.keys.len() >= KEYS_MAX {
            return Err(AccessError::TooMany);
        }
        let mut keys = held.keys.clone();
        keys.push(entry);
        self.write(&keys)?;
        held.keys = keys;
        held.read_at = self.modified();
        Ok(key)
    }

    /// Whose key this is, if it is one and opens `tenant`.
    #[must_use]
    pub fn holder(&self, tenant: &str, key: &str) -> Option<KeyEntry> {
        if !key.starts_with(PREFIX) || key.len() > 128 {
            return None;
        }
        if let Err(error) = self.refresh() {
            tracing::error!(error = %error, "the keys cannot be read again; those known before stand");
        }
        let sha256 = digest(key);
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.keys.iter().find(|entry| entry.sha256 == sha256 && entry.tenant == tenant).cloned()
    }

    fn modified(&self) -> Option<SystemTime> {
        std::fs::metadata(&self.path).and_then(|about| about.modified()).ok()
    }

    /// Reads the file again if it has changed.
    fn refresh(&self) -> Result<(), AccessError> {
        let modified = self.modified();
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if modified == held.read_at {
            return Ok(());
        }
        if modified.is_none() {
            *held = Held::default();
            return Ok(());
        }
        let text = std::fs::read_to_string(&self.path).map_err(|error| self.fault(&error))?;
        held.keys = serde_json::from_str(&text).map_err(|error| self.fault(&error))?;
        held.read_at = modified;
        Ok(())
    }

    fn write(&self, keys: &[KeyEntry]) -> Result<(), AccessError> {
        let text = serde_json::to_string_pretty(keys).map_err(|error| self.fault(&error))?;
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| self.fault(&error))?;
        }
        let beside = self.path.with_extension("part");
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        let written = options.open(&beside).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        });
        written.and_then(|()| std::fs::rename(&beside, &self.path)).map_err(|error| self.fault(&error))
    }

    fn fault(&self, error: &dyn std::fmt::Display) -> AccessError {
        AccessError::File { path: self.path.clone(), reason: error.to_string() }
    }
}

fn digest(key: &str) -> String {
    hexadecimal(&Sha256::digest(key.as_bytes()))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ambient::Surroundings;

    #[test]
    fn a_key_opens_its_own_collectivity_only_and_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let access = Access::open(folder.path()).unwrap();
        let ambient = Surroundings::system();
        let key = access.create("ville", Holder::Agent("a01".into()), &ambient).unwrap();
        assert_eq!(access.holder("ville", &key).unwrap().actor(), Actor::Agent("a01".into()));
        assert!(access.holder("ccas", &key).is_none());
        assert!(access.holder("ville", "gk_00").is_none());
        let file = std::fs::read_to_string(folder.path().join(ACCESS_FILE)).unwrap();
        assert!(!file.contains(&key));
        let other = Access::open(folder.path()).unwrap();
        assert!(other.holder("ville", &key).is_some(), "another program reads the same file");
    }

    #[test]
    fn names_that_cannot_stand_on_events_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let access = Access::open(folder.path()).unwrap();
        for name in ["", "Jeanne Dupont", "a@b.example"] {
            let made = access.create("ville", Holder::Agent(name.into()), &Surroundings::system());
            assert!(matches!(made, Err(AccessError::Holder(_))), "{name}");
        }
        let made = access.create("Ville", Holder::Agent("a01".into()), &Surroundings::system());
        assert!(matches!(made, Err(AccessError::Tenant(_))));
    }
}
