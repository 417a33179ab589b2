//! Brings requests that were passed on to a collectivity of the installation to where they were passed on to (CRPA L114-2).
//!
//! What is to be brought follows from the journal, and the id of what arrives is made from what was passed on and to whom: a
//! server that dies anywhere in between does nothing twice, and the next one goes on. The order is: the files, the request,
//! the report that it is there. What the other collectivity does not take is reported once, so that those who passed it on
//! learn of it; it is looked at again with growing waits, and passed on anew, in the engine's name, before it is brought.
//! That is a command like any other: an agent who passes the request on elsewhere, or takes it up again, was first or is
//! refused, and never are there two of it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::Stream;
use guichet_engine::journal::JournalError;
use guichet_engine::rules::process::{Plan, request_of};
use guichet_engine::rules::request::{
    Actor, Command, CommandId, ForwardMeans, ForwardStanding, Forwarding, RequestId,
};
use guichet_engine::{EngineError, Known, Span, Submission};
use guichet_projections::Forward;
use serde_json::{Map, Value};
use tokio::io::AsyncReadExt;
use uuid::Uuid;

use super::parcel::{command, parcel, renamed};
use super::rounds::{Left, Round};
use super::{CATCH_UP, NAMESPACE, WorkerError};
use crate::attachments::{Reader, StoredFile, named};
use crate::dossier::Dossier;
use crate::guichet::Guichet;

/// Requests looked at in one step, of those on their way and of those that cannot be taken for now.
const BATCH: u32 = 64;
/// The wait before what cannot be taken is looked at again; it doubles each time.
const FIRST_WAIT: TimeDelta = TimeDelta::seconds(5);
/// The longest wait.
const WAIT_MAX: TimeDelta = TimeDelta::hours(6);
/// How much of a file is held in memory at once, in bytes.
const PIECE_BYTES: usize = 64 * 1024;

/// What a step did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Brought {
    /// Requests that are there now.
    pub arrived: usize,
    /// Requests that cannot be taken for now.
    pub blocked: usize,
}

/// The worker that brings requests over.
#[derive(Debug)]
pub struct Forwards {
    guichet: Guichet,
    /// When each that cannot be taken is looked at again, and how long it waited. A restart forgets it and looks once more.
    next: HashMap<Uuid, (DateTime<Utc>, TimeDelta)>,
    /// How far those that cannot be taken were looked through.
    after: Option<i64>,
}

impl Forwards {
    /// A worker for this engine.
    #[must_use]
    pub fn new(guichet: &Guichet) -> Self {
        Self { guichet: guichet.clone(), next: HashMap::new(), after: None }
    }

    /// Brings over what is on its way at `now` (UTC), and looks again at some of what could not be taken.
    ///
    /// # Errors
    /// [`WorkerError`], after everything was tried; what was done stands.
    pub async fn run_once(&mut self, now: DateTime<Utc>) -> Result<Brought, WorkerError> {
        let models = self.guichet.read_models();
        models.catch_up(CATCH_UP).await?;
        let on_their_way = models.forwards(false, None, BATCH).await?;
        let waiting = models.forwards(true, self.after, BATCH).await?;
        let is_last = waiting.len() < usize::try_from(BATCH).unwrap_or(usize::MAX);
        self.after = waiting.last().filter(|_| !is_last).map(|forward| forward.cursor);
        let (mut brought, mut broken) = (Brought::default(), None);
        for forward in &on_their_way {
            match self.step(forward).await {
                Ok(one) => brought = brought + one,
                // One that cannot be read must not keep the others from arriving.
                Err(error) => broken = broken.or(Some(error)),
            }
        }
        for forward in &waiting {
            match self.look_again(forward, now).await {
                Ok(one) => brought = brought + one,
                Err(error) => broken = broken.or(Some(error)),
            }
        }
        broken.map_or(Ok(brought), Err)
    }

