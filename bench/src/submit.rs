//! Whole commands: decided, sealed, hashed, appended, answered after the fsync.

use std::sync::Arc;

use guichet_engine::Engine;
use guichet_journal::MemoryJournal;
use uuid::Uuid;

use crate::arguments::Arguments;
use crate::floor::{self, Row, batches, rows_behind};
use crate::measure::{Fault, Load, Stopwatch, line, percent, processor, rate, row};
use crate::store::{Place, Store};
use crate::town;

/// Lets `callers` take requests through their lives at once, `requests` in all.
async fn load(engine: &Arc<Engine>, callers: usize, requests: usize) -> Result<Load, Fault> {
    let (before, watch) = (processor(), Stopwatch::start());
    let mut tasks = Vec::new();
    for caller in 0..callers {
        let engine = Arc::clone(engine);
        let mine = requests / callers;
        let run = Uuid::from_u128(u128::try_from(caller)? + (u128::try_from(requests)? << 64));
        tasks.push(tokio::spawn(async move {
            let (mut latencies, mut events) = (Vec::new(), 0);
            for _ in 0..mine {
                let mut last = Stopwatch::start();
                town::live(&engine, run, |receipt| {
                    latencies.push(last.elapsed());
                    events += receipt.events.len();
                    last = Stopwatch::start();
                })
                .await?;
            }
            Ok::<_, Fault>((latencies, events))
        }));
    }
    let (mut latencies, mut events) = (Vec::new(), 0);
    for task in tasks {
        let (more, count) = task.await??;
        latencies.extend(more);
        events += count;
    }
    let (elapsed, processor) = (watch.elapsed(), processor().saturating_sub(before));
    latencies.sort_unstable();
    Ok(Load { elapsed, processor, events, latencies })
}

/// Prints the part for each store.
///
/// # Errors
/// When anything fails.
pub(crate) async fn run(arguments: &Arguments) -> Result<(), Fault> {
    for store in arguments.stores() {
        println!("\nsubmit: {}, whole commands, every one answered once it is durable", store.says());
        for callers in [1, 32, 256] {
            let requests = if callers == 1 { arguments.requests / 8 } else { arguments.requests };
            measured(&store, callers, requests.max(callers)).await?;
        }
    }
    alone(arguments.requests).await
}

async fn measured(store: &Store, callers: usize, requests: usize) -> Result<(), Fault> {
    let place = Place::fresh(store).await?;
    let engine = town::on(Arc::clone(&place.journal)).await?;
    load(&engine, callers, callers).await?;
    let before = place.journal.head().await?;
    let load = load(&engine, callers, requests).await?;
    let rows = rows_behind(place.journal.as_ref(), before).await?;
    let together = batches(&rows, callers);
    let floor = match store {
        Store::Sqlite => floor::sqlite::bare_loop(&place.folder().join("floor.db"), &together).await?,
        Store::Postgres(url) => floor::postgres::groups(url, &together).await?,
    };
    place.leave().await?;
    let (ours, bare) = (load.events_rate(), rate(rows.len(), floor));
    let size = rows.iter().map(Row::bytes).sum::<usize>() / rows.len().max(1);
    let (median, worst) = load.waits();
    let requests_each = rate(requests / callers * callers, load.processor);
    line(
        &format!("{callers} caller(s), {} commands", load.latencies.len()),
        &[
            ("commands/s", format!("{:.0}", load.calls_rate())),
            ("events/s", format!("{ours:.0}")),
            ("bare loop", format!("{bare:.0} events/s, {callers} command(s) a batch")),
            ("ratio", format!("{} (takes {:.2} × as long)", percent(ours, bare), bare / ours)),
            ("p50", median),
            ("p99", worst),
            ("requests per processor second", format!("{requests_each:.0}")),
            ("bytes/event", size.to_string()),
        ],
    );
    if callers == 256 {
        let what = format!("whole commands, {callers} callers, {}", store.name());
        let goal = if matches!(store, Store::Sqlite) { "10,000/s" } else { "" };
        row(
            what,
            format!("{:.0}/s", load.calls_rate()),
            format!("bare loop of their rows: {}", percent(ours, bare)),
            goal,
        );
    }
    Ok(())
}

/// What deciding, sealing, hashing and placing take by themselves: the store is memory.
async fn alone(requests: usize) -> Result<(), Fault> {
    let engine = town::on(Arc::new(MemoryJournal::new()?)).await?;
    load(&engine, 1, requests / 8).await?;
    let load = load(&engine, 1, requests).await?;
    let commands = load.latencies.len() / requests;
    let each = rate(requests, load.processor);
    line(
        &format!("in memory, 1 caller, {} commands", load.latencies.len()),
        &[
            ("requests per processor second", format!("{each:.0}")),
            ("commands in each", commands.to_string()),
            (
                "processor",
                format!("{:.0} µs/command", 1e6 / each / rate(commands, std::time::Duration::from_secs(1))),
            ),
        ],
    );
    row(
        format!("requests of {commands} commands, Guichet alone"),
        format!("{each:.0} per processor second"),
        "",
        "5,000",
    );
    Ok(())
}
