//! A real request’s history as a scenario without personal data.

use std::sync::Arc;

use guichet_engine::rules::organisation::Organisation;
use guichet_engine::rules::process::Plan;
use guichet_engine::rules::request::scenario::{Recorded, Source, Unrecordable, record};
use guichet_engine::rules::request::{Event, Meta, RequestId, What};
use guichet_engine::rules::text::Language;
use guichet_engine::{EngineError, Span};

use crate::guichet::Guichet;

/// Why a request cannot be recorded as a scenario.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Its history cannot be read.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Its history cannot be told as a scenario.
    #[error(transparent)]
    Unrecordable(#[from] Unrecordable),
}

impl Guichet {
    /// The history of a request as a scenario: commands, local times, and what to expect at its milestones. Nothing
    /// personal is opened for it. `outbound_at_once` is that of the file it is for, if it is for one.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn record(
        &self,
        tenant: &str,
        request: RequestId,
        language: Language,
        outbound_at_once: Option<bool>,
    ) -> Result<Recorded, RecordError> {
        let entries = self.history(tenant, request, &Span::default(), false).await?;
        let history: Vec<(Event, Meta)> =
            entries.into_iter().map(|entry| (entry.event, entry.meta)).collect();
        let definitions = self.engine().definitions();
        let followed = history.iter().filter_map(|(event, _)| match &event.what {
            What::Received(event) => definitions.version(&event.definition),
            What::Reclassified(event) => definitions.version(&event.definition),
            _ => None,
        });
        let plans: Vec<Arc<Plan>> = followed.collect();
        let organisation: Arc<Organisation> = definitions.organisation(tenant).unwrap_or_default();
        let source = Source {
            history: &history,
            plans: &plans,
            organisation: &organisation,
            language,
            outbound_at_once,
        };
        Ok(record(&source)?)
    }
}
