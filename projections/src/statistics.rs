//! `statistics`: what managers count. One row for each request holds its measures, so every figure is an exact sum or
//! an exact quantile over rows, and a rebuild gives the same.

use chrono::NaiveDate;
use guichet_rules::process::Channel;
use guichet_rules::request::Request;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::answer::Answer;
use crate::error::ProjectionError;
use crate::models::ReadModel;
use crate::read_models::ReadModels;
use crate::request_card::place;
use crate::runner::{Fold, Held, Process, Turn};
use crate::store::{Columns, Row, Rows, Snapshot, Table, Value, Where, code, int, opt_int, opt_text, text};

/// The read model.
pub(crate) static MODEL: ReadModel =
    ReadModel { name: "statistics", version: 2, tables: &[&TABLE], fold: |_| Box::new(Statistics) };

static TABLE: Table = Table {
    name: "statistics",
    columns: &[
        int("rid"),
        text("tenant").fixed(),
        text("day"),
        text("process"),
        text("theme"),
        text("kind"),
        text("channel").fixed(),
        opt_text("service"),
        opt_text("area"),
        text("requester"),
        text("stage"),
        int("open"),
        int("online").fixed(),
        int("first_contact"),
        int("reopenings"),
        int("reassignments"),
        int("people"),
        int("letters"),
        int("cost"),
        int("saving"),
        opt_int("acknowledged_after"),
        opt_int("delivered_after"),
        int("waited"),
        opt_int("rating"),
        opt_text("closed_day"),
        int("undelivered"),
    ],
    key: 1,
    indexes: &[&["tenant", "day"]],
    append_only: false,
};

/// A contact is over after half an hour: an answer that came later was not given at first contact (microseconds).
const CONTACT: i64 = 30 * 60 * 1_000_000;

/// By what figures are broken down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dimension {
    /// The collectivity.
    Tenant,
    /// The day of receipt, in the town hall's zone.
    Day,
    /// The month of receipt, `2026-11`.
    Month,
    /// The process.
    Process,
    /// The theme.
    Theme,
    /// The kind of request.
    Kind,
    /// The channel.
    Channel,
    /// The service in charge.
    Service,
    /// The neighbourhood.
    Area,
    /// The kind of requester.
    Requester,
    /// The stage.
    Stage,
}

impl Dimension {
    fn expression(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::Day => "day",
            Self::Month => "substr(day, 1, 7)",
            Self::Process => "process",
            Self::Theme => "theme",
            Self::Kind => "kind",
            Self::Channel => "channel",
            Self::Service => "service",
            Self::Area => "area",
            Self::Requester => "requester",
            Self::Stage => "stage",
        }
    }
}

/// By what the requests of a period are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// By the day of receipt.
    #[default]
    Received,
    /// By the day on which they were finished, however they ended; open ones are left out.
    Closed,
}

/// Which requests are counted, and how they are broken down.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct StatisticsQuery {
    /// Of this collectivity; of all if none.
    pub tenant: Option<String>,
    /// By what the period chooses.
    pub period: Period,
    /// From this day on, in the town hall's zone.
    pub from: Option<NaiveDate>,
    /// Up to this day, included.
    pub until: Option<NaiveDate>,
    /// Of this process.
    pub process: Option<String>,
    /// Of this theme.
    pub theme: Option<String>,
    /// That came in this way.
    pub channel: Option<Channel>,
    /// In the charge of this service.
    pub service: Option<String>,
    /// In this neighbourhood.
    pub area: Option<String>,
    /// The break-down; none gives the total alone.
    pub by: Vec<Dimension>,
}

/// A delay: over the requests that have it, with those that may still get one beside it.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Delay {
    /// Requests that have it: the denominator.
    pub n: u64,
    /// Open requests that do not have it yet: they can only make it longer.
    pub open: u64,
    /// Half of them took no longer, in seconds of elapsed time; none if nothing is known yet.
    pub p50: Option<f64>,
    /// Nine out of ten took no longer, in seconds.
    pub p90: Option<f64>,
}

