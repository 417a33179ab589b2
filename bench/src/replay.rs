//! The whole journal folded into states of requests.

use std::collections::HashMap;
use std::time::Duration;

use guichet_engine::Engine;
use guichet_journal::Header;
use guichet_rules::process::REQUEST_STREAM;
use guichet_rules::request::{Event, Meta, Request, evolve};

use uuid::Uuid;

use crate::measure::{Fault, Stopwatch, line, rate};
use crate::submit::pages;

/// Folds every request of the journal; answers the time, the events and the requests.
async fn fold(engine: &Engine) -> Result<(Duration, usize, usize), Fault> {
    let mut states: HashMap<Uuid, Option<Request>> = HashMap::new();
    let mut count = 0;
    let watch = Stopwatch::start();
    pages(engine, |events| {
        for recorded in events {
            let header = recorded.header()?;
            if header.stream.kind() != REQUEST_STREAM {
                continue;
            }
            let meta = Meta {
                tenant: header.tenant.as_str().to_owned(),
                actor: header.actor.as_str().to_owned(),
                occurred_at: header.occurred_at,
                recorded_at: header.recorded_at,
            };
            let event = Event::decode(header.event_type.as_str(), recorded.body().as_bytes())?;
            let state = states.entry(header.stream.id()).or_default();
            *state = evolve(state.take(), &event, &meta);
            count += 1;
        }
        Ok(())
    })
    .await?;
    Ok((watch.elapsed(), count, states.len()))
}

/// Decodes the same JSON, headers and bodies, by serde alone, from memory.
async fn decode(engine: &Engine) -> Result<(Duration, usize), Fault> {
    let mut stored = Vec::new();
    pages(engine, |events| {
        let requests = events.iter().filter(|recorded| recorded.event_type().starts_with("request."));
        stored.extend(requests.cloned());
        Ok(())
    })
    .await?;
    let watch = Stopwatch::start();
    for recorded in &stored {
        let header: Header = serde_json::from_str(recorded.stored_header())?;
        let event = Event::decode(header.event_type.as_str(), recorded.body().as_bytes())?;
        std::hint::black_box((header, event));
    }
    Ok((watch.elapsed(), stored.len()))
}

/// Prints the table.
///
/// # Errors
/// When anything fails.
pub(crate) async fn run(engine: &Engine) -> Result<(), Fault> {
    println!("\nreplay: the whole journal folded into states, one core");
    let (alone, decoded) = decode(engine).await?;
    let (elapsed, events, requests) = fold(engine).await?;
    let (ours, floor) = (rate(events, elapsed), rate(decoded, alone));
    line(
        &format!("{events} events of {requests} requests"),
        &[
            ("read, decoded and folded", format!("{ours:.0} events/s")),
            ("serde alone", format!("{floor:.0} events/s")),
            ("ratio", format!("{:.0} %", 100.0 * ours / floor)),
        ],
    );
    Ok(())
}
