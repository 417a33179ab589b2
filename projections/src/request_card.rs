//! `request_card`: where each request stands, for lists and for the page on which it is followed.

use chrono::{DateTime, Utc};
use guichet_rules::process::{Channel, Complexity, DefinitionHash, Kind, Opener, Priority};
use guichet_rules::request::{Clock, ClockStatus, Hold, Request, RequestId, RequesterKind, Stage};
use serde::{Deserialize, Serialize};

use crate::answer::{Answer, Page, rows_of};
use crate::error::ProjectionError;
use crate::models::ReadModel;
use crate::read_models::ReadModels;
use crate::runner::{Fold, Held, Process, Turn};
use crate::store::{
    Columns, Rows, Snapshot, Table, Value, Where, bytes, code, int, opt_int, opt_real, opt_text, text,
};

/// The read model.
pub(crate) static MODEL: ReadModel =
    ReadModel { name: "request_card", version: 1, tables: &[&TABLE], fold: |_| Box::new(Cards) };

static TABLE: Table = Table {
    name: "request_card",
    columns: &[
        int("rid"),
        bytes("request"),
        text("tenant"),
        text("process"),
        text("definition"),
        text("theme"),
        text("kind"),
        text("channel"),
        text("opened_by"),
        text("requester_kind"),
        text("stage"),
        int("open"),
        opt_text("hold"),
        opt_int("hold_until"),
        opt_text("step"),
        opt_text("service"),
        opt_text("agent"),
        text("complexity"),
        int("priority"),
        int("received"),
        opt_int("acknowledged"),
        opt_int("qualified"),
        opt_int("assigned"),
        opt_int("validated"),
        opt_int("delivered"),
        opt_int("closed"),
        opt_text("due_commitment"),
        opt_int("due"),
        int("broken"),
        text("tracking_digest"),
        opt_text("external"),
        opt_text("area"),
        opt_real("lat"),
        opt_real("lon"),
        int("cycle"),
        int("reassignments"),
        opt_int("rating"),
        int("updated"),
        int("revision"),
    ],
    key: 1,
    indexes: &[
        &["request"],
        &["tracking_digest"],
        &["external"],
        &["tenant", "received"],
        &["open", "received"],
        &["open", "due"],
    ],
    append_only: false,
};

/// Where a request stands. Nothing in it identifies the requester.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// The request.
    pub request: RequestId,
    /// Its collectivity.
    pub tenant: String,
    /// Its process.
    pub process: String,
    /// The version of the process that it is pinned to; its title stands in the catalogue.
    pub definition: DefinitionHash,
    /// The theme of the process.
    pub theme: String,
    /// What kind of request it is.
    pub kind: Kind,
    /// The way it came in.
    pub channel: Channel,
    /// Who opened it.
    pub opened_by: Opener,
    /// Whether a person, an organisation or an association asks.
    pub requester_kind: RequesterKind,
    /// The stage: `received`, `qualified`, `assigned`, `validated`, `delivered`, `withdrawn`, `cancelled`, `refused`,
    /// `forwarded` or `merged`.
    pub stage: String,
    /// Whether something is still to be done.
    pub open: bool,
    /// Why it rests: `waiting_for_requester` or `suspended`.
    pub hold: Option<String>,
    /// The end of that (UTC), if it is known.
    pub hold_until: Option<DateTime<Utc>>,
    /// The step of the approval circuit that is open.
    pub step: Option<String>,
    /// The service in charge.
    pub service: Option<String>,
    /// Staff code of the agent who has it.
    pub agent: Option<String>,
    /// How much study it needs.
    pub complexity: Complexity,
    /// How soon it should be taken up.
    pub priority: Priority,
    /// When it was made (UTC).
    pub received: DateTime<Utc>,
    /// When the requester was told that it is recorded (UTC).
    pub acknowledged: Option<DateTime<Utc>>,
    /// When it was qualified (UTC).
    pub qualified: Option<DateTime<Utc>>,
    /// When a service was put in charge (UTC).
    pub assigned: Option<DateTime<Utc>>,
    /// When its answer was validated (UTC), in the present cycle.
    pub validated: Option<DateTime<Utc>>,
    /// When the requester had the answer (UTC), in the present cycle.
    pub delivered: Option<DateTime<Utc>>,
    /// When it was finished (UTC), however it ended.
    pub closed: Option<DateTime<Utc>>,
    /// The running commitment that is due next.
    pub due_commitment: Option<String>,
    /// When it is due (UTC).
    pub due: Option<DateTime<Utc>>,
    /// Whether a promise that still runs was found broken.
    pub broken: bool,
    /// The number it has in the system it was imported from.
    pub external: Option<String>,
    /// The neighbourhood of its place.
    pub area: Option<String>,
    /// Latitude of its place, in degrees (WGS 84).
    pub lat: Option<f64>,
    /// Longitude of its place, in degrees (WGS 84).
    pub lon: Option<f64>,
    /// The cycle, from 0; reopening starts another.
    pub cycle: u32,
    /// How often it changed hands between services.
    pub reassignments: u32,
    /// The requester's rating, 1 to 5.
    pub rating: Option<u8>,
    /// When its last event was recorded (UTC).
    pub updated: DateTime<Utc>,
    /// The revision of its last event.
    pub revision: u64,
}

