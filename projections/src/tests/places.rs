//! What must be the same in SQLite and in PostgreSQL, and what PostgreSQL alone can do.

use std::sync::Arc;

use super::ground::Ground;
use super::town::Town;
use super::{SOON, differences, dump, memory, open};
use crate::Options;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_places_hold_the_same_rows_for_the_same_journal() {
    let Some(postgres) = Ground::postgres() else { return };
    let journal = memory();
    let mut town = Town::new(Arc::clone(&journal), 21).await;
    for _ in 0..700 {
        town.step().await;
    }
    let mut dumps = Vec::new();
    for (ground, batch_events) in [(Ground::sqlite(), 8_192), (postgres.clone(), 23)] {
        let options = Options { batch_events, ..Options::default() };
        let models = open(&ground.place("r").await, &journal, options).await;
        models.catch_up(SOON).await.unwrap();
        dumps.push(dump(&models).await);
        models.close().await;
    }
    assert!(dumps[0].len() > 1_500, "{}", dumps[0].len());
    assert_eq!(differences(&dumps[0], &dumps[1]), Vec::<String>::new());
    // In the same order too.
    assert_eq!(dumps[0], dumps[1]);
    postgres.clear().await;
}
