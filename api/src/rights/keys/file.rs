//! The file of keys in the data folder.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use chrono::{DateTime, TimeDelta, Utc};
use guichet_engine::Ambient;

use super::{AccessError, Holder, KeyEntry, KeyTerms, change};

/// The file of keys in the data folder.
pub const ACCESS_FILE: &str = "access.json";

/// The keys of an installation of one server, in a file. Changes of the file take effect without a restart.
#[derive(Debug)]
pub struct Access {
    path: PathBuf,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    /// When the file that was read last was written, and how long it is: two writes may share an instant.
    read: Option<(SystemTime, u64)>,
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

    /// Makes the usual key for somebody. It is returned once and kept nowhere.
    ///
    /// # Errors
    /// [`AccessError`].
    pub fn create(&self, tenant: &str, holder: Holder, ambient: &dyn Ambient) -> Result<String, AccessError> {
        self.make(&KeyTerms::new(tenant, holder), ambient).map(|(key, _)| key)
    }

    /// Makes a key, which is returned once and kept nowhere, and what is kept of it.
    ///
    /// # Errors
    /// [`AccessError`].
    pub fn make(&self, terms: &KeyTerms, ambient: &dyn Ambient) -> Result<(String, KeyEntry), AccessError> {
        self.change(|keys| change::make(keys, terms, ambient))
    }

    /// Takes a key back: it opens nothing from now (UTC) on. To do it twice is to do it once.
    ///
    /// # Errors
    /// [`AccessError::Unknown`], also for another collectivity's; [`AccessError::File`].
    pub fn revoke(&self, tenant: &str, id: &str, now: DateTime<Utc>) -> Result<KeyEntry, AccessError> {
        self.change(|keys| change::revoke(keys, tenant, id, now))
    }

    /// Makes a key with the same holder, rights and limits as another, which goes on opening for `grace` at most.
    ///
    /// # Errors
    /// [`AccessError::Unknown`], also for another collectivity's key or one that opens nothing any more; otherwise as
    /// [`Access::make`].
    pub fn rotate(
        &self,
        tenant: &str,
        id: &str,
        grace: TimeDelta,
        ambient: &dyn Ambient,
    ) -> Result<(String, KeyEntry), AccessError> {
        self.change(|keys| change::rotate(keys, (tenant, id), grace, ambient))
    }

    /// All keys of a collectivity, the oldest first, those that open nothing any more included.
    ///
    /// # Errors
    /// [`AccessError::File`].
    pub fn list(&self, tenant: &str) -> Result<Vec<KeyEntry>, AccessError> {
        self.refresh()?;
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(held.keys.iter().filter(|entry| entry.tenant == tenant).cloned().collect())
    }

    /// Whose key this is, if it is one that opens `tenant` now (UTC).
    #[must_use]
    pub fn holder(&self, tenant: &str, key: &str, now: DateTime<Utc>) -> Option<KeyEntry> {
        let sha256 = change::looked_up(key)?;
        if let Err(error) = self.refresh() {
            tracing::error!(error = %error, "the keys cannot be read again; those known before stand");
        }
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let mut entries = held.keys.iter();
        entries
            .find(|entry| entry.sha256 == sha256 && entry.tenant == tenant)
            .filter(|entry| entry.is_valid(now))
            .cloned()
    }

    fn written(&self) -> Option<(SystemTime, u64)> {
        let about = std::fs::metadata(&self.path).ok()?;
        Some((about.modified().ok()?, about.len()))
    }

    /// Reads the file again if it has changed.
    fn refresh(&self) -> Result<(), AccessError> {
        let written = self.written();
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if written == held.read {
            return Ok(());
        }
        *held =
            if written.is_some() { Held { read: written, keys: read(&self.path)? } } else { Held::default() };
        Ok(())
    }

    /// Changes the keys as they stand in the file, with every other writer waiting.
    fn change<T>(
        &self,
        change: impl FnOnce(&mut Vec<KeyEntry>) -> Result<T, AccessError>,
    ) -> Result<T, AccessError> {
        let _lock = self.lock()?;
        let mut keys = if self.written().is_some() { read(&self.path)? } else { Vec::new() };
        let done = change(&mut keys)?;
        write(&self.path, &keys)?;
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        *held = Held { read: self.written(), keys };
        Ok(done)
    }

    /// The right to write, until it is dropped: a file beside, because the keys' own is replaced by each change.
    fn lock(&self) -> Result<File, AccessError> {
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| self.fault(&error))?;
        }
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        let file = options.open(self.path.with_extension("lock")).map_err(|error| self.fault(&error))?;
        file.lock().map_err(|error| self.fault(&error))?;
        Ok(file)
    }

    fn fault(&self, error: &dyn std::fmt::Display) -> AccessError {
        fault(&self.path, error)
    }
}

/// The keys in a file.
pub(super) fn read(path: &Path) -> Result<Vec<KeyEntry>, AccessError> {
    let text = std::fs::read_to_string(path).map_err(|error| fault(path, &error))?;
    serde_json::from_str(&text).map(change::named).map_err(|error| fault(path, &error))
}

