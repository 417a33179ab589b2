//! How fast a rebuild is. `cargo test --release -p guichet-projections --lib -- --ignored --nocapture speed`

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use super::town::Town;
use super::{SOON, memory, open};
use crate::Options;

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Processor time so far in seconds, by the name of the thread.
fn processor() -> BTreeMap<String, f64> {
    let mut seconds = BTreeMap::new();
    for task in std::fs::read_dir("/proc/self/task").unwrap() {
        let Ok(stat) = std::fs::read_to_string(task.unwrap().path().join("stat")) else { continue };
        let (name, rest) = stat.split_once('(').unwrap().1.rsplit_once(')').unwrap();
        let ticks = |field: usize| rest.split_whitespace().nth(field).unwrap().parse::<f64>().unwrap();
        *seconds.entry(name.to_owned()).or_insert(0.0) += (ticks(11) + ticks(12)) / 100.0;
    }
    seconds
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement, to be run in release"]
async fn rebuild() {
    let wanted: u64 = std::env::var("EVENTS").ok().and_then(|n| n.parse().ok()).unwrap_or(200_000);
    let (folder, journal) = (tempfile::tempdir().unwrap(), memory());
    let mut town = Town::new(Arc::clone(&journal), 1).await;
    let mut events = 0;
    while events < wanted {
        // As in a town, what is finished is left behind.
        if town.requests.len() > 4_000 {
            events += town.close(2_000).await;
            town.requests.drain(..2_000);
        }
        events += town.step().await.map_or(0, |receipt| receipt.events.len() as u64);
    }
    let models = open(&folder.path().join("r.db"), &journal, Options::default()).await;
    let start = Instant::now();
    models.catch_up(SOON * 30).await.unwrap();
    println!("first catch-up: {:.0} events/s", events as f64 / start.elapsed().as_secs_f64());
    let (before, busy) = (resident_kib(), processor());
    let start = Instant::now();
    let rebuilt = models.rebuild(&[]).await.unwrap();
    let rate = rebuilt.events as f64 / start.elapsed().as_secs_f64();
    let more = resident_kib().saturating_sub(before) / 1024;
    println!("rebuild of {} events: {rate:.0} events/s, {more} MiB more resident", rebuilt.events);
    for (thread, seconds) in processor() {
        let spent = seconds - busy.get(&thread).copied().unwrap_or(0.0);
        println!("  {thread}: {:.1} µs of processor an event", spent * 1e6 / rebuilt.events as f64);
    }
}
