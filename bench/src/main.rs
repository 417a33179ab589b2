//! Measurements, as ratios against floors in the same run. `README.md` says what each part measures.

mod append;
mod arguments;
mod check;
mod fill;
mod floor;
mod follower;
mod growth;
mod http_load;
mod measure;
mod open_loop;
mod order;
mod peers;
mod rebuild;
mod replay;
mod search;
mod simulate;
mod store;
mod submit;
mod town;

use std::sync::Arc;

use arguments::Arguments;
use fill::Lives;
use measure::Fault;
use store::{Place, Store};

/// The allocator of the `guichet` binary, so that what is measured is what runs.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Processes of the catalogue that `check` and `search` read: those of a large town.
const SHEETS: usize = 503;

#[tokio::main]
async fn main() -> Result<(), Fault> {
    let arguments = Arguments::read(std::env::args().skip(1))?;
    let done = parts(&arguments).await;
    measure::print_table();
    done
}

async fn parts(arguments: &Arguments) -> Result<(), Fault> {
    if arguments.wants("floors") {
        append::floors(arguments).await?;
    }
    if arguments.wants("append") {
        append::run(arguments).await?;
    }
    if arguments.wants("submit") {
        submit::run(arguments).await?;
    }
    if arguments.wants("order")
        && let Some(url) = &arguments.postgres
    {
        order::run(url).await?;
    }
    if arguments.wants("follower") {
        follower::run(arguments).await?;
    }
    if arguments.wants("open-loop") {
        open_loop::run(arguments).await?;
    }
    if arguments.wants("http") {
        http_load::run(arguments).await?;
    }
    if arguments.wants("check") {
        check::run(SHEETS)?;
    }
    if arguments.wants("search") {
        search::run(SHEETS).await?;
    }
    if arguments.wants("simulate") {
        simulate::run(arguments.year)?;
    }
    if arguments.wants("replay") || arguments.wants("rebuild") {
        for store in arguments.stores() {
            journal(arguments, &store).await?;
        }
    }
    if arguments.wants("peers") {
        peers::run(arguments)?;
    }
    if arguments.names("growth") {
        growth::run(arguments).await?;
    }
    Ok(())
}

/// The parts that read a whole journal.
async fn journal(arguments: &Arguments, store: &Store) -> Result<(), Fault> {
    let place = Place::fresh(store).await?;
    let engine = town::on(Arc::clone(&place.journal)).await?;
    let lives = Arc::new(Lives::lived().await?);
    let requests = arguments.events / lives.events_each();
    let events = lives.copy(&engine, 1, requests, usize::MAX).await?;
    if arguments.wants("replay") {
        replay::run(&engine, store, &place).await?;
    }
    if arguments.wants("rebuild") {
        rebuild::run(store, &place, events, requests).await?;
    }
    drop(engine);
    place.leave().await
}
