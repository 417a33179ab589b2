//! Rebuilding: new tables are filled beside those that serve, and take their place in one transaction.

use guichet_journal::Position;
use serde::{Deserialize, Serialize};

use super::folder::Folder;
use super::pump::{Pump, Until};
use super::schema::{advance, checkpoints, create, discard_next, hold_checkpoints, swap};
use super::states::States;
use crate::error::ProjectionError;
use crate::models::{ALL, Begin, ReadModel};
use crate::read_models::Inner;
use crate::store::{Connection, NEXT, position_of, token_of};

/// A round this short is the last before the swap: those who write wait no longer than it takes.
const LAST_ROUND_EVENTS: u64 = 256;

/// What a rebuild did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rebuilt {
    /// The read models that were rebuilt.
    pub names: Vec<String>,
    /// How many events were folded.
    pub events: u64,
    /// The position at which the new tables took their place.
    pub position: Option<Position>,
}

/// How far new tables are filled before they take their place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Goal {
    /// As far as those that serve.
    Serving,
    /// As far as the journal: those that serve are empty, and nobody fills them meanwhile.
    Head,
}

/// A rebuild under way.
struct Job {
    goal: Goal,
    models: Vec<&'static ReadModel>,
    generation: i64,
    folders: Vec<Folder>,
    checkpoint: Option<i64>,
    events: u64,
}

/// Rebuilds these read models.
pub(crate) async fn rebuild(
    inner: &Inner,
    models: Vec<&'static ReadModel>,
    goal: Goal,
) -> Result<Rebuilt, ProjectionError> {
    let _alone = inner.rebuilding.lock().await;
    // Dropped half-way as well: the session keeps others from rebuilding.
    let _session = BesideEnds(inner);
    let names: Vec<String> = models.iter().map(|model| model.name.to_owned()).collect();
    inner.progress.send_modify(|progress| progress.rebuilding = names.clone());
    let result = beside(inner, models, goal).await;
    if result.is_err() {
        discard(inner).await;
    }
    let (events, position) = result?;
    Ok(Rebuilt { names, events, position })
}

/// Ends what was begun beside, however it ends.
struct BesideEnds<'a>(&'a Inner);

impl Drop for BesideEnds<'_> {
    fn drop(&mut self) {
        self.0.database.forget_beside();
        self.0.progress.send_modify(|progress| progress.rebuilding.clear());
    }
}

/// Takes away what was built so far. Where that fails too, the next rebuild or the next start does it.
async fn discard(inner: &Inner) {
    let discarded = async {
        let mut held = inner.database.beside().await?;
        held.connection().in_transaction(discard_next).await
    };
    if let Err(error) = discarded.await {
        tracing::warn!(%error, "what a rebuild had built beside stays for now");
    }
}

async fn beside(
    inner: &Inner,
    models: Vec<&'static ReadModel>,
    goal: Goal,
) -> Result<(u64, Option<Position>), ProjectionError> {
    let generation = {
        let mut held = inner.database.beside().await?;
        let mut connection = held.connection();
        connection.rebuild_alone().await?;
        let work = async |connection: &mut Connection<'_>| create(connection, &models, NEXT, false).await;
        connection.in_transaction(work).await?
    };
    let folders = folders(inner, &models);
    let mut job = Job { goal, models, generation, folders, checkpoint: None, events: 0 };
    loop {
        let events = job.events;
        let target = target(inner, goal).await?;
        job = round(inner, job, target).await?;
        if job.events - events <= LAST_ROUND_EVENTS {
            break;
        }
    }
    let tables = job.models.iter().flat_map(|model| model.tables);
    for index in tables.flat_map(|table| table.create_indexes(NEXT, generation)) {
        inner.database.beside().await?.connection().execute(index).await?;
    }
    // What came in while the indexes were made, without holding anybody up; then the rest, while writers wait.
    let target = target(inner, goal).await?;
    job = round(inner, job, target).await?;
    last_round(inner, job).await
}

/// One folder for each part of the streams. Each has its share of the memory that states may take.
fn folders(inner: &Inner, models: &[&'static ReadModel]) -> Vec<Folder> {
    let parts = inner.options.folders.max(1);
    let part = |place: usize| {
        let states = States::new(inner.options.rebuild_states / parts, inner.options.finished_states / parts);
        Folder { publishes: place == 0, states, ..Folder::new(inner, models, &Begin::default()) }
    };
    (0..parts).map(part).collect()
}

/// How far the next round goes.
async fn target(inner: &Inner, goal: Goal) -> Result<Option<i64>, ProjectionError> {
    match goal {
        Goal::Serving => serving(&mut inner.database.beside().await?.connection()).await,
        Goal::Head => Ok(inner.journal.head().await?.map(token_of)),
    }
}

/// Where the tables that serve stand.
async fn serving(connection: &mut Connection<'_>) -> Result<Option<i64>, ProjectionError> {
    let checkpoints = checkpoints(connection).await?;
    // All that serve stand at one position; one that is not there yet has none.
    let serving = ALL.iter().filter_map(|model| checkpoints.get(model.name));
    Ok(serving.filter_map(|checkpoint| checkpoint.position).max())
}

/// Folds up to `target`.
async fn round(inner: &Inner, job: Job, target: Option<i64>) -> Result<Job, ProjectionError> {
    let Some(last) = target.filter(|_| target != job.checkpoint).and_then(position_of) else {
        return Ok(job);
    };
    let Job { goal, models, generation, folders, mut checkpoint, mut events } = job;
    let after = checkpoint.and_then(position_of);
    let mut pump = Pump::start(folders, after, Until::Position(last), inner.options.batch_events);
    while let Some(folded) = pump.next().await? {
        let to = token_of(folded.through.min(last));
        let mut held = inner.database.beside().await?;
        let work = async |connection: &mut Connection<'_>| {
            advance(connection, &models, (NEXT, generation), folded.rows, (checkpoint, to)).await
        };
        held.connection().in_transaction(work).await?;
        checkpoint = Some(to);
        events += folded.events;
    }
    Ok(Job { goal, models, generation, folders: pump.finish().await?, checkpoint, events })
}

/// The last events, and the swap, while nobody else writes.
async fn last_round(inner: &Inner, job: Job) -> Result<(u64, Option<Position>), ProjectionError> {
    let mut held = inner.database.beside().await?;
    let work = async |connection: &mut Connection<'_>| {
        hold_checkpoints(connection).await?;
        let serving = serving(connection).await?;
        let Job { goal, models, generation, folders, mut checkpoint, mut events } = job;
        let target = match goal {
            Goal::Serving => serving,
            // Another server leads by now.
            Goal::Head if serving.is_some() => return Err(ProjectionError::Superseded),
            Goal::Head => checkpoint,
        };
        if let Some(last) = target.filter(|_| target != checkpoint).and_then(position_of) {
            let after = checkpoint.and_then(position_of);
            let mut pump = Pump::start(folders, after, Until::Position(last), inner.options.batch_events);
            while let Some(folded) = pump.next().await? {
                let to = token_of(folded.through.min(last));
                advance(connection, &models, (NEXT, generation), folded.rows, (checkpoint, to)).await?;
                checkpoint = Some(to);
                events += folded.events;
            }
        }
        if checkpoint != target {
            let reason = "the journal ends before the position that the read models stand at";
            return Err(ProjectionError::store(reason));
        }
        swap(connection, &models).await?;
        Ok((events, checkpoint.and_then(position_of)))
    };
    held.connection().in_transaction(work).await
}
