//! A town that lives on a simulated clock, and drives the real engine: its rules, its journal, its read models, its
//! workers. Nothing of what is shown afterwards is made up; only the people are.
//!
//! The same seed gives the same town: the same people ask the same things at the same instants, and the town hall does the
//! same with them. Tracking codes, keys and nonces are drawn by the machine all the same, for nobody may guess those.

mod acts;
mod arrivals;
mod clock;
mod dice;
mod forms;
mod moves;
mod outbound;
mod people;
mod staff;
mod town;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use guichet_engine::EngineError;
use guichet_engine::rules::request::RequestId;
use guichet_projections::ProjectionError;

use crate::workers::WorkerError;

pub use clock::TownClock;
pub use outbound::{Post, Posted};
pub use town::live;

/// A stretch of days to be lived, both included, in the town's zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Month {
    /// First day.
    pub from: NaiveDate,
    /// Last day.
    pub until: NaiveDate,
    /// How busy it is, in thousandths of Châlons.
    pub permille: u32,
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lived {
    /// Requests received.
    pub requests: u64,
    /// Commands that the people of the town gave.
    pub commands: u64,
    /// Timers that fired.
    pub timers: u64,
    /// Processes that received a request.
    pub processes: BTreeSet<String>,
    /// Commands that the rules refused, by code: people do not always know where a request stands.
    pub refused: BTreeMap<String, u64>,
    /// The requests, in the order in which they were received.
    pub received: Vec<(String, RequestId)>,
    /// The last instant (UTC).
    pub until: Option<DateTime<Utc>>,
}

/// Why the town stopped living.
#[derive(Debug, thiserror::Error)]
pub enum SimulationError {
    /// The engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The workers.
    #[error(transparent)]
    Worker(#[from] WorkerError),
    /// The read models.
    #[error(transparent)]
    ReadModels(#[from] ProjectionError),
    /// Nothing is published that a town could live on.
    #[error("no process is in force: publish a catalogue first")]
    NoProcess,
    /// A task of the simulation ended badly.
    #[error("the simulation broke off: {0}")]
    Broken(String),
}
