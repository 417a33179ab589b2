//! cqrs-es with sqlite-es and postgres-es.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use cqrs_es::event_sink::EventSink;
use cqrs_es::persist::{
    GenericQuery, PersistedEventRepository, QueryReplay, SerializedEvent, ViewRepository,
};
use cqrs_es::{Aggregate, DomainEvent, EventEnvelope, View};
use postgres_es::{PostgresEventRepository, PostgresViewRepository};
use sqlite_es::{SqliteEventRepository, SqliteViewRepository};
use sqlx08::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use crate::{Done, EVENTS_EACH, Fault, State, appended, rate, say};

impl DomainEvent for Done {
    fn event_type(&self) -> String {
        "Done".into()
    }

    fn event_version(&self) -> String {
        "1".into()
    }
}

impl Aggregate for State {
    const TYPE: &'static str = "request";
    type Command = ();
    type Event = Done;
    type Error = std::fmt::Error;
    type Services = ();

    async fn handle(&mut self, (): (), (): &(), _sink: &EventSink<Self>) -> Result<(), Self::Error> {
        Ok(())
    }

    fn apply(&mut self, event: Done) {
        self.take(&event);
    }
}

impl View<State> for State {
    fn update(&mut self, event: &EventEnvelope<State>) {
        self.take(&event.payload);
    }
}

const TABLES: &str = "
    CREATE TABLE events (aggregate_type text NOT NULL, aggregate_id text NOT NULL, sequence bigint NOT NULL,
        event_type text NOT NULL, event_version text NOT NULL, payload JSON NOT NULL, metadata JSON NOT NULL,
        PRIMARY KEY (aggregate_type, aggregate_id, sequence));
    CREATE TABLE cards (view_id text NOT NULL PRIMARY KEY, version bigint NOT NULL, payload JSON NOT NULL);";

async fn measured<R, V>(
    store: &str,
    repository: impl Fn() -> R,
    views: V,
    requests: usize,
) -> Result<(), Fault>
where
    R: PersistedEventRepository + Send + Sync + 'static,
    V: ViewRepository<State, State> + Send + Sync + 'static,
{
    let own = Arc::new(repository());
    let life = |number: usize| {
        let repository = Arc::clone(&own);
        async move {
            for step in 0..EVENTS_EACH {
                let event = SerializedEvent::new(
                    format!("request-{number}"),
                    step + 1,
                    "request".into(),
                    "Done".into(),
                    "1".into(),
                    serde_json::to_value(Done::new(number, step))?,
                    serde_json::json!({}),
                );
                repository.persist::<State>(&[event], None).await?;
            }
            Ok(())
        }
    };
    say("cqrs-es", store, "append", appended(requests, life).await?);
    let start = Instant::now();
    let mut states: HashMap<String, State> = HashMap::new();
    let (mut stream, mut count) = (own.stream_all_events::<State>().await?, 0);
    while let Some(event) = stream.next::<State>(&[]).await {
        let event = event?;
        states.entry(event.aggregate_id).or_default().apply(event.payload);
        count += 1;
    }
    say("cqrs-es", store, "replay", rate(count, start.elapsed()));
    let query = GenericQuery::<V, State, State>::new(Arc::new(views));
    let start = Instant::now();
    QueryReplay::<R, _, State>::new(repository(), query).replay_all().await?;
    say("cqrs-es", store, "rebuild", rate(count, start.elapsed()));
    Ok(())
}

pub(crate) async fn sqlite(folder: &Path, requests: usize) -> Result<(), Fault> {
    let options = SqliteConnectOptions::new()
        .filename(folder.join("cqrs.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(std::time::Duration::from_secs(60));
    // With more connections than one, most callers only wait for each other's locks.
    let pool = SqlitePoolOptions::new().max_connections(2).connect_with(options).await?;
    sqlx08::raw_sql(&TABLES.replace("JSON", "text")).execute(&pool).await?;
    let views = SqliteViewRepository::<State, State>::new("cards", pool.clone());
    measured("sqlite", || SqliteEventRepository::new(pool.clone()), views, requests).await?;
    pool.close().await;
    Ok(())
}

pub(crate) async fn postgres(pool: sqlx08::PgPool, requests: usize) -> Result<(), Fault> {
    sqlx08::raw_sql(TABLES).execute(&pool).await?;
    let views = PostgresViewRepository::<State, State>::new("cards", pool.clone());
    measured("postgres", || PostgresEventRepository::new(pool.clone()), views, requests).await
}
