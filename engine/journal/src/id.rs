//! Names and numbers of the journal: validated once, cheap to copy or clone afterwards.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// A name that is not in the form its place asks for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a {what}; the form is: {rule}")]
pub struct BadName {
    /// What the name should have been, such as `tenant`.
    pub what: &'static str,
    /// The form it must have. What was given is not repeated: it may be somebody's address.
    pub rule: &'static str,
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn is_tenant(text: &str) -> bool {
    is_word(text) && !text.contains('_')
}

fn is_dotted(text: &str) -> bool {
    text.contains('.') && text.split('.').all(is_word)
}

fn is_pseudonym(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b':'))
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident, $what:literal, $max:literal, $check:expr, $rule:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Longest name, in bytes.
            pub const BYTES_MAX: usize = $max;

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = BadName;

            fn from_str(text: &str) -> Result<Self, BadName> {
                if text.len() <= Self::BYTES_MAX && $check(text) {
                    Ok(Self(Arc::from(text)))
                } else {
                    Err(BadName { what: $what, rule: $rule })
                }
            }
        }

        text_forms!($name);
    )*};
}

/// `Display`, `Debug` and serde for a type that has `as_str` and `FromStr`.
macro_rules! text_forms {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "`{}`", self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

names! {
    /// A collectivity that shares the installation with others and sees nothing of theirs.
    Tenant, "tenant", 16, is_tenant, "a small letter, then small letters and digits, 16 at most";
    /// What happened, such as `request.qualified`. Never holds personal data.
    EventType, "event type", 40, is_dotted, "two or more words of small letters, digits and `_`, joined by `.`, 40 at most";
    /// Who acted, under a pseudonym (an agent's id, a service's id): never a name or an address.
    Pseudonym, "pseudonym", 45, is_pseudonym, "letters without accents, digits, `_`, `-`, `.` and `:`, 45 at most";
    /// The person whom a sealed part is about, under a pseudonym that stands in clear beside the part.
    Subject, "subject", 64, is_pseudonym, "letters without accents, digits, `_`, `-`, `.` and `:`, 64 at most";
    /// Through which door a command came, such as `counter` or `web`.
    Channel, "channel", 16, is_word, "a small letter, then small letters, digits and `_`, 16 at most";
    /// The id of a sealing key. It stands in clear in headers and says nothing about whom the key is for.
    Kid, "key id", 16, is_pseudonym, "letters without accents, digits, `_`, `-`, `.` and `:`, 16 at most";
}

/// The name of a stream, `<tenant>.<kind>-<uuid>`, such as `ville.request-0198c6a2-…`. Never holds personal data.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamId {
    text: Arc<str>,
    dot: u8,
}

impl StreamId {
    const UUID_LEN: usize = 36;
    const BAD: BadName = BadName {
        what: "stream",
        rule: "`<tenant>.<kind>-<uuid>`, the kind a word of small letters, digits and `_`, 16 at most",
    };

    /// Longest kind, in bytes.
    pub const KIND_BYTES_MAX: usize = 16;

    /// The stream of one thing of a tenant.
    ///
    /// # Errors
    /// When `kind` is not a word of small letters, digits and `_`.
    pub fn new(tenant: &Tenant, kind: &str, id: Uuid) -> Result<Self, BadName> {
        if kind.len() > Self::KIND_BYTES_MAX || !is_word(kind) {
            return Err(Self::BAD);
        }
        let dot = u8::try_from(tenant.as_str().len()).map_err(|_| Self::BAD)?;
        Ok(Self { text: format!("{tenant}.{kind}-{}", id.hyphenated()).into(), dot })
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The tenant's part of the name.
    #[must_use]
    pub fn tenant(&self) -> Tenant {
        Tenant(self.tenant_str().into())
    }

    /// The tenant's part of the name, borrowed.
    #[must_use]
    pub fn tenant_str(&self) -> &str {
        self.text.get(..usize::from(self.dot)).unwrap_or_default()
    }

    /// What kind of thing the stream is about, such as `request`.
    #[must_use]
    pub fn kind(&self) -> &str {
        let end = self.text.len().saturating_sub(Self::UUID_LEN + 1);
        self.text.get(usize::from(self.dot) + 1..end).unwrap_or_default()
    }

    /// The thing's own id.
    #[must_use]
    pub fn id(&self) -> Uuid {
        let start = self.text.len().saturating_sub(Self::UUID_LEN);
        self.text.get(start..).and_then(|id| Uuid::parse_str(id).ok()).unwrap_or_default()
    }
}

impl FromStr for StreamId {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        let (tenant, rest) = text.split_once('.').ok_or(Self::BAD)?;
        let (kind, id) = rest.split_once('-').ok_or(Self::BAD)?;
        let tenant: Tenant = tenant.parse().map_err(|_| Self::BAD)?;
        let id = Uuid::parse_str(id).map_err(|_| Self::BAD)?;
        let stream = Self::new(&tenant, kind, id)?;
        // Only one spelling of a name may exist, or one stream could be written as two.
        if stream.as_str() == text { Ok(stream) } else { Err(Self::BAD) }
    }
}

