//! `payments`: what requesters were asked to pay and what became of it, and visits to the provider's page of which
//! nothing was heard yet.

use chrono::{DateTime, Utc};
use guichet_rules::request::{Payment, PaymentStatus, RequestId};
use serde::{Deserialize, Serialize};

use crate::answer::Answer;
use crate::error::ProjectionError;
use crate::models::ReadModel;
use crate::read_models::ReadModels;
use crate::runner::{Fold, Held, Process, Turn};
use crate::store::{Columns, Row, Rows, Snapshot, Table, Value, Where, bytes, int, opt_int, opt_text, text};

/// The read model.
pub(crate) static MODEL: ReadModel =
    ReadModel { name: "payments", version: 2, tables: &[&PAYMENTS, &VISITS], fold: |_| Box::new(Payments) };

static PAYMENTS: Table = Table {
    name: "payments",
    columns: &[
        int("rid"),
        int("place"),
        bytes("request"),
        text("tenant"),
        text("process"),
        int("payment"),
        text("status"),
        int("amount"),
        int("received"),
        int("refunded"),
        int("asked"),
        int("due"),
        opt_int("settled"),
        opt_text("settled_month"),
    ],
    key: 2,
    indexes: &[&["tenant", "status"], &["tenant", "settled_month"]],
    append_only: false,
};

static VISITS: Table = Table {
    name: "payment_visits",
    columns: &[
        int("rid"),
        int("place"),
        bytes("request"),
        text("tenant"),
        int("payment"),
        text("reference"),
        int("started"),
    ],
    key: 2,
    indexes: &[&["started"]],
    append_only: false,
};

/// A payment as those see it who look after the money. Nothing of it is personal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentRow {
    /// The request.
    pub request: RequestId,
    /// Its process.
    pub process: String,
    /// Its number within the request, from 1.
    pub payment: u32,
    /// Where it stands.
    pub status: PaymentStatus,
    /// How much was asked for, in cents.
    pub amount: u64,
    /// How much was taken, in cents.
    pub received: u64,
    /// How much was given back, in cents.
    pub refunded: u64,
    /// Since when it is asked for (UTC).
    pub asked: DateTime<Utc>,
    /// The end of its term (UTC).
    pub due: DateTime<Utc>,
    /// When it was paid (UTC).
    pub settled: Option<DateTime<Utc>>,
    /// Where the list goes on after it.
    #[serde(skip)]
    pub cursor: (i64, i64),
}

/// A visit to the provider's page of which nothing was heard yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentVisit {
    /// The collectivity.
    pub tenant: String,
    /// The request.
    pub request: RequestId,
    /// The payment's number.
    pub payment: u32,
    /// By what the provider names it to us.
    pub reference: String,
    /// When (UTC).
    pub started: DateTime<Utc>,
}

/// What a list of payments asks for.
#[derive(Debug, Clone, Default)]
pub struct PaymentFilter {
    /// Only those that stand so.
    pub status: Option<PaymentStatus>,
    /// Only those after this row.
    pub after: Option<(i64, i64)>,
    /// The most rows.
    pub limit: u32,
}

/// What one process took in one month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentTotal {
    /// The process.
    pub process: String,
    /// The month in which the money came, `2026-11`, in the zone of the process's calendar.
    pub month: String,
    /// Payments made.
    pub payments: u64,
    /// How much was taken for them, in cents.
    pub received: u64,
    /// How much of it was given back since, in cents.
    pub refunded: u64,
}

/// The folding side.
struct Payments;

impl Fold for Payments {
    fn request(&mut self, turn: &Turn<'_>, rows: &mut Rows) {
        let (before, after) = (turn.before.map(|(held, _)| held), turn.after);
        let rid = after.rid;
        let known = turn.before.map(|(held, process)| payments(held, process)).unwrap_or_default();
        rows.table(&PAYMENTS).differ(rid, &known, payments(after, turn.process));
        rows.table(&VISITS).differ(rid, &before.map(visits).unwrap_or_default(), visits(after));
    }
}

fn cents(amount: u64) -> i64 {
    i64::try_from(amount).unwrap_or(i64::MAX)
}

fn payments(held: &Held, process: &Process) -> Vec<Vec<Value>> {
    let request = &held.request;
    let row = |payment: &Payment| {
        vec![
            request.id.0.into(),
            (&request.tenant).into(),
            (&request.process).into(),
            i64::from(payment.number).into(),
            payment.status.id().into(),
            cents(payment.amount).into(),
            cents(payment.received).into(),
            cents(payment.refunded).into(),
            payment.asked_at.into(),
            payment.due.into(),
            payment.settled_at.into(),
            payment.settled_at.map(|at| process.local_date(at).format("%Y-%m").to_string()).into(),
        ]
    };
    request.payments.iter().map(row).collect()
}

fn visits(held: &Held) -> Vec<Vec<Value>> {
    let request = &held.request;
    let of_one = |payment: &Payment| {
        let open = payment.attempts.iter().filter(|attempt| attempt.outcome.is_none());
        let number = payment.number;
        open.map(move |attempt| (number, attempt.reference.clone(), attempt.started_at)).collect::<Vec<_>>()
    };
    let row = |(number, reference, started): (u32, String, DateTime<Utc>)| {
        vec![
            request.id.0.into(),
            (&request.tenant).into(),
            i64::from(number).into(),
            reference.into(),
            started.into(),
        ]
    };
    request.payments.iter().flat_map(of_one).map(row).collect()
}

