//! What the fault cases are made of.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use guichet_journal::{
    Append, Body, CommandId, Digest, Expected, Filter, Journal, NewEvent, Recorded, Revision, SqliteJournal,
    StreamId,
};
use sqlx::Connection;
use sqlx::sqlite::SqliteConnection;
use uuid::Uuid;

static DRAWN: AtomicU64 = AtomicU64::new(0);

pub(crate) fn draw() -> Uuid {
    let number = DRAWN.fetch_add(1, Ordering::Relaxed);
    Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{} {number}", std::process::id()).as_bytes())
}

pub(crate) fn stream() -> StreamId {
    StreamId::new(&"ville".parse().unwrap(), "request", draw()).unwrap()
}

/// A command of `count` events, each with a person's data.
pub(crate) fn command(stream: &StreamId, expected: Expected, count: usize) -> Append {
    let instant = "2026-03-02T09:00:00Z".parse().unwrap();
    let body =
        r#"{"who":{"$personal":"p1","value":"Ines Dupont"},"what":"A lamp is out in the Rue de Marne"}"#;
    let event = NewEvent {
        event_type: "request.received".parse().unwrap(),
        occurred_at: instant,
        definition: None,
        actor: None,
        body: Body::parse(body.to_owned()).unwrap(),
    };
    let id = draw();
    Append {
        stream: stream.clone(),
        expected,
        command: CommandId::new(id),
        command_digest: Digest::of(id.as_bytes()),
        actor: "agent:12".parse().unwrap(),
        on_behalf_of: None,
        channel: None,
        recorded_at: instant,
        correlation: None,
        causation: None,
        known_keys: Vec::new(),
        events: vec![event; count],
    }
}

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

pub(crate) async fn everything(journal: &dyn Journal) -> Vec<Recorded> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = journal.read_all(after, &Filter::everything(), 1000).await.unwrap();
        all.extend(page.events);
        after = page.through;
        if page.at_end {
            return all;
        }
    }
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
