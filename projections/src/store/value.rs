//! Values as they stand in tables.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use guichet_journal::Position;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error as CodeError, StrDeserializer};

/// One value of a row. Instants are microseconds since 1970 (UTC), ids are their 16 bytes, flags are 0 and 1.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Int(i64),
    Real(f64),
    Text(Arc<str>),
    Bytes(Vec<u8>),
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
        Self::Text(value.into())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value.into())
    }
}

impl From<&String> for Value {
    fn from(value: &String) -> Self {
        Self::Text(value.as_str().into())
    }
}

impl From<Arc<str>> for Value {
    fn from(value: Arc<str>) -> Self {
        Self::Text(value)
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
