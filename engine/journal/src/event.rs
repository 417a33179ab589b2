//! What goes into the journal, and what comes out of it.

use std::sync::{Arc, OnceLock};

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::digest::Digest;
use crate::error::{Expected, JournalError};
use crate::header::{Header, Outline};
use crate::id::{
    Channel, CommandId, EventId, EventType, Kid, Position, Pseudonym, Revision, StreamId, Subject,
};
use crate::limits::BODY_BYTES_MAX;

/// The type of the event that closes its stream for ever.
pub const TOMBSTONE: &str = "journal.tombstone";

/// An event's content: JSON text in which personal data stand as `{"$personal": "<subject>", "value": …}`.
#[derive(Clone, PartialEq, Eq)]
pub struct Body(pub(crate) String);

impl Body {
    /// The content that this value serialises to.
    ///
    /// # Errors
    /// `Invalid` when it cannot be serialised, `TooLarge` beyond [`BODY_BYTES_MAX`].
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Result<Self, JournalError> {
        let text = serde_json::to_string(value)
            .map_err(|_| JournalError::invalid("a body cannot be written as JSON"))?;
        Self::checked(text)
    }

    /// Content that already is JSON text.
    ///
    /// # Errors
    /// `Invalid` when it is not JSON, `TooLarge` beyond [`BODY_BYTES_MAX`].
    pub fn parse(text: String) -> Result<Self, JournalError> {
        let body = Self::checked(text)?;
        // Read as a value, not skipped over: numbers and escapes that no reader accepts must not enter.
        serde_json::from_str::<serde_json::Value>(&body.0).map_err(|error| {
            JournalError::invalid(format!(
                "a body is not JSON: error at line {}, column {}",
                error.line(),
                error.column()
            ))
        })?;
        Ok(body)
    }

    fn checked(text: String) -> Result<Self, JournalError> {
        if text.len() > BODY_BYTES_MAX {
            return Err(JournalError::TooLarge {
                what: "a body, in bytes,",
                size: text.len(),
                limit: BODY_BYTES_MAX,
            });
        }
        Ok(Self(text))
    }

    /// Its JSON text, with the personal data in clear.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Body({} bytes)", self.0.len())
    }
}

/// One event to be appended.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// What happened.
    pub event_type: EventType,
    /// When it happened, UTC; kept to the microsecond. Never after the append's `recorded_at`.
    pub occurred_at: DateTime<Utc>,
    /// The digest of the process definition that was in force, if one was.
    pub definition: Option<Digest>,
    /// Whose doing it is, where it is not that of whoever gave the command: what fell due before a command came is
    /// recorded with it and was done by nobody. Such an event has neither a channel nor anyone on whose behalf it was.
    pub actor: Option<Pseudonym>,
    /// What is to be known about it.
    pub body: Body,
}

impl NewEvent {
    /// An event that closes its stream for ever: every later append to it is refused with `Tombstoned`.
    ///
    /// # Errors
    /// Never in practice; the fixed name and body are checked as any other.
    pub fn tombstone(occurred_at: DateTime<Utc>) -> Result<Self, JournalError> {
        Ok(Self {
            event_type: TOMBSTONE.parse()?,
            occurred_at,
            definition: None,
            actor: None,
            body: Body::parse("{}".to_owned())?,
        })
    }
}

/// One command's events, to be appended to one stream as a whole or not at all.
#[derive(Debug, Clone)]
pub struct Append {
    /// The stream, which names the tenant too.
    pub stream: StreamId,
    /// In which state the stream must be.
    pub expected: Expected,
    /// The command's id, given by its sender. The same id on the same stream is the same command.
    pub command: CommandId,
    /// A digest of the command's content: the same id with another digest is refused. Only a keyed form of it is stored.
    pub command_digest: Digest,
    /// Who acted.
    pub actor: Pseudonym,
    /// For whom, when somebody stood in for somebody.
    pub on_behalf_of: Option<Pseudonym>,
    /// Through which door the command came.
    pub channel: Option<Channel>,
    /// When the journal takes note of it, UTC, by the caller's clock; kept to the microsecond.
    pub recorded_at: DateTime<Utc>,
    /// What belongs together across streams.
    pub correlation: Option<Uuid>,
    /// The event that made this command happen.
    pub causation: Option<EventId>,
    /// Keys that the caller knows this stream to use already, so that the journal need not look.
    pub known_keys: Vec<(Subject, Kid)>,
    /// The events, in order; at least one.
    pub events: Vec<NewEvent>,
}

