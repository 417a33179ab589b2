//! The floors: what the machine and the libraries allow when nothing is decided, sealed, hashed or checked.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use guichet_journal::Recorded;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, SqliteConnection};

use crate::measure::{Fault, Stopwatch};

/// One stored event, as the journal wrote it.
pub struct Row {
    stream: String,
    revision: i64,
    header: String,
    body: String,
}

impl Row {
    /// The same bytes as a recorded event.
    ///
    /// # Errors
    /// When the event's header cannot be read.
    pub fn of(event: &Recorded) -> Result<Self, Fault> {
        Ok(Self {
            stream: event.stream().to_owned(),
            revision: i64::try_from(event.revision().ok_or("an event without a revision")?.get())?,
            header: event.stored_header().to_owned(),
            body: event.stored_body().to_owned(),
        })
    }

    /// How many bytes of header and body it has.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.header.len() + self.body.len()
    }
}

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

/// Writes the rows in transactions of `batch` rows, one statement and one fsync each, and waits for each: the fastest
/// way that the same driver offers.
///
/// # Errors
/// When SQLite refuses.
pub async fn bare_loop(path: &Path, rows: &[Row], batch: usize) -> Result<Duration, Fault> {
    let mut connection = fresh(path).await?;
    let text = |rows: usize| -> Arc<str> {
        format!("INSERT INTO event (stream, revision, header, body) VALUES {}", ["(?,?,?,?)"].repeat(rows).join(",")).into()
    };
    let whole = text(batch);
    let watch = Stopwatch::start();
    for chunk in rows.chunks(batch) {
        let statement = if chunk.len() == batch { Arc::clone(&whole) } else { text(chunk.len()) };
        let mut query = sqlx::query(AssertSqlSafe(statement));
        for row in chunk {
            query = query.bind(&row.stream).bind(row.revision).bind(&row.header).bind(&row.body);
        }
        query.execute(&mut connection).await?;
    }
    let elapsed = watch.elapsed();
    connection.close().await?;
    Ok(elapsed)
}
