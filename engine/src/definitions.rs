//! Definitions and organisations as they stand in the journal: published there in full, compiled once, shared.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use guichet_journal::{Filter, Header, Journal, Position, Recorded, Revision, StreamId, Tenant};
use guichet_rules::organisation::Organisation;
use guichet_rules::process::{
    DRAFT_ABANDONED, DefinitionHash, DraftAbandoned, ORGANISATION_PUBLISHED, ORGANISATION_STREAM,
    OrganisationPublished, PROCESS_DRAFTED, PROCESS_PUBLISHED, PROCESS_RETIRED, PROCESS_STREAM, Plan,
    ProcessDrafted, ProcessPublished, ProcessRetired, Sources, process_stream,
};
use guichet_rules::request::RequestId;
use tokio::sync::Mutex;

use crate::error::EngineError;
use crate::file::known;
use crate::flight::Flights;

/// Definitions read from the journal at once.
const PAGE: usize = 1024;

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
    pub(crate) flights: Flights,
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

    /// Takes an event in, unless it is known: a stream's events come in their order, by the journal's and by its own.
    pub(crate) fn take(&self, event: &Recorded) -> Result<(), EngineError> {
        known(event)?;
        let header = event.header()?;
        let (stream, revision) = (header.stream.clone(), header.revision);
        if self.head(&stream).is_some_and(|head| head >= revision) {
            return Ok(());
        }
        let told = self.told(event, header)?;
        self.write(|shelf| {
            // Somebody else may have been quicker since.
            if shelf.heads.get(&stream).is_none_or(|head| *head < revision) {
                shelf.apply(header.tenant.as_str(), told);
                shelf.heads.insert(stream, revision);
            }
        });
        Ok(())
    }

    fn told(&self, event: &Recorded, header: &Header) -> Result<Told, EngineError> {
        Ok(match event.event_type() {
            PROCESS_PUBLISHED => {
                let published: ProcessPublished = event.decode()?;
                let known = self.read(|shelf| shelf.versions.contains_key(&published.hash));
                let process = published.definition.process.clone();
                let hash = published.hash.clone();
                let entry = published.entry.as_ref().map(|entry| entry.request);
                let version = if known { None } else { Some(compile(published)?) };
                Told::Published { process, hash, entry, version }
            }
            PROCESS_DRAFTED => {
                let (tenant, head) = (header.tenant.clone(), header.revision);
                let draft = Draft { tenant, drafted: Arc::new(event.decode()?), head };
                Told::Drafted(event.position(), draft)
            }
            PROCESS_RETIRED => Told::Retired(event.decode()?),
            DRAFT_ABANDONED => Told::Abandoned(event.decode()?),
            ORGANISATION_PUBLISHED => Told::Organisation(event.decode()?),
            other => return Err(EngineError::Newer(other.into())),
        })
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

    /// How many times something was published, drafted or retired so far: it grows with every change, the same on every
    /// server that has read as much.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.read(|shelf| shelf.heads.values().map(|head| head.get() + 1).sum())
    }

    /// Collectivities that have an organisation, by name.
    #[must_use]
    pub fn tenants(&self) -> Vec<String> {
        let mut tenants: Vec<String> = self.read(|shelf| shelf.organisations.keys().cloned().collect());
        tenants.sort();
        tenants
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

/// What an event says, before it is known whether it comes in time.
enum Told {
    Published { process: String, hash: DefinitionHash, entry: Option<RequestId>, version: Option<Version> },
    Drafted(Position, Draft),
    Retired(ProcessRetired),
    Abandoned(DraftAbandoned),
    Organisation(OrganisationPublished),
}

impl Shelf {
    fn apply(&mut self, tenant: &str, told: Told) {
        let tenant = tenant.to_owned();
        match told {
            Told::Published { process, hash, entry, version } => {
                self.settle(entry);
                self.retired.remove(&(tenant.clone(), process.clone()));
                self.versions.extend(version.map(|version| (hash.clone(), version)));
                self.in_force.insert((tenant, process), hash);
            }
            Told::Drafted(position, draft) => {
                self.drafts.insert(position, draft);
            }
            Told::Retired(retired) => {
                let name = (tenant, retired.process.clone());
                self.settle(retired.entry.as_ref().map(|entry| entry.request));
                self.in_force.remove(&name);
                self.retired.insert(name, Arc::new(retired));
            }
            Told::Abandoned(abandoned) => self.settle(Some(abandoned.request)),
            Told::Organisation(published) => {
                self.organisations.insert(tenant, Arc::new(published.organisation));
            }
        }
    }

    /// The request has come to its end, and its draft with it.
    fn settle(&mut self, request: Option<RequestId>) {
        self.drafts.retain(|_, draft| Some(draft.drafted.request) != request);
    }
}

fn compile(published: ProcessPublished) -> Result<Version, EngineError> {
    let plan = Plan::compile(Arc::new(published.definition))?;
    Ok(Version { plan: Arc::new(plan), sources: Arc::new(published.sources) })
}
