//! A submission on its way: its names worked out, what its decision needs to know, and the append it becomes.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use guichet_journal::{
    Append, Body, Channel, CommandId as JournalCommandId, Digest, EventType, Expected, JournalError,
    NewEvent, Pseudonym, Revision, StreamId, Tenant,
};
use guichet_rules::organisation::Organisation;
use guichet_rules::process::{DefinitionHash, Plan, request_of};
use guichet_rules::request::{Actor, Command, Event, Facts, Meta, Request, RequestId, Tracking, What};
use guichet_rules::tracking::TrackingCode;
use serde::Serialize;

use crate::error::EngineError;
use crate::file::File;
use crate::names::{request_stream, tenant_of};
use crate::submit::{Engine, Submission};

/// A submission with its names worked out.
pub(crate) struct Job<'a> {
    pub(crate) submission: &'a Submission,
    pub(crate) tenant: Tenant,
    pub(crate) request: RequestId,
    pub(crate) stream: StreamId,
    pub(crate) digest: Digest,
    pub(crate) actor: Pseudonym,
}

impl<'a> Job<'a> {
    pub(crate) fn new(engine: &Engine, submission: &'a Submission) -> Result<Self, EngineError> {
        let tenant = tenant_of(&submission.tenant)?;
        let receives = matches!(submission.command, Command::Receive { .. });
        let request = match submission.request {
            Some(request) if !receives => request,
            Some(_) | None if receives => RequestId(request_of(submission.command_id.0)),
            Some(_) | None => return Err(EngineError::UnknownRequest),
        };
        if engine.definitions().organisation(tenant.as_str()).is_none() {
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

    pub(crate) fn append(
        &self,
        events: &[(Event, Meta)],
        definition: &DefinitionHash,
        file: Option<&File>,
        now: DateTime<Utc>,
    ) -> Result<Append, EngineError> {
        let definition = Some(definition.0.parse::<Digest>().map_err(JournalError::from)?);
        let new = |(event, meta): &(Event, Meta)| -> Result<NewEvent, EngineError> {
            let event_type: EventType = event.what.name().parse().map_err(JournalError::from)?;
            let other = meta.actor != self.actor.as_str();
            let actor = other.then(|| meta.actor.parse()).transpose().map_err(JournalError::from)?;
            let occurred_at = meta.occurred_at;
            Ok(NewEvent { event_type, occurred_at, definition, actor, body: Body::of(event)? })
        };
        let expected = file.map_or(Expected::NoStream, |file| Expected::Exact(Revision::new(file.revision)));
        Ok(Append {
            expected,
            on_behalf_of: events
                .iter()
                .find_map(|(event, _)| principal(event))
                .map(|code| staff(&code))
                .transpose()?,
            channel: channel_of(&self.submission.command)?,
            events: events.iter().map(new).collect::<Result<_, _>>()?,
            ..self.repeat(0, now)?
        })
    }

    /// The same command again: `count` events whose slots are all that the journal looks at.
    pub(crate) fn repeat(&self, count: usize, now: DateTime<Utc>) -> Result<Append, EngineError> {
        let slot = NewEvent {
            event_type: "request.repeated".parse().map_err(JournalError::from)?,
            occurred_at: now,
            definition: None,
            actor: None,
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
pub(crate) struct Gathered {
    pub(crate) plan: Arc<Plan>,
    pub(crate) target: Option<Arc<Plan>>,
    pub(crate) other: Option<Arc<Request>>,
    pub(crate) code: Option<TrackingCode>,
    pub(crate) tracking: Option<Tracking>,
    pub(crate) organisation: Arc<Organisation>,
    pub(crate) now: DateTime<Utc>,
}

impl Gathered {
    pub(crate) fn facts<'a>(&'a self, job: &'a Job<'_>) -> Facts<'a> {
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

    /// The version that the events stand under: the new one when they reclassify or migrate.
    pub(crate) fn definition_after(&self, events: &[(Event, Meta)]) -> DefinitionHash {
        let moves =
            |(event, _): &(Event, Meta)| matches!(event.what, What::Reclassified(_) | What::Migrated(_));
        let plan =
            if events.iter().any(moves) { self.target.as_ref().unwrap_or(&self.plan) } else { &self.plan };
        plan.hash().clone()
    }
}

pub(crate) fn pseudonym(actor: &Actor) -> Result<Pseudonym, EngineError> {
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
