//! `commitments`: every clock of every request, running, paused, kept or late, and the share of promises kept.

use chrono::{DateTime, Utc};
use guichet_rules::commitment::{Budget, MonthRule, Pause};
use guichet_rules::process::{Channel, DefinitionHash};
use guichet_rules::request::{Clock, ClockStatus, RequestId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::answer::{Answer, PAGE_ROWS_MAX, rows_of};
use crate::error::ProjectionError;
use crate::models::ReadModel;
use crate::read_models::ReadModels;
use crate::runner::{Fold, Held, Process, Turn};
use crate::store::{
    Columns, Row, Rows, Snapshot, Table, Value, Where, bytes, code, int, marks, micros, opt_int, opt_text,
    text,
};

/// The read model.
pub(crate) static MODEL: ReadModel =
    ReadModel { name: "commitments", version: 2, tables: &[&TABLE], fold: |_| Box::new(Commitments) };

static TABLE: Table = Table {
    name: "commitments",
    columns: &[
        int("rid"),
        int("place"),
        bytes("request").fixed(),
        text("tenant").fixed(),
        text("process"),
        text("theme"),
        text("channel").fixed(),
        opt_text("service"),
        text("definition"),
        int("open"),
        int("received").fixed(),
        text("commitment"),
        int("cycle"),
        text("status"),
        int("broken"),
        int("start"),
        text("budget"),
        opt_text("extended_by"),
        text("month_rule"),
        text("calendar"),
        opt_text("rule"),
        int("due"),
        opt_int("stopped"),
        text("pauses"),
    ],
    key: 2,
    indexes: &[&["tenant", "due"], &["tenant", "received"]],
    append_only: false,
};

/// A clock of a request, with everything its due instant was made from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Commitment {
    /// The request.
    pub request: RequestId,
    /// Its collectivity.
    pub tenant: String,
    /// Its process.
    pub process: String,
    /// The theme of its process.
    pub theme: String,
    /// The way it came in.
    pub channel: Channel,
    /// The service in charge.
    pub service: Option<String>,
    /// The version of the process whose rules and calendars were used.
    pub definition: DefinitionHash,
    /// When the request was made (UTC).
    pub received: DateTime<Utc>,
    /// The commitment; `silence` for the legal clock.
    pub commitment: String,
    /// The cycle, from 0.
    pub cycle: u32,
    /// Where the clock stands.
    pub status: ClockStatus,
    /// Whether it was found past due while it ran.
    pub broken: bool,
    /// What it counts from (UTC).
    pub from: DateTime<Utc>,
    /// How long it may take.
    pub budget: Budget,
    /// How much longer, on a legal basis.
    pub extended_by: Option<Budget>,
    /// How months end.
    pub month_rule: MonthRule,
    /// The calendar, a key of the version's calendars.
    pub calendar: String,
    /// The rule that gave the budget: a JSON pointer into the version.
    pub rule: Option<String>,
    /// When it is due (UTC); while it is paused, the instant that was due when the pause began.
    pub due: DateTime<Utc>,
    /// When it stopped (UTC).
    pub stopped: Option<DateTime<Utc>>,
    /// Its pauses; the last one is open while it is paused.
    pub pauses: Vec<Pause>,
}

/// By what the promises of a period are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cohort {
    /// By when they were due: late ones cannot hide behind an end that has not come.
    #[default]
    Due,
    /// By when the request was made.
    Received,
}

/// How promises are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the words say it")]
pub enum KeptBy {
    Commitment,
    Process,
    Theme,
    Service,
    Channel,
}

impl KeptBy {
    fn column(self) -> &'static str {
        match self {
            Self::Commitment => "commitment",
            Self::Process => "process",
            Self::Theme => "theme",
            Self::Service => "service",
            Self::Channel => "channel",
        }
    }
}

/// Which promises are counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptQuery {
    /// Of this collectivity; of all if none.
    #[serde(default)]
    pub tenant: Option<String>,
    /// Now (UTC): what is past due and not done by then counts as broken.
    pub now: DateTime<Utc>,
    /// By what they are chosen.
    #[serde(default)]
    pub cohort: Cohort,
    /// From this instant (UTC).
    #[serde(default)]
    pub from: Option<DateTime<Utc>>,
    /// Before this instant (UTC).
    #[serde(default)]
    pub until: Option<DateTime<Utc>>,
    /// Only this commitment, for example `answer`.
    #[serde(default)]
    pub commitment: Option<String>,
    /// Only this process.
    #[serde(default)]
    pub process: Option<String>,
    /// Only this theme.
    #[serde(default)]
    pub theme: Option<String>,
    /// Only this service.
    #[serde(default)]
    pub service: Option<String>,
    /// Only this channel.
    #[serde(default)]
    pub channel: Option<Channel>,
    /// How they are grouped; one line for all if not.
    #[serde(default)]
    pub by: Option<KeptBy>,
}

