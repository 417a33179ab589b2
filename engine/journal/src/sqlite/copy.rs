//! Copies of the journal and of its keys, taken beside the server that holds their folder.
//!
//! Each copy is what one moment held, made by one statement (`VACUUM INTO`) that reads in one transaction: the server goes on writing
//! meanwhile. The copy has no write-ahead log, and nothing of what was removed: a destroyed key is not in it.

use std::fs::{File, OpenOptions};
use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection, Row};

use super::{JOURNAL_FILE, SqliteBeside, fault, schema, sync_folder};
use crate::digest::Digest;
use crate::error::JournalError;
use crate::id::Position;
use crate::keys::KEYS_FILE;
use crate::port::Journal;

/// What a copy of a journal holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// Its events.
    pub events: u64,
    /// The position of the last of them.
    pub last: Option<Position>,
    /// The digest of the last one's stored header.
    pub head: Option<Digest>,
}

/// What a copy of the keys holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopiedKeys {
    /// Keys that seal and open, or could again: active, revoked, and made ahead of need.
    pub keys: u64,
    /// Keys that are destroyed: what they sealed is erased, and stays so.
    pub destroyed: u64,
}

/// Copies the journal of a data folder into the new file `to`, durably, whether or not a server holds the folder. Copy the keys after it:
/// a key is durable before the journal names it, so keys that are copied later know every event that was copied before.
///
/// # Errors
/// As [`SqliteBeside::open`]; `ReadOnly` when `to` stands already or cannot be made, `Full` when there is no room. `to` is gone then.
pub async fn copy_journal(folder: &Path, to: &Path) -> Result<Copied, JournalError> {
    SqliteBeside::open(folder).await?.close().await;
    let from = folder.join(JOURNAL_FILE);
    let mut copy = copied(&from, to).await?;
    let read = async {
        let row = sqlx::query(
            "SELECT count(*), max(position), (SELECT header FROM events ORDER BY position DESC LIMIT 1) FROM events",
        );
        let row = row.fetch_one(&mut copy).await?;
        let (events, last): (i64, Option<i64>) = (row.try_get(0)?, row.try_get(1)?);
        let header: Option<String> = row.try_get(2)?;
        Ok(Copied {
            events: events.unsigned_abs(),
            last: last.map(|token| Position::from_token(token.unsigned_abs())),
            head: header.map(|header| Digest::of(header.as_bytes())),
        })
    };
    let told = read.await.map_err(|error: sqlx::Error| fault::reading(&error, to));
    finish(copy, to, told).await
}

/// Copies the keys of a data folder into the new file `to`, durably, whether or not a server holds the folder. The master key is not
/// among them.
///
/// # Errors
/// As [`copy_journal`].
pub async fn copy_keys(folder: &Path, to: &Path) -> Result<CopiedKeys, JournalError> {
    let mut copy = copied(&folder.join(KEYS_FILE), to).await?;
    let query = sqlx::query("SELECT count(*), count(*) FILTER (WHERE wrapped IS NULL) FROM keys");
    let read = async {
        let row = query.fetch_one(&mut copy).await?;
        let (all, destroyed): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
        Ok(CopiedKeys { keys: (all - destroyed).unsigned_abs(), destroyed: destroyed.unsigned_abs() })
    };
    let told = read.await.map_err(|error: sqlx::Error| fault::reading(&error, to));
    finish(copy, to, told).await
}

/// The copy, opened for reading.
async fn copied(from: &Path, to: &Path) -> Result<SqliteConnection, JournalError> {
    // Made first, for nobody but this user: SQLite writes into an empty file, and refuses any other.
    private(to).map_err(|error| JournalError::ReadOnly {
        path: to.display().to_string(),
        reason: error.to_string(),
    })?;
    let vacuum = async {
        let mut source =
            schema::copying(from).connect().await.map_err(|error| fault::reading(&error, from))?;
        let name = to.display().to_string();
        let done = sqlx::query("VACUUM INTO ?1").bind(name).execute(&mut source).await;
        done.map_err(|error| fault::reading(&error, from))?;
        source.close().await.map_err(|error| fault::reading(&error, from))?;
        let options = SqliteConnectOptions::new().filename(to).read_only(true).disable_statement_logging();
        options.connect().await.map_err(|error| fault::reading(&error, to))
    };
    let copy = vacuum.await;
    if copy.is_err() {
        discard(to);
    }
    copy
}

/// Makes a copy durable, or away with it.
async fn finish<T>(
    copy: SqliteConnection,
    to: &Path,
    told: Result<T, JournalError>,
) -> Result<T, JournalError> {
    let closed = copy.close().await.map_err(|error| fault::reading(&error, to));
    let durable = closed.and_then(|()| {
        let synced = File::open(to).and_then(|file| file.sync_all());
        synced.map_err(JournalError::unavailable)?;
        to.parent().map_or(Ok(()), sync_folder)
    });
    let told = durable.and(told);
    if told.is_err() {
        discard(to);
    }
    told
}

fn discard(to: &Path) {
    if let Err(error) = std::fs::remove_file(to) {
        tracing::warn!(%error, path = %to.display(), "half a copy stays behind");
    }
}

fn private(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
