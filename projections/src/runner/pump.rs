//! Reading, folding and writing at the same time: while one batch is written, the next is folded and the one after it
//! is read. Each waits for the others, so no more than a few batches are ever in memory.

use std::sync::Arc;

use guichet_journal::{Filter, Journal, JournalError, Position};
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
    folded: mpsc::Receiver<Result<Folded, ProjectionError>>,
    folder: JoinHandle<Folder>,
    _reader: Guarded<()>,
}

impl Pump {
    /// Starts behind `after`.
    pub(crate) fn start(
        mut folder: Folder,
        after: Option<Position>,
        until: Until,
        batch_events: usize,
    ) -> Self {
        let (to_fold, mut read) = mpsc::channel::<Result<Batch, ProjectionError>>(WAITING);
        let (to_write, folded) = mpsc::channel(WAITING);
        let journal = Arc::clone(&folder.journal);
        let reader = Guarded::spawn(async move {
            let end = read_batches(journal.as_ref(), after, until, batch_events, &to_fold).await;
            if let Err(error) = end {
                let _ = to_fold.send(Err(error)).await;
            }
        });
        let folder = tokio::task::spawn_blocking(move || {
            while let Some(batch) = read.blocking_recv() {
                let result = batch.and_then(|batch| folder.fold(&batch));
                let failed = result.is_err();
                if to_write.blocking_send(result).is_err() || failed {
                    break;
                }
            }
            folder
        });
        Self { folded, folder, _reader: reader }
    }

    /// The next folded batch; none at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Folded>, ProjectionError> {
        self.folded.recv().await.transpose()
    }

    /// The folding side back, once there is no next batch.
    pub(crate) async fn finish(self) -> Result<Folder, ProjectionError> {
        self.folder.await.map_err(|_| ProjectionError::store("folding was interrupted"))
    }
}

type Sender = mpsc::Sender<Result<Batch, ProjectionError>>;

async fn read_batches(
    journal: &dyn Journal,
    mut after: Option<Position>,
    until: Until,
    batch_events: usize,
    sender: &Sender,
) -> Result<(), ProjectionError> {
    let limit = batch_events.max(1);
    loop {
        let page = journal.read_all(after, &Filter::everything(), limit).await?;
        after = page.through;
        let done = !send(page.events, after, page.at_end, until, limit, sender).await;
        if done || (page.at_end && matches!(until, Until::Position(_))) {
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
                if !send(batch.events, batch.through, batch.caught_up, until, limit, sender).await {
                    return Ok(());
                }
            }
            Err(JournalError::Closed) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Hands events on, cut into batches and at the end. False when nothing more is wanted.
async fn send(
    mut events: Vec<guichet_journal::Recorded>,
    through: Option<Position>,
    at_end: bool,
    until: Until,
    limit: usize,
    sender: &Sender,
) -> bool {
    let Some(through) = through else { return true };
    let wanted = |position: Position| match until {
        Until::Forever { before } => before.is_none_or(|before| position < before),
        Until::Position(last) => position <= last,
    };
    let all = events.len();
    events.retain(|event| wanted(event.position()));
    let cut = events.len() < all;
    let mut rest = events.into_iter().peekable();
    loop {
        let chunk: Vec<_> = rest.by_ref().take(limit).collect();
        let more = rest.peek().is_some();
        let end = if more || cut { chunk.last().map(|event| event.position()) } else { Some(through) };
        let Some(end) = end.filter(|_| !chunk.is_empty() || at_end) else { return !cut };
        let batch = Batch { events: chunk, through: end, caught_up: at_end && !more };
        if sender.send(Ok(batch)).await.is_err() {
            return false;
        }
        if !more {
            return !cut;
        }
    }
}
