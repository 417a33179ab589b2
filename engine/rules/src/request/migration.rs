//! Carrying a request over to another version of its process: what may be asked, and what is written down of it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::process::Party;

/// What becomes of the promises under way. The legal clock is never restarted: where the promises are not kept as they
/// are, it is reckoned by the new version's law from the start that the law gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClockPolicy {
    /// Every promise stays due when it was due.
    #[default]
    Keep,
    /// The new version's promises count from now.
    Restart,
    /// The new version's promises count from their own starts, as if it had applied from the beginning: what is gone
    /// is gone, what remains is reckoned anew. Extensions that were told to the requester stay.
    RecomputeRemaining,
}

/// What parts of the old version are called in the new one. What is not named here keeps its name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Mapping {
    /// Tasks: the old name, the new name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tasks: BTreeMap<String, String>,
    /// Steps of the circuit.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub steps: BTreeMap<String, String>,
    /// Fields of the form.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
    /// Commitments.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub commitments: BTreeMap<String, String>,
    /// New tasks that a request which is past them already does without.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skip: Vec<String>,
}

impl Mapping {
    /// Whether it says nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What `names` calls `name` in the new version.
pub(super) fn renamed<'n>(names: &'n BTreeMap<String, String>, name: &'n str) -> &'n str {
    names.get(name).map_or(name, String::as_str)
}

/// A task that is called, done or due otherwise in the new version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TaskMoved {
    /// What it was called.
    pub from: String,
    /// What it is called.
    pub to: String,
    /// Who does it from now on, where that is someone else; open tasks only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Party>,
    /// When it is due now (UTC), if it has a term; open tasks only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<DateTime<Utc>>,
}

/// The approval circuit under way, as the new version has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CircuitMoved {
    /// The circuit.
    pub circuit: String,
    /// Steps that are needed, in order, by their new names.
    pub steps: Vec<String>,
    /// Steps that are called otherwise: the old name, the new name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub renamed: BTreeMap<String, String>,
}
