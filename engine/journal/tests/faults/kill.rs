//! `kill -9` at any moment: what was acknowledged is there, the rest is whole or absent.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use guichet_journal::{Expected, Journal, Revision, SqliteJournal, verify_all};

use crate::tools::{command, everything, reopen, stream};

/// Names the folder in which the child appends.
const FOLDER: &str = "GUICHET_JOURNAL_CHILD_FOLDER";
const EVENTS: usize = 3;

/// Not a test by itself: the program that is killed. Appends without end and says what was acknowledged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child_appends_until_it_is_killed() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let journal = Arc::new(SqliteJournal::open(Path::new(&folder)).await.unwrap());
    let mut tasks = Vec::new();
    for _ in 0..8 {
        let journal = journal.clone();
        tasks.push(tokio::spawn(async move {
            loop {
                let (stream, mut expected) = (stream(), Expected::NoStream);
                for _ in 0..4 {
                    let receipt = journal.append(command(&stream, expected, EVENTS)).await.unwrap();
                    expected = Expected::Exact(receipt.revision);
                    let mut out = std::io::stdout().lock();
                    for event in &receipt.events {
                        let revision = event.revision().unwrap();
                        writeln!(out, "ack {stream} {revision} {}", event.header_digest()).unwrap();
                    }
                    out.flush().unwrap();
                }
            }
        }));
    }
    std::future::pending::<()>().await;
    drop(tasks);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged: HashMap<(String, u64), String> = HashMap::new();
    for round in 0..25_u64 {
        // Lengths that fall into start, first appends and steady work alike, the same on each run.
        let life = Duration::from_millis(round * 7919 % 173);
        acknowledged.extend(live_and_die(folder.path(), round, life));
        let journal = reopen(folder.path()).await;
        let mut standing = HashMap::new();
        let mut lengths: HashMap<String, usize> = HashMap::new();
        for event in everything(&journal).await {
            let place = (event.stream().to_owned(), event.revision().unwrap().get());
            *lengths.entry(place.0.clone()).or_default() += 1;
            let twice = standing.insert(place, event.header_digest().to_string());
            assert!(twice.is_none(), "round {round}: {event:?} stands twice");
        }
        for (place, digest) in &acknowledged {
            assert_eq!(standing.get(place), Some(digest), "round {round}: {place:?} was acknowledged");
        }
        assert!(lengths.values().all(|length| length % EVENTS == 0), "round {round}: half an append stands");
        let report = verify_all(&journal).await.unwrap();
        assert!(report.is_sound(), "round {round}: {:?}", report.findings);
        journal.append(command(&stream(), Expected::NoStream, EVENTS)).await.unwrap();
        journal.close().await;
    }
    assert!(
        acknowledged.len() > 500,
        "only {} events were acknowledged; the test proves too little",
        acknowledged.len()
    );
    let journal = reopen(folder.path()).await;
    assert_eq!(journal.examine().await.unwrap(), Vec::<String>::new());
    let (name, _) = acknowledged.keys().next().unwrap();
    let first = journal.read(&name.parse().unwrap(), Revision::FIRST, 1).await.unwrap();
    assert!(
        journal.open(&first[0]).await.unwrap().contains("Ines Dupont"),
        "the key of an acknowledged event was lost"
    );
}

/// Starts the child, kills it after `life` of work or of starting, and answers what it said was acknowledged.
fn live_and_die(folder: &Path, round: u64, life: Duration) -> Vec<((String, u64), String)> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::child_appends_until_it_is_killed", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (first_heard, heard) = std::sync::mpsc::channel();
    let reader = std::thread::spawn(move || {
        let told = lines.map_while(Result::ok).inspect(|line| {
            let _nobody_waits = first_heard.send(line.contains("ack "));
        });
        told.collect::<Vec<_>>()
    });
    // Every fifth child dies while it starts; the others have begun to work.
    if !round.is_multiple_of(5) {
        let limit = Duration::from_secs(20);
        while !heard.recv_timeout(limit).expect("the child should have acknowledged something") {}
    }
    std::thread::sleep(life);
    child.kill().unwrap();
    child.wait().unwrap();
    let said = reader.join().unwrap();
    // The last line may have been cut by the kill; a whole one ends with a whole digest.
    said.iter().filter_map(|line| acknowledgement(line)).collect()
}

fn acknowledgement(line: &str) -> Option<((String, u64), String)> {
    let (_, said) = line.split_once("ack ")?;
    let [stream, revision, digest] = said.split(' ').collect::<Vec<_>>().try_into().ok()?;
    (digest.len() == 64).then(|| Some(((stream.to_owned(), revision.parse().ok()?), digest.to_owned())))?
}
