//! What the journal holds of definitions and of the organisation: each published version in full, so that a replay
//! needs nothing but the journal.

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::definition::{Definition, DefinitionHash, Sources};
use crate::organisation::Organisation;
use crate::request::RequestId;
use crate::text::Text;

/// Wire name of the event that brings a version of a process into force.
pub const PROCESS_PUBLISHED: &str = "process.published";
/// Wire name of the event that puts a draft of a process on its way.
pub const PROCESS_DRAFTED: &str = "process.drafted";
/// Wire name of the event that takes a process out of force.
pub const PROCESS_RETIRED: &str = "process.retired";
/// Wire name of the event that gives a draft up.
pub const DRAFT_ABANDONED: &str = "process.draft_abandoned";
/// Wire name of the event that brings an organisation into force.
pub const ORGANISATION_PUBLISHED: &str = "organisation.published";
/// Kind of the streams of processes.
pub const PROCESS_STREAM: &str = "process";
/// Kind of the streams of organisations; each collectivity has one.
pub const ORGANISATION_STREAM: &str = "organisation";
/// Kind of the streams of requests.
pub const REQUEST_STREAM: &str = "request";

/// A version of a process entered into force.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProcessPublished {
    /// Its version.
    pub hash: DefinitionHash,
    /// The definition in full.
    pub definition: Definition,
    /// Where its rules stand in the designer's files.
    #[serde(default, skip_serializing_if = "Sources::is_empty")]
    pub sources: Sources,
    /// The request through which it entered force; none if it was read from a catalogue on disk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<Entry>,
}

/// The request through which a version entered force, or a process was taken out of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// The request.
    pub request: RequestId,
    /// Who approved it, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<EntryApproval>,
}

/// One approval of a draft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EntryApproval {
    /// The step of the circuit; none where an agent validated without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// Staff code of who did it; `engine` where silence was agreement.
    pub by: String,
    /// The absent approver in whose name it was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<String>,
}

/// A version of a process was proposed, or its end. It is used by nobody before the request is validated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProcessDrafted {
    /// The process.
    pub process: String,
    /// The request that carries it.
    pub request: RequestId,
    /// The version in force when it was drafted; it enters force only while that is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<DefinitionHash>,
    /// Its version; none where the process is to be taken out of force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<DefinitionHash>,
    /// The definition in full.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub definition: Option<Definition>,
    /// Where its rules stand in the designer's files.
    #[serde(default, skip_serializing_if = "Sources::is_empty")]
    pub sources: Sources,
    /// What differs from the version in force, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<Text>,
    /// The day on which it enters force at the earliest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enters_force: Option<NaiveDate>,
    /// The process to turn to instead of one that is taken out of force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replacement: Option<String>,
    /// Why.
    pub reason: String,
}

impl ProcessDrafted {
    /// What it is: `creation`, `revision` or `removal`.
    #[must_use]
    pub fn change(&self) -> &'static str {
        match (&self.hash, &self.base) {
            (None, _) => "removal",
            (Some(_), None) => "creation",
            (Some(_), Some(_)) => "revision",
        }
    }
}

/// A draft was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DraftAbandoned {
    /// The process.
    pub process: String,
    /// The request that carried it.
    pub request: RequestId,
    /// The version that it would have been.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<DefinitionHash>,
    /// Why: `draft.stale`, `draft.refused`, `draft.withdrawn`, `draft.cancelled`, `draft.elsewhere`.
    pub code: String,
}

/// A process was taken out of force: nobody opens a request of it any more, those under way go on to their end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProcessRetired {
    /// The process.
    pub process: String,
    /// The version that was in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<DefinitionHash>,
    /// Why.
    pub reason: String,
    /// The process to turn to instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replacement: Option<String>,
    /// The request through which it was decided; none if it was decided outside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<Entry>,
}

/// The organisation, and the names of themes, entered into force.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OrganisationPublished {
    /// The organisation in full.
    pub organisation: Organisation,
}

/// The names from which streams that hold one thing of a collectivity are made (RFC 9562, version 5).
const NAMESPACE: Uuid = Uuid::from_u128(0x5f0c_2b3e_9a41_4c7d_8e26_3d1b_7a90_c4f5);

/// The id in the name of a process's stream.
#[must_use]
pub fn process_stream(process: &str) -> Uuid {
    Uuid::new_v5(&NAMESPACE, format!("process:{process}").as_bytes())
}

/// The id in the name of a collectivity's organisation stream.
#[must_use]
pub fn organisation_stream(tenant: &str) -> Uuid {
    Uuid::new_v5(&NAMESPACE, format!("organisation:{tenant}").as_bytes())
}

/// The id of the request that a command opens, so that the same command sent again finds the same request.
#[must_use]
pub fn request_of(command: Uuid) -> Uuid {
    Uuid::new_v5(&NAMESPACE, format!("request:{command}").as_bytes())
}
