//! The machine's time and chance: the one place in the house that reads either.

use std::sync::Arc;

use chrono::{DateTime, SubsecRound, Utc};
use guichet_engine::{Chance, Clock};

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "everybody else takes the time from here")]
    fn now(&self) -> DateTime<Utc> {
        // To the microsecond, as the journal keeps it: what is in memory and what is read back must be the same.
        Utc::now().trunc_subsecs(6)
    }
}

/// The operating system's random numbers.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemChance;

impl Chance for SystemChance {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), String> {
        getrandom::fill(bytes).map_err(|error| error.to_string())
    }
}

/// A clock and a source of chance put together, each of one's choice.
#[derive(Clone)]
pub struct Surroundings {
    clock: Arc<dyn Clock>,
    chance: Arc<dyn Chance>,
}

impl Surroundings {
    /// These two.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, chance: Arc<dyn Chance>) -> Self {
        Self { clock, chance }
    }

    /// The machine's own.
    #[must_use]
    pub fn system() -> Self {
        Self::new(Arc::new(SystemClock), Arc::new(SystemChance))
    }

    /// This clock, with the machine's chance: for demonstrations and tests.
    #[must_use]
    pub fn with_clock(clock: Arc<dyn Clock>) -> Self {
        Self::new(clock, Arc::new(SystemChance))
    }
}

impl Clock for Surroundings {
    fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }
}

impl Chance for Surroundings {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), String> {
        self.chance.fill(bytes)
    }
}

impl std::fmt::Debug for Surroundings {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Surroundings(now {})", self.now())
    }
}
