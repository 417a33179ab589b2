//! The floors: what the machine and the libraries allow when nothing is decided, sealed, hashed or checked.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use guichet_journal::Recorded;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, SqliteConnection};

use crate::measure::{Fault, Stopwatch};

/// One stored event, as the journal wrote it.
pub(crate) struct Row {
    stream: String,
    command: String,
    revision: i64,
    header: String,
    body: String,
}

impl Row {
    /// The same bytes as a recorded event.
    ///
    /// # Errors
    /// When the event's header cannot be read.
    pub(crate) fn of(event: &Recorded) -> Result<Self, Fault> {
        Ok(Self {
            stream: event.stream().to_owned(),
            command: event.header()?.command.to_string(),
            revision: i64::try_from(event.revision().ok_or("an event without a revision")?.get())?,
            header: event.stored_header().to_owned(),
            body: event.stored_body().to_owned(),
        })
    }

    /// How many bytes of header and body it has.
    #[must_use]
    pub(crate) fn bytes(&self) -> usize {
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

/// The rows of so many commands together, as callers who wait at the same moment would have them written.
#[must_use]
pub(crate) fn batches(rows: &[Row], commands: usize) -> Vec<&[Row]> {
    let mut batches = Vec::new();
    let (mut rest, mut seen, mut length) = (rows, 0, 0);
    for (row, after) in rows.iter().zip(rows.iter().skip(1).map(Some).chain([None])) {
        length += 1;
        seen += usize::from(after.is_none_or(|after| after.command != row.command));
        if seen == commands || after.is_none() {
            let (batch, more) = rest.split_at_checked(length).unwrap_or((rest, &[]));
            batches.push(batch);
            (rest, seen, length) = (more, 0, 0);
        }
    }
    batches
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
