//! What other servers write into the same journal, and how this one does not decide or answer by what has changed.
//!
//! Where the journal is this program's alone, nothing here asks anything. Where it is shared, whatever was acknowledged
//! before a command or a question came in, here or elsewhere, is known before it is answered:
//! - a command is decided on the file in memory, and appended only if that is the file as it stands; a refusal stands
//!   only once the file was found to be the latest;
//! - the organisation, and the process where its version in force matters, are confirmed by their own streams;
//! - a request that is shown is confirmed by its stream.

use std::sync::Arc;

use guichet_journal::{Journal, JournalError, Revision, StreamId, Tenant};
use guichet_rules::organisation::Organisation;
use guichet_rules::process::{
    ORGANISATION_STREAM, PROCESS_STREAM, Plan, organisation_stream, process_stream,
};
use guichet_rules::request::{Command, Request};

use crate::definitions::Definitions;
use crate::error::EngineError;
use crate::file::{File, Folder, PAGE, decoded};
use crate::names::tenant_of;
use crate::submit::Engine;

impl Definitions {
    /// Takes in what stands in a stream of definitions behind what is known of it.
    pub(crate) async fn confirm(&self, journal: &dyn Journal, stream: &StreamId) -> Result<(), EngineError> {
        let question = async {
            loop {
                let from = self.head(stream).map_or(Revision::FIRST, Revision::next);
                let page = journal.read(stream, from, PAGE).await?;
                for event in &page {
                    self.take(event)?;
                }
                if page.len() < PAGE {
                    return Ok(());
                }
            }
        };
        self.flights.ask(stream, question).await
    }
}

impl Engine {
    /// Makes sure that what is known of the organisation, and of the process whose version in force decides, is what
    /// the journal holds now.
    pub(crate) async fn confirm(&self, tenant: &Tenant, process: Option<&str>) -> Result<(), EngineError> {
        if !self.journal().is_shared() {
            return Ok(());
        }
        let journal = self.journal().as_ref();
        let organisation = StreamId::new(tenant, ORGANISATION_STREAM, organisation_stream(tenant.as_str()));
        let organisation = organisation.map_err(JournalError::from)?;
        let Some(process) = process else { return self.definitions().confirm(journal, &organisation).await };
        let process =
            StreamId::new(tenant, PROCESS_STREAM, process_stream(process)).map_err(JournalError::from)?;
        tokio::try_join!(
            self.definitions().confirm(journal, &organisation),
            self.definitions().confirm(journal, &process)
        )?;
        Ok(())
    }

    /// The organisation of a collectivity as the journal holds it now; none where there is no such collectivity.
    ///
    /// # Errors
    /// [`EngineError::Journal`].
    pub async fn organisation_now(&self, tenant: &str) -> Result<Option<Arc<Organisation>>, EngineError> {
        // What cannot be a collectivity's name is none's.
        let Ok(name) = tenant_of(tenant) else { return Ok(None) };
        self.confirm(&name, None).await?;
        Ok(self.definitions().organisation(tenant))
    }

    /// The version of a process that is in force in a collectivity now; none where there is none.
    ///
    /// # Errors
    /// [`EngineError::Journal`].
    pub async fn in_force_now(&self, tenant: &str, process: &str) -> Result<Option<Arc<Plan>>, EngineError> {
        let Ok(name) = tenant_of(tenant) else { return Ok(None) };
        self.confirm(&name, Some(process)).await?;
        Ok(self.definitions().in_force(tenant, process))
    }

    /// The version that a request is pinned to, read from its process's stream if another server published it.
    pub(crate) async fn pinned(&self, request: &Request) -> Result<Arc<Plan>, EngineError> {
        let hash = &request.definition;
        if let Some(plan) = self.definitions().version(hash) {
            return Ok(plan);
        }
        self.confirm(&tenant_of(&request.tenant)?, Some(&request.process)).await?;
        if self.definitions().version(hash).is_none() {
            self.refresh().await?;
        }
        self.definitions().version(hash).ok_or_else(|| EngineError::MissingDefinition(hash.0.clone()))
    }

    /// The request's file as the journal holds it now.
    pub(crate) async fn current_file(&self, stream: &StreamId) -> Result<Option<Arc<File>>, EngineError> {
        match self.cached(stream) {
            Some(file) => self.caught_up(stream, file).await.map(Some),
            None => self.file(stream).await,
        }
    }

    /// A file from memory, with what other servers appended since.
    pub(crate) async fn caught_up(
        &self,
        stream: &StreamId,
        mut file: Arc<File>,
    ) -> Result<Arc<File>, EngineError> {
        if !self.journal().is_shared() {
            return Ok(file);
        }
        loop {
            let from = Revision::new(file.revision).next();
            let page = self.journal().read(stream, from, PAGE).await?;
            if !page.is_empty() {
                let mut folder = Folder::from(&file);
                for recorded in &page {
                    folder.take(recorded, &decoded(recorded)?)?;
                }
                file = Arc::new(folder.finish().ok_or(EngineError::UnknownRequest)?);
                self.cache(stream, &file);
            }
            if page.len() < PAGE {
                return Ok(file);
            }
        }
    }
}

/// The process whose version in force matters to a command.
pub(crate) fn in_force_for(command: &Command) -> Option<&str> {
    match command {
        Command::Receive { process, .. } | Command::Qualify { process: Some(process), .. } => Some(process),
        _ => None,
    }
}
