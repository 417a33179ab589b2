//! Definitions and organisations as they stand in the journal: published there in full, compiled once, shared.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, Utc};
use guichet_journal::{
    Append, Body, CommandId, Digest, EventType, Expected, Filter, Journal, NewEvent, Position, Pseudonym,
    Recorded, Revision, StreamId, Tenant,
};
use guichet_rules::organisation::Organisation;
use guichet_rules::process::{
    DRAFT_ABANDONED, Definition, DefinitionHash, DraftAbandoned, ORGANISATION_PUBLISHED, ORGANISATION_STREAM,
    OrganisationPublished, PROCESS_DRAFTED, PROCESS_PUBLISHED, PROCESS_RETIRED, PROCESS_STREAM, Plan,
    ProcessDrafted, ProcessPublished, ProcessRetired, Sources, organisation_stream, process_stream,
};
use guichet_rules::request::RequestId;
use serde::Serialize;
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::error::EngineError;
use crate::names::tenant_of;

/// Definitions read from the journal at once.
const PAGE: usize = 1024;

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

/// A published version.
struct Version {
    plan: Arc<Plan>,
    sources: Arc<Sources>,
}

/// A draft whose request has not come to its end.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) tenant: Tenant,
    pub(crate) drafted: Arc<ProcessDrafted>,
    /// The head of the process's stream.
    pub(crate) head: Revision,
}

#[derive(Default)]
struct Shelf {
    versions: HashMap<DefinitionHash, Version>,
    in_force: HashMap<(String, String), DefinitionHash>,
    organisations: HashMap<String, Arc<Organisation>>,
    retired: HashMap<(String, String), Arc<ProcessRetired>>,
    /// Drafts that are neither in force nor given up, in the order in which they came.
    drafts: BTreeMap<Position, Draft>,
    heads: HashMap<StreamId, Revision>,
    read_to: Option<Position>,
}

/// The definitions and organisations of all collectivities.
#[derive(Default)]
pub struct Definitions {
    shelf: RwLock<Shelf>,
    refreshing: Mutex<()>,
}

impl Definitions {
    /// Reads what was published since the last time.
    ///
    /// # Errors
    /// [`EngineError::Journal`] when the journal cannot be read, [`EngineError::Plan`] when a definition cannot run.
    pub async fn refresh(&self, journal: &dyn Journal) -> Result<(), EngineError> {
        let _alone = self.refreshing.lock().await;
        let kinds = vec![PROCESS_STREAM.to_owned(), ORGANISATION_STREAM.to_owned()];
        let filter = Filter { kinds, ..Filter::everything() };
        loop {
            let after = self.read(|shelf| shelf.read_to);
            let page = journal.read_all(after, &filter, PAGE).await?;
            for event in &page.events {
                self.take(event)?;
            }
            self.write(|shelf| shelf.read_to = page.through);
            if page.at_end {
                return Ok(());
            }
        }
    }

    fn take(&self, event: &Recorded) -> Result<(), EngineError> {
        let header = event.header()?;
        let (stream, revision) = (header.stream.clone(), header.revision);
        let tenant = header.tenant.as_str().to_owned();
        match event.event_type() {
            PROCESS_PUBLISHED => {
                let published: ProcessPublished = event.decode()?;
                let known = self.read(|shelf| shelf.versions.contains_key(&published.hash));
                let process = published.definition.process.clone();
                let hash = published.hash.clone();
                let entry = published.entry.as_ref().map(|entry| entry.request);
                let version = if known { None } else { Some(compile(published)?) };
                self.write(|shelf| {
                    shelf.settle(entry);
                    shelf.retired.remove(&(tenant.clone(), process.clone()));
                    shelf.versions.extend(version.map(|version| (hash.clone(), version)));
                    shelf.in_force.insert((tenant, process), hash);
                    shelf.heads.insert(stream, revision);
                });
            }
            PROCESS_DRAFTED => {
                let draft = Draft {
                    tenant: header.tenant.clone(),
                    drafted: Arc::new(event.decode()?),
                    head: revision,
                };
                self.write(|shelf| {
                    shelf.drafts.insert(event.position(), draft);
                    shelf.heads.insert(stream, revision);
                });
            }
            PROCESS_RETIRED => {
                let retired: ProcessRetired = event.decode()?;
                self.write(|shelf| {
                    let name = (tenant, retired.process.clone());
                    shelf.settle(retired.entry.as_ref().map(|entry| entry.request));
                    shelf.in_force.remove(&name);
                    shelf.retired.insert(name, Arc::new(retired));
                    shelf.heads.insert(stream, revision);
                });
            }
            DRAFT_ABANDONED => {
                let abandoned: DraftAbandoned = event.decode()?;
                self.write(|shelf| {
                    shelf.settle(Some(abandoned.request));
                    shelf.heads.insert(stream, revision);
                });
            }
            ORGANISATION_PUBLISHED => {
                let published: OrganisationPublished = event.decode()?;
                self.write(|shelf| {
                    shelf.organisations.insert(tenant, Arc::new(published.organisation));
                    shelf.heads.insert(stream, revision);
                });
            }
            other => return Err(guichet_rules::request::DecodeError::UnknownType(other.into()).into()),
        }
        Ok(())
    }

    /// The version of `process` in force for a collectivity.
    #[must_use]
    pub fn in_force(&self, tenant: &str, process: &str) -> Option<Arc<Plan>> {
        self.read(|shelf| {
            let hash = shelf.in_force.get(&(tenant.to_owned(), process.to_owned()))?;
            shelf.versions.get(hash).map(|version| Arc::clone(&version.plan))
        })
    }

