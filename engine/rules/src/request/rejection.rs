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
    /// What kind of reason it has. Programs mind the code; each door makes of this what its protocol says.
    #[serde(skip)]
    pub ground: Ground,
}

/// What kind of reason a refusal has. It is said where the refusal is, so that no door keeps lists of codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ground {
    /// It does not fit the state that things are in; later, or after something else, it may.
    #[default]
    State,
    /// What was said is wrong in itself, whatever the state.
    Content,
    /// It is not for this person to do.
    Person,
    /// What it is about does not exist, or must seem not to.
    Absence,
    /// What was decided on had changed meanwhile.
    Race,
    /// A rule could not be evaluated: a fault of the sheet or of ours, not of who asks.
    Fault,
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
        let (allowed, fields, ground) = (Vec::new(), Vec::new(), Ground::State);
        Self { code: code.into(), text, stage: None, allowed, fields, ground }
    }

    /// The same for another kind of reason than the state of things.
    #[must_use]
    pub fn because(self, ground: Ground) -> Self {
        Self { ground, ..self }
    }
}