    /// Brings one over that is on its way, and reports what became of it.
    #[tracing::instrument(name = "workers.forward", level = "debug", skip_all, fields(request.id = %forward.request))]
    async fn step(&self, forward: &Forward) -> Result<Brought, WorkerError> {
        let known = self.guichet.request(&forward.tenant, forward.request).await?;
        let Some(passed) = standing(&known, |standing| *standing == ForwardStanding::UnderWay) else {
            return Ok(Brought::default());
        };
        match self.bring(&known, &passed).await? {
            Ok(request) => {
                self.report(&known, Command::ConfirmForward { request }, "arrived").await?;
                metrics::counter!("guichet_workers_forwards_total", "outcome" => "arrived").increment(1);
                Ok(Brought { arrived: 1, blocked: 0 })
            }
            Err(reason) => {
                tracing::warn!(request.id = %forward.request, reason, "a request cannot be brought to whom it was passed on");
                self.report(&known, Command::BlockForward { reason }, "blocked").await?;
                metrics::counter!("guichet_workers_forwards_total", "outcome" => "blocked").increment(1);
                Ok(Brought { arrived: 0, blocked: 1 })
            }
        }
    }

    /// Passes on anew what could not be taken and can be by now.
    async fn look_again(&mut self, forward: &Forward, now: DateTime<Utc>) -> Result<Brought, WorkerError> {
        let id = forward.request.0;
        if self.next.get(&id).is_some_and(|(at, _)| *at > now) {
            return Ok(Brought::default());
        }
        let wait = self.next.get(&id).map_or(FIRST_WAIT, |(_, wait)| (*wait * 2).min(WAIT_MAX));
        self.next.insert(id, (now + wait, wait));
        let known = self.guichet.request(&forward.tenant, forward.request).await?;
        let blocked = |standing: &ForwardStanding| matches!(standing, ForwardStanding::Blocked { .. });
        let Some(passed) = standing(&known, blocked) else { return Ok(Brought::default()) };
        if self.prepare(&known, &passed).await?.is_err() {
            return Ok(Brought::default());
        }
        let Forwarding { to, process, basis, .. } = passed;
        let again = Command::Forward { to: format!("tenant:{to}"), process, basis };
        if !self.report(&known, again, "again").await? {
            return Ok(Brought::default());
        }
        self.next.remove(&id);
        self.step(forward).await
    }

    /// The outer error is ours; the inner one is the code of the reason why the other collectivity does not take it.
    async fn bring(
        &self,
        known: &Known,
        passed: &Forwarding,
    ) -> Result<Result<RequestId, String>, WorkerError> {
        let command = match self.prepare(known, passed).await? {
            Ok(command) => command,
            Err(reason) => return Ok(Err(reason)),
        };
        let submission = submission(known, passed, command);
        let there = RequestId(request_of(submission.command_id.0));
        match self.guichet.submit(submission).await {
            Ok(receipt) => Ok(Ok(receipt.request)),
            // It is there already, with what was known when it was brought: something was erased or published since.
            Err(EngineError::Journal(JournalError::CommandReused { .. })) => Ok(Ok(there)),
            Err(error) => refusal(error),
        }
    }

    /// The command that the other collectivity would take, with its files in place.
    async fn prepare(
        &self,
        known: &Known,
        passed: &Forwarding,
    ) -> Result<Result<Command, String>, WorkerError> {
        let (tenant, request) = (&known.request.tenant, &known.request);
        let history = self.guichet.history(tenant, request.id, &Span::default(), true).await?;
        let process = passed.process.clone().unwrap_or_else(|| request.process.clone());
        let Some(plan) = self.plan(&passed.to, &process).await? else {
            return Ok(Err("process.unknown".to_owned()));
        };
        let dossier = Dossier::of(&history, request);
        let mut parcel = parcel(known, &history, &dossier, plan.definition());
        let trial = submission(known, passed, command(known, &dossier, &parcel));
        if let Err(error) = self.guichet.engine().would_receive(&trial).await {
            return refusal(error);
        }
        if let Err(reason) = self.copy(tenant, &passed.to, &mut parcel.form).await {
            return Ok(Err(reason));
        }
        Ok(Ok(command(known, &dossier, &parcel)))
    }

    /// The process in force, as far as this server or another knows.
    async fn plan(&self, tenant: &str, process: &str) -> Result<Option<Arc<Plan>>, WorkerError> {
        let engine = self.guichet.engine();
        if let Some(plan) = engine.definitions().in_force(tenant, process) {
            return Ok(Some(plan));
        }
        engine.refresh().await?;
        Ok(engine.definitions().in_force(tenant, process))
    }

