//! The header of an event: who, when, what type, and the digests that bind it to its body and to the event before it.
//!
//! A header is hashed as the bytes that are stored and is never written a second time. Its members come in a fixed order; the names in
//! it hold no character that JSON escapes, so the few members that filters need are cut out of the text without reading the rest.

use std::sync::Arc;

use chrono::{DateTime, Datelike, Utc};
use serde::Deserialize;
use uuid::Uuid;

use crate::digest::Digest;
use crate::id::{Channel, CommandId, EventId, EventType, Kid, Pseudonym, Revision, StreamId, Tenant};
use crate::instant;

/// The version of the header's form that this program writes.
pub const HEADER_VERSION: u32 = 1;

/// The header of a stored event.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Header {
    /// The version of this form.
    pub v: u32,
    /// Whose it is.
    pub tenant: Tenant,
    /// In which stream it stands.
    pub stream: StreamId,
    /// Where in the stream.
    #[serde(rename = "n")]
    pub revision: Revision,
    /// The SHA-256 of the stored header before it in the stream; none for the first.
    #[serde(rename = "prev", deserialize_with = "previous")]
    pub previous: Option<Digest>,
    /// What happened.
    #[serde(rename = "type")]
    pub event_type: EventType,
    /// When it happened, UTC.
    #[serde(deserialize_with = "crate::instant::deserialize")]
    pub occurred_at: DateTime<Utc>,
    /// When the journal took note of it, UTC.
    #[serde(deserialize_with = "crate::instant::deserialize")]
    pub recorded_at: DateTime<Utc>,
    /// Who acted, under a pseudonym.
    pub actor: Pseudonym,
    /// For whom, when somebody stood in.
    #[serde(default)]
    pub on_behalf_of: Option<Pseudonym>,
    /// Through which door.
    #[serde(default)]
    pub channel: Option<Channel>,
    /// The command that it came from.
    pub command: CommandId,
    /// Its own id.
    pub event: EventId,
    /// What belongs together across streams.
    #[serde(default)]
    pub correlation: Option<Uuid>,
    /// The event that made the command happen.
    #[serde(default)]
    pub causation: Option<EventId>,
    /// The process definition in force.
    #[serde(rename = "def", default)]
    pub definition: Option<Digest>,
    /// The SHA-256 of the stored body.
    pub body: Digest,
    /// The SHA-256 of a 32-byte salt followed by the clear body.
    pub commit: Digest,
    /// The keys of the body's sealed parts, in the order of their first use.
    #[serde(rename = "kid", default)]
    pub keys: Vec<Kid>,
}

fn previous<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Digest>, D::Error> {
    let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
    if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(serde::de::Error::custom) }
}

impl Header {
    /// Reads a stored header.
    ///
    /// # Errors
    /// The place where the text stops being a header.
    pub fn parse(text: &str) -> Result<Self, String> {
        serde_json::from_str(text)
            .map_err(|error| format!("{:?} error at column {}", error.classify(), error.column()))
    }
}

/// What readers of many events need of a header, borrowed from its text: everything that stands before the ids and digests, which are left
/// unread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outline<'a> {
    /// Whose it is.
    pub tenant: &'a str,
    /// In which stream it stands.
    pub stream: &'a str,
    /// Where in the stream.
    pub revision: u64,
    /// What happened.
    pub event_type: &'a str,
    /// When it happened, UTC.
    pub occurred_at: DateTime<Utc>,
    /// When the journal took note of it, UTC.
    pub recorded_at: DateTime<Utc>,
    /// Who acted, under a pseudonym.
    pub actor: &'a str,
}

impl<'a> Outline<'a> {
    /// Reads the beginning of a stored header; none when it is not one, or newer than this program.
    pub(crate) fn of(header: &'a str) -> Option<Self> {
        let (version, rest) = header.strip_prefix("{\"v\":")?.split_once(',')?;
        if version.parse::<u32>().ok()? > HEADER_VERSION {
            return None;
        }
        let (tenant, rest) = member(rest, "\"tenant\":\"")?;
        let (stream, rest) = member(rest, ",\"stream\":\"")?;
        let (revision, rest) = rest.strip_prefix(",\"n\":")?.split_once(',')?;
        let (_, rest) = member(rest, "\"prev\":\"")?;
        let (event_type, rest) = member(rest, ",\"type\":\"")?;
        let (occurred_at, rest) = member(rest, ",\"occurred_at\":\"")?;
        let (recorded_at, rest) = member(rest, ",\"recorded_at\":\"")?;
        let (actor, _) = member(rest, ",\"actor\":\"")?;
        let revision = revision.parse().ok()?;
        let (occurred_at, recorded_at) = (instant::read(occurred_at)?, instant::read(recorded_at)?);
        Some(Self { tenant, stream, revision, event_type, occurred_at, recorded_at, actor })
    }

