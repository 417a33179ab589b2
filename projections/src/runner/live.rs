//! The live run: the tables that serve follow the journal.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;

use super::folder::{Folded, Folder};
use super::pump::{Pump, Until};
use super::schema::{Checkpoint, advance, checkpoints, create, hold_checkpoints, still_leads, take_lead};
use super::states::States;
use super::status::RunState;
use crate::error::{Poison, ProjectionError};
use crate::models::{ALL, Begin};
use crate::read_models::Inner;
use crate::store::{Connection, Rows, SERVING, position_of, token_of};

/// The first wait after something failed; it doubles up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Follows the journal until it is closed or an event cannot be folded. What fails and may pass is tried again.
pub(crate) async fn follow(inner: Arc<Inner>) {
    let mut obstacle: Option<Poison> = None;
    let mut wait = FIRST_WAIT;
    loop {
        let before = inner.progress.borrow().position;
        match run(&inner, obstacle.as_ref()).await {
            Ok(()) => {
                inner.progress.send_modify(|progress| progress.state = RunState::Closed);
                return;
            }
            // Tables were swapped: go on with the new ones from their checkpoint.
            Err(ProjectionError::Superseded) => continue,
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
                inner.database.forget_live().await;
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

/// Where a run stands: what every commit checks.
struct Stand {
    checkpoint: Option<i64>,
    generation: i64,
    epoch: i64,
}

/// Whether checkpoints are of no use: apart from each other, or beyond the journal's end, which was restored from a
/// backup then.
pub(crate) fn astray(checkpoints: &BTreeMap<String, Checkpoint>, head: Option<i64>) -> bool {
    let serving = || ALL.iter().filter_map(|model| checkpoints.get(model.name));
    let reached = serving().map(|checkpoint| checkpoint.position).max().flatten();
    reached > head || serving().any(|checkpoint| checkpoint.position != reached)
}

/// Takes the lead, and makes the folding side at the checkpoint of the tables that serve.
async fn begin(inner: &Inner) -> Result<(Folder, Stand), ProjectionError> {
    let mut held = inner.database.live().await?;
    let (stand, known, pending) = held
        .connection()
        .in_transaction(async |connection| {
            let epoch = take_lead(connection).await?;
            hold_checkpoints(connection).await?;
            let mut known = checkpoints(connection).await?;
            // The checkpoints first: while they are held, the journal only grows.
            if astray(&known, inner.journal.head().await?.map(token_of)) {
                tracing::warn!("the journal ends before the read models: they are made anew from it");
                connection.hold_readers().await?;
                create(connection, &ALL, SERVING, true).await?;
                known = checkpoints(connection).await?;
            }
            let serving = || ALL.iter().filter_map(|model| known.get(model.name));
            let checkpoint = serving().filter_map(|checkpoint| checkpoint.position).max();
            let generation = serving().map(|checkpoint| checkpoint.generation).max().unwrap_or_default();
            let known = crate::definitions::load(connection, SERVING).await?;
            let pending = crate::outbox::load(connection, SERVING).await?;
            Ok((Stand { checkpoint, generation, epoch }, known, pending))
        })
        .await?;
    drop(held);
    *inner.known.write().unwrap_or_else(PoisonError::into_inner) = known.clone();
    let begin = Begin { pending };
    let folder = Folder {
        models: ALL.iter().map(|model| (model.fold)(&begin)).collect(),
        states: States::new(inner.options.open_states, inner.options.finished_states),
        known,
        shared: Some(Arc::clone(&inner.known)),
        journal: Arc::clone(&inner.journal),
        handle: Handle::current(),
        tenants: Vec::new(),
    };
    Ok((folder, stand))
}

async fn run(inner: &Inner, obstacle: Option<&Poison>) -> Result<(), ProjectionError> {
    let (folder, mut stand) = begin(inner).await?;
    let after = stand.checkpoint.and_then(position_of);
    inner.progress.send_modify(|progress| {
        progress.position = after;
        progress.state = RunState::CatchingUp;
    });
    let before = obstacle.map(|poison| poison.position);
    let mut pump = Pump::start(folder, after, Until::Forever { before }, inner.options.batch_events);
    while let Some(folded) = pump.next().await? {
        let Folded { rows, through, events, last_recorded, caught_up, published } = folded;
        let to = token_of(through);
        if !rows.is_empty() || stand.checkpoint != Some(to) {
            inner.before_commit()?;
            commit(inner, rows, &stand, to, published).await?;
            stand.checkpoint = Some(to);
        }
        inner.progress.send_modify(|progress| {
            progress.position = Some(through);
            progress.events += events;
            progress.last_recorded = last_recorded.or(progress.last_recorded);
            progress.state = if caught_up { RunState::Following } else { RunState::CatchingUp };
        });
    }
    // The reader ends where it was told to, or with the journal.
    obstacle.map_or(Ok(()), |poison| Err(poison.clone().into()))
}

async fn commit(
    inner: &Inner,
    rows: Rows,
    stand: &Stand,
    to: i64,
    published: bool,
) -> Result<(), ProjectionError> {
    let mut held = inner.database.live().await?;
    let work = async |connection: &mut Connection<'_>| {
        still_leads(connection, stand.epoch, Some(to).filter(|_| published)).await?;
        advance(connection, &ALL, (SERVING, stand.generation), rows, (stand.checkpoint, to)).await
    };
    held.connection().in_transaction(work).await
}