    /// Copies the files that a form names to the other collectivity, and lets the form name the copies.
    async fn copy(&self, from: &str, to: &str, form: &mut Map<String, Value>) -> Result<(), String> {
        let mut copies: BTreeMap<String, StoredFile> = BTreeMap::new();
        for file in named(form) {
            let files = self.guichet.attachments();
            let opened = files.open(from, &file.sha256).await.map_err(|error| error.code().to_owned())?;
            let opened = opened.ok_or_else(|| "file.missing".to_owned())?;
            let copy = files.put(to, &file.name, Some(&file.kind), pieces(opened.reader)).await;
            copies.insert(file.sha256, copy.map_err(|error| error.code().to_owned())?);
        }
        for value in form.values_mut() {
            renamed(value, &copies);
        }
        Ok(())
    }

    /// Reports in the stream of the request that was passed on; whether it was taken.
    async fn report(&self, known: &Known, command: Command, what: &str) -> Result<bool, WorkerError> {
        let request = &known.request;
        let name = format!("forward:{}:{}:{what}:{}", request.tenant, request.id, known.revision);
        let submission = Submission {
            tenant: request.tenant.clone(),
            request: Some(request.id),
            command,
            actor: Actor::Engine,
            command_id: CommandId(Uuid::new_v5(&NAMESPACE, name.as_bytes())),
            occurred_at: None,
            expected: None,
        };
        match self.guichet.submit(submission).await {
            Ok(_) => Ok(true),
            // Somebody was quicker.
            Err(EngineError::Rejected(rejection)) => {
                tracing::debug!(request.id = %request.id, code = rejection.code, "a report came too late");
                Ok(false)
            }
            // Another server reported at the same place, and for another reason.
            Err(EngineError::Journal(JournalError::CommandReused { .. })) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

#[async_trait]
impl Round for Forwards {
    fn name(&self) -> &'static str {
        "forwards"
    }

    async fn round(&mut self, now: DateTime<Utc>) -> Result<Left, WorkerError> {
        let brought = self.run_once(now).await?;
        // Where a full batch was brought there is more.
        Ok(Left::more_if(brought.arrived >= usize::try_from(BATCH).unwrap_or(usize::MAX)))
    }
}

impl std::ops::Add for Brought {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { arrived: self.arrived + other.arrived, blocked: self.blocked + other.blocked }
    }
}

/// What is known of the passing on, if it is within the installation and stands so.
fn standing(known: &Known, fits: impl Fn(&ForwardStanding) -> bool) -> Option<Forwarding> {
    let passed = known.request.forwarding.as_ref();
    passed.filter(|known| known.means == ForwardMeans::Installation && fits(&known.standing)).cloned()
}

/// A refusal by the rules is the other collectivity's word; everything else is ours.
fn refusal<T>(error: EngineError) -> Result<Result<T, String>, WorkerError> {
    match error {
        EngineError::Rejected(rejection) => Ok(Err(rejection.code)),
        EngineError::UnknownTenant => Ok(Err("tenant.unknown".to_owned())),
        other => Err(other.into()),
    }
}

/// The command on its way. Its id is that of passing this request on to this collectivity, however often it is tried.
fn submission(known: &Known, passed: &Forwarding, command: Command) -> Submission {
    let request = &known.request;
    let name = format!("forward:{}:{}:{}:{}", request.tenant, request.id, request.cycle, passed.to);
    Submission {
        tenant: passed.to.clone(),
        request: None,
        command,
        actor: Actor::Engine,
        command_id: CommandId(Uuid::new_v5(&NAMESPACE, name.as_bytes())),
        occurred_at: None,
        expected: None,
    }
}

/// A stored file, piece by piece.
fn pieces(reader: Reader) -> impl Stream<Item = std::io::Result<Vec<u8>>> {
    futures_util::stream::try_unfold(reader, |mut reader| async move {
        let mut piece = vec![0; PIECE_BYTES];
        let read = reader.read(&mut piece).await?;
        piece.truncate(read);
        Ok((read > 0).then_some((piece, reader)))
    })
}