/// In which order cards come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CardOrder {
    /// The last received first.
    #[default]
    Newest,
    /// The longest waiting first.
    Oldest,
    /// What is due soonest first; requests without a due instant are left out.
    Due,
}

/// Which cards. Every condition that is given must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CardQuery {
    /// Of this collectivity; of all if none.
    pub tenant: Option<String>,
    /// Of this process.
    pub process: Option<String>,
    /// Of this theme.
    pub theme: Option<String>,
    /// Of this kind.
    pub kind: Option<Kind>,
    /// That came in this way.
    pub channel: Option<Channel>,
    /// In one of these stages.
    pub stage: Vec<String>,
    /// In the charge of this service.
    pub service: Option<String>,
    /// In the hands of this agent, by staff code.
    pub agent: Option<String>,
    /// At least this urgent.
    pub priority: Option<Priority>,
    /// In this neighbourhood.
    pub area: Option<String>,
    /// Only open ones, or only finished ones.
    pub open: Option<bool>,
    /// With a promise due before this instant (UTC), broken ones included.
    pub due_before: Option<DateTime<Utc>>,
    /// Received at this instant (UTC) or later.
    pub received_from: Option<DateTime<Utc>>,
    /// Received before this instant (UTC).
    pub received_until: Option<DateTime<Utc>>,
    /// Their order.
    pub order: CardOrder,
    /// How many at once: 50 if 0, at most 1,000.
    pub limit: u32,
    /// What the page before gave as `next`.
    pub cursor: Option<String>,
}

/// The folding side.
struct Cards;

impl Fold for Cards {
    fn request(&mut self, turn: &Turn<'_>, rows: &mut Rows) {
        rows.table(&TABLE).upsert(row(turn.after, turn.process));
    }
}

/// The clock of the present cycle that is due next; a paused one is not due.
pub(crate) fn next_due(request: &Request) -> Option<&Clock> {
    request
        .live_clocks()
        .filter(|clock| clock.status == ClockStatus::Running)
        .min_by_key(|clock| (clock.due, clock.commitment.as_str()))
}

/// The neighbourhood and the coordinates of a request's place: of the first field that holds one.
pub(crate) fn place(request: &Request, process: &Process) -> (Option<String>, Option<(f64, f64)>) {
    use guichet_rules::process::FieldType;
    let locations = process.definition.form.iter().filter(|field| field.kind == FieldType::Location);
    let Some(value) = locations.filter_map(|field| request.form.get(&field.field)).next() else {
        return (None, None);
    };
    let number = |value: Option<&serde_json::Value>| value.and_then(serde_json::Value::as_f64);
    let area = value.get("area").and_then(|area| area.as_str()).filter(|area| !area.is_empty());
    let lat = number(value.get("lat").or_else(|| value.get(0)));
    let lon = number(value.get("lon").or_else(|| value.get(1)));
    (area.map(str::to_owned), lat.zip(lon))
}

pub(crate) fn priority_rank(priority: Priority) -> i64 {
    match priority {
        Priority::Low => 0,
        Priority::Normal => 1,
        Priority::High => 2,
        Priority::Urgent => 3,
    }
}

pub(crate) fn priority_of(rank: i64) -> Priority {
    match rank {
        ..=0 => Priority::Low,
        1 => Priority::Normal,
        2 => Priority::High,
        3.. => Priority::Urgent,
    }
}

fn hold(request: &Request) -> (Option<&'static str>, Option<DateTime<Utc>>) {
    match &request.hold {
        Some(Hold::WaitingForRequester { reply_by, .. }) => (Some("waiting_for_requester"), Some(*reply_by)),
        Some(Hold::Suspended { until, .. }) => (Some("suspended"), *until),
        None => (None, None),
    }
}

fn step(request: &Request) -> Option<&str> {
    match &request.stage {
        Stage::InValidation(approval) => approval.open.as_ref().map(|open| open.step.as_str()),
        Stage::Received
        | Stage::Qualified
        | Stage::Assigned
        | Stage::Validated { .. }
        | Stage::Delivered { .. }
        | Stage::Withdrawn
        | Stage::Cancelled
        | Stage::Refused
        | Stage::Forwarded { .. }
        | Stage::Merged { .. } => None,
    }
}

