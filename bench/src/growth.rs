//! How cost grows: the same work on a journal and on one ten times as long, and commands on a few requests and on many.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use guichet_engine::Engine;
use guichet_projections::ReadModels;
use uuid::Uuid;

use crate::arguments::Arguments;
use crate::fill::Lives;
use crate::measure::{Fault, Stopwatch, line, quantile, row};
use crate::store::{Place, Store};
use crate::town::{self, Life};

/// Requests before and after.
const FEW: usize = 10_000;
const MANY: usize = 5_000_000;
/// Bytes that must stay free on the disk, whatever is measured.
const SPARE: u64 = 20 << 30;
/// What a request takes on the disk while it is only received, about.
const RECEIVED_BYTES: u64 = 2_000;
/// What an event takes on the disk with its share of the read models, about.
const EVENT_BYTES: u64 = 1_500;
/// Longer than a rebuild takes.
const PATIENCE: Duration = Duration::from_secs(7200);

/// Prints the part, on SQLite.
///
/// # Errors
/// When anything fails.
pub(crate) async fn run(arguments: &Arguments) -> Result<(), Fault> {
    println!("\ngrowth: SQLite");
    let lives = Arc::new(Lives::lived().await?);
    let few = work(&lives, arguments.events / 10).await?;
    if room_for(u64::try_from(arguments.events)? * EVENT_BYTES)? {
        let many = work(&lives, arguments.events).await?;
        for ((what, few), (_, many)) in few.into_iter().zip(many) {
            let times = many.as_secs_f64() / few.as_secs_f64().max(1e-9);
            row(
                format!("ten times the events: {what}"),
                format!("{times:.1} × the time"),
                "",
                "at most 11 ×",
            );
        }
    } else {
        println!("not measured: {} events need more room on the disk", arguments.events);
    }
    requests(&lives).await
}

/// Fills a journal, folds it and builds the read models; the time of each.
async fn work(lives: &Arc<Lives>, events: usize) -> Result<Vec<(&'static str, Duration)>, Fault> {
    let place = Place::fresh(&Store::Sqlite).await?;
    let engine = town::on(Arc::clone(&place.journal)).await?;
    let requests = events / lives.events_each();
    let watch = Stopwatch::start();
    let written = lives.copy(&engine, 1, requests, usize::MAX).await?;
    let append = watch.elapsed();
    let watch = Stopwatch::start();
    let folded = engine.census(2.try_into()?).await?;
    let fold = watch.elapsed();
    drop(folded);
    let watch = Stopwatch::start();
    let models = ReadModels::open(&place.tables(), Arc::clone(&place.journal)).await?;
    models.catch_up(PATIENCE).await?;
    let build = watch.elapsed();
    models.close().await;
    let took = vec![("append, 256 callers", append), ("fold", fold), ("all read models", build)];
    let figures: Vec<(&str, String)> =
        took.iter().map(|(what, took)| (*what, format!("{took:.1?}"))).collect();
    line(&format!("{written} events of {requests} requests"), &figures);
    disk(&place, requests).await?;
    drop(engine);
    place.leave().await?;
    Ok(took)
}

/// Commands on a journal with few requests, then on one with many.
async fn requests(lives: &Arc<Lives>) -> Result<(), Fault> {
    if !room_for(MANY as u64 * RECEIVED_BYTES)? {
        println!("not measured: {MANY} requests need more room on the disk");
        return Ok(());
    }
    let place = Place::fresh(&Store::Sqlite).await?;
    let engine = town::on(Arc::clone(&place.journal)).await?;
    lives.copy(&engine, 2, FEW, 1).await?;
    let few = latency(&engine, FEW).await?;
    lives.copy(&engine, 3, MANY - FEW, 1).await?;
    let many = latency(&engine, MANY).await?;
    let times = many.as_secs_f64() / few.as_secs_f64().max(1e-9);
    row(
        format!("a command among {MANY} requests"),
        format!("{times:.2} × the time"),
        format!("among {FEW}"),
        "1 ×",
    );
    drop(engine);
    place.leave().await
}

/// The median time of a command, one caller.
async fn latency(engine: &Engine, requests: usize) -> Result<Duration, Fault> {
    let mut took = Vec::new();
    for number in 0..200_u128 {
        let mut life = Life::begin(engine, Uuid::from_u128((number << 64) + requests as u128)).await?;
        loop {
            let watch = Stopwatch::start();
            if !life.step(engine).await? {
                break;
            }
            took.push(watch.elapsed());
        }
    }
    took.sort_unstable();
    let at = |share| format!("{:.1?}", quantile(&took, share));
    line(&format!("commands among {requests} requests, 1 caller"), &[("p50", at(0.5)), ("p99", at(0.99))]);
    Ok(quantile(&took, 0.5))
}

/// Prints what a finished request takes on the disk, read models included.
///
/// # Errors
/// When the store does not say.
pub(crate) async fn disk(place: &Place, requests: usize) -> Result<(), Fault> {
    let (bytes, store) = match &place.database {
        Some(database) => (database.bytes().await?, "PostgreSQL"),
        None => (folder_bytes(place.folder())?, "SQLite"),
    };
    let each = bytes / u64::try_from(requests.max(1))?;
    line("disk", &[("bytes/finished request, read models included", each.to_string())]);
    row(
        format!("disk for a finished request, {store}"),
        format!("{:.1} kB", each as f64 / 1e3),
        "",
        "at most 8 kB",
    );
    Ok(())
}

/// The journal, its keys and the read models, without the files of floors.
fn folder_bytes(folder: &Path) -> Result<u64, Fault> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        // The write-ahead logs are reused, not kept.
        if name.ends_with(".db") && !name.starts_with("floor") {
            bytes += entry.metadata()?.len();
        }
    }
    Ok(bytes)
}

/// Whether so many bytes fit beside what must stay free, by the word of `df`.
fn room_for(bytes: u64) -> Result<bool, Fault> {
    let told = std::process::Command::new("df")
        .args(["--output=avail", "-B1"])
        .arg(std::env::temp_dir())
        .output()?;
    let told = String::from_utf8(told.stdout)?;
    let free: u64 = told.lines().nth(1).unwrap_or_default().trim().parse()?;
    Ok(free > bytes + SPARE)
}
