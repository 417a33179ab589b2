//! Looking back: the history of a request, and what it was, or was known to be, at an instant.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use guichet_journal::{Position, Recorded, Revision};
use guichet_rules::organisation::Organisation;
use guichet_rules::process::Plan;
use guichet_rules::request::{Event, Meta, Request, RequestId, evolve};

use crate::error::EngineError;
use crate::file::{PAGE, decoded, known, meta_of};
use crate::names::{request_stream, tenant_of};
use crate::submit::Engine;

/// Which part of a history counts. Both bounds are included (UTC).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    /// Only what had happened by then, whenever it was recorded.
    pub at: Option<DateTime<Utc>>,
    /// Only what had been recorded by then: what the town hall could know.
    pub as_known_at: Option<DateTime<Utc>>,
}

impl Span {
    fn holds(&self, meta: &Meta) -> bool {
        self.at.is_none_or(|at| meta.occurred_at <= at)
            && self.as_known_at.is_none_or(|known| meta.recorded_at <= known)
    }
}

/// One event of a history.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its place in the request's stream.
    pub revision: u64,
    /// Its place in the journal.
    pub position: Position,
    /// What happened.
    pub event: Event,
    /// Who, where, when.
    pub meta: Meta,
}

/// A request as it stands.
#[derive(Debug, Clone)]
pub struct Known {
    /// Its state.
    pub request: Arc<Request>,
    /// Its revision.
    pub revision: u64,
    /// The process that it is pinned to.
    pub plan: Arc<Plan>,
    /// The organisation as it stands.
    pub organisation: Arc<Organisation>,
}

impl Engine {
    /// The request as it stands.
    ///
    /// # Errors
    /// [`EngineError::UnknownRequest`] when this collectivity has no such request, whoever else may have it.
    pub async fn state(&self, tenant: &str, request: RequestId) -> Result<Known, EngineError> {
        let stream = request_stream(&tenant_of(tenant)?, request)?;
        let file = self.current_file(&stream).await?.ok_or(EngineError::UnknownRequest)?;
        self.confirm(&tenant_of(tenant)?, None).await?;
        Ok(Known {
            request: Arc::clone(&file.request),
            revision: file.revision,
            plan: self.pinned(&file.request).await?,
            organisation: self.organisation(tenant),
        })
    }

    /// The events of a request that `span` lets count, in order; with `open`, their personal parts are opened as far
    /// as their keys still exist.
    ///
    /// # Errors
    /// [`EngineError::UnknownRequest`] when there is no such request.
    pub async fn history(
        &self,
        tenant: &str,
        request: RequestId,
        span: &Span,
        open: bool,
    ) -> Result<Vec<Entry>, EngineError> {
        let mut entries = Vec::new();
        for recorded in self.recorded(tenant, request).await? {
            known(&recorded)?;
            let meta = meta_of(&recorded)?;
            if !span.holds(&meta) {
                continue;
            }
            let event = if open { self.opened(&recorded).await? } else { decoded(&recorded)? };
            let revision = recorded.header()?.revision.get();
            entries.push(Entry { revision, position: recorded.position(), event, meta });
        }
        Ok(entries)
    }

    /// The request as it was, or as it was known; `None` where nothing had happened yet.
    ///
    /// # Errors
    /// [`EngineError::UnknownRequest`] when there is no such request at all.
    pub async fn replay(
        &self,
        tenant: &str,
        request: RequestId,
        span: &Span,
    ) -> Result<Option<Request>, EngineError> {
        let entries = self.history(tenant, request, span, false).await?;
        Ok(entries.iter().fold(None, |request, entry| evolve(request, &entry.event, &entry.meta)))
    }

    /// The stored events of a request, for those who check digests.
    ///
    /// # Errors
    /// [`EngineError::UnknownRequest`] when there is no such request.
    pub async fn recorded(&self, tenant: &str, request: RequestId) -> Result<Vec<Recorded>, EngineError> {
        let stream = request_stream(&tenant_of(tenant)?, request)?;
        let mut events: Vec<Recorded> = Vec::new();
        loop {
            let from = match events.last() {
                Some(last) => last.header()?.revision.next(),
                None => Revision::FIRST,
            };
            let page = self.journal().read(&stream, from, PAGE).await?;
            let full = page.len() == PAGE;
            events.extend(page);
            if !full {
                break;
            }
        }
        if events.is_empty() { Err(EngineError::UnknownRequest) } else { Ok(events) }
    }
}
