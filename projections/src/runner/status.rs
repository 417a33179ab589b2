//! How far the read models are, for those who wait and those who watch.

use chrono::{DateTime, Utc};
use guichet_journal::Position;
use serde::{Deserialize, Serialize};

use crate::error::Poison;

/// What the runner does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// It reads what was appended before it started.
    #[default]
    CatchingUp,
    /// It has seen everything and waits for more.
    Following,
    /// Something failed that may pass; it tries again.
    Retrying {
        /// What failed.
        reason: String,
    },
    /// An event cannot be folded. It stands before this event until a version that knows it is started.
    Stopped {
        /// The position of the event.
        at: Position,
        /// Which event it is, and why it cannot be folded.
        reason: String,
    },
    /// It was closed.
    Closed,
}

/// How far the read models are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The position they are true at.
    pub position: Option<Position>,
    /// The position of the journal's last event.
    pub head: Option<Position>,
    /// Whether these are the same.
    pub caught_up: bool,
    /// Events that this server took in since its start.
    pub events: u64,
    /// When the last event that this server took in was recorded (UTC); none before the first.
    pub last_recorded: Option<DateTime<Utc>>,
    /// What the runner does.
    pub state: RunState,
    /// Read models that this server rebuilds beside.
    pub rebuilding: Vec<String>,
    /// Whether this server keeps the tables; otherwise another does, and this one looks on.
    pub leads: bool,
}

/// What the runner tells at each commit.
#[derive(Debug, Clone, Default)]
pub(crate) struct Progress {
    pub(crate) position: Option<Position>,
    pub(crate) events: u64,
    pub(crate) last_recorded: Option<DateTime<Utc>>,
    pub(crate) state: RunState,
    pub(crate) poison: Option<Poison>,
    pub(crate) rebuilding: Vec<String>,
}
