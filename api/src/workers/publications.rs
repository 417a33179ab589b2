//! Brings approved drafts into force, and gives up those that came to nothing.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use guichet_engine::Settled;

use super::WorkerError;
use super::rounds::{Duty, Left, Round};
use crate::guichet::Guichet;

/// The worker of drafts.
#[derive(Debug, Clone)]
pub struct Publications {
    guichet: Guichet,
}

impl Publications {
    /// A worker for this engine.
    #[must_use]
    pub fn new(guichet: &Guichet) -> Self {
        Self { guichet: guichet.clone() }
    }

    /// Settles every draft whose request has come to an end. What it does follows from the journal alone, so that a
    /// crash in the middle repeats nothing and forgets nothing.
    ///
    /// # Errors
    /// [`WorkerError`]; what was settled before stands.
    pub async fn run_once(&self) -> Result<Settled, WorkerError> {
        Ok(self.guichet.engine().settle().await?)
    }
}

#[async_trait]
impl Round for Publications {
    fn name(&self) -> &'static str {
        "publications"
    }

    fn duty(&self) -> Duty {
        Duty::Everyone
    }

    async fn round(&mut self, _now: DateTime<Utc>) -> Result<Left, WorkerError> {
        if self.guichet.read_models().leads() {
            self.run_once().await?;
        } else {
            // What the leader brings into force is known here before somebody asks for it.
            self.guichet.engine().refresh().await?;
        }
        Ok(Left::Nothing)
    }
}
