//! Reading, folding and writing at the same time: while one batch is written, the next is folded and the one after it
//! is read. Each waits for the others, so no more than a few batches are ever in memory.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use guichet_journal::{Filter, Journal, JournalError, Position, Recorded};
use guichet_rules::process::REQUEST_STREAM;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::folder::{Batch, Folded, Folder};
use crate::error::ProjectionError;

/// Batches that wait between two stages.
const WAITING: usize = 1;

/// A task that ends with its owner.
pub(crate) struct Guarded<T>(JoinHandle<T>);

impl<T: Send + 'static> Guarded<T> {
    pub(crate) fn spawn(work: impl Future<Output = T> + Send + 'static) -> Self {
        Self(tokio::spawn(work))
    }
}

impl<T> Drop for Guarded<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// How far to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// Without end, leaving out everything from this position on, if there is one.
    Forever { before: Option<Position> },
    /// Up to this position.
    Position(Position),
}

/// Folded batches, in order, made by tasks of their own.
pub(crate) struct Pump {
    folded: Vec<mpsc::Receiver<Result<Folded, ProjectionError>>>,
    folders: Vec<JoinHandle<Folder>>,
    _reader: Guarded<()>,
}

impl Pump {
    /// Starts behind `after`. Several folders share the streams among them; the first alone tells what is published.
    pub(crate) fn start(
        folders: Vec<Folder>,
        after: Option<Position>,
        until: Until,
        batch_events: usize,
    ) -> Self {
        let journal = folders.first().map(|folder| Arc::clone(&folder.journal));
        let (mut senders, mut folded, mut tasks) = (Vec::new(), Vec::new(), Vec::new());
        for mut folder in folders {
            let (to_fold, mut read) = mpsc::channel::<Result<Batch, ProjectionError>>(WAITING);
            let (to_write, written) = mpsc::channel(WAITING);
            senders.push(to_fold);
            folded.push(written);
            tasks.push(tokio::task::spawn_blocking(move || {
                while let Some(batch) = read.blocking_recv() {
                    let result = batch.and_then(|batch| folder.fold(&batch));
                    let failed = result.is_err();
                    if to_write.blocking_send(result).is_err() || failed {
                        break;
                    }
                }
                folder
            }));
        }
        let reader = Guarded::spawn(async move {
            let Some(journal) = journal else { return };
            let mut way = Way { folders: senders, told: after, until, limit: batch_events.max(1) };
            if let (Err(error), Some(first)) =
                (read_batches(journal.as_ref(), after, &mut way).await, way.folders.first())
            {
                let _ = first.send(Err(error)).await;
            }
        });
        Self { folded, folders: tasks, _reader: reader }
    }

    /// The next folded batch; none at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Folded>, ProjectionError> {
        let (mut whole, mut obstacle): (Option<Folded>, Option<ProjectionError>) = (None, None);
        for folded in &mut self.folded {
            match folded.recv().await {
                Some(Ok(part)) => match &mut whole {
                    Some(whole) => whole.join(part),
                    None => whole = Some(part),
                },
                Some(Err(error)) if comes_first(&error, obstacle.as_ref()) => obstacle = Some(error),
                Some(Err(_)) | None => {}
            }
        }
        obstacle.map_or(Ok(whole), Err)
    }

    /// The folding side back, once there is no next batch.
    pub(crate) async fn finish(self) -> Result<Vec<Folder>, ProjectionError> {
        let mut folders = Vec::with_capacity(self.folders.len());
        for folder in self.folders {
            folders.push(folder.await.map_err(|_| ProjectionError::store("folding was interrupted"))?);
        }
        Ok(folders)
    }
}

/// Of what stops several folders in one batch, what may pass is told before an event that cannot be folded, and of
/// such events the first.
fn comes_first(error: &ProjectionError, other: Option<&ProjectionError>) -> bool {
    match (error, other) {
        (ProjectionError::Poison(one), Some(ProjectionError::Poison(other))) => one.position < other.position,
        (_, None) => true,
        (error, Some(ProjectionError::Poison(_))) => !matches!(error, ProjectionError::Poison(_)),
        _ => false,
    }
}

