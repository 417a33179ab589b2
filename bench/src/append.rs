//! Appends alone: events that are ready, one in each append, sealed, hashed, placed, and answered once they are durable.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use guichet_journal::{
    Append, Body, CommandId, Digest, Expected, Journal, NewEvent, Pseudonym, Revision, StreamId, Tenant,
};
use serde_json::json;
use uuid::Uuid;

use crate::arguments::Arguments;
use crate::floor::{self, Row, rows_behind};
use crate::measure::{Fault, Load, Stopwatch, line, percent, processor, quantile, rate, remember, row};
use crate::store::{Place, Store};

/// As many callers as the peers are measured with.
const PEERS_CALLERS: usize = 32;
/// Events of each request, as of the peers.
pub(crate) const EVENTS_EACH: u64 = 6;

/// The text of an event that peers write too, some 350 bytes of JSON.
///
/// # Errors
/// Never in practice.
fn body(number: u64, revision: u64) -> Result<Body, Fault> {
    Ok(Body::of(&json!({
        "reference": format!("2026-{number:06}"), "step": revision, "service": "voirie", "priority": "normal",
        "place": { "street": "12 rue de la Marne", "postcode": "51000", "town": "Châlons-en-Champagne" },
        "finding": "Trou d’environ quarante centimètres au droit du numéro douze, signalé par un riverain",
        "next": "Intervention de l’équipe de voirie sous trois jours ouvrés", "photos": ["a1.jpg", "a2.jpg"],
    }))?)
}

/// The append that writes one event of a request.
fn append(stream: &StreamId, number: u64, revision: u64, now: DateTime<Utc>) -> Result<Append, Fault> {
    let command = Uuid::new_v5(&stream.id(), &revision.to_be_bytes());
    let actor: Pseudonym = "agent:camille".parse()?;
    Ok(Append {
        stream: stream.clone(),
        expected: revision
            .checked_sub(1)
            .map_or(Expected::NoStream, |before| Expected::Exact(Revision::new(before))),
        command: CommandId::new(command),
        command_digest: Digest::of(command.as_bytes()),
        actor,
        on_behalf_of: None,
        channel: None,
        recorded_at: now,
        correlation: None,
        causation: None,
        known_keys: Vec::new(),
        events: vec![NewEvent {
            event_type: "request.task_completed".parse()?,
            occurred_at: now,
            definition: Some(Digest::of(b"a version of a process")),
            actor: None,
            body: body(number, revision)?,
        }],
    })
}

/// Lets `callers` append `events` in all, each one after its last is answered.
///
/// # Errors
/// When an append is refused.
pub(crate) async fn load(
    journal: &Arc<dyn Journal>,
    callers: usize,
    events: usize,
    run: Uuid,
) -> Result<Load, Fault> {
    let tenant: Tenant = "ville".parse()?;
    let each = u64::try_from(events / callers)?.div_ceil(EVENTS_EACH);
    let mut calls = Vec::new();
    // What the callers want written is made before the clock starts: it is theirs, not the journal's.
    for caller in 0..u64::try_from(callers)? {
        let mut mine = Vec::new();
        for number in caller * each..(caller + 1) * each {
            let id = Uuid::new_v5(&run, &number.to_be_bytes());
            let stream = StreamId::new(&tenant, "request", id)?;
            for revision in 0..EVENTS_EACH {
                mine.push(append(&stream, number, revision, DateTime::UNIX_EPOCH)?);
            }
        }
        calls.push(mine);
    }
    let (before, watch) = (processor(), Stopwatch::start());
    let mut tasks = Vec::new();
    for mine in calls {
        let journal = Arc::clone(journal);
        tasks.push(tokio::spawn(async move {
            let mut latencies = Vec::with_capacity(mine.len());
            for append in mine {
                let own = Stopwatch::start();
                journal.append(append).await?;
                latencies.push(own.elapsed());
            }
            Ok::<_, Fault>(latencies)
        }));
    }
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await??);
    }
    let (elapsed, processor) = (watch.elapsed(), processor().saturating_sub(before));
    latencies.sort_unstable();
    Ok(Load { elapsed, processor, events: latencies.len(), latencies })
}

/// Prints the part for each store.
///
/// # Errors
/// When anything fails.
pub(crate) async fn run(arguments: &Arguments) -> Result<(), Fault> {
    for store in arguments.stores() {
        println!("\nappend: {}, one event in each, every one answered once it is durable", store.says());
        for callers in [1, 32, 256] {
            let events = if callers == 1 { arguments.appends / 10 } else { arguments.appends };
            measured(&store, callers, events).await?;
        }
    }
    Ok(())
}

