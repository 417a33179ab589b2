//! What surrounds the engine and changes from call to call: time and chance. Both are given, never taken.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Utc};

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Now (UTC).
    fn now(&self) -> DateTime<Utc>;
}

/// Draws random bytes that nobody can guess.
pub trait Chance: Send + Sync {
    /// Fills `bytes`.
    ///
    /// # Errors
    /// A sentence, when the system gives none.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), String>;
}

/// Time and chance together.
pub trait Ambient: Clock + Chance {}

impl<T: Clock + Chance> Ambient for T {}

/// A clock that stands still until it is moved: for tests, simulations and demonstrations.
#[derive(Debug, Default)]
pub struct ManualClock {
    micros: AtomicI64,
}

impl ManualClock {
    /// A clock that stands at `now`.
    #[must_use]
    pub fn at(now: DateTime<Utc>) -> Self {
        Self { micros: AtomicI64::new(now.timestamp_micros()) }
    }

    /// Moves it to `now`; it never goes back.
    pub fn move_to(&self, now: DateTime<Utc>) {
        self.micros.fetch_max(now.timestamp_micros(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.micros.load(Ordering::SeqCst)).unwrap_or_default()
    }
}
