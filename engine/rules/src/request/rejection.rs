//! Why something is not allowed: a value with a stable code, a sentence in French and in English, and what would be
//! allowed instead.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text::Text;

/// A refusal. It changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[error("{code}: {}", text.en)]
pub struct Rejection {
    /// Stable code, for example `approval.not_yours`.
    pub code: String,
    /// The sentence for the person.
    pub text: Text,
    /// The stage that the request is in; none where there is no request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// Names of the commands that would be allowed to this actor now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed: Vec<String>,
    /// Every wrong field at once, where a form was wrong; every reason at once, where a request has no place in
    /// another version of its process.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldFault>,
}

/// One wrong field of a form, or one part of a request that has no place in another version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FieldFault {
    /// JSON pointer into the form, for example `/place`, or into the request, for example `/tasks/visite`.
    pub pointer: String,
    /// Stable code, for example `field.required` or `migration.task_gone`.
    pub code: String,
    /// The sentence for the person.
    pub text: Text,
}

impl Rejection {
    /// A refusal with a code and its sentence.
    #[must_use]
    pub fn new(code: &str, text: Text) -> Self {
        Self { code: code.into(), text, stage: None, allowed: Vec::new(), fields: Vec::new() }
    }
}
