//! Records beside requests: loaded, decided on, appended, as requests are, without a state kept in memory.

use chrono::{DateTime, Utc};
use guichet_journal::{
    Append, Body, CommandId as JournalCommandId, Digest, Expected, JournalError, NewEvent, Position,
    Recorded, Revision, StreamId,
};
use guichet_rules::process::REQUEST_STREAM;
use guichet_rules::records::RecordEvent;
use guichet_rules::request::{Actor, CommandId, Meta, Rejection, RequestId};
use serde::Serialize;
use uuid::Uuid;

use crate::error::EngineError;
use crate::file::{PAGE, known, meta_of};
use crate::job::pseudonym;
use crate::names::{request_stream, tenant_of};
use crate::submit::Engine;

/// How often a command is decided again when others change the same record at the same moment.
const ATTEMPTS: usize = 8;

/// A command for a record on its way.
#[derive(Debug, Clone)]
pub struct RecordSubmission<'a, T> {
    /// The collectivity.
    pub tenant: &'a str,
    /// The kind of stream, one of [`guichet_rules::records::RECORD_STREAMS`].
    pub kind: &'static str,
    /// The record: the id of its stream, with nothing personal in it.
    pub record: Uuid,
    /// Who asks.
    pub actor: &'a Actor,
    /// The command's id; the same id sent again answers the first receipt.
    pub command_id: CommandId,
    /// What is asked, whole: the same id with other content is refused.
    pub content: &'a T,
}

/// What became of a command for a record.
#[derive(Debug, Clone)]
pub struct RecordReceipt {
    /// The record.
    pub record: Uuid,
    /// The record's last revision; none where it has no events.
    pub revision: Option<u64>,
    /// A reader that has passed this position has seen it; none where nothing had to happen.
    pub position: Option<Position>,
    /// Whether the same command had come before; then nothing was appended.
    pub repeated: bool,
    /// What happened.
    pub events: Vec<RecordEvent>,
}

/// One event of a record.
#[derive(Debug, Clone)]
pub struct RecordEntry {
    /// Its place in the record's stream.
    pub revision: u64,
    /// Its place in the journal.
    pub position: Position,
    /// The command that made it happen.
    pub command: Uuid,
    /// What happened.
    pub event: RecordEvent,
    /// Who, where, when.
    pub meta: Meta,
}

