//! All read models rebuilt from the journal.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use guichet_journal::JOURNAL_FILE;
use guichet_projections::{Options, ReadModels};

use crate::floor;
use crate::growth;
use crate::measure::{Fault, Stopwatch, forget_peak, line, memory, percent, rate, remember, row};
use crate::store::{Place, Store};

/// Longer than any measurement here takes.
const PATIENCE: Duration = Duration::from_secs(3600);

/// Prints the part: a first build and a rebuild beside it, with the memory each needed at most.
///
/// # Errors
/// When anything fails.
pub(crate) async fn run(store: &Store, place: &Place, events: usize, requests: usize) -> Result<(), Fault> {
    println!("\nrebuild: {}, all read models from the journal, two cores", store.name());
    let floor = match &place.database {
        Some(database) => floor::postgres::project(&database.url()).await?,
        None => floor::sqlite::project(&place.folder().join(JOURNAL_FILE), &place.folder().join("floor.db"))?,
    };
    let bare = rate(events, floor);
    line("one table, coalesced, batches of 5,000 events", &[("events/s", format!("{bare:.0}"))]);
    let (models, _) = measured("first build", events, bare, async {
        let models = ReadModels::open(&place.tables(), Arc::clone(&place.journal)).await?;
        models.catch_up(PATIENCE).await?;
        Ok(models)
    })
    .await?;
    models.close().await;
    // Before a rebuild, which builds a second set beside the first.
    growth::disk(place, requests).await?;
    let all = Options::default().folders;
    for folders in [1, all] {
        let options = Options { folders, ..Options::default() };
        let models = ReadModels::open_with(&place.tables(), Arc::clone(&place.journal), options).await?;
        models.catch_up(PATIENCE).await?;
        let ((), ours) =
            measured(&format!("rebuild beside, then swap, {folders} folding"), events, bare, async {
                models.rebuild(&ReadModels::names()).await?;
                Ok(())
            })
            .await?;
        models.close().await;
        if folders == all {
            remember(format!("{} rebuild", store.key()), ours);
            let what = format!("rebuild of all {} read models, {}", ReadModels::names().len(), store.name());
            row(what, percent(ours, bare), "one coalesced table", "25 %");
        }
    }
    Ok(())
}

async fn measured<T>(
    what: &str,
    events: usize,
    bare: f64,
    work: impl Future<Output = Result<T, Fault>>,
) -> Result<(T, f64), Fault> {
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
            ("ratio", percent(rate(events, elapsed), bare)),
            ("memory before", format!("{before} MiB")),
            ("in the first half", format!("{} MiB", halfway.stop())),
            ("peak", format!("{peak} MiB")),
        ],
    );
    Ok((done, rate(events, elapsed)))
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
