//! An event as KurrentDB keeps it: the body's bytes are its data, the header stands as text in its metadata.

use std::borrow::Cow;
use std::sync::Arc;

use eventstore_client::{EventData, RecordedEvent};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::error::JournalError;
use crate::event::Recorded;
use crate::header::cut;
use crate::id::{CommandId, Position, Revision, StreamId};
use crate::prepare::{Fingerprint, Prepared};

/// The metadata of an event. The two names with `$` are KurrentDB's own and feed its projection by correlation.
#[derive(Serialize, Deserialize)]
struct Metadata<'a> {
    #[serde(rename = "$correlationId", borrow, default, skip_serializing_if = "Option::is_none")]
    correlation: Option<Cow<'a, str>>,
    #[serde(rename = "$causationId", borrow, default, skip_serializing_if = "Option::is_none")]
    causation: Option<Cow<'a, str>>,
    command: Uuid,
    fingerprint: Uuid,
    /// The header exactly as it is hashed.
    #[serde(borrow)]
    header: Cow<'a, str>,
    /// Blanks before and after the body, which JSON data cannot carry.
    #[serde(borrow, default, skip_serializing_if = "blank")]
    before: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "blank")]
    after: Cow<'a, str>,
}

fn blank(text: &str) -> bool {
    text.is_empty()
}

/// An event that stands in the store.
#[derive(Debug, Clone)]
pub(super) struct Standing {
    pub(super) event: Recorded,
    /// Its number in the stream as the server counts.
    pub(super) number: u64,
    /// The command it came from and that command's keyed digest; none when its metadata are not ours.
    pub(super) origin: Option<(CommandId, Fingerprint)>,
}

/// The name of a stream in the store.
pub(super) fn stream_name(prefix: &str, stream: &StreamId) -> String {
    format!("{prefix}{stream}")
}

/// The stream of ours that has this name in the store; none when it is somebody else's.
pub(super) fn own_stream(prefix: &str, name: &str) -> Option<StreamId> {
    name.strip_prefix(prefix)?.parse().ok()
}

/// The events of an append, as they are sent. Their ids are always given: an id left out would be drawn anew at each attempt.
pub(super) fn to_store(prepared: &Prepared, events: &[Recorded]) -> Result<Vec<EventData>, JournalError> {
    let event = |(wanted, placed): (&crate::prepare::PreparedEvent, &Recorded)| {
        let (header, body) = (placed.stored_header(), placed.stored_body());
        let unfit = |_| JournalError::invalid("a body cannot be written as JSON");
        let data: &RawValue = serde_json::from_str(body).map_err(unfit)?;
        let (before, after) = body.split_once(data.get()).unwrap_or_default();
        let metadata = Metadata {
            correlation: cut(header, "correlation").map(Cow::Borrowed),
            causation: cut(header, "causation").map(Cow::Borrowed),
            command: prepared.command.uuid(),
            fingerprint: Uuid::from_bytes(prepared.fingerprint),
            header: Cow::Borrowed(header),
            before: Cow::Borrowed(before),
            after: Cow::Borrowed(after),
        };
        EventData::json(placed.event_type(), &data)
            .and_then(|event| event.id(wanted.id.uuid()).metadata_as_json(&metadata))
            .map_err(unfit)
    };
    prepared.events.iter().zip(events).map(event).collect()
}

/// What stands in the store, with its texts to the byte. What is damaged is passed on, not refused: its digest tells where the damage lies.
pub(super) fn from_store(event: &RecordedEvent) -> Standing {
    let position = Position::from_token(event.position.commit);
    let data = String::from_utf8_lossy(&event.data);
    match serde_json::from_slice::<Metadata<'_>>(&event.custom_metadata) {
        Ok(metadata) => {
            let body: Arc<str> = if metadata.before.is_empty() && metadata.after.is_empty() {
                data.into()
            } else {
                format!("{}{data}{}", metadata.before, metadata.after).into()
            };
            Standing {
                event: Recorded::new(position, metadata.header.into(), body),
                number: event.revision,
                origin: Some((CommandId::new(metadata.command), *metadata.fingerprint.as_bytes())),
            }
        }
        Err(_) => Standing {
            event: Recorded::new(
                position,
                String::from_utf8_lossy(&event.custom_metadata).into(),
                data.into(),
            ),
            number: event.revision,
            origin: None,
        },
    }
}

/// Refuses an event whose number in the store is not the one in its header: the stream was deleted and begun anew behind our back.
pub(super) fn check_number(stream: &StreamId, standing: &Standing) -> Result<(), JournalError> {
    if standing.event.revision() == Some(Revision::new(standing.number)) {
        return Ok(());
    }
    Err(JournalError::corrupt(format!(
        "event {} of stream `{stream}` in KurrentDB has another number in its header",
        standing.number
    )))
}