/// Promises of one group. The rate is `on_time ÷ known`, where `known = on_time + late + open_past_due`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct KeptLine {
    /// The group; none for all, or for what has no service yet.
    pub key: Option<String>,
    /// All promises of the group; those that no longer apply are left out.
    pub n: u64,
    /// Done at or before the due instant.
    pub on_time: u64,
    /// Done after it.
    pub late: u64,
    /// Past due and not done.
    pub open_past_due: u64,
    /// Running and not yet due: their outcome is not known.
    pub running: u64,
    /// Paused before they were due: their outcome is not known.
    pub paused: u64,
    /// Those whose outcome is known: the denominator.
    pub known: u64,
    /// The share kept, from 0 to 1; none while no outcome is known.
    pub kept: Option<f64>,
}

/// The folding side.
struct Commitments;

impl Fold for Commitments {
    fn request(&mut self, turn: &Turn<'_>, rows: &mut Rows) {
        let before = turn.before.map(|(held, process)| table_rows(held, process)).unwrap_or_default();
        rows.table(&TABLE).differ(turn.after.rid, &before, table_rows(turn.after, turn.process));
    }
}

fn table_rows(held: &Held, process: &Process) -> Vec<Vec<Value>> {
    let request = &held.request;
    let row = |clock: &Clock| {
        vec![
            request.id.0.into(),
            (&request.tenant).into(),
            (&request.process).into(),
            (&process.definition.theme).into(),
            request.channel.id().into(),
            request.service.as_ref().into(),
            (&clock.made_under.as_ref().unwrap_or(&request.definition).0).into(),
            (!request.stage.is_finished()).into(),
            request.milestones.received.into(),
            (&clock.commitment).into(),
            clock.cycle.into(),
            status(clock.status).into(),
            clock.broken.into(),
            clock.from.into(),
            clock.budget.to_string().into(),
            clock.extended_by.map(|by| by.to_string()).into(),
            code(&clock.month_rule).into(),
            (&clock.calendar).into(),
            clock.rule.as_ref().into(),
            clock.due.into(),
            clock.stopped_at.into(),
            pauses(&clock.pauses),
        ]
    };
    request.clocks.iter().map(row).collect()
}

fn pauses(pauses: &[Pause]) -> Value {
    if pauses.is_empty() { "[]".into() } else { serde_json::to_string(pauses).unwrap_or_default().into() }
}

fn status(status: ClockStatus) -> &'static str {
    match status {
        ClockStatus::Running => "running",
        ClockStatus::Paused => "paused",
        ClockStatus::Kept => "kept",
        ClockStatus::Late => "late",
        ClockStatus::Dropped => "dropped",
    }
}

fn read(row: &Row) -> Result<Commitment, ProjectionError> {
    let mut at = Columns::new(row);
    let (_, _): (i64, i64) = (at.take()?, at.take()?);
    let request = RequestId(at.uuid()?);
    let (tenant, process, theme, channel) = (at.take()?, at.take()?, at.take()?, at.code()?);
    let (service, definition) = (at.take()?, DefinitionHash(at.take()?));
    let _: bool = at.flag()?;
    Ok(Commitment {
        request,
        tenant,
        process,
        theme,
        channel,
        service,
        definition,
        received: at.instant()?,
        commitment: at.take()?,
        cycle: at.number()?,
        status: at.code()?,
        broken: at.flag()?,
        from: at.instant()?,
        budget: budget(&at.take::<String>()?)?,
        extended_by: at.take::<Option<String>>()?.map(|by| budget(&by)).transpose()?,
        month_rule: at.code()?,
        calendar: at.take()?,
        rule: at.take()?,
        due: at.instant()?,
        stopped: at.opt_instant()?,
        pauses: at.json()?,
    })
}

fn budget(text: &str) -> Result<Budget, ProjectionError> {
    text.parse().map_err(|_| ProjectionError::store("a budget is not an amount and a unit"))
}

/// Past due and not done: running beyond its instant, or found broken before it was paused.
const PAST_DUE: &str =
    "(status IN ('running', 'paused') AND (broken = 1 OR (status = 'running' AND due < ?)))";

impl KeptQuery {
    fn conditions(&self) -> Where {
        let mut filter = Where::default();
        filter.raw("status <> 'dropped'", []);
        filter.maybe("tenant = ?", self.tenant.as_ref());
        let (from, until) = match self.cohort {
            Cohort::Due => ("due >= ?", "due < ?"),
            Cohort::Received => ("received >= ?", "received < ?"),
        };
        filter.maybe(from, self.from);
        filter.maybe(until, self.until);
        filter.maybe("commitment = ?", self.commitment.as_ref());
        filter.maybe("process = ?", self.process.as_ref());
        filter.maybe("theme = ?", self.theme.as_ref());
        filter.maybe("service = ?", self.service.as_ref());
        filter.maybe("channel = ?", self.channel.map(Channel::id));
        filter
    }
}

