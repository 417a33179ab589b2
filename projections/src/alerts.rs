//! `alerts`: what was done about each alert, and whom it reached, by accounts' ids.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use guichet_rules::records::RecordEvent;
use guichet_rules::records::alert::AlertEvent;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::answer::{Answer, rows_of};
use crate::error::ProjectionError;
use crate::models::ReadModel;
use crate::read_models::ReadModels;
use crate::runner::{Fold, Record};
use crate::store::{Columns, Row, Rows, Snapshot, Table, bytes, int, text};

/// The read model.
pub(crate) static MODEL: ReadModel =
    ReadModel { name: "alerts", version: 1, tables: &[&STEPS, &RECIPIENTS], fold: |_| Box::new(Alerts) };

static STEPS: Table = Table {
    name: "alert_step",
    columns: &[bytes("alert"), text("step"), text("tenant"), int("at")],
    key: 2,
    indexes: &[&["tenant", "step", "at"], &["step", "at"]],
    append_only: false,
};

static RECIPIENTS: Table = Table {
    name: "alert_recipient",
    columns: &[bytes("alert"), bytes("contact"), int("batch"), text("outcome")],
    key: 2,
    indexes: &[&["alert", "outcome"]],
    append_only: false,
};

/// Messages of a batch under way that were handed over: it follows from no event until the batch is told of.
pub(crate) static MARKS: Table = Table {
    name: "alert_mark",
    columns: &[bytes("alert"), bytes("contact")],
    key: 2,
    indexes: &[],
    append_only: false,
};

/// The folding side.
struct Alerts;

impl Fold for Alerts {
    fn record(&mut self, record: &Record<'_>, rows: &mut Rows) -> Result<(), String> {
        match &record.event {
            RecordEvent::Alert(event) => alert(record, event, rows),
            RecordEvent::Access(_)
            | RecordEvent::Contact(_)
            | RecordEvent::Erasure(_)
            | RecordEvent::Support(_)
            | RecordEvent::Webhook(_) => {}
        }
        Ok(())
    }
}

fn alert(record: &Record<'_>, event: &AlertEvent, rows: &mut Rows) {
    let mut step = |name: &str| {
        let row = [record.id.into(), name.into(), record.tenant.into(), record.meta.occurred_at.into()];
        rows.table(&STEPS).upsert(row);
    };
    match event {
        AlertEvent::AlertDrafted(_) => step("drafted"),
        AlertEvent::AlertApproved(_) => step("approved"),
        AlertEvent::AlertSent(_) => step("sent"),
        AlertEvent::AlertCancelled(_) => step("cancelled"),
        AlertEvent::AlertFinished(_) => step("finished"),
        AlertEvent::BatchTaken(taken) => {
            recipients(rows, (taken.alert, taken.batch), &taken.recipients, "taken");
        }
        AlertEvent::BatchDone(done) => {
            let batch = (done.alert, done.batch);
            recipients(rows, batch, &done.reached, "reached");
            recipients(rows, batch, &done.failed, "failed");
            recipients(rows, batch, &done.unreachable, "unreachable");
        }
    }
}

fn recipients(rows: &mut Rows, (alert, batch): (Uuid, u32), who: &[Uuid], outcome: &str) {
    let table = rows.table(&RECIPIENTS);
    for contact in who {
        table.upsert([alert.into(), (*contact).into(), batch.into(), outcome.into()]);
    }
}

/// An alert in the list of a collectivity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertLine {
    /// The alert.
    pub alert: Uuid,
    /// Its collectivity.
    pub tenant: String,
    /// When it was written (UTC), or began to go out, by what was asked for.
    pub at: DateTime<Utc>,
}

/// How far an alert has gone out: numbers of people.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reach {
    /// About to be told.
    pub taken: u64,
    /// Told.
    pub reached: u64,
    /// Whose message the transport refused.
    pub failed: u64,
    /// Without a proven address by any of its means.
    pub unreachable: u64,
}

fn line(row: &Row) -> Result<AlertLine, ProjectionError> {
    let mut at = Columns::new(row);
    Ok(AlertLine { alert: at.uuid()?, tenant: at.take()?, at: at.instant()? })
}

impl ReadModels {
    /// The alerts of a collectivity, the latest written first.
    ///
    /// # Errors
    /// [`ProjectionError::Store`].
    pub async fn alerts(&self, tenant: &str, limit: u32) -> Result<Answer<Vec<AlertLine>>, ProjectionError> {
        let sql = format!(
            "SELECT alert, tenant, at FROM alert_step WHERE tenant = ? AND step = 'drafted' \
             ORDER BY at DESC, alert LIMIT {}",
            rows_of(limit)
        );
        let mut snapshot = Snapshot::take(self.database(), MODEL.name).await?;
        let rows = snapshot.rows(sql, &[tenant.into()]).await?;
        let lines = rows.iter().map(line).collect::<Result<Vec<_>, _>>()?;
        let n = lines.len() as u64;
        Ok(snapshot.answer((n, n), lines))
    }