/// The figures of one group.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct StatisticsLine {
    /// The group: one value for each dimension asked for; none where a request has no such value.
    pub key: Vec<Option<String>>,
    /// Requests.
    pub requests: u64,
    /// Of them still open.
    pub open: u64,
    /// Of them delivered.
    pub delivered: u64,
    /// Of them ended another way: withdrawn, cancelled, refused, forwarded, merged.
    pub ended_otherwise: u64,
    /// Of them that came in online.
    pub online: u64,
    /// Answered at first contact: by one agent, within half an hour, never handed on, never reopened.
    pub first_contact: u64,
    /// Requests reopened at least once.
    pub reopened: u64,
    /// How often requests were reopened, all together.
    pub reopenings: u64,
    /// Requests that changed hands between services at least once.
    pub reassigned: u64,
    /// How often requests changed hands, all together.
    pub reassignments: u64,
    /// People of the town hall who acted on a request, added up over the requests: the fewer the better.
    pub people: u64,
    /// Letters that were posted.
    pub letters: u64,
    /// What they cost, in cents: each request at the unit cost of its channel, and its letters.
    pub cost_cents: u64,
    /// Messages to requesters that did not arrive, told at once or long after they were handed over.
    pub undelivered: u64,
    /// What the town saved because requests came in online and not at the counter, in cents.
    pub saving_cents: u64,
    /// Requests that were rated.
    pub rated: u64,
    /// The mean rating, 1 to 5; none while nobody rated.
    pub rating: Option<f64>,
    /// Time spent waiting for requesters, in seconds, all together; it is part of the delays.
    pub waited: f64,
    /// From receipt to the acknowledgement.
    pub acknowledged_after: Delay,
    /// From receipt to the answer.
    pub delivered_after: Delay,
}

/// Figures: the total, and its parts.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Figures {
    /// All requests that were asked for.
    pub total: StatisticsLine,
    /// The parts, largest first; days and months in their order.
    pub lines: Vec<StatisticsLine>,
}

/// The folding side.
struct Statistics;

impl Fold for Statistics {
    fn request(&mut self, turn: &Turn<'_>, rows: &mut Rows) {
        let row = row(turn.after, turn.process);
        if turn.before.is_none_or(|(held, process)| self::row(held, process) != row) {
            rows.table(&TABLE).upsert(row);
        }
    }
}

fn row(held: &Held, process: &Process) -> [Value; 26] {
    let request = &held.request;
    let definition = &process.definition;
    let received = request.milestones.received;
    let after = |reached: Option<chrono::DateTime<chrono::Utc>>| {
        reached.map(|at| (at - received).num_microseconds().unwrap_or(i64::MAX).max(0))
    };
    let costs = definition.costs;
    let online = request.channel.is_online();
    let unit = if online { costs.online_cents } else { costs.counter_cents };
    let saving = if online { costs.counter_cents.saturating_sub(costs.online_cents) } else { 0 };
    let letters = u64::from(held.trace.letters);
    let delivered_after = after(request.milestones.delivered);
    [
        held.rid.into(),
        (&request.tenant).into(),
        process.local_date(received).into(),
        (&request.process).into(),
        (&definition.theme).into(),
        code(&definition.kind).into(),
        request.channel.id().into(),
        request.service.as_ref().into(),
        place(request, process).0.into(),
        code(&request.requester.kind).into(),
        request.stage.id().into(),
        (!request.stage.is_finished()).into(),
        online.into(),
        first_contact(request, delivered_after).into(),
        request.cycle.into(),
        request.reassignments.into(),
        (request.touched_by.len() as u64).into(),
        letters.into(),
        (unit + letters * costs.letter_out_cents).into(),
        saving.into(),
        after(request.acknowledged_at).into(),
        delivered_after.into(),
        held.trace.waited.into(),
        request.rating.into(),
        request.closed_at.map(|at| process.local_date(at)).into(),
        held.trace.undelivered.into(),
    ]
}

