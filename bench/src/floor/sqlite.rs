//! What SQLite allows, through the driver that Guichet uses.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, SqliteConnection};

use super::{Batch, Row};
use crate::measure::{Fault, Stopwatch, quantile};

async fn fresh(path: &Path) -> Result<SqliteConnection, Fault> {
    let mut connection = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .disable_statement_logging()
        .connect()
        .await?;
    sqlx::raw_sql(
        "CREATE TABLE event (position INTEGER PRIMARY KEY, stream TEXT NOT NULL, revision INTEGER NOT NULL, \
         header TEXT NOT NULL, body TEXT NOT NULL, UNIQUE (stream, revision)) STRICT",
    )
    .execute(&mut connection)
    .await?;
    Ok(connection)
}

/// Writes each batch in one statement, one transaction and one fsync, and waits for each: the fastest way that the same
/// driver offers.
///
/// # Errors
/// When SQLite refuses.
pub(crate) async fn bare_loop(path: &Path, batches: &[&[Row]]) -> Result<Duration, Fault> {
    let mut connection = fresh(path).await?;
    let text = |rows: usize| -> Arc<str> {
        let values = ["(?,?,?,?)"].repeat(rows).join(",");
        format!("INSERT INTO event (stream, revision, header, body) VALUES {values}").into()
    };
    let longest = batches.iter().map(|batch| batch.len()).max().unwrap_or_default();
    let statements: Vec<Arc<str>> = (0..=longest).map(text).collect();
    let watch = Stopwatch::start();
    for batch in batches {
        let statement = statements.get(batch.len()).ok_or("a batch longer than the longest")?;
        let mut query = sqlx::query(AssertSqlSafe(Arc::clone(statement)));
        for row in *batch {
            query = query.bind(&row.stream).bind(row.revision).bind(&row.header).bind(&row.body);
        }
        query.execute(&mut connection).await?;
    }
    let elapsed = watch.elapsed();
    connection.close().await?;
    Ok(elapsed)
}

const SINGLE: &str = "INSERT INTO event (stream, revision, header, body) VALUES (?,?,?,?)";

/// The median of one insert and commit after the other.
///
/// # Errors
/// When SQLite refuses.
pub(crate) async fn single(path: &Path, rows: &[Row]) -> Result<Duration, Fault> {
    let mut connection = fresh(path).await?;
    let mut each = Vec::with_capacity(rows.len());
    for row in rows {
        let own = Stopwatch::start();
        sqlx::query(SINGLE)
            .bind(&row.stream)
            .bind(row.revision)
            .bind(&row.header)
            .bind(&row.body)
            .execute(&mut connection)
            .await?;
        each.push(own.elapsed());
    }
    connection.close().await?;
    each.sort_unstable();
    Ok(quantile(&each, 0.5))
}

/// The same by a thread that calls SQLite itself and has nobody to answer: the median.
///
/// # Errors
/// When SQLite refuses.
pub(crate) async fn single_direct(path: &Path, rows: &[Row]) -> Result<Duration, Fault> {
    fresh(path).await?.close().await?;
    tokio::task::block_in_place(|| {
        let connection = rusqlite::Connection::open(path)?;
        connection.execute_batch("PRAGMA synchronous = FULL")?;
        let mut statement = connection.prepare(SINGLE)?;
        let mut each = Vec::with_capacity(rows.len());
        for row in rows {
            let own = Stopwatch::start();
            statement.execute((&row.stream, row.revision, &row.header, &row.body))?;
            each.push(own.elapsed());
        }
        each.sort_unstable();
        Ok(quantile(&each, 0.5))
    })
}

/// Reads the rows of a journal in order, one after the other, on this thread.
///
/// # Errors
/// When SQLite refuses or `each` does.
pub(crate) fn read(path: &Path, mut each: impl FnMut(&str, &[u8]) -> Result<(), Fault>) -> Result<(), Fault> {
    tokio::task::block_in_place(|| {
        let connection = rusqlite::Connection::open(path)?;
        let mut statement = connection.prepare("SELECT header, body FROM events ORDER BY position")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            each(row.get_ref(0)?.as_str()?, row.get_ref(1)?.as_bytes()?)?;
        }
        Ok(())
    })
}

/// Projects a journal into one table with a row for each request: rows read and decoded, coalesced in memory, written
/// in batches, each in one transaction.
///
/// # Errors
/// When SQLite refuses or an event cannot be read.
pub(crate) fn project(journal: &Path, table: &Path) -> Result<Duration, Fault> {
    tokio::task::block_in_place(|| {
        let connection = rusqlite::Connection::open(table)?;
        connection.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; CREATE TABLE card (stream TEXT PRIMARY KEY, \
             events INTEGER NOT NULL, last TEXT NOT NULL, since TEXT NOT NULL) STRICT, WITHOUT ROWID",
        )?;
        let mut upsert = connection.prepare(
            "INSERT INTO card VALUES (?,?,?,?) ON CONFLICT (stream) DO UPDATE SET \
             events = events + excluded.events, last = excluded.last, since = excluded.since",
        )?;
        let mut batch = Batch::default();
        let mut write = |batch: &mut Batch| {
            connection.execute_batch("BEGIN")?;
            for (stream, card) in batch.cards.drain() {
                upsert.execute((stream, card.events, card.last, card.since))?;
            }
            batch.events = 0;
            Ok::<_, Fault>(connection.execute_batch("COMMIT")?)
        };
        let watch = Stopwatch::start();
        read(journal, |header, body| {
            batch.take(header, body)?;
            if batch.is_full() { write(&mut batch) } else { Ok(()) }
        })?;
        write(&mut batch)?;
        Ok(watch.elapsed())
    })
}
