//! A town that lives on a simulated clock: a discrete-event simulation on the rules of production.
//!
//! One model of who comes, who works and what they do (`run.rs`) has two ports. In memory (`file.rs`) a year of a town is
//! lived in seconds: the same `decide`, `evolve`, timers and effects, without a journal. On the engine (`live.rs`) what
//! the people did is done again, through journal, read models and workers; nothing of what is shown then is made up, only
//! the people are. Both come to the same, which a test proves.
//!
//! The same seed gives the same town: the same people ask the same things at the same instants, and the town hall does the
//! same with them, in the same order. Tracking codes, keys and nonces are drawn by the machine all the same, for nobody may
//! guess those.

mod acts;
mod answer;
mod arrivals;
mod assumptions;
mod clock;
mod compare;
mod desk;
mod dice;
mod figures;
mod file;
mod forms;
mod ground;
mod histogram;
mod hours;
mod leave;
mod live;
mod moves;
mod outbound;
mod people;
mod planning;
mod run;
mod staffing;
mod svg;
mod tick;
mod visits;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use guichet_engine::EngineError;
use guichet_engine::rules::request::RequestId;
use guichet_projections::ProjectionError;

use crate::workers::WorkerError;

pub use answer::{
    ChannelLine, Estimate, PostLine, ProcessLine, Promises, ServiceLine, Summary, WaitLine, runs,
};
pub use assumptions::{AssumptionFault, Assumptions};
pub use clock::TownClock;
pub use compare::{Comparison, Need, need};
pub use figures::{Figures, Kept, OfChannel, OfPost, OfProcess, Wait};
pub use ground::{Ground, Period, offered};
pub use histogram::Histogram;
pub use live::live;
pub use outbound::{Post, Posted};
pub use svg::{Drawing, drawn};

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
    /// The assumptions name a service, a role or a process that the catalogue does not have.
    #[error("the catalogue has no `{0}`, or more than one")]
    NobodyCalled(String),
    /// The engine refused what the simulation carried out by the same rules.
    #[error("the engine decided otherwise than the simulation: {0}")]
    Differs(String),
}

/// Lives the period once, in memory. `online` is the share of what would come over the counter, by telephone or by letter
/// that comes over the portal instead. The same seed gives the same figures.
#[must_use]
pub fn simulate(ground: &Ground, seed: u64, online: f64) -> Figures {
    run::Run::new(ground, seed, online, false).live(&mut |_| {}).0
}
