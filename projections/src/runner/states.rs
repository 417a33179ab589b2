//! The states of the requests that are being worked on, within a bound.

use std::num::NonZeroUsize;

use lru::LruCache;
use uuid::Uuid;

use super::change::Held;

/// A request: the number of its collectivity among those seen, and its id.
pub(crate) type Key = (u32, Uuid);

/// States kept between batches. Finished requests have a small place of their own, so that they never push out one
/// that is worked on, and however many there are they take no more memory.
pub(crate) struct States {
    open: LruCache<Key, Held>,
    finished: LruCache<Key, Held>,
}

impl States {
    pub(crate) fn new(open: usize, finished: usize) -> Self {
        let bound = |most| NonZeroUsize::new(most).unwrap_or(NonZeroUsize::MIN);
        Self { open: LruCache::new(bound(open)), finished: LruCache::new(bound(finished)) }
    }

    /// Takes a state out, to be folded and put back.
    pub(crate) fn take(&mut self, key: &Key) -> Option<Held> {
        self.open.pop(key).or_else(|| self.finished.pop(key))
    }

    /// Puts a state back; the least recently used of its kind gives way.
    pub(crate) fn put(&mut self, key: Key, held: Held) {
        let place = if held.request.stage.is_finished() { &mut self.finished } else { &mut self.open };
        place.push(key, held);
    }
}

#[cfg(test)]
impl States {
    /// How many open and how many finished requests it holds.
    pub(crate) fn len(&self) -> (usize, usize) {
        (self.open.len(), self.finished.len())
    }
}
