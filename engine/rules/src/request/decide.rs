//! What a command makes happen, or why it is refused.

use chrono::{DateTime, Utc};

use super::actor::{Actor, RequestId};
use super::command::{Command, Tracking};
use super::event::Event;
use super::rejection::Rejection;
use super::state::Request;
use crate::organisation::Organisation;
use crate::process::Plan;
use crate::text::Text;

/// What a decision needs to know beside the request and the command, gathered beforehand by the engine.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// The collectivity.
    pub tenant: &'a str,
    /// The request that the command is about.
    pub request: RequestId,
    /// Now (UTC): when it is recorded.
    pub now: DateTime<Utc>,
    /// When what the command tells of happened (UTC), not after `now`.
    pub occurred_at: DateTime<Utc>,
    /// Who asks.
    pub actor: &'a Actor,
    /// The pinned process; for `Receive` the version in force.
    pub plan: &'a Plan,
    /// The organisation as it stands.
    pub organisation: &'a Organisation,
    /// The tracking code drawn for a new request; `Receive` needs it.
    pub tracking: Option<&'a Tracking>,
    /// The process that `Qualify` names, in the version in force, if it exists.
    pub target: Option<&'a Plan>,
    /// The request that `Merge` names, if it exists in this collectivity.
    pub other: Option<&'a Request>,
}

/// Decides a command on the state of its request, `None` where there is none yet.
///
/// # Errors
/// A [`Rejection`] with its reason; nothing changes then.
pub fn decide(
    request: Option<&Request>,
    command: &Command,
    facts: &Facts<'_>,
) -> Result<Vec<Event>, Rejection> {
    let _ = (request, command, facts);
    Err(Rejection::new("command.unknown", Text::new("Commande inconnue.", "Unknown command.")))
}
