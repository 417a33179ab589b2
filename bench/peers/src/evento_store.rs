//! evento, on SQLite. It has no read model in a table of its own kind, so nothing is rebuilt.

use std::path::Path;
use std::time::Instant;

use evento::Projection;
use evento::metadata::Event;
use sqlx_migrator::{Migrate, Plan};
use sqlx09::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use crate::{EVENTS_EACH, Fault, appended, rate, say};

#[evento::aggregate]
pub enum Request {
    Finished {
        reference: String,
        step: u64,
        service: String,
        finding: String,
        next: String,
        photos: Vec<String>,
    },
}

#[evento::projection]
#[evento::snapshot(none)]
pub struct Card {
    pub step: u64,
    pub service: String,
}

#[evento::handler]
async fn on_finished(event: Event<Finished>, card: &mut Card) -> anyhow::Result<()> {
    card.step = event.data.step;
    card.service.clone_from(&event.data.service);
    Ok(())
}

fn finished(number: usize, step: usize) -> Finished {
    let done = crate::Done::new(number, step);
    Finished {
        reference: done.reference,
        step: done.step,
        service: done.service,
        finding: done.finding,
        next: done.next,
        photos: done.photos,
    }
}

pub(crate) async fn sqlite(folder: &Path, requests: usize) -> Result<(), Fault> {
    let options = SqliteConnectOptions::new()
        .filename(folder.join("evento.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(std::time::Duration::from_secs(60));
    let pool = SqlitePoolOptions::new().max_connections(2).connect_with(options).await?;
    let mut connection = pool.acquire().await?;
    let migrator = evento::sql_migrator::new::<sqlx09::Sqlite>()?;
    migrator.run(&mut *connection, &Plan::apply_all()).await?;
    drop(connection);
    let executor: evento::Sqlite = pool.clone().into();
    let (ids, known) = std::sync::mpsc::channel();
    let life = |number: usize| {
        let (executor, ids) = (executor.clone(), ids.clone());
        async move {
            let id = evento::create().event(&finished(number, 0)).commit(&executor).await?;
            for step in 1..EVENTS_EACH {
                let version = u16::try_from(step)?;
                evento::append(&id)
                    .original_version(version)
                    .event(&finished(number, step))
                    .commit(&executor)
                    .await?;
            }
            ids.send(id)?;
            Ok(())
        }
    };
    say("evento", "sqlite", "append", appended(requests, life).await?);
    drop(ids);
    let (start, mut count) = (Instant::now(), 0);
    for id in known {
        let card: Option<Card> = Projection::<_, Card>::new::<Request>()
            .handler(on_finished())
            .load(id)
            .execute(&executor)
            .await?;
        count += EVENTS_EACH;
        std::hint::black_box(card);
    }
    say("evento", "sqlite", "replay", rate(count, start.elapsed()));
    pool.close().await;
    Ok(())
}
