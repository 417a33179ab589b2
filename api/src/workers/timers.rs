//! Fires timers: at their instants or after them, in order, those that fell due while nothing ran first.

use std::collections::BTreeSet;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use guichet_engine::rules::request::{Actor, Command, CommandId, RequestId, Timer, TimerKind, timers};
use guichet_engine::{EngineError, Receipt, Submission};
use uuid::Uuid;

use super::rounds::{Left, Round};
use super::{CATCH_UP, NAMESPACE, WorkerError};
use crate::guichet::Guichet;

/// Timers read at once.
const BATCH: u32 = 512;

/// What a step did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fired {
    /// Timers whose instant was reported.
    pub fired: usize,
    /// Timers that no longer had a reason when their turn came.
    pub stale: usize,
}

/// The worker of timers.
#[derive(Debug, Clone)]
pub struct Timers {
    guichet: Guichet,
}

/// A timer in the order of firing: by the instant at which it may fire, then by request.
type Due = (DateTime<Utc>, RequestId, Timer, String);

fn in_order((timer, request, tenant): (Timer, RequestId, String)) -> Due {
    (timer.fires_at(), request, timer, tenant)
}

impl Timers {
    /// A worker for this engine.
    #[must_use]
    pub fn new(guichet: &Guichet) -> Self {
        Self { guichet: guichet.clone() }
    }

    /// Fires everything that is due at `now` (UTC), what follows from it included, in the order of the instants.
    ///
    /// # Errors
    /// [`WorkerError`]; what was fired before stands.
    pub async fn run_once(&self, now: DateTime<Utc>) -> Result<Fired, WorkerError> {
        let mut done = Fired::default();
        loop {
            self.guichet.read_models().catch_up(CATCH_UP).await?;
            let due = self.guichet.read_models().timers_due(now, BATCH).await?.value;
            let full = due.len() >= usize::try_from(BATCH).unwrap_or(usize::MAX);
            let due = due
                .into_iter()
                .map(|timer| (Timer { due: timer.due, kind: timer.kind }, timer.request, timer.tenant));
            let mut waiting: BTreeSet<Due> =
                due.filter(|(timer, ..)| timer.fires_at() <= now).map(in_order).collect();
            let before = done.fired;
            while let Some(timer) = waiting.pop_first() {
                self.fire(timer, now, &mut waiting, &mut done).await?;
            }
            // A batch of which nothing could be fired would come back unchanged.
            if !full || done.fired == before {
                return Ok(done);
            }
        }
    }

    #[tracing::instrument(name = "workers.timer", level = "debug", skip_all)]
    async fn fire(
        &self,
        (_, request, Timer { due, kind }, tenant): Due,
        now: DateTime<Utc>,
        waiting: &mut BTreeSet<Due>,
        done: &mut Fired,
    ) -> Result<(), WorkerError> {
        let receipt = match self.elapse(&tenant, request, &kind, due).await {
            Ok(receipt) => receipt,
            Err(EngineError::Rejected(rejection)) => {
                tracing::debug!(request.id = %request, code = rejection.code, "a timer had no reason left");
                done.stale += 1;
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        done.fired += 1;
        metrics::counter!("guichet_workers_timers_fired_total").increment(1);
        // What became of the request decides what it still waits for; the read models may not have seen that yet.
        waiting.retain(|(_, other, ..)| *other != request);
        let next = timers(&receipt.state).into_iter().filter(|timer| timer.fires_at() <= now);
        let same = |timer: &Timer| timer.due == due && timer.kind == kind;
        waiting.extend(next.filter(|t| !same(t)).map(|timer| in_order((timer, request, tenant.clone()))));
        Ok(())
    }

    async fn elapse(
        &self,
        tenant: &str,
        request: RequestId,
        kind: &TimerKind,
        due: DateTime<Utc>,
    ) -> Result<Receipt, EngineError> {
        let id = command_id(request, kind, due, 0);
        let receipt = self.submit(tenant, request, kind, due, id).await?;
        let still_set = |receipt: &Receipt| {
            receipt.repeated && timers(&receipt.state).iter().any(|t| t.due == due && t.kind == *kind)
        };
        if !still_set(&receipt) {
            return Ok(receipt);
        }
        // The same instant was set once more since: it fires once more, under an id of its own.
        let again = command_id(request, kind, due, receipt.revision + 1);
        self.submit(tenant, request, kind, due, again).await
    }

    async fn submit(
        &self,
        tenant: &str,
        request: RequestId,
        kind: &TimerKind,
        due: DateTime<Utc>,
        command_id: CommandId,
    ) -> Result<Receipt, EngineError> {
        self.guichet
            .submit(Submission {
                tenant: tenant.to_owned(),
                request: Some(request),
                command: Command::Elapse { timer: kind.clone(), due },
                actor: Actor::Engine,
                command_id,
                occurred_at: Some(due),
                expected: None,
            })
            .await
    }
}

#[async_trait]
impl Round for Timers {
    fn name(&self) -> &'static str {
        "timers"
    }

    async fn round(&mut self, now: DateTime<Utc>) -> Result<Left, WorkerError> {
        self.run_once(now).await?;
        Ok(Left::Nothing)
    }
}

fn command_id(request: RequestId, kind: &TimerKind, due: DateTime<Utc>, again: u64) -> CommandId {
    // The kind's JSON is a part of the contract of commands, so the name is the same in every version.
    let kind = serde_json::to_string(kind).unwrap_or_default();
    let name = format!("timer:{request}:{}:{kind}:{again}", due.timestamp_micros());
    CommandId(Uuid::new_v5(&NAMESPACE, name.as_bytes()))
}
