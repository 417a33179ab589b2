//! `timers`: the instants that are not reached yet, at which something must happen by itself.

use chrono::{DateTime, Utc};
use guichet_rules::request::{RequestId, TimerKind, timers};
use serde::{Deserialize, Serialize};

use crate::answer::Answer;
use crate::error::ProjectionError;
use crate::models::ReadModel;
use crate::read_models::ReadModels;
use crate::runner::{Fold, Held, Turn};
use crate::store::{Columns, Row, Rows, Snapshot, Table, Value, Where, bytes, int, text};

/// The read model.
pub(crate) static MODEL: ReadModel =
    ReadModel { name: "timers", version: 1, tables: &[&TABLE], fold: |_| Box::new(Timers) };

static TABLE: Table = Table {
    name: "timers",
    columns: &[int("rid"), int("place"), bytes("request"), text("tenant"), int("due"), text("kind")],
    key: 2,
    indexes: &[&["due"]],
    append_only: false,
};

/// A timer whose instant can come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DueTimer {
    /// The request.
    pub request: RequestId,
    /// Its collectivity.
    pub tenant: String,
    /// The instant (UTC).
    pub due: DateTime<Utc>,
    /// What for.
    pub kind: TimerKind,
}

/// The folding side.
struct Timers;

impl Fold for Timers {
    fn request(&mut self, turn: &Turn<'_>, rows: &mut Rows) {
        let before = turn.before.map(|(held, _)| table_rows(held)).unwrap_or_default();
        rows.table(&TABLE).differ(turn.after.rid, &before, table_rows(turn.after));
    }
}

fn table_rows(held: &Held) -> Vec<Vec<Value>> {
    let request = &held.request;
    let row = |timer: guichet_rules::request::Timer| {
        let kind = serde_json::to_string(&timer.kind).unwrap_or_default();
        vec![request.id.0.into(), (&request.tenant).into(), timer.due.into(), kind.into()]
    };
    timers(request).into_iter().map(row).collect()
}

fn read(row: &Row) -> Result<DueTimer, ProjectionError> {
    let mut at = Columns::new(row);
    Ok(DueTimer { request: RequestId(at.uuid()?), tenant: at.take()?, due: at.instant()?, kind: at.json()? })
}

impl ReadModels {
    /// Timers due at `now` (UTC) or before, in the order of their instants, at most `limit`. Each stays until the
    /// event that it causes has been taken in, so whoever carries them out waits for that position.
    ///
    /// # Errors
    /// [`ProjectionError::Store`].
    pub async fn timers_due(
        &self,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Answer<Vec<DueTimer>>, ProjectionError> {
        let mut filter = Where::default();
        filter.with("due <= ?", now);
        self.timers(filter, limit).await
    }

    /// The timer that comes next, whenever that is.
    ///
    /// # Errors
    /// [`ProjectionError::Store`].
    pub async fn next_timer(&self) -> Result<Answer<Option<DueTimer>>, ProjectionError> {
        let answer = self.timers(Where::default(), 1).await?;
        let Answer { as_of, n, open, value } = answer;
        Ok(Answer { as_of, n, open, value: value.into_iter().next() })
    }

    /// The timers of one request.
    ///
    /// # Errors
    /// [`ProjectionError::Store`].
    pub async fn timers_of(
        &self,
        tenant: &str,
        request: RequestId,
    ) -> Result<Answer<Vec<DueTimer>>, ProjectionError> {
        let mut filter = Where::default();
        filter.with("rid = (SELECT rid FROM request_card WHERE request = ?)", request.0);
        filter.with("tenant = ?", tenant);
        self.timers(filter, 1_000).await
    }

    async fn timers(&self, filter: Where, limit: u32) -> Result<Answer<Vec<DueTimer>>, ProjectionError> {
        let mut snapshot = Snapshot::take(self.database(), MODEL.name).await?;
        let count = format!("SELECT COUNT(*), COUNT(*) FROM timers {}", filter.sql());
        let counts = snapshot.counts(count, &filter.values).await?;
        let sql = format!(
            "SELECT request, tenant, due, kind FROM timers {} ORDER BY due, rid, place LIMIT {limit}",
            filter.sql()
        );
        let rows = snapshot.rows(sql, &filter.values).await?;
        let timers = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        Ok(snapshot.answer(counts, timers))
    }
}
