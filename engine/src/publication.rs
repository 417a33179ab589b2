//! Bringing definitions and organisations into force: each said once in its own stream of the journal.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use guichet_journal::{
    Append, Body, CommandId, Digest, EventType, Expected, Journal, JournalError, NewEvent, Pseudonym,
    Revision, StreamId, Tenant,
};
use guichet_rules::organisation::Organisation;
use guichet_rules::process::{
    Definition, ORGANISATION_PUBLISHED, ORGANISATION_STREAM, OrganisationPublished, PROCESS_PUBLISHED,
    PROCESS_STREAM, Plan, ProcessPublished, Sources, organisation_stream, process_stream,
};
use serde::Serialize;
use uuid::Uuid;

use crate::definitions::Definitions;
use crate::error::EngineError;
use crate::names::tenant_of;

/// How often a publication is tried again when others publish the same processes at the same moment.
const ATTEMPTS: usize = 8;

/// What is to be brought into force.
#[derive(Debug, Clone, Default)]
pub struct Publication {
    /// Processes, each with the places of its rules in the designer's files.
    pub definitions: Vec<(Definition, Sources)>,
    /// The organisation.
    pub organisation: Organisation,
}

/// What a publication did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Published {
    /// Versions that entered into force.
    pub changed: usize,
    /// Versions that were in force already.
    pub unchanged: usize,
    /// Versions left aside, because their process was taken out of force since.
    pub retired: usize,
}

impl Definitions {
    /// Brings definitions and the organisation into force for the collectivities they name. What is in force already
    /// is left alone, so publishing twice changes nothing. Requests under way stay on their version.
    ///
    /// # Errors
    /// [`EngineError::Plan`] before anything is written when a definition cannot run; [`EngineError::Journal`] when the
    /// journal cannot take it, and then the same publication may be sent again.
    pub async fn publish(
        &self,
        journal: &dyn Journal,
        publication: &Publication,
        actor: &Pseudonym,
        now: DateTime<Utc>,
    ) -> Result<Published, EngineError> {
        let mut hashed = Vec::with_capacity(publication.definitions.len());
        for (definition, sources) in &publication.definitions {
            Plan::compile(Arc::new(definition.clone()))?;
            hashed.push(ProcessPublished {
                hash: definition.hash()?,
                definition: definition.clone(),
                sources: sources.clone(),
                entry: None,
            });
        }
        self.refresh(journal).await?;
        let mut done = Published::default();
        for _ in 0..ATTEMPTS {
            (done.unchanged, done.retired) = (0, 0);
            let entering = Entering { organisation: &publication.organisation, hashed: &hashed, actor, now };
            match self.enter(journal, &entering, &mut done).await {
                // Another server publishes at the same moment: what it said counts, and this is said after it.
                Err(EngineError::Journal(JournalError::Conflict { stream, .. })) => {
                    self.refresh(journal).await?;
                    self.confirm(journal, &stream).await?;
                }
                entered => {
                    entered?;
                    self.refresh(journal).await?;
                    return Ok(done);
                }
            }
        }
        Err(EngineError::Contended)
    }

    /// Says what is not in force yet, each in its own stream.
    async fn enter(
        &self,
        journal: &dyn Journal,
        entering: &Entering<'_>,
        done: &mut Published,
    ) -> Result<(), EngineError> {
        let Entering { organisation, hashed, actor, now } = *entering;
        let before = done.changed;
        for collectivity in &organisation.tenants {
            let tenant = tenant_of(&collectivity.tenant)?;
            if self.organisation(tenant.as_str()).is_none_or(|old| *old != *organisation) {
                let stream =
                    StreamId::new(&tenant, ORGANISATION_STREAM, organisation_stream(tenant.as_str()));
                let body = OrganisationPublished { organisation: organisation.clone() };
                let entry = Announcement { kind: ORGANISATION_PUBLISHED, definition: None, body: &body };
                let stream = stream.map_err(bad_name)?;
                self.announce(journal, stream.clone(), self.head(&stream), &entry, actor, now).await?;
            }
            for published in hashed.iter().filter(|p| offered_by(&p.definition, &tenant)) {
                let process = &published.definition.process;
                if self.in_force(tenant.as_str(), process).is_some_and(|plan| *plan.hash() == published.hash)
                {
                    done.unchanged += 1;
                    continue;
                }
                // A process that was taken out of force comes back only with a version that is another.
                let retired = self.retired(tenant.as_str(), process);
                if retired.is_some_and(|retired| retired.last.as_ref() == Some(&published.hash)) {
                    done.retired += 1;
                    continue;
                }
                let stream =
                    StreamId::new(&tenant, PROCESS_STREAM, process_stream(process)).map_err(bad_name)?;
                let digest = published.hash.0.parse::<Digest>().map_err(bad_name)?;
                let entry =
                    Announcement { kind: PROCESS_PUBLISHED, definition: Some(digest), body: published };
                self.announce(journal, stream.clone(), self.head(&stream), &entry, actor, now).await?;
                done.changed += 1;
            }
        }
        // What entered force at an earlier attempt was found in force at this one.
        done.unchanged = done.unchanged.saturating_sub(before);
        Ok(())
    }

    /// Appends one event behind `head`, and only there.
    pub(crate) async fn announce<T: Serialize>(
        &self,
        journal: &dyn Journal,
        stream: StreamId,
        head: Option<Revision>,
        entry: &Announcement<'_, T>,
        actor: &Pseudonym,
        now: DateTime<Utc>,
    ) -> Result<(), EngineError> {
        let body = Body::of(entry.body)?;
        let digest = Digest::of(body.as_str().as_bytes());
        // The id follows from what is published behind what, so that a repeated publication is recognised.
        let name = format!("{stream}:{head:?}:{digest}");
        let event_type: EventType = entry.kind.parse().map_err(bad_name)?;
        journal
            .append(Append {
                stream,
                expected: head.map_or(Expected::NoStream, Expected::Exact),
                command: CommandId::new(Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes())),
                command_digest: digest,
                actor: actor.clone(),
                on_behalf_of: None,
                channel: None,
                recorded_at: now,
                correlation: None,
                causation: None,
                known_keys: Vec::new(),
                events: vec![NewEvent {
                    event_type,
                    occurred_at: now,
                    definition: entry.definition,
                    actor: None,
                    body,
                }],
            })
            .await?;
        Ok(())
    }
}

/// What is to enter force.
struct Entering<'a> {
    organisation: &'a Organisation,
    hashed: &'a [ProcessPublished],
    actor: &'a Pseudonym,
    now: DateTime<Utc>,
}

pub(crate) struct Announcement<'a, T> {
    pub(crate) kind: &'static str,
    pub(crate) definition: Option<Digest>,
    pub(crate) body: &'a T,
}

fn offered_by(definition: &Definition, tenant: &Tenant) -> bool {
    definition.tenants.iter().any(|offered| offered == tenant.as_str())
}

fn bad_name(bad: guichet_journal::BadName) -> EngineError {
    JournalError::from(bad).into()
}