async fn measured(store: &Store, callers: usize, events: usize) -> Result<(), Fault> {
    let place = Place::fresh(store).await?;
    // A journal that runs has its keys, statements and first pages; so has a server that is measured.
    load(&place.journal, callers, callers.max(32) * 6, Uuid::from_u128(1)).await?;
    let before = place.journal.head().await?;
    let load = load(&place.journal, callers, events, Uuid::from_u128(2)).await?;
    let rows = rows_behind(place.journal.as_ref(), before).await?;
    if callers == 1 {
        one_caller(store, &place, &rows, &load).await?;
        return place.leave().await;
    }
    let bare = floor_of(store, &place, &rows, callers).await?;
    place.leave().await?;
    let (ours, bare) = (load.events_rate(), rate(rows.len(), bare));
    let mut figures = vec![
        ("events/s", format!("{ours:.0}")),
        ("floor", format!("{bare:.0} in groups of {callers}")),
        ("ratio", percent(ours, bare)),
    ];
    figures.extend(about(&load, &rows));
    line(&format!("{callers} callers, {} events", load.events), &figures);
    if callers == PEERS_CALLERS {
        remember(format!("{} append", store.key()), ours);
    }
    let what = format!("append, {callers} callers, {}", store.name());
    row(what, percent(ours, bare), format!("group-commit floor, groups of {callers}"), "60 %");
    Ok(())
}

fn about(load: &Load, rows: &[Row]) -> [(&'static str, String); 4] {
    let (median, worst) = load.waits();
    let size = rows.iter().map(Row::bytes).sum::<usize>() / rows.len().max(1);
    let each = 1e6 / rate(load.events, load.processor);
    [
        ("p50", median),
        ("p99", worst),
        ("processor", format!("{each:.0} µs/event")),
        ("bytes/event", size.to_string()),
    ]
}

/// With one caller the medians are compared: a stall of the disk says nothing about either side.
async fn one_caller(store: &Store, place: &Place, rows: &[Row], load: &Load) -> Result<(), Fault> {
    let (bare, direct) = match store {
        Store::Sqlite => (
            floor::sqlite::single(&place.folder().join("floor.db"), rows).await?,
            Some(floor::sqlite::single_direct(&place.folder().join("direct.db"), rows).await?),
        ),
        Store::Postgres(url) => (floor::postgres::singles(url, rows).await?.1, None),
    };
    let ours = quantile(&load.latencies, 0.5).as_secs_f64();
    let times = |floor: Duration| format!("{:.2} ×", ours / floor.as_secs_f64().max(1e-9));
    let mut figures = vec![
        ("events/s", format!("{:.0}", load.events_rate())),
        ("insert + commit", format!("p50 {bare:.1?}")),
        ("takes as long", times(bare)),
    ];
    if let Some(direct) = direct {
        figures.push(("without a driver's thread", format!("p50 {direct:.1?}")));
        figures.push(("takes as long", times(direct)));
    }
    figures.extend(about(load, rows));
    line(&format!("1 caller, {} events", load.events), &figures);
    let what = format!("append, 1 caller, {}", store.name());
    row(what, format!("{} the time", times(bare)), "insert + commit", "at most 1.3 ×");
    Ok(())
}

async fn floor_of(store: &Store, place: &Place, rows: &[Row], callers: usize) -> Result<Duration, Fault> {
    let groups: Vec<&[Row]> = rows.chunks(callers).collect();
    match store {
        Store::Sqlite => floor::sqlite::bare_loop(&place.folder().join("floor.db"), &groups).await,
        Store::Postgres(url) => floor::postgres::groups(url, &groups).await,
    }
}

/// Prints what the machine and the drivers allow.
///
/// # Errors
/// When anything fails.
pub(crate) async fn floors(arguments: &Arguments) -> Result<(), Fault> {
    println!("\nfloors: the same rows written by a bare loop on one connection");
    let place = Place::fresh(&Store::Sqlite).await?;
    load(&place.journal, 256, arguments.appends, Uuid::from_u128(3)).await?;
    let rows = rows_behind(place.journal.as_ref(), None).await?;
    let few: Vec<&[Row]> = rows.iter().take(arguments.appends / 10).map(std::slice::from_ref).collect();
    let took = floor::sqlite::bare_loop(&place.folder().join("single.db"), &few).await?;
    line("SQLite, FULL, insert + commit", &[("events/s", format!("{:.0}", rate(few.len(), took)))]);
    for size in [32, 256] {
        let groups: Vec<&[Row]> = rows.chunks(size).collect();
        let path = place.folder().join(format!("group-{size}.db"));
        let took = floor::sqlite::bare_loop(&path, &groups).await?;
        let rate = rate(rows.len(), took);
        line(&format!("SQLite, FULL, groups of {size}"), &[("events/s", format!("{rate:.0}"))]);
    }
    if let Some(url) = &arguments.postgres {
        let few = rows.get(..few.len()).unwrap_or(&rows);
        let (took, median, worst) = floor::postgres::singles(url, few).await?;
        let figures = [
            ("events/s", format!("{:.0}", rate(few.len(), took))),
            ("p50", format!("{median:.2?}")),
            ("p99", format!("{worst:.2?}")),
        ];
        line("PostgreSQL, insert + commit", &figures);
        for size in [32, 256] {
            let groups: Vec<&[Row]> = rows.chunks(size).collect();
            let rate = rate(rows.len(), floor::postgres::groups(url, &groups).await?);
            line(&format!("PostgreSQL, UNNEST, groups of {size}"), &[("events/s", format!("{rate:.0}"))]);
        }
        let (into, out_of) = floor::postgres::copies(url, &rows).await?;
        line("PostgreSQL, COPY in", &[("events/s", format!("{:.0}", rate(rows.len(), into)))]);
        line("PostgreSQL, COPY out", &[("events/s", format!("{:.0}", rate(rows.len(), out_of)))]);
    }
    place.leave().await
}
