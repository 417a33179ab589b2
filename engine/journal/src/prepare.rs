//! What happens to an append before it meets the stream's head: checks, keys, sealing, digests. All of it runs in the caller's own task, so
//! that the writer, through which every append of the store passes, has nothing left to do but place the events.

use std::sync::Arc;

use async_trait::async_trait;

use crate::error::{Expected, JournalError};
use crate::event::{Append, NewEvent, TOMBSTONE};
use crate::header::{Parts, Template, to_micros};
use crate::id::{CommandId, EventId, Kid, StreamId, Subject};
use crate::keys::{Cache, DataKey, KeyState, KeyStore};
use crate::limits::{APPEND_BYTES_MAX, APPEND_EVENTS_MAX, KEY_IDS_CACHED_MAX};
use crate::seal::{self, Sealed};

/// A keyed digest of a command's content. The bare digest could be guessed back from low-entropy personal data, so it is not stored.
pub(crate) type Fingerprint = [u8; 16];

/// Room left in the size of an append for what the writer adds to a header: tenant, stream, `n` and `prev`.
const PLACED_BYTES_MAX: usize = 256;

#[derive(Debug)]
pub(crate) struct PreparedEvent {
    pub(crate) id: EventId,
    pub(crate) template: Template,
    pub(crate) body: Arc<str>,
    pub(crate) closes: bool,
}

/// An append that only lacks its place.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) stream: StreamId,
    pub(crate) expected: Expected,
    pub(crate) command: CommandId,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) events: Vec<PreparedEvent>,
    /// Headers and bodies together, at most.
    pub(crate) bytes: usize,
}

/// Which key each person of an append was given.
pub(crate) type Given = Vec<((StreamId, Subject), Kid)>;

/// What the sealer asks a store when it does not know a stream's keys.
#[async_trait]
pub(crate) trait StreamKeys: Send + Sync {
    /// Which person has which key in the stored bodies of this stream.
    async fn keys_of(&self, stream: &StreamId) -> Result<Vec<(Subject, Kid)>, JournalError>;
}

/// Makes appends ready, and remembers which key each person has in each stream.
pub(crate) struct Preparer {
    keys: Arc<dyn KeyStore>,
    known: Cache<(StreamId, Subject), Kid>,
}

impl Preparer {
    pub(crate) fn new(keys: Arc<dyn KeyStore>) -> Self {
        Self { keys, known: Cache::new(KEY_IDS_CACHED_MAX) }
    }

    pub(crate) fn keys(&self) -> &Arc<dyn KeyStore> {
        &self.keys
    }

    /// Remembers the keys of an append that now stands. Those of a refused or repeated one do not: the stream may use others.
    pub(crate) fn learn(&self, given: Given) {
        for (place, kid) in given {
            self.known.put(place, kid);
        }
    }

    /// Checks, seals and digests.
    pub(crate) async fn prepare(
        &self,
        append: Append,
        store: &dyn StreamKeys,
    ) -> Result<(Prepared, Given), JournalError> {
        check(&append)?;
        let mut persons = Vec::with_capacity(append.events.len());
        for event in &append.events {
            persons.push(seal::persons(event.body.as_str())?);
        }
        let keys = self.keys_for(&append, &persons, store).await?;
        let mut events = Vec::with_capacity(append.events.len());
        let mut bytes = 0;
        for (index, (event, persons)) in append.events.iter().zip(&persons).enumerate() {
            let own: Vec<_> = persons
                .iter()
                .filter_map(|person| keys.iter().find(|(whose, _, _)| whose == person).cloned())
                .collect();
            let (prepared, size) = prepare_event(&append, index, event, &own)?;
            events.push(prepared);
            bytes += size;
        }
        if bytes > APPEND_BYTES_MAX {
            return Err(JournalError::TooLarge {
                what: "an append, in stored bytes,",
                size: bytes,
                limit: APPEND_BYTES_MAX,
            });
        }
        let blinded = self.keys.blind(&append.stream.tenant(), append.command_digest.as_bytes());
        let fingerprint = blinded.first_chunk().copied().unwrap_or_default();
        let given = keys.into_iter().map(|(person, kid, _)| ((append.stream.clone(), person), kid)).collect();
        let prepared = Prepared {
            stream: append.stream,
            expected: append.expected,
            command: append.command,
            fingerprint,
            events,
            bytes,
        };
        Ok((prepared, given))
    }

