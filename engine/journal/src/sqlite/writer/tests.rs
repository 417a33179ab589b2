use std::sync::Arc;

use super::*;
use crate::Digest;
use crate::error::Expected;
use crate::event::{Append, Body, NewEvent};
use crate::id::{Kid, Position, Revision, StreamId, Subject};
use crate::keys::MemoryKeyStore;
use crate::prepare::{Prepared, Preparer, StreamKeys};
use crate::sqlite::JOURNAL_FILE;

struct NoKeys;

#[async_trait::async_trait]
impl StreamKeys for NoKeys {
    async fn keys_of(&self, _stream: &StreamId) -> Result<Vec<(Subject, Kid)>, JournalError> {
        Ok(Vec::new())
    }
}

/// A command of two events, the first on a new stream.
async fn prepared(number: u128, size: usize) -> Prepared {
    let instant = chrono::DateTime::UNIX_EPOCH;
    let body = Body::of(&"x".repeat(size)).unwrap();
    let event = NewEvent {
        event_type: "a.b".parse().unwrap(),
        occurred_at: instant,
        definition: None,
        actor: None,
        body,
    };
    let append = Append {
        stream: StreamId::new(&"ville".parse().unwrap(), "request", uuid::Uuid::from_u128(number)).unwrap(),
        expected: Expected::NoStream,
        command: CommandId::new(uuid::Uuid::from_u128(number)),
        command_digest: Digest::of(b""),
        actor: "x".parse().unwrap(),
        on_behalf_of: None,
        channel: None,
        recorded_at: instant,
        correlation: None,
        causation: None,
        known_keys: Vec::new(),
        events: vec![event.clone(), event],
    };
    let preparer = Preparer::new(Arc::new(MemoryKeyStore::new().unwrap()));
    preparer.prepare(append, &NoKeys).await.unwrap().0
}

async fn writer() -> (tempfile::TempDir, Writer) {
    let folder = tempfile::tempdir().unwrap();
    let writer = again(folder.path()).await;
    (folder, writer)
}

async fn again(folder: &Path) -> Writer {
    Writer::open(SqliteTable::new(Folder::unlocked(folder), &folder.join(JOURNAL_FILE))).await.unwrap()
}

fn pragma(writer: &mut Writer, text: &'static str) {
    writer.table.connection.as_ref().unwrap().execute_batch(text).unwrap();
}

#[tokio::test]
async fn a_full_store_refuses_the_group_and_works_again_once_there_is_room() {
    let (_folder, mut writer) = writer().await;
    writer.write(&[prepared(1, 10).await]).await.unwrap();
    pragma(&mut writer, "PRAGMA max_page_count = 12");
    let group = [prepared(2, 10).await, prepared(3, 60_000).await];
    assert_eq!(writer.write(&group).await.unwrap_err(), JournalError::Full);
    assert_eq!(writer.head(), Some(Position::from_token(2)), "a refused group must leave no hole");
    // What fits is still taken, and nothing of the refused group stands.
    let receipts = writer.write(&group[..1]).await.unwrap();
    assert!(
        receipts[0]
            .as_ref()
            .is_ok_and(|receipt| !receipt.repeated && receipt.position == Position::from_token(4))
    );
    pragma(&mut writer, "PRAGMA max_page_count = 1000");
    let receipts = writer.write(&group).await.unwrap();
    assert_eq!(
        receipts.iter().map(|receipt| receipt.as_ref().unwrap().repeated).collect::<Vec<_>>(),
        [true, false]
    );
}

#[tokio::test]
async fn after_a_lost_connection_the_journal_is_read_afresh() {
    let (folder, mut first) = writer().await;
    let mut second = again(folder.path()).await;
    let (known, new) = (prepared(1, 10).await, prepared(2, 10).await);
    first.write(std::slice::from_ref(&known)).await.unwrap();
    // As after an answer that nobody heard: the events stand, and this writer does not know of them.
    second.table.connection = None;
    let receipts = second.write(&[known, new]).await.unwrap();
    let told: Vec<_> = receipts
        .into_iter()
        .map(|receipt| receipt.map(|receipt| (receipt.repeated, receipt.position)).unwrap())
        .collect();
    assert_eq!(told, [(true, Position::from_token(2)), (false, Position::from_token(4))]);
}

#[tokio::test]
async fn what_was_taken_on_trust_is_decided_again_when_it_was_wrong() {
    let (folder, mut first) = writer().await;
    let mut second = again(folder.path()).await;
    let (known, new) = (prepared(1, 10).await, prepared(2, 10).await);
    first.write(std::slice::from_ref(&known)).await.unwrap();
    let mut rival = prepared(1, 10).await;
    rival.command = CommandId::new(uuid::Uuid::from_u128(77));
    let receipts = second.write(&[known, rival, new]).await.unwrap();
    assert!(receipts[0].as_ref().is_ok_and(|receipt| receipt.repeated));
    assert!(
        matches!(receipts[1], Err(JournalError::Conflict { actual: Some(actual), .. }) if actual == Revision::new(1))
    );
    assert!(
        receipts[2]
            .as_ref()
            .is_ok_and(|receipt| !receipt.repeated && receipt.position == Position::from_token(4))
    );
}

#[test]
fn only_failures_that_may_follow_a_commit_leave_doubt() {
    let path = Path::new("journal.db");
    assert!(!fault::writing(&sqlx::Error::WorkerCrashed, path).surely_not_written());
    assert!(fault::reading(&sqlx::Error::WorkerCrashed, path).surely_not_written());
}

#[test]
fn an_insert_has_a_place_for_every_column_of_every_row() {
    assert_eq!(insert_text(3).matches('?').count(), 24);
    assert!(insert_text(1).ends_with("VALUES (?,?,?,?,?,?,?,?)"));
}

#[tokio::test]
async fn twins_in_one_group_are_one_command() {
    for expected in [Expected::NoStream, Expected::Any] {
        let (_folder, mut writer) = writer().await;
        let mut group =
            vec![prepared(1, 10).await, prepared(1, 10).await, prepared(1, 10).await, prepared(2, 10).await];
        // The fingerprint is keyed, and each of these was prepared under keys of its own.
        let fingerprint = group[0].fingerprint;
        for twin in &mut group {
            (twin.expected, twin.fingerprint) = (expected, fingerprint);
        }
        group[2].fingerprint[0] ^= 1;
        let answers = writer.write(&group).await.unwrap();
        let told = |index: usize| {
            answers[index].as_ref().map(|receipt| (receipt.repeated, receipt.position)).unwrap()
        };
        assert_eq!((told(0), told(1)), ((false, Position::from_token(2)), (true, Position::from_token(2))));
        assert!(matches!(answers[2], Err(JournalError::CommandReused { .. })), "{:?}", answers[2]);
        assert_eq!(told(3), (false, Position::from_token(4)));
    }
}
