//! Where the keys of an installation are: in the file of its one server, or in a table that its servers share.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use guichet_engine::Ambient;
use guichet_projections::Place;

use super::table::TableKeys;
use super::{Access, AccessError, KeyEntry, KeyTerms};
use crate::guichet::Guichet;
use crate::options::Options;
use crate::store::Store;

/// The keys of an installation. A copy is another handle on the same.
#[derive(Debug, Clone)]
pub struct Keyring(Where);

#[derive(Debug, Clone)]
enum Where {
    /// `access.json` in the data folder.
    File(Arc<Access>),
    /// A table of the database that servers share.
    Table(Arc<TableKeys>),
}

/// The database that several servers would share: the journal's, else the read models'.
fn shared_place(options: &Options) -> Option<Place> {
    match (&options.store, &options.read_models) {
        (Store::Postgres(address), _) => Some(Place::Postgres(address.secret().to_owned())),
        (_, Some(place @ Place::Postgres(_))) => Some(place.clone()),
        (_, Some(Place::Sqlite(_)) | None) => None,
    }
}

impl Keyring {
    /// The keys of an engine that is open. A file of an earlier version is taken over into the table when they are first
    /// used.
    ///
    /// # Errors
    /// [`AccessError::File`].
    pub fn of(guichet: &Guichet) -> Result<Self, AccessError> {
        let options = guichet.options();
        let beside = match (&options.store, &options.read_models) {
            // The journal's database has the keys, and the read models are elsewhere.
            (Store::Postgres(_), Some(_)) => None,
            _ => guichet.read_models().common(),
        };
        match beside {
            Some(common) => {
                let keys = TableKeys::beside(common, options.data.clone());
                Ok(Self(Where::Table(Arc::new(keys))))
            }
            None => Self::at(options),
        }
    }

    /// The keys that a server with these options has, beside it.
    ///
    /// # Errors
    /// [`AccessError::File`].
    pub fn at(options: &Options) -> Result<Self, AccessError> {
        Ok(Self(match shared_place(options) {
            Some(place) => Where::Table(Arc::new(TableKeys::at(place, options.data.clone()))),
            None => Where::File(Arc::new(Access::open(&options.data)?)),
        }))
    }

    /// Whether they are in a table that servers share.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        matches!(self.0, Where::Table(_))
    }

    /// Makes the table where there is none yet, and takes the file of an earlier version over, once.
    ///
    /// # Errors
    /// [`AccessError`].
    pub async fn settle(&self) -> Result<(), AccessError> {
        match &self.0 {
            Where::File(_) => Ok(()),
            Where::Table(keys) => keys.settle().await.map(drop),
        }
    }

    /// Makes a key, which is returned once and kept nowhere, and what is kept of it.
    ///
    /// # Errors
    /// [`AccessError`].
    pub async fn make(
        &self,
        terms: &KeyTerms,
        ambient: &Arc<dyn Ambient>,
    ) -> Result<(String, KeyEntry), AccessError> {
        match &self.0 {
            Where::File(file) => {
                let (terms, ambient) = (terms.clone(), Arc::clone(ambient));
                on_file(file, move |file| file.make(&terms, ambient.as_ref())).await
            }
            Where::Table(keys) => keys.make(terms, ambient.as_ref()).await,
        }
    }

    /// Takes a key back: once this has returned it opens nothing, on any server. To do it twice is to do it once.
    ///
    /// # Errors
    /// [`AccessError::Unknown`], also for another collectivity's; else what the place of the keys says.
    pub async fn revoke(&self, tenant: &str, id: &str, now: DateTime<Utc>) -> Result<KeyEntry, AccessError> {
        match &self.0 {
            Where::File(file) => {
                let (tenant, id) = (tenant.to_owned(), id.to_owned());
                on_file(file, move |file| file.revoke(&tenant, &id, now)).await
            }
            Where::Table(keys) => keys.revoke(tenant, id, now).await,
        }
    }

    /// Makes a key with the same holder, rights and limits as another, which goes on opening for `grace` at most.
    ///
    /// # Errors
    /// As [`Access::rotate`].
    pub async fn rotate(
        &self,
        tenant: &str,
        id: &str,
        grace: TimeDelta,
        ambient: &Arc<dyn Ambient>,
    ) -> Result<(String, KeyEntry), AccessError> {
        match &self.0 {
            Where::File(file) => {
                let (tenant, id, ambient) = (tenant.to_owned(), id.to_owned(), Arc::clone(ambient));
                on_file(file, move |file| file.rotate(&tenant, &id, grace, ambient.as_ref())).await
            }
            Where::Table(keys) => keys.rotate(tenant, id, grace, ambient.as_ref()).await,
        }
    }

    /// All keys of a collectivity, the oldest first, those that open nothing any more included.
    ///
    /// # Errors
    /// [`AccessError`].
    pub async fn list(&self, tenant: &str) -> Result<Vec<KeyEntry>, AccessError> {
        match &self.0 {
            Where::File(file) => {
                let tenant = tenant.to_owned();
                on_file(file, move |file| file.list(&tenant)).await
            }
            Where::Table(keys) => keys.list(tenant).await,
        }
    }

    /// All keys of all collectivities, for a backup; none where they are in a file still, which is copied as it is.
    ///
    /// # Errors
    /// [`AccessError::Table`].
    pub async fn exported(&self) -> Result<Option<Vec<KeyEntry>>, AccessError> {
        match &self.0 {
            Where::File(_) => Ok(None),
            Where::Table(keys) => keys.all().await,
        }
    }

    /// How many keys the table holds and how many of them open something now (UTC); none where there is no table, or
    /// nothing was put into it yet.
    ///
    /// # Errors
    /// [`AccessError::Table`].
    pub async fn count(&self, now: DateTime<Utc>) -> Result<Option<(usize, usize)>, AccessError> {
        match &self.0 {
            Where::File(_) => Ok(None),
            Where::Table(keys) => keys.count(now).await,
        }
    }

    /// Whose key this is, if it is one that opens `tenant` now (UTC).
    ///
    /// # Errors
    /// [`AccessError::Table`] when the database does not answer: nobody is let in then.
    pub async fn holder(
        &self,
        tenant: &str,
        key: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<KeyEntry>, AccessError> {
        match &self.0 {
            Where::File(file) => Ok(file.holder(tenant, key, now)),
            Where::Table(keys) => keys.holder(tenant, key, now).await,
        }
    }
}

/// Works on the file beside the other calls: it waits for the disk, and for other writers.
async fn on_file<T: Send + 'static>(
    file: &Arc<Access>,
    work: impl FnOnce(&Access) -> Result<T, AccessError> + Send + 'static,
) -> Result<T, AccessError> {
    let file = Arc::clone(file);
    let done = tokio::task::spawn_blocking(move || work(&file)).await;
    done.unwrap_or_else(|_| Err(AccessError::Chance("the work on the keys broke off".to_owned())))
}
