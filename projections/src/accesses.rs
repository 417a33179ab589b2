//! `access`: who opened what was said in a request, for those who watch over it.

use chrono::{DateTime, Utc};
use guichet_rules::records::{AccessEvent, RecordEvent};
use guichet_rules::request::RequestId;
use serde::{Deserialize, Serialize};

use crate::answer::{Answer, PAGE_ROWS_MAX};
use crate::error::ProjectionError;
use crate::models::ReadModel;
use crate::read_models::ReadModels;
use crate::runner::{Fold, Record};
use crate::store::{Columns, Row, Rows, Snapshot, Table, Value, bytes, int, text};

/// The read model.
pub(crate) static MODEL: ReadModel =
    ReadModel { name: "access", version: 1, tables: &[&TABLE], fold: |_| Box::new(Accesses) };

static TABLE: Table = Table {
    name: "access",
    columns: &[
        bytes("record"),
        text("tenant"),
        bytes("request"),
        text("actor"),
        text("what"),
        text("ground"),
        int("hour"),
    ],
    key: 1,
    indexes: &[&["request", "hour"]],
    append_only: true,
};

/// That somebody opened something, in an hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessEntry {
    /// Who: `agent:a01`, `integrator:portail`.
    pub actor: String,
    /// What: `dossier`, `file`.
    pub what: String,
    /// By which right: `in_charge`, `service`, `qualification`, `task`, `approval`, `key`.
    pub ground: String,
    /// The beginning of the hour (UTC).
    pub hour: DateTime<Utc>,
}

/// The folding side.
struct Accesses;

impl Fold for Accesses {
    fn record(&mut self, record: &Record<'_>, rows: &mut Rows) -> Result<(), String> {
        let RecordEvent::Access(AccessEvent::DataOpened(opened)) = &record.event else { return Ok(()) };
        let row: [Value; 7] = [
            record.id.into(),
            record.tenant.into(),
            opened.request.0.into(),
            (&record.meta.actor).into(),
            opened.what.name().into(),
            opened.ground.name().into(),
            opened.hour.into(),
        ];
        rows.table(&TABLE).upsert(row);
        Ok(())
    }
}

fn read(row: &Row) -> Result<AccessEntry, ProjectionError> {
    let mut at = Columns::new(row);
    Ok(AccessEntry { actor: at.take()?, what: at.take()?, ground: at.take()?, hour: at.instant()? })
}

impl ReadModels {
    /// Who opened what was said in a request of `tenant`, the last first, 1,000 at most; empty where the request is not
    /// this collectivity's.
    ///
    /// # Errors
    /// [`ProjectionError::Store`].
    pub async fn accesses(
        &self,
        tenant: &str,
        request: RequestId,
    ) -> Result<Answer<Vec<AccessEntry>>, ProjectionError> {
        let mut snapshot = Snapshot::take(self.database(), MODEL.name).await?;
        let values: [Value; 2] = [tenant.into(), request.0.into()];
        let about = "FROM access WHERE tenant = ? AND request = ?";
        let counts = snapshot.counts(format!("SELECT COUNT(*), 0 {about}"), &values).await?;
        let sql = format!(
            "SELECT actor, what, ground, hour {about} ORDER BY hour DESC, actor, what LIMIT {PAGE_ROWS_MAX}"
        );
        let rows = snapshot.rows(sql, &values).await?;
        let entries = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        Ok(snapshot.answer(counts, entries))
    }
}
