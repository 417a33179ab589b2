//! What the fault cases are made of.

use std::path::Path;

use guichet_journal::{Digest, Expected, Journal, Recorded, Revision, SqliteJournal, StreamId};
use sqlx::Connection;
use sqlx::sqlite::SqliteConnection;

pub(crate) use crate::appends::{command, everything, stream};

/// A folder whose journal holds streams of so many events, closed.
pub(crate) async fn filled(events: &[usize]) -> (tempfile::TempDir, Vec<StreamId>) {
    let folder = tempfile::tempdir().unwrap();
    let journal = SqliteJournal::open(folder.path()).await.unwrap();
    let mut streams = Vec::new();
    for count in events {
        let stream = stream();
        journal.append(command(&stream, Expected::NoStream, *count)).await.unwrap();
        streams.push(stream);
    }
    journal.close().await;
    (folder, streams)
}

pub(crate) fn digests(events: &[Recorded]) -> Vec<Digest> {
    events.iter().map(Recorded::header_digest).collect()
}

/// Changes a closed database behind the journal's back.
pub(crate) async fn tamper(file: &Path, sql: &'static str) {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// Opens the folder; an open journal of this program may take a moment to let go of it.
pub(crate) async fn reopen(folder: &Path) -> SqliteJournal {
    for _ in 0..200 {
        match SqliteJournal::open(folder).await {
            Err(guichet_journal::JournalError::Locked { .. }) => {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
            opened => return opened.unwrap(),
        }
    }
    panic!("the folder stays locked");
}

pub(crate) async fn length(journal: &dyn Journal, stream: &StreamId) -> usize {
    journal.read(stream, Revision::FIRST, 1000).await.unwrap().len()
}
