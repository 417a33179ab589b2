//! A command's way into the journal: load, decide, append, keep.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use guichet_journal::{
    Append, Appended, Body, Channel, CommandId as JournalCommandId, Digest, EventType, Expected, Journal,
    JournalError, NewEvent, Position, Pseudonym, Recorded, Revision, StreamId, Tenant,
};
use guichet_rules::organisation::Organisation;
use guichet_rules::process::{DefinitionHash, Plan, request_of};
use guichet_rules::request::{
    Actor, Command, CommandId, Event, Facts, Rejection, Request, RequestId, Tracking, What, decide,
};
use guichet_rules::text::Text;
use guichet_rules::tracking::TrackingCode;
use serde::Serialize;

use crate::ambient::Ambient;
use crate::definitions::{Definitions, Publication, Published};
use crate::error::{EngineError, process_unknown};
use crate::file::{File, Files, Folder, load};
use crate::names::{request_stream, tenant_of};

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
        let job = Job::new(self, &submission)?;
        for _ in 0..ATTEMPTS {
            let file = self.file(&job.stream).await?;
            if let Some(receipt) = self.standing(&job, file.as_deref()).await? {
                return Ok(receipt);
            }
            match self.attempt(&job, file).await {
                Err(EngineError::Journal(JournalError::Conflict { .. })) => self.files.forget(&job.stream),
                other => return other,
            }
        }
        Err(EngineError::Contended)
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

    /// A version of a process, read from the journal if another server published it.
    pub(crate) async fn plan(&self, hash: &DefinitionHash) -> Result<Arc<Plan>, EngineError> {
        if let Some(plan) = self.definitions.version(hash) {
            return Ok(plan);
        }
        self.refresh().await?;
        self.definitions.version(hash).ok_or_else(|| EngineError::MissingDefinition(hash.0.clone()))
    }

    /// The version in force of a process, or the refusal.
    async fn in_force(&self, tenant: &str, process: &str) -> Result<Arc<Plan>, EngineError> {
        if let Some(plan) = self.definitions.in_force(tenant, process) {
            return Ok(plan);
        }
        self.refresh().await?;
        self.definitions.in_force(tenant, process).ok_or_else(|| process_unknown(process).into())
    }

    pub(crate) fn organisation(&self, tenant: &str) -> Arc<Organisation> {
        self.definitions.organisation(tenant).unwrap_or_default()
    }

    async fn attempt(&self, job: &Job<'_>, file: Option<Arc<File>>) -> Result<Receipt, EngineError> {
        let submission = job.submission;
        if let (Some(wanted), Some(file)) = (submission.expected, &file)
            && wanted != file.revision
        {
            return Err(moved_on(&file.request).into());
        }
        let gathered = self.gather(job, file.as_deref()).await?;
        let state = file.as_deref().map(|file| file.request.as_ref());
        let facts = gathered.facts(job);
        let events = decide(state, &submission.command, &facts)?;
        let definition = gathered.definition_after(&events);
        let append = job.append(&events, &definition, file.as_deref(), gathered.now)?;
        let appended = self.journal.append(append).await?;
        let file = self.keep(job, file, &events, &appended)?;
        Ok(Receipt {
            request: job.request,
            revision: appended.revision.get(),
            position: appended.position,
            repeated: appended.repeated,
            events,
            state: Arc::clone(&file.request),
            tracking: gathered.code,
        })
    }

    /// Folds what was just appended into the file.
    fn keep(
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
    async fn standing(&self, job: &Job<'_>, file: Option<&File>) -> Result<Option<Receipt>, EngineError> {
        let Some(file) = file else { return Ok(None) };
        let Some(standing) = file.commands.get(&job.submission.command_id.0).copied() else {
            return Ok(None);
        };
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
        let body = self.journal.open(recorded).await?;
        Ok(Event::decode(recorded.event_type(), body.as_bytes())?)
    }

    /// Gathers what the decision needs to know.
    async fn gather(&self, job: &Job<'_>, file: Option<&File>) -> Result<Gathered, EngineError> {
        let tenant = job.tenant.as_str();
        let (plan, target, other) = match (&job.submission.command, file) {
            (Command::Receive { process, .. }, None) => (self.in_force(tenant, process).await?, None, None),
            (_, None) => return Err(EngineError::UnknownRequest),
            (Command::Qualify { process: Some(process), .. }, Some(file)) => {
                let target = self.in_force(tenant, process).await?;
                (self.plan(&file.request.definition).await?, Some(target), None)
            }
            (Command::Merge { into }, Some(file)) => {
                let other = self.file(&request_stream(&job.tenant, *into)?).await?;
                (
                    self.plan(&file.request.definition).await?,
                    None,
                    other.map(|file| Arc::clone(&file.request)),
                )
            }
            (_, Some(file)) => (self.plan(&file.request.definition).await?, None, None),
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

/// A submission with its names worked out.
struct Job<'a> {
    submission: &'a Submission,
    tenant: Tenant,
    request: RequestId,
    stream: StreamId,
    digest: Digest,
    actor: Pseudonym,
}

impl<'a> Job<'a> {
    fn new(engine: &Engine, submission: &'a Submission) -> Result<Self, EngineError> {
        let tenant = tenant_of(&submission.tenant)?;
        let receives = matches!(submission.command, Command::Receive { .. });
        let request = match submission.request {
            Some(request) if !receives => request,
            Some(_) | None if receives => RequestId(request_of(submission.command_id.0)),
            Some(_) | None => return Err(EngineError::UnknownRequest),
        };
        if engine.definitions.organisation(tenant.as_str()).is_none() {
            return Err(EngineError::UnknownTenant);
        }
        let stream = request_stream(&tenant, request)?;
        let content = Content {
            stream: stream.as_str(),
            command: &submission.command,
            actor: &submission.actor,
            occurred_at: submission.occurred_at,
        };
        let digest = Digest::of(&serde_json::to_vec(&content)?);
        let actor = pseudonym(&submission.actor)?;
        Ok(Self { submission, tenant, request, stream, digest, actor })
    }

    fn append(
        &self,
        events: &[Event],
        definition: &DefinitionHash,
        file: Option<&File>,
        now: DateTime<Utc>,
    ) -> Result<Append, EngineError> {
        let definition = Some(definition.0.parse::<Digest>().map_err(JournalError::from)?);
        let occurred_at = self.submission.occurred_at.unwrap_or(now);
        let new = |event: &Event| -> Result<NewEvent, EngineError> {
            let event_type: EventType = event.what.name().parse().map_err(JournalError::from)?;
            Ok(NewEvent { event_type, occurred_at, definition, body: Body::of(event)? })
        };
        let expected = file.map_or(Expected::NoStream, |file| Expected::Exact(Revision::new(file.revision)));
        Ok(Append {
            expected,
            on_behalf_of: events.iter().find_map(principal).map(|code| staff(&code)).transpose()?,
            channel: channel_of(&self.submission.command)?,
            events: events.iter().map(new).collect::<Result<_, _>>()?,
            ..self.repeat(0, now)?
        })
    }

    /// The same command again: `count` events whose slots are all that the journal looks at.
    fn repeat(&self, count: usize, now: DateTime<Utc>) -> Result<Append, EngineError> {
        let slot = NewEvent {
            event_type: "request.repeated".parse().map_err(JournalError::from)?,
            occurred_at: now,
            definition: None,
            body: Body::parse("{}".into())?,
        };
        Ok(Append {
            stream: self.stream.clone(),
            expected: Expected::NoStream,
            command: JournalCommandId::new(self.submission.command_id.0),
            command_digest: self.digest,
            actor: self.actor.clone(),
            on_behalf_of: None,
            channel: None,
            recorded_at: now,
            correlation: None,
            causation: None,
            known_keys: Vec::new(),
            events: vec![slot; count],
        })
    }
}

/// What must be the same when a command id comes again.
#[derive(Serialize)]
struct Content<'a> {
    stream: &'a str,
    command: &'a Command,
    actor: &'a Actor,
    occurred_at: Option<DateTime<Utc>>,
}

/// What a decision knows.
struct Gathered {
    plan: Arc<Plan>,
    target: Option<Arc<Plan>>,
    other: Option<Arc<Request>>,
    code: Option<TrackingCode>,
    tracking: Option<Tracking>,
    organisation: Arc<Organisation>,
    now: DateTime<Utc>,
}

impl Gathered {
    fn facts<'a>(&'a self, job: &'a Job<'_>) -> Facts<'a> {
        Facts {
            tenant: job.tenant.as_str(),
            request: job.request,
            now: self.now,
            occurred_at: job.submission.occurred_at.unwrap_or(self.now),
            actor: &job.submission.actor,
            plan: &self.plan,
            organisation: &self.organisation,
            tracking: self.tracking.as_ref(),
            target: self.target.as_deref(),
            other: self.other.as_deref(),
        }
    }

    /// The version that the events stand under: the new one when they reclassify.
    fn definition_after(&self, events: &[Event]) -> DefinitionHash {
        let reclassified = events.iter().any(|event| matches!(event.what, What::Reclassified(_)));
        let plan = if reclassified { self.target.as_ref().unwrap_or(&self.plan) } else { &self.plan };
        plan.hash().clone()
    }
}

