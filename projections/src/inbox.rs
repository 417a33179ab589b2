//! `inbox`: who has what to do.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use guichet_rules::organisation::Organisation;
use guichet_rules::process::{Alarm, Channel, Delivery, Party, Priority, Simple};
use guichet_rules::request::{Approval, ClockStatus, Hold, Request, RequestId, Stage, TaskStatus};
use serde::{Deserialize, Serialize};

use crate::answer::{Answer, rows_of};
use crate::error::ProjectionError;
use crate::models::ReadModel;
use crate::read_models::ReadModels;
use crate::request_card::{next_due, priority_of, priority_rank};
use crate::runner::{Fold, Held, Process, Turn};
use crate::store::{Columns, Rows, Snapshot, Table, Value, Where, bytes, code, int, opt_int, opt_text, text};

/// The read model.
pub(crate) static MODEL: ReadModel =
    ReadModel { name: "inbox", version: 1, tables: &[&TABLE], fold: |_| Box::new(Inboxes) };

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
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
    /// Look after a promise that is at risk or broken: the commitment in `item`.
    Escalation,
}

/// A thing to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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

/// Whose inbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Whose {
    /// A person's: their own, their roles', their services', and those they stand in for on `day`.
    Person {
        /// Staff code.
        person: String,
        /// The day, in the town hall's zone.
        day: NaiveDate,
    },
    /// A role's.
    Role(String),
    /// A service's, whoever in it has the request.
    Service(String),
    /// Everybody's.
    Everyone,
}

/// Which things to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboxQuery {
    /// The collectivity.
    pub tenant: String,
    /// Whose.
    pub whose: Whose,
    /// Of one of these kinds; of all if none.
    #[serde(default)]
    pub work: Vec<Work>,
    /// How many at most: 50 if 0, never more than 1,000.
    #[serde(default)]
    pub limit: u32,
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
    if request.stage.is_finished() {
        return Vec::new();
    }
    let mut todos = escalations(held, process);
    let charge = || in_charge(request, process);
    match &request.hold {
        // The requester, or the end of the term, moves it on.
        Some(Hold::WaitingForRequester { .. } | Hold::Suspended { until: Some(_), .. }) => return todos,
        Some(Hold::Suspended { until: None, .. }) => {
            todos.extend(charge().map(|party| Todo::new(Work::Resume, party)));
            return todos;
        }
        None => {}
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
                Delivery::Counter | Delivery::Email | Delivery::Sms | Delivery::Screen => "counter",
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
    let answers_itself = validation.circuit.is_none() && validation.otherwise == Simple::Automatic;
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

/// In whose name someone may act, and what that opens to them.
struct Reach<'o> {
    /// The absent person; none for oneself.
    absent: Option<&'o str>,
    person: &'o str,
    roles: Vec<&'o str>,
    services: Vec<&'o str>,
    /// Whether only these roles were lent, and with them the steps that they decide.
    limited: bool,
}

fn reaches<'o>(organisation: &'o Organisation, person: &'o str, day: NaiveDate) -> Vec<Reach<'o>> {
    let own = organisation.person(person);
    let words = |list: Option<&'o Vec<String>>| list.into_iter().flatten().map(String::as_str).collect();
    let mut reaches = vec![Reach {
        absent: None,
        person,
        roles: words(own.map(|own| &own.roles)),
        services: words(own.map(|own| &own.services)),
        limited: false,
    }];
    let standins = organisation.standins.iter();
    for standin in
        standins.filter(|s| s.by == person && s.absent != person && s.from <= day && day <= s.until)
    {
        let absent = organisation.person(&standin.absent);
        let lent = |role: &&String| standin.roles.is_empty() || standin.roles.contains(role);
        let limited = !standin.roles.is_empty();
        reaches.push(Reach {
            absent: Some(&standin.absent),
            person: &standin.absent,
            roles: absent.into_iter().flat_map(|a| &a.roles).filter(lent).map(String::as_str).collect(),
            services: if limited { Vec::new() } else { words(absent.map(|a| &a.services)) },
            limited,
        });
    }
    reaches
}