/// The receipt of an append.
#[derive(Debug, Clone)]
pub struct Appended {
    /// Where the first of the events stands in its stream.
    pub first_revision: Revision,
    /// Where the last of them stands.
    pub revision: Revision,
    /// Where the last of them stands in the journal: a reader that has passed it has seen them all.
    pub position: Position,
    /// The events as they are stored.
    pub events: Vec<Recorded>,
    /// Whether they stood there already, because the same command had come before.
    pub repeated: bool,
}

impl Appended {
    /// Moves the events to later positions.
    pub(crate) fn move_by(&mut self, by: u64) {
        self.position = self.position.later(by);
        for event in &mut self.events {
            event.position = event.position.later(by);
        }
    }
}

/// An event as it is stored. Only the journal makes them.
#[derive(Clone)]
pub struct Recorded {
    position: Position,
    header: Arc<str>,
    body: Arc<str>,
    parsed: OnceLock<Box<Header>>,
}

impl Recorded {
    pub(crate) fn new(position: Position, header: Arc<str>, body: Arc<str>) -> Self {
        Self { position, header, body, parsed: OnceLock::new() }
    }

    /// Whether its header has a form that only newer versions of this program know.
    #[must_use]
    pub fn is_newer(&self) -> bool {
        crate::header::version(&self.header).is_some_and(|version| version > crate::HEADER_VERSION)
    }

    /// Where it stands in the journal.
    #[must_use]
    pub const fn position(&self) -> Position {
        self.position
    }

    pub(crate) fn header_text(&self) -> Arc<str> {
        self.header.clone()
    }

    pub(crate) fn body_text(&self) -> Arc<str> {
        self.body.clone()
    }

    /// The header exactly as stored and hashed: one JSON object.
    #[must_use]
    pub fn stored_header(&self) -> &str {
        &self.header
    }

    /// The body exactly as stored and hashed: the envelope with its salt, or the text with sealed parts.
    #[must_use]
    pub fn stored_body(&self) -> &str {
        &self.body
    }

    /// The header, read at the first call.
    ///
    /// # Errors
    /// `Corrupt` when the stored bytes are not a header.
    pub fn header(&self) -> Result<&Header, JournalError> {
        if let Some(header) = self.parsed.get() {
            return Ok(header);
        }
        let header = Header::parse(&self.header).map_err(|reason| {
            JournalError::corrupt(format!(
                "the header at position {} cannot be read: {reason}",
                self.position
            ))
        })?;
        Ok(self.parsed.get_or_init(|| Box::new(header)))
    }

    /// The beginning of the header, which says what most readers need in a third of the time.
    ///
    /// # Errors
    /// `Corrupt` when the stored bytes are not a header, or one of a newer form.
    pub fn outline(&self) -> Result<Outline<'_>, JournalError> {
        Outline::of(&self.header).ok_or_else(|| {
            JournalError::corrupt(format!("the header at position {} cannot be read", self.position))
        })
    }

    /// Its type, cut out of the header without reading the rest; empty when the header is damaged.
    #[must_use]
    pub fn event_type(&self) -> &str {
        crate::header::cut(&self.header, "type").unwrap_or_default()
    }

    /// Its stream's name, cut out of the header without reading the rest; empty when the header is damaged.
    #[must_use]
    pub fn stream(&self) -> &str {
        crate::header::cut(&self.header, "stream").unwrap_or_default()
    }

    /// Its place in its stream, cut out of the header without reading the rest; none when the header is damaged.
    #[must_use]
    pub fn revision(&self) -> Option<Revision> {
        crate::header::cut_number(&self.header, "n").map(Revision::new)
    }

    /// The digest of the stored header: what the next event of the stream carries as `prev`.
    #[must_use]
    pub fn header_digest(&self) -> Digest {
        Digest::of(self.header.as_bytes())
    }

    /// Whether parts of the body are sealed.
    #[must_use]
    pub fn is_sealed(&self) -> bool {
        crate::header::names_keys(&self.header)
    }

    /// The body's JSON text, personal parts still sealed. Costs nothing: no key is looked up, nothing is decrypted.
    #[must_use]
    pub fn body(&self) -> &str {
        if self.is_sealed() {
            &self.body
        } else {
            crate::seal::envelope_content(&self.body).unwrap_or(&self.body)
        }
    }

    /// The body as a value, personal parts still sealed.
    ///
    /// # Errors
    /// `Corrupt` when the stored body is not such a value.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, JournalError> {
        serde_json::from_str(self.body()).map_err(|error| {
            // serde's sentence may quote the body, so only its kind and place are told.
            JournalError::corrupt(format!(
                "the body of `{}` at position {} is not what its type says ({:?}, column {})",
                self.event_type(),
                self.position,
                error.classify(),
                error.column()
            ))
        })
    }
}

impl std::fmt::Debug for Recorded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Recorded({} {} at {})", self.stream(), self.event_type(), self.position)
    }
}
