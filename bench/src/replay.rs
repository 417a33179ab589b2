//! The whole journal folded into states of requests.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::time::Duration;

use chrono::{DateTime, Utc};
use guichet_engine::Engine;

use crate::floor;
use crate::measure::{Fault, Stopwatch, line, percent, processor, rate, remember, row};
use crate::store::{Place, Store};

/// What a floor needed: by the clock, and of processors.
struct Took {
    elapsed: Duration,
    processor: Duration,
    events: usize,
}

/// The floor: the same rows read by a bare loop on one thread, header and body decoded by serde, and a fold that only
/// counts the events of each stream and keeps the last instant.
async fn floor(store: &Store, place: &Place) -> Result<Took, Fault> {
    let mut states: HashMap<String, (u32, DateTime<Utc>)> = HashMap::new();
    let mut events = 0;
    let mut each = |header: &str, body: &[u8]| {
        if let Some((members, event)) = floor::decoded(header, body)? {
            std::hint::black_box((&event, members.actor, members.recorded_at));
            let state = states.entry(members.stream.to_owned()).or_default();
            *state = (state.0 + 1, members.occurred_at);
            events += 1;
        }
        Ok(())
    };
    let (before, watch) = (processor(), Stopwatch::start());
    match (store, &place.database) {
        (Store::Postgres(_), Some(database)) => floor::postgres::read(&database.url(), &mut each).await?,
        _ => floor::sqlite::read(&place.folder().join(guichet_journal::JOURNAL_FILE), &mut each)?,
    }
    let (elapsed, processor) = (watch.elapsed(), processor().saturating_sub(before));
    Ok(Took { elapsed, processor, events })
}

/// Prints the part.
///
/// # Errors
/// When anything fails.
pub(crate) async fn run(engine: &Engine, store: &Store, place: &Place) -> Result<(), Fault> {
    println!("\nreplay: {}, the whole journal folded into states", store.name());
    let floor = floor(store, place).await?;
    let bare = rate(floor.events, floor.elapsed);
    line(
        "read, decoded by serde, counted, one thread",
        &[
            ("events/s", format!("{bare:.0}")),
            ("events per processor second", format!("{:.0}", rate(floor.events, floor.processor))),
        ],
    );
    for threads in [1, 2] {
        let (before, watch) = (processor(), Stopwatch::start());
        let census = engine.census(NonZeroUsize::new(threads).ok_or("no thread")?).await?;
        let (elapsed, used) = (watch.elapsed(), processor().saturating_sub(before));
        let events = usize::try_from(census.events())?;
        let (ours, each) = (rate(events, elapsed), rate(events, used));
        line(
            &format!("{events} events of {} requests, {threads} thread(s)", census.len()),
            &[
                ("events/s", format!("{ours:.0}")),
                ("ratio", percent(ours, bare)),
                ("events per processor second", format!("{each:.0}")),
                ("ratio", percent(each, rate(floor.events, floor.processor))),
            ],
        );
        let name = store.name();
        remember(format!("{} replay", store.key()), ours);
        if threads == 1 {
            // Reading goes on beside the one thread, so one core's worth is told by the processor time.
            let ratio = percent(each, rate(floor.events, floor.processor));
            row(
                format!("fold, one core, {name}"),
                ratio,
                "read + serde + trivial fold, processor time",
                "60 %",
            );
        } else {
            row(format!("fold, two cores, {name}"), percent(ours, bare), "the one-core floor", "100 %");
        }
    }
    Ok(())
}
