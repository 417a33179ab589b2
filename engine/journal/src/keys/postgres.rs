//! Keys in a schema of their own, shared by several servers, each wrapped by the one master key that all of them hold in a file.
//!
//! Each server keeps keys in memory, and must forget one as soon as another server revokes or destroys it. The change and a notification
//! commit together; a server that has lost the connection by which it hears of changes forgets all keys and remembers none until it hears again.
//! A connection that is dead without saying so is found out by a question that stays without an answer: a key lives on in another server's
//! memory for [`POSTGRES_POLL_MILLISECONDS`](crate::limits::POSTGRES_POLL_MILLISECONDS) and
//! [`POSTGRES_CONNECT_SECONDS_MAX`](crate::limits::POSTGRES_CONNECT_SECONDS_MAX) at the very most, and for milliseconds as a rule.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use async_trait::async_trait;
use sqlx::postgres::{PgConnection, PgPool};
use sqlx::{Connection, Row};
use tokio::task::AbortHandle;

use super::pool::{Pool, Refills, draw_batch, take};
use super::{CHECK, Cache, DataKey, KeyState, KeyStore, MASTER_FILE, MasterKey};
use crate::error::JournalError;
use crate::id::{Kid, Tenant};
use crate::limits::KEYS_CACHED_MAX;
use crate::postgres::connection::{asked, connect, pool};
use crate::postgres::listen::{Ear, listen};
use crate::postgres::migrate::{Migration, apply};
use crate::postgres::{PostgresOptions, fault};

/// The steps to the format that this program writes.
const MIGRATIONS: &[Migration] = &[Migration { version: 1, sql: include_str!("migrations/0001_keys.sql") }];

/// Connections that read and change keys at the same time.
const CONNECTIONS_MAX: u32 = 4;

/// A key store in a database, shared with other servers.
#[derive(Clone)]
pub struct PostgresKeyStore {
    inner: Arc<Inner>,
}

struct Inner {
    options: PostgresOptions,
    master: MasterKey,
    connections: PgPool,
    refilling: tokio::sync::Mutex<()>,
    waiting: Pool,
    memory: Arc<Memory>,
    listening: AbortHandle,
}

/// The keys that this server remembers.
struct Memory {
    keys: Cache<Kid, DataKey>,
    /// Whether changes by other servers are heard of.
    hears: AtomicBool,
    /// Counts what may have made a key that was just read an old one.
    changes: AtomicU64,
}

impl PostgresKeyStore {
    /// Opens the keys of a database, in the schema of the journal with `_keys` behind its name. The first server of an empty database makes
    /// `master.key` in the folder, unless it is there; the others need a copy of it.
    ///
    /// # Errors
    /// `Keys` when `master.key` is missing or is not the one that the keys were wrapped with, or the keys are missing beside a journal;
    /// `Newer`, `Corrupt`, `ReadOnly`, `Full` or `Unavailable`.
    pub async fn open(options: &PostgresOptions, master_folder: &Path) -> Result<Self, JournalError> {
        let journal = options.schema().to_owned();
        let options = options.of_keys();
        let mut connection = connect(&options).await?;
        apply(&mut connection, &options, MIGRATIONS).await?;
        let master = master(&mut connection, &options, &journal, master_folder.join(MASTER_FILE)).await?;
        let _gone_anyway = connection.close().await;
        let memory = Arc::new(Memory {
            keys: Cache::new(KEYS_CACHED_MAX),
            hears: AtomicBool::new(false),
            changes: AtomicU64::new(0),
        });
        let ear = KeysEar(Arc::clone(&memory));
        let listening = tokio::spawn(listen(options.clone(), channel(&options), ear)).abort_handle();
        let inner = Inner {
            connections: pool(&options, CONNECTIONS_MAX),
            options,
            master,
            refilling: tokio::sync::Mutex::new(()),
            waiting: Pool::default(),
            memory,
            listening,
        };
        inner.refill().await?;
        Ok(Self { inner: Arc::new(inner) })
    }
}

/// The name on which changes are told.
fn channel(options: &PostgresOptions) -> String {
    options.schema().to_owned()
}