fn row(held: &Held, process: &Process) -> [Value; 39] {
    let request = &held.request;
    let definition = &process.definition;
    let (area, coordinates) = place(request, process);
    let (hold, hold_until) = hold(request);
    let due = next_due(request);
    let reached = &request.milestones;
    [
        held.rid.into(),
        request.id.0.into(),
        (&request.tenant).into(),
        (&request.process).into(),
        (&request.definition.0).into(),
        (&definition.theme).into(),
        code(&definition.kind).into(),
        request.channel.id().into(),
        code(&request.opened_by).into(),
        code(&request.requester.kind).into(),
        request.stage.id().into(),
        (!request.stage.is_finished()).into(),
        hold.into(),
        hold_until.into(),
        step(request).into(),
        request.service.as_ref().into(),
        request.agent.as_ref().into(),
        code(&request.complexity).into(),
        priority_rank(request.priority).into(),
        reached.received.into(),
        request.acknowledged_at.into(),
        reached.qualified.into(),
        reached.assigned.into(),
        reached.validated.into(),
        reached.delivered.into(),
        request.closed_at.into(),
        due.map(|clock| &clock.commitment).into(),
        due.map(|clock| clock.due).into(),
        request.live_clocks().any(|clock| clock.broken).into(),
        (&request.tracking_digest).into(),
        request.external.as_ref().into(),
        area.into(),
        coordinates.map(|(lat, _)| lat).into(),
        coordinates.map(|(_, lon)| lon).into(),
        request.cycle.into(),
        request.reassignments.into(),
        request.rating.into(),
        request.updated_at.into(),
        held.revision.into(),
    ]
}

/// The columns of a card, in the order in which [`read`] takes them: all but the digest.
fn columns() -> String {
    let names = TABLE.columns.iter().map(|column| column.name).filter(|name| *name != "tracking_digest");
    names.collect::<Vec<_>>().join(", ")
}

/// The card of a row, and the key of the row.
fn read(row: &sqlx::sqlite::SqliteRow) -> Result<(i64, Card), ProjectionError> {
    let mut at = Columns::new(row);
    let rid = at.take()?;
    let card = Card {
        request: RequestId(at.uuid()?),
        tenant: at.take()?,
        process: at.take()?,
        definition: DefinitionHash(at.take()?),
        theme: at.take()?,
        kind: at.code()?,
        channel: at.code()?,
        opened_by: at.code()?,
        requester_kind: at.code()?,
        stage: at.take()?,
        open: at.flag()?,
        hold: at.take()?,
        hold_until: at.opt_instant()?,
        step: at.take()?,
        service: at.take()?,
        agent: at.take()?,
        complexity: at.code()?,
        priority: priority_of(at.take()?),
        received: at.instant()?,
        acknowledged: at.opt_instant()?,
        qualified: at.opt_instant()?,
        assigned: at.opt_instant()?,
        validated: at.opt_instant()?,
        delivered: at.opt_instant()?,
        closed: at.opt_instant()?,
        due_commitment: at.take()?,
        due: at.opt_instant()?,
        broken: at.flag()?,
        external: at.take()?,
        area: at.take()?,
        lat: at.take()?,
        lon: at.take()?,
        cycle: at.number()?,
        reassignments: at.number()?,
        rating: at.take::<Option<i64>>()?.and_then(|rating| u8::try_from(rating).ok()),
        updated: at.instant()?,
        revision: at.number()?,
    };
    Ok((rid, card))
}

impl CardQuery {
    fn conditions(&self) -> Where {
        let mut filter = Where::default();
        filter.maybe("tenant = ?", self.tenant.as_ref());
        filter.maybe("process = ?", self.process.as_ref());
        filter.maybe("theme = ?", self.theme.as_ref());
        filter.maybe("kind = ?", self.kind.map(|kind| code(&kind)));
        filter.maybe("channel = ?", self.channel.map(Channel::id));
        filter.among("stage", self.stage.iter());
        filter.maybe("service = ?", self.service.as_ref());
        filter.maybe("agent = ?", self.agent.as_ref());
        filter.maybe("priority >= ?", self.priority.map(priority_rank));
        filter.maybe("area = ?", self.area.as_ref());
        filter.maybe("open = ?", self.open);
        filter.maybe("due < ?", self.due_before);
        filter.maybe("received >= ?", self.received_from);
        filter.maybe("received < ?", self.received_until);
        if self.order == CardOrder::Due {
            filter.raw("due IS NOT NULL", []);
        }
        filter
    }

    fn order(&self) -> (&'static str, &'static str, &'static str) {
        match self.order {
            CardOrder::Newest => ("received", "DESC", "<"),
            CardOrder::Oldest => ("received", "ASC", ">"),
            CardOrder::Due => ("due", "ASC", ">"),
        }
    }

