//! Who follows the journal where several servers share the tables: one of them at a time.
//!
//! The lead is a lock that PostgreSQL keeps as long as the leader's session beats. What a leader writes carries the
//! number that was drawn when the lead was taken, and a commit with an older number than the last is refused: a leader
//! that was frozen and wakes up late writes nothing.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::schema::{checkpoints, published};
use super::status::RunState;
use crate::error::ProjectionError;
use crate::read_models::Inner;
use crate::store::{Presence, SERVING, Snapshot, Witness, position_of, token_of};

/// How often a server that does not lead tries to, and looks how far the leader is.
const LOOK: Duration = Duration::from_millis(250);

/// How often a server says that it is there.
const BEAT: Duration = Duration::from_millis(500);

/// Beats after which a leader that stands before an event it cannot fold lets others try: one of them may be of a version
/// that knows it.
const PATIENT_BEATS: u32 = 6;

/// How long it leaves them to it.
const YIELD: Duration = Duration::from_secs(10);

/// Beats between two notes that the tables are in use.
const BEATS: u32 = 60;

/// Stands for the lead as long as the program runs, and says in `inner.lead` whether it has it.
pub(crate) async fn stand_for_lead(inner: Arc<Inner>) {
    loop {
        if let Err(error) = stand(&inner).await {
            tracing::warn!(%error, "this server is cut off from the others on its database, and tries again");
        }
        let stopped = inner.progress.borrow().poison.is_some();
        inner.lead.send_replace(None);
        tokio::time::sleep(if stopped { YIELD } else { LOOK }).await;
    }
}

async fn stand(inner: &Inner) -> Result<(), ProjectionError> {
    let mut presence = inner.database.arrive().await?;
    let witness = win(&mut presence).await?;
    inner.lead.send_replace(Some(witness));
    let mut stopped = 0;
    loop {
        for _ in 0..BEATS {
            tokio::time::sleep(BEAT).await;
            presence.beat().await?;
            stopped = if inner.progress.borrow().poison.is_some() { stopped + 1 } else { 0 };
            if stopped > PATIENT_BEATS {
                tracing::warn!("this server gives up the lead: another version may know the event");
                return Ok(());
            }
        }
        presence.note().await?;
    }
}

async fn win(presence: &mut Presence) -> Result<Witness, ProjectionError> {
    loop {
        presence.note().await?;
        for _ in 0..BEATS {
            if let Some(witness) = presence.try_lead().await? {
                return Ok(witness);
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// Looks how far the leader is, until this server leads.
pub(crate) async fn look_on(inner: &Inner, lead: &mut watch::Receiver<Option<Witness>>) {
    tokio::select! {
        () = looking(inner) => {}
        _ = lead.wait_for(Option::is_some) => {}
    }
}

async fn looking(inner: &Inner) {
    loop {
        if let Err(error) = look(inner).await {
            tracing::warn!(%error, "this server does not see how far the read models are, and tries again");
            let reason = error.to_string();
            inner.progress.send_modify(|progress| progress.state = RunState::Retrying { reason });
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn look(inner: &Inner) -> Result<(), ProjectionError> {
    let mut ear = inner.database.listen().await?;
    let (position, _) = glance(inner, None).await?;
    let mut head = inner.journal.head().await?.map(token_of);
    if position > head {
        let reason = "the journal ends before them: whoever keeps them makes them anew";
        return Err(ProjectionError::store(reason));
    }
    let mut known = None;
    loop {
        let (position, last) = glance(inner, known).await?;
        known = Some(last);
        // Behind what was the end a moment ago, it catches up.
        let state = if position >= head { RunState::Following } else { RunState::CatchingUp };
        let position = position.and_then(position_of);
        let changed = |progress: &mut super::status::Progress| {
            let changed =
                progress.position != position || progress.state != state || progress.poison.is_some();
            (progress.position, progress.state, progress.poison) = (position, state.clone(), None);
            changed
        };
        inner.progress.send_if_modified(changed);
        tokio::select! {
            heard = ear.hear() => heard?,
            () = tokio::time::sleep(LOOK) => head = inner.journal.head().await?.map(token_of),
        }
    }
}

/// How far the tables are, and what was published by then if that is not known yet.
async fn glance(inner: &Inner, known: Option<i64>) -> Result<(Option<i64>, i64), ProjectionError> {
    let mut snapshot = Snapshot::take(&inner.database, crate::definitions::MODEL.name).await?;
    let mut connection = snapshot.connection();
    let last = published(&mut connection).await?;
    if known != Some(last) {
        let known = crate::definitions::load(&mut connection, SERVING).await?;
        *inner.known.write().unwrap_or_else(PoisonError::into_inner) = known;
    }
    let checkpoints = checkpoints(&mut connection).await?;
    let position = checkpoints.get(crate::definitions::MODEL.name).and_then(|checkpoint| checkpoint.position);
    Ok((position, last))
}