fn first_contact(request: &Request, delivered_after: Option<i64>) -> bool {
    request.cycle == 0
        && request.reassignments == 0
        && request.touched_by.len() == 1
        && delivered_after.is_some_and(|after| after <= CONTACT)
}

impl StatisticsQuery {
    fn conditions(&self) -> Where {
        let mut filter = Where::default();
        filter.maybe("tenant = ?", self.tenant.as_ref());
        let (from, until) = match self.period {
            Period::Received => ("day >= ?", "day <= ?"),
            Period::Closed => ("closed_day >= ?", "closed_day <= ?"),
        };
        filter.maybe(from, self.from);
        filter.maybe(until, self.until);
        if self.period == Period::Closed {
            filter.raw("open = ?", [Value::Int(0)]);
        }
        filter.maybe("process = ?", self.process.as_ref());
        filter.maybe("theme = ?", self.theme.as_ref());
        filter.maybe("channel = ?", self.channel.map(Channel::id));
        filter.maybe("service = ?", self.service.as_ref());
        filter.maybe("area = ?", self.area.as_ref());
        filter
    }
}

/// The measures, in the order in which [`read`] takes them.
const MEASURES: &str = "COUNT(*), CAST(SUM(open) AS BIGINT), COUNT(*) FILTER (WHERE stage = 'delivered'), \
    COUNT(*) FILTER (WHERE open = 0 AND stage <> 'delivered'), CAST(SUM(online) AS BIGINT), \
    CAST(SUM(first_contact) AS BIGINT), COUNT(*) FILTER (WHERE reopenings > 0), CAST(SUM(reopenings) AS BIGINT), \
    COUNT(*) FILTER (WHERE reassignments > 0), CAST(SUM(reassignments) AS BIGINT), CAST(SUM(people) AS BIGINT), \
    CAST(SUM(letters) AS BIGINT), CAST(SUM(cost) AS BIGINT), CAST(SUM(saving) AS BIGINT), COUNT(rating), \
    CAST(SUM(rating) AS BIGINT), CAST(SUM(waited) AS BIGINT), \
    COUNT(acknowledged_after), COUNT(*) FILTER (WHERE open = 1 AND acknowledged_after IS NULL), \
    COUNT(delivered_after), COUNT(*) FILTER (WHERE open = 1 AND delivered_after IS NULL), \
    CAST(SUM(undelivered) AS BIGINT)";

fn key_of(at: &mut Columns<'_>, width: usize) -> Result<Vec<Option<String>>, ProjectionError> {
    (0..width).map(|_| at.take()).collect()
}

fn read(row: &Row, width: usize) -> Result<StatisticsLine, ProjectionError> {
    let mut at = Columns::new(row);
    let key = key_of(&mut at, width)?;
    let mut line = StatisticsLine {
        key,
        requests: at.count()?,
        open: at.count()?,
        delivered: at.count()?,
        ended_otherwise: at.count()?,
        online: at.count()?,
        first_contact: at.count()?,
        reopened: at.count()?,
        reopenings: at.count()?,
        reassigned: at.count()?,
        reassignments: at.count()?,
        people: at.count()?,
        letters: at.count()?,
        cost_cents: at.count()?,
        saving_cents: at.count()?,
        rated: at.count()?,
        ..StatisticsLine::default()
    };
    let ratings = at.count()?;
    line.rating = (line.rated > 0).then(|| fraction(ratings, line.rated));
    line.waited = seconds(at.take::<Option<i64>>()?.unwrap_or(0));
    line.acknowledged_after = Delay { n: at.count()?, open: at.count()?, p50: None, p90: None };
    line.delivered_after = Delay { n: at.count()?, open: at.count()?, p50: None, p90: None };
    line.undelivered = at.count()?;
    Ok(line)
}

#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn fraction(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}

#[allow(clippy::cast_precision_loss, reason = "a sum of delays in microseconds is exact below 285 years")]
fn seconds(micros: i64) -> f64 {
    micros as f64 / 1e6
}

