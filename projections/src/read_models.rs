//! The read models as the rest of the house meets them: opened once, asked often.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use guichet_journal::{Digest, Journal, Position};
use guichet_rules::organisation::Organisation;
use guichet_rules::process::{Definition, DefinitionHash};
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;

use crate::error::ProjectionError;
use crate::models::{ALL, ReadModel};
use crate::runner::{
    Goal, Known, Progress, Rebuilt, RunState, Status, astray, checkpoints, create, follow, prepare, rebuild,
    stand_for_lead,
};
use crate::store::{Connection, Database, Place, SERVING, Witness, token_of};

/// More threads than this would wait for the one that writes.
const FOLDERS_MAX: usize = 4;

/// Bounds of the runner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The most events that are folded and written together.
    pub batch_events: usize,
    /// The most states of open requests kept in memory by what follows the journal: a state that is not there is read
    /// from the journal again, which takes a fraction of a millisecond, and a state takes some 6 kB.
    pub open_states: usize,
    /// The same of a rebuild, which comes by each request's events far apart and would read the journal over and over.
    pub rebuild_states: usize,
    /// The most states of finished requests kept in memory.
    pub finished_states: usize,
    /// Threads that fold during a rebuild, each its share of the streams: half as many as there are cores, because
    /// reading and writing keep the others busy.
    pub folders: usize,
}

impl Default for Options {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
        Self {
            batch_events: 8_192,
            open_states: 4_096,
            rebuild_states: 32_768,
            finished_states: 1_024,
            folders: (cores / 2).clamp(1, FOLDERS_MAX),
        }
    }
}

/// What the runner, rebuilds and queries share.
pub(crate) struct Inner {
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) options: Options,
    pub(crate) database: Arc<Database>,
    pub(crate) known: Arc<RwLock<Known>>,
    pub(crate) progress: watch::Sender<Progress>,
    /// By what this server leads, while it does.
    pub(crate) lead: watch::Sender<Option<Witness>>,
    pub(crate) rebuilding: Mutex<()>,
    claims: std::sync::atomic::AtomicU64,
    #[cfg(test)]
    pub(crate) commits_left: std::sync::atomic::AtomicI64,
}

impl Inner {
    /// Where tests cut a run short between folding and writing.
    #[cfg(test)]
    pub(crate) fn before_commit(&self) -> Result<(), ProjectionError> {
        use std::sync::atomic::Ordering;
        if self.commits_left.fetch_sub(1, Ordering::SeqCst) == 0 {
            return Err(ProjectionError::store("cut short by a test"));
        }
        Ok(())
    }

    #[cfg(not(test))]
    #[allow(clippy::unnecessary_wraps, clippy::unused_self, reason = "tests cut a run short here")]
    pub(crate) fn before_commit(&self) -> Result<(), ProjectionError> {
        Ok(())
    }
}

/// The live run and the presence among other servers; they end with the last handle.
struct Live([JoinHandle<()>; 2]);

impl Live {
    fn end(&self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.end();
    }
}

/// All read models, kept up with the journal. A copy is another handle on the same.
#[derive(Clone)]
pub struct ReadModels {
    inner: Arc<Inner>,
    live: Arc<Live>,
}

impl std::fmt::Debug for ReadModels {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let position = self.inner.progress.borrow().position;
        formatter.debug_struct("ReadModels").field("position", &position).finish_non_exhaustive()
    }
}