    /// A usable key for each person of the append: the one that the stream already uses for them, or a new one.
    async fn keys_for(
        &self,
        append: &Append,
        persons: &[Vec<Subject>],
        store: &dyn StreamKeys,
    ) -> Result<Vec<(Subject, Kid, DataKey)>, JournalError> {
        let mut keys: Vec<(Subject, Kid, DataKey)> = Vec::new();
        let mut in_stream: Option<Vec<(Subject, Kid)>> =
            (append.expected == Expected::NoStream).then(Vec::new);
        for person in persons.iter().flatten() {
            if keys.iter().any(|(whose, _, _)| whose == person) {
                continue;
            }
            let place = (append.stream.clone(), person.clone());
            let known = self.known.get(&place).or_else(|| last_key(&append.known_keys, person));
            let mut usable = self.active(known).await?;
            if usable.is_none() {
                // The stream knows, also when another server has given the person a key since.
                if in_stream.is_none() {
                    in_stream = Some(store.keys_of(&append.stream).await?);
                }
                usable = self.active(in_stream.as_deref().and_then(|keys| last_key(keys, person))).await?;
            }
            // After an erasure, new data of the person get a new key.
            let (kid, key) = match usable {
                Some(found) => found,
                None => self.keys.fresh().await?,
            };
            keys.push((person.clone(), kid, key));
        }
        Ok(keys)
    }

    /// The known key if it still seals.
    async fn active(&self, known: Option<Kid>) -> Result<Option<(Kid, DataKey)>, JournalError> {
        let Some(kid) = known else { return Ok(None) };
        Ok(match self.keys.find(&kid).await? {
            KeyState::Active(key) => Some((kid, key)),
            KeyState::Revoked | KeyState::Destroyed | KeyState::Unknown => None,
        })
    }
}

fn last_key(keys: &[(Subject, Kid)], person: &Subject) -> Option<Kid> {
    keys.iter().rev().find(|(whose, _)| whose == person).map(|(_, kid)| kid.clone())
}

fn check(append: &Append) -> Result<(), JournalError> {
    if append.events.is_empty() {
        return Err(JournalError::invalid("it holds no event"));
    }
    if append.events.len() > APPEND_EVENTS_MAX {
        return Err(JournalError::TooLarge {
            what: "the number of events of an append",
            size: append.events.len(),
            limit: APPEND_EVENTS_MAX,
        });
    }
    let tombstone = append.events.iter().position(|event| event.event_type.as_str() == TOMBSTONE);
    if tombstone.is_some_and(|at| at + 1 < append.events.len()) {
        return Err(JournalError::invalid("events stand behind the one that closes the stream"));
    }
    Ok(())
}

fn prepare_event(
    append: &Append,
    index: usize,
    event: &NewEvent,
    keys: &[(Subject, Kid, DataKey)],
) -> Result<(PreparedEvent, usize), JournalError> {
    let outside = || JournalError::invalid("an instant lies outside the years 0 to 9999");
    let (occurred_at, recorded_at) = (
        to_micros(event.occurred_at).ok_or_else(outside)?,
        to_micros(append.recorded_at).ok_or_else(outside)?,
    );
    if occurred_at > recorded_at {
        return Err(JournalError::invalid(format!(
            "event {index} would have happened at {}, after it was recorded at {}",
            occurred_at.to_rfc3339(),
            recorded_at.to_rfc3339()
        )));
    }
    let id = EventId::of(append.command, index);
    let Sealed { text, digest, commitment, keys } =
        seal::seal(event.body.as_str(), &append.stream, id, keys)?;
    let template = Template::new(&Parts {
        event_type: &event.event_type,
        occurred_at,
        recorded_at,
        actor: event.actor.as_ref().unwrap_or(&append.actor),
        on_behalf_of: append.on_behalf_of.as_ref().filter(|_| event.actor.is_none()),
        channel: append.channel.as_ref().filter(|_| event.actor.is_none()),
        command: append.command,
        event: id,
        correlation: append.correlation,
        causation: append.causation,
        definition: event.definition,
        body: digest,
        commit: commitment,
        keys: &keys,
    });
    let size = template.len() + PLACED_BYTES_MAX + text.len();
    Ok((
        PreparedEvent { id, template, body: text.into(), closes: event.event_type.as_str() == TOMBSTONE },
        size,
    ))
}