text_forms!(StreamId);

/// The place of an event in the whole journal of one store: opaque and ordered. Its text sorts as it does.
///
/// Positions of two stores cannot be compared, and nobody reckons with them: gaps mean nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position(u64);

impl Position {
    pub(crate) const fn from_token(token: u64) -> Self {
        Self(token)
    }

    pub(crate) const fn token(self) -> u64 {
        self.0
    }

    /// So many places later.
    pub(crate) const fn later(self, by: u64) -> Self {
        Self(self.0.saturating_add(by))
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for Position {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        let bad = || BadName { what: "position", rule: "16 hexadecimal digits, as the journal gave them" };
        if text.len() != 16 || text.bytes().any(|b| !b.is_ascii_hexdigit()) {
            return Err(bad());
        }
        u64::from_str_radix(text, 16).map(Self).map_err(|_| bad())
    }
}

impl Serialize for Position {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Position {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        std::borrow::Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The place of an event in its stream: 0, 1, 2, … without a hole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Revision(u64);

impl Revision {
    /// The first event of a stream.
    pub const FIRST: Self = Self(0);

    /// The revision with this number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Its number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The one after it.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

macro_rules! uuids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// The id with these bits.
            #[must_use]
            pub const fn new(id: Uuid) -> Self {
                Self(id)
            }

            /// The bare id.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = BadName;

            fn from_str(text: &str) -> Result<Self, BadName> {
                Uuid::parse_str(text).map(Self).map_err(|_| BadName { what: "id", rule: "a UUID" })
            }
        }
    )*};
}

uuids! {
    /// The id that the sender of a command gave it. Sent again, it is the same command.
    CommandId;
    /// The id of an event, made from its command's id and its place among the command's events.
    EventId;
}

impl EventId {
    /// The id of a command's event number `index`, counted from 0: the UUIDv5 of the index in decimal, in the command's namespace.
    #[must_use]
    pub fn of(command: CommandId, index: usize) -> Self {
        Self(Uuid::new_v5(&command.0, index.to_string().as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_name_has_one_spelling() {
        let id = "0198c6a2-0000-7000-8000-0000000000ab";
        let name = format!("ville.request-{id}");
        let stream: StreamId = name.parse().unwrap();
        assert_eq!(
            (stream.tenant_str(), stream.kind(), stream.id()),
            ("ville", "request", Uuid::parse_str(id).unwrap())
        );
        for bad in [
            format!("ville.request-{}", id.to_uppercase()),
            format!("ville.request-{}", id.replace('-', "")),
            format!("vil-le.request-{id}"),
            format!("ville.request.x-{id}"),
            format!("Ville.request-{id}"),
            format!("ville.-{id}"),
            format!("ville.request-{id} "),
            "ville.request-jean.dupont@example.fr".to_owned(),
            String::new(),
        ] {
            assert!(bad.parse::<StreamId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn positions_sort_as_their_text() {
        let positions = [0, 1, 9, 10, 255, 256, u64::MAX].map(Position);
        assert!(positions.is_sorted_by_key(|p| p.to_string()));
        for position in positions {
            assert_eq!(position.to_string().parse::<Position>().unwrap(), position);
        }
        assert!("+00000000000000f".parse::<Position>().is_err());
    }

    #[test]
    fn event_ids_come_from_command_and_index_alone() {
        let command = CommandId::new(Uuid::from_u128(7));
        assert_eq!(EventId::of(command, 3), EventId::of(command, 3));
        assert_ne!(EventId::of(command, 3), EventId::of(command, 4));
        assert_eq!(EventId::of(command, 0).uuid().get_version_num(), 5);
    }
}
