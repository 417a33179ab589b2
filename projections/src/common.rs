//! What the servers of an installation have in common and no journal tells: keys of agents and programs, and what each
//! server says of its own secrets. It stands beside the read models where these are shared; no rebuild touches it, and all
//! versions of the program share it. Entries of keys are opaque here.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::error::ProjectionError;
use crate::read_models::ReadModels;
use crate::runner::prepare_shared;
use crate::store::{
    Columns, Connection, Database, Place, SHARED_SET, Snapshot, Table, Value, int, micros, text,
};

/// Keys of agents and programs, by the digests of them.
pub(crate) static KEYS: Table = Table {
    name: "access_key",
    columns: &[text("digest"), text("entry")],
    key: 1,
    indexes: &[],
    append_only: false,
};

/// Numbers by name: `access_keys` is how often the keys were changed.
pub(crate) static NUMBERS: Table = Table {
    name: "common_number",
    columns: &[text("name"), int("number")],
    key: 1,
    indexes: &[],
    append_only: false,
};

/// What each server says of what it was started with: digests by name, and when it said so last.
pub(crate) static SAID: Table = Table {
    name: "server_said",
    columns: &[text("server"), text("what"), text("digest"), int("said")],
    key: 2,
    indexes: &[],
    append_only: false,
};

/// The number of changes of the keys.
const CHANGES: &str = "access_keys";

/// How long what a server said counts; one that runs says it again before.
const SAID_FOR: TimeDelta = TimeDelta::seconds(120);

/// The keys as they stand in the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommonKeys {
    /// How often they were changed; none before anything was put into the table.
    pub changes: Option<i64>,
    /// Their entries.
    pub entries: Vec<String>,
}

/// What the servers of an installation have in common. A copy is another handle on the same.
#[derive(Clone)]
pub struct Common {
    database: Arc<Database>,
}

impl std::fmt::Debug for Common {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Common").finish_non_exhaustive()
    }
}

impl ReadModels {
    /// What this server has in common with others on the same database; none where the tables are this program's alone.
    #[must_use]
    pub fn common(&self) -> Option<Common> {
        let database = self.shared_database();
        database.own_set().is_some().then(|| Common { database: Arc::clone(database) })
    }
}

impl Common {
    /// Opens it without the read models, for commands beside the servers, and makes its tables where they are not.
    ///
    /// # Errors
    /// [`ProjectionError::Store`], [`ProjectionError::Unavailable`].
    pub async fn open(place: &Place) -> Result<Self, ProjectionError> {
        let database = Database::open(place, SHARED_SET).await?;
        database.set_up(async |connection| prepare_shared(connection).await).await?;
        Ok(Self { database: Arc::new(database) })
    }

    /// How often the keys were changed; none before anything was put into the table. Whatever was changed before this was
    /// asked is counted.
    ///
    /// # Errors
    /// [`ProjectionError::Store`], [`ProjectionError::Unavailable`].
    pub async fn key_changes(&self) -> Result<Option<i64>, ProjectionError> {
        changes(&mut Snapshot::plain(&self.database).await?.connection()).await
    }

    /// The keys, and how often they were changed, at one instant.
    ///
    /// # Errors
    /// [`ProjectionError::Store`], [`ProjectionError::Unavailable`].
    pub async fn keys(&self) -> Result<CommonKeys, ProjectionError> {
        keys(&mut Snapshot::plain(&self.database).await?.connection()).await
    }

    /// Changes keys, with every other writer waiting: `change` is given them as they stand, and gives back the digests and
    /// entries of those that are new or other, and what it came to. Nothing is written where it refuses.
    ///
    /// # Errors
    /// What `change` says; else what the database says.
    pub async fn change_keys<T, E: From<ProjectionError>>(
        &self,
        change: impl FnOnce(&CommonKeys) -> Result<(Vec<(String, String)>, T), E>,
    ) -> Result<T, E> {
        let work = async |connection: &mut Connection<'_>| {
            let known = keys(connection).await?;
            let (rows, done) = match change(&known) {
                Ok(changed) => changed,
                Err(refused) => return Ok(Err(refused)),
            };
            if rows.is_empty() && known.changes.is_some() {
                return Ok(Ok(done));
            }
            let put = "INSERT INTO access_key (digest, entry) VALUES (?, ?) \
                ON CONFLICT (digest) DO UPDATE SET entry = excluded.entry";
            for (digest, entry) in rows {
                connection.run(put, &[digest.into(), entry.into()]).await?;
            }
            let count = "INSERT INTO common_number (name, number) VALUES (?, 1) \
                ON CONFLICT (name) DO UPDATE SET number = common_number.number + 1";
            connection.run(count, &[CHANGES.into()]).await?;
            Ok(Ok(done))
        };
        self.database.shared(work).await?
    }

    /// Notes what a server was started with (`said`: digests by name), and forgets servers that have not been heard of for
    /// long. The names of what another running server says otherwise are returned.
    ///
    /// # Errors
    /// [`ProjectionError::Store`], [`ProjectionError::Unavailable`].
    pub async fn compare(
        &self,
        server: &str,
        said: &[(String, String)],
        now: DateTime<Utc>,
    ) -> Result<Vec<String>, ProjectionError> {
        let own = micros(now);
        let work = async |connection: &mut Connection<'_>| {
            let now = connection.clock(own).await?;
            let over = now - SAID_FOR.num_microseconds().unwrap_or_default();
            let gone = "DELETE FROM server_said WHERE said < ? OR server = ?";
            connection.run(gone, &[over.into(), server.into()]).await?;
            let mut other = Vec::new();
            for (what, digest) in said {
                let values: [Value; 4] = [server.into(), what.into(), digest.into(), now.into()];
                let put = "INSERT INTO server_said (server, what, digest, said) VALUES (?, ?, ?, ?)";
                connection.run(put, &values).await?;
                let differs = "SELECT server FROM server_said WHERE what = ? AND digest <> ?";
                if !connection.run(differs, &[what.into(), digest.into()]).await?.is_empty() {
                    other.push(what.clone());
                }
            }
            Ok(other)
        };
        self.database.shared(work).await
    }

    /// Forgets what a server said: it is being stopped.
    ///
    /// # Errors
    /// [`ProjectionError::Store`], [`ProjectionError::Unavailable`].
    pub async fn forget(&self, server: &str) -> Result<(), ProjectionError> {
        let (sql, values) = ("DELETE FROM server_said WHERE server = ?", [server.into()]);
        self.database.shared(async |connection| connection.run(sql, &values).await.map(drop)).await
    }

    /// Closes its connections, where it was opened by itself.
    pub async fn close(&self) {
        self.database.close().await;
    }
}

async fn changes(connection: &mut Connection<'_>) -> Result<Option<i64>, ProjectionError> {
    let sql = "SELECT number FROM common_number WHERE name = ?";
    let rows = connection.run(sql, &[CHANGES.into()]).await?;
    rows.first().map(|row| Columns::new(row).take()).transpose()
}

async fn keys(connection: &mut Connection<'_>) -> Result<CommonKeys, ProjectionError> {
    let changes = changes(connection).await?;
    let rows = connection.run("SELECT entry FROM access_key", &[]).await?;
    let entries = rows.iter().map(|row| Columns::new(row).take()).collect::<Result<_, _>>()?;
    Ok(CommonKeys { changes, entries })
}
