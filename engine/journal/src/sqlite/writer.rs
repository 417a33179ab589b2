//! The table of events as the one writer sees it: the only connection that changes the file.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use rusqlite::{Connection, Row};

use super::folder::Folder;
use super::read::{STRETCH, signed, text};
use super::{fault, schema};
use crate::error::JournalError;
use crate::event::Recorded;
use crate::group::EventRow;
use crate::id::{CommandId, Position};
use crate::sequencer::{Sequencer, StandingCommand, Stop, Table};

pub(super) type Writer = Sequencer<SqliteTable>;

/// Rows in one statement, largest first; few sizes, so that the statements stay prepared whatever the groups.
const CHUNKS: [usize; 3] = [32, 8, 1];

pub(super) struct SqliteTable {
    folder: Folder,
    path: PathBuf,
    /// None after a failure that leaves its state in doubt; opened again for the next group.
    connection: Option<Connection>,
    /// Which file the connection holds, so that a file taken away is noticed.
    identity: Option<Identity>,
    /// The insert statement for each number of rows in [`CHUNKS`].
    statements: [(usize, String); CHUNKS.len()],
}

impl SqliteTable {
    pub(super) fn new(folder: Folder, path: &Path) -> Self {
        let statements = CHUNKS.map(|rows| (rows, insert_text(rows)));
        Self { folder, path: path.to_owned(), connection: None, identity: None, statements }
    }

    fn connect(&mut self) -> Result<u64, JournalError> {
        let fault = |error: rusqlite::Error| fault::reading(&error, &self.path);
        let connection = schema::writing(&self.path).map_err(fault)?;
        schema::prepare(&connection, &self.path)?;
        let next = next_position(&connection).map_err(fault)?;
        self.folder.sync()?;
        self.identity = identity(&self.path);
        self.connection = Some(connection);
        Ok(next)
    }

    /// Asks the table.
    fn ask<T>(
        &self,
        question: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>,
    ) -> Result<T, JournalError> {
        let connection =
            self.connection.as_ref().ok_or_else(|| JournalError::unavailable("no connection"))?;
        question(connection).map_err(|error| fault::reading(&error, &self.path))
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
            return self.connect().map(Some);
        }
        if identity(&self.path) == self.identity {
            return Ok(None);
        }
        Err(JournalError::unavailable(format!("`{}` was taken away or replaced", self.path.display())))
    }

    async fn next(&mut self) -> Result<u64, JournalError> {
        self.ask(next_position)
    }

    async fn last_of(&mut self, streams: &[&str]) -> Result<Vec<(u64, Recorded)>, JournalError> {
        let names = serde_json::to_string(streams).unwrap_or_default();
        self.ask(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT last.position, last.header, '', last.birth FROM json_each(?1) AS asked
                 JOIN events AS first ON first.stream = asked.value
                 JOIN events AS last ON last.birth = first.position
                    AND last.revision = (SELECT max(revision) FROM events WHERE birth = first.position)",
            )?;
            let head = |row: &Row<'_>| Ok((row.get::<_, i64>(3)?.unsigned_abs(), recorded(row)?));
            statement.query_map([names], head)?.collect()
        })
    }

    async fn commands(&mut self, asked: &[(u64, CommandId)]) -> Result<Vec<StandingCommand>, JournalError> {
        let names: Vec<_> =
            asked.iter().map(|(birth, command)| (birth, command.uuid().simple().to_string())).collect();
        let names = serde_json::to_string(&names).unwrap_or_default();
        self.ask(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT asked.key, events.revision, events.fingerprint FROM json_each(?1) AS asked
                 JOIN events ON events.birth = asked.value ->> 0 AND events.command = unhex(asked.value ->> 1)",
            )?;
            let command = |row: &Row<'_>| {
                let asked = usize::try_from(row.get::<_, i64>(0)?).unwrap_or(usize::MAX);
                let first = row.get::<_, i64>(1)?.unsigned_abs();
                Ok(StandingCommand { asked, first, fingerprint: row.get(2)? })
            };
            statement.query_map([names], command)?.collect()
        })
    }

    async fn stretch(&mut self, birth: u64, first: u64, count: usize) -> Result<Vec<Recorded>, JournalError> {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        self.ask(|connection| {
            let mut statement = connection.prepare_cached(STRETCH)?;
            statement.query_map((signed(birth), signed(first), count), recorded)?.collect()
        })
    }

    async fn insert(&mut self, rows: Vec<EventRow>) -> Result<u64, Stop> {
        let first = rows.first().map_or(0, |row| row.position);
        let connection =
            self.connection.as_ref().ok_or_else(|| JournalError::unavailable("no connection"))?;
        let Err(error) = self.write(connection, &rows) else { return Ok(first) };
        // SQLite takes some transactions back by itself.
        let whole = connection.is_autocommit() || connection.execute_batch("ROLLBACK").is_ok();
        if whole && fault::is_taken(&error) {
            return Err(Stop::Taken);
        }
        let error = fault::writing(&error, &self.path);
        if !whole || !error.surely_not_written() {
            self.connection = None;
        }
        Err(Stop::Failed(error))
    }

    async fn finish(&mut self) {
        if let Some(connection) = self.connection.take() {
            // So that a closed journal is one file.
            let moved = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
            if let Err(error) = moved.and(connection.close().map_err(|(_, error)| error)) {
                tracing::warn!(%error, "the journal was closed without moving its write-ahead log; the next start does it");
            }
        }
    }
}