    /// Every process in force for a collectivity, by name.
    #[must_use]
    pub fn all_in_force(&self, tenant: &str) -> Vec<Arc<Plan>> {
        let mut plans: Vec<Arc<Plan>> = self.read(|shelf| {
            let mine = shelf.in_force.iter().filter(|((owner, _), _)| owner == tenant);
            mine.filter_map(|(_, hash)| shelf.versions.get(hash)).map(|v| Arc::clone(&v.plan)).collect()
        });
        plans.sort_by(|a, b| a.definition().process.cmp(&b.definition().process));
        plans
    }

    /// Why and in favour of what a process was taken out of force, if it was.
    #[must_use]
    pub fn retired(&self, tenant: &str, process: &str) -> Option<Arc<ProcessRetired>> {
        self.read(|shelf| shelf.retired.get(&(tenant.to_owned(), process.to_owned())).map(Arc::clone))
    }

    /// Drafts whose request has not come to its end, in the order in which they came.
    pub(crate) fn drafts(&self) -> Vec<Draft> {
        self.read(|shelf| {
            let stream = |draft: &Draft| {
                StreamId::new(&draft.tenant, PROCESS_STREAM, process_stream(&draft.drafted.process)).ok()
            };
            let head = |draft: &Draft| stream(draft).and_then(|stream| shelf.heads.get(&stream).copied());
            let now = |draft: &Draft| Draft { head: head(draft).unwrap_or(draft.head), ..draft.clone() };
            shelf.drafts.values().map(now).collect()
        })
    }

    /// The draft that a request carries.
    pub(crate) fn draft(&self, tenant: &str, request: RequestId) -> Option<Arc<ProcessDrafted>> {
        self.read(|shelf| {
            let carried =
                |draft: &&Draft| draft.tenant.as_str() == tenant && draft.drafted.request == request;
            shelf.drafts.values().find(carried).map(|draft| Arc::clone(&draft.drafted))
        })
    }

    /// The last revision of a stream that is known.
    pub(crate) fn head(&self, stream: &StreamId) -> Option<Revision> {
        self.read(|shelf| shelf.heads.get(stream).copied())
    }

    /// A version, whether it is still in force or not.
    #[must_use]
    pub fn version(&self, hash: &DefinitionHash) -> Option<Arc<Plan>> {
        self.read(|shelf| shelf.versions.get(hash).map(|version| Arc::clone(&version.plan)))
    }

    /// The published versions whose hash begins with `text`, which says at least four of its digits.
    #[must_use]
    pub fn versions_beginning(&self, text: &str) -> Vec<DefinitionHash> {
        if text.len() < 4 {
            return Vec::new();
        }
        let begins = |hash: &&DefinitionHash| hash.0.starts_with(text);
        let mut found: Vec<DefinitionHash> =
            self.read(|shelf| shelf.versions.keys().filter(begins).cloned().collect());
        found.sort();
        found
    }

    /// Where the rules of a version stand in the designer's files.
    #[must_use]
    pub fn sources(&self, hash: &DefinitionHash) -> Option<Arc<Sources>> {
        self.read(|shelf| shelf.versions.get(hash).map(|version| Arc::clone(&version.sources)))
    }

    /// The organisation of a collectivity.
    #[must_use]
    pub fn organisation(&self, tenant: &str) -> Option<Arc<Organisation>> {
        self.read(|shelf| shelf.organisations.get(tenant).map(Arc::clone))
    }

    /// Collectivities that have an organisation, by name.
    #[must_use]
    pub fn tenants(&self) -> Vec<String> {
        let mut tenants: Vec<String> = self.read(|shelf| shelf.organisations.keys().cloned().collect());
        tenants.sort();
        tenants
    }

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
        for collectivity in &publication.organisation.tenants {
            let tenant = tenant_of(&collectivity.tenant)?;
            let organisation = &publication.organisation;
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
        self.refresh(journal).await?;
        Ok(done)
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

    fn read<T>(&self, look: impl FnOnce(&Shelf) -> T) -> T {
        look(&self.shelf.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<T>(&self, change: impl FnOnce(&mut Shelf) -> T) -> T {
        change(&mut self.shelf.write().unwrap_or_else(PoisonError::into_inner))
    }
}

impl std::fmt::Debug for Definitions {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (versions, in_force) = self.read(|shelf| (shelf.versions.len(), shelf.in_force.len()));
        write!(formatter, "Definitions({versions} versions, {in_force} in force)")
    }
}

pub(crate) struct Announcement<'a, T> {
    pub(crate) kind: &'static str,
    pub(crate) definition: Option<Digest>,
    pub(crate) body: &'a T,
}

impl Shelf {
    /// The request has come to its end, and its draft with it.
    fn settle(&mut self, request: Option<RequestId>) {
        self.drafts.retain(|_, draft| Some(draft.drafted.request) != request);
    }
}

fn compile(published: ProcessPublished) -> Result<Version, EngineError> {
    let plan = Plan::compile(Arc::new(published.definition))?;
    Ok(Version { plan: Arc::new(plan), sources: Arc::new(published.sources) })
}

fn offered_by(definition: &Definition, tenant: &Tenant) -> bool {
    definition.tenants.iter().any(|offered| offered == tenant.as_str())
}

fn bad_name(bad: guichet_journal::BadName) -> EngineError {
    guichet_journal::JournalError::from(bad).into()
}
