//! The table of events as the one writer sees it: the only connection that changes the file.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use sqlx::sqlite::SqliteConnection;
use sqlx::{ConnectOptions, Connection, Row};

use super::folder::Folder;
use super::read::{recorded, signed, stretch};
use super::{fault, schema};
use crate::error::JournalError;
use crate::event::Recorded;
use crate::group::EventRow;
use crate::id::CommandId;
use crate::sequencer::{Sequencer, StandingCommand, Stop, Table};

pub(super) type Writer = Sequencer<SqliteTable>;

pub(super) struct SqliteTable {
    folder: Folder,
    path: PathBuf,
    /// None after a failure that leaves its state in doubt; opened again for the next group.
    connection: Option<SqliteConnection>,
    /// Which file the connection holds, so that a file taken away is noticed.
    identity: Option<Identity>,
    /// The insert statement for each number of rows that was needed so far.
    statements: HashMap<usize, Arc<str>>,
}

impl SqliteTable {
    pub(super) fn new(folder: Folder, path: &Path) -> Self {
        Self { folder, path: path.to_owned(), connection: None, identity: None, statements: HashMap::new() }
    }

    async fn connect(&mut self) -> Result<u64, JournalError> {
        let fault = |error: sqlx::Error| fault::reading(&error, &self.path);
        let mut connection = schema::writing(&self.path).connect().await.map_err(fault)?;
        schema::prepare(&mut connection, &self.path).await?;
        let next = next_position(&mut connection).await.map_err(fault)?;
        self.folder.sync()?;
        self.identity = identity(&self.path);
        self.connection = Some(connection);
        Ok(next)
    }
}

#[async_trait]
impl Table for SqliteTable {
    const SHARED: bool = false;

    fn name(&self) -> String {
        format!("`{}`", self.path.display())
    }

    async fn ready(&mut self) -> Result<Option<u64>, JournalError> {
        if self.connection.is_none() {
            return self.connect().await.map(Some);
        }
        if identity(&self.path) == self.identity {
            return Ok(None);
        }
        Err(JournalError::unavailable(format!("`{}` was taken away or replaced", self.path.display())))
    }

    async fn next(&mut self) -> Result<u64, JournalError> {
        let next = next_position(connected(&mut self.connection)?).await;
        next.map_err(|error| fault::reading(&error, &self.path))
    }

    async fn last_of(&mut self, streams: &[&str]) -> Result<Vec<(u64, Recorded)>, JournalError> {
        let query = sqlx::query(
            "SELECT last.position, last.header, '', last.birth FROM json_each(?1) AS asked
             JOIN events AS first ON first.stream = asked.value
             JOIN events AS last ON last.birth = first.position
                AND last.revision = (SELECT max(revision) FROM events WHERE birth = first.position)",
        );
        let names = serde_json::to_string(streams).unwrap_or_default();
        let (path, connection) = (&self.path, connected(&mut self.connection)?);
        let fault = |error: sqlx::Error| fault::reading(&error, path);
        let rows = query.bind(names).fetch_all(connection).await.map_err(fault)?;
        let head = |row| Ok((Row::try_get::<i64, _>(row, 3)?.unsigned_abs(), recorded(row)?));
        rows.iter().map(head).collect::<Result<_, _>>().map_err(fault)
    }

    async fn commands(&mut self, asked: &[(u64, CommandId)]) -> Result<Vec<StandingCommand>, JournalError> {
        let query = sqlx::query(
            "SELECT asked.key, events.revision, events.fingerprint FROM json_each(?1) AS asked
             JOIN events ON events.birth = asked.value ->> 0 AND events.command = unhex(asked.value ->> 1)",
        );
        let (path, connection) = (&self.path, connected(&mut self.connection)?);
        let fault = |error: sqlx::Error| fault::reading(&error, path);
        let names: Vec<_> =
            asked.iter().map(|(birth, command)| (birth, command.uuid().simple().to_string())).collect();
        let names = serde_json::to_string(&names).unwrap_or_default();
        let rows = query.bind(names).fetch_all(connection).await.map_err(fault)?;
        let command = |row| {
            let asked = usize::try_from(Row::try_get::<i64, _>(row, 0)?).unwrap_or(usize::MAX);
            let first = Row::try_get::<i64, _>(row, 1)?.unsigned_abs();
            Ok(StandingCommand { asked, first, fingerprint: Row::try_get(row, 2)? })
        };
        rows.iter().map(command).collect::<Result<_, _>>().map_err(fault)
    }

    async fn stretch(&mut self, birth: u64, first: u64, count: usize) -> Result<Vec<Recorded>, JournalError> {
        let events = stretch(connected(&mut self.connection)?, birth, signed(first), count).await;
        events.map_err(|error| fault::reading(&error, &self.path))
    }

    async fn insert(&mut self, rows: Vec<EventRow>) -> Result<u64, Stop> {
        let first = rows.first().map_or(0, |row| row.position);
        let statement =
            self.statements.entry(rows.len()).or_insert_with_key(|count| insert_text(*count)).clone();
        let mut query = sqlx::query(sqlx::AssertSqlSafe(statement));
        for row in rows {
            let (command, fingerprint) =
                row.command.map(|(id, print)| (id.uuid().as_bytes().to_vec(), print.to_vec())).unzip();
            query = query
                .bind(signed(row.position))
                .bind(signed(row.birth))
                .bind(signed(row.revision))
                .bind(row.stream);
            query = query.bind(command).bind(fingerprint).bind(row.header).bind(row.body);
        }
        let done = query.execute(connected(&mut self.connection)?).await;
        done.map(|_| first).map_err(|error| {
            if fault::is_taken(&error) {
                return Stop::Taken;
            }
            let error = fault::writing(&error, &self.path);
            if !error.surely_not_written() {
                self.connection = None;
            }
            Stop::Failed(error)
        })
    }

    async fn finish(&mut self) {
        if let Some(mut connection) = self.connection.take() {
            // So that a closed journal is one file.
            let moved = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut connection).await;
            if let Err(error) = moved.map(drop).and(connection.close().await) {
                tracing::warn!(%error, "the journal was closed without moving its write-ahead log; the next start does it");
            }
        }
    }
}

async fn next_position(connection: &mut SqliteConnection) -> Result<u64, sqlx::Error> {
    let last: Option<i64> =
        sqlx::query_scalar("SELECT max(position) FROM events").fetch_one(connection).await?;
    Ok(last.map_or(0, i64::unsigned_abs).saturating_add(1))
}

fn connected(connection: &mut Option<SqliteConnection>) -> Result<&mut SqliteConnection, JournalError> {
    connection.as_mut().ok_or_else(|| JournalError::unavailable("no connection"))
}

fn insert_text(rows: usize) -> Arc<str> {
    const START: &str =
        "INSERT INTO events (position, birth, revision, stream, command, fingerprint, header, body) VALUES ";
    let row = ["(?,?,?,?,?,?,?,?)"];
    format!("{START}{}", row.repeat(rows).join(",")).into()
}

/// Which file stands under a path.
type Identity = (u64, u64);

#[cfg(unix)]
fn identity(path: &Path) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).ok().map(|about| (about.dev(), about.ino()))
}

#[cfg(not(unix))]
fn identity(path: &Path) -> Option<Identity> {
    path.exists().then_some((0, 0))
}

#[cfg(test)]
mod tests;