impl SqliteTable {
    /// All rows in one transaction. A single statement is a transaction by itself.
    fn write(&self, connection: &Connection, rows: &[EventRow]) -> Result<(), rusqlite::Error> {
        let alone = CHUNKS.contains(&rows.len());
        if !alone {
            connection.prepare_cached("BEGIN IMMEDIATE")?.raw_execute()?;
        }
        let mut rest = rows;
        for (size, text) in &self.statements {
            while let Some((chunk, more)) = rest.split_at_checked(*size) {
                insert_chunk(connection, text, chunk)?;
                rest = more;
            }
        }
        if !alone {
            connection.prepare_cached("COMMIT")?.raw_execute()?;
        }
        Ok(())
    }
}

fn insert_chunk(connection: &Connection, text: &str, rows: &[EventRow]) -> Result<(), rusqlite::Error> {
    let mut statement = connection.prepare_cached(text)?;
    let mut place = 0..;
    let mut bind = |value: &dyn rusqlite::ToSql| -> Result<(), rusqlite::Error> {
        // SQLite counts parameters from one.
        statement.raw_bind_parameter(place.next().unwrap_or_default() + 1, value)
    };
    for row in rows {
        let (command, fingerprint) = row.command.as_ref().map(|(id, print)| (id.uuid(), print)).unzip();
        bind(&signed(row.position))?;
        bind(&signed(row.birth))?;
        bind(&signed(row.revision))?;
        bind(&row.stream.as_deref())?;
        bind(&command.as_ref().map(|id| id.as_bytes().as_slice()))?;
        bind(&fingerprint.map(<[u8; 16]>::as_slice))?;
        bind(&&*row.header)?;
        bind(&&*row.body)?;
    }
    statement.raw_execute().map(drop)
}

fn next_position(connection: &Connection) -> Result<u64, rusqlite::Error> {
    let mut statement = connection.prepare_cached("SELECT max(position) FROM events")?;
    let last: Option<i64> = statement.query_row([], |row| row.get(0))?;
    Ok(last.map_or(0, i64::unsigned_abs).saturating_add(1))
}

/// Position token, header and body, in this order of columns.
fn recorded(row: &Row<'_>) -> Result<Recorded, rusqlite::Error> {
    let token: i64 = row.get(0)?;
    let bytes = |column| row.get_ref(column)?.as_bytes().map_err(rusqlite::Error::from);
    let position = Position::from_token(token.unsigned_abs());
    Ok(Recorded::new(position, text(bytes(1)?).into(), text(bytes(2)?).into()))
}

fn insert_text(rows: usize) -> String {
    const START: &str =
        "INSERT INTO events (position, birth, revision, stream, command, fingerprint, header, body) VALUES ";
    let row = ["(?,?,?,?,?,?,?,?)"];
    format!("{START}{}", row.repeat(rows).join(","))
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
