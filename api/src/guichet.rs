//! The library's face: a town hall's engine on one data folder.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use guichet_engine::journal::{
    Journal, JournalError, MemoryJournal, Position, PostgresJournal, PostgresKeyStore, PostgresOptions,
    SqliteBeside, SqliteJournal,
};
#[cfg(feature = "kurrentdb")]
use guichet_engine::journal::{KEYS_FILE, KeyStore, KurrentJournal, MemoryKeyStore, SqliteKeyStore};
use guichet_engine::rules::language::Catalogue;
use guichet_engine::rules::request::{Actor, CommandId, Facts, Request, RequestId, What, allowed};
use guichet_engine::rules::text::Language;
use guichet_engine::{Ambient, Engine, EngineError, Entry, Known, Published, Receipt, Span, Submission};

use guichet_projections::{Place, ProjectionError, ReadModels};

use crate::attachments::{AttachmentError, Attachments};
use crate::channels::limits::Limits;
use crate::dashboard::Dashboard;
use crate::diagram::{Chart, Names, chart, mark};
use crate::dossier::Dossier;
use crate::explanation::{Explained, explain};
use crate::options::Options;
use crate::outbound::{FileOutbound, MemoryOutbound, Outbound};
use crate::payments::Payments;
use crate::publish::{PublishError, load_folder, publication_of};
use crate::request::NewRequest;
#[cfg(feature = "kurrentdb")]
use crate::store::Address;
use crate::store::{Store, StoreError};
use crate::troubles::Troubles;
use crate::workers::Workers;

/// The file of the read models in the data folder.
pub const READ_MODELS_FILE: &str = "read-models.db";

