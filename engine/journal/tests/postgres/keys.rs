//! Keys that several servers share.

use std::time::{Duration, Instant};

use guichet_journal::{
    Expected, Filter, Journal, JournalError, KeyState, KeyStore, Kid, MASTER_FILE, MasterKey,
    PostgresJournal, PostgresKeyStore, Recorded,
};

use sqlx::{Connection, PgConnection};

use crate::appends::{command, everything, stream};
use crate::tools::{Database, present};

async fn is_active(store: &PostgresKeyStore, kid: &Kid) -> bool {
    matches!(store.find(kid).await.unwrap(), KeyState::Active(_))
}

/// How long it takes until a store sees a key in another state than active, or active again.
async fn seen(store: &PostgresKeyStore, kid: &Kid, active: bool) -> Duration {
    let started = Instant::now();
    while is_active(store, kid).await != active {
        assert!(started.elapsed() < Duration::from_secs(10), "the change was never seen");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    started.elapsed()
}

/// Waits until the store hears of changes, from when on it remembers keys.
async fn settled() {
    tokio::time::sleep(Duration::from_millis(300)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_servers_forget_a_key_at_once() {
    if !present() {
        return;
    }
    let database = Database::new().await;
    let (first, second) = (database.keys().await.unwrap(), database.keys().await.unwrap());
    settled().await;
    let (kid, _) = first.fresh().await.unwrap();
    let mut longest = Duration::ZERO;
    for _ in 0..20 {
        assert!(is_active(&first, &kid).await && is_active(&second, &kid).await);
        first.revoke(&kid).await.unwrap();
        assert!(!is_active(&first, &kid).await);
        longest = longest.max(seen(&second, &kid, false).await);
        second.restore(&kid).await.unwrap();
        longest = longest.max(seen(&first, &kid, true).await);
    }
    assert!(longest < Duration::from_secs(6), "a change was seen only after {longest:?}");
    second.destroy(&kid).await.unwrap();
    seen(&first, &kid, false).await;
    second.restore(&kid).await.unwrap();
    assert!(matches!(first.find(&kid).await.unwrap(), KeyState::Destroyed), "a destroyed key came back");
    let mut connection = PgConnection::connect(&database.url).await.unwrap();
    let wrapped: Option<Vec<u8>> = sqlx::query_scalar("SELECT wrapped FROM guichet_keys.keys WHERE kid = $1")
        .bind(kid.as_str())
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(wrapped, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_hears_nothing_remembers_nothing() {
    if !present() {
        return;
    }
    let database = Database::new().await;
    let (first, second) = (database.keys().await.unwrap(), database.keys().await.unwrap());
    settled().await;
    for _ in 0..5 {
        let (kid, _) = first.fresh().await.unwrap();
        assert!(is_active(&second, &kid).await);
        database.break_connections("query LIKE 'LISTEN%' OR query LIKE 'SELECT 0::bigint%'").await;
        first.revoke(&kid).await.unwrap();
        let took = seen(&second, &kid, false).await;
        assert!(took < Duration::from_secs(6), "a change was seen only after {took:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_master_key_is_refused_with_a_clear_sentence() {
    if !present() {
        return;
    }
    let database = Database::new().await;
    let journal = database.open().await.unwrap();
    journal.append(command(&stream(), Expected::NoStream, 1)).await.unwrap();
    journal.close().await;
    let elsewhere = tempfile::tempdir().unwrap();
    let open =
        async || PostgresKeyStore::open(&database.options(), elsewhere.path()).await.map(drop).unwrap_err();
    let refused = open().await;
    assert!(
        matches!(&refused, JournalError::Keys { reason } if reason.contains("is missing") && reason.contains("copy the file")),
        "{refused}"
    );
    let file = elsewhere.path().join(MASTER_FILE);
    assert!(!file.exists(), "a master key was made beside keys that another one wraps");
    MasterKey::create(&file).unwrap();
    let refused = open().await;
    assert!(
        matches!(&refused, JournalError::Keys { reason } if reason.contains("is not the master key of")),
        "{refused}"
    );
    std::fs::copy(database.folder.path().join(MASTER_FILE), &file).unwrap();
    let keys = PostgresKeyStore::open(&database.options(), elsewhere.path()).await.unwrap();
    let journal = PostgresJournal::open(&database.options(), std::sync::Arc::new(keys)).await.unwrap();
    let event = journal.read_all(None, &Filter::everything(), 1).await.unwrap().events.remove(0);
    assert!(journal.open(&event).await.unwrap().contains("Ines Dupont"));
    // Keys that somebody lost are not made anew beside what they sealed.
    database.execute("DROP SCHEMA guichet_keys CASCADE").await;
    let refused = open().await;
    assert!(
        matches!(&refused, JournalError::Keys { reason } if reason.contains("put it back from its backup")),
        "{refused}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_person_has_one_key_in_a_stream_on_all_servers_and_is_erased_on_all() {
    if !present() {
        return;
    }
    let database = Database::new().await;
    let (first, second) = (database.open().await.unwrap(), database.open().await.unwrap());
    let stream = stream();
    for journal in [&first, &second, &first, &second] {
        journal.append(command(&stream, Expected::Any, 1)).await.unwrap();
    }
    let events: Vec<Recorded> = everything(&second).await;
    let kid = events[0].header().unwrap().keys[0].clone();
    assert!(
        events.iter().all(|event| event.header().unwrap().keys == [kid.clone()]),
        "the servers gave the person different keys"
    );
    second.keys().destroy(&kid).await.unwrap();
    let started = Instant::now();
    while first.open(&events[0]).await.unwrap().contains("Ines Dupont") {
        assert!(started.elapsed() < Duration::from_secs(10), "the other server still shows what was erased");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // New data of the person get a new key, and the same on both.
    let mut new = Vec::new();
    for journal in [&first, &second, &first] {
        let receipt = journal.append(command(&stream, Expected::Any, 1)).await.unwrap();
        new.extend(receipt.events[0].header().unwrap().keys.clone());
    }
    assert!(new[0] != kid && new.iter().all(|key| *key == new[0]), "{kid}: {new:?}");
}
