//! How streams stand in the store, and what becomes of those that somebody changes there.

use guichet_journal::{
    Body, EventId, Expected, Filter, Followed, Journal, JournalError, NewEvent, Revision, StreamId,
};
use uuid::Uuid;

use crate::server::Cluster;
use crate::tools::{command, everything, hasty, open, soon, standing, stream};

/// Names, ids, types and metadata are those that KurrentDB's own tools expect, and the texts stand there to the byte.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_stands_as_the_tools_of_kurrentdb_expect_it() {
    let cluster = Cluster::of(1).await;
    let journal = open(&cluster, hasty()).await;
    let stream = stream();
    let mut append = command(&stream, Expected::NoStream, 2);
    append.correlation = Some(Uuid::from_u128(7));
    append.causation = Some(EventId::new(Uuid::from_u128(9)));
    append.events.iter_mut().for_each(|event| event.event_type = "request.noted".parse().unwrap());
    append.events[1].body =
        Body::parse(" \n{\"who\": {\"$personal\":\"p1\",\"value\":\"Ines\"}, \"n\": 1.50}\t ".to_owned())
            .unwrap();
    let receipt = journal.append(append.clone()).await.unwrap();
    let plain = command(&stream, Expected::Exists, 1);
    journal.append(plain).await.unwrap();
    let records: Vec<_> =
        cluster.log().records.iter().filter(|record| record.stream == stream.as_str()).cloned().collect();
    assert_eq!(records.len(), 3);
    for (index, record) in records.iter().take(2).enumerate() {
        assert!(record.stream.starts_with("ville.request-") && record.number == index as u64);
        assert_eq!(record.id, EventId::of(append.command, index).uuid());
        assert_eq!(
            (record.event_type.as_str(), record.content_type.as_str()),
            ("request.noted", "application/json")
        );
        let metadata: serde_json::Value = serde_json::from_slice(&record.metadata).unwrap();
        assert_eq!(metadata["$correlationId"], Uuid::from_u128(7).to_string());
        assert_eq!(metadata["$causationId"], Uuid::from_u128(9).to_string());
        assert_eq!(metadata["header"], receipt.events[index].stored_header());
        assert_eq!(metadata["command"], append.command.to_string());
        assert!(!String::from_utf8_lossy(&record.data).contains("Ines"));
        serde_json::from_slice::<serde_json::Value>(&record.data).unwrap();
    }
    assert_eq!(records[0].data, receipt.events[0].stored_body().as_bytes());
    assert_eq!(records[1].data, receipt.events[1].stored_body().trim().as_bytes());
    let read = journal.read(&stream, Revision::FIRST, 10).await.unwrap();
    assert_eq!(read[1].stored_body(), receipt.events[1].stored_body());
    assert_eq!(journal.open(&read[1]).await.unwrap(), append.events[1].body.as_str());
    let metadata: serde_json::Value = serde_json::from_slice(&records[2].metadata).unwrap();
    assert!(metadata.get("$correlationId").is_none() && metadata.get("$causationId").is_none());
    let ours = |record: &&crate::server::Record| !record.metadata.is_empty();
    assert!(
        cluster
            .log()
            .records
            .iter()
            .filter(ours)
            .all(|record| { !record.stream.starts_with('$') && !record.event_type.starts_with('$') })
    );
    let report = guichet_journal::verify_all(&journal).await.unwrap();
    assert!(report.is_sound() && report.events == 3, "{report:?}");
}

/// Whoever deletes a stream on the server takes away what was acknowledged: that is told, not taken for a stream that never was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_deleted_on_the_server_is_noticed() {
    let cluster = Cluster::of(1).await;
    for forever in [false, true] {
        let (journal, stream) = (open(&cluster, hasty()).await, stream());
        let append = command(&stream, Expected::NoStream, 2);
        journal.append(append.clone()).await.unwrap();
        cluster.change(|log| {
            let name = stream.as_str();
            if forever { log.tombstone(name) } else { log.delete(name) }
        });
        let records = cluster.log().records.len();
        // With what the journal remembers, and without.
        for journal in [&journal, &open(&cluster, hasty()).await] {
            for expected in
                [Expected::NoStream, Expected::Exact(Revision::new(1)), Expected::Exists, Expected::Any]
            {
                let answer = soon(journal.append(command(&stream, expected, 1))).await;
                let closed = matches!(answer, Err(JournalError::Tombstoned { .. }));
                let damaged = !forever && matches!(answer, Err(JournalError::Corrupt { .. }));
                assert!(closed || damaged, "for ever: {forever}, {expected}: {answer:?}");
            }
            let read = journal.read(&stream, Revision::FIRST, 10).await;
            assert!(matches!(read, Err(JournalError::Corrupt { .. })), "{read:?}");
        }
        assert_eq!(cluster.log().records.len(), records, "something was written to a deleted stream");
    }
}