impl ReadModels {
    /// The names of the read models, for [`ReadModels::rebuild`].
    #[must_use]
    pub fn names() -> Vec<&'static str> {
        ALL.iter().map(|model| model.name).collect()
    }

    /// Opens the database at `place`, or makes its tables, and starts to follow the journal. In SQLite, read models that
    /// another version of the program left are rebuilt before this returns; in PostgreSQL each version has tables of its
    /// own, beside those of the others.
    ///
    /// # Errors
    /// [`ProjectionError::Store`] when the database cannot be used, [`ProjectionError::Journal`], [`ProjectionError::Poison`]
    /// when a rebuild meets an event that it cannot fold.
    pub async fn open(place: &Place, journal: Arc<dyn Journal>) -> Result<Self, ProjectionError> {
        Self::open_with(place, journal, Options::default()).await
    }

    /// The same with other bounds.
    ///
    /// # Errors
    /// As [`ReadModels::open`].
    pub async fn open_with(
        place: &Place,
        journal: Arc<dyn Journal>,
        options: Options,
    ) -> Result<Self, ProjectionError> {
        Self::open_set(place, journal, options, &set()).await
    }

    /// The same with tables of another name, where versions stand side by side.
    pub(crate) async fn open_set(
        place: &Place,
        journal: Arc<dyn Journal>,
        options: Options,
        set: &str,
    ) -> Result<Self, ProjectionError> {
        let inner = Self::connected(place, journal, options, set).await?;
        let outdated = make_tables(&inner).await?;
        if !outdated.is_empty() {
            rebuild(&inner, outdated, Goal::Serving).await?;
        }
        let presence = tokio::spawn(stand_for_lead(Arc::clone(&inner)));
        let live = Live([tokio::spawn(follow(Arc::clone(&inner))), presence]);
        Ok(Self { inner, live: Arc::new(live) })
    }

    /// Opens read models that another program keeps, for looking only: reports and checks beside a running server.
    ///
    /// # Errors
    /// [`ProjectionError::Store`] when there are none, or they are of another version of the program.
    pub async fn open_beside(place: &Place, journal: Arc<dyn Journal>) -> Result<Self, ProjectionError> {
        if let Place::Sqlite(path) = place
            && !path.is_file()
        {
            return Err(ProjectionError::store(format!("`{}` is not there yet", path.display())));
        }
        let inner = Self::connected(place, journal, Options::default(), &set()).await?;
        inner.lead.send_replace(None);
        refuse_others(&inner).await?;
        let live = Live([tokio::spawn(follow(Arc::clone(&inner))), tokio::spawn(std::future::ready(()))]);
        Ok(Self { inner, live: Arc::new(live) })
    }

    async fn connected(
        place: &Place,
        journal: Arc<dyn Journal>,
        options: Options,
        set: &str,
    ) -> Result<Arc<Inner>, ProjectionError> {
        let database = Arc::new(Database::open(place, set).await?);
        Ok(Arc::new(Inner {
            journal,
            options,
            lead: watch::Sender::new(database.sole_lead()),
            database,
            known: Arc::default(),
            progress: watch::Sender::default(),
            rebuilding: Mutex::default(),
            claims: std::sync::atomic::AtomicU64::default(),
            #[cfg(test)]
            commits_left: std::sync::atomic::AtomicI64::new(i64::MAX),
        }))
    }

    /// Waits until the read models have taken in the event at `position`, so that whoever holds a receipt sees what they did.
    ///
    /// # Errors
    /// [`ProjectionError::Timeout`]; [`ProjectionError::Poison`] when the runner stands before an event that it cannot
    /// fold; [`ProjectionError::Closed`].
    pub async fn wait_for(&self, position: Position, timeout: Duration) -> Result<(), ProjectionError> {
        let mut progress = self.inner.progress.subscribe();
        let over = |progress: &Progress| {
            progress.position >= Some(position)
                || progress.poison.is_some()
                || progress.state == RunState::Closed
        };
        match tokio::time::timeout(timeout, progress.wait_for(over)).await {
            Ok(Ok(progress)) if progress.position >= Some(position) => Ok(()),
            Ok(Ok(progress)) => Err(progress.poison.clone().map_or(ProjectionError::Closed, Into::into)),
            Ok(Err(_)) => Err(ProjectionError::Closed),
            Err(_) => {
                let reached = self.inner.progress.borrow().position;
                Err(ProjectionError::Timeout { wanted: position, reached })
            }
        }
    }

    /// Waits until everything that is in the journal now has been taken in.
    ///
    /// # Errors
    /// As [`ReadModels::wait_for`], and [`ProjectionError::Journal`].
    pub async fn catch_up(&self, timeout: Duration) -> Result<(), ProjectionError> {
        match self.inner.journal.head().await? {
            Some(head) => self.wait_for(head, timeout).await,
            None => Ok(()),
        }
    }

    /// How far the read models are.
    ///
    /// # Errors
    /// [`ProjectionError::Journal`] when the journal does not say where it ends.
    pub async fn status(&self) -> Result<Status, ProjectionError> {
        let head = self.inner.journal.head().await?;
        let Progress { position, events, last_recorded, state, rebuilding, .. } =
            self.inner.progress.borrow().clone();
        let caught_up = position >= head;
        let leads = self.leads();
        Ok(Status { position, head, caught_up, events, last_recorded, state, rebuilding, leads })
    }

    /// Whether this server keeps the read models; where it is alone, it does. Of several servers on one database one
    /// does at a time, and nothing but waste comes of acting on an answer that is a moment old: what a server that no
    /// longer leads writes is refused.
    #[must_use]
    pub fn leads(&self) -> bool {
        self.inner.lead.borrow().is_some()
    }

    /// Waits until this server leads (`true`) or does not (`false`).
    ///
    /// # Errors
    /// [`ProjectionError::Closed`].
    pub async fn wait_for_lead(&self, leads: bool) -> Result<(), ProjectionError> {
        let mut lead = self.inner.lead.subscribe();
        lead.wait_for(|lead| lead.is_some() == leads).await.map(drop).map_err(|_| ProjectionError::Closed)
    }

    /// Rebuilds read models by name, all of them if none is named, beside those that serve, and puts them in their
    /// place. Readers see the old tables until then, and never none.
    ///
    /// # Errors
    /// [`ProjectionError::UnknownName`], [`ProjectionError::Store`], [`ProjectionError::Journal`],
    /// [`ProjectionError::Poison`]; the old tables stay then.
    pub async fn rebuild(&self, names: &[&str]) -> Result<Rebuilt, ProjectionError> {
        if let Some(name) = names.iter().find(|name| !Self::names().contains(name)) {
            let known = Self::names().join(", ");
            return Err(ProjectionError::UnknownName { name: (*name).to_owned(), known });
        }
        let wanted = |model: &&&'static ReadModel| names.is_empty() || names.contains(&model.name);
        rebuild(&self.inner, ALL.iter().filter(wanted).copied().collect(), Goal::Serving).await
    }

    /// Ends the live run and closes the database. Other handles answer with errors from then on.
    pub async fn close(&self) {
        self.live.end();
        self.inner.lead.send_replace(None);
        self.inner.progress.send_modify(|progress| progress.state = RunState::Closed);
        self.inner.database.close().await;
    }

    /// The organisation of a collectivity, as last published.
    #[must_use]
    pub fn organisation(&self, tenant: &str) -> Option<Arc<Organisation>> {
        let known = self.inner.known.read().unwrap_or_else(PoisonError::into_inner);
        known.organisation(tenant).map(Arc::clone)
    }

    /// A published version of a process, in force or not.
    #[must_use]
    pub fn definition(&self, hash: &DefinitionHash) -> Option<Arc<Definition>> {
        let known = self.inner.known.read().unwrap_or_else(PoisonError::into_inner);
        known.process(hash).map(|process| Arc::clone(&process.definition))
    }

    #[cfg(test)]
    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }

    /// How many claims this server made before this one.
    pub(crate) fn claims(&self) -> u64 {
        self.inner.claims.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
    }

    /// How far the read models are, as it changes.
    pub(crate) fn progress(&self) -> watch::Receiver<Progress> {
        self.inner.progress.subscribe()
    }

    pub(crate) fn shared_database(&self) -> &Arc<Database> {
        &self.inner.database
    }

    pub(crate) fn database(&self) -> &Database {
        &self.inner.database
    }
}

