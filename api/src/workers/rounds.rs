//! What a server does over and over: a round, a rest, the next round, until it is stopped.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tokio::sync::watch;

use super::WorkerError;
use crate::guichet::Guichet;

/// The usual rest after a round that left nothing to do.
const PACE: Duration = Duration::from_millis(500);
/// The rest after something failed that may pass.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// Who does a round, of several servers on one store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Duty {
    /// The one that leads the read models.
    Leader,
    /// Each of them.
    Everyone,
}

/// Whether there may be more to do at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    /// There may be.
    More,
    /// There is not, for now.
    Nothing,
}

impl Left {
    /// More is left where this holds.
    pub(super) fn more_if(holds: bool) -> Self {
        if holds { Self::More } else { Self::Nothing }
    }
}

/// Something that a server does over and over.
#[async_trait]
pub(super) trait Round: Send {
    /// What it is, as the log names it.
    fn name(&self) -> &'static str;

    /// Who does it.
    fn duty(&self) -> Duty {
        Duty::Leader
    }

    /// The rest after a round that left nothing to do.
    fn pace(&self) -> Duration {
        PACE
    }

    /// One round at `now` (UTC).
    async fn round(&mut self, now: DateTime<Utc>) -> Result<Left, WorkerError>;
}

/// Does rounds until it is stopped. What fails is told and tried again.
pub(super) async fn run(guichet: Guichet, mut round: Box<dyn Round>, mut stopped: watch::Receiver<bool>) {
    while !*stopped.borrow() {
        let is_ours = round.duty() == Duty::Everyone || guichet.read_models().leads();
        let done = if is_ours { round.round(guichet.now()).await } else { Ok(Left::Nothing) };
        let pause = match done {
            Ok(Left::More) => continue,
            Ok(Left::Nothing) => round.pace(),
            Err(error) => {
                tracing::warn!(worker = round.name(), %error, "a worker is interrupted and tries again");
                AFTER_FAILURE.max(round.pace())
            }
        };
        rest(pause, &mut stopped).await;
    }
}

async fn rest(pause: Duration, stopped: &mut watch::Receiver<bool>) {
    tokio::select! {
        () = tokio::time::sleep(pause) => {}
        // An error means that the handle is gone, and with it whoever wanted the work done.
        _ = stopped.changed() => {}
    }
}
