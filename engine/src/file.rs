//! A request's file as the engine keeps it in memory: the state, and what is needed to append to its stream.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use guichet_journal::{Journal, Recorded, Revision, StreamId};
use guichet_rules::request::{Event, Meta, Request, evolve};
use lru::LruCache;
use uuid::Uuid;

use crate::error::EngineError;

/// Events read from one stream at once.
pub(crate) const PAGE: usize = 512;
/// Files kept in memory: those that somebody is working on. A file takes some 6 kB; one that is not there is read again,
/// which takes a fraction of a millisecond.
const CACHED: usize = 4_096;

/// A command that stands in the stream: its first revision and how many events it wrote.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing {
    pub(crate) first: u64,
    pub(crate) events: usize,
}

/// The file of one request.
#[derive(Debug, Clone)]
pub(crate) struct File {
    pub(crate) request: Arc<Request>,
    pub(crate) revision: u64,
    pub(crate) commands: HashMap<Uuid, Standing>,
}

/// What stands beside a recorded event.
pub(crate) fn meta_of(recorded: &Recorded) -> Result<Meta, EngineError> {
    let header = recorded.header()?;
    Ok(Meta {
        tenant: header.tenant.as_str().to_owned(),
        actor: header.actor.as_str().to_owned(),
        occurred_at: header.occurred_at,
        recorded_at: header.recorded_at,
    })
}

/// A request's event, its personal parts sealed, unless a newer version of the program wrote it.
pub(crate) fn decoded(recorded: &Recorded) -> Result<Event, EngineError> {
    known(recorded)?;
    Ok(Event::decode(recorded.event_type(), recorded.body().as_bytes())?)
}

/// Refuses an event whose header has a newer form: what this version does not know in it may change its meaning.
pub(crate) fn known(recorded: &Recorded) -> Result<(), EngineError> {
    if recorded.is_newer() { Err(EngineError::Newer(recorded.event_type().to_owned())) } else { Ok(()) }
}

/// Builds a file up from recorded events.
#[derive(Default)]
pub(crate) struct Folder {
    request: Option<Request>,
    revision: u64,
    commands: HashMap<Uuid, Standing>,
}

impl Folder {
    /// Goes on from a file.
    pub(crate) fn from(file: &File) -> Self {
        let request = Some(Request::clone(&file.request));
        Self { request, revision: file.revision, commands: file.commands.clone() }
    }

    pub(crate) fn take(&mut self, recorded: &Recorded, event: &Event) -> Result<(), EngineError> {
        let header = recorded.header()?;
        self.revision = header.revision.get();
        let first = Standing { first: self.revision, events: 0 };
        self.commands.entry(header.command.uuid()).or_insert(first).events += 1;
        self.request = evolve(self.request.take(), event, &meta_of(recorded)?);
        Ok(())
    }

    pub(crate) fn finish(self) -> Option<File> {
        let request = Arc::new(self.request?);
        Some(File { request, revision: self.revision, commands: self.commands })
    }
}

/// Reads and folds a request's stream; `None` when there is none.
pub(crate) async fn load(journal: &dyn Journal, stream: &StreamId) -> Result<Option<File>, EngineError> {
    let mut folder = Folder::default();
    let mut from = Revision::FIRST;
    loop {
        let page = journal.read(stream, from, PAGE).await?;
        for recorded in &page {
            folder.take(recorded, &decoded(recorded)?)?;
            from = recorded.header()?.revision.next();
        }
        if page.len() < PAGE {
            return Ok(folder.finish());
        }
    }
}

/// Files of requests lately touched.
pub(crate) struct Files(Mutex<LruCache<StreamId, Arc<File>>>);

impl Files {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(LruCache::new(NonZeroUsize::new(CACHED).unwrap_or(NonZeroUsize::MIN))))
    }

    pub(crate) fn get(&self, stream: &StreamId) -> Option<Arc<File>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(stream).cloned()
    }

    /// Keeps a file, unless a newer one of the same stream is there already: two commands may finish in any order.
    pub(crate) fn keep(&self, stream: StreamId, file: Arc<File>) {
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if files.peek(&stream).is_none_or(|kept| kept.revision <= file.revision) {
            files.put(stream, file);
        }
    }

    pub(crate) fn forget(&self, stream: &StreamId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop(stream);
    }
}
