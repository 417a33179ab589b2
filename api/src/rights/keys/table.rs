//! Keys in a table that all servers of an installation share.
//!
//! Each server keeps a copy of the table and works with it for [`KEYS_LEASE`] after it asked whether anything has changed;
//! then it asks again. Whoever takes a key back waits for as long before that is answered: by then no server works with an
//! older copy any more, whatever has become of its connections. A server that gets no answer lets nobody in by a key.
//!
//! A key that the copy does not know is looked for in the table at once, so that one made on another server opens here.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use guichet_engine::Ambient;
use guichet_projections::{Common, CommonKeys, Place, ProjectionError};
use tokio::sync::OnceCell;

use super::file::{ACCESS_FILE, read};
use super::{AccessError, KeyEntry, KeyTerms, change};

/// How long a server works with its copy of the keys before it asks whether they have changed; and how long taking a key
/// back takes.
pub const KEYS_LEASE: Duration = Duration::from_secs(1);
/// How long the database may take to say whether keys have changed.
pub const KEYS_ANSWER_MAX: Duration = Duration::from_secs(2);
/// How often it is asked before keys cannot be told.
const TRIES: usize = 2;
/// What the file of keys is called once the table has them.
pub const ACCESS_FILE_MOVED: &str = "access.json.moved";

/// The keys of an installation, in a table.
pub(super) struct TableKeys {
    place: Opening,
    /// The data folder, in which earlier versions kept keys.
    data: PathBuf,
    opened: OnceCell<Common>,
    held: Mutex<Held>,
    /// Whoever asks the database; the others wait for the answer.
    asking: tokio::sync::Mutex<()>,
}

/// Where the table is.
enum Opening {
    /// Beside read models that are open already.
    Beside(Common),
    /// In a database that is opened for it.
    At(Place),
}

type Copy = Arc<HashMap<String, KeyEntry>>;

#[derive(Default)]
struct Held {
    /// The copy, how often the keys were changed by then, and when that was asked.
    copy: Option<(Copy, Option<i64>, Instant)>,
    /// How often the keys were changed from here, so that no answer from before a change is taken for one from after it.
    own: u64,
    /// When the database was last asked in vain.
    failed: Option<Instant>,
}

/// How fresh a copy must be.
#[derive(Clone, Copy)]
enum Fresh {
    /// Asked for within the lease.
    Leased,
    /// Asked for at this instant or later.
    Since(Instant),
}

impl std::fmt::Debug for TableKeys {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("TableKeys").field("data", &self.data).finish_non_exhaustive()
    }
}

impl TableKeys {
    /// Those beside open read models, with the file of `data` taken over when they are first used.
    pub(super) fn beside(common: Common, data: PathBuf) -> Self {
        Self::new(Opening::Beside(common), data)
    }

    /// Those of a database.
    pub(super) fn at(place: Place, data: PathBuf) -> Self {
        Self::new(Opening::At(place), data)
    }

    fn new(place: Opening, data: PathBuf) -> Self {
        let (opened, held, asking) = (OnceCell::new(), Mutex::default(), tokio::sync::Mutex::default());
        Self { place, data, opened, held, asking }
    }

    /// The table, made and with the keys of the file in it.
    ///
    /// # Errors
    /// [`AccessError::Table`]; [`AccessError::File`] where the file is there and cannot be read.
    pub(super) async fn settle(&self) -> Result<&Common, AccessError> {
        self.opened
            .get_or_try_init(async || {
                let common = self.connected().await?;
                self.take_over(&common).await?;
                Ok(common)
            })
            .await
    }

    async fn connected(&self) -> Result<Common, ProjectionError> {
        match &self.place {
            Opening::Beside(common) => Ok(common.clone()),
            Opening::At(place) => Common::open(place).await,
        }
    }

