//! The library's face: a town hall's engine on one data folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use guichet_engine::journal::{Journal, JournalError, MemoryJournal, SqliteJournal};
use guichet_engine::rules::language::Catalogue;
use guichet_engine::rules::request::{Actor, CommandId, Request, RequestId};
use guichet_engine::{Ambient, Engine, EngineError, Entry, Known, Published, Receipt, Span, Submission};

use crate::options::Options;
use crate::outbound::{FileOutbound, MemoryOutbound, Outbound};
use crate::publish::{PublishError, load_folder, publication_of};
use crate::request::NewRequest;

/// Why a data folder cannot be opened. Nothing was changed in it then.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The journal or its keys: in use by another server, read-only, written by a newer version, damaged, full …
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// What was published cannot be read.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The folder for messages cannot be made.
    #[error("the folder for messages below `{path}` cannot be made: {source}")]
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
    outbound: Arc<dyn Outbound>,
    options: Options,
}

impl Guichet {
    /// Opens a data folder, and makes it when it is new. The folder belongs to this program until [`Guichet::close`],
    /// or until the program ends, however it ends.
    ///
    /// # Errors
    /// [`OpenError`], and then nothing was changed: the folder is used by another server, cannot be written, was
    /// written by a newer version, is damaged, has lost its keys, or its disk is full.
    pub async fn open(options: Options) -> Result<Self, OpenError> {
        let journal = Arc::new(SqliteJournal::open(&options.data).await?);
        let outbound: Arc<dyn Outbound> = match &options.outbound {
            Some(outbound) => Arc::clone(outbound),
            None => Arc::new(
                FileOutbound::new(options.data.join("outbox"))
                    .map_err(|source| OpenError::Outbox { path: options.data.clone(), source })?,
            ),
        };
        Self::start(journal, outbound, options).await
    }

    /// An engine that remembers until the program ends: for tests and trials.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn in_memory(options: Options) -> Result<Self, OpenError> {
        let journal = Arc::new(MemoryJournal::new()?);
        let outbound = options.outbound.clone().unwrap_or_else(|| Arc::new(MemoryOutbound::default()));
        Self::start(journal, outbound, options).await
    }

    async fn start(
        journal: Arc<dyn Journal>,
        outbound: Arc<dyn Outbound>,
        options: Options,
    ) -> Result<Self, OpenError> {
        let engine = Engine::new(journal, Arc::clone(&options.ambient));
        engine.refresh().await?;
        Ok(Self { inner: Arc::new(Inner { engine, outbound, options }) })
    }

    /// The engine beneath.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.inner.engine
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
        self.inner.engine.submit(submission).await
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

    /// Finishes what is under way and gives the data folder back.
    pub async fn close(&self) {
        self.inner.engine.journal().close().await;
    }
}

impl std::fmt::Debug for Guichet {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Guichet").field("options", &self.inner.options).finish_non_exhaustive()
    }
}
