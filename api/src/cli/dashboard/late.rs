//! A promise that was not kept, explained.

use chrono::{DateTime, Utc};
use guichet_engine::rules::request::RequestId;
use guichet_engine::rules::text::Language;
use guichet_projections::Commitment;
use serde::Serialize;

use crate::Guichet;
use crate::cli::failure::Failure;
use crate::cli::store;

/// Why a promise was due when it was, and where the request stands.
#[derive(Debug, Serialize)]
pub(crate) struct Late {
    pub(crate) request: RequestId,
    pub(crate) tenant: String,
    pub(crate) process: String,
    pub(crate) commitment: String,
    pub(crate) due: DateTime<Utc>,
    /// The rule in the designer's file.
    pub(crate) rule: Option<String>,
    /// The reasoning.
    pub(crate) why: Vec<String>,
    /// What last happened to it.
    pub(crate) last: Option<String>,
}

impl Late {
    pub(crate) async fn read(
        guichet: &Guichet,
        promise: &Commitment,
        language: Language,
    ) -> Result<Option<Self>, Failure> {
        let explained = guichet.explain(&promise.tenant, promise.request).await;
        let explained = explained.map_err(|error| store::engine(&error, language))?;
        let clock = explained
            .clocks
            .into_iter()
            .find(|clock| clock.commitment == promise.commitment && clock.cycle == promise.cycle);
        let Some(clock) = clock else { return Ok(None) };
        let timeline = guichet.read_models().timeline(&promise.tenant, promise.request).await;
        let timeline = timeline.map_err(|error| store::reading(&error, language))?.value;
        // That a promise is broken is known already; what the people last did is the news.
        let last = timeline.iter().rev().find(|entry| entry.actor != "engine");
        Ok(Some(Self {
            request: promise.request,
            tenant: promise.tenant.clone(),
            process: promise.process.clone(),
            commitment: promise.commitment.clone(),
            due: promise.due,
            rule: clock.rule.and_then(|rule| rule.source).map(|line| format!("{}:{}", line.file, line.line)),
            why: match language {
                Language::Fr => clock.fr,
                Language::En => clock.en,
            },
            last: last.map(|entry| format!("{} ({})", entry.text.get(language), entry.actor)),
        }))
    }
}