    /// Takes the keys of the file over, whole or not at all, and puts it aside. Cut short in between, it is done again and
    /// changes nothing more.
    async fn take_over(&self, common: &Common) -> Result<(), AccessError> {
        let path = self.data.join(ACCESS_FILE);
        let from_file = if path.exists() { read(&path)? } else { Vec::new() };
        let count = from_file.len();
        changed(common, move |keys| change::take_over(keys, from_file)).await?;
        if !path.exists() {
            return Ok(());
        }
        match std::fs::rename(&path, self.data.join(ACCESS_FILE_MOVED)) {
            Ok(()) => tracing::info!(keys = count, "the keys of the data folder are in the database now"),
            // Another server on the same folder may have been faster; else the next start does it again.
            Err(error) => tracing::warn!(%error, "`{ACCESS_FILE}` is taken over and cannot be put aside"),
        }
        Ok(())
    }

    /// How many keys the table holds, and how many of them open something now (UTC); none where nothing was put there yet.
    pub(super) async fn count(&self, now: DateTime<Utc>) -> Result<Option<(usize, usize)>, AccessError> {
        let common = self.connected().await?;
        let known = common.keys().await?;
        let entries = parsed(&known)?;
        let valid = entries.iter().filter(|entry| entry.is_valid(now)).count();
        Ok(known.changes.map(|_| (entries.len(), valid)))
    }

    /// All keys, for a backup; none before anything was put into the table.
    pub(super) async fn all(&self) -> Result<Option<Vec<KeyEntry>>, AccessError> {
        let known = self.connected().await?.keys().await?;
        let mut entries = parsed(&known)?;
        entries.sort_by(oldest_first);
        Ok(known.changes.map(|_| entries))
    }

    pub(super) async fn make(
        &self,
        terms: &KeyTerms,
        ambient: &dyn Ambient,
    ) -> Result<(String, KeyEntry), AccessError> {
        self.change(|keys| change::make(keys, terms, ambient)).await
    }

    /// Answers once the key opens nothing on any server.
    pub(super) async fn revoke(
        &self,
        tenant: &str,
        id: &str,
        now: DateTime<Utc>,
    ) -> Result<KeyEntry, AccessError> {
        let entry = self.change(|keys| change::revoke(keys, tenant, id, now)).await?;
        tokio::time::sleep(KEYS_LEASE).await;
        Ok(entry)
    }

    /// Answers once the old key has its end on every server.
    pub(super) async fn rotate(
        &self,
        tenant: &str,
        id: &str,
        grace: TimeDelta,
        ambient: &dyn Ambient,
    ) -> Result<(String, KeyEntry), AccessError> {
        let made = self.change(|keys| change::rotate(keys, (tenant, id), grace, ambient)).await?;
        tokio::time::sleep(KEYS_LEASE).await;
        Ok(made)
    }

    pub(super) async fn list(&self, tenant: &str) -> Result<Vec<KeyEntry>, AccessError> {
        let copy = self.copy(Fresh::Since(Instant::now())).await?;
        let mut entries: Vec<KeyEntry> =
            copy.values().filter(|entry| entry.tenant == tenant).cloned().collect();
        entries.sort_by(oldest_first);
        Ok(entries)
    }