fn kept_line(row: &Row) -> Result<KeptLine, ProjectionError> {
    let mut at = Columns::new(row);
    let key = at.take()?;
    let (n, on_time, late, open_past_due, unknown, paused) =
        (at.count()?, at.count()?, at.count()?, at.count()?, at.count()?, at.count()?);
    let known = on_time + late + open_past_due;
    #[allow(clippy::cast_precision_loss, reason = "counts of promises are far below 2^52")]
    let kept = (known > 0).then(|| on_time as f64 / known as f64);
    Ok(KeptLine { key, n, on_time, late, open_past_due, running: unknown - paused, paused, known, kept })
}

impl ReadModels {
    /// Every clock of a request, those of closed cycles included.
    ///
    /// # Errors
    /// [`ProjectionError::Store`].
    pub async fn commitments_of(
        &self,
        tenant: &str,
        request: RequestId,
    ) -> Result<Answer<Vec<Commitment>>, ProjectionError> {
        let mut filter = Where::default();
        filter.with("rid = (SELECT rid FROM request_card WHERE request = ?)", request.0);
        filter.with("tenant = ?", tenant);
        self.commitments(filter, "place", 1_000).await
    }

    /// The clocks of several requests of a collectivity that have one of these names, those of closed cycles included;
    /// at most ten for each request.
    ///
    /// # Errors
    /// [`ProjectionError::Store`].
    pub async fn commitments_among(
        &self,
        tenant: &str,
        requests: &[RequestId],
        names: &[&str],
    ) -> Result<Answer<Vec<Commitment>>, ProjectionError> {
        let mut filter = Where::default();
        filter.with("tenant = ?", tenant);
        let places = marks(requests.len());
        filter.raw(
            format!("rid IN (SELECT rid FROM request_card WHERE request IN ({places}))"),
            requests.iter().map(|request| request.0.into()),
        );
        filter.among("commitment", names.iter().copied());
        let most = u32::try_from(requests.len()).unwrap_or(PAGE_ROWS_MAX).min(PAGE_ROWS_MAX) * 10;
        self.commitments(filter, "rid, place", most).await
    }

    /// Promises that are past due at `now` (UTC) and not done, the longest overdue first.
    ///
    /// # Errors
    /// [`ProjectionError::Store`].
    pub async fn overdue(
        &self,
        tenant: Option<&str>,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Answer<Vec<Commitment>>, ProjectionError> {
        let mut filter = Where::default();
        filter.maybe("tenant = ?", tenant);
        filter.raw(PAST_DUE, [micros(now).into()]);
        self.commitments(filter, "due, rid, place", rows_of(limit)).await
    }

    async fn commitments(
        &self,
        filter: Where,
        order: &str,
        limit: u32,
    ) -> Result<Answer<Vec<Commitment>>, ProjectionError> {
        let mut snapshot = Snapshot::take(self.database(), MODEL.name).await?;
        let count = format!("SELECT COUNT(*), CAST(SUM(open) AS BIGINT) FROM commitments {}", filter.sql());
        let counts = snapshot.counts(count, &filter.values).await?;
        let sql = format!(
            "SELECT {} FROM commitments {} ORDER BY {order} LIMIT {limit}",
            TABLE.column_list(),
            filter.sql()
        );
        let rows = snapshot.rows(sql, &filter.values).await?;
        let commitments = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        Ok(snapshot.answer(counts, commitments))
    }

    /// How many promises were kept, with the denominator. `n` counts promises, `open` those whose clock has not ended.
    ///
    /// # Errors
    /// [`ProjectionError::Store`].
    pub async fn kept(&self, query: &KeptQuery) -> Result<Answer<Vec<KeptLine>>, ProjectionError> {
        let mut snapshot = Snapshot::take(self.database(), MODEL.name).await?;
        let filter = query.conditions();
        let live = "status IN ('running', 'paused')";
        let count =
            format!("SELECT COUNT(*), COUNT(*) FILTER (WHERE {live}) FROM commitments {}", filter.sql());
        let counts = snapshot.counts(count, &filter.values).await?;
        let key = query.by.map_or("NULL", KeptBy::column);
        let sql = format!(
            "SELECT {key} AS key, COUNT(*), COUNT(*) FILTER (WHERE status = 'kept'), \
             COUNT(*) FILTER (WHERE status = 'late'), COUNT(*) FILTER (WHERE {PAST_DUE}), \
             COUNT(*) FILTER (WHERE {live} AND NOT {PAST_DUE}), \
             COUNT(*) FILTER (WHERE status = 'paused' AND NOT {PAST_DUE}) \
             FROM commitments {} GROUP BY 1 ORDER BY 2 DESC, 1 NULLS FIRST",
            filter.sql()
        );
        let now = Value::from(query.now);
        let values = [vec![now.clone(), now.clone(), now], filter.values].concat();
        let rows = snapshot.rows(sql, &values).await?;
        let lines = rows.iter().map(kept_line).collect::<Result<Vec<_>, _>>()?;
        Ok(snapshot.answer(counts, lines))
    }
}