/// Where events go.
struct Way {
    folders: Vec<mpsc::Sender<Result<Batch, ProjectionError>>>,
    /// The last event that was handed on, or before which everything was. A journal may tell an event twice.
    told: Option<Position>,
    until: Until,
    limit: usize,
}

async fn read_batches(
    journal: &dyn Journal,
    mut after: Option<Position>,
    way: &mut Way,
) -> Result<(), ProjectionError> {
    loop {
        let page = journal.read_all(after, &Filter::everything(), way.limit).await?;
        after = page.through;
        let done = !way.send(page.events, after, page.at_end).await;
        if done || (page.at_end && matches!(way.until, Until::Position(_))) {
            return Ok(());
        }
        if page.at_end {
            break;
        }
    }
    let mut follower = journal.follow(after, Filter::everything());
    loop {
        match follower.batch().await {
            Ok(batch) => {
                if !way.send(batch.events, batch.through, batch.caught_up).await {
                    return Ok(());
                }
            }
            Err(JournalError::Closed) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

impl Way {
    /// Hands events on, cut into batches and at the end. False when nothing more is wanted.
    async fn send(&mut self, mut events: Vec<Recorded>, through: Option<Position>, at_end: bool) -> bool {
        let Some(through) = through else { return true };
        let until = self.until;
        let wanted = |position: Position| match until {
            Until::Forever { before } => before.is_none_or(|before| position < before),
            Until::Position(last) => position <= last,
        };
        let told = &mut self.told;
        events.retain(|event| {
            let fresh = *told < Some(event.position());
            if fresh {
                *told = Some(event.position());
            }
            fresh
        });
        let all = events.len();
        events.retain(|event| wanted(event.position()));
        let cut = events.len() < all;
        let mut rest = events.into_iter().peekable();
        loop {
            let chunk: Vec<_> = rest.by_ref().take(self.limit).collect();
            let more = rest.peek().is_some();
            let end = if more || cut { chunk.last().map(Recorded::position) } else { Some(through) };
            let Some(end) = end.filter(|_| !chunk.is_empty() || at_end) else { return !cut };
            if !self.share(chunk, end, at_end && !more).await {
                return false;
            }
            if !more {
                return !cut;
            }
        }
    }

    /// Gives each folder its streams, and what is published to all of them.
    async fn share(&self, events: Vec<Recorded>, through: Position, caught_up: bool) -> bool {
        let count = events.len() as u64;
        let parts = partition(events, self.folders.len());
        for (place, (folder, events)) in self.folders.iter().zip(parts).enumerate() {
            let count = if place == 0 { count } else { 0 };
            if folder.send(Ok(Batch { events, count, through, caught_up })).await.is_err() {
                return false;
            }
        }
        true
    }
}

fn partition(events: Vec<Recorded>, parts: usize) -> Vec<Vec<Recorded>> {
    if parts <= 1 {
        return vec![events];
    }
    let mut shares: Vec<Vec<Recorded>> = vec![Vec::with_capacity(events.len() / parts * 2); parts];
    for event in events {
        let stream = stream_of(&event);
        if is_request(stream) {
            let mut hasher = DefaultHasher::new();
            stream.hash(&mut hasher);
            let place = usize::try_from(hasher.finish() % parts as u64).unwrap_or(0);
            if let Some(share) = shares.get_mut(place) {
                share.push(event);
            }
        } else {
            shares.iter_mut().for_each(|share| share.push(event.clone()));
        }
    }
    shares
}

/// Whether the stream is a request's; what stands in others is published, and every folder needs to know it.
fn is_request(stream: &str) -> bool {
    let name = stream.split_once('.').map_or(stream, |(_, name)| name);
    name.strip_prefix(REQUEST_STREAM).is_some_and(|rest| rest.starts_with('-'))
}

/// The stream's name, without reading the whole header where it stands as the journal writes it.
fn stream_of(event: &Recorded) -> &str {
    let header = event.stored_header();
    let name = header.split_once("\"stream\":\"").and_then(|(_, rest)| rest.split_once('"'));
    name.map_or_else(|| event.stream(), |(name, _)| name)
}
