//! What must be true afterwards.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use guichet::Guichet;
use guichet::engine::journal::{Filter, Recorded, verify_all};
use guichet::engine::rules::process::Delivery;
use guichet::projections::{Place, ReadModels};
use guichet_tests::cluster::Cluster;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};
use uuid::Uuid;

use super::server::{FastClock, data, sent};
use super::{ANEW, DATABASE, PATIENCE, Town, opened};

/// Waits until what had been asked for by the last kill is sent and reported.
pub(super) async fn everything_goes_out(_town: &Town, url: &str, folder: &Path, clock: &FastClock) {
    let guichet = opened(url, &data(folder, 0), clock).await;
    let (until, began) = (guichet.now(), Instant::now());
    loop {
        let waiting = match guichet.read_models().outbox(None, 1000).await {
            Ok(items) => items.value,
            Err(error) => panic!("{error}"),
        };
        let ours = |by: Delivery| {
            matches!(by, Delivery::Email | Delivery::Sms | Delivery::Screen | Delivery::Social)
        };
        let left = waiting.iter().filter(|item| item.asked < until && ours(item.by)).count();
        if left == 0 {
            break;
        }
        assert!(began.elapsed() < PATIENCE, "{left} effects did not go out in {PATIENCE:?}: {waiting:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    guichet.close().await;
}

pub(super) async fn all(town: &Town, cluster: &Cluster, folder: &Path, clock: &FastClock) {
    let guichet = opened(&cluster.url(DATABASE), &data(folder, 0), clock).await;
    let events = events(&guichet).await;
    let verification = verify_all(guichet.engine().journal().as_ref()).await.unwrap();
    assert!(verification.findings.is_empty(), "{:?}", verification.findings);
    commands(town, &events);
    let (timers, effects) = happened(&events);
    let (messages, repeated) = messages(&events, folder);
    println!(
        "{} events, {timers} from timers, {effects} effects reported, {messages} messages sent, {repeated} of them again",
        events.len()
    );
    assert!(timers > 20 && effects > 20 && messages > 20, "hardly anything happened by itself");
    read_models(&guichet, cluster).await;
    guichet.close().await;
}

async fn events(guichet: &Guichet) -> Vec<Recorded> {
    let (mut events, mut after) = (Vec::new(), None);
    loop {
        let page = guichet.engine().journal().read_all(after, &Filter::everything(), 4096).await.unwrap();
        events.extend(page.events);
        after = page.through;
        if page.at_end {
            return events;
        }
    }
}

/// Every acknowledged command stands in its request's stream, ends where it was said to, and no command stands twice.
fn commands(town: &Town, events: &[Recorded]) {
    let mut standing: HashMap<Uuid, (Uuid, u64)> = HashMap::new();
    let mut ended: HashSet<Uuid> = HashSet::new();
    let mut lengths: HashMap<&str, u64> = HashMap::new();
    let mut before = None;
    for event in events {
        let header = event.header().unwrap();
        let (command, stream) = (header.command.uuid(), header.stream.as_str());
        let next = lengths.entry(stream).or_default();
        assert_eq!(header.revision.get(), *next, "a hole in {stream}");
        *next += 1;
        // The events of one append stand together, so a second run is a second append.
        if before != Some((command, stream)) {
            assert!(ended.insert(command), "command {command} was appended twice");
            before = Some((command, stream));
        }
        standing.insert(command, (header.stream.id(), header.revision.get()));
    }
    let acknowledged = town.acknowledged.lock().unwrap();
    for (command, promised) in acknowledged.iter() {
        assert_eq!(standing.get(command), Some(promised), "acknowledged command {command}");
    }
}

/// What timers and effects did, each once. Answers how many of both.
fn happened(events: &[Recorded]) -> (usize, usize) {
    let mut seen = BTreeSet::new();
    let (mut timers, mut effects) = (0, 0);
    for event in events {
        let header = event.header().unwrap();
        let body: Value = serde_json::from_str(event.body()).unwrap();
        let data = &body["data"];
        let what = match event.event_type() {
            "request.task_late"
            | "request.approval_late"
            | "request.commitment_broken"
            | "request.commitment_warned"
            | "request.reminded"
            | "request.lapsed" => {
                timers += 1;
                data.to_string()
            }
            "request.notified" | "request.notification_failed" => {
                effects += 1;
                data["effect"].to_string()
            }
            "request.acknowledged" => {
                effects += 1;
                String::new()
            }
            _ => continue,
        };
        let key = format!("{} {} {what}", header.stream, event.event_type());
        assert!(seen.insert(key.clone()), "twice: {key}");
    }
    (timers, effects)
}

/// Every effect reported as done by a message was sent, always under the one id. Answers how many messages there were,
/// and how many were sent again because a server died between sending and reporting.
fn messages(events: &[Recorded], folder: &Path) -> (usize, usize) {
    let mut sent_by: BTreeMap<String, (usize, String)> = BTreeMap::new();
    for file in std::fs::read_dir(sent(folder)).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        for line in text.lines() {
            let (id, to) = line.split_once(' ').unwrap();
            let entry = sent_by.entry(id.to_owned()).or_insert_with(|| (0, to.to_owned()));
            entry.0 += 1;
            assert_eq!(entry.1, to, "one id, two messages: {id}");
        }
    }
    // An id is the request, the effect, and a number where there are several addressees; nothing is drawn.
    let known: BTreeSet<&str> = events
        .iter()
        .map(|event| event.stream())
        .filter_map(|s| s.split_once('-'))
        .map(|(_, id)| id)
        .collect();
    for id in sent_by.keys() {
        let request = id.split('.').next().unwrap();
        assert!(known.contains(request), "a message of no request: {id}");
    }
    for event in events.iter().filter(|event| event.event_type() == "request.acknowledged") {
        let body: Value = serde_json::from_str(event.body()).unwrap();
        if body["data"]["by"] != "email" {
            continue;
        }
        let request = event.header().unwrap().stream.id().to_string();
        let went = sent_by.keys().any(|id| id.starts_with(&request));
        assert!(went, "request {request} is recorded as acknowledged, and nothing was sent");
    }
    let again = sent_by.values().map(|(times, _)| times - 1).sum();
    (sent_by.len(), again)
}

/// The read models that were kept through all deaths equal those made anew, row for row.
async fn read_models(guichet: &Guichet, cluster: &Cluster) {
    guichet.read_models().catch_up(PATIENCE).await.unwrap();
    let place = Place::Postgres(cluster.url(ANEW));
    let anew = ReadModels::open(&place, Arc::clone(guichet.engine().journal())).await.unwrap();
    anew.catch_up(PATIENCE).await.unwrap();
    anew.close().await;
    let (kept, anew) = (rows(&cluster.url(DATABASE)).await, rows(&cluster.url(ANEW)).await);
    assert!(anew.len() > 5 && anew.values().any(|rows| rows.len() > 10), "{:?}", anew.keys());
    for (table, lines) in &anew {
        let kept = kept.get(table).unwrap_or_else(|| panic!("no table {table}"));
        let only = |one: &[String], other: &[String]| -> Vec<String> {
            one.iter().filter(|line| !other.contains(line)).take(3).cloned().collect()
        };
        assert!(
            kept == lines,
            "table {table}: {} rows kept, {} anew; only kept: {:?}; only anew: {:?}",
            kept.len(),
            lines.len(),
            only(kept, lines),
            only(lines, kept)
        );
    }
}

/// All rows of all read models, as text, without what only tells when they were built and who keeps them.
async fn rows(url: &str) -> BTreeMap<String, Vec<String>> {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let names = "SELECT table_schema || '.' || table_name FROM information_schema.tables \
        WHERE table_schema LIKE 'guichet\\_models\\_%' AND table_type = 'BASE TABLE' \
        AND table_name NOT IN ('read_model', 'reading', 'leadership', 'outbox_attempt', 'catalogue_view')";
    let tables: Vec<String> = sqlx::query_scalar(names).fetch_all(&mut connection).await.unwrap();
    let mut all = BTreeMap::new();
    for table in tables {
        let query = AssertSqlSafe(format!("SELECT to_jsonb(t)::text FROM {table} t"));
        let found = sqlx::query(query).fetch_all(&mut connection).await.unwrap();
        let mut lines: Vec<String> = found.iter().map(|row| row.get(0)).collect();
        lines.sort();
        all.insert(table, lines);
    }
    connection.close().await.unwrap();
    all
}
