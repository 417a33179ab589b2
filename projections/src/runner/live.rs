//! The live run: the tables that serve follow the journal, kept by this server or by another.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use guichet_journal::Filter;
use tokio::sync::watch;

use super::folder::{Folded, Folder};
use super::lead::look_on;
use super::pump::{Pump, Until};
use super::rebuild::{Goal, rebuild};
use super::schema::{Checkpoint, advance, checkpoints, create, hold_checkpoints, still_leads};
use super::status::RunState;
use crate::error::{Poison, ProjectionError};
use crate::models::{ALL, Begin};
use crate::read_models::Inner;
use crate::store::{Connection, Rows, SERVING, Witness, position_of, token_of};

/// The first wait after something failed; it doubles up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// The wait before beginning again where a swap or another leader came in between.
const SUPERSEDED_WAIT: Duration = Duration::from_millis(20);

/// Follows the journal, or whoever does, until it is closed. What fails and may pass is tried again.
pub(crate) async fn follow(inner: Arc<Inner>) {
    let mut lead = inner.lead.subscribe();
    loop {
        let witness = *lead.borrow_and_update();
        let Some(witness) = witness else {
            look_on(&inner, &mut lead).await;
            continue;
        };
        let lost = async |lead: &mut watch::Receiver<Option<Witness>>| {
            let _ = lead.wait_for(|now| *now != Some(witness)).await;
        };
        tokio::select! {
            closed = lead_on(&inner, witness) => {
                if closed {
                    inner.progress.send_modify(|progress| progress.state = RunState::Closed);
                    return;
                }
                // It stands before an event that it cannot fold. Only another program can.
                lost(&mut lead).await;
            }
            () = lost(&mut lead) => {}
        }
        tracing::warn!("this server no longer leads the read models");
        inner.database.forget_live().await;
    }
}

/// Keeps the tables. True when the journal was closed, false before an event that cannot be folded.
async fn lead_on(inner: &Inner, witness: Witness) -> bool {
    let mut obstacle: Option<Poison> = None;
    let mut wait = FIRST_WAIT;
    loop {
        let before = inner.progress.borrow().position;
        match run(inner, witness, obstacle.as_ref()).await {
            Ok(()) => return true,
            // What stands before it is taken in first, then it is told.
            Err(ProjectionError::Poison(poison)) if obstacle.as_ref() != Some(&poison) => {
                obstacle = Some(poison);
                continue;
            }
            Err(ProjectionError::Poison(poison)) => {
                stop(inner, &poison);
                return false;
            }
            // Tables were swapped, or another leads: begin again from the checkpoint, if this server still leads.
            Err(ProjectionError::Superseded) => {
                tokio::time::sleep(SUPERSEDED_WAIT).await;
                continue;
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
async fn begin(inner: &Inner, witness: Witness) -> Result<(Folder, Stand), ProjectionError> {
    let mut held = inner.database.live().await?;
    let (stand, known, pending) = held
        .connection()
        .in_transaction(async |connection| {
            let epoch = connection.draw_epoch(witness).await?.ok_or(ProjectionError::Superseded)?;
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
    let shared = Some(Arc::clone(&inner.known));
    let folder = Folder { known, shared, ..Folder::new(inner, &ALL, &begin) };
    Ok((folder, stand))
}

async fn run(inner: &Inner, witness: Witness, obstacle: Option<&Poison>) -> Result<(), ProjectionError> {
    let (mut folder, mut stand) = begin(inner, witness).await?;
    if stand.checkpoint.is_none() && obstacle.is_none() && is_long(inner).await? {
        inner.progress.send_modify(|progress| progress.state = RunState::CatchingUp);
        drop(folder);
        let built = rebuild(inner, ALL.to_vec(), Goal::Head).await?;
        inner.progress.send_modify(|progress| progress.events += built.events);
        (folder, stand) = begin(inner, witness).await?;
    }
    let after = stand.checkpoint.and_then(position_of);
    inner.progress.send_modify(|progress| {
        progress.position = after;
        progress.state = RunState::CatchingUp;
        progress.poison = None;
    });
    let before = obstacle.map(|poison| poison.position);
    let mut pump = Pump::start(vec![folder], after, Until::Forever { before }, inner.options.batch_events);
    while let Some(folded) = pump.next().await? {
        let Folded { rows, through, events, last_recorded, caught_up, published } = folded;
        let to = token_of(through);
        if !rows.is_empty() || stand.checkpoint != Some(to) {
            inner.before_commit()?;
            let began = Instant::now();
            commit(inner, rows, &stand, to, published).await?;
            metrics::histogram!("guichet_projections_batch_seconds").record(began.elapsed());
            metrics::counter!("guichet_projections_events_total").increment(events);
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

/// Whether the journal has more than a batch: empty tables are then filled as in a rebuild, without their indexes at
/// first.
async fn is_long(inner: &Inner) -> Result<bool, ProjectionError> {
    let limit = inner.options.batch_events.max(1);
    Ok(!inner.journal.read_all(None, &Filter::everything(), limit).await?.at_end)
}

#[tracing::instrument(name = "projections.batch", level = "debug", skip_all)]
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
        advance(connection, &ALL, (SERVING, stand.generation), rows, (stand.checkpoint, to)).await?;
        connection.announce().await
    };
    held.connection().in_transaction(work).await
}
