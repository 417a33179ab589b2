//! Measurements, as ratios against floors in the same run. `README.md` says what each part measures.

mod check;
mod floor;
mod measure;
mod order;
mod rebuild;
mod replay;
mod simulate;
mod submit;
mod town;

use measure::Fault;

/// The allocator of the `guichet` binary, so that what is measured is what runs.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Events of the journal that `replay` and `rebuild` work on.
const EVENTS: usize = 1_000_000;
/// Requests that `submit` takes through their lives.
const REQUESTS: usize = 4096;
/// Requests of the year that `simulate` lives: those of a town of 75,000.
const YEAR: u32 = 500_000;
/// Processes of the catalogue that `check` reads: those of a large town.
const SHEETS: usize = 503;

#[tokio::main]
async fn main() -> Result<(), Fault> {
    let mut arguments = std::env::args().skip(1);
    let part = arguments.next().unwrap_or_else(|| "all".into());
    let events = arguments.next().map(|count| count.parse()).transpose()?.unwrap_or(EVENTS);
    let wanted = |name: &str| part == name || part == "all";
    if wanted("order")
        && let Ok(url) = std::env::var("GUICHET_TEST_POSTGRES")
    {
        order::run(&url).await?;
    }
    if wanted("submit") {
        submit::run(REQUESTS).await?;
    }
    if wanted("check") {
        check::run(SHEETS)?;
    }
    if wanted("simulate") {
        simulate::run(YEAR)?;
    }
    if wanted("replay") || wanted("rebuild") {
        let folder = tempfile::tempdir()?;
        let engine = town::open(folder.path()).await?;
        submit::fill(&engine, events).await?;
        if wanted("replay") {
            replay::run(&engine).await?;
        }
        if wanted("rebuild") {
            rebuild::run(&engine, folder.path()).await?;
        }
        engine.journal().close().await;
    }
    Ok(())
}
