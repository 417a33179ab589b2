//! Reading events, each once for all read models. Nothing personal is opened.

use chrono::{DateTime, Utc};
use guichet_journal::{HEADER_VERSION, Position, Recorded, TOMBSTONE};
use guichet_rules::process::{
    DRAFT_ABANDONED, ORGANISATION_PUBLISHED, OrganisationPublished, PROCESS_DRAFTED, PROCESS_PUBLISHED,
    PROCESS_RETIRED, ProcessPublished, ProcessRetired, REQUEST_STREAM,
};
use guichet_rules::records::{RECORD_STREAMS, RecordEvent};
use guichet_rules::request::{DecodeError, Event, Meta};
use serde::Deserialize;
use uuid::Uuid;

use crate::error::Poison;

/// The members of a header that read models need; reading the whole of it would take longer than reading the body.
#[derive(Deserialize)]
struct Lean<'a> {
    v: u32,
    stream: &'a str,
    n: u64,
    #[serde(rename = "type")]
    event_type: &'a str,
    occurred_at: DateTime<Utc>,
    recorded_at: DateTime<Utc>,
    actor: &'a str,
    #[serde(default)]
    on_behalf_of: Option<&'a str>,
}

/// An event of the journal, as read models know it.
pub(crate) enum Decoded<'a> {
    Request(Box<RequestEvent<'a>>),
    Process {
        tenant: &'a str,
        published: Box<ProcessPublished>,
    },
    /// A process was taken out of force.
    Retired {
        tenant: &'a str,
        process: String,
    },
    Organisation {
        tenant: &'a str,
        published: Box<OrganisationPublished>,
    },
    Record(Box<Record<'a>>),
    /// A draft, or what became of one: nothing that any read model shows.
    Draft,
    /// The end of a stream: nothing follows, and nothing that was told is taken back.
    Tombstone,
}

/// An event of a request.
pub(crate) struct RequestEvent<'a> {
    pub(crate) tenant: &'a str,
    pub(crate) id: Uuid,
    pub(crate) revision: u64,
    pub(crate) event: Event,
    pub(crate) meta: Meta,
    pub(crate) on_behalf_of: Option<&'a str>,
}

/// An event of a record beside requests.
pub(crate) struct Record<'a> {
    pub(crate) tenant: &'a str,
    pub(crate) id: Uuid,
    pub(crate) position: Position,
    pub(crate) event: RecordEvent,
    pub(crate) meta: Meta,
}

/// Reads an event.
pub(crate) fn decode(recorded: &Recorded) -> Result<Decoded<'_>, Poison> {
    let header: Lean<'_> = serde_json::from_str(recorded.stored_header())
        .map_err(|error| poison(recorded, format!("its header cannot be read ({:?})", error.classify())))?;
    if header.v > HEADER_VERSION {
        return Err(poison(recorded, newer()));
    }
    let (tenant, name) = header.stream.split_once('.').unwrap_or_default();
    match header.event_type {
        PROCESS_PUBLISHED => Ok(Decoded::Process { tenant, published: Box::new(body(recorded)?) }),
        ORGANISATION_PUBLISHED => Ok(Decoded::Organisation { tenant, published: Box::new(body(recorded)?) }),
        PROCESS_RETIRED => {
            let retired: ProcessRetired = body(recorded)?;
            Ok(Decoded::Retired { tenant, process: retired.process })
        }
        PROCESS_DRAFTED | DRAFT_ABANDONED => Ok(Decoded::Draft),
        TOMBSTONE => Ok(Decoded::Tombstone),
        event_type => {
            let (kind, id) = name.split_once('-').unwrap_or_default();
            let id = Uuid::parse_str(id).map_err(|_| poison(recorded, newer()))?;
            let meta = Meta {
                tenant: tenant.to_owned(),
                actor: header.actor.to_owned(),
                occurred_at: header.occurred_at,
                recorded_at: header.recorded_at,
            };
            if RECORD_STREAMS.contains(&kind) {
                let event = RecordEvent::decode(kind, event_type, recorded.body().as_bytes());
                let event = event.map_err(|error| unread(recorded, &error))?;
                let position = recorded.position();
                return Ok(Decoded::Record(Box::new(Record { tenant, id, position, event, meta })));
            }
            if kind != REQUEST_STREAM {
                return Err(poison(recorded, newer()));
            }
            let event = Event::decode(event_type, recorded.body().as_bytes());
            let event = event.map_err(|error| unread(recorded, &error))?;
            let on_behalf_of = header.on_behalf_of;
            Ok(Decoded::Request(Box::new(RequestEvent {
                tenant,
                id,
                revision: header.n,
                event,
                meta,
                on_behalf_of,
            })))
        }
    }
}

fn unread(recorded: &Recorded, error: &DecodeError) -> Poison {
    let reason = match error {
        DecodeError::UnknownType(_) => newer(),
        // serde's sentence may quote the body, so only its kind is told.
        DecodeError::Shape { source, .. } => {
            format!("its body is not what its type says ({:?} error)", source.classify())
        }
    };
    poison(recorded, reason)
}

fn body<T: serde::de::DeserializeOwned>(recorded: &Recorded) -> Result<T, Poison> {
    recorded.decode().map_err(|error| poison(recorded, error.to_string()))
}

fn newer() -> String {
    "this version of guichet does not know such events; a newer version wrote it".to_owned()
}

/// The event as an obstacle.
pub(crate) fn poison(recorded: &Recorded, reason: impl Into<String>) -> Poison {
    Poison {
        position: recorded.position(),
        stream: recorded.stream().to_owned(),
        revision: recorded.revision().map_or(0, guichet_journal::Revision::get),
        event_type: recorded.event_type().to_owned(),
        reason: reason.into(),
    }
}
