//! A command's way into the journal: load, decide, append, keep.

use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, Utc};
use guichet_journal::{Appended, Digest, Journal, JournalError, Position, Recorded, StreamId, Tenant};
use guichet_rules::organisation::Organisation;
use guichet_rules::process::{DefinitionHash, Plan};
use guichet_rules::request::{Actor, Command, CommandId, Event, Request, RequestId, Tracking, What, decide};
use guichet_rules::tracking::TrackingCode;

use crate::ambient::Ambient;
use crate::definitions::Definitions;
use crate::error::{EngineError, moved_on, process_retired, process_unknown};
use crate::file::{File, Files, Folder, known, load};
use crate::job::{Gathered, Job, pseudonym};
use crate::names::{request_stream, tenant_of};
use crate::publication::{Publication, Published};
use crate::shared::in_force_for;

/// How often a command is decided again when others change the same request at the same moment.
const ATTEMPTS: usize = 24;

/// A command on its way.
#[derive(Debug, Clone)]
pub struct Submission {
    /// The collectivity.
    pub tenant: String,
    /// The request; none for `Receive`, which makes one.
    pub request: Option<RequestId>,
    /// What is asked.
    pub command: Command,
    /// Who asks.
    pub actor: Actor,
    /// The command's id; the same id sent again answers the first receipt.
    pub command_id: CommandId,
    /// When what it tells of happened (UTC), if that was before now.
    pub occurred_at: Option<DateTime<Utc>>,
    /// The revision that the request must be at, if the sender minds.
    pub expected: Option<u64>,
}

/// What became of a command.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// The request.
    pub request: RequestId,
    /// Its revision after the command.
    pub revision: u64,
    /// A reader that has passed this position has seen it.
    pub position: Position,
    /// Whether the same command had come before; then nothing was appended.
    pub repeated: bool,
    /// What happened.
    pub events: Vec<Event>,
    /// The request after it.
    pub state: Arc<Request>,
    /// The tracking code of a request just received, for the acknowledgement.
    pub tracking: Option<TrackingCode>,
}

/// Rules and memory together.
pub struct Engine {
    journal: Arc<dyn Journal>,
    ambient: Arc<dyn Ambient>,
    definitions: Definitions,
    files: Files,
}

impl Engine {
    /// An engine over a journal. Call [`Engine::refresh`] to read what is published.
    #[must_use]
    pub fn new(journal: Arc<dyn Journal>, ambient: Arc<dyn Ambient>) -> Self {
        Self { journal, ambient, definitions: Definitions::default(), files: Files::new() }
    }

    /// The journal.
    #[must_use]
    pub fn journal(&self) -> &Arc<dyn Journal> {
        &self.journal
    }

    /// Time and chance.
    #[must_use]
    pub fn ambient(&self) -> &Arc<dyn Ambient> {
        &self.ambient
    }

    /// The definitions in force.
    #[must_use]
    pub fn definitions(&self) -> &Definitions {
        &self.definitions
    }

    /// Reads what was published since the last time, here or by another server.
    ///
    /// # Errors
    /// As [`Definitions::refresh`].
    pub async fn refresh(&self) -> Result<(), EngineError> {
        self.definitions.refresh(self.journal.as_ref()).await
    }

    /// Brings definitions and an organisation into force.
    ///
    /// # Errors
    /// As [`Definitions::publish`].
    pub async fn publish(&self, publication: &Publication, actor: &Actor) -> Result<Published, EngineError> {
        let actor = pseudonym(actor)?;
        self.definitions.publish(self.journal.as_ref(), publication, &actor, self.ambient.now()).await
    }

    /// Decides a command and appends what it makes happen, whole or not at all. Answers once it is durable.
    ///
    /// # Errors
    /// [`EngineError::Rejected`] when the rules refuse; [`EngineError::UnknownRequest`] and
    /// [`EngineError::UnknownTenant`]; [`EngineError::Journal`] with `Indeterminate` when it may or may not have been
    /// written, and then the same submission tells; any other error has written nothing.
    #[tracing::instrument(name = "engine.submit", skip_all, fields(command = submission.command.name()))]
    pub async fn submit(&self, submission: Submission) -> Result<Receipt, EngineError> {
        let (began, command) = (Instant::now(), submission.command.name());
        let done = self.carry_out(submission).await;
        let outcome = outcome(&done);
        metrics::histogram!("guichet_engine_submit_seconds", "command" => command, "outcome" => outcome)
            .record(began.elapsed());
        done
    }