/// Why a data folder cannot be opened. Nothing was changed in it then.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The journal or its keys: in use by another server, read-only, written by a newer version, damaged, full …
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// What was published cannot be read.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The read models cannot be opened.
    #[error(transparent)]
    ReadModels(#[from] ProjectionError),
    /// The store that was named is none that this program knows.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The bucket of the files, or a scanner, is not configured so that it can be used.
    #[error("the files that requests name cannot be used: {0}")]
    Files(#[from] AttachmentError),
    /// The folder for messages cannot be made.
    #[error("the data folder `{path}`, or the one for messages below it, cannot be made: {source}")]
    Outbox {
        /// The data folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// A town hall's engine: receives requests, carries them through their processes, remembers everything.
///
/// It is cheap to clone; all clones are the same engine.
#[derive(Clone)]
pub struct Guichet {
    inner: Arc<Inner>,
}

struct Inner {
    engine: Engine,
    models: ReadModels,
    outbound: Arc<dyn Outbound>,
    attachments: Attachments,
    payments: Payments,
    options: Options,
    /// By what those who look at claims tell this server from others.
    name: String,
    /// When the store last refused to take anything, if it has taken nothing since.
    refused: Mutex<Option<Instant>>,
    /// How much came in lately by ways that anybody can use.
    limits: Limits,
    /// What does not work on this server now.
    troubles: Troubles,
}

/// How long a store that refused counts as refusing; then it is tried again.
const REFUSED_FOR: Duration = Duration::from_secs(30);

impl Guichet {
    /// Opens a data folder, and makes it when it is new. The folder belongs to this program until [`Guichet::close`],
    /// or until the program ends, however it ends.
    ///
    /// # Errors
    /// [`OpenError`], and then nothing was changed: the folder is used by another server, cannot be written, was
    /// written by a newer version, is damaged, has lost its keys, or its disk is full.
    pub async fn open(options: Options) -> Result<Self, OpenError> {
        let (journal, beside) = journal_of(&options).await?;
        let read_models = options.read_models.clone().unwrap_or(beside);
        let outbound: Arc<dyn Outbound> = match &options.outbound {
            Some(outbound) => Arc::clone(outbound),
            None => Arc::new(
                FileOutbound::new(options.data.join("outbox"))
                    .map_err(|source| OpenError::Outbox { path: options.data.clone(), source })?,
            ),
        };
        Self::start(journal, &read_models, outbound, options).await
    }

    /// An engine whose journal and keys last until the program ends: for tests and trials. The read models still stand
    /// in the data folder.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn in_memory(options: Options) -> Result<Self, OpenError> {
        Self::on_journal(Arc::new(MemoryJournal::new()?), options).await
    }

    /// An engine on a journal that the caller opened, or made of another. The read models stand in the data folder.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn on_journal(journal: Arc<dyn Journal>, options: Options) -> Result<Self, OpenError> {
        make_folder(&options.data)?;
        let outbound = options.outbound.clone().unwrap_or_else(|| Arc::new(MemoryOutbound::default()));
        let read_models = Place::Sqlite(options.data.join(READ_MODELS_FILE));
        Self::start(journal, &read_models, outbound, options).await
    }

    /// Opens a data folder for reading beside the server that holds it; commands are refused. A store that several
    /// programs may use at once is opened as by [`Guichet::open`].
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn open_beside(options: Options) -> Result<Self, OpenError> {
        let Store::Sqlite(folder) = &options.store else { return Self::open(options).await };
        let journal: Arc<dyn Journal> = Arc::new(SqliteBeside::open(folder).await?);
        let beside = Place::Sqlite(folder.join(READ_MODELS_FILE));
        let place = options.read_models.clone().unwrap_or(beside);
        let models = ReadModels::open_beside(&place, Arc::clone(&journal)).await?;
        Self::of(journal, models, Arc::new(MemoryOutbound::default()), options).await
    }

    async fn start(
        journal: Arc<dyn Journal>,
        read_models: &Place,
        outbound: Arc<dyn Outbound>,
        options: Options,
    ) -> Result<Self, OpenError> {
        let models = ReadModels::open(read_models, Arc::clone(&journal)).await?;
        Self::of(journal, models, outbound, options).await
    }

    async fn of(
        journal: Arc<dyn Journal>,
        models: ReadModels,
        outbound: Arc<dyn Outbound>,
        options: Options,
    ) -> Result<Self, OpenError> {
        let engine = Engine::new(journal, Arc::clone(&options.ambient));
        engine.refresh().await?;
        let mut drawn = [0; 4];
        // Not the engine's own chance: a simulation's must not depend on how often it was opened.
        getrandom::fill(&mut drawn).map_err(|error| EngineError::Chance(error.to_string()))?;
        let name = format!("{}-{:08x}", std::process::id(), u32::from_be_bytes(drawn));
        let attachments = Attachments::new(&options.data, &options.settings, &options.ambient)?;
        let payments = Payments::new(&options.settings);
        let (refused, limits, troubles) = (Mutex::default(), Limits::default(), Troubles::default());
        let inner = Inner {
            engine,
            models,
            outbound,
            attachments,
            payments,
            options,
            name,
            refused,
            limits,
            troubles,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The engine beneath.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.inner.engine
    }

    /// The read models: lists, inbox, figures, timelines.
    #[must_use]
    pub fn read_models(&self) -> &ReadModels {
        &self.inner.models
    }

    /// What the installation chose.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.inner.options
    }

    /// The way out for messages.
    #[must_use]
    pub fn outbound(&self) -> &Arc<dyn Outbound> {
        &self.inner.outbound
    }

    /// The files that requests name.
    #[must_use]
    pub fn attachments(&self) -> &Attachments {
        &self.inner.attachments
    }

    /// How much came in lately by ways that anybody can use.
    #[must_use]
    pub(crate) fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    /// What does not work on this server now, though the server does.
    #[must_use]
    pub(crate) fn troubles(&self) -> &Troubles {
        &self.inner.troubles
    }

    /// The providers that take money.
    #[must_use]
    pub fn payments(&self) -> &Payments {
        &self.inner.payments
    }

    /// Time and chance.
    #[must_use]
    pub fn ambient(&self) -> &Arc<dyn Ambient> {
        &self.inner.options.ambient
    }

    /// Now (UTC), by the engine's clock.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.ambient().now()
    }

    /// An id for a command that nobody will send twice.
    ///
    /// # Errors
    /// [`EngineError::Chance`] when the system gives no random bytes.
    pub fn fresh_command_id(&self) -> Result<CommandId, EngineError> {
        let mut bytes = [0; 10];
        self.ambient().fill(&mut bytes).map_err(EngineError::Chance)?;
        let millis = u64::try_from(self.now().timestamp_millis()).unwrap_or_default();
        Ok(CommandId(uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid()))
    }

    /// Brings the catalogue of a folder into force, for the collectivities that it names. What is in force already is
    /// left alone; requests under way stay on their version.
    ///
    /// # Errors
    /// [`PublishError`], and then nothing of it is in force.
    pub async fn publish_folder(&self, folder: &Path) -> Result<Published, PublishError> {
        self.publish(&load_folder(folder)?).await
    }

    /// Brings a catalogue into force.
    ///
    /// # Errors
    /// [`PublishError::Engine`].
    pub async fn publish(&self, catalogue: &Catalogue) -> Result<Published, PublishError> {
        Ok(self.inner.engine.publish(&publication_of(catalogue), &Actor::Engine).await?)
    }

    /// Receives a request. The receipt holds its id and the tracking code for the citizen.
    ///
    /// # Errors
    /// As [`Engine::submit`].
    pub async fn receive(&self, request: NewRequest) -> Result<Receipt, EngineError> {
        let command_id = match request.command_id {
            Some(id) => id,
            None => self.fresh_command_id()?,
        };
        self.submit(Submission {
            tenant: request.tenant.clone(),
            request: None,
            actor: request.actor.clone(),
            command_id,
            occurred_at: request.occurred_at,
            expected: None,
            command: request.command(),
        })
        .await
    }

    /// Decides a command and makes what it brings about durable.
    ///
    /// # Errors
    /// As [`Engine::submit`].
    pub async fn submit(&self, submission: Submission) -> Result<Receipt, EngineError> {
        // Before it is decided: a file that was named is never without its note.
        self.inner.attachments.note(&submission).await.map_err(unnoted)?;
        let done = self.inner.engine.submit(submission).await;
        let refused = || self.inner.refused.lock().unwrap_or_else(PoisonError::into_inner);
        match &done {
            Ok(_) => *refused() = None,
            Err(EngineError::Journal(JournalError::Full | JournalError::ReadOnly { .. })) => {
                *refused() = Some(Instant::now());
            }
            Err(_) => {}
        }
        done
    }

    /// By what those who look at claims tell this server from others: the number of its process, and one drawn when it
    /// was opened.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// Whether the store lately refused to take anything: its disk is full, or it may only be read.
    #[must_use]
    pub fn refuses(&self) -> bool {
        let refused = self.inner.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.is_some_and(|at| at.elapsed() < REFUSED_FOR)
    }

    /// A request as it stands.
    ///
    /// # Errors
    /// As [`Engine::state`].
    pub async fn request(&self, tenant: &str, request: RequestId) -> Result<Known, EngineError> {
        self.inner.engine.state(tenant, request).await
    }

    /// The history of a request; `open` opens its personal parts.
    ///
    /// # Errors
    /// As [`Engine::history`].
    pub async fn history(
        &self,
        tenant: &str,
        request: RequestId,
        span: &Span,
        open: bool,
    ) -> Result<Vec<Entry>, EngineError> {
        self.inner.engine.history(tenant, request, span, open).await
    }

    /// A request as it was at an instant, or as it was known then.
    ///
    /// # Errors
    /// As [`Engine::replay`].
    pub async fn replay(
        &self,
        tenant: &str,
        request: RequestId,
        span: &Span,
    ) -> Result<Option<Request>, EngineError> {
        self.inner.engine.replay(tenant, request, span).await
    }

    /// Waits until the read models have seen what a receipt tells of.
    ///
    /// # Errors
    /// As [`ReadModels::wait_for`].
    pub async fn wait_for(&self, position: Position, timeout: Duration) -> Result<(), ProjectionError> {
        self.inner.models.wait_for(position, timeout).await
    }

    /// The commands that `actor` could give to a request now, by name.
    #[must_use]
    pub fn allowed(&self, known: &Known, actor: &Actor) -> Vec<&'static str> {
        let now = self.now();
        let facts = Facts {
            tenant: &known.request.tenant,
            request: known.request.id,
            now,
            occurred_at: now,
            actor,
            plan: &known.plan,
            organisation: &known.organisation,
            tracking: None,
            target: None,
            other: None,
        };
        allowed(&known.request, &facts)
    }

    /// What was said in a request, opened for someone who may read it.
    ///
    /// # Errors
    /// As [`Engine::history`].
    pub async fn dossier(&self, tenant: &str, known: &Known) -> Result<Dossier, EngineError> {
        let history = self.history(tenant, known.request.id, &Span::default(), true).await?;
        Ok(Dossier::of(&history, &known.request))
    }

    /// The picture of the process that a request follows, with the request marked on it. Nothing of it is personal.
    ///
    /// # Errors
    /// As [`Engine::history`].
    pub async fn diagram(
        &self,
        tenant: &str,
        request: RequestId,
        language: Language,
    ) -> Result<Chart, EngineError> {
        let known = self.request(tenant, request).await?;
        let history = self.history(tenant, request, &Span::default(), false).await?;
        let definition = known.plan.definition();
        let mut drawn = chart(definition, &Names::of(&known.organisation), language);
        mark(&mut drawn, definition, &known.request, history.iter().map(|entry| &entry.event.what));
        Ok(drawn)
    }

    /// Why a request went where it went, and why each promise is due when it is.
    ///
    /// # Errors
    /// As [`Engine::history`].
    pub async fn explain(&self, tenant: &str, request: RequestId) -> Result<Explained, EngineError> {
        let known = self.request(tenant, request).await?;
        let history = self.history(tenant, request, &Span::default(), false).await?;
        let definitions = self.engine().definitions();
        let followed = history.iter().filter_map(|entry| match &entry.event.what {
            What::Received(event) => Some(&event.definition),
            What::Reclassified(event) => Some(&event.definition),
            What::Migrated(event) => Some(&event.definition),
            _ => None,
        });
        let mut versions = Vec::new();
        for hash in followed {
            if let Some(plan) = self.engine().published(hash).await? {
                versions.push((plan, definitions.sources(hash).unwrap_or_default()));
            }
        }
        Ok(explain(&known, &history, &versions))
    }

    /// The figures of a collectivity, or of all of them.
    ///
    /// # Errors
    /// As [`Dashboard::read`].
    pub async fn dashboard(&self, tenant: Option<&str>) -> Result<Dashboard, ProjectionError> {
        Dashboard::read(self.read_models(), self.engine().definitions(), tenant, self.now()).await
    }

    /// Starts the workers of timers and of the outbox.
    #[must_use]
    pub fn start_workers(&self) -> Workers {
        Workers::start(self)
    }

    /// Finishes what is under way and gives the data folder back. Stop the workers first.
    pub async fn close(&self) {
        self.inner.models.close().await;
        self.inner.engine.journal().close().await;
    }
}

