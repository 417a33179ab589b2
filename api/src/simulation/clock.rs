//! The clock of a simulated town: it stands until it is moved, and may then be let go.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use guichet_engine::{Clock, ManualClock};

/// Stands still while a town is simulated; once it is let go, it runs on from there as fast as any other.
#[derive(Debug, Default)]
pub struct TownClock {
    manual: Arc<ManualClock>,
    gone: OnceLock<(Instant, DateTime<Utc>)>,
}

impl TownClock {
    /// A clock that stands at `now`.
    #[must_use]
    pub fn at(now: DateTime<Utc>) -> Self {
        Self { manual: Arc::new(ManualClock::at(now)), gone: OnceLock::new() }
    }

    /// The hand by which it is moved.
    #[must_use]
    pub fn manual(&self) -> &ManualClock {
        &self.manual
    }

    /// Lets it run.
    pub fn let_go(&self) {
        self.gone.get_or_init(|| (Instant::now(), self.manual.now()));
    }
}

impl Clock for TownClock {
    fn now(&self) -> DateTime<Utc> {
        match self.gone.get() {
            Some((since, at)) => *at + TimeDelta::from_std(since.elapsed()).unwrap_or_default(),
            None => self.manual.now(),
        }
    }
}