/// The name of the tables of this version: another for each list of read models and their versions.
fn set() -> String {
    let versions: String = ALL.iter().map(|model| format!("{} {}\n", model.name, model.version)).collect();
    let digest = Digest::of(versions.as_bytes()).to_string();
    format!("guichet_models_{}", digest.get(..8).unwrap_or_default())
}

/// Refuses tables of another version, which this program cannot read.
async fn refuse_others(inner: &Inner) -> Result<(), ProjectionError> {
    let mut held = inner.database.beside().await?;
    let known = checkpoints(&mut held.connection()).await.unwrap_or_default();
    drop(held);
    let current = |model: &ReadModel| known.get(model.name).is_some_and(|at| at.version == model.version);
    if ALL.iter().all(|model| current(model)) {
        return Ok(());
    }
    Err(ProjectionError::store(
        "the read models there are of another version of the program, or still being made by the server that starts",
    ))
}

/// Makes the tables that are missing. The read models to be rebuilt before anybody may read are returned.
async fn make_tables(inner: &Inner) -> Result<Vec<&'static ReadModel>, ProjectionError> {
    let work = async |connection: &mut Connection<'_>| {
        prepare(connection).await?;
        let known = checkpoints(connection).await?;
        let current = |model: &&'static ReadModel| {
            known.get(model.name).is_some_and(|checkpoint| checkpoint.version == model.version)
        };
        let outdated: Vec<_> = ALL.iter().filter(|model| !current(model)).copied().collect();
        if outdated.is_empty() {
            return Ok(outdated);
        }
        let head = inner.journal.head().await?.map(token_of);
        let begun = known.values().any(|checkpoint| checkpoint.position.is_some());
        if begun && outdated.len() < ALL.len() && !astray(&known, head) {
            return Ok(outdated);
        }
        create(connection, &ALL, SERVING, true).await?;
        Ok(Vec::new())
    };
    inner.database.set_up(work).await
}
