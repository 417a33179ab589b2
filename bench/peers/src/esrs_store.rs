//! esrs, on PostgreSQL.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use esrs::handler::{EventHandler, ReplayableEventHandler};
use esrs::rebuilder::{PgRebuilder, Rebuilder};
use esrs::store::postgres::{PgStore, PgStoreBuilder};
use esrs::store::{EventStore, StoreEvent};
use esrs::{Aggregate, AggregateState};
use futures::TryStreamExt;
use sqlx08::PgPool;
use uuid::Uuid;

use crate::{Done, EVENTS_EACH, Fault, State, appended, rate, say};

struct Request;

impl Aggregate for Request {
    const NAME: &'static str = "peer_request";
    type State = State;
    type Command = ();
    type Event = Done;
    type Error = std::fmt::Error;

    fn handle_command(_: &State, (): ()) -> Result<Vec<Done>, Self::Error> {
        Ok(Vec::new())
    }

    fn apply_event(mut state: State, event: Done) -> State {
        state.take(&event);
        state
    }
}

/// One row for each request, as the library's examples write it.
struct Cards(PgPool);

#[async_trait]
impl EventHandler<Request> for Cards {
    async fn handle(&self, event: &StoreEvent<Done>) {
        let query =
            "INSERT INTO peer_cards (id, step) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET step = $2";
        let step = i64::try_from(event.payload.step).unwrap_or(0);
        let done = sqlx08::query(query).bind(event.aggregate_id).bind(step).execute(&self.0).await;
        done.expect("the view is written");
    }
}

impl ReplayableEventHandler<Request> for Cards {}

pub(crate) async fn postgres(pool: PgPool, requests: usize) -> Result<(), Fault> {
    let store: PgStore<Request> = PgStoreBuilder::new(pool.clone()).try_build().await?;
    let store = Arc::new(store);
    let life = |number: usize| {
        let store = Arc::clone(&store);
        async move {
            let mut state: AggregateState<State> = AggregateState::with_id(Uuid::new_v4());
            for step in 0..EVENTS_EACH {
                let events = store.persist(&mut state, vec![Done::new(number, step)]).await?;
                state = state.apply_store_events(events, Request::apply_event);
            }
            Ok(())
        }
    };
    say("esrs", "postgres", "append", appended(requests, life).await?);
    let start = Instant::now();
    let mut states: HashMap<Uuid, State> = HashMap::new();
    let (mut events, mut count) = (store.stream_events(&pool), 0);
    while let Some(event) = events.try_next().await? {
        states.entry(event.aggregate_id).or_default().take(&event.payload);
        count += 1;
    }
    drop(events);
    say("esrs", "postgres", "replay", rate(count, start.elapsed()));
    sqlx08::raw_sql("CREATE TABLE peer_cards (id uuid PRIMARY KEY, step bigint)").execute(&pool).await?;
    let rebuilder: PgRebuilder<Request> =
        PgRebuilder::new().with_event_handlers(vec![Box::new(Cards(pool.clone()))]);
    let start = Instant::now();
    rebuilder.by_aggregate_id(pool.clone()).await?;
    say("esrs", "postgres", "rebuild", rate(count, start.elapsed()));
    Ok(())
}