fn pseudonym(actor: &Actor) -> Result<Pseudonym, EngineError> {
    Ok(actor.pseudonym().parse().map_err(JournalError::from)?)
}

fn staff(code: &str) -> Result<Pseudonym, EngineError> {
    pseudonym(&Actor::Agent(code.to_owned()))
}

fn channel_of(command: &Command) -> Result<Option<Channel>, EngineError> {
    let Command::Receive { channel, .. } = command else { return Ok(None) };
    Ok(Some(channel.id().parse().map_err(JournalError::from)?))
}

/// The absent person for whom someone acted, if the event says so.
fn principal(event: &Event) -> Option<String> {
    if let What::Approved(approved) = &event.what {
        return approved.on_behalf_of.clone();
    }
    if let What::Returned(returned) = &event.what {
        return returned.on_behalf_of.clone();
    }
    None
}

fn tracking_of(event: &Event) -> Option<TrackingCode> {
    let What::Received(received) = &event.what else { return None };
    received.tracking.known().and_then(|code| TrackingCode::parse(code).ok())
}

fn moved_on(request: &Request) -> Rejection {
    let mut rejection = Rejection::new(
        "request.moved_on",
        Text::new(
            "La demande a changé depuis que vous l’avez lue : relisez-la, puis recommencez.",
            "The request has changed since you read it: read it again, then try once more.",
        ),
    );
    rejection.stage = Some(request.stage.id().to_owned());
    rejection
}