    /// The alerts that are going out, of all collectivities, the longest under way first.
    ///
    /// # Errors
    /// [`ProjectionError::Store`].
    pub async fn alerts_sending(&self) -> Result<Answer<Vec<AlertLine>>, ProjectionError> {
        let sql = "SELECT s.alert, s.tenant, s.at FROM alert_step s WHERE s.step = 'sent' AND NOT EXISTS \
            (SELECT 1 FROM alert_step e WHERE e.alert = s.alert AND e.step IN ('finished', 'cancelled')) \
            ORDER BY s.at, s.alert LIMIT 1000";
        let mut snapshot = Snapshot::take(self.database(), MODEL.name).await?;
        let rows = snapshot.rows(sql.to_owned(), &[]).await?;
        let lines = rows.iter().map(line).collect::<Result<Vec<_>, _>>()?;
        let n = lines.len() as u64;
        Ok(snapshot.answer((n, n), lines))
    }

    /// How far an alert has gone out.
    ///
    /// # Errors
    /// [`ProjectionError::Store`].
    pub async fn alert_reach(&self, alert: Uuid) -> Result<Answer<Reach>, ProjectionError> {
        let mut snapshot = Snapshot::take(self.database(), MODEL.name).await?;
        let sql = "SELECT outcome, COUNT(*) FROM alert_recipient WHERE alert = ? GROUP BY outcome";
        let rows = snapshot.rows(sql.to_owned(), &[alert.into()]).await?;
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for row in &rows {
            let mut at = Columns::new(row);
            counts.insert(at.take()?, at.count()?);
        }
        let of = |name: &str| counts.get(name).copied().unwrap_or_default();
        let reach = Reach {
            taken: of("taken"),
            reached: of("reached"),
            failed: of("failed"),
            unreachable: of("unreachable"),
        };
        Ok(snapshot.answer((counts.values().sum(), reach.taken), reach))
    }

    /// The last batch of an alert that was taken, and whether all of it has been told of; none before the first.
    ///
    /// # Errors
    /// [`ProjectionError::Store`].
    pub async fn alert_batch(&self, alert: Uuid) -> Result<Answer<Option<(u32, bool)>>, ProjectionError> {
        let mut snapshot = Snapshot::take(self.database(), MODEL.name).await?;
        let sql = "SELECT batch, CAST(SUM(CASE WHEN outcome = 'taken' THEN 1 ELSE 0 END) AS BIGINT) \
            FROM alert_recipient WHERE alert = ? GROUP BY batch ORDER BY batch DESC LIMIT 1";
        let rows = snapshot.rows(sql.to_owned(), &[alert.into()]).await?;
        let read = |row: &Row| -> Result<(u32, bool), ProjectionError> {
            let mut at = Columns::new(row);
            Ok((at.number()?, at.count()? == 0))
        };
        let last = rows.first().map(read).transpose()?;
        Ok(snapshot.answer((0, 0), last))
    }

    /// Which of these accounts an alert has been taken to already, whatever became of it.
    ///
    /// # Errors
    /// [`ProjectionError::Store`].
    pub async fn alert_taken(&self, alert: Uuid, contacts: &[Uuid]) -> Result<Vec<Uuid>, ProjectionError> {
        let mut snapshot = Snapshot::take(self.database(), MODEL.name).await?;
        let mut taken = Vec::new();
        for contacts in contacts.chunks(256) {
            let marks = vec!["?"; contacts.len()].join(",");
            let sql = format!("SELECT contact FROM alert_recipient WHERE alert = ? AND contact IN ({marks})");
            let values: Vec<_> =
                std::iter::once(alert).chain(contacts.iter().copied()).map(Into::into).collect();
            for row in &snapshot.rows(sql, &values).await? {
                taken.push(Columns::new(row).uuid()?);
            }
        }
        Ok(taken)
    }
}

impl ReadModels {
    /// Notes that somebody was sent an alert, so that a worker that goes on with its batch leaves them in peace.
    ///
    /// # Errors
    /// [`ProjectionError::Store`], [`ProjectionError::Unavailable`].
    pub async fn alert_mark(&self, alert: Uuid, contact: Uuid) -> Result<(), ProjectionError> {
        let sql =
            "INSERT INTO alert_mark (alert, contact) VALUES (?, ?) ON CONFLICT (alert, contact) DO NOTHING";
        let values = [alert.into(), contact.into()];
        self.database().shared(async |connection| connection.run(sql, &values).await.map(drop)).await
    }

    /// Who was sent an alert in the batch that is under way.
    ///
    /// # Errors
    /// [`ProjectionError::Store`], [`ProjectionError::Unavailable`].
    pub async fn alert_marked(&self, alert: Uuid) -> Result<Vec<Uuid>, ProjectionError> {
        let mut snapshot = Snapshot::take(self.database(), MODEL.name).await?;
        let sql = "SELECT contact FROM alert_mark WHERE alert = ?";
        let rows = snapshot.rows(sql.to_owned(), &[alert.into()]).await?;
        rows.iter().map(|row| Columns::new(row).uuid()).collect()
    }

    /// Forgets the notes of a batch that has been told of: what became of each stands in the journal.
    ///
    /// # Errors
    /// [`ProjectionError::Store`], [`ProjectionError::Unavailable`].
    pub async fn alert_unmark(&self, alert: Uuid) -> Result<(), ProjectionError> {
        let sql = "DELETE FROM alert_mark WHERE alert = ?";
        self.database().shared(async |connection| connection.run(sql, &[alert.into()]).await.map(drop)).await
    }
}
