//! How many may listen at once: an open stream costs a connection and a read for each change.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Streams of changes open at once on a server.
pub(crate) const LISTENERS_MAX: usize = 512;
/// Of them by the same caller, or for the same request.
pub(crate) const LISTENERS_EACH_MAX: usize = 16;

/// Those who listen.
#[derive(Debug, Default)]
pub(crate) struct Listeners(Mutex<HashMap<String, usize>>);

/// The place of one of them, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    listeners: Arc<Listeners>,
    whose: String,
}

impl Listeners {
    /// A place for one more; none if all are taken.
    pub(crate) fn place(self: &Arc<Self>, whose: String) -> Option<Place> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.values().sum::<usize>() >= LISTENERS_MAX {
            return None;
        }
        let count = counts.entry(whose.clone()).or_default();
        if *count >= LISTENERS_EACH_MAX {
            return None;
        }
        *count += 1;
        Some(Place { listeners: Arc::clone(self), whose })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.listeners.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.whose) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                counts.remove(&self.whose);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_few_and_come_back() {
        let listeners = Arc::new(Listeners::default());
        let mut places: Vec<_> =
            (0..LISTENERS_EACH_MAX).map(|_| listeners.place("a".into()).unwrap()).collect();
        assert!(listeners.place("a".into()).is_none());
        assert!(listeners.place("b".into()).is_some(), "others are not in the way");
        places.pop();
        assert!(listeners.place("a".into()).is_some());
        let all: Vec<_> = (0..LISTENERS_MAX).filter_map(|n| listeners.place(n.to_string())).collect();
        assert_eq!(all.len() + places.len(), LISTENERS_MAX);
        assert!(listeners.place("c".into()).is_none());
        drop((all, places));
        assert!(listeners.0.lock().unwrap().is_empty(), "nobody is remembered");
    }
}