/// Writes keys into a file that only its owner can read, whole or not at all.
///
/// # Errors
/// [`AccessError::File`].
pub(crate) fn write(path: &Path, keys: &[KeyEntry]) -> Result<(), AccessError> {
    let text = serde_json::to_string_pretty(keys).map_err(|error| fault(path, &error))?;
    let beside = path.with_extension("part");
    let mut options = OpenOptions::new();
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
    written.and_then(|()| std::fs::rename(&beside, path)).map_err(|error| fault(path, &error))
}

fn fault(path: &Path, error: &dyn std::fmt::Display) -> AccessError {
    AccessError::File { path: path.to_owned(), reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use guichet_engine::Clock as _;
    use guichet_engine::rules::request::Actor;

    use super::*;
    use crate::ambient::Surroundings;
    use crate::rights::keys::change::digest;
    use crate::rights::{KeyScopes, Scope};

    fn now() -> DateTime<Utc> {
        Surroundings::system().now()
    }

    #[test]
    fn a_key_opens_its_own_collectivity_only_and_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let access = Access::open(folder.path()).unwrap();
        let ambient = Surroundings::system();
        let key = access.create("ville", Holder::Agent("a01".into()), &ambient).unwrap();
        assert_eq!(access.holder("ville", &key, now()).unwrap().actor(), Actor::Agent("a01".into()));
        assert!(access.holder("ccas", &key, now()).is_none());
        assert!(access.holder("ville", "gk_00", now()).is_none());
        let file = std::fs::read_to_string(folder.path().join(ACCESS_FILE)).unwrap();
        assert!(!file.contains(&key));
        let other = Access::open(folder.path()).unwrap();
        assert!(other.holder("ville", &key, now()).is_some(), "another program reads the same file");
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
        let program = Holder::Integrator("portail".into());
        let mut terms = KeyTerms::new("ville", program);
        terms.scopes = Some(vec![Scope::Account]);
        let made = access.make(&terms, &Surroundings::system());
        assert!(matches!(made, Err(AccessError::Scope(Scope::Account))));
        terms.scopes = None;
        terms.processes = vec!["voirie/../x".into()];
        assert!(matches!(access.make(&terms, &Surroundings::system()), Err(AccessError::Limit(_))));
    }

    #[test]
    fn what_is_taken_back_replaced_or_over_opens_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let access = Access::open(folder.path()).unwrap();
        let ambient = Surroundings::system();
        let mut terms = KeyTerms::new("ville", Holder::Integrator("portail".into()));
        terms.expires = Some(now() + TimeDelta::days(90));
        let (old, entry) = access.make(&terms, &ambient).unwrap();
        assert!(access.holder("ville", &old, now() + TimeDelta::days(91)).is_none(), "it is over");
        assert!(matches!(access.revoke("ccas", &entry.id, now()), Err(AccessError::Unknown(_))));
        let (new, next) = access.rotate("ville", &entry.id, TimeDelta::days(7), &ambient).unwrap();
        assert_eq!((&next.scopes, &next.holder), (&entry.scopes, &entry.holder));
        assert!(access.holder("ville", &old, now() + TimeDelta::days(6)).is_some(), "within its grace");
        assert!(access.holder("ville", &old, now() + TimeDelta::days(8)).is_none());
        assert!(access.holder("ville", &new, now() + TimeDelta::days(8)).is_some());
        access.revoke("ville", &next.id, now()).unwrap();
        assert!(access.holder("ville", &new, now()).is_none());
        let again = access.rotate("ville", &next.id, TimeDelta::days(7), &ambient);
        assert!(matches!(again, Err(AccessError::Unknown(_))));
        assert_eq!(access.list("ville").unwrap().len(), 2, "what was stays to be seen");
    }

    #[test]
    fn entries_from_before_and_from_later_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let key = format!("gk_{}", "0".repeat(64));
        let entry = serde_json::json!([
            { "tenant": "ville", "holder": { "integrator": "portail" }, "sha256": digest(&key),
              "created": "2026-01-05T08:00:00Z" },
            { "tenant": "ville", "holder": { "integrator": "autre" }, "sha256": "00",
              "created": "2026-01-05T08:00:00Z", "scopes": ["requests:read", "not:known"] },
        ]);
        std::fs::write(folder.path().join(ACCESS_FILE), entry.to_string()).unwrap();
        let access = Access::open(folder.path()).unwrap();
        let entry = access.holder("ville", &key, now()).unwrap();
        assert_eq!(entry.id, digest(&key)[..12]);
        assert!(
            matches!(entry.key_scopes(), KeyScopes::Only(scopes) if scopes.contains(&Scope::RequestsAct))
        );
        let later = access.list("ville").unwrap().pop().unwrap();
        assert_eq!(later.scopes, Some(vec![Scope::RequestsRead]));
    }

    #[test]
    fn two_writers_lose_nothing() {
        let folder = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let data = folder.path();
                scope.spawn(move || {
                    let access = Access::open(data).unwrap();
                    for n in 0..10 {
                        let holder = Holder::Integrator(format!("p{writer}.{n}"));
                        access.create("ville", holder, &Surroundings::system()).unwrap();
                    }
                });
            }
        });
        assert_eq!(Access::open(folder.path()).unwrap().list("ville").unwrap().len(), 40);
    }
}
