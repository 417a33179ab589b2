//! Alerts: written by one member of staff, agreed to by another where people are in danger, and who is concerned.

use chrono::{DateTime, Utc};
use guichet_engine::rules::records::RecordEvent;
use guichet_engine::rules::records::alert::{ALERT, Alert, AlertEvent, Place, concerns};
use guichet_engine::rules::request::{Actor, CommandId, Rejection};
use guichet_engine::{EngineError, RecordEntry, RecordReceipt, RecordSubmission};
use guichet_projections::ProjectionError;
use serde::Serialize;
use uuid::Uuid;

use crate::guichet::Guichet;

/// Wishes read at once when looking for whom an alert concerns.
const WISHES_AT_ONCE: u32 = 1_000;

/// An alert as it stands; none where this collectivity has no such alert.
///
/// # Errors
/// As [`Engine::recorded_of`](guichet_engine::Engine::recorded_of).
pub async fn alert(guichet: &Guichet, tenant: &str, alert: Uuid) -> Result<Option<Alert>, EngineError> {
    let entries = guichet.engine().recorded_of(tenant, ALERT, alert, false).await?;
    Ok(Alert::fold(events(&entries)))
}

/// Changes an alert, or a record of one of its batches. `decide` is given what has happened to it.
///
/// # Errors
/// [`EngineError::Rejected`] when `decide` refuses; otherwise as [`Engine::record`](guichet_engine::Engine::record).
pub async fn change<T, D>(
    guichet: &Guichet,
    (tenant, record): (&str, Uuid),
    (actor, command_id): (&Actor, CommandId),
    content: &T,
    decide: D,
) -> Result<RecordReceipt, EngineError>
where
    T: Serialize + Sync,
    D: Fn(&[RecordEntry]) -> Result<Vec<AlertEvent>, Rejection> + Send + Sync,
{
    let submission = RecordSubmission { tenant, kind: ALERT, record, actor, command_id, content };
    let decide =
        |entries: &[RecordEntry], _| Ok(decide(entries)?.into_iter().map(RecordEvent::from).collect());
    guichet.engine().record(&submission, decide).await
}

/// The events of an alert's record, each with the instant at which it happened (UTC).
pub(crate) fn events(entries: &[RecordEntry]) -> impl Iterator<Item = (&AlertEvent, DateTime<Utc>)> {
    entries.iter().filter_map(|entry| match &entry.event {
        RecordEvent::Alert(event) => Some((event, entry.meta.occurred_at)),
        RecordEvent::Access(_)
        | RecordEvent::Erasure(_)
        | RecordEvent::Contact(_)
        | RecordEvent::Support(_)
        | RecordEvent::Webhook(_) => None,
    })
}

/// Whom something concerns: topics, places, and until when a wish must have been made (UTC).
#[derive(Debug, Clone, Copy)]
pub struct Concern<'a> {
    /// The collectivity.
    pub tenant: &'a str,
    /// Themes of the catalogue; any if empty.
    pub topics: &'a [String],
    /// Where; everywhere if empty.
    pub places: &'a [Place],
    /// Wishes made later are left aside.
    pub until: DateTime<Utc>,
}

/// The next accounts concerned behind `after`, in their order, each once, and where to go on; nothing at the end.
///
/// # Errors
/// As [`ReadModels::subscribers`](guichet_projections::ReadModels::subscribers).
pub async fn concerned(
    guichet: &Guichet,
    concern: &Concern<'_>,
    after: Option<Uuid>,
) -> Result<Option<(Vec<Uuid>, Uuid)>, ProjectionError> {
    let Concern { tenant, topics, places, until } = *concern;
    let models = guichet.read_models();
    let found = models.subscribers(tenant, topics, until, after, WISHES_AT_ONCE).await?.value;
    let Some(last) = found.last().map(|subscriber| subscriber.contact) else { return Ok(None) };
    let wished = found.into_iter().filter(|subscriber| concerns(topics, places, &subscriber.wish));
    let mut accounts: Vec<Uuid> = wished.map(|subscriber| subscriber.contact).collect();
    accounts.dedup();
    Ok(Some((accounts, last)))
}

/// How many people something concerns.
///
/// # Errors
/// As [`concerned`].
pub async fn count(guichet: &Guichet, concern: &Concern<'_>) -> Result<u64, ProjectionError> {
    let (mut people, mut after) = (0, None);
    while let Some((accounts, last)) = concerned(guichet, concern, after).await? {
        people += accounts.len() as u64;
        after = Some(last);
    }
    Ok(people)
}