/// The median and the ninth decile of a delay in each group, by nearest rank, so each is a delay that occurred.
fn quantiles(delay: &str, keys: &[String], filter: &Where) -> String {
    let list = keys.join(", ");
    let partition = if keys.is_empty() { String::new() } else { format!("PARTITION BY {list}") };
    let and = if filter.values.is_empty() { "WHERE" } else { "AND" };
    let named: Vec<String> = keys.iter().enumerate().map(|(i, key)| format!("{key} AS k{i}, ")).collect();
    let names: String = (0..keys.len()).map(|i| format!("k{i}, ")).collect();
    format!(
        "WITH ranked AS (SELECT {}{delay} AS delay, ROW_NUMBER() OVER ({partition} ORDER BY {delay}) AS place, \
         COUNT(*) OVER ({partition}) AS n FROM statistics {} {and} {delay} IS NOT NULL) \
         SELECT {names}MIN(delay) FILTER (WHERE place * 2 >= n), MIN(delay) FILTER (WHERE place * 10 >= n * 9) \
         FROM ranked GROUP BY {names}n",
        named.concat(),
        filter.sql()
    )
}

/// The first columns, to order by; what has no value comes first.
fn places(width: usize) -> String {
    (1..=width).map(|place| format!("{place} NULLS FIRST")).collect::<Vec<_>>().join(", ")
}

async fn lines(
    snapshot: &mut Snapshot,
    by: &[Dimension],
    filter: &Where,
) -> Result<Vec<StatisticsLine>, ProjectionError> {
    let keys: Vec<String> = by.iter().map(|dimension| dimension.expression().to_owned()).collect();
    let group = if keys.is_empty() { String::new() } else { format!("GROUP BY {}", keys.join(", ")) };
    let in_time = matches!(by.first(), Some(Dimension::Day | Dimension::Month));
    let order = match keys.len() {
        0 => String::new(),
        width if in_time => format!("ORDER BY {}", places(width)),
        width => format!("ORDER BY COUNT(*) DESC, {}", places(width)),
    };
    let columns: String = keys.iter().map(|key| format!("{key}, ")).collect();
    let sql = format!("SELECT {columns}{MEASURES} FROM statistics {} {group} {order}", filter.sql());
    let rows = snapshot.rows(sql, &filter.values).await?;
    let mut lines = rows.iter().map(|row| read(row, by.len())).collect::<Result<Vec<_>, _>>()?;
    let places: std::collections::HashMap<Vec<Option<String>>, usize> =
        lines.iter().enumerate().map(|(place, line)| (line.key.clone(), place)).collect();
    for delay in ["acknowledged_after", "delivered_after"] {
        for row in snapshot.rows(quantiles(delay, &keys, filter), &filter.values).await? {
            let mut at = Columns::new(&row);
            let key = key_of(&mut at, by.len())?;
            let (p50, p90) = (at.take::<Option<i64>>()?, at.take::<Option<i64>>()?);
            let Some(line) = places.get(&key).and_then(|place| lines.get_mut(*place)) else { continue };
            let known = if delay == "delivered_after" {
                &mut line.delivered_after
            } else {
                &mut line.acknowledged_after
            };
            (known.p50, known.p90) = (p50.map(seconds), p90.map(seconds));
        }
    }
    Ok(lines)
}

impl ReadModels {
    /// Figures over requests, with the number behind them and how many of these are open.
    ///
    /// # Errors
    /// [`ProjectionError::Store`].
    pub async fn statistics(&self, query: &StatisticsQuery) -> Result<Answer<Figures>, ProjectionError> {
        let mut snapshot = Snapshot::take(self.database(), MODEL.name).await?;
        let filter = query.conditions();
        let total = lines(&mut snapshot, &[], &filter).await?.into_iter().next().unwrap_or_default();
        let parts =
            if query.by.is_empty() { Vec::new() } else { lines(&mut snapshot, &query.by, &filter).await? };
        Ok(snapshot.answer((total.requests, total.open), Figures { total, lines: parts }))
    }
}
