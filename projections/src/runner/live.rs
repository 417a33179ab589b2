//! The live run: the tables that serve follow the journal.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;

use super::folder::Folder;
use super::pump::{Pump, Until};
use super::schema::{checkpoints, commit};
use super::states::States;
use super::status::RunState;
use crate::error::{Poison, ProjectionError};
use crate::models::{ALL, Begin, ReadModel};
use crate::read_models::Inner;
use crate::store::{SERVING, position_of, token_of};

/// The first wait after something failed; it doubles up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Why a run ended.
enum End {
    /// The journal was closed.
    Closed,
    /// A rebuilt table took its place: go on with it from its checkpoint.
    Swapped,
}

/// Follows the journal until it is closed or an event cannot be folded. What fails and may pass is tried again.
pub(crate) async fn follow(inner: Arc<Inner>) {
    let mut obstacle: Option<Poison> = None;
    let mut wait = FIRST_WAIT;
    loop {
        let before = inner.progress.borrow().position;
        match run(&inner, obstacle.as_ref()).await {
            Ok(End::Swapped) => continue,
            Ok(End::Closed) => {
                inner.progress.send_modify(|progress| progress.state = RunState::Closed);
                return;
            }
            // What stands before it is taken in first, then it is told.
            Err(ProjectionError::Poison(poison)) if obstacle.as_ref() != Some(&poison) => {
                obstacle = Some(poison);
                continue;
            }
            Err(ProjectionError::Poison(poison)) => {
                stop(&inner, &poison);
                return;
            }
            Err(error) => {
                tracing::warn!(%error, "the read models are interrupted and try again");
                let reason = error.to_string();
                inner.progress.send_modify(|progress| progress.state = RunState::Retrying { reason });
            }
        }
        let moved = inner.progress.borrow().position != before;
        wait = if moved { FIRST_WAIT } else { (wait * 2).min(LONGEST_WAIT) };
        tokio::time::sleep(wait).await;
    }
}

fn stop(inner: &Inner, poison: &Poison) {
    tracing::error!(%poison, "the read models stop");
    inner.progress.send_modify(|progress| {
        progress.state = RunState::Stopped { at: poison.position, reason: poison.to_string() };
        progress.poison = Some(poison.clone());
    });
}

/// The folding side, at the checkpoint of the tables with `suffix`.
pub(crate) async fn begin(
    inner: &Inner,
    models: &[&'static ReadModel],
) -> Result<(Folder, Option<i64>, u64), ProjectionError> {
    let mut connection = inner.writer.lock().await;
    let checkpoint = checkpoints(&mut connection).await?.get(crate::definitions::MODEL.name).cloned();
    let position = checkpoint.and_then(|checkpoint| checkpoint.position);
    let known = crate::definitions::load(&mut connection, SERVING).await?;
    let begin = Begin { pending: crate::outbox::load(&mut connection, SERVING).await? };
    let epoch = *inner.epoch.borrow();
    drop(connection);
    *inner.known.write().unwrap_or_else(std::sync::PoisonError::into_inner) = known.clone();
    let folder = Folder {
        models: models.iter().map(|model| (model.fold)(&begin)).collect(),
        states: States::new(inner.options.open_states, inner.options.finished_states),
        known,
        shared: Some(Arc::clone(&inner.known)),
        journal: Arc::clone(&inner.journal),
        handle: Handle::current(),
        tenants: Vec::new(),
    };
    Ok((folder, position, epoch))
}

async fn run(inner: &Inner, obstacle: Option<&Poison>) -> Result<End, ProjectionError> {
    let (folder, mut checkpoint, epoch) = begin(inner, &ALL).await?;
    let after = checkpoint.and_then(position_of);
    inner.progress.send_modify(|progress| {
        progress.position = after;
        progress.state = RunState::CatchingUp;
    });
    let before = obstacle.map(|poison| poison.position);
    let mut pump = Pump::start(folder, after, Until::Forever { before }, inner.options.batch_events);
    let mut swapped = inner.epoch.subscribe();
    loop {
        let folded = tokio::select! {
            folded = pump.next() => folded?,
            _ = swapped.wait_for(|now| *now != epoch) => return Ok(End::Swapped),
        };
        let Some(folded) = folded else { break };
        let to = token_of(folded.through);
        if !folded.rows.is_empty() || checkpoint != Some(to) {
            let mut connection = inner.writer.lock().await;
            if *inner.epoch.borrow() != epoch {
                return Ok(End::Swapped);
            }
            inner.before_commit()?;
            commit(&mut connection, &ALL, SERVING, folded.rows, (checkpoint, to)).await?;
            drop(connection);
            checkpoint = Some(to);
        }
        inner.progress.send_modify(|progress| {
            progress.position = Some(folded.through);
            progress.events += folded.events;
            progress.last_recorded = folded.last_recorded.or(progress.last_recorded);
            progress.state = if folded.caught_up { RunState::Following } else { RunState::CatchingUp };
        });
    }
    // The reader ends where it was told to, or with the journal.
    match obstacle {
        Some(poison) => Err(poison.clone().into()),
        None => Ok(End::Closed),
    }
}
