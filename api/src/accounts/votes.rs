//! Votes for ideas: one for each person and idea, whatever they send and to whichever server.

use guichet_engine::rules::process::Voter;
use guichet_engine::rules::records::RecordEvent;
use guichet_engine::rules::records::support::{SUPPORT, SupportEvent, give, stands, vote_of, withdraw};
use guichet_engine::rules::request::{Actor, CommandId, Ground, Rejection, RequestId, may_vote};
use guichet_engine::rules::text::Text;
use guichet_engine::{EngineError, RecordEntry, RecordReceipt, RecordSubmission};
use uuid::Uuid;

use crate::guichet::Guichet;

/// How somebody votes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ballot {
    /// The idea.
    pub request: RequestId,
    /// The account of whoever votes.
    pub account: Uuid,
    /// By which way they came.
    pub by: Voter,
    /// Whether they are for it, or no longer.
    pub supports: bool,
}

/// Takes a vote, or takes it back. A vote that stands already stays as it is.
///
/// # Errors
/// [`EngineError::UnknownRequest`], [`EngineError::Rejected`] with `idea.unknown`, `voting.not_open`, `voting.over` or
/// `voting.account_needed`; otherwise as [`Engine::record`](guichet_engine::Engine::record).
pub async fn vote(
    guichet: &Guichet,
    tenant: &str,
    ballot: Ballot,
    command_id: CommandId,
) -> Result<RecordReceipt, EngineError> {
    let known = guichet.request(tenant, ballot.request).await?;
    let voting = may_vote(&known.request, &known.plan, guichet.now())?;
    if voting.by == Voter::Account && ballot.by != Voter::Account {
        let text = Text::new("Pour voter, il faut un compte.", "An account is needed to vote.");
        return Err(Rejection::new("voting.account_needed", text).because(Ground::Person).into());
    }
    let submission = RecordSubmission {
        tenant,
        kind: SUPPORT,
        record: vote_of(ballot.request, ballot.account),
        actor: &Actor::Requester,
        command_id,
        content: &(ballot.request, ballot.account, ballot.supports),
    };
    let decide = |entries: &[RecordEntry], _| {
        let standing = stands(events(entries));
        let decided = if ballot.supports { give } else { withdraw }(standing, ballot.request);
        Ok(decided.into_iter().map(RecordEvent::from).collect())
    };
    guichet.engine().record(&submission, decide).await
}

/// Whether an account is for an idea.
///
/// # Errors
/// As [`Engine::recorded_of`](guichet_engine::Engine::recorded_of).
pub async fn voted(
    guichet: &Guichet,
    tenant: &str,
    request: RequestId,
    account: Uuid,
) -> Result<bool, EngineError> {
    let vote = vote_of(request, account);
    let entries = guichet.engine().recorded_of(tenant, SUPPORT, vote, false).await?;
    Ok(stands(events(&entries)))
}

fn events(entries: &[RecordEntry]) -> impl Iterator<Item = &SupportEvent> {
    entries.iter().filter_map(|entry| match &entry.event {
        RecordEvent::Support(event) => Some(event),
        RecordEvent::Access(_)
        | RecordEvent::Erasure(_)
        | RecordEvent::Alert(_)
        | RecordEvent::Contact(_)
        | RecordEvent::Webhook(_) => None,
    })
}
