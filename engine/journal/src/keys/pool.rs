//! Keys that are durable ahead of need, so that an append that needs one waits for no disk.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::{DataKey, draw_kid};
use crate::error::JournalError;
use crate::id::Kid;
use crate::limits::{KEY_POOL_BATCH, KEY_POOL_LOW};

/// Keys that wait to be given out.
#[derive(Default)]
pub(super) struct Pool {
    keys: Mutex<Vec<(Kid, DataKey)>>,
    refilling: AtomicBool,
}

impl Pool {
    fn keys(&self) -> MutexGuard<'_, Vec<(Kid, DataKey)>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_low(&self) -> bool {
        self.keys().len() < KEY_POOL_LOW
    }

    pub(super) fn add(&self, batch: Vec<(Kid, DataKey)>) {
        self.keys().extend(batch);
    }

    /// Everything that was not given out.
    pub(super) fn empty(&self) -> Vec<(Kid, DataKey)> {
        std::mem::take(&mut *self.keys())
    }
}

/// New keys, not durable yet.
pub(super) fn draw_batch() -> Result<Vec<(Kid, DataKey)>, JournalError> {
    (0..KEY_POOL_BATCH).map(|_| Ok((draw_kid()?, DataKey::draw()?))).collect()
}

/// A store that fills such a pool.
#[async_trait]
pub(super) trait Refills: Send + Sync + 'static {
    fn pool(&self) -> &Pool;

    /// Makes a batch of keys durable and adds it to the pool, unless somebody has just done so.
    async fn refill(&self) -> Result<(), JournalError>;
}

/// A key from the pool, which is filled again in the background before it is empty.
pub(super) async fn take<S: Refills>(store: &Arc<S>) -> Result<(Kid, DataKey), JournalError> {
    loop {
        let taken = store.pool().keys().pop();
        let Some(key) = taken else {
            store.refill().await?;
            continue;
        };
        if store.pool().is_low() && !store.pool().refilling.swap(true, Ordering::AcqRel) {
            let store = Arc::clone(store);
            tokio::spawn(async move {
                if let Err(error) = store.refill().await {
                    tracing::warn!(%error, "no sealing keys could be made ahead of need");
                }
                store.pool().refilling.store(false, Ordering::Release);
            });
        }
        return Ok(key);
    }
}
