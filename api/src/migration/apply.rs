//! Applying a plan.

use guichet_engine::rules::process::DefinitionHash;
use guichet_engine::rules::request::{CommandId, RequestId};
use guichet_engine::{EngineError, Submission};
use serde::Serialize;
use uuid::Uuid;

use super::consider::{Reason, command, consider, reasons};
use super::plan::{MigrationPlan, Outcome, Planned};
use crate::Guichet;

/// The names from which the ids of migrating commands are made (RFC 9562, version 5).
const NAMESPACE: Uuid = Uuid::from_u128(0x0d6c_51a7_83b2_4f0e_9c1d_77e5_2a90_b3f8);

/// A request that was not where the plan saw it, and was planned again.
#[derive(Debug, Clone, Serialize)]
pub struct Stale {
    /// Its collectivity.
    pub tenant: String,
    /// The request.
    pub request: RequestId,
    /// The revision that the plan saw.
    pub planned: u64,
    /// The revision that it is at.
    pub revision: u64,
    /// Whether it could move as it stands now.
    pub outcome: Outcome,
    /// Why not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
    /// Whether it was moved all the same.
    pub moved: bool,
}

/// What applying a plan did.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Applied {
    /// Requests that moved now.
    pub moved: u64,
    /// Requests that an earlier run had moved.
    pub moved_before: u64,
    /// Requests that the plan leaves where they are.
    pub left: u64,
    /// Requests that had changed since the plan was made.
    pub stale: Vec<Stale>,
}

impl Applied {
    /// Whether everything that could move did.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.stale.iter().all(|stale| stale.moved)
    }
}

impl MigrationPlan {
    /// Applies the plan, request by request; `progress` is told after each. A request that changed since is planned
    /// again and left alone, unless `again` says that it shall move where it still can.
    ///
    /// # Errors
    /// [`EngineError`]: the journal could not take a command. What was moved stays moved, and the plan may be applied
    /// again.
    pub async fn apply(
        &self,
        guichet: &Guichet,
        again: bool,
        progress: &mut (dyn FnMut(usize) + Send),
    ) -> Result<Applied, EngineError> {
        let mut applied = Applied::default();
        for (index, planned) in self.requests.iter().enumerate() {
            match (&planned.to, planned.outcome) {
                (Some(to), Outcome::Moves) => self.one(guichet, planned, to, again, &mut applied).await?,
                (_, Outcome::Refused) | (None, Outcome::Moves) => applied.left += 1,
            }
            progress(index + 1);
        }
        Ok(applied)
    }

    async fn one(
        &self,
        guichet: &Guichet,
        planned: &Planned,
        to: &DefinitionHash,
        again: bool,
        applied: &mut Applied,
    ) -> Result<(), EngineError> {
        match guichet.submit(self.submission(planned, to, planned.revision)).await {
            Ok(receipt) if receipt.repeated => applied.moved_before += 1,
            Ok(_) => applied.moved += 1,
            Err(EngineError::Rejected(_)) => {
                let stale = self.replanned(guichet, planned, to, again).await?;
                applied.stale.push(stale);
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn submission(&self, planned: &Planned, to: &DefinitionHash, revision: u64) -> Submission {
        let name = format!("migration:{}:{}", self.plan, planned.request);
        Submission {
            tenant: planned.tenant.clone(),
            request: Some(planned.request),
            command: command(to, self.promises, &self.mapping, Some(self.plan.clone())),
            actor: self.actor(),
            command_id: CommandId(Uuid::new_v5(&NAMESPACE, name.as_bytes())),
            occurred_at: None,
            expected: Some(revision),
        }
    }

    /// Plans one request again, as it stands now.
    async fn replanned(
        &self,
        guichet: &Guichet,
        planned: &Planned,
        to: &DefinitionHash,
        again: bool,
    ) -> Result<Stale, EngineError> {
        let known = guichet.request(&planned.tenant, planned.request).await?;
        let mut stale = Stale {
            tenant: planned.tenant.clone(),
            request: planned.request,
            planned: planned.revision,
            revision: known.revision,
            outcome: Outcome::Refused,
            reasons: Vec::new(),
            moved: false,
        };
        let submission = self.submission(planned, to, known.revision);
        let target = guichet.engine().definitions().version(to);
        let Some(target) = target else { return Ok(stale) };
        match consider(&known, &target, &submission.command, &submission.actor, guichet.now()) {
            Ok(_) => stale.outcome = Outcome::Moves,
            Err(rejection) => stale.reasons = reasons(rejection),
        }
        if again && stale.outcome == Outcome::Moves {
            match guichet.submit(submission).await {
                Ok(_) => stale.moved = true,
                Err(EngineError::Rejected(rejection)) => stale.reasons = reasons(*rejection),
                Err(error) => return Err(error),
            }
        }
        Ok(stale)
    }
}
