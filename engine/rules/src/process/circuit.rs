//! Approval circuits (*parapheurs*).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::definition::Party;
use crate::commitment::Budget;

/// How many approvers of a step must agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Quorum {
    /// One is enough.
    #[default]
    Any,
    /// Every one.
    All,
    /// More than half.
    Majority,
    /// This many.
    AtLeast(u32),
}

/// What a refusal of a step does.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnReject {
    /// Back to the author at once.
    #[default]
    Stop,
    /// Wait for everyone of the step, then back to the author with all the reasons.
    CollectAll,
    /// Back to an earlier step.
    ReturnTo(String),
}

/// What happens when a step is late.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnLate {
    /// The approvers are reminded.
    #[default]
    Remind,
    /// Silence is agreement.
    Approve,
    /// These people may approve as well, and are told.
    EscalateTo(Party),
}

/// Who may not approve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Excluded {
    /// The author of the draft.
    Author,
    /// Whoever approved the step before.
    PreviousApprover,
}

/// A step of a circuit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CircuitStep {
    /// Its id.
    pub step: String,
    /// Who approves.
    pub by: Vec<Party>,
    /// How many of them.
    #[serde(default)]
    pub rule: Quorum,
    /// Roles whose refusal is final for the step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub veto: Vec<String>,
    /// What a refusal does.
    #[serde(default)]
    pub on_reject: OnReject,
    /// Who may not approve.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<Excluded>,
    /// Under what the step is needed at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// How long it may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Budget>,
    /// What happens then.
    #[serde(default)]
    pub on_late: OnLate,
}

/// An approval circuit (*parapheur*): steps in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Circuit {
    /// Its name, for example `circuits/reponse-formalisee`.
    pub circuit: String,
    /// Its steps.
    pub steps: Vec<CircuitStep>,
}