    fn cursor_of(&self, (rid, card): &(i64, Card)) -> String {
        let key = match self.order {
            CardOrder::Newest | CardOrder::Oldest => card.received,
            CardOrder::Due => card.due.unwrap_or(card.received),
        };
        format!("{}.{rid}", key.timestamp_micros())
    }
}

/// The sort key and the row's key of a cursor.
fn parse_cursor(cursor: &str) -> Result<[Value; 2], ProjectionError> {
    let (key, rid) = cursor.split_once('.').ok_or(ProjectionError::Cursor)?;
    let number = |text: &str| text.parse::<i64>().map_err(|_| ProjectionError::Cursor);
    Ok([number(key)?.into(), number(rid)?.into()])
}

impl ReadModels {
    /// The card of a request of `tenant`; none where it is not this collectivity's.
    ///
    /// # Errors
    /// [`ProjectionError::Store`].
    pub async fn card(
        &self,
        tenant: &str,
        request: RequestId,
    ) -> Result<Answer<Option<Card>>, ProjectionError> {
        let mut filter = Where::default();
        filter.with("request = ?", request.0);
        filter.with("tenant = ?", tenant);
        self.one_card(filter).await
    }

    /// The card with this digest of a tracking code, whatever the collectivity. Should two requests have it, which
    /// chance does not do, neither is shown.
    ///
    /// # Errors
    /// [`ProjectionError::Store`].
    pub async fn card_by_tracking(&self, digest: &str) -> Result<Answer<Option<Card>>, ProjectionError> {
        let mut filter = Where::default();
        filter.with("tracking_digest = ?", digest);
        self.one_card(filter).await
    }

    /// The card of a request of `tenant` by its number in the system it was imported from; none where two have it.
    ///
    /// # Errors
    /// [`ProjectionError::Store`].
    pub async fn card_by_external(
        &self,
        tenant: &str,
        external: &str,
    ) -> Result<Answer<Option<Card>>, ProjectionError> {
        let mut filter = Where::default();
        filter.with("external = ?", external);
        filter.with("tenant = ?", tenant);
        self.one_card(filter).await
    }

    async fn one_card(&self, filter: Where) -> Result<Answer<Option<Card>>, ProjectionError> {
        let mut snapshot = Snapshot::take(self.readers(), MODEL.name).await?;
        let sql = format!("SELECT {} FROM request_card {} LIMIT 2", columns(), filter.sql());
        let rows = snapshot.rows(sql, &filter.values).await?;
        let card = match rows.as_slice() {
            [row] => Some(read(row)?.1),
            _ => None,
        };
        let counts = (card.iter().count(), card.iter().filter(|card| card.open).count());
        Ok(snapshot.answer((counts.0 as u64, counts.1 as u64), card))
    }

    /// Cards that meet conditions, in stretches.
    ///
    /// # Errors
    /// [`ProjectionError::Cursor`] for a cursor of another list, [`ProjectionError::Store`].
    pub async fn cards(&self, query: &CardQuery) -> Result<Answer<Page<Card>>, ProjectionError> {
        let mut snapshot = Snapshot::take(self.readers(), MODEL.name).await?;
        let mut filter = query.conditions();
        let count = format!("SELECT COUNT(*), SUM(open) FROM request_card {}", filter.sql());
        let counts = snapshot.counts(count, &filter.values).await?;
        let (key, direction, beyond) = query.order();
        if let Some(cursor) = &query.cursor {
            filter.raw(format!("({key}, rid) {beyond} (?, ?)"), parse_cursor(cursor)?);
        }
        let limit = rows_of(query.limit);
        let sql = format!(
            "SELECT {} FROM request_card {} ORDER BY {key} {direction}, rid {direction} LIMIT {}",
            columns(),
            filter.sql(),
            limit + 1
        );
        let rows = snapshot.rows(sql, &filter.values).await?;
        let mut cards = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let more = cards.len() > limit as usize;
        cards.truncate(limit as usize);
        let next = cards.last().filter(|_| more).map(|last| query.cursor_of(last));
        let items = cards.into_iter().map(|(_, card)| card).collect();
        Ok(snapshot.answer(counts, Page { items, next }))
    }

    /// The open requests that wait the longest.
    ///
    /// # Errors
    /// [`ProjectionError::Store`].
    pub async fn oldest_waiting(
        &self,
        tenant: Option<&str>,
        limit: u32,
    ) -> Result<Answer<Page<Card>>, ProjectionError> {
        let tenant = tenant.map(str::to_owned);
        let query =
            CardQuery { tenant, open: Some(true), order: CardOrder::Oldest, limit, ..CardQuery::default() };
        self.cards(&query).await
    }
}
