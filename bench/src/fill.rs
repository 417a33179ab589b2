//! Journals with many requests, without deciding each of their commands: the events of a few lives that were decided,
//! sealed anew for each request and appended command by command.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::{DateTime, Utc};
use guichet_engine::Engine;
use guichet_journal::{
    Append, Body, Channel, CommandId, Digest, Expected, Filter, Journal, MemoryJournal, NewEvent, Pseudonym,
    Revision, StreamId, Tenant,
};
use guichet_rules::process::REQUEST_STREAM;
use uuid::Uuid;

use crate::measure::Fault;
use crate::town::{self, TENANT};

/// Lives that are copied.
const LIVES: usize = 16;
/// Callers that append at the same time.
const CALLERS: usize = 256;

/// One command of a life, and what it wrote.
struct Step {
    actor: Pseudonym,
    channel: Option<Channel>,
    recorded_at: DateTime<Utc>,
    events: Vec<NewEvent>,
}

/// Lives to copy, each a list of commands.
pub(crate) struct Lives(Vec<Vec<Step>>);

impl Lives {
    /// Lets a few requests live in memory and keeps what their commands wrote.
    ///
    /// # Errors
    /// When a command is refused.
    pub(crate) async fn lived() -> Result<Self, Fault> {
        let engine = town::on(Arc::new(MemoryJournal::new()?)).await?;
        for number in 0..LIVES {
            town::live(&engine, Uuid::from_u128(u128::try_from(number)?), |_| {}).await?;
        }
        let filter = Filter { kinds: vec![REQUEST_STREAM.to_owned()], ..Filter::everything() };
        let events = engine.journal().read_all(None, &filter, usize::MAX).await?.events;
        let mut lives: Vec<(String, Vec<(CommandId, Step)>)> = Vec::new();
        for event in &events {
            let header = event.header()?;
            let new = NewEvent {
                event_type: header.event_type.clone(),
                occurred_at: header.occurred_at,
                definition: header.definition,
                actor: None,
                body: Body::parse(engine.journal().open(event).await?)?,
            };
            if lives.last().is_none_or(|(stream, _)| stream != event.stream()) {
                lives.push((event.stream().to_owned(), Vec::new()));
            }
            let Some((_, steps)) = lives.last_mut() else { continue };
            match steps.last_mut().filter(|(command, _)| *command == header.command) {
                Some((_, step)) => step.events.push(new),
                None => steps.push((
                    header.command,
                    Step {
                        actor: header.actor.clone(),
                        channel: header.channel.clone(),
                        recorded_at: header.recorded_at,
                        events: vec![new],
                    },
                )),
            }
        }
        let steps = |(_, steps): (_, Vec<(_, Step)>)| steps.into_iter().map(|(_, step)| step).collect();
        Ok(Self(lives.into_iter().map(steps).collect()))
    }

    /// Events of a life, on average, rounded up.
    #[must_use]
    pub(crate) fn events_each(&self) -> usize {
        let events: usize = self.0.iter().flatten().map(|step| step.events.len()).sum();
        events.div_ceil(self.0.len().max(1)).max(1)
    }

    /// Copies lives into a journal until it has so many more requests, each with at most `commands` of its commands;
    /// answers how many events that were.
    ///
    /// # Errors
    /// When the journal refuses.
    pub(crate) async fn copy(
        self: &Arc<Self>,
        engine: &Engine,
        run: u64,
        requests: usize,
        commands: usize,
    ) -> Result<usize, Fault> {
        let next = Arc::new(AtomicUsize::new(0));
        let mut tasks = Vec::new();
        for _ in 0..CALLERS {
            let (lives, journal, next) = (Arc::clone(self), Arc::clone(engine.journal()), Arc::clone(&next));
            tasks.push(tokio::spawn(async move {
                let mut events = 0;
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= requests {
                        return Ok::<_, Fault>(events);
                    }
                    let id = Uuid::from_u64_pair(run, number as u64).into_bytes();
                    let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, &id);
                    if let Some(life) = lives.0.get(number % lives.0.len().max(1)) {
                        events += write(journal.as_ref(), life, id, commands).await?;
                    }
                }
            }));
        }
        let mut events = 0;
        for task in tasks {
            events += task.await??;
        }
        Ok(events)
    }
}

async fn write(journal: &dyn Journal, life: &[Step], id: Uuid, commands: usize) -> Result<usize, Fault> {
    let tenant: Tenant = TENANT.parse()?;
    let stream = StreamId::new(&tenant, REQUEST_STREAM, id)?;
    let (mut expected, mut events) = (Expected::NoStream, 0);
    for (number, step) in life.iter().enumerate().take(commands) {
        let command = Uuid::new_v5(&id, &number.to_be_bytes());
        let done = journal
            .append(Append {
                stream: stream.clone(),
                expected,
                command: CommandId::new(command),
                command_digest: Digest::of(command.as_bytes()),
                actor: step.actor.clone(),
                on_behalf_of: None,
                channel: step.channel.clone(),
                recorded_at: step.recorded_at,
                correlation: None,
                causation: None,
                known_keys: Vec::new(),
                events: step.events.clone(),
            })
            .await?;
        expected = Expected::Exact(Revision::new(done.revision.get()));
        events += step.events.len();
    }
    Ok(events)
}
