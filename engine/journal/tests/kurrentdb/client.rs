//! The faults of the client crate that the journal owns, each seen to happen to a bare client and not to the journal.

use std::time::{Duration, Instant};

use eventstore_client::{AppendToStreamOptions, Client, EventData};
use guichet_journal::{Expected, Filter, Followed, Journal, Revision};
use sqlx::Connection;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tonic::{Code, Status};

use crate::server::{Call, Cluster, Fault, Role};
use crate::tools::{command, draw, hasty, is_first, open, soon, steady, stream};

async fn bare_append(client: &Client) -> bool {
    let event = EventData::json("x.y", &1).unwrap().id(draw());
    let options = AppendToStreamOptions::default();
    let appended = client.append_to_stream("bare", &options, event);
    tokio::time::timeout(Duration::from_secs(2), appended).await.is_ok_and(|answer| answer.is_ok())
}

fn bare(cluster: &Cluster) -> Client {
    Client::new(cluster.url().parse().unwrap()).unwrap()
}

/// Fault 1: a client whose first connection failed never connects again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_was_not_ready_is_found_again() {
    let cluster = Cluster::of(1).await;
    let not_ready = || Fault::Refuse(Status::new(Code::Unavailable, "Server Is Not Ready"));
    let client = bare(&cluster);
    cluster.inject(Call::Features, not_ready());
    assert!(!bare_append(&client).await);
    assert!(!bare_append(&client).await, "the client crate has been mended: the cell may go");
    for _ in 0..5 {
        cluster.inject(Call::Features, not_ready());
    }
    let journal = soon(open(&cluster, steady())).await;
    assert!(is_first(&soon(journal.append(command(&stream(), Expected::NoStream, 1))).await));
    assert_eq!(cluster.faults_left(), 0);
}

/// Fault 1 again: a node that is restarted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_was_away_is_found_again() {
    let cluster = Cluster::of(1).await;
    let journal = open(&cluster, steady()).await;
    let stream = stream();
    journal.append(command(&stream, Expected::NoStream, 1)).await.unwrap();
    for round in 1..4_u64 {
        let node = cluster.leader();
        node.kill();
        let append = journal.append(command(&stream, Expected::Exact(Revision::new(round - 1)), 1));
        let restart = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            cluster.restart(&node).await;
        };
        let (answer, ()) = tokio::join!(soon(append), restart);
        assert_eq!(answer.unwrap().revision, Revision::new(round));
    }
}

/// Fault 2: a client does not leave a leader that was killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_leader_is_left() {
    let cluster = Cluster::of(3).await;
    let (client, journal) = (bare(&cluster), open(&cluster, steady()).await);
    assert!(bare_append(&client).await);
    assert!(is_first(&journal.append(command(&stream(), Expected::NoStream, 1)).await));
    cluster.leader().kill();
    cluster.change_leader(Role::Follows);
    let mut found = false;
    for _ in 0..4 {
        found |= bare_append(&client).await;
    }
    assert!(!found, "the client crate has been mended: fresh clients are no longer needed here");
    let begun = Instant::now();
    assert!(is_first(&soon(journal.append(command(&stream(), Expected::NoStream, 1))).await));
    assert!(begun.elapsed() < Duration::from_secs(5), "it took {:?}", begun.elapsed());
}

/// A leader that steps down, alive, sends whoever comes to the next one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_that_steps_down_is_followed_to_the_next() {
    let cluster = Cluster::of(3).await;
    let journal = open(&cluster, steady()).await;
    let stream = stream();
    for round in 0..6_u64 {
        let expected =
            round.checked_sub(1).map_or(Expected::NoStream, |last| Expected::Exact(Revision::new(last)));
        let answer = soon(journal.append(command(&stream, expected, 1))).await;
        assert_eq!(answer.unwrap().revision, Revision::new(round));
        cluster.change_leader(Role::Follows);
    }
}

