//! One person's vote for one idea. The record's id is made from the request and the account, so that a person has one
//! vote at most and nobody has to be looked up to know it.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::record_events;
use crate::request::RequestId;

/// The kind of its streams.
pub const SUPPORT: &str = "support";

record_events! {
    /// What happened.
    SupportEvent {
        /// They are for it.
        SupportGiven = "support.given",
        /// They no longer are.
        SupportWithdrawn = "support.withdrawn",
    }
}

/// They are for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SupportGiven {
    /// The idea.
    pub request: RequestId,
}

/// They no longer are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SupportWithdrawn {
    /// The idea.
    pub request: RequestId,
}

/// The record of this account's vote for this idea.
#[must_use]
pub fn vote_of(request: RequestId, account: Uuid) -> Uuid {
    Uuid::new_v5(&request.0, account.as_bytes())
}

/// Whether the vote stands after these events.
pub fn stands<'a>(events: impl IntoIterator<Item = &'a SupportEvent>) -> bool {
    events.into_iter().fold(false, |_, event| match event {
        SupportEvent::SupportGiven(_) => true,
        SupportEvent::SupportWithdrawn(_) => false,
    })
}

/// They are for it; nothing happens where they were already.
#[must_use]
pub fn give(stands: bool, request: RequestId) -> Vec<SupportEvent> {
    if stands { Vec::new() } else { vec![SupportGiven { request }.into()] }
}

/// They no longer are; nothing happens where they were not.
#[must_use]
pub fn withdraw(stands: bool, request: RequestId) -> Vec<SupportEvent> {
    if stands { vec![SupportWithdrawn { request }.into()] } else { Vec::new() }
}
