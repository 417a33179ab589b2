//! Appending. The header of an event holds its number and the digest of the header before it, so every append is placed behind a known head
//! and sent with that very expectation; KurrentDB decides, by stream, who comes first.
//!
//! KurrentDB takes an append with ids that stand already at their places for a repetition and answers with success, whatever their content.
//! So what stands is always read back: it shows whether it is what was sent, where it stands in the log, and, if it is not, whose it is.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use eventstore_client::{AppendToStreamOptions, Client, Error, EventData, StreamState};
use tokio::sync::{Mutex, watch};

use super::client::Connection;
use super::read::{ReadError, Reader};
use super::wire::{Standing, stream_name, to_store};
use crate::error::{Expected, JournalError};
use crate::event::{Appended, Recorded};
use crate::follow::Progress;
use crate::id::{CommandId, Revision, StreamId};
use crate::keys::Cache;
use crate::limits::STREAMS_CACHED_MAX;
use crate::place::{Head, admit, place, repeated};
use crate::prepare::{Fingerprint, Prepared};

/// Appends of this program to one stream come one after the other; this many streams on average do not disturb each other.
const LANES: usize = 1024;

/// How often an append looks again after others were faster, before it says that it was not written.
const CONFLICTS_MAX: usize = 64;

/// What is known of a stream: its head, and every command in it.
#[derive(Clone)]
struct Known {
    head: Head,
    commands: Arc<HashMap<CommandId, (Fingerprint, u64)>>,
}

/// What KurrentDB answered to an append.
enum Answer {
    Written { last: u64 },
    Conflict,
    Deleted,
}

pub(super) struct Writer {
    connection: Arc<Connection>,
    reader: Arc<Reader>,
    known: Cache<StreamId, Known>,
    lanes: Vec<Mutex<()>>,
    hasher: RandomState,
    progress: watch::Sender<Progress>,
}

fn corrupt_numbers(stream: &StreamId) -> JournalError {
    JournalError::corrupt(format!(
        "stream `{stream}` was deleted in KurrentDB, so that its numbers no longer begin at 0"
    ))
}

impl Known {
    /// The stream as these events, which are all of it, leave it.
    fn of(before: Option<Self>, events: &[Standing]) -> Result<Option<Self>, JournalError> {
        let (mut commands, mut head) = match before {
            Some(known) => (Arc::unwrap_or_clone(known.commands), Some(known.head)),
            None => (HashMap::new(), None),
        };
        for standing in events {
            let (command, fingerprint) = standing.origin.ok_or_else(|| {
                let (position, number) = (standing.event.position(), standing.number);
                JournalError::corrupt(format!(
                    "event {number} of a stream, at position {position}, was not written by guichet"
                ))
            })?;
            commands.entry(command).or_insert((fingerprint, standing.number));
        }
        if let Some(last) = events.last() {
            head = Some(Head::of(0, &last.event)?);
        }
        Ok(head.map(|head| Self { head, commands: Arc::new(commands) }))
    }
}

impl Writer {
    pub(super) fn new(
        connection: Arc<Connection>,
        reader: Arc<Reader>,
        progress: watch::Sender<Progress>,
    ) -> Self {
        Self {
            connection,
            reader,
            known: Cache::new(STREAMS_CACHED_MAX),
            lanes: (0..LANES).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
            progress,
        }
    }

    fn lane(&self, stream: &StreamId) -> Option<&Mutex<()>> {
        let number = usize::try_from(self.hasher.hash_one(stream) % (LANES as u64)).unwrap_or_default();
        self.lanes.get(number)
    }

    /// Carries an append out.
    pub(super) async fn append(&self, prepared: &Prepared) -> Result<Appended, JournalError> {
        let _alone = match self.lane(&prepared.stream) {
            Some(lane) => Some(lane.lock().await),
            None => None,
        };
        let receipt = self.place_and_send(prepared).await?;
        self.progress.send_if_modified(|progress| {
            let grown = progress.head < Some(receipt.position);
            progress.head = progress.head.max(Some(receipt.position));
            grown
        });
        Ok(receipt)
    }

