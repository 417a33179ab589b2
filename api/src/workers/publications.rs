//! Brings approved drafts into force, and gives up those that came to nothing.

use guichet_engine::Settled;

use super::WorkerError;
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