    /// The id of the stream, if it is of this kind.
    #[must_use]
    pub fn id_of(&self, kind: &str) -> Option<Uuid> {
        let name = self.stream.strip_prefix(self.tenant)?.strip_prefix('.')?;
        Uuid::parse_str(name.strip_prefix(kind)?.strip_prefix('-')?).ok()
    }
}

/// The value of the member that begins so, and what follows it. Values cannot hold a quotation mark.
fn member<'a>(text: &'a str, start: &str) -> Option<(&'a str, &'a str)> {
    text.strip_prefix(start)?.split_once('"')
}

/// What a header says apart from its place in the stream, which only the writer knows.
pub(crate) struct Parts<'a> {
    pub(crate) event_type: &'a EventType,
    pub(crate) occurred_at: DateTime<Utc>,
    pub(crate) recorded_at: DateTime<Utc>,
    pub(crate) actor: &'a Pseudonym,
    pub(crate) on_behalf_of: Option<&'a Pseudonym>,
    pub(crate) channel: Option<&'a Channel>,
    pub(crate) command: CommandId,
    pub(crate) event: EventId,
    pub(crate) correlation: Option<Uuid>,
    pub(crate) causation: Option<EventId>,
    pub(crate) definition: Option<Digest>,
    pub(crate) body: Digest,
    pub(crate) commit: Digest,
    pub(crate) keys: &'a [Kid],
}

/// A header that lacks `n` and `prev` only, so that the writer has little left to do.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    tail: String,
}

impl Template {
    pub(crate) fn new(parts: &Parts<'_>) -> Self {
        let mut tail = String::with_capacity(640);
        let mut member = |name: &str, value: &str| {
            for piece in [",\"", name, "\":\"", value, "\""] {
                tail.push_str(piece);
            }
        };
        member("type", parts.event_type.as_str());
        member("occurred_at", &instant::written(parts.occurred_at));
        member("recorded_at", &instant::written(parts.recorded_at));
        member("actor", parts.actor.as_str());
        if let Some(principal) = parts.on_behalf_of {
            member("on_behalf_of", principal.as_str());
        }
        if let Some(channel) = parts.channel {
            member("channel", channel.as_str());
        }
        let mut buffer = Uuid::encode_buffer();
        member("command", parts.command.uuid().hyphenated().encode_lower(&mut buffer));
        member("event", parts.event.uuid().hyphenated().encode_lower(&mut buffer));
        if let Some(correlation) = parts.correlation {
            member("correlation", correlation.hyphenated().encode_lower(&mut buffer));
        }
        if let Some(causation) = parts.causation {
            member("causation", causation.uuid().hyphenated().encode_lower(&mut buffer));
        }
        if let Some(definition) = parts.definition {
            member("def", &definition.to_string());
        }
        member("body", &parts.body.to_string());
        member("commit", &parts.commit.to_string());
        push_keys(&mut tail, parts.keys);
        tail.push('}');
        Self { tail }
    }

    /// Its length in bytes, without what the writer adds.
    pub(crate) fn len(&self) -> usize {
        self.tail.len()
    }

    /// The finished header of an event that stands at `revision` behind a header with digest `previous`.
    pub(crate) fn place(&self, stream: &StreamId, revision: Revision, previous: Option<&Digest>) -> Arc<str> {
        let mut text = String::with_capacity(self.tail.len() + stream.as_str().len() + 160);
        text.push_str("{\"v\":1,\"tenant\":\"");
        text.push_str(stream.tenant_str());
        text.push_str("\",\"stream\":\"");
        text.push_str(stream.as_str());
        text.push_str("\",\"n\":");
        text.push_str(&revision.to_string());
        text.push_str(",\"prev\":\"");
        if let Some(previous) = previous {
            previous.push_hex(&mut text);
        }
        text.push('"');
        text.push_str(&self.tail);
        text.into()
    }
}

/// Keys stand last, so that a glance at the end of a header tells whether anything is sealed.
fn push_keys(tail: &mut String, keys: &[Kid]) {
    for (index, key) in keys.iter().enumerate() {
        tail.push_str(if index == 0 { ",\"kid\":[\"" } else { ",\"" });
        tail.push_str(key.as_str());
        tail.push('"');
    }
    if !keys.is_empty() {
        tail.push(']');
    }
}

pub(crate) fn names_keys(header: &str) -> bool {
    header.ends_with("]}")
}

/// An instant cut to the microsecond, as it is stored.
pub(crate) fn to_micros(instant: DateTime<Utc>) -> Option<DateTime<Utc>> {
    // Four digits of year keep headers short and their text sortable.
    (0..=9999)
        .contains(&instant.year())
        .then(|| DateTime::from_timestamp_micros(instant.timestamp_micros()))
        .flatten()
}

/// The version of a header's form: its first member in every form.
pub(crate) fn version(header: &str) -> Option<u32> {
    let digits = header.strip_prefix("{\"v\":")?;
    digits.split_once(',')?.0.parse().ok()
}

