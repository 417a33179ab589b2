//! What the journal holds of definitions and of the organisation: each published version in full, so that a replay
//! needs nothing but the journal.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::definition::{Definition, DefinitionHash, Sources};
use crate::organisation::Organisation;

/// Wire name of the event that brings a version of a process into force.
pub const PROCESS_PUBLISHED: &str = "process.published";
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