/// The master key of this database: the one in the file if it is the right one, a new one for a database that never had any.
async fn master(
    connection: &mut PgConnection,
    options: &PostgresOptions,
    journal: &str,
    file: PathBuf,
) -> Result<MasterKey, JournalError> {
    let fault = |error: sqlx::Error| fault::reading(&error);
    let known: Kid = CHECK.parse()?;
    let mut transaction = connection.begin().await.map_err(fault)?;
    // Two servers that start at once must not both be the first.
    sqlx::raw_sql("LOCK TABLE facts IN EXCLUSIVE MODE").execute(&mut *transaction).await.map_err(fault)?;
    let fact = sqlx::query_scalar("SELECT value FROM facts WHERE name = $1").bind(CHECK);
    let check: Option<Vec<u8>> = fact.fetch_optional(&mut *transaction).await.map_err(fault)?;
    let refused = |why: &str| {
        let (file, place) = (file.display(), options.place());
        Err(JournalError::Keys {
            reason: format!("`{file}` {why} {place}; copy the file from a server that has it"),
        })
    };
    if let Some(check) = check {
        if !file.exists() {
            return refused("is missing, and is needed for the keys in");
        }
        let master = MasterKey::read(&file)?;
        return match master.unwrap_key(&known, &check) {
            Ok(_) => Ok(master),
            Err(_) => refused("is not the master key of"),
        };
    }
    refuse_keys_lost_beside_journal(&mut transaction, options, journal).await?;
    let master = if file.exists() { MasterKey::read(&file)? } else { MasterKey::create(&file)? };
    let check = master.wrap(&known, &DataKey::new([0; 32]))?;
    let fact = sqlx::query("INSERT INTO facts (name, value) VALUES ($1, $2)").bind(CHECK).bind(check);
    fact.execute(&mut *transaction).await.map_err(fault)?;
    transaction.commit().await.map_err(fault)?;
    Ok(master)
}

/// Keys made anew beside a journal that holds sealed parts would hide that somebody lost them.
async fn refuse_keys_lost_beside_journal(
    connection: &mut PgConnection,
    options: &PostgresOptions,
    journal: &str,
) -> Result<(), JournalError> {
    let fault = |error: sqlx::Error| fault::reading(&error);
    let table = format!("{journal}.events");
    let exists = sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL").bind(&table);
    if !exists.fetch_one(&mut *connection).await.map_err(fault)? {
        return Ok(());
    }
    let sealed = format!("SELECT EXISTS (SELECT 1 FROM {table} WHERE header LIKE '%]}}')");
    let sealed = sqlx::query_scalar(sqlx::AssertSqlSafe(sealed)).persistent(false);
    if !sealed.fetch_one(connection).await.map_err(fault)? {
        return Ok(());
    }
    Err(JournalError::Keys {
        reason: format!(
            "{} is empty, and the sealed parts of the journal beside it cannot be read without it; put it back from its backup",
            options.place()
        ),
    })
}

/// Hears which keys other servers changed.
struct KeysEar(Arc<Memory>);

impl Ear for KeysEar {
    const QUESTION: &'static str = "SELECT 0::bigint";

    fn hears(&self) {
        self.0.forget_all();
        self.0.hears.store(true, Ordering::SeqCst);
    }

    fn lost(&self) {
        self.0.hears.store(false, Ordering::SeqCst);
        self.0.forget_all();
    }

    fn heard(&self, payload: &str) {
        if let Ok(kid) = payload.parse() {
            self.0.forget(&kid);
        }
    }

    fn answered(&self, _number: i64) {}
}

impl Memory {
    fn forget(&self, kid: &Kid) {
        self.changes.fetch_add(1, Ordering::SeqCst);
        self.keys.forget(kid);
    }

    fn forget_all(&self) {
        self.changes.fetch_add(1, Ordering::SeqCst);
        self.keys.clear();
    }

    /// Remembers a key, unless something has changed since it was read.
    fn remember(&self, kid: &Kid, key: &DataKey, changes_when_read: u64) {
        if !self.hears.load(Ordering::SeqCst) {
            return;
        }
        self.keys.put(kid.clone(), key.clone());
        // Looked at afterwards: a change either comes before and is seen here, or comes later and finds the key in the memory.
        if self.changes.load(Ordering::SeqCst) != changes_when_read {
            self.keys.forget(kid);
        }
    }
}

impl Inner {
    /// A change, and the word of it to all servers, which commit together.
    async fn change(&self, kid: &Kid, sql: &'static str) -> Result<(), JournalError> {
        // Forgotten first: if the caller goes away now, the change may still be carried out.
        self.memory.forget(kid);
        let channel = channel(&self.options);
        let change = || sqlx::query(sql).bind(kid.as_str()).bind(&channel).execute(&self.connections);
        let changed = asked(change).await;
        self.memory.forget(kid);
        changed.map(drop)
    }
}

#[async_trait]
impl Refills for Inner {
    fn pool(&self) -> &Pool {
        &self.waiting
    }