/// The value of a text member whose value is a plain name.
pub(crate) fn cut<'a>(header: &'a str, member: &str) -> Option<&'a str> {
    let rest = after(header, member)?.strip_prefix('"')?;
    rest.split_once('"').map(|(value, _)| value)
}

/// The value of a member that is a number.
pub(crate) fn cut_number(header: &str, member: &str) -> Option<u64> {
    let rest = after(header, member)?;
    let end = rest.find(|c: char| !c.is_ascii_digit())?;
    rest.get(..end)?.parse().ok()
}

fn after<'a>(header: &'a str, member: &str) -> Option<&'a str> {
    // Values cannot hold a quotation mark, so a quoted word followed by a colon is a member's name.
    let mut rest = header;
    loop {
        let at = rest.find(member)?;
        let (before, found) = rest.split_at_checked(at)?;
        let found = found.get(member.len()..)?;
        if before.ends_with('"') && found.starts_with("\":") {
            return found.get(2..);
        }
        rest = found;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{BODY_PERSONS_MAX, HEADER_BYTES_MAX};

    #[test]
    fn an_outline_says_what_the_whole_header_says() {
        let stream = StreamId::new(&"ville".parse().unwrap(), "request", Uuid::from_u128(7)).unwrap();
        for previous in [None, Some(Digest::of(b"before"))] {
            let text = longest(&[]).place(&stream, Revision::new(41), previous.as_ref());
            let (outline, header) = (Outline::of(&text).unwrap(), Header::parse(&text).unwrap());
            assert_eq!((outline.tenant, outline.stream), (header.tenant.as_str(), header.stream.as_str()));
            assert_eq!((outline.revision, outline.event_type), (41, header.event_type.as_str()));
            assert_eq!(
                (outline.occurred_at, outline.recorded_at, outline.actor),
                (header.occurred_at, header.recorded_at, header.actor.as_str())
            );
            assert_eq!(
                (outline.id_of("request"), outline.id_of("process")),
                (Some(header.stream.id()), None)
            );
            assert_eq!(
                Outline::of(&text.replace("\"v\":1", "\"v\":2")),
                None,
                "a newer form is not guessed at"
            );
            assert_eq!(Outline::of(text.get(..200).unwrap()), None);
        }
    }

    fn longest(keys: &[Kid]) -> Template {
        let instant = to_micros("9999-12-31T23:59:59.999999Z".parse().unwrap()).unwrap();
        let person: Pseudonym = "a".repeat(Pseudonym::BYTES_MAX).parse().unwrap();
        Template::new(&Parts {
            event_type: &format!("a.{}", "b".repeat(EventType::BYTES_MAX - 2)).parse().unwrap(),
            occurred_at: instant,
            recorded_at: instant,
            actor: &person,
            on_behalf_of: Some(&person),
            channel: Some(&"c".repeat(Channel::BYTES_MAX).parse().unwrap()),
            command: CommandId::new(Uuid::max()),
            event: EventId::new(Uuid::max()),
            correlation: Some(Uuid::max()),
            causation: Some(EventId::new(Uuid::max())),
            definition: Some(Digest::of(b"")),
            body: Digest::of(b""),
            commit: Digest::of(b""),
            keys,
        })
    }

    #[test]
    fn the_longest_header_fits_its_limit_and_reads_back() {
        let tenant: Tenant = "t".repeat(Tenant::BYTES_MAX).parse().unwrap();
        let stream = StreamId::new(&tenant, &"k".repeat(StreamId::KIND_BYTES_MAX), Uuid::max()).unwrap();
        let keys = vec!["x".repeat(crate::keys::KID_BYTES).parse().unwrap(); BODY_PERSONS_MAX];
        let text = longest(&keys).place(&stream, Revision::new(u64::MAX), Some(&Digest::of(b"")));
        assert!(text.len() <= HEADER_BYTES_MAX, "{} bytes", text.len());
        assert!(names_keys(&text));
        let header = Header::parse(&text).unwrap();
        assert_eq!(
            (header.stream, header.keys, header.previous),
            (stream.clone(), keys, Some(Digest::of(b"")))
        );
        assert_eq!((cut(&text, "stream"), cut_number(&text, "n")), (Some(stream.as_str()), Some(u64::MAX)));
        assert_eq!(cut(&text, "type"), Some(header.event_type.as_str()));
    }

    #[test]
    fn a_header_without_keys_says_so() {
        let stream: StreamId = "ville.type-0198c6a2-0000-7000-8000-0000000000ab".parse().unwrap();
        let text = longest(&[]).place(&stream, Revision::FIRST, None);
        assert!(!names_keys(&text));
        let header = Header::parse(&text).unwrap();
        assert_eq!((header.previous, header.keys.len(), header.v), (None, 0, HEADER_VERSION));
        assert_eq!(version(&text), Some(HEADER_VERSION));
    }
}
