//! The same work done by published event stores: events of the same size, one in each durable transaction, then all of
//! them folded into states, then one read model rebuilt. Each line is `PEER STORE WHAT RATE`, in events a second.
//!
//! Each library is asked in the way that costs it least: its store directly, with nothing decided.

mod cqrs;
mod esrs_store;
mod evento_store;

use std::future::Future;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// The allocator that Guichet is measured with.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Fault = Box<dyn std::error::Error + Send + Sync>;

/// Callers that append at the same time.
const CALLERS: usize = 32;
/// Events of each request.
const EVENTS_EACH: usize = 6;

/// The event that Guichet is measured with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Done {
    reference: String,
    step: u64,
    service: String,
    priority: String,
    place: Place,
    finding: String,
    next: String,
    photos: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Place {
    street: String,
    postcode: String,
    town: String,
}

impl Done {
    fn new(number: usize, step: usize) -> Self {
        Self {
            reference: format!("2026-{number:06}"),
            step: step as u64,
            service: "voirie".into(),
            priority: "normal".into(),
            place: Place {
                street: "12 rue de la Marne".into(),
                postcode: "51000".into(),
                town: "Châlons-en-Champagne".into(),
            },
            finding: "Trou d’environ quarante centimètres au droit du numéro douze, signalé par un riverain"
                .into(),
            next: "Intervention de l’équipe de voirie sous trois jours ouvrés".into(),
            photos: vec!["a1.jpg".into(), "a2.jpg".into()],
        }
    }
}

/// The state that events are folded into.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
struct State {
    step: u64,
    service: String,
    photos: usize,
}

impl State {
    fn take(&mut self, event: &Done) {
        self.step = event.step;
        self.service.clone_from(&event.service);
        self.photos += event.photos.len();
    }
}

/// Lets all callers append at once: `append(number of the request, revision)`.
async fn appended<F: Future<Output = Result<(), Fault>> + Send + 'static>(
    requests: usize,
    life: impl Fn(usize) -> F,
) -> Result<f64, Fault> {
    let each = requests / CALLERS;
    let start = Instant::now();
    let mut tasks = Vec::new();
    for caller in 0..CALLERS {
        let lives: Vec<F> = (caller * each..(caller + 1) * each).map(&life).collect();
        tasks.push(tokio::spawn(async move {
            for life in lives {
                life.await?;
            }
            Ok::<_, Fault>(())
        }));
    }
    for task in tasks {
        task.await??;
    }
    Ok(rate(each * CALLERS * EVENTS_EACH, start.elapsed()))
}

fn rate(count: usize, elapsed: Duration) -> f64 {
    count as f64 / elapsed.as_secs_f64()
}

fn say(peer: &str, store: &str, what: &str, rate: f64) {
    println!("{peer} {store} {what} {rate:.0}");
}

#[tokio::main]
async fn main() -> Result<(), Fault> {
    let quick = std::env::args().any(|word| word == "--quick");
    let requests = if quick { 640 } else { 3200 };
    let folder = tempfile::tempdir()?;
    cqrs::sqlite(folder.path(), requests).await?;
    evento_store::sqlite(folder.path(), requests).await?;
    if let Ok(url) = std::env::var("GUICHET_TEST_POSTGRES") {
        let pool = sqlx08::postgres::PgPoolOptions::new().max_connections(32).connect(&url).await?;
        sqlx08::raw_sql("DROP SCHEMA IF EXISTS peers CASCADE; CREATE SCHEMA peers").execute(&pool).await?;
        pool.close().await;
        let options: sqlx08::postgres::PgConnectOptions = url.parse()?;
        let options = options.options([("search_path", "peers")]);
        let pool = sqlx08::postgres::PgPoolOptions::new().max_connections(32).connect_with(options).await?;
        cqrs::postgres(pool.clone(), requests).await?;
        esrs_store::postgres(pool.clone(), requests).await?;
        sqlx08::raw_sql("DROP SCHEMA peers CASCADE").execute(&pool).await?;
        pool.close().await;
    }
    Ok(())
}
