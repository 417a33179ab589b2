//! Whether this server can work, found out by using what it works with.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use guichet_engine::journal::{JournalError, Position};
use guichet_projections::{RunState, Status};
use serde::Serialize;
use tokio::sync::Mutex;
use tokio::time::Instant;
use utoipa::ToSchema;

use crate::guichet::Guichet;
use crate::store::Store;
use crate::troubles::Trouble;

/// How long an answer is given again before everything is asked anew.
pub const READY_CACHED: Duration = Duration::from_secs(1);
/// How long the store may take to answer.
pub const STORE_ANSWER_MAX: Duration = Duration::from_secs(2);
/// How long the read models may take to show what the journal holds.
pub const BEHIND_MAX: Duration = Duration::from_secs(15);

/// Whether the server can work.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub(crate) struct Ready {
    /// Whether all of the rest is well.
    pub(crate) ready: bool,
    /// Why not: `draining`, `store.unreachable`, `store.refuses` (read-only, full), `folder.read_only`,
    /// `version.newer`, `read_models.unreachable`, `read_models.stopped`, `read_models.behind`.
    pub(crate) reasons: Vec<&'static str>,
    /// What does not work on this server though the server does: mailboxes that cannot be fetched from, secrets that
    /// another server has otherwise. No load balancer needs to turn away from it, and somebody should look.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub(crate) troubles: Vec<Trouble>,
    /// Whether the journal answers.
    pub(crate) journal: bool,
    /// Whether the data folder can be written.
    pub(crate) folder_writable: bool,
    /// Whether the read models follow the journal.
    pub(crate) read_models: bool,
    /// Whether they have seen all of it.
    pub(crate) caught_up: bool,
    /// Whether this server keeps the read models and fires the timers; of several servers one does.
    pub(crate) leads: bool,
    /// The position of the journal's last event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) head: Option<String>,
    /// The position up to which lists and figures are true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) position: Option<String>,
}

/// What is known of this server's readiness.
#[derive(Debug, Default)]
pub(crate) struct Readiness {
    draining: AtomicBool,
    told: tokio::sync::Notify,
    last: Mutex<Last>,
}

#[derive(Debug, Default)]
struct Last {
    answer: Option<(Instant, Ready)>,
    lag: Lag,
}

impl Readiness {
    /// From now on it is not ready: it is being stopped.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::SeqCst);
        self.told.notify_waiters();
    }

    /// Done when it is being stopped.
    pub(crate) async fn drained(&self) {
        let mut told = std::pin::pin!(self.told.notified());
        // From here on no word is missed.
        told.as_mut().enable();
        if !self.is_draining() {
            told.await;
        }
    }

    /// Whether it is being stopped.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::SeqCst)
    }

    /// Whether the server can work. Those who ask at the same moment get the same answer.
    pub(crate) async fn ask(&self, guichet: &Guichet) -> Ready {
        let mut last = self.last.lock().await;
        let fresh = last.answer.as_ref().filter(|(at, _)| at.elapsed() < READY_CACHED);
        let mut ready = match fresh {
            Some((_, ready)) => ready.clone(),
            None => {
                let ready = examined(guichet, &mut last.lag).await;
                last.answer = Some((Instant::now(), ready.clone()));
                ready
            }
        };
        ready.troubles = guichet.troubles().list();
        if self.is_draining() {
            ready.reasons.insert(0, "draining");
        }
        ready.ready = ready.reasons.is_empty();
        ready
    }
}