    async fn refill(&self) -> Result<(), JournalError> {
        let _one_at_a_time = self.refilling.lock().await;
        if !self.waiting.is_low() {
            return Ok(());
        }
        let batch = draw_batch()?;
        let names: Vec<&str> = batch.iter().map(|(kid, _)| kid.as_str()).collect();
        let wrapped =
            batch.iter().map(|(kid, key)| self.master.wrap(kid, key)).collect::<Result<Vec<Vec<u8>>, _>>()?;
        asked(|| {
            let query = sqlx::query(
                "INSERT INTO keys (kid, state, wrapped)
                 SELECT kid, 'active', wrapped FROM unnest($1, $2) AS new (kid, wrapped) ON CONFLICT (kid) DO NOTHING",
            );
            query.bind(&names).bind(&wrapped).execute(&self.connections)
        })
        .await?;
        self.waiting.add(batch);
        Ok(())
    }
}

#[async_trait]
impl KeyStore for PostgresKeyStore {
    async fn fresh(&self) -> Result<(Kid, DataKey), JournalError> {
        let changes = self.inner.memory.changes.load(Ordering::SeqCst);
        let (kid, key) = take(&self.inner).await?;
        self.inner.memory.remember(&kid, &key, changes);
        Ok((kid, key))
    }

    async fn find(&self, kid: &Kid) -> Result<KeyState, JournalError> {
        if let Some(key) = self.inner.memory.keys.get(kid) {
            return Ok(KeyState::Active(key));
        }
        let changes = self.inner.memory.changes.load(Ordering::SeqCst);
        let row = asked(|| {
            let query = sqlx::query("SELECT state, wrapped FROM keys WHERE kid = $1").bind(kid.as_str());
            query.fetch_optional(&self.inner.connections)
        });
        let row = row.await?;
        let Some(row) = row else { return Ok(KeyState::Unknown) };
        let fault = |error: sqlx::Error| fault::reading(&error);
        let (state, wrapped): (&str, Option<&[u8]>) =
            (row.try_get(0).map_err(fault)?, row.try_get(1).map_err(fault)?);
        match (state, wrapped) {
            ("active", Some(wrapped)) => {
                let key = self.inner.master.unwrap_key(kid, wrapped)?;
                self.inner.memory.remember(kid, &key, changes);
                Ok(KeyState::Active(key))
            }
            ("revoked", Some(_)) => Ok(KeyState::Revoked),
            _ => Ok(KeyState::Destroyed),
        }
    }

    async fn revoke(&self, kid: &Kid) -> Result<(), JournalError> {
        const SQL: &str = "WITH changed AS
            (UPDATE keys SET state = 'revoked' WHERE kid = $1 AND state = 'active' RETURNING kid)
            SELECT pg_notify($2, kid) FROM changed";
        self.inner.change(kid, SQL).await
    }

    async fn restore(&self, kid: &Kid) -> Result<(), JournalError> {
        const SQL: &str = "WITH changed AS
            (UPDATE keys SET state = 'active' WHERE kid = $1 AND state = 'revoked' RETURNING kid)
            SELECT pg_notify($2, kid) FROM changed";
        self.inner.change(kid, SQL).await
    }

    async fn destroy(&self, kid: &Kid) -> Result<(), JournalError> {
        const SQL: &str = "WITH changed AS
            (UPDATE keys SET state = 'destroyed', wrapped = NULL WHERE kid = $1 RETURNING kid)
            SELECT pg_notify($2, kid) FROM changed";
        self.inner.change(kid, SQL).await?;
        // The key is lost to every reader by now; this takes its bytes out of the table's pages too.
        let clean = || sqlx::raw_sql("VACUUM keys").execute(&self.inner.connections);
        if let Err(error) = asked(clean).await {
            tracing::warn!(%error, "a destroyed key's wrapped bytes stay in the table's pages until its next vacuum");
        }
        Ok(())
    }

    fn blind(&self, tenant: &Tenant, text: &[u8]) -> [u8; 32] {
        self.inner.master.blind(tenant, text)
    }

    async fn close(&self) {
        let unused = self.inner.waiting.empty();
        let names: Vec<&str> = unused.iter().map(|(kid, _)| kid.as_str()).collect();
        let give_back = || {
            let query = sqlx::query("DELETE FROM keys WHERE kid = ANY ($1)");
            query.bind(&names).execute(&self.inner.connections)
        };
        if let Err(error) = asked(give_back).await {
            tracing::warn!(%error, "unused sealing keys stay behind in the key store; they serve nobody");
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl std::fmt::Debug for PostgresKeyStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresKeyStore").field("options", &self.inner.options).finish_non_exhaustive()
    }
}
