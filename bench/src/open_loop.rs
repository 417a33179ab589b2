//! Commands and reads that come at a fixed rate, whether or not the last ones are answered, as citizens do. A latency
//! counts from the instant at which the call was due, so that a stall is felt by everyone who would have met it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use guichet_engine::Engine;
use guichet_projections::{CardQuery, ReadModels};
use guichet_rules::request::RequestId;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::arguments::Arguments;
use crate::floor;
use crate::measure::{Fault, Stopwatch, line, quantile, row};
use crate::store::{Place, Store};
use crate::town::{self, Life, TENANT};

/// Commands a second.
const RATES: [u32; 4] = [50, 100, 200, 400];
/// The rate whose figures go into the table.
const GOAL: u32 = 200;
/// Reads for each command: the state of a request, and a page of cards.
const READS: u32 = 2;
/// Requests that are under way at the same time.
const OPEN: usize = 400;
/// Longer than a read model is ever behind.
const PATIENCE: Duration = Duration::from_secs(60);

/// One server: rules, memory and read models, and the requests under way.
struct Server {
    engine: Arc<Engine>,
    models: ReadModels,
    open: Mutex<VecDeque<Life>>,
}

/// What a call took.
enum Took {
    /// From when it was due to its answer, and from its answer until the read models had seen it.
    Command(Duration, Duration),
    Read(Duration),
}

impl Server {
    fn take(&self) -> Option<Life> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    fn put(&self, life: Life) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).push_back(life);
    }

    fn front(&self) -> Option<RequestId> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.front().map(|life| life.receipt.request)
    }

    async fn command(&self, due: Stopwatch) -> Result<Took, Fault> {
        let life = match self.take() {
            Some(mut life) => {
                if life.step(&self.engine).await? {
                    life
                } else {
                    Life::begin(&self.engine, Uuid::from_u128(7)).await?
                }
            }
            None => Life::begin(&self.engine, Uuid::from_u128(7)).await?,
        };
        let (took, answered) = (due.elapsed(), Stopwatch::start());
        let position = life.receipt.position;
        self.put(life);
        self.models.wait_for(position, PATIENCE).await?;
        Ok(Took::Command(took, answered.elapsed()))
    }

    async fn read(&self, due: Stopwatch, number: u32) -> Result<Took, Fault> {
        let request = self.front();
        if let Some(request) = request.filter(|_| number.is_multiple_of(2)) {
            std::hint::black_box(self.engine.state(TENANT, request).await?);
        } else {
            let query = CardQuery { tenant: Some(TENANT.into()), open: Some(true), ..CardQuery::default() };
            std::hint::black_box(self.models.cards(&query).await?);
        }
        Ok(Took::Read(due.elapsed()))
    }
}

/// Prints the part for each store.
///
/// # Errors
/// When anything fails.
pub(crate) async fn run(arguments: &Arguments) -> Result<(), Fault> {
    for store in arguments.stores() {
        println!(
            "\nopen loop: {}, {READS} reads for each command, {:?} at each rate, latencies from when a call was due",
            store.says(),
            arguments.duration
        );
        let place = Place::fresh(&store).await?;
        let commit = commit_of(&store).await?;
        line("the store's own commit", &[("p50", format!("{commit:.2?}"))]);
        let engine = town::on(Arc::clone(&place.journal)).await?;
        let models = ReadModels::open(&place.tables(), Arc::clone(&place.journal)).await?;
        let server = Arc::new(Server { engine, models, open: Mutex::default() });
        for number in 0..OPEN {
            let life = Life::begin(&server.engine, Uuid::from_u128(u128::try_from(number)? << 8)).await?;
            server.put(life);
        }
        for rate in RATES {
            at(&server, rate, arguments.duration, &store, commit).await?;
        }
        server.models.close().await;
        place.leave().await?;
    }
    Ok(())
}

/// The median of a bare insert and commit, in the same run. The rows come from a journal of their own: no read model could fold them.
async fn commit_of(store: &Store) -> Result<Duration, Fault> {
    let place = Place::fresh(store).await?;
    crate::append::load(&place.journal, 32, 2000, Uuid::from_u128(9)).await?;
    let rows = floor::rows_behind(place.journal.as_ref(), None).await?;
    let commit = match store {
        Store::Sqlite => floor::sqlite::single(&place.folder().join("commit.db"), &rows).await?,
        Store::Postgres(url) => floor::postgres::singles(url, &rows).await?.1,
    };
    place.leave().await?;
    Ok(commit)
}

async fn at(
    server: &Arc<Server>,
    rate: u32,
    duration: Duration,
    store: &Store,
    commit: Duration,
) -> Result<(), Fault> {
    let (calls, own) = (u64::from(rate * (READS + 1)) * duration.as_secs(), Arc::clone(server));
    // The calls are sent by a thread of their own: a runtime that is busy must not delay what it is measured by.
    let sender = tokio::task::spawn_blocking(move || send(&own, calls, duration));
    let (mut commands, mut behind, mut reads) = (Vec::new(), Vec::new(), Vec::new());
    for call in sender.await? {
        match call.await?? {
            Took::Command(took, until_seen) => {
                commands.push(took);
                behind.push(until_seen);
            }
            Took::Read(took) => reads.push(took),
        }
    }
    for list in [&mut commands, &mut behind, &mut reads] {
        list.sort_unstable();
    }
    let at = |list: &[Duration], share| format!("{:.1?}", quantile(list, share));
    line(
        &format!("{rate} commands/s and {} reads/s", rate * READS),
        &[
            ("commands p50", at(&commands, 0.5)),
            ("p99", at(&commands, 0.99)),
            ("p99.9", at(&commands, 0.999)),
            ("reads p50", at(&reads, 0.5)),
            ("p99", at(&reads, 0.99)),
            ("read models behind p50", at(&behind, 0.5)),
            ("p99", at(&behind, 0.99)),
            ("most", at(&behind, 1.0)),
        ],
    );
    if rate == GOAL {
        let times = quantile(&commands, 0.99).as_secs_f64() / commit.as_secs_f64().max(1e-9);
        let what = format!("{rate} commands/s with reads, {duration:?}, {}", store.name());
        row(format!("{what}: p99"), format!("{times:.1} ×"), "the store's own commit", "under 5 ×");
        row(format!("{what}: a read model is behind"), format!("at most {}", at(&behind, 1.0)), "", "50 ms");
    }
    Ok(())
}

/// Sends each call when it is due.
fn send(server: &Arc<Server>, calls: u64, duration: Duration) -> Vec<JoinHandle<Result<Took, Fault>>> {
    let (handle, start) = (Handle::current(), Stopwatch::start().started());
    let mut sent = Vec::new();
    for number in 0..u32::try_from(calls).unwrap_or(u32::MAX) {
        let due = start + duration * number / u32::try_from(calls).unwrap_or(u32::MAX).max(1);
        std::thread::sleep(due.saturating_duration_since(now()));
        let (server, due) = (Arc::clone(server), Stopwatch::at(due));
        sent.push(handle.spawn(async move {
            if number.is_multiple_of(READS + 1) {
                server.command(due).await
            } else {
                server.read(due, number).await
            }
        }));
    }
    sent
}

fn now() -> Instant {
    Stopwatch::start().started()
}
