//! Servers that die, connections that break, databases that come back as somebody else.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use guichet_journal::{
    Append, Digest, Expected, Filter, Followed, Journal, JournalError, PostgresJournal, PostgresOptions,
    Revision, verify_all,
};
use sqlx::{Connection, PgConnection};

use crate::appends::{command, everything, stream};
use crate::server::{Server, until};
use crate::tools::{Database, present};

/// What a caller was told of one event.
type Acknowledged = HashMap<(String, u64), Digest>;

/// Writes until told to stop, sending every append again until its answer is sure. Answers what was acknowledged and how often it was in doubt.
async fn persist(journal: Arc<PostgresJournal>, stop: Arc<AtomicBool>) -> (Acknowledged, usize) {
    let (mut acknowledged, mut doubts) = (HashMap::new(), 0);
    while !stop.load(Ordering::Relaxed) {
        let (stream, mut expected) = (stream(), Expected::NoStream);
        for _ in 0..4 {
            let append = command(&stream, expected, 2);
            let receipt = loop {
                match journal.append(append.clone()).await {
                    Ok(receipt) => break receipt,
                    Err(JournalError::Indeterminate { .. }) => doubts += 1,
                    Err(JournalError::Unavailable { .. }) => {}
                    Err(error) => panic!("{error}"),
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            };
            expected = Expected::Exact(receipt.revision);
            for event in &receipt.events {
                let place = (event.stream().to_owned(), event.revision().unwrap().get());
                acknowledged.insert(place, event.header_digest());
            }
        }
    }
    (acknowledged, doubts)
}

/// Two servers write while `disturb` does its worst; then everything acknowledged stands once, whole and in order, and nothing else.
async fn survive(database: &Database, disturb: impl AsyncFnOnce()) {
    let stop = Arc::new(AtomicBool::new(false));
    let mut writers = Vec::new();
    let mut servers = Vec::new();
    for _ in 0..2 {
        let journal = Arc::new(database.open().await.unwrap());
        for _ in 0..8 {
            writers.push(tokio::spawn(persist(Arc::clone(&journal), Arc::clone(&stop))));
        }
        servers.push(journal);
    }
    let mut follower = servers[0].follow(None, Filter::everything());
    let followed = tokio::spawn(async move {
        let mut told = Vec::new();
        loop {
            match follower.next().await {
                Ok(Followed::Event(event)) => told.push(event),
                Ok(Followed::CaughtUp(_)) => {}
                Err(JournalError::Closed) => return told,
                // As readers do: the same question again.
                Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    });
    disturb().await;
    stop.store(true, Ordering::Relaxed);
    let mut acknowledged = HashMap::new();
    for writer in writers {
        acknowledged.extend(writer.await.unwrap().0);
    }
    assert!(
        acknowledged.len() > 200,
        "only {} events were acknowledged; the test proves too little",
        acknowledged.len()
    );
    let standing = everything(servers[1].as_ref()).await;
    let found: Acknowledged = standing
        .iter()
        .map(|event| ((event.stream().to_owned(), event.revision().unwrap().get()), event.header_digest()))
        .collect();
    assert_eq!(found.len(), standing.len(), "an event stands twice");
    // Every append was sent until it was acknowledged, so what stands is exactly that.
    assert!(found == acknowledged, "{} events stand, {} were acknowledged", found.len(), acknowledged.len());
    let report = verify_all(servers[1].as_ref()).await.unwrap();
    assert!(report.is_sound(), "{:?}", report.findings);
    assert_eq!(servers[1].examine().await.unwrap(), Vec::<String>::new());
    until("the follower's end", async || servers[0].head().await.is_ok()).await;
    for server in &servers {
        server.close().await;
    }
    let told = followed.await.unwrap();
    assert!(
        told.iter().map(|event| event.header_digest()).eq(standing.iter().map(|event| event.header_digest())),
        "the follower was told something else"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_database_loses_nothing_acknowledged() {
    if !present() {
        return;
    }
    let server = Server::new("", "");
    let database = Database::on(&server.url()).await;
    survive(&database, async || {
        for round in 0..5_u64 {
            tokio::time::sleep(Duration::from_millis(300 + round * 7919 % 173)).await;
            tokio::task::block_in_place(|| {
                server.kill();
                server.start();
            });
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_connections_lose_nothing_acknowledged() {
    if !present() {
        return;
    }
    let database = Database::new().await;
    survive(&database, async || {
        for _ in 0..15 {
            tokio::time::sleep(Duration::from_millis(120)).await;
            database.break_connections("true").await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_away_refuses_in_time_and_serves_again_when_it_is_back() {
    if !present() {
        return;
    }
    let server = Server::new("", "");
    let database = Database::on(&server.url()).await;
    let journal = database.open().await.unwrap();
    let (first, second) =
        (command(&stream(), Expected::NoStream, 1), command(&stream(), Expected::NoStream, 1));
    journal.append(first).await.unwrap();
    server.stop();
    for round in 0..3 {
        let started = std::time::Instant::now();
        let refused = journal.append(second.clone()).await.unwrap_err();
        // The very first may have been on its way when the database went.
        assert!(
            matches!(refused, JournalError::Unavailable { .. } | JournalError::Indeterminate { .. }),
            "{refused:?}"
        );
        assert!(round == 0 || refused.surely_not_written(), "{refused:?}");
        assert!(
            started.elapsed() < Duration::from_secs(if round == 0 { 12 } else { 6 }),
            "{:?}",
            started.elapsed()
        );
        assert!(journal.read(&second.stream, Revision::FIRST, 1).await.is_err());
        assert!(journal.head().await.is_err());
    }
    server.start();
    until("an append after the restart", async || journal.append(second.clone()).await.is_ok()).await;
    assert_eq!(everything(&journal).await.len(), 2);
    let closed = tokio::time::timeout(Duration::from_secs(30), journal.close()).await;
    assert!(closed.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_put_back_from_an_older_copy_is_not_written() {
    if !present() {
        return;
    }
    for others_write in [false, true] {
        let server = Server::new("", "");
        let database = Database::on(&server.url()).await;
        let (journal, reader) = (database.open().await.unwrap(), database.open().await.unwrap());
        let early: Append = command(&stream(), Expected::NoStream, 2);
        journal.append(early).await.unwrap();
        let copy = server.folder.path().join("copy");
        server.stop();
        server.copy(&server.data(), &copy);
        server.start();
        until("an append before the loss", async || {
            journal.append(command(&stream(), Expected::NoStream, 2)).await.is_ok()
        })
        .await;
        // One server has acknowledged what will be lost, the other has only read it.
        assert!(everything(&reader).await.len() >= 4);
        server.stop();
        server.copy(&copy, &server.data());
        server.start();
        if others_write {
            // The positions are there again, with other events.
            let other = database.open().await.unwrap();
            other.append(command(&stream(), Expected::NoStream, 5)).await.unwrap();
        }
        let before = everything(&database.open().await.unwrap()).await.len();
        for server in [&journal, &reader, &journal, &reader] {
            let refused = server.append(command(&stream(), Expected::NoStream, 1)).await.unwrap_err();
            assert!(matches!(refused, JournalError::Corrupt { .. }), "{refused:?}");
            assert!(refused.to_string().contains("put back from an older copy"), "{refused}");
        }
        assert_eq!(
            everything(&database.open().await.unwrap()).await.len(),
            before,
            "something was written all the same"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_hears_of_other_servers_without_the_connection_that_tells_it() {
    if !present() {
        return;
    }
    let database = Database::new().await;
    let (first, second) = (database.open().await.unwrap(), database.open().await.unwrap());
    let mut follower = first.follow(None, Filter::everything());
    assert!(matches!(follower.next().await.unwrap(), Followed::CaughtUp(None)));
    for _ in 0..5 {
        database
            .break_connections(
                "query LIKE 'LISTEN%' OR query LIKE '%coalesce(max(position), 0) FROM events%'",
            )
            .await;
        let receipt = second.append(command(&stream(), Expected::NoStream, 1)).await.unwrap();
        let told = tokio::time::timeout(Duration::from_secs(20), async {
            loop {
                if let Followed::Event(event) = follower.next().await.unwrap() {
                    return event;
                }
            }
        });
        assert_eq!(told.await.unwrap().position(), receipt.position);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_that_somebody_keeps_refuses_appends_in_time() {
    if !present() {
        return;
    }
    let database = Database::new().await;
    database.open().await.unwrap().close().await;
    let options = PostgresOptions::parse(&format!("{}?timeout=1", database.url)).unwrap();
    let keys = Arc::new(guichet_journal::MemoryKeyStore::new().unwrap());
    let journal = PostgresJournal::open(&options, keys).await.unwrap();
    let mut holder = PgConnection::connect(&database.url).await.unwrap();
    sqlx::raw_sql("SET search_path = guichet; BEGIN; SELECT lock_events()")
        .execute(&mut holder)
        .await
        .unwrap();
    let append = command(&stream(), Expected::NoStream, 1);
    let started = std::time::Instant::now();
    let refused = journal.append(append.clone()).await.unwrap_err();
    assert!(matches!(refused, JournalError::Unavailable { .. }), "{refused:?}");
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    assert!(everything(&journal).await.is_empty(), "readers do not wait for writers");
    sqlx::raw_sql("ROLLBACK").execute(&mut holder).await.unwrap();
    assert!(!journal.append(append).await.unwrap().repeated);
}