fn read(row: &Row) -> Result<PaymentRow, ProjectionError> {
    let mut at = Columns::new(row);
    let cursor = (at.take()?, at.take()?);
    Ok(PaymentRow {
        request: RequestId(at.uuid()?),
        process: at.take()?,
        payment: at.number()?,
        status: at.code()?,
        amount: at.number()?,
        received: at.number()?,
        refunded: at.number()?,
        asked: at.instant()?,
        due: at.instant()?,
        settled: at.opt_instant()?,
        cursor,
    })
}

fn read_visit(row: &Row) -> Result<PaymentVisit, ProjectionError> {
    let mut at = Columns::new(row);
    Ok(PaymentVisit {
        tenant: at.take()?,
        request: RequestId(at.uuid()?),
        payment: at.number()?,
        reference: at.take()?,
        started: at.instant()?,
    })
}

impl ReadModels {
    /// Payments of a collectivity, in the order of their requests.
    ///
    /// # Errors
    /// [`ProjectionError::Store`].
    pub async fn payments(
        &self,
        tenant: &str,
        wanted: &PaymentFilter,
    ) -> Result<Answer<Vec<PaymentRow>>, ProjectionError> {
        let mut filter = Where::default();
        filter.with("tenant = ?", tenant);
        if let Some(status) = wanted.status {
            filter.with("status = ?", status.id());
        }
        let mut snapshot = Snapshot::take(self.database(), MODEL.name).await?;
        let count = format!("SELECT COUNT(*), COUNT(*) FROM payments {}", filter.sql());
        let counts = snapshot.counts(count, &filter.values).await?;
        if let Some((rid, place)) = wanted.after {
            filter.raw("(rid > ? OR (rid = ? AND place > ?))", [rid.into(), rid.into(), place.into()]);
        }
        let sql = format!(
            "SELECT rid, place, request, process, payment, status, amount, received, refunded, asked, due, settled \
             FROM payments {} ORDER BY rid, place LIMIT {}",
            filter.sql(),
            wanted.limit
        );
        let rows = snapshot.rows(sql, &filter.values).await?;
        let payments = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        Ok(snapshot.answer(counts, payments))
    }

    /// What each process took in each month, from `from` to `until`, both `2026-11` and both included; the latest month
    /// first.
    ///
    /// # Errors
    /// [`ProjectionError::Store`].
    pub async fn payment_totals(
        &self,
        tenant: &str,
        (from, until): (Option<&str>, Option<&str>),
    ) -> Result<Answer<Vec<PaymentTotal>>, ProjectionError> {
        let mut filter = Where::default();
        filter.with("tenant = ?", tenant);
        filter.maybe("settled_month >= ?", from);
        filter.maybe("settled_month <= ?", until);
        filter.raw("settled_month IS NOT NULL", []);
        let mut snapshot = Snapshot::take(self.database(), MODEL.name).await?;
        let count = format!(
            "SELECT COUNT(*), COUNT(*) FILTER (WHERE status = 'awaited') FROM payments {}",
            filter.sql()
        );
        let counts = snapshot.counts(count, &filter.values).await?;
        let sql = format!(
            "SELECT process, settled_month, COUNT(*), CAST(SUM(received) AS BIGINT), CAST(SUM(refunded) AS BIGINT) \
             FROM payments {} GROUP BY process, settled_month ORDER BY settled_month DESC, process",
            filter.sql()
        );
        let rows = snapshot.rows(sql, &filter.values).await?;
        let total = |row: &Row| {
            let mut at = Columns::new(row);
            Ok(PaymentTotal {
                process: at.take()?,
                month: at.take()?,
                payments: at.count()?,
                received: at.count()?,
                refunded: at.count()?,
            })
        };
        let totals = rows.iter().map(total).collect::<Result<Vec<_>, ProjectionError>>()?;
        Ok(snapshot.answer(counts, totals))
    }

    /// Visits to the provider's page that began at `before` (UTC) or earlier and of which nothing was heard, the oldest
    /// first.
    ///
    /// # Errors
    /// [`ProjectionError::Store`].
    pub async fn payment_visits(
        &self,
        before: DateTime<Utc>,
        limit: u32,
    ) -> Result<Answer<Vec<PaymentVisit>>, ProjectionError> {
        let mut filter = Where::default();
        filter.with("started <= ?", before);
        let mut snapshot = Snapshot::take(self.database(), MODEL.name).await?;
        let count = format!("SELECT COUNT(*), COUNT(*) FROM payment_visits {}", filter.sql());
        let counts = snapshot.counts(count, &filter.values).await?;
        let sql = format!(
            "SELECT tenant, request, payment, reference, started FROM payment_visits {} \
             ORDER BY started, rid, place LIMIT {limit}",
            filter.sql()
        );
        let rows = snapshot.rows(sql, &filter.values).await?;
        let visits = rows.iter().map(read_visit).collect::<Result<Vec<_>, _>>()?;
        Ok(snapshot.answer(counts, visits))
    }
}
