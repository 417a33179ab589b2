//! Values as they stand in tables.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use guichet_journal::Position;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error as CodeError, StrDeserializer};

/// One value of a row. Instants are microseconds since 1970 (UTC), ids are their 16 bytes, flags are 0 and 1. No text
/// holds the character 0, which PostgreSQL cannot store: it stands as U+FFFD.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Int(i64),
    Real(f64),
    Text(Arc<str>),
    Bytes(Vec<u8>),
}

impl Eq for Value {}

impl std::hash::Hash for Value {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        match self {
            Self::Null => {}
            Self::Int(value) => value.hash(state),
            Self::Real(value) => value.to_bits().hash(state),
            Self::Text(value) => value.hash(state),
            Self::Bytes(value) => value.hash(state),
        }
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Self::Int(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Int(value.into())
    }
}

impl From<u8> for Value {
    fn from(value: u8) -> Self {
        Self::Int(value.into())
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Int(value.into())
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        if value.contains('\0') {
            return Self::Text(value.replace('\0', "\u{fffd}").into());
        }
        Self::Text(value.into())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        value.as_str().into()
    }
}

impl From<&String> for Value {
    fn from(value: &String) -> Self {
        value.as_str().into()
    }
}

impl From<uuid::Uuid> for Value {
    fn from(value: uuid::Uuid) -> Self {
        Self::Bytes(value.as_bytes().to_vec())
    }
}

impl From<DateTime<Utc>> for Value {
    fn from(value: DateTime<Utc>) -> Self {
        Self::Int(micros(value))
    }
}

impl From<chrono::NaiveDate> for Value {
    fn from(value: chrono::NaiveDate) -> Self {
        Self::Text(value.to_string().into())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl Value {
    /// The number, if it is one; likewise below.
    pub(super) fn as_int(&self) -> Option<i64> {
        if let Self::Int(value) = self { Some(*value) } else { None }
    }

    pub(super) fn as_real(&self) -> Option<f64> {
        if let Self::Real(value) = self { Some(*value) } else { None }
    }

    pub(super) fn as_text(&self) -> Option<&str> {
        if let Self::Text(value) = self { Some(value) } else { None }
    }

    pub(super) fn as_bytes(&self) -> Option<&[u8]> {
        if let Self::Bytes(value) = self { Some(value) } else { None }
    }
}

/// An instant as it stands in a table.
pub(crate) fn micros(instant: DateTime<Utc>) -> i64 {
    instant.timestamp_micros()
}

/// The instant of a table's value.
pub(crate) fn instant(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or_default()
}

/// A position as it stands in a table: a number that sorts as the position does. It is compared, never reckoned with.
pub(crate) fn token_of(position: Position) -> i64 {
    u64::from_str_radix(&position.to_string(), 16)
        .ok()
        .and_then(|token| i64::try_from(token).ok())
        .unwrap_or(i64::MAX)
}

/// The position of a table's value.
pub(crate) fn position_of(token: i64) -> Option<Position> {
    format!("{token:016x}").parse().ok()
}

/// The word by which a value of a closed list stands in tables, events and sheets: the one its JSON form has.
pub(crate) fn code<T: serde::Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(code)) => code,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}

/// The value that a word stands for.
pub(crate) fn parse_code<'de, T: Deserialize<'de>>(code: &'de str) -> Option<T> {
    let deserializer: StrDeserializer<'de, CodeError> = code.into_deserializer();
    T::deserialize(deserializer).ok()
}
