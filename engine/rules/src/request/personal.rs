//! Personal data inside events: kept apart by person, so that forgetting someone needs no rewriting of history.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::SerializeMap};

/// The person that the request is for.
pub const REQUESTER: &str = "requester";

/// A value that identifies someone, or was written by or about them.
///
/// In memory it is known, sealed (there, but not opened), or erased. As JSON a known one is
/// `{"$personal": subject, "value": …}`, and the journal seals it before it is written; a sealed one is whatever the
/// journal made of it; an erased one is `{"$personal": subject}`.
#[derive(Clone, PartialEq, Eq)]
pub struct Personal<T> {
    /// Whose it is, within the request: [`REQUESTER`], or another person's role in it.
    pub subject: String,
    /// What is known of it.
    pub content: Content<T>,
}

/// What is known of a personal value.
#[derive(Clone, PartialEq, Eq)]
pub enum Content<T> {
    /// The value.
    Known(T),
    /// It is in the journal, but this copy was not opened.
    Sealed,
    /// Its key is destroyed: nobody can ever read it again.
    Erased,
}

impl<T> Personal<T> {
    /// A known value about the requester.
    #[must_use]
    pub fn requester(value: T) -> Self {
        Self { subject: REQUESTER.into(), content: Content::Known(value) }
    }

    /// The value, if it is known.
    #[must_use]
    pub fn known(&self) -> Option<&T> {
        match &self.content {
            Content::Known(value) => Some(value),
            Content::Sealed | Content::Erased => None,
        }
    }

    /// Whether its key was destroyed.
    #[must_use]
    pub fn is_erased(&self) -> bool {
        matches!(self.content, Content::Erased)
    }

    /// The same without its value: what a state keeps, so that caches hold nothing personal.
    #[must_use]
    pub fn sealed(&self) -> Self {
        let content = if self.is_erased() { Content::Erased } else { Content::Sealed };
        Self { subject: self.subject.clone(), content }
    }
}

/// Never prints the value.
impl<T> std::fmt::Debug for Personal<T> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let state = match self.content {
            Content::Known(_) => "known",
            Content::Sealed => "sealed",
            Content::Erased => "erased",
        };
        write!(formatter, "Personal({}, {state})", self.subject)
    }
}

impl<T: Serialize> Serialize for Personal<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match &self.content {
            Content::Known(value) => {
                map.serialize_entry("$personal", &self.subject)?;
                map.serialize_entry("value", value)?;
            }
            Content::Sealed => {
                map.serialize_entry("$subject", &self.subject)?;
                map.serialize_entry("$sealed", "")?;
            }
            Content::Erased => map.serialize_entry("$personal", &self.subject)?,
        }
        map.end()
    }
}

/// What the journal writes and what it gives back, both, so that a reader of the schema is not surprised.
impl<T: JsonSchema> JsonSchema for Personal<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("Personal_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let value = generator.subschema_for::<T>();
        json_schema!({
            "description": "Personal data: opened, or sealed as the journal stores it; without a value it is erased.",
            "type": "object",
            "properties": {
                "$personal": { "type": "string", "description": "Whose it is, within the request." },
                "value": value,
                "$subject": { "type": "string", "description": "Whose it is, while it is sealed." },
                "$sealed": { "type": "string", "description": "The ciphertext." },
                "kid": { "type": "string", "description": "The key it was sealed with." }
            }
        })
    }
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
struct Shape<T> {
    #[serde(rename = "$personal", default)]
    personal: Option<String>,
    #[serde(rename = "$subject", default)]
    subject: Option<String>,
    #[serde(rename = "$sealed", default)]
    sealed: Option<serde::de::IgnoredAny>,
    #[serde(default = "Option::default")]
    value: Option<T>,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Personal<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let shape = Shape::deserialize(deserializer)?;
        let content = match (shape.value, shape.sealed) {
            (Some(value), _) => Content::Known(value),
            (None, Some(_)) => Content::Sealed,
            (None, None) => Content::Erased,
        };
        let subject =
            shape.subject.or(shape.personal).ok_or_else(|| serde::de::Error::missing_field("$personal"))?;
        Ok(Self { subject, content })
    }
}
