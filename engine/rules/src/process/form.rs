//! The fields of a form: of the request itself, and of a task's report.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text::Text;

/// What a field holds; each maps to a JSON shape that `processes/manual.md` lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    /// A line or several of text: a JSON string.
    Text,
    /// A decimal number.
    Number,
    /// A whole number.
    Integer,
    /// Yes or no.
    Boolean,
    /// A day, `YYYY-MM-DD`.
    Date,
    /// A time of day, `HH:MM`.
    Time,
    /// One of the options.
    Choice,
    /// Several of the options.
    Choices,
    /// A place: `[latitude, longitude]` in degrees (WGS 84), or an object with `lat`, `lon`, `address`, `area`;
    /// the address alone will do.
    Location,
    /// Attached files: objects with `name`, `type`, `size` (bytes) and `sha256`.
    Files,
    /// A person's civil identity (personal).
    Person,
    /// A company or association.
    Organisation,
    /// An e-mail address (personal).
    Email,
    /// A telephone number (personal).
    Phone,
    /// A postal address (personal).
    Address,
    /// A bank account (personal).
    Iban,
    /// An amount in cents with its currency.
    Money,
}

impl FieldType {
    /// Whether values of this type identify a person by themselves.
    #[must_use]
    pub fn is_personal(self) -> bool {
        match self {
            Self::Person | Self::Email | Self::Phone | Self::Address | Self::Iban => true,
            Self::Text
            | Self::Number
            | Self::Integer
            | Self::Boolean
            | Self::Date
            | Self::Time
            | Self::Choice
            | Self::Choices
            | Self::Location
            | Self::Files
            | Self::Organisation
            | Self::Money => false,
        }
    }
}

/// One option of a choice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FieldOption {
    /// The value stored.
    pub value: String,
    /// What people read.
    pub label: Text,
}

/// When a field must be given.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Requirement {
    /// Never.
    #[default]
    Optional,
    /// Whenever it is shown.
    Always,
    /// When this expression holds.
    When(String),
}

/// One field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Field {
    /// Its id in rules, lower-case with underscores.
    pub field: String,
    /// What it holds.
    #[serde(rename = "type")]
    pub kind: FieldType,
    /// What people read beside it.
    pub label: Text,
    /// A line of help below it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<Text>,
    /// When it must be given.
    #[serde(default)]
    pub required: Requirement,
    /// The expression under which it is shown; always if none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown_when: Option<String>,
    /// The options of a choice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<FieldOption>,
    /// Media types accepted, for files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accept: Vec<String>,
    /// The most items, for files and choices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<u32>,
    /// The largest size of one file, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_size: Option<u64>,
    /// The smallest number allowed, included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The largest number allowed, included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// The longest text, in characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_length: Option<u32>,
    /// Whether it is personal: by its type, or because the sheet says so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub personal: bool,
}