    /// Takes out what is remembered of a stream: after a failure, it may no longer be true.
    fn take_known(&self, stream: &StreamId) -> Option<Known> {
        let known = self.known.get(stream);
        self.known.forget(stream);
        known
    }

    fn remember(&self, stream: &StreamId, known: Option<Known>) {
        if let Some(known) = known {
            self.known.put(stream.clone(), known);
        }
    }

    async fn place_and_send(&self, prepared: &Prepared) -> Result<Appended, JournalError> {
        let stream = &prepared.stream;
        let mut known = self.take_known(stream);
        // What is remembered may be old; what was read in this very call is not.
        let mut fresh = false;
        if known.is_none() {
            if prepared.expected == Expected::NoStream {
                self.refuse_deleted(stream).await?;
            } else {
                known = self.look(stream, None).await?;
                fresh = true;
            }
        }
        for _ in 0..CONFLICTS_MAX {
            if let Some(standing) = known.as_ref().and_then(|known| known.commands.get(&prepared.command)) {
                let answer = self.answer_repeated(prepared, *standing).await?;
                self.remember(stream, known);
                return answer;
            }
            let head = known.as_ref().map(|known| known.head);
            match admit(prepared, head.as_ref()) {
                Ok(()) => {}
                Err(refused) if fresh => {
                    self.remember(stream, known);
                    return Err(refused);
                }
                Err(_) => {
                    known = self.look(stream, known).await?;
                    fresh = true;
                    continue;
                }
            }
            let (placed, head) = place(prepared, head.as_ref(), 0)?;
            match self.send(prepared, &placed).await? {
                Answer::Written { last } if last == placed.revision.get() => {
                    let (receipt, events) = self.read_back(prepared, &placed).await?;
                    // Where it stood already, others wrote, and perhaps more than this.
                    if !receipt.repeated {
                        let known = Known::of(known, &events)?;
                        self.remember(stream, known.map(|known| Known { head, ..known }));
                    }
                    return Ok(receipt);
                }
                Answer::Written { .. } => return Err(corrupt_numbers(stream)),
                Answer::Deleted => return Err(JournalError::Tombstoned { stream: stream.clone() }),
                Answer::Conflict => {
                    known = self.look(stream, known).await?;
                    fresh = true;
                }
            }
        }
        Err(JournalError::unavailable(format!("others keep appending to stream `{stream}`")))
    }

    /// A stream that was deleted softly answers as if it had never been, but goes on with its old numbers.
    async fn refuse_deleted(&self, stream: &StreamId) -> Result<(), JournalError> {
        match self.reader.is_deleted(stream).await {
            Ok(false) => Ok(()),
            Ok(true) => Err(corrupt_numbers(stream)),
            Err(error) => Err(error.reading(stream)),
        }
    }

    /// The stream as it stands now. What is known of it must still stand.
    async fn look(&self, stream: &StreamId, known: Option<Known>) -> Result<Option<Known>, JournalError> {
        let failed = |error: ReadError| match error {
            ReadError::Deleted => JournalError::Tombstoned { stream: stream.clone() },
            error @ (ReadError::Gone { .. } | ReadError::GaveUp(_)) => error.reading(stream),
        };
        if let Some(known) = known {
            let from = known.head.revision.get();
            let found = self.reader.whole(stream, from).await.map_err(failed)?;
            if let Some((first, rest)) = found.split_first()
                && first.event.header_digest() == known.head.digest
            {
                return Known::of(Some(known), rest);
            }
            // It stays known, so that this program goes on refusing until it is found again. A leader that was cut off and does not know
            // yet that another leads may lack it too, so this is not called damage.
            self.remember(stream, Some(known));
            return Err(JournalError::unavailable(format!(
                "event {from} of stream `{stream}` stood in KurrentDB and is not found; the node is cut off, or was put back from an older copy"
            )));
        }
        Known::of(None, &self.reader.whole(stream, 0).await.map_err(failed)?)
    }

