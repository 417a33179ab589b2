//! All read models rebuilt from the journal.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use guichet_engine::Engine;
use guichet_projections::{Options, Place, ReadModels};

use crate::measure::{Fault, Stopwatch, forget_peak, line, memory, rate};
use crate::submit::pages;

/// Longer than any measurement here takes.
const PATIENCE: Duration = Duration::from_secs(3600);

/// Names a PostgreSQL database to measure on as well.
const POSTGRES: &str = "GUICHET_TEST_POSTGRES";

/// Counts the events, and lets the reading be measured apart.
async fn count(engine: &Engine) -> Result<(usize, Duration), Fault> {
    let (mut events, watch) = (0, Stopwatch::start());
    pages(engine, |page| {
        events += page.len();
        Ok(())
    })
    .await?;
    Ok((events, watch.elapsed()))
}

/// Prints the table: a first build and a rebuild beside it, with the memory each needed at most.
///
/// # Errors
/// When anything fails.
pub(crate) async fn run(engine: &Engine, folder: &Path) -> Result<(), Fault> {
    println!("\nrebuild: all read models from the journal, two cores");
    let (events, read) = count(engine).await?;
    line("events read, not decoded", &[("events/s", format!("{:.0}", rate(events, read)))]);
    on(&Place::Sqlite(folder.join("read-models.db")), "SQLite", events, engine).await?;
    match std::env::var(POSTGRES) {
        Ok(url) => on(&Place::Postgres(url), "PostgreSQL", events, engine).await,
        Err(_) => {
            println!("  (PostgreSQL is measured where {POSTGRES} names an empty database)");
            Ok(())
        }
    }
}

/// A first build, and rebuilds beside with one folder and with one for each core.
async fn on(place: &Place, name: &str, events: usize, engine: &Engine) -> Result<(), Fault> {
    let models = measured(&format!("{name}: first build"), events, async {
        let models = ReadModels::open(place, Arc::clone(engine.journal())).await?;
        models.catch_up(PATIENCE).await?;
        Ok(models)
    })
    .await?;
    models.close().await;
    let all = Options::default().folders;
    for folders in [1, all] {
        let options = Options { folders, ..Options::default() };
        let models = ReadModels::open_with(place, Arc::clone(engine.journal()), options).await?;
        models.catch_up(PATIENCE).await?;
        let what = format!("{name}: rebuild beside, then swap, {folders} folding");
        measured(&what, events, async {
            models.rebuild(&ReadModels::names()).await?;
            Ok(())
        })
        .await?;
        models.close().await;
    }
    Ok(())
}

async fn measured<T>(
    what: &str,
    events: usize,
    work: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    forget_peak();
    let (before, _) = memory();
    let halfway = watch_memory();
    let watch = Stopwatch::start();
    let done = work.await?;
    let elapsed = watch.elapsed();
    let (_, peak) = memory();
    line(
        &format!("{what}, {events} events"),
        &[
            ("events/s", format!("{:.0}", rate(events, elapsed))),
            ("memory before", format!("{before} MiB")),
            ("in the first half", format!("{} MiB", halfway.stop())),
            ("peak", format!("{peak} MiB")),
        ],
    );
    Ok(done)
}

/// Watches how memory grows over a piece of work: what it was at most in the first half of the samples.
struct MemoryWatch {
    stop: Arc<AtomicBool>,
    first_half: Arc<AtomicU64>,
}

fn watch_memory() -> MemoryWatch {
    let (stop, first_half) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let (stopping, half) = (Arc::clone(&stop), Arc::clone(&first_half));
    std::thread::spawn(move || {
        let mut samples = Vec::new();
        while !stopping.load(Ordering::Relaxed) {
            samples.push(memory().0);
            let most = samples.iter().take(samples.len().div_ceil(2)).max().copied().unwrap_or_default();
            half.store(most, Ordering::Relaxed);
            std::thread::sleep(Duration::from_millis(100));
        }
    });
    MemoryWatch { stop, first_half }
}

impl MemoryWatch {
    fn stop(&self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.first_half.load(Ordering::Relaxed)
    }
}
