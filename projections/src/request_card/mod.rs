//! `request_card`: where each request stands, for lists and for the page on which it is followed.

mod query;

use chrono::{DateTime, Utc};
use guichet_rules::process::{Channel, Complexity, DefinitionHash, Kind, Opener, Priority};
use guichet_rules::request::{Clock, ClockStatus, Hold, Request, RequestId, RequesterKind, Stage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::models::ReadModel;
use crate::runner::{Fold, Held, Process, Turn};
use crate::store::{Rows, Table, Value, bytes, code, int, opt_bytes, opt_int, opt_real, opt_text, text};

pub use query::{AccountCards, CardOrder, CardQuery};

/// The read model.
pub(crate) static MODEL: ReadModel =
    ReadModel { name: "request_card", version: 3, tables: &[&TABLE], fold: |_| Box::new(Cards) };

static TABLE: Table = Table {
    name: "request_card",
    columns: &[
        int("rid"),
        bytes("request").fixed(),
        text("tenant").fixed(),
        text("process"),
        text("definition"),
        text("theme"),
        text("kind"),
        text("channel").fixed(),
        text("opened_by").fixed(),
        text("requester_kind").fixed(),
        text("stage"),
        int("open"),
        opt_text("hold"),
        opt_int("hold_until"),
        opt_text("step"),
        opt_text("service"),
        opt_text("agent"),
        text("complexity"),
        int("priority"),
        int("received").fixed(),
        opt_int("acknowledged"),
        opt_int("qualified"),
        opt_int("assigned"),
        opt_int("validated"),
        opt_int("delivered"),
        opt_int("closed"),
        opt_text("due_commitment"),
        opt_int("due"),
        int("broken"),
        text("tracking_digest").fixed(),
        opt_text("external").fixed(),
        opt_text("area"),
        opt_real("lat"),
        opt_real("lon"),
        int("cycle"),
        int("reassignments"),
        opt_int("rating"),
        int("updated"),
        int("revision"),
        opt_bytes("account").fixed(),
    ],
    key: 1,
    indexes: &[
        &["request"],
        &["tracking_digest"],
        &["external"],
        &["tenant", "received"],
        &["open", "received"],
        &["open", "due"],
        &["account"],
    ],
    append_only: false,
};

/// Where a request stands. Nothing in it identifies the requester.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
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
    /// Why it rests: `waiting_for_requester` or `suspended`; or `waiting_for_payment`, if nothing else keeps it back.
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
        None => match request.held_by_payment() {
            Some(payment) => (Some("waiting_for_payment"), Some(payment.due)),
            None => (None, None),
        },
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

fn row(held: &Held, process: &Process) -> [Value; 40] {
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
        request.requester.account_id.into(),
    ]
}