/// A stream whose beginning was removed cannot be read as if it began later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_without_its_beginning_is_noticed() {
    let cluster = Cluster::of(1).await;
    let (journal, stream) = (open(&cluster, hasty()).await, stream());
    journal.append(command(&stream, Expected::NoStream, 5)).await.unwrap();
    cluster.change(|log| log.truncate(stream.as_str(), 3));
    let read = journal.read(&stream, Revision::FIRST, 10).await;
    assert!(matches!(read, Err(JournalError::Corrupt { .. })), "{read:?}");
    assert_eq!(journal.read(&stream, Revision::new(3), 10).await.unwrap().len(), 2);
    let answer = open(&cluster, hasty()).await.append(command(&stream, Expected::Any, 1)).await;
    assert!(matches!(answer, Err(JournalError::Corrupt { .. })), "{answer:?}");
}

/// A database put back from an older copy is refused by whoever had more from it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_put_back_from_an_older_copy_is_noticed() {
    let cluster = Cluster::of(1).await;
    let (journal, stream) = (open(&cluster, hasty()).await, stream());
    journal.append(command(&stream, Expected::NoStream, 1)).await.unwrap();
    let copy = cluster.log().records.len();
    for _ in 0..3 {
        journal.append(command(&stream, Expected::Any, 1)).await.unwrap();
    }
    let head = journal.head().await.unwrap();
    cluster.change(|log| log.put_back(copy));
    for _ in 0..2 {
        let answer = journal.append(command(&stream, Expected::Any, 1)).await;
        assert!(matches!(answer, Err(JournalError::Unavailable { .. })), "{answer:?}");
        let page = journal.read_all(head, &Filter::everything(), 10).await;
        assert!(matches!(page, Err(JournalError::Unavailable { .. })), "{page:?}");
    }
    let mut follower = journal.follow(head, Filter::everything());
    let told = soon(follower.next()).await;
    assert!(matches!(told, Err(JournalError::Unavailable { .. })), "{told:?}");
    assert_eq!(cluster.log().records.len(), copy, "something was written to the older copy");
}

/// Other programs' events in the same database are passed over, however many; a stranger in a stream of ours is found.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_others_write_is_passed_over() {
    let cluster = Cluster::of(1).await;
    let journal = open(&cluster, hasty()).await;
    let mut follower = journal.follow(None, Filter::everything());
    let strange = |count: usize| {
        cluster.change(|log| {
            for _ in 0..count {
                log.write("orders-17", crate::tools::draw(), "order-placed", b"<not json>");
                log.write("$et-x", crate::tools::draw(), "$>", b"17@orders");
            }
        });
    };
    strange(300);
    assert!(matches!(soon(follower.next()).await.unwrap(), Followed::CaughtUp(None)));
    assert_eq!(journal.head().await.unwrap(), None);
    assert!(guichet_journal::KurrentJournal::is_empty(&cluster.url()).await.unwrap());
    let own = stream();
    let mut last = None;
    for count in [0, 1, 300, 40] {
        strange(count);
        let receipt = journal.append(command(&own, Expected::Any, 1)).await.unwrap();
        strange(count);
        assert!(
            matches!(soon(follower.next()).await.unwrap(), Followed::Event(event) if event.position() == receipt.position)
        );
        let end = soon(follower.next()).await.unwrap();
        assert!(matches!(end, Followed::CaughtUp(through) if through == Some(receipt.position)), "{end:?}");
        assert_eq!(journal.head().await.unwrap(), Some(receipt.position));
        last = Some(receipt.position);
    }
    assert_eq!(open(&cluster, hasty()).await.head().await.unwrap(), last);
    assert!(!guichet_journal::KurrentJournal::is_empty(&cluster.url()).await.unwrap());
    for limit in [1, 2, 3] {
        let page = journal.read_all(None, &Filter::everything(), limit).await.unwrap();
        assert_eq!(page.events.len(), limit);
    }
    assert_eq!(everything(&journal).await.len(), 4);
    cluster.change(|log| log.write(own.as_str(), crate::tools::draw(), "order-placed", b"{}"));
    let report = guichet_journal::verify_all(&journal).await.unwrap();
    assert!(!report.is_sound(), "a stranger in a stream of ours was not noticed");
    let answer = open(&cluster, hasty()).await.append(command(&own, Expected::Any, 1)).await;
    assert!(matches!(answer, Err(JournalError::Corrupt { .. })), "{answer:?}");
}

/// Several journals live in one database under prefixes of their own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn journals_with_prefixes_know_nothing_of_each_other() {
    let cluster = Cluster::of(1).await;
    let open = async |prefix: &str| {
        let url = format!("{}&streamPrefix={prefix}", cluster.url());
        let keys = crate::tools::keys();
        guichet_journal::KurrentJournal::open(&url, keys).await.unwrap()
    };
    let (one, other) = (open("essai.").await, open("").await);
    let stream: StreamId = stream();
    let append = command(&stream, Expected::NoStream, 1);
    let receipt = one.append(append.clone()).await.unwrap();
    assert_eq!((other.head().await.unwrap(), standing(&other, &stream).await), (None, 0));
    assert!(!other.append(append).await.unwrap().repeated);
    assert_eq!(one.head().await.unwrap(), Some(receipt.position));
    assert_eq!(everything(&one).await.len(), 1);
    let tombstone = NewEvent::tombstone("2026-03-02T09:00:00Z".parse().unwrap()).unwrap();
    let mut closing = command(&stream, Expected::Exists, 1);
    closing.events = vec![tombstone];
    one.append(closing).await.unwrap();
    other.append(command(&stream, Expected::Exists, 1)).await.unwrap();
}