impl Engine {
    /// Decides a command on a record and appends what it makes happen, whole or not at all. `decide` is given what has
    /// happened, personal parts sealed, and now (UTC); it answers what happens, nothing where nothing has to.
    ///
    /// # Errors
    /// [`EngineError::Rejected`] when `decide` refuses; otherwise as [`Engine::submit`].
    pub async fn record<T, D>(
        &self,
        submission: &RecordSubmission<'_, T>,
        decide: D,
    ) -> Result<RecordReceipt, EngineError>
    where
        T: Serialize + Sync,
        D: Fn(&[RecordEntry], DateTime<Utc>) -> Result<Vec<RecordEvent>, Rejection> + Send + Sync,
    {
        let tenant = tenant_of(submission.tenant)?;
        if self.organisation_now(tenant.as_str()).await?.is_none() {
            return Err(EngineError::UnknownTenant);
        }
        let stream =
            StreamId::new(&tenant, submission.kind, submission.record).map_err(JournalError::from)?;
        for _ in 0..ATTEMPTS {
            let entries = self.entries(&stream, false).await?;
            let now = self.ambient().now();
            let is_ours = |entry: &RecordEntry| entry.command == submission.command_id.0;
            let revision = entries.last().map(|entry| entry.revision);
            if entries.iter().any(is_ours) {
                // Opened: what the journal sealed is nothing that can be given to it again.
                let opened = self.entries(&stream, true).await?.into_iter().filter(is_ours);
                let repeated: Vec<RecordEvent> = opened.map(|entry| entry.event).collect();
                let append = append(submission, &stream, Expected::NoStream, &repeated, now)?;
                let done = self.journal().append(append).await?;
                let position = Some(done.position);
                let record = submission.record;
                return Ok(RecordReceipt { record, revision, position, repeated: true, events: repeated });
            }
            let events = decide(&entries, now)?;
            if events.is_empty() {
                let (record, position) = (submission.record, None);
                return Ok(RecordReceipt { record, revision, position, repeated: false, events });
            }
            let expected =
                revision.map_or(Expected::NoStream, |revision| Expected::Exact(Revision::new(revision)));
            match self.journal().append(append(submission, &stream, expected, &events, now)?).await {
                Ok(done) => {
                    return Ok(RecordReceipt {
                        record: submission.record,
                        revision: Some(done.revision.get()),
                        position: Some(done.position),
                        repeated: done.repeated,
                        events,
                    });
                }
                Err(JournalError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(EngineError::Contended)
    }

    /// The events of a record, in order; with `open`, their personal parts are opened as far as their keys still exist.
    /// None where there is no such record, whoever else may have it.
    ///
    /// # Errors
    /// [`EngineError::Journal`], [`EngineError::Newer`], [`EngineError::Decode`].
    pub async fn recorded_of(
        &self,
        tenant: &str,
        kind: &str,
        record: Uuid,
        open: bool,
    ) -> Result<Vec<RecordEntry>, EngineError> {
        let stream = StreamId::new(&tenant_of(tenant)?, kind, record).map_err(JournalError::from)?;
        self.entries(&stream, open).await
    }

    /// Erases the persons of a record for ever: the keys of all its sealed parts are destroyed. Its events stay, and so
    /// do the proofs made of them; what was sealed can never be opened again, from whatever copy.
    ///
    /// # Errors
    /// [`EngineError::Journal`]; what was destroyed stays so, and asking again goes on.
    pub async fn erase_record(&self, tenant: &str, kind: &str, record: Uuid) -> Result<(), EngineError> {
        let stream = StreamId::new(&tenant_of(tenant)?, kind, record).map_err(JournalError::from)?;
        let mut from = Revision::FIRST;
        loop {
            let page = self.journal().read(&stream, from, PAGE).await?;
            for recorded in &page {
                let header = recorded.header()?;
                for kid in &header.keys {
                    self.journal().keys().destroy(kid).await?;
                }
                from = header.revision.next();
            }
            if page.len() < PAGE {
                return Ok(());
            }
        }
    }

    /// Erases the persons of a request for ever, as [`Engine::erase_record`] does those of a record; what this server
    /// remembers of it is forgotten.
    ///
    /// # Errors
    /// As [`Engine::erase_record`].
    pub async fn erase_request(&self, tenant: &str, request: RequestId) -> Result<(), EngineError> {
        self.erase_record(tenant, REQUEST_STREAM, request.0).await?;
        self.forget(&request_stream(&tenant_of(tenant)?, request)?);
        Ok(())
    }

    async fn entries(&self, stream: &StreamId, open: bool) -> Result<Vec<RecordEntry>, EngineError> {
        let mut entries: Vec<RecordEntry> = Vec::new();
        loop {
            let from = entries.last().map_or(Revision::FIRST, |last| Revision::new(last.revision).next());
            let page = self.journal().read(stream, from, PAGE).await?;
            for recorded in &page {
                entries.push(self.entry(stream, recorded, open).await?);
            }
            if page.len() < PAGE {
                return Ok(entries);
            }
        }
    }

    async fn entry(
        &self,
        stream: &StreamId,
        recorded: &Recorded,
        open: bool,
    ) -> Result<RecordEntry, EngineError> {
        known(recorded)?;
        let header = recorded.header()?;
        let body = if open { self.journal().open(recorded).await? } else { recorded.body().to_owned() };
        Ok(RecordEntry {
            revision: header.revision.get(),
            position: recorded.position(),
            command: header.command.uuid(),
            event: RecordEvent::decode(stream.kind(), recorded.event_type(), body.as_bytes())?,
            meta: meta_of(recorded)?,
        })
    }
}

fn append<T: Serialize>(
    submission: &RecordSubmission<'_, T>,
    stream: &StreamId,
    expected: Expected,
    events: &[RecordEvent],
    now: DateTime<Utc>,
) -> Result<Append, EngineError> {
    let new = |event: &RecordEvent| -> Result<NewEvent, EngineError> {
        let event_type = event.name().parse().map_err(JournalError::from)?;
        Ok(NewEvent { event_type, occurred_at: now, definition: None, actor: None, body: Body::of(event)? })
    };
    let content = (stream.as_str(), submission.content, submission.actor);
    Ok(Append {
        stream: stream.clone(),
        expected,
        command: JournalCommandId::new(submission.command_id.0),
        command_digest: Digest::of(&serde_json::to_vec(&content)?),
        actor: pseudonym(submission.actor)?,
        on_behalf_of: None,
        channel: None,
        recorded_at: now,
        correlation: None,
        causation: None,
        known_keys: Vec::new(),
        events: events.iter().map(new).collect::<Result<_, _>>()?,
    })
}
