//! Whole commands: decided, sealed, hashed, appended, answered after the fsync.

use std::sync::Arc;
use std::time::Duration;

use guichet_engine::Engine;
use guichet_journal::{Filter, Recorded};
use uuid::Uuid;

use crate::floor::{Row, bare_loop, batches};
use crate::measure::{Fault, Stopwatch, line, quantile, rate};
use crate::town;

struct Load {
    elapsed: Duration,
    commands: usize,
    events: usize,
    latencies: Vec<Duration>,
}

/// Lets `callers` take requests through their lives at once, `requests` in all.
async fn load(engine: &Arc<Engine>, callers: usize, requests: usize) -> Result<Load, Fault> {
    let watch = Stopwatch::start();
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
    let elapsed = watch.elapsed();
    latencies.sort();
    Ok(Load { elapsed, commands: latencies.len(), events, latencies })
}

async fn rows_behind(engine: &Engine, after: Option<guichet_journal::Position>) -> Result<Vec<Row>, Fault> {
    let (mut rows, mut after) = (Vec::new(), after);
    loop {
        let page = engine.journal().read_all(after, &Filter::everything(), 8192).await?;
        rows.extend(page.events.iter().map(Row::of).collect::<Result<Vec<_>, _>>()?);
        after = page.through;
        if page.at_end {
            return Ok(rows);
        }
    }
}

/// Prints the table.
///
/// # Errors
/// When anything fails.
pub(crate) async fn run(requests: usize) -> Result<(), Fault> {
    println!("\nsubmit: SQLite, synchronous=FULL, every command answered after its fsync");
    for callers in [1, 32, 256] {
        let folder = tempfile::tempdir()?;
        let engine = town::open(folder.path()).await?;
        let before = engine.journal().head().await?;
        let share = if callers == 1 { requests / 8 } else { requests };
        let load = load(&engine, callers, share.max(callers)).await?;
        let rows = rows_behind(&engine, before).await?;
        let together = batches(&rows, callers);
        let floor = bare_loop(&folder.path().join("floor.db"), &together).await?;
        engine.journal().close().await;
        let (ours, bare) = (rate(load.events, load.elapsed), rate(rows.len(), floor));
        let size = rows.iter().map(Row::bytes).sum::<usize>() / rows.len().max(1);
        line(
            &format!("{callers} caller(s), {} commands", load.commands),
            &[
                ("commands/s", format!("{:.0}", rate(load.commands, load.elapsed))),
                ("events/s", format!("{ours:.0}")),
                ("bare loop", format!("{bare:.0} events/s, {callers} command(s) a batch")),
                ("ratio", format!("{:.0} % (takes {:.2} × as long)", 100.0 * ours / bare, bare / ours)),
                ("p50", format!("{:.2?}", quantile(&load.latencies, 0.5))),
                ("p99", format!("{:.2?}", quantile(&load.latencies, 0.99))),
                ("bytes/event", size.to_string()),
            ],
        );
    }
    Ok(())
}

/// A journal filled with lives until it holds `events`, for the other measurements; answers how many it holds.
///
/// # Errors
/// When anything fails.
pub(crate) async fn fill(engine: &Arc<Engine>, events: usize) -> Result<usize, Fault> {
    let probe = load(engine, 1, 1).await?;
    let each = probe.events.max(1);
    let load = load(engine, 256, events / each + 256).await?;
    Ok(probe.events + load.events)
}

/// The journal's events, page by page.
///
/// # Errors
/// When the journal cannot be read.
pub(crate) async fn pages(
    engine: &Engine,
    mut each: impl FnMut(&[Recorded]) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let read = |after| {
        let journal = Arc::clone(engine.journal());
        tokio::spawn(async move { journal.read_all(after, &Filter::everything(), 4096).await })
    };
    let mut page = read(None).await??;
    // The next page is read while this one is worked on.
    while !page.at_end {
        let next = read(page.through);
        each(&page.events)?;
        page = next.await??;
    }
    each(&page.events)
}
