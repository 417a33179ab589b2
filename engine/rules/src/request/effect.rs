//! Reactions: what the town hall must send because of an event. Derived from the log, carried out by workers, and
//! reported back as a command, so that a crash repeats and never doubles.

use serde::{Deserialize, Serialize};

use super::actor::Recipient;
use super::event::Event;
use super::state::Request;
use crate::organisation::Organisation;
use crate::process::{Delivery, Plan};

/// What is to be sent, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// The acknowledgement of receipt; reported by `Acknowledge`.
    Acknowledgement,
    /// The answer; reported by `Deliver` or `FailDelivery`.
    Answer,
    /// The requester is asked for something, or reminded of it.
    Question,
    /// A message to the requester that asks for nothing: its text is in the event.
    Message,
    /// The requester learns what became of the request: extended, refused, forwarded, withdrawn, cancelled, merged.
    News(String),
    /// A service has a new request.
    Assignment,
    /// A task is to be done.
    Task(String),
    /// A step of a circuit awaits its approvers.
    Approval(String),
    /// A draft came back for rework.
    Rework,
    /// A commitment nears its due instant, or a task or step is late.
    Warning(String),
    /// A commitment is broken.
    Breach(String),
}

/// An effect not yet done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effect {
    /// Its id within the request: `<revision of the event>-<index>`. Sent along as the message's id.
    pub id: String,
    /// Who it goes to.
    pub recipient: Recipient,
    /// What it is about.
    pub subject: Subject,
    /// The means; e-mail to the town hall's own people.
    pub by: Delivery,
}

/// The effects that `event`, at `revision` of its stream, asks for; `after` is the request after it.
#[must_use]
pub fn effects(
    revision: u64,
    event: &Event,
    after: &Request,
    plan: &Plan,
    organisation: &Organisation,
) -> Vec<Effect> {
    let _ = (revision, event, after, plan, organisation);
    Vec::new()
}

/// The effects, by id, that `event` reports done, failed for good, or no longer wanted, among those of `before`.
#[must_use]
pub fn settled(event: &Event, pending: &[Effect]) -> Vec<String> {
    let _ = (event, pending);
    Vec::new()
}