impl Reach<'_> {
    fn covers(&self, item: &InboxItem, roles: &str) -> bool {
        match &item.party {
            Party::Role(role) => self.roles.contains(&role.as_str()),
            Party::Person(person) => {
                person == self.person
                    && (!self.limited || roles.split(' ').any(|role| self.roles.contains(&role)))
            }
            Party::Service(service) => {
                let free = item.agent.as_deref().is_none_or(|agent| agent == self.person);
                (self.services.contains(&service.as_str()) && free)
                    || (!self.limited && item.agent.as_deref() == Some(self.person))
            }
            Party::ServiceInCharge => false,
        }
    }

    fn condition(&self) -> (String, Vec<Value>) {
        let marks = |count: usize| vec!["?"; count].join(",");
        let mut alternatives = vec!["(party_kind = 'person' AND party = ?)".to_owned()];
        let mut values = vec![self.person.into()];
        if !self.limited {
            alternatives.push("(party_kind = 'service' AND agent = ?)".to_owned());
            values.push(self.person.into());
        }
        for (kind, words) in [("role", &self.roles), ("service", &self.services)] {
            if !words.is_empty() {
                alternatives.push(format!("(party_kind = '{kind}' AND party IN ({}))", marks(words.len())));
                values.extend(words.iter().map(|word| Value::from(*word)));
            }
        }
        (alternatives.join(" OR "), values)
    }
}

fn read(row: &sqlx::sqlite::SqliteRow) -> Result<(InboxItem, String), ProjectionError> {
    let mut at = Columns::new(row);
    let (_, _): (i64, i64) = (at.take()?, at.take()?);
    let request = RequestId(at.uuid()?);
    let (tenant, process, theme, channel) = (at.take()?, at.take()?, at.take()?, at.code()?);
    let (work, item) = (at.code()?, at.take()?);
    let (kind, party): (String, String) = (at.take()?, at.take()?);
    let roles = at.take()?;
    let party = match kind.as_str() {
        "role" => Party::Role(party),
        "person" => Party::Person(party),
        _ => Party::Service(party),
    };
    let item = InboxItem {
        request,
        tenant,
        process,
        theme,
        channel,
        work,
        item,
        party,
        service: at.take()?,
        agent: at.take()?,
        on_behalf_of: None,
        priority: priority_of(at.take()?),
        received: at.instant()?,
        due: at.opt_instant()?,
        late: at.flag()?,
        revision: at.number()?,
    };
    Ok((item, roles))
}

impl ReadModels {
    /// What is to be done, most urgent first, then by due instant. The count is of things to do, all of them on open
    /// requests.
    ///
    /// # Errors
    /// [`ProjectionError::Store`].
    pub async fn inbox(&self, query: &InboxQuery) -> Result<Answer<Vec<InboxItem>>, ProjectionError> {
        let organisation = self.organisation(&query.tenant).unwrap_or_default();
        let mut filter = Where::default();
        filter.with("tenant = ?", &query.tenant);
        filter.among("work", query.work.iter().map(code));
        let mut reaches_of = Vec::new();
        match &query.whose {
            Whose::Person { person, day } => {
                reaches_of = reaches(&organisation, person, *day);
                let (conditions, values): (Vec<String>, Vec<Vec<Value>>) =
                    reaches_of.iter().map(Reach::condition).unzip();
                filter.raw(format!("({})", conditions.join(" OR ")), values.into_iter().flatten());
            }
            Whose::Role(role) => filter.raw("party_kind = 'role' AND party = ?", [role.into()]),
            Whose::Service(service) => filter.raw(
                "(service = ? OR (party_kind = 'service' AND party = ?))",
                [service.into(), service.into()],
            ),
            Whose::Everyone => {}
        }
        let mut snapshot = Snapshot::take(self.readers(), MODEL.name).await?;
        let sql = format!(
            "SELECT {} FROM inbox {} ORDER BY priority DESC, due IS NULL, due, rid, place",
            TABLE.column_list(),
            filter.sql()
        );
        let mut items = Vec::new();
        for row in snapshot.rows(sql, &filter.values).await? {
            let (mut item, roles) = read(&row)?;
            if !reaches_of.is_empty() {
                let Some(reach) = reaches_of.iter().find(|reach| reach.covers(&item, &roles)) else {
                    continue;
                };
                item.on_behalf_of = reach.absent.map(str::to_owned);
            }
            items.push(item);
        }
        let n = items.len() as u64;
        items.truncate(rows_of(query.limit) as usize);
        Ok(snapshot.answer((n, n), items))
    }
}
