//! What must be the same in SQLite and in PostgreSQL, and what PostgreSQL alone can do.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use guichet_journal::{
    Append, Appended, Filter, Follower, Journal, JournalError, KeyStore, Page, Position, Recorded, Revision,
    StreamId,
};

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

/// A journal that tells everything at least once, as those that are followed over a network may.
struct Repeating {
    inner: Arc<dyn Journal>,
    before: Mutex<Option<Position>>,
}

#[async_trait]
impl Journal for Repeating {
    async fn append(&self, append: Append) -> Result<Appended, JournalError> {
        self.inner.append(append).await
    }

    async fn read(&self, id: &StreamId, from: Revision, limit: usize) -> Result<Vec<Recorded>, JournalError> {
        self.inner.read(id, from, limit).await
    }

    async fn read_all(
        &self,
        after: Option<Position>,
        filter: &Filter,
        limit: usize,
    ) -> Result<Page, JournalError> {
        let before = std::mem::replace(&mut *self.before.lock().unwrap(), after);
        // Another reader may have been further.
        let before = before.filter(|before| Some(*before) < after);
        let mut repeated = self.inner.read_all(before, filter, limit).await?.events;
        repeated.retain(|event| Some(event.position()) <= after);
        let page = self.inner.read_all(after, filter, limit).await?;
        repeated.extend(page.events);
        Ok(Page { events: repeated, ..page })
    }

    fn follow(&self, _: Option<Position>, filter: Filter) -> Follower {
        self.inner.follow(*self.before.lock().unwrap(), filter)
    }

    async fn head(&self) -> Result<Option<Position>, JournalError> {
        self.inner.head().await
    }

    fn keys(&self) -> &Arc<dyn KeyStore> {
        self.inner.keys()
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}

on_each_place!(what_is_told_twice_is_taken_in_once, several_folders_make_the_rows_of_one);

async fn what_is_told_twice_is_taken_in_once(ground: Ground) {
    let journal = memory();
    let mut town = Town::new(Arc::clone(&journal), 22).await;
    for _ in 0..150 {
        town.step().await;
    }
    let repeating: Arc<dyn Journal> =
        Arc::new(Repeating { inner: Arc::clone(&journal), before: Mutex::default() });
    let options = Options { batch_events: 40, ..Options::default() };
    let models = open(&ground.place("r").await, &repeating, options).await;
    for _ in 0..20 {
        town.step().await;
    }
    models.catch_up(SOON).await.unwrap();
    let once = open(&ground.place("once").await, &journal, Options::default()).await;
    once.catch_up(SOON).await.unwrap();
    assert_eq!(differences(&dump(&models).await, &dump(&once).await), Vec::<String>::new());
    // Events are counted once, too.
    let (twice, once) = (models.status().await.unwrap().events, once.status().await.unwrap().events);
    assert!(once > 170 && twice == once, "{twice} {once}");
    models.rebuild(&[]).await.unwrap();
}

async fn several_folders_make_the_rows_of_one(ground: Ground) {
    let journal = memory();
    let mut town = Town::new(Arc::clone(&journal), 23).await;
    for _ in 0..600 {
        town.step().await;
    }
    let mut dumps = Vec::new();
    for folders in [1, 2, 5] {
        let options =
            Options { batch_events: 64, open_states: 20, rebuild_states: 20, folders, ..Options::default() };
        let models = open(&ground.place("r").await, &journal, options).await;
        models.catch_up(SOON).await.unwrap();
        let rebuilt = models.rebuild(&[]).await.unwrap();
        dumps.push((rebuilt.events, dump(&models).await));
        models.close().await;
    }
    assert_eq!((dumps[0].0, dumps[0].0), (dumps[1].0, dumps[2].0));
    assert_eq!(dumps[0].1, dumps[1].1);
    assert_eq!(dumps[0].1, dumps[2].1);
}
