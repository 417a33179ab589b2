//! Looks, now and then, for files that nobody named, and for what a crash left half arrived.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::WorkerError;
use super::rounds::{Duty, Left, Round};
use crate::guichet::Guichet;

/// The rest between two rounds.
const PACE: Duration = Duration::from_secs(60 * 60);

/// The worker of files.
pub(super) struct Files {
    guichet: Guichet,
}

impl Files {
    pub(super) fn new(guichet: &Guichet) -> Self {
        Self { guichet: guichet.clone() }
    }
}

#[async_trait]
impl Round for Files {
    fn name(&self) -> &'static str {
        "files"
    }

    fn duty(&self) -> Duty {
        Duty::Everyone
    }

    fn pace(&self) -> Duration {
        PACE
    }

    async fn round(&mut self, now: DateTime<Utc>) -> Result<Left, WorkerError> {
        if !self.guichet.read_models().leads() {
            // Files arrive on each server; the rest is looked after by one.
            self.guichet.attachments().sweep_arriving().await;
            return Ok(Left::Nothing);
        }
        let swept = self.guichet.attachments().sweep(&self.guichet, now).await?;
        tracing::debug!(?swept, "files that nobody named");
        Ok(Left::Nothing)
    }
}