/// Fault 3: a subscription that the server ends in order makes the client turn in a circle.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_that_the_server_ends_is_replaced() {
    let cluster = Cluster::of(1).await;
    let journal = open(&cluster, hasty()).await;
    for _ in 0..5 {
        cluster.inject(Call::Subscribe, Fault::EndAfter(1));
    }
    let mut follower = journal.follow(None, Filter::everything());
    assert!(matches!(soon(follower.next()).await.unwrap(), Followed::CaughtUp(None)));
    // Another program appends, so that only the subscription and its watch can tell.
    let other = open(&cluster, hasty()).await;
    for _ in 0..20 {
        let receipt = other.append(command(&stream(), Expected::NoStream, 1)).await.unwrap();
        let told = tokio::time::timeout(Duration::from_secs(5), async {
            loop {
                if let Followed::Event(event) = follower.next().await.unwrap() {
                    return event;
                }
            }
        });
        assert_eq!(told.await.expect("it is told").position(), receipt.position);
    }
    assert_eq!(cluster.faults_left(), 0, "not every subscription was ended");
    // None of them goes on turning.
    tokio::time::sleep(Duration::from_millis(500)).await;
    #[cfg(target_os = "linux")]
    assert!(live_threads() <= 1 + OTHERS, "{} threads of subscriptions", live_threads());
}

/// Threads of subscriptions that tests running beside this one may have.
#[cfg(target_os = "linux")]
const OTHERS: usize = 3;

#[cfg(target_os = "linux")]
fn live_threads() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.filter(|name| name.trim() == "kurrent-live").count()
}

/// A subscription that stays open and tells nothing more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_that_falls_silent_is_replaced() {
    let cluster = Cluster::of(1).await;
    let journal = open(&cluster, hasty()).await;
    cluster.inject(Call::Subscribe, Fault::Silence);
    let mut follower = journal.follow(None, Filter::everything());
    assert!(matches!(soon(follower.next()).await.unwrap(), Followed::CaughtUp(None)));
    let other = open(&cluster, hasty()).await;
    for _ in 0..5 {
        let receipt = other.append(command(&stream(), Expected::NoStream, 1)).await.unwrap();
        assert!(
            matches!(soon(follower.next()).await.unwrap(), Followed::Event(event) if event.position() == receipt.position)
        );
        assert!(matches!(soon(follower.next()).await.unwrap(), Followed::CaughtUp(_)));
    }
    let begun = Instant::now();
    while cluster.calls(Call::Subscribe) < 2 {
        assert!(begun.elapsed() < Duration::from_secs(10), "the silent subscription was kept");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Faults 4 to 6: no stream metadata is written, no batch is sent, every event has its id.
#[test]
fn what_the_client_does_wrong_is_not_asked_of_it() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/kurrentdb");
    for file in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        for call in
            ["set_stream_metadata", "StreamMetadataBuilder", "batch_append", "subscribe_to_persistent"]
        {
            assert!(!text.contains(call), "{call}");
        }
        assert_eq!(text.matches("EventData::json").count(), text.matches(".id(wanted.id").count());
    }
}

/// Takes one connection, answers what it is given, and returns the first byte of what then comes.
async fn first_byte_after(listener: tokio::net::TcpListener, skip: usize, answer: &[u8]) -> u8 {
    let (mut connection, _) = listener.accept().await.unwrap();
    let mut asked = vec![0; skip];
    connection.read_exact(&mut asked).await.unwrap();
    connection.write_all(answer).await.unwrap();
    connection.read_u8().await.unwrap()
}

/// The first byte of a TLS handshake.
const HANDSHAKE: u8 = 22;

/// Two cryptographic providers are linked with this feature. Whoever speaks TLS still finds the one it needs, before and after.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_cryptographic_providers_do_not_disturb_each_other() {
    for _ in 0..2 {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("postgres://guichet:x@{}/guichet?sslmode=require", listener.local_addr().unwrap());
        let (connected, byte) =
            tokio::join!(sqlx::PgConnection::connect(&url), soon(first_byte_after(listener, 8, b"S")));
        assert!(connected.is_err());
        assert_eq!(byte, HANDSHAKE, "PostgreSQL is not spoken to over TLS");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url =
            format!("kurrentdb://admin:x@{}?tls=true&tlsVerifyCert=false", listener.local_addr().unwrap());
        let options = guichet_journal::KurrentOptions::parse(&url).unwrap().with_patience(hasty());
        let opened = guichet_journal::KurrentJournal::open_with(options, crate::tools::keys());
        let (opened, byte) = tokio::join!(opened, soon(first_byte_after(listener, 0, b"")));
        assert!(opened.is_err());
        assert_eq!(byte, HANDSHAKE, "KurrentDB is not spoken to over TLS");
    }
}