async fn examined(guichet: &Guichet, lag: &mut Lag) -> Ready {
    let mut ready = Ready::default();
    let head = tokio::time::timeout(STORE_ANSWER_MAX, guichet.engine().journal().head()).await;
    ready.journal = matches!(head, Ok(Ok(_)));
    match head {
        Ok(Ok(head)) => ready.head = head.map(|position| position.to_string()),
        Ok(Err(JournalError::Newer { .. })) => ready.reasons.push("version.newer"),
        Ok(Err(_)) | Err(_) => ready.reasons.push("store.unreachable"),
    }
    if guichet.refuses() {
        ready.reasons.push("store.refuses");
    }
    // Servers that share a folder do not share the file.
    let probe = folder_of(guichet).join(format!(".ready-{}", guichet.name()));
    ready.folder_writable = tokio::task::spawn_blocking(move || can_write(&probe)).await.unwrap_or(false);
    if !ready.folder_writable {
        ready.reasons.push("folder.read_only");
    }
    match tokio::time::timeout(STORE_ANSWER_MAX, guichet.read_models().status()).await {
        Ok(Ok(status)) => told(&mut ready, &status, lag),
        Ok(Err(_)) | Err(_) => ready.reasons.push("read_models.unreachable"),
    }
    ready
}

fn told(ready: &mut Ready, status: &Status, lag: &mut Lag) {
    ready.caught_up = status.caught_up;
    ready.leads = status.leads;
    ready.position = status.position.map(|position| position.to_string());
    match &status.state {
        RunState::CatchingUp | RunState::Following => ready.read_models = true,
        RunState::Stopped { .. } => ready.reasons.push("read_models.stopped"),
        RunState::Retrying { .. } | RunState::Closed => ready.reasons.push("read_models.unreachable"),
    }
    if lag.is_behind(Instant::now(), status.head, status.position) {
        ready.reasons.push("read_models.behind");
    }
}

/// Heads of the journal that the read models have not reached, and since when.
#[derive(Debug, Default)]
struct Lag(VecDeque<(Instant, Position)>);

impl Lag {
    /// Positions cannot be subtracted, so the time since a head was first seen stands for the distance to it.
    fn is_behind(&mut self, now: Instant, head: Option<Position>, reached: Option<Position>) -> bool {
        while self.0.front().is_some_and(|(_, head)| reached.is_some_and(|reached| reached >= *head)) {
            self.0.pop_front();
        }
        if let Some(head) = head
            && reached.is_none_or(|reached| reached < head)
            && self.0.back().is_none_or(|(_, last)| *last < head)
            && self.0.len() < 64
        {
            self.0.push_back((now, head));
        }
        self.0.front().is_some_and(|(since, _)| now.duration_since(*since) > BEHIND_MAX)
    }
}

/// Where this server must be able to write: where the journal stands, or what it keeps beside a database.
fn folder_of(guichet: &Guichet) -> PathBuf {
    match &guichet.options().store {
        Store::Sqlite(folder) => folder.clone(),
        Store::Postgres(_) => guichet.options().data.clone(),
        #[cfg(feature = "kurrentdb")]
        Store::Kurrent(_) => guichet.options().data.clone(),
    }
}

/// Writes a few bytes where the journal lives: a full disk or a folder made read-only shows before the next request does.
fn can_write(probe: &Path) -> bool {
    let written = std::fs::write(probe, [b'.'; 4096]);
    let removed = std::fs::remove_file(probe);
    written.is_ok() && removed.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(token: u64) -> Option<Position> {
        format!("{token:016x}").parse().ok()
    }

    #[tokio::test]
    async fn read_models_that_move_are_not_behind_and_those_that_stand_are() {
        let (mut lag, start) = (Lag::default(), Instant::now());
        let later = |seconds| start + Duration::from_secs(seconds);
        assert!(!lag.is_behind(later(0), None, None));
        // They never reach the head of the moment, and always that of a second ago.
        for second in 1..60 {
            assert!(!lag.is_behind(later(second), at(second * 100), at(second * 100 - 50)), "{second}");
        }
        assert!(!lag.is_behind(later(60), at(7_000), at(6_000)));
        assert!(!lag.is_behind(later(74), at(8_000), at(6_500)));
        assert!(lag.is_behind(later(76), at(8_000), at(6_999)));
        assert!(!lag.is_behind(later(77), at(8_000), at(7_000)));
        assert!(lag.is_behind(later(90), at(8_000), at(7_999)));
        assert!(!lag.is_behind(later(91), at(8_000), at(8_000)));
    }
}
