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
use crate::store::{Columns, Row, Rows, Snapshot, Table, Value, Where, bytes, int, text};

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
    /// Who: `agent:a01`, `integrator:portail`, `operator:camille`.
    pub actor: String,
    /// What: `dossier`, `file`.
    pub what: String,
    /// By which right: `in_charge`, `service`, `qualification`, `task`, `approval`, `key`, `outbox`,
    /// `console`.
    pub ground: String,
    /// The beginning of the hour (UTC).
    pub hour: DateTime<Utc>,
}

/// Which accesses are looked for. What is not said is not limited.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccessQuery {
    /// The collectivity.
    pub tenant: Option<String>,
    /// The request.
    pub request: Option<RequestId>,
    /// Who, as records name them.
    pub actor: Option<String>,
    /// From this instant on (UTC), an hour exact.
    pub from: Option<DateTime<Utc>>,
    /// Before this instant (UTC), an hour exact.
    pub until: Option<DateTime<Utc>>,
    /// How many at most.
    pub limit: u32,
}

/// That somebody opened something of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessFound {
    /// The collectivity.
    pub tenant: String,
    /// The request.
    pub request: RequestId,
    /// Who, what, by which right and when.
    #[serde(flatten)]
    pub entry: AccessEntry,
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
    /// Who opened what, of any request, the last first.
    ///
    /// # Errors
    /// [`ProjectionError::Store`].
    pub async fn accesses_found(
        &self,
        query: &AccessQuery,
    ) -> Result<Answer<Vec<AccessFound>>, ProjectionError> {
        let mut filter = Where::default();
        filter.maybe("tenant = ?", query.tenant.as_deref());
        filter.maybe("request = ?", query.request.map(|request| request.0));
        filter.maybe("actor = ?", query.actor.as_deref());
        filter.maybe("hour >= ?", query.from);
        filter.maybe("hour < ?", query.until);
        let (conditions, limit) = (filter.sql(), query.limit);
        let mut snapshot = Snapshot::take(self.database(), MODEL.name).await?;
        let count = format!("SELECT COUNT(*), CAST(0 AS BIGINT) FROM access {conditions}");
        let counts = snapshot.counts(count, &filter.values).await?;
        let sql = format!(
            "SELECT tenant, request, actor, what, ground, hour FROM access {conditions} \
             ORDER BY hour DESC, tenant, request, actor, what, ground LIMIT {limit}"
        );
        let read = |row: &Row| {
            let mut at = Columns::new(row);
            let (tenant, request) = (at.take()?, RequestId(at.uuid()?));
            let entry =
                AccessEntry { actor: at.take()?, what: at.take()?, ground: at.take()?, hour: at.instant()? };
            Ok(AccessFound { tenant, request, entry })
        };
        let rows = snapshot.rows(sql, &filter.values).await?;
        let found = rows.iter().map(read).collect::<Result<Vec<_>, ProjectionError>>()?;
        Ok(snapshot.answer(counts, found))
    }

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
        let counts = snapshot.counts(format!("SELECT COUNT(*), CAST(0 AS BIGINT) {about}"), &values).await?;
        let sql = format!(
            "SELECT actor, what, ground, hour {about} ORDER BY hour DESC, actor, what LIMIT {PAGE_ROWS_MAX}"
        );
        let rows = snapshot.rows(sql, &values).await?;
        let entries = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        Ok(snapshot.answer(counts, entries))
    }
}
