//! Nodes that die, step down or come back late, under load.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use guichet_journal::{
    CommandId, Expected, Filter, Followed, Journal, JournalError, KurrentJournal, Revision, verify_all,
};

use crate::server::{Call, Cluster, Fault, Role};
use crate::tools::{command, everything, open, soon, steady, stream};

const WRITERS: usize = 16;

/// What a writer was told of its commands.
#[derive(Default)]
struct Told {
    acknowledged: HashSet<CommandId>,
    doubtful: HashSet<CommandId>,
}

/// Appends to a stream of its own and to one that all share, until it is told to stop. A doubtful answer is asked for again.
async fn write(
    journal: Arc<KurrentJournal>,
    shared: guichet_journal::StreamId,
    stop: Arc<AtomicBool>,
) -> Told {
    let (own, mut next, mut told) = (stream(), 0_u64, Told::default());
    let mut round = 0_u64;
    while !stop.load(Ordering::Acquire) {
        let append = if round % 4 == 3 {
            command(&shared, Expected::Any, 1)
        } else {
            let expected =
                next.checked_sub(1).map_or(Expected::NoStream, |last| Expected::Exact(Revision::new(last)));
            command(&own, expected, 2)
        };
        let id = append.command;
        let mut answer = journal.append(append.clone()).await;
        while matches!(answer, Err(JournalError::Indeterminate { .. })) && !stop.load(Ordering::Acquire) {
            answer = journal.append(append.clone()).await;
        }
        match answer {
            Ok(receipt) => {
                told.acknowledged.insert(id);
                if receipt.events[0].stream() == own.as_str() {
                    next = receipt.revision.get() + 1;
                }
            }
            Err(JournalError::Indeterminate { .. }) => {
                told.doubtful.insert(id);
                return told;
            }
            Err(JournalError::Unavailable { .. }) => {}
            Err(error) => panic!("{error}"),
        }
        round += 1;
    }
    told
}

/// Runs writers and a follower while `trouble` lasts, then compares what was told with what stands.
async fn under_load(cluster: &Cluster, trouble: impl AsyncFnOnce(&Cluster)) {
    let journal = Arc::new(open(cluster, steady()).await);
    let stop = Arc::new(AtomicBool::new(false));
    let shared = stream();
    let mut follower = open(cluster, steady()).await.follow(None, Filter::everything());
    let followed = {
        let stop = Arc::clone(&stop);
        tokio::spawn(async move {
            let mut positions = Vec::new();
            loop {
                match tokio::time::timeout(Duration::from_secs(3), follower.next()).await {
                    Ok(Ok(Followed::Event(event))) => positions.push(event.position()),
                    Ok(Ok(Followed::CaughtUp(_)) | Err(JournalError::Unavailable { .. })) => {}
                    Ok(Err(error)) => panic!("{error}"),
                    Err(_) if stop.load(Ordering::Acquire) => return positions,
                    Err(_) => {}
                }
            }
        })
    };
    let writers: Vec<_> = (0..WRITERS)
        .map(|_| tokio::spawn(write(Arc::clone(&journal), shared.clone(), Arc::clone(&stop))))
        .collect();
    tokio::time::sleep(Duration::from_millis(200)).await;
    trouble(cluster).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    stop.store(true, Ordering::Release);
    let mut told = Told::default();
    for writer in writers {
        let one = soon(writer).await.unwrap();
        told.acknowledged.extend(one.acknowledged);
        told.doubtful.extend(one.doubtful);
    }
    let followed = tokio::time::timeout(Duration::from_secs(60), followed).await.unwrap().unwrap();
    let all = everything(journal.as_ref()).await;
    let mut stands: HashMap<CommandId, usize> = HashMap::new();
    for event in &all {
        *stands.entry(event.header().unwrap().command).or_default() += 1;
    }
    let ids: HashSet<_> = all.iter().map(|event| event.header().unwrap().event).collect();
    assert_eq!(ids.len(), all.len(), "an event stands twice");
    assert!(told.acknowledged.len() > WRITERS, "only {} were acknowledged", told.acknowledged.len());
    for id in &told.acknowledged {
        assert!(stands.contains_key(id), "an acknowledged command is lost");
    }
    for id in stands.keys() {
        assert!(told.acknowledged.contains(id) || told.doubtful.contains(id), "a refused command stands");
    }
    assert_eq!(followed, all.iter().map(guichet_journal::Recorded::position).collect::<Vec<_>>());
    let report = verify_all(journal.as_ref()).await.unwrap();
    assert!(report.is_sound(), "{:?}", report.findings);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_killed_under_load_loses_and_doubles_nothing() {
    let cluster = Cluster::of(3).await;
    under_load(&cluster, async |cluster| {
        for _ in 0..3 {
            let dead = cluster.leader();
            dead.kill();
            tokio::time::sleep(Duration::from_millis(300)).await;
            cluster.change_leader(Role::Follows);
            tokio::time::sleep(Duration::from_millis(700)).await;
            cluster.restart(&dead).await;
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    })
    .await;
}

/// The old leader still takes calls and says that it leads, but finds no majority and answers none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_that_wakes_late_writes_nothing() {
    let cluster = Cluster::of(3).await;
    under_load(&cluster, async |cluster| {
        for _ in 0..2 {
            let late = cluster.change_leader(Role::LedOnce);
            tokio::time::sleep(Duration::from_millis(1500)).await;
            // It hears of the other one at last, and sends on who still comes.
            late.becomes(Role::Follows);
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_broken_under_load_lose_and_double_nothing() {
    let cluster = Cluster::of(1).await;
    under_load(&cluster, async |cluster| {
        for round in 0..8 {
            let fault = if round % 2 == 0 { Fault::BreakAfter } else { Fault::BreakBefore };
            cluster.inject(Call::Append, fault);
            cluster.inject(Call::Subscribe, Fault::EndAfter(3));
            tokio::time::sleep(Duration::from_millis(200)).await;
            cluster.leader().break_connections();
        }
    })
    .await;
}
