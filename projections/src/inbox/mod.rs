//! `inbox`: who has what to do.

mod query;

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use guichet_rules::process::{Alarm, Channel, Delivery, PaidBefore, Party, Priority, Simple};
use guichet_rules::request::{
    Acknowledgement, Approval, ClockStatus, ForwardMeans, ForwardStanding, Hold, PaymentStatus, Request,
    RequestId, Stage, TaskStatus, acknowledgement_of,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::models::ReadModel;
use crate::request_card::{next_due, priority_rank};
use crate::runner::{Fold, Held, Process, Turn};
use crate::store::{Rows, Table, Value, bytes, code, int, opt_int, opt_text, text};

pub use query::{InboxQuery, Whose};

/// The read model.
pub(crate) static MODEL: ReadModel =
    ReadModel { name: "inbox", version: 3, tables: &[&TABLE], fold: |_| Box::new(Inboxes) };

static TABLE: Table = Table {
    name: "inbox",
    columns: &[
        int("rid"),
        int("place"),
        bytes("request"),
        text("tenant"),
        text("process"),
        text("theme"),
        text("channel"),
        text("work"),
        opt_text("item"),
        text("party_kind"),
        text("party"),
        text("roles"),
        opt_text("service"),
        opt_text("agent"),
        int("priority"),
        int("received"),
        opt_int("due"),
        int("late"),
        int("revision"),
    ],
    key: 2,
    indexes: &[&["party_kind", "party"], &["service"], &["agent"]],
    append_only: false,
};

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// Post the acknowledgement of receipt, to someone who can be reached by letter only.
    Acknowledge,
    /// Say which process it is, complete it, rate it.
    Qualify,
    /// Do the task named in `item`.
    Task,
    /// Answer: draft, and send to validation.
    Answer,
    /// Rework a draft that was returned.
    Rework,
    /// Decide the step named in `item`.
    Approve,
    /// Hand the answer over by the means in `item`: `letter`, `counter` or `phone`.
    HandOver,
    /// Take up again what was suspended with no end in sight.
    Resume,
    /// Reach the requester another way: the message in `item` did not arrive. A note or another message says that it was
    /// looked after.
    Reach,
    /// Decide what becomes of a payment that did not come in its term: ask again, waive it, take it, or close.
    Payment,
    /// Look after a promise that is at risk or broken: the commitment in `item`.
    Escalation,
    /// See that the closed request gets to whom it was passed on to, the collectivity or administration in `item`: post
    /// the slip; or, where it cannot be taken there, pass it on otherwise or take it up again.
    PassOn,
}

/// A thing to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct InboxItem {
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
    /// What is to be done.
    pub work: Work,
    /// The task, step, means or commitment.
    pub item: Option<String>,
    /// Who is to do it: everyone with a role, everyone in a service, or one person.
    pub party: Party,
    /// The service in charge.
    pub service: Option<String>,
    /// Staff code of the agent who has the request.
    pub agent: Option<String>,
    /// Staff code of the absent person in whose name the asker may do it.
    pub on_behalf_of: Option<String>,
    /// How soon it should be taken up.
    pub priority: Priority,
    /// When the request was made (UTC).
    pub received: DateTime<Utc>,
    /// When this is due (UTC): its own term, or else the request's next promise.
    pub due: Option<DateTime<Utc>>,
    /// Whether that was found to be past.
    pub late: bool,
    /// The request's revision, for commands that must not cross another's.
    pub revision: u64,
}

/// The folding side.
struct Inboxes;

impl Fold for Inboxes {
    fn request(&mut self, turn: &Turn<'_>, rows: &mut Rows) {
        let before = turn.before.map(|(held, process)| table_rows(held, process)).unwrap_or_default();
        rows.table(&TABLE).differ(turn.after.rid, &before, table_rows(turn.after, turn.process));
    }
}

/// A thing to do, before it is a row.
struct Todo<'a> {
    work: Work,
    item: Option<&'a str>,
    party: Party,
    roles: Vec<&'a str>,
    due: Option<DateTime<Utc>>,
    late: bool,
}

impl<'a> Todo<'a> {
    fn new(work: Work, party: Party) -> Self {
        Self { work, item: None, party, roles: Vec::new(), due: None, late: false }
    }