    async fn carry_out(&self, submission: Submission) -> Result<Receipt, EngineError> {
        self.confirm(&tenant_of(&submission.tenant)?, in_force_for(&submission.command)).await?;
        let job = Job::new(self, &submission)?;
        if let Some(receipt) = self.first_time(&job).await {
            return Ok(receipt);
        }
        for _ in 0..ATTEMPTS {
            let file = self.file(&job.stream).await?;
            if let Some(receipt) = self.standing(&job, file.as_ref()).await? {
                return Ok(receipt);
            }
            match self.attempt(&job, file.clone()).await {
                Ok(Some(receipt)) => return Ok(receipt),
                // The file in memory is behind its stream. Where the command itself stands there already, what was decided
                // anew need not have as many events as it had then: the file read again says what it wrote.
                Ok(None)
                | Err(EngineError::Journal(
                    JournalError::Conflict { .. } | JournalError::CommandReused { .. },
                )) => {
                    metrics::counter!("guichet_engine_conflicts_total").increment(1);
                    self.files.forget(&job.stream);
                }
                Err(EngineError::Rejected(refusal)) => {
                    if !self.moved(&job.stream, file).await? {
                        return Err(EngineError::Rejected(refusal));
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Err(EngineError::Contended)
    }

    /// A request that is received is nearly always new, so its stream is not read before it is begun. Whatever stands
    /// in the way, a repeat most of all, is left to the careful way.
    async fn first_time(&self, job: &Job<'_>) -> Option<Receipt> {
        let receives = matches!(job.submission.command, Command::Receive { .. });
        if !receives || self.files.get(&job.stream).is_some() {
            return None;
        }
        self.attempt(job, None).await.ok().flatten()
    }

    /// The request's file, from memory or from its stream.
    pub(crate) async fn file(&self, stream: &StreamId) -> Result<Option<Arc<File>>, EngineError> {
        if let Some(file) = self.files.get(stream) {
            return Ok(Some(file));
        }
        let Some(file) = load(self.journal.as_ref(), stream).await?.map(Arc::new) else { return Ok(None) };
        self.files.keep(stream.clone(), Arc::clone(&file));
        Ok(Some(file))
    }

    /// The request's file, if it is in memory.
    pub(crate) fn cached(&self, stream: &StreamId) -> Option<Arc<File>> {
        self.files.get(stream)
    }

    pub(crate) fn forget(&self, stream: &StreamId) {
        self.files.forget(stream);
    }

    pub(crate) fn cache(&self, stream: &StreamId, file: &Arc<File>) {
        self.files.keep(stream.clone(), Arc::clone(file));
    }

    /// Whether another server appended to a stream since this file of it was taken from memory: a refusal by an old
    /// state is none.
    async fn moved(&self, stream: &StreamId, file: Option<Arc<File>>) -> Result<bool, EngineError> {
        let Some(file) = file else { return Ok(false) };
        let revision = file.revision;
        Ok(self.caught_up(stream, file).await?.revision != revision)
    }

    /// A version that was published here or by another server, if there is one.
    ///
    /// # Errors
    /// [`EngineError::Journal`].
    pub async fn published(&self, hash: &DefinitionHash) -> Result<Option<Arc<Plan>>, EngineError> {
        if self.definitions.version(hash).is_none() {
            self.refresh().await?;
        }
        Ok(self.definitions.version(hash))
    }

    /// The version in force of a process, or the refusal.
    pub(crate) async fn in_force(&self, tenant: &str, process: &str) -> Result<Arc<Plan>, EngineError> {
        if let Some(plan) = self.definitions.in_force(tenant, process) {
            return Ok(plan);
        }
        self.refresh().await?;
        self.definitions.in_force(tenant, process).ok_or_else(|| {
            match self.definitions.retired(tenant, process) {
                Some(retired) => process_retired(process, retired.replacement.as_deref()).into(),
                None => process_unknown(process).into(),
            }
        })
    }

    pub(crate) fn organisation(&self, tenant: &str) -> Arc<Organisation> {
        self.definitions.organisation(tenant).unwrap_or_default()
    }

    /// One try; `None` when the file in memory turned out to be behind the stream.
    async fn attempt(&self, job: &Job<'_>, file: Option<Arc<File>>) -> Result<Option<Receipt>, EngineError> {
        let submission = job.submission;
        if let (Some(wanted), Some(file)) = (submission.expected, &file)
            && wanted != file.revision
        {
            return Err(moved_on(&file.request).into());
        }
        let gathered = self.gather(job, file.as_deref()).await?;
        let state = file.as_deref().map(|file| file.request.as_ref());
        let facts = gathered.facts(job);
        let decided = decide(state, &submission.command, &facts)?;
        let definition = gathered.definition_after(&decided);
        let append = job.append(&decided, &definition, file.as_deref(), gathered.now)?;
        let appended = self.journal.append(append).await?;
        if appended.repeated {
            return Ok(None);
        }
        let events: Vec<Event> = decided.into_iter().map(|(event, _)| event).collect();
        let file = self.fold(job, file, &events, &appended)?;
        Ok(Some(Receipt {
            request: job.request,
            revision: appended.revision.get(),
            position: appended.position,
            repeated: false,
            events,
            state: Arc::clone(&file.request),
            tracking: gathered.code,
        }))
    }

    /// Folds what was just appended into the file.
    fn fold(
        &self,
        job: &Job<'_>,
        file: Option<Arc<File>>,
        events: &[Event],
        appended: &Appended,
    ) -> Result<Arc<File>, EngineError> {
        let mut folder = file.map(|file| Folder::from(&file)).unwrap_or_default();
        for (recorded, event) in appended.events.iter().zip(events) {
            folder.take(recorded, event)?;
        }
        let file = Arc::new(folder.finish().ok_or(EngineError::UnknownRequest)?);
        self.files.keep(job.stream.clone(), Arc::clone(&file));
        Ok(file)
    }

    /// The first receipt, when the command stands in the stream already.
    async fn standing(
        &self,
        job: &Job<'_>,
        file: Option<&Arc<File>>,
    ) -> Result<Option<Receipt>, EngineError> {
        let Some(file) = file else { return Ok(None) };
        let Some(standing) = file.commands.get(&job.submission.command_id.0).copied() else {
            return Ok(None);
        };
        let file = self.caught_up(&job.stream, Arc::clone(file)).await?;
        // The journal recognises the command by its slots and refuses it if its content is another.
        let appended = self.journal.append(job.repeat(standing.events, self.ambient.now())?).await?;
        let mut events = Vec::with_capacity(appended.events.len());
        for recorded in &appended.events {
            events.push(self.opened(recorded).await?);
        }
        let tracking = events.first().and_then(tracking_of);
        Ok(Some(Receipt {
            request: job.request,
            revision: standing.first + u64::try_from(standing.events).unwrap_or_default() - 1,
            position: appended.position,
            repeated: true,
            events,
            state: Arc::clone(&file.request),
            tracking,
        }))
    }

    /// An event with its personal parts opened, as far as their keys still exist.
    pub(crate) async fn opened(&self, recorded: &Recorded) -> Result<Event, EngineError> {
        known(recorded)?;
        let body = self.journal.open(recorded).await?;
        Ok(Event::decode(recorded.event_type(), body.as_bytes())?)
    }

    /// Gathers what the decision needs to know.
    pub(crate) async fn gather(&self, job: &Job<'_>, file: Option<&File>) -> Result<Gathered, EngineError> {
        let tenant = job.tenant.as_str();
        let (plan, target, other) = match (&job.submission.command, file) {
            (Command::Receive { process, .. }, None) => (self.in_force(tenant, process).await?, None, None),
            (_, None) => return Err(EngineError::UnknownRequest),
            (Command::Qualify { process: Some(process), .. }, Some(file)) => {
                let target = self.in_force(tenant, process).await?;
                (self.pinned(&file.request).await?, Some(target), None)
            }
            (Command::Migrate { definition, .. }, Some(file)) => {
                let target = self.published(definition).await?;
                (self.pinned(&file.request).await?, target, None)
            }
            (Command::Merge { into }, Some(file)) => {
                let other = self.current_file(&request_stream(&job.tenant, *into)?).await?;
                (self.pinned(&file.request).await?, None, other.map(|file| Arc::clone(&file.request)))
            }
            (_, Some(file)) => (self.pinned(&file.request).await?, None, None),
        };
        let code = if file.is_none() { Some(self.draw_code()?) } else { None };
        let tracking = code
            .as_ref()
            .map(|code| Tracking { code: code.spoken(), digest: self.code_digest(&job.tenant, code) });
        let now = self.ambient.now();
        let organisation = self.organisation(tenant);
        Ok(Gathered { plan, target, other, code, tracking, organisation, now })
    }

    fn draw_code(&self) -> Result<TrackingCode, EngineError> {
        let mut bytes = [0; 32];
        for _ in 0..8 {
            self.ambient.fill(&mut bytes).map_err(EngineError::Chance)?;
            if let Some(code) = TrackingCode::from_random(&bytes) {
                return Ok(code);
            }
        }
        Err(EngineError::Chance("the bytes given are not random".into()))
    }

    /// The keyed digest by which a tracking code is looked up, in hexadecimal.
    #[must_use]
    pub fn code_digest(&self, tenant: &Tenant, code: &TrackingCode) -> String {
        Digest::new(self.journal.keys().blind(tenant, code.plain().as_bytes())).to_string()
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Engine").field("definitions", &self.definitions).finish_non_exhaustive()
    }
}

/// How a submission ended, in few words.
fn outcome(done: &Result<Receipt, EngineError>) -> &'static str {
    match done {
        Ok(receipt) if receipt.repeated => "repeated",
        Ok(_) => "accepted",
        Err(EngineError::Rejected(_) | EngineError::UnknownRequest | EngineError::UnknownTenant) => {
            "rejected"
        }
        Err(EngineError::Contended) => "contended",
        Err(
            EngineError::Journal(_)
            | EngineError::Newer(_)
            | EngineError::Decode(_)
            | EngineError::Plan(_)
            | EngineError::MissingDefinition(_)
            | EngineError::Chance(_)
            | EngineError::Encode(_),
        ) => "failed",
    }
}

fn tracking_of(event: &Event) -> Option<TrackingCode> {
    let What::Received(received) = &event.what else { return None };
    received.tracking.known().and_then(|code| TrackingCode::parse(code).ok())
}