    /// The receipt of a command that stands at `number`. The outer error is of reading, the inner the answer.
    async fn answer_repeated(
        &self,
        prepared: &Prepared,
        (fingerprint, number): (Fingerprint, u64),
    ) -> Result<Result<Appended, JournalError>, JournalError> {
        // One more than expected, so that a longer append by the same command is seen to be another.
        let found = self.reader.stream(&prepared.stream, number, prepared.events.len() + 1).await;
        let found = found.map_err(|error| error.reading(&prepared.stream))?;
        Ok(repeated(prepared, &fingerprint, of_command(prepared, found)))
    }

    /// Sends the placed events until there is an answer, each time the very same.
    async fn send(&self, prepared: &Prepared, placed: &Appended) -> Result<Answer, JournalError> {
        let name = stream_name(self.reader.prefix(), &prepared.stream);
        let state = match placed.first_revision {
            Revision::FIRST => StreamState::NoStream,
            first => StreamState::StreamRevision(first.get().saturating_sub(1)),
        };
        let events = to_store(prepared, &placed.events)?;
        let attempt = |client: Client, patience| {
            let (name, events): (&str, Vec<EventData>) = (&name, events.clone());
            async move {
                let options = AppendToStreamOptions::default()
                    .stream_state(state)
                    .requires_leader(true)
                    .deadline(patience);
                match client.append_to_stream(name, &options, events).await {
                    Ok(written) => Ok(Answer::Written { last: written.next_expected_version }),
                    Err(Error::WrongExpectedVersion { .. }) => Ok(Answer::Conflict),
                    Err(Error::ResourceDeleted) => Ok(Answer::Deleted),
                    Err(error) => Err(error),
                }
            }
        };
        self.connection.call(attempt).await.map_err(super::client::GaveUp::writing)
    }

    /// What stands where the events were placed. They are written by now, so a failure leaves the caller in doubt, not in error.
    async fn read_back(
        &self,
        prepared: &Prepared,
        placed: &Appended,
    ) -> Result<(Appended, Vec<Standing>), JournalError> {
        let doubt = |error: JournalError| match error {
            JournalError::Unavailable { reason } => JournalError::Indeterminate { reason },
            error => error,
        };
        let from = placed.first_revision.get();
        let found = self.reader.stream(&prepared.stream, from, placed.events.len() + 1).await;
        let mut found = found.map_err(|error| doubt(error.reading(&prepared.stream)))?;
        let same = |(stands, sent): (&Standing, &Recorded)| {
            stands.event.stored_header() == sent.stored_header()
                && stands.event.stored_body() == sent.stored_body()
        };
        if found.len() >= placed.events.len() && found.iter().zip(&placed.events).all(same) {
            found.truncate(placed.events.len());
            let events: Vec<Recorded> = found.iter().map(|standing| standing.event.clone()).collect();
            let position = events.last().map_or(placed.position, Recorded::position);
            return Ok((Appended { events, position, ..placed.clone() }, found));
        }
        let fingerprint = found.first().and_then(|first| first.origin).map(|(_, fingerprint)| fingerprint);
        let events = of_command(prepared, found);
        if events.is_empty() {
            return Err(JournalError::Indeterminate {
                reason: format!(
                    "what KurrentDB accepted for stream `{}` is not found there",
                    prepared.stream
                ),
            });
        }
        Ok((repeated(prepared, &fingerprint.unwrap_or_default(), events)?, Vec::new()))
    }
}

/// Those of the events that the command wrote.
fn of_command(prepared: &Prepared, found: Vec<Standing>) -> Vec<Recorded> {
    let own = |standing: &Standing| standing.origin.is_some_and(|(command, _)| command == prepared.command);
    found.into_iter().filter(own).map(|standing| standing.event).collect()
}