    fn item(self, item: &'a str) -> Self {
        Self { item: Some(item), ..self }
    }
}

/// The service in charge, or else whoever qualifies.
fn in_charge(request: &Request, process: &Process) -> Option<Party> {
    let service = request.service.clone().map(Party::Service);
    service.or_else(|| process.definition.qualification.by.clone().and_then(|by| settle(by, request)))
}

/// A party without the words "in charge"; none while no service is.
fn settle(party: Party, request: &Request) -> Option<Party> {
    match party {
        Party::ServiceInCharge => request.service.clone().map(Party::Service),
        Party::Role(_) | Party::Person(_) | Party::Service(_) => Some(party),
    }
}

fn todos<'a>(held: &'a Held, process: &'a Process) -> Vec<Todo<'a>> {
    let request = &held.request;
    let charge = || in_charge(request, process);
    // Whoever did not get the answer was not answered, however finished the request is.
    let unreached = held.trace.unreached.as_deref().zip(charge());
    let mut todos: Vec<Todo<'a>> =
        unreached.map(|(effect, party)| Todo::new(Work::Reach, party).item(effect)).into_iter().collect();
    if request.stage.is_finished() {
        todos.extend(passing_on(request, process));
        return todos;
    }
    todos.extend(escalations(held, process));
    let acknowledged = request.acknowledged_at.is_some();
    if !acknowledged && acknowledgement_of(request) == Acknowledgement::ToSend(Delivery::Letter) {
        todos.extend(charge().map(|party| Todo::new(Work::Acknowledge, party)));
    }
    match &request.hold {
        // The requester, or the end of the term, moves it on.
        Some(Hold::WaitingForRequester { .. } | Hold::Suspended { until: Some(_), .. }) => return todos,
        Some(Hold::Suspended { until: None, .. }) => {
            todos.extend(charge().map(|party| Todo::new(Work::Resume, party)));
            return todos;
        }
        None => {}
    }
    if request.unpaid().is_some_and(|payment| payment.status == PaymentStatus::Lapsed) {
        todos.extend(charge().map(|party| Todo::new(Work::Payment, party)));
    }
    match &request.stage {
        Stage::Received | Stage::Qualified => {
            todos.extend(charge().map(|party| Todo::new(Work::Qualify, party)));
        }
        Stage::Assigned => treatment(held, process, &mut todos),
        Stage::InValidation(approval) => approve(approval, process, &mut todos),
        Stage::Validated {
            by: Some(by @ (Delivery::Letter | Delivery::Counter | Delivery::Phone)), ..
        } => {
            let means = match by {
                Delivery::Letter => "letter",
                Delivery::Phone => "phone",
                Delivery::Counter | Delivery::Email | Delivery::Sms | Delivery::Screen | Delivery::Social => {
                    "counter"
                }
            };
            todos.extend(charge().map(|party| Todo::new(Work::HandOver, party).item(means)));
        }
        Stage::Validated { .. }
        | Stage::Delivered { .. }
        | Stage::Withdrawn
        | Stage::Cancelled
        | Stage::Refused
        | Stage::Forwarded { .. }
        | Stage::Merged { .. } => {}
    }
    todos
}

/// What was passed on and does not get there by itself: the slip to be posted, or whom nothing reaches for now.
fn passing_on<'a>(request: &'a Request, process: &Process) -> Option<Todo<'a>> {
    let by_hand = request.forwarding.as_ref().filter(|known| match (&known.standing, known.means) {
        (ForwardStanding::Blocked { .. }, _) | (ForwardStanding::UnderWay, ForwardMeans::Letter) => true,
        (ForwardStanding::UnderWay, ForwardMeans::Installation | ForwardMeans::Email)
        | (ForwardStanding::Arrived { .. } | ForwardStanding::Sent, _) => false,
    });
    by_hand.and_then(|known| Some(Todo::new(Work::PassOn, in_charge(request, process)?).item(&known.to)))
}

