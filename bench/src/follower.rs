//! A follower under 64 writers on several servers over one PostgreSQL: it must see every event, in order, once.

use std::collections::HashMap;
use std::time::Duration;

use guichet_journal::{Filter, JournalError};
use uuid::Uuid;

use crate::append;
use crate::arguments::Arguments;
use crate::measure::{Fault, Stopwatch, line, rate, row};
use crate::store::Database;

/// Servers that write at the same time.
const SERVERS: usize = 4;
/// Callers on each.
const CALLERS: usize = 16;
/// How long the follower may take for what is left when the writers have stopped.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the follower saw.
#[derive(Default)]
struct Seen {
    events: usize,
    /// Revisions that did not come right after the one before in their stream, and positions that did not grow.
    gaps: usize,
    streams: HashMap<String, u64>,
}

/// Counts and prints.
///
/// # Errors
/// When anything fails.
pub(crate) async fn run(arguments: &Arguments) -> Result<(), Fault> {
    let Some(server) = &arguments.postgres else { return Ok(()) };
    println!("\nfollower: {} writers on {SERVERS} servers over one PostgreSQL", SERVERS * CALLERS);
    let database = Database::fresh(server).await?;
    let (reader, mut writers) = (database.server().await?, Vec::new());
    let (mut follower, wanted) = (reader.follow(None, Filter::everything()), arguments.appends / SERVERS);
    let watch = Stopwatch::start();
    for number in 0..u128::try_from(SERVERS)? {
        let journal = database.server().await?;
        writers.push(tokio::spawn(async move {
            let load = append::load(&journal, CALLERS, wanted, Uuid::from_u128(number)).await?;
            journal.close().await;
            Ok::<_, Fault>(load.events)
        }));
    }
    let following = tokio::spawn(async move {
        let (mut seen, mut last) = (Seen::default(), None);
        loop {
            let batch = match follower.batch().await {
                Ok(batch) => batch,
                Err(JournalError::Closed) => return Ok::<_, Fault>(seen),
                Err(error) => return Err(error.into()),
            };
            for event in &batch.events {
                let revision = event.revision().ok_or("an event without a revision")?.get();
                let next = seen.streams.entry(event.stream().to_owned()).or_default();
                seen.gaps += usize::from(*next != revision) + usize::from(last >= Some(event.position()));
                *next = revision + 1;
                last = Some(event.position());
            }
            seen.events += batch.events.len();
        }
    });
    let mut written = 0;
    for writer in writers {
        written += writer.await??;
    }
    let elapsed = watch.elapsed();
    // Longer than a server takes to hear of the last append of another; the follower then reads to the end and is told so.
    tokio::time::sleep(Duration::from_secs(2)).await;
    reader.close().await;
    let seen = tokio::time::timeout(PATIENCE, following).await???;
    database.leave().await?;
    line(
        &format!("{written} events written"),
        &[
            ("events/s", format!("{:.0}", rate(written, elapsed))),
            ("seen", seen.events.to_string()),
            ("skipped", written.saturating_sub(seen.events).to_string()),
            ("out of order", seen.gaps.to_string()),
        ],
    );
    let skipped = format!("{} of {written} skipped", written.saturating_sub(seen.events));
    row("a follower under 64 writers on 4 servers", skipped, "", "0 skipped");
    Ok(())
}