    pub(super) async fn holder(
        &self,
        tenant: &str,
        key: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<KeyEntry>, AccessError> {
        let Some(digest) = change::looked_up(key) else { return Ok(None) };
        let began = Instant::now();
        let mut found = self.copy(Fresh::Leased).await?.get(&digest).cloned();
        if found.is_none() {
            // It may have been made on another server a moment ago.
            found = self.copy(Fresh::Since(began)).await?.get(&digest).cloned();
        }
        Ok(found.filter(|entry| entry.tenant == tenant && entry.is_valid(now)))
    }

    /// The keys, as fresh as that.
    async fn copy(&self, fresh: Fresh) -> Result<Copy, AccessError> {
        if let Some(copy) = self.held_if(fresh) {
            return Ok(copy);
        }
        let arrived = Instant::now();
        let _turn = self.asking.lock().await;
        if let Some(copy) = self.held_if(fresh) {
            return Ok(copy);
        }
        // Whoever waited while somebody else asked in vain has waited enough.
        if self.held().failed.is_some_and(|asked| asked >= arrived) {
            return Err(unanswered());
        }
        self.settle().await?;
        for _ in 0..TRIES {
            let (asked, own) = (Instant::now(), self.held().own);
            let answer = match tokio::time::timeout(KEYS_ANSWER_MAX, self.asked()).await {
                Ok(answer) => answer,
                Err(_) => Err(unanswered()),
            };
            let (copy, changes) = answer.inspect_err(|_| self.held().failed = Some(asked))?;
            // What took longer than that may be an older state than the one in which a key was taken back.
            if asked.elapsed() <= KEYS_LEASE {
                let mut held = self.held();
                if held.own == own {
                    held.copy = Some((Arc::clone(&copy), changes, asked));
                }
                return Ok(copy);
            }
        }
        Err(unanswered())
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn held_if(&self, fresh: Fresh) -> Option<Copy> {
        let held = self.held();
        let (copy, _, asked) = held.copy.as_ref()?;
        let fits = match fresh {
            Fresh::Leased => asked.elapsed() <= KEYS_LEASE,
            Fresh::Since(instant) => *asked >= instant,
        };
        fits.then(|| Arc::clone(copy))
    }

    /// Asks the database: for the number of changes first, and for the keys where it is another.
    async fn asked(&self) -> Result<(Copy, Option<i64>), AccessError> {
        let common = self.settle().await?;
        let known = {
            let held = self.held();
            held.copy.as_ref().map(|(copy, changes, _)| (Arc::clone(copy), *changes))
        };
        if let Some((copy, changes)) = known
            && common.key_changes().await? == changes
        {
            return Ok((copy, changes));
        }
        let known = common.keys().await?;
        let entries = parsed(&known)?;
        let by_digest = entries.into_iter().map(|entry| (entry.sha256.clone(), entry)).collect();
        Ok((Arc::new(by_digest), known.changes))
    }

    async fn change<T: Send>(
        &self,
        change: impl FnOnce(&mut Vec<KeyEntry>) -> Result<T, AccessError> + Send,
    ) -> Result<T, AccessError> {
        let done = changed(self.settle().await?, change).await;
        // Whatever it came to, the copy may be an older one than the table now.
        let mut held = self.held();
        (held.copy, held.own) = (None, held.own.wrapping_add(1));
        done
    }
}

/// Changes the keys in the table and writes those that are new or other.
async fn changed<T: Send>(
    common: &Common,
    change: impl FnOnce(&mut Vec<KeyEntry>) -> Result<T, AccessError> + Send,
) -> Result<T, AccessError> {
    common
        .change_keys(|known: &CommonKeys| {
            let before = parsed(known)?;
            let mut after = before.clone();
            let done = change(&mut after)?;
            let mut rows = Vec::new();
            for (place, entry) in after.iter().enumerate() {
                if before.get(place) != Some(entry) {
                    rows.push((entry.sha256.clone(), serde_json::to_string(entry).map_err(unreadable)?));
                }
            }
            Ok((rows, done))
        })
        .await
}

fn parsed(known: &CommonKeys) -> Result<Vec<KeyEntry>, AccessError> {
    let entries = known.entries.iter().map(|entry| serde_json::from_str(entry).map_err(unreadable));
    entries.collect()
}

fn oldest_first(one: &KeyEntry, other: &KeyEntry) -> Ordering {
    (one.created, &one.id).cmp(&(other.created, &other.id))
}

fn unanswered() -> AccessError {
    ProjectionError::Unavailable { reason: "it did not answer in time".to_owned() }.into()
}

fn unreadable(error: serde_json::Error) -> AccessError {
    // The words of a decoding error may quote what it stumbled on.
    AccessError::Table(ProjectionError::Store {
        reason: format!("an entry of a key does not have its shape ({:?})", error.classify()),
    })
}
