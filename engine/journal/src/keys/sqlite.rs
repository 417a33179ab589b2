//! Keys in `keys.db`, beside the journal and never inside it, each wrapped by the master key.
//!
//! Keys are made durable in batches ahead of need, so that an append that needs one waits for no disk. Which person a key serves is written
//! in the journal only. A key that was given out and a key that waited in the pool look alike in the file: after a crash the pool is not used
//! again, and its keys stay behind, serving nobody.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Row};

use super::pool::{Pool, Refills, draw_batch, take};
use super::{CHECK, Cache, DataKey, KeyState, KeyStore, MasterKey};
use crate::error::JournalError;
use crate::id::{Kid, Tenant};
use crate::limits::KEYS_CACHED_MAX;
use crate::sqlite::{fault, sync_folder};

/// The key store's file in the data folder.
pub const KEYS_FILE: &str = "keys.db";

/// The master key's file in the data folder.
pub const MASTER_FILE: &str = "master.key";

/// The format of `keys.db` that this program writes.
const FORMAT: u32 = 1;

/// Tells SQLite's tools whose database this is: "Guik" in ASCII.
const APPLICATION: u32 = 0x4775_696b;

/// How often a changed key's write-ahead log is tried to be emptied; each try waits as long as the connection waits for others.
const EMPTYING_TRIES: usize = 6;