fn treatment<'a>(held: &'a Held, process: &Process, todos: &mut Vec<Todo<'a>>) {
    let request = &held.request;
    let open = request.tasks.iter().filter(|(_, task)| task.status == TaskStatus::Open);
    let before = todos.len();
    for (name, task) in open {
        let party =
            task.by.clone().and_then(|by| settle(by, request)).or_else(|| in_charge(request, process));
        let Some(party) = party else { continue };
        let todo = Todo { due: task.due, late: task.late, ..Todo::new(Work::Task, party).item(name) };
        todos.push(todo);
    }
    let validation = &process.definition.validation;
    let unpaid = request.unpaid().is_some_and(|payment| payment.before == Some(PaidBefore::Treatment));
    let answers_itself = unpaid || validation.circuit.is_none() && validation.otherwise == Simple::Automatic;
    if todos.len() == before && !answers_itself {
        let work = if held.trace.returned { Work::Rework } else { Work::Answer };
        todos.extend(in_charge(request, process).map(|party| Todo::new(work, party)));
    }
}

fn approve<'a>(approval: &'a Approval, process: &'a Process, todos: &mut Vec<Todo<'a>>) {
    let Some(open) = &approval.open else { return };
    let circuit = process.definition.validation.circuit.as_ref();
    let sheet = circuit.and_then(|circuit| circuit.steps.iter().find(|step| step.step == open.step));
    let roles: Vec<&str> = sheet
        .into_iter()
        .flat_map(|step| &step.by)
        .filter_map(|party| if let Party::Role(role) = party { Some(role.as_str()) } else { None })
        .collect();
    let decided: BTreeSet<&str> =
        open.approved.iter().map(|(name, _)| name).chain(&open.refused).map(String::as_str).collect();
    for approver in open.approvers.iter().filter(|approver| !decided.contains(approver.as_str())) {
        let delegate = open.delegated.iter().rev().find(|(from, _)| from == approver).map(|(_, to)| to);
        let party = Party::Person(delegate.unwrap_or(approver).clone());
        let todo = Todo::new(Work::Approve, party).item(&open.step);
        todos.push(Todo { roles: roles.clone(), due: open.due, late: open.late, ..todo });
    }
}

fn escalations<'a>(held: &'a Held, process: &'a Process) -> Vec<Todo<'a>> {
    let request = &held.request;
    let mut todos: Vec<Todo<'a>> = Vec::new();
    for clock in request.live_clocks().filter(|clock| clock.cycle == request.cycle) {
        let Some(sheet) = process.definition.commitment(&clock.commitment) else { continue };
        let warned = held.trace.warned.contains(&clock.commitment);
        let broken = sheet.when_broken.iter().filter(|_| clock.broken);
        let alarms = broken.chain(sheet.when_warned.iter().filter(|_| warned || clock.broken));
        for alarm in alarms {
            let Alarm::EscalateTo(party) = alarm else { continue };
            let Some(party) = settle(party.clone(), request) else { continue };
            let due = Some(clock.due).filter(|_| clock.status == ClockStatus::Running);
            let todo = Todo::new(Work::Escalation, party).item(&clock.commitment);
            if !todos.iter().any(|known| known.item == todo.item && known.party == todo.party) {
                todos.push(Todo { due, late: clock.broken, ..todo });
            }
        }
    }
    todos
}

/// The rows of a request without their key.
fn table_rows(held: &Held, process: &Process) -> Vec<Vec<Value>> {
    let todos = todos(held, process);
    if todos.is_empty() {
        return Vec::new();
    }
    let request = &held.request;
    let promise = next_due(request);
    let row = |todo: Todo<'_>| {
        let (kind, party) = match &todo.party {
            Party::Role(role) => ("role", role.as_str()),
            Party::Person(person) => ("person", person.as_str()),
            Party::Service(service) => ("service", service.as_str()),
            Party::ServiceInCharge => ("service", ""),
        };
        let late = todo.late || (todo.due.is_none() && promise.is_some_and(|clock| clock.broken));
        vec![
            request.id.0.into(),
            (&request.tenant).into(),
            (&request.process).into(),
            (&process.definition.theme).into(),
            request.channel.id().into(),
            code(&todo.work).into(),
            todo.item.into(),
            kind.into(),
            party.into(),
            todo.roles.join(" ").into(),
            request.service.as_ref().into(),
            request.agent.as_ref().into(),
            priority_rank(request.priority).into(),
            request.milestones.received.into(),
            todo.due.or(promise.map(|clock| clock.due)).into(),
            late.into(),
            held.revision.into(),
        ]
    };
    todos.into_iter().map(row).collect()
}