/// The journal of a store, and where its read models stand.
async fn journal_of(options: &Options) -> Result<(Arc<dyn Journal>, Place), OpenError> {
    Ok(match &options.store {
        Store::Sqlite(folder) => {
            (Arc::new(SqliteJournal::open(folder).await?), Place::Sqlite(folder.join(READ_MODELS_FILE)))
        }
        Store::Postgres(address) => {
            make_folder(&options.data)?;
            let database = PostgresOptions::parse(address.secret())?;
            let keys = Arc::new(PostgresKeyStore::open(&database, &options.data).await?);
            let journal = PostgresJournal::open(&database, keys).await?;
            (Arc::new(journal), Place::Postgres(address.secret().to_owned()))
        }
        #[cfg(feature = "kurrentdb")]
        Store::Kurrent(address) => {
            make_folder(&options.data)?;
            // Its keys stand where its read models do: several servers that share these share those.
            let keys: Arc<dyn KeyStore> = match &options.read_models {
                Some(Place::Postgres(url)) => {
                    Arc::new(PostgresKeyStore::open(&PostgresOptions::parse(url)?, &options.data).await?)
                }
                Some(Place::Sqlite(_)) | None => {
                    let made = options.data.join(KEYS_FILE).exists();
                    let new = !made && is_empty(address).await?;
                    Arc::new(SqliteKeyStore::open(&options.data, new).await?)
                }
            };
            let journal = KurrentJournal::open(address.secret(), keys).await?;
            (Arc::new(journal), Place::Sqlite(options.data.join(READ_MODELS_FILE)))
        }
    })
}

/// Whether a cluster holds no event, and so no key can be missing.
#[cfg(feature = "kurrentdb")]
async fn is_empty(address: &Address) -> Result<bool, OpenError> {
    let journal = KurrentJournal::open(address.secret(), Arc::new(MemoryKeyStore::new()?)).await?;
    let head = journal.head().await;
    journal.close().await;
    Ok(head?.is_none())
}

/// The files cannot note what a command names: nothing was decided.
#[allow(clippy::needless_pass_by_value, reason = "it is handed to map_err")]
pub(crate) fn unnoted(error: AttachmentError) -> EngineError {
    match error {
        AttachmentError::UnknownTenant => EngineError::UnknownTenant,
        AttachmentError::Full => JournalError::Full.into(),
        other => JournalError::Unavailable { reason: other.to_string() }.into(),
    }
}

fn make_folder(path: &Path) -> Result<(), OpenError> {
    std::fs::create_dir_all(path).map_err(|source| OpenError::Outbox { path: path.to_owned(), source })
}

impl std::fmt::Debug for Guichet {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Guichet").field("options", &self.inner.options).finish_non_exhaustive()
    }
}