const TABLES: &str = "
    CREATE TABLE keys (kid TEXT PRIMARY KEY, state TEXT NOT NULL, wrapped BLOB) STRICT, WITHOUT ROWID;
    CREATE TABLE facts (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
";

/// A key store in a data folder.
#[derive(Clone)]
pub struct SqliteKeyStore {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    master: MasterKey,
    connection: tokio::sync::Mutex<SqliteConnection>,
    pool: Pool,
    cache: Cache<Kid, DataKey>,
}

impl SqliteKeyStore {
    /// Opens the keys of a data folder. A new folder gets a master key in `master.key` and an empty `keys.db`; `new` says whether the folder
    /// may be new, that is, whether no journal holds sealed parts yet. The folder must belong to this program already.
    ///
    /// # Errors
    /// `Keys` when `keys.db` or `master.key` is missing where it should be there, or they do not belong together; `Newer`, `Corrupt`,
    /// `ReadOnly`, `Full` or `Unavailable`.
    pub async fn open(folder: &Path, new: bool) -> Result<Self, JournalError> {
        let (path, master) = (folder.join(KEYS_FILE), folder.join(MASTER_FILE));
        let master = match (path.exists(), master.exists()) {
            (true, true) => MasterKey::read(&master)?,
            (true, false) => return Err(missing(&master, "what it sealed cannot be read without it")),
            (false, true) if new => MasterKey::read(&master)?,
            (false, false) if new => MasterKey::create(&master)?,
            (false, _) => return Err(missing(&path, "the journal's sealed parts cannot be read without it")),
        };
        let fault = |error: sqlx::Error| fault::reading(&error, &path);
        let mut connection = options(&path).connect().await.map_err(fault)?;
        prepare(&mut connection, &path, &master).await?;
        sync_folder(folder)?;
        let inner = Inner {
            path,
            master,
            connection: tokio::sync::Mutex::new(connection),
            pool: Pool::default(),
            cache: Cache::new(KEYS_CACHED_MAX),
        };
        inner.refill().await?;
        Ok(Self { inner: Arc::new(inner) })
    }
}

pub(super) fn missing(path: &Path, why: &str) -> JournalError {
    JournalError::Keys {
        reason: format!("`{}` is missing, and {why}; put it back from its backup", path.display()),
    }
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        // A destroyed key's bytes are overwritten, not only forgotten.
        .pragma("secure_delete", "ON")
        .pragma("trusted_schema", "OFF")
        .busy_timeout(Duration::from_secs(5))
        .disable_statement_logging()
}

async fn prepare(
    connection: &mut SqliteConnection,
    path: &Path,
    master: &MasterKey,
) -> Result<(), JournalError> {
    let fault = |error: sqlx::Error| fault::reading(&error, path);
    let query =
        sqlx::query("SELECT user_version, application_id FROM pragma_user_version, pragma_application_id");
    let row = query.fetch_one(&mut *connection).await.map_err(fault)?;
    let (format, application): (u32, u32) = (row.try_get(0).map_err(fault)?, row.try_get(1).map_err(fault)?);
    if format == 0 && application == 0 {
        let mut transaction = connection.begin().await.map_err(fault)?;
        sqlx::raw_sql(TABLES).execute(&mut *transaction).await.map_err(fault)?;
        let mark = format!("PRAGMA user_version = {FORMAT}; PRAGMA application_id = {APPLICATION}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(mark)).execute(&mut *transaction).await.map_err(fault)?;
        let fact = sqlx::query("INSERT INTO facts (name, value) VALUES (?1, ?2)");
        let value = master.wrap(&CHECK.parse()?, &DataKey::new([0; 32]))?;
        fact.bind(CHECK).bind(value).execute(&mut *transaction).await.map_err(fault)?;
        return transaction.commit().await.map_err(fault);
    }
    known(path, format, application)?;
    check(connection, path, master).await
}

/// Refuses a file that holds no keys of ours, that is newer than this program, or that another master key wraps.
pub(super) async fn recognise(
    connection: &mut SqliteConnection,
    path: &Path,
    master: &MasterKey,
) -> Result<(), JournalError> {
    let fault = |error: sqlx::Error| fault::reading(&error, path);
    let query =
        sqlx::query("SELECT user_version, application_id FROM pragma_user_version, pragma_application_id");
    let row = query.fetch_one(&mut *connection).await.map_err(fault)?;
    known(path, row.try_get(0).map_err(fault)?, row.try_get(1).map_err(fault)?)?;
    check(connection, path, master).await
}

fn known(path: &Path, format: u32, application: u32) -> Result<(), JournalError> {
    if application != APPLICATION {
        return Err(JournalError::corrupt(format!("`{}` is a database of something else", path.display())));
    }
    if format > FORMAT {
        return Err(JournalError::Newer { path: path.display().to_string(), found: format, known: FORMAT });
    }
    Ok(())
}

async fn check(
    connection: &mut SqliteConnection,
    path: &Path,
    master: &MasterKey,
) -> Result<(), JournalError> {
    let known: Kid = CHECK.parse()?;
    let fact = sqlx::query_scalar("SELECT value FROM facts WHERE name = ?1");
    let value: Result<Vec<u8>, sqlx::Error> = fact.bind(CHECK).fetch_one(&mut *connection).await;
    let value = value.map_err(|error| fault::reading(&error, path))?;
    master.unwrap_key(&known, &value).map(drop)
}

/// What has become of a key, by the table.
pub(super) async fn found(
    connection: &mut SqliteConnection,
    path: &Path,
    master: &MasterKey,
    kid: &Kid,
) -> Result<KeyState, JournalError> {
    let fault = |error: sqlx::Error| fault::reading(&error, path);
    let query = sqlx::query("SELECT state, wrapped FROM keys WHERE kid = ?1").bind(kid.as_str());
    let Some(row) = query.fetch_optional(&mut *connection).await.map_err(fault)? else {
        return Ok(KeyState::Unknown);
    };
    let (state, wrapped): (String, Option<Vec<u8>>) =
        (row.try_get(0).map_err(fault)?, row.try_get(1).map_err(fault)?);
    match (state.as_str(), wrapped) {
        ("active", Some(wrapped)) => master.unwrap_key(kid, &wrapped).map(KeyState::Active),
        ("revoked", Some(_)) => Ok(KeyState::Revoked),
        _ => Ok(KeyState::Destroyed),
    }
}

impl Inner {
    fn fault(&self, error: &sqlx::Error) -> JournalError {
        fault::reading(error, &self.path)
    }

    /// A change that must be durable and leave no trace of the old row behind in the write-ahead log.
    async fn change(&self, kid: &Kid, sql: &'static str) -> Result<(), JournalError> {
        let mut connection = self.connection.lock().await;
        // Forgotten first: if the caller goes away now, the change is still carried out, and nobody finds the old state in the cache.
        self.cache.forget(kid);
        let changed = sqlx::query(sql).bind(kid.as_str()).execute(&mut *connection).await;
        changed.map_err(|error| self.fault(&error))?;
        // A backup that reads at this moment keeps the log from being emptied; it is over soon.
        for _ in 0..EMPTYING_TRIES {
            let emptied = sqlx::query_scalar("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut *connection);
            let busy: i64 = emptied.await.map_err(|error| self.fault(&error))?;
            if busy == 0 {
                return Ok(());
            }
        }
        Err(JournalError::unavailable(format!(
            "the change of a key is made, but a reader of `{}` keeps its old bytes in the write-ahead log; try again",
            self.path.display()
        )))
    }
}

#[async_trait]
impl Refills for Inner {
    fn pool(&self) -> &Pool {
        &self.pool
    }

    async fn refill(&self) -> Result<(), JournalError> {
        let mut connection = self.connection.lock().await;
        if !self.pool.is_low() {
            return Ok(());
        }
        let batch = draw_batch()?;
        let text = format!(
            "INSERT INTO keys (kid, state, wrapped) VALUES {}",
            ["(?,'active',?)"].repeat(batch.len()).join(",")
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(text));
        for (kid, key) in &batch {
            query = query.bind(kid.as_str()).bind(self.master.wrap(kid, key)?);
        }
        query.execute(&mut *connection).await.map_err(|error| self.fault(&error))?;
        self.pool.add(batch);
        Ok(())
    }
}

#[async_trait]
impl KeyStore for SqliteKeyStore {
    async fn fresh(&self) -> Result<(Kid, DataKey), JournalError> {
        let (kid, key) = take(&self.inner).await?;
        self.inner.cache.put(kid.clone(), key.clone());
        Ok((kid, key))
    }

    async fn find(&self, kid: &Kid) -> Result<KeyState, JournalError> {
        if let Some(key) = self.inner.cache.get(kid) {
            return Ok(KeyState::Active(key));
        }
        // The connection is held until the cache is filled, so that a key destroyed meanwhile cannot come back into it.
        let mut connection = self.inner.connection.lock().await;
        let state = found(&mut connection, &self.inner.path, &self.inner.master, kid).await?;
        if let KeyState::Active(key) = &state {
            self.inner.cache.put(kid.clone(), key.clone());
        }
        Ok(state)
    }

    async fn revoke(&self, kid: &Kid) -> Result<(), JournalError> {
        self.inner.change(kid, "UPDATE keys SET state = 'revoked' WHERE kid = ?1 AND state = 'active'").await
    }

    async fn restore(&self, kid: &Kid) -> Result<(), JournalError> {
        self.inner.change(kid, "UPDATE keys SET state = 'active' WHERE kid = ?1 AND state = 'revoked'").await
    }

    async fn destroy(&self, kid: &Kid) -> Result<(), JournalError> {
        self.inner.change(kid, "UPDATE keys SET state = 'destroyed', wrapped = NULL WHERE kid = ?1").await
    }

    fn blind(&self, tenant: &Tenant, text: &[u8]) -> [u8; 32] {
        self.inner.master.blind(tenant, text)
    }

    async fn close(&self) {
        let mut connection = self.inner.connection.lock().await;
        let unused = self.inner.pool.empty();
        let names: Vec<&str> = unused.iter().map(|(kid, _)| kid.as_str()).collect();
        let names = serde_json::to_string(&names).unwrap_or_default();
        let query = sqlx::query(
            "DELETE FROM keys WHERE kid IN (SELECT value FROM json_each(?1)); PRAGMA wal_checkpoint(TRUNCATE)",
        );
        if let Err(error) = query.bind(names).execute(&mut *connection).await {
            tracing::warn!(%error, "unused sealing keys stay behind in the key store; they serve nobody");
        }
    }
}

impl std::fmt::Debug for SqliteKeyStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteKeyStore").field("path", &self.inner.path).finish_non_exhaustive()
    }
}
