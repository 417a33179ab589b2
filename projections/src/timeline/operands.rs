//! What of an event is not personal: the words that its sentence needs.

use chrono::{DateTime, Utc};
use guichet_rules::commitment::Budget;
use guichet_rules::process::{Channel, Complexity, Delivery, Opener, Party, Priority};
use guichet_rules::request::{AppointmentParty, ClockChange, Event, ForwardMeans, Origin, Recipient, What};
use serde::Serialize;

/// Everything that some event has; each event has little of it.
#[derive(Default, Serialize)]
struct Operands<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    process: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<Channel>,
    #[serde(skip_serializing_if = "Option::is_none")]
    opened_by: Option<Opener>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<Delivery>,
    #[serde(skip_serializing_if = "Option::is_none")]
    complexity: Option<Complexity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<Priority>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rules: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    means: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    person: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    people: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    on_behalf_of: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    party: Option<&'a Party>,
    #[serde(skip_serializing_if = "Option::is_none")]
    circuit: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    steps: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pieces: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    commitment: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    budget: Option<Budget>,
    #[serde(skip_serializing_if = "Option::is_none")]
    basis: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    yes: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recipient: Option<&'a Recipient>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cents: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    effect: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    clocks: Vec<Change<'a>>,
}

/// What an event did to a promise.
#[derive(Serialize)]
struct Change<'a> {
    change: &'static str,
    commitment: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    due: Option<DateTime<Utc>>,
}

/// The operands of an event, as JSON text.
pub(super) fn of(event: &Event) -> String {
    let mut operands = of_what(&event.what);
    operands.clocks = event.clocks.iter().map(change).collect();
    serde_json::to_string(&operands).unwrap_or_else(|_| "{}".to_owned())
}

fn change(change: &ClockChange) -> Change<'_> {
    let (name, due) = match change {
        ClockChange::Started { due, .. } => ("started", Some(*due)),
        ClockChange::Changed { due, .. } => ("changed", *due),
        ClockChange::Paused { .. } => ("paused", None),
        ClockChange::Resumed { due, .. } => ("resumed", Some(*due)),
        ClockChange::Stopped { kept: true, .. } => ("kept", None),
        ClockChange::Stopped { kept: false, .. } => ("late", None),
        ClockChange::Dropped { .. } => ("dropped", None),
    };
    Change { change: name, commitment: change.commitment(), due }
}

/// Those of intake, treatment and waiting.
fn of_what(what: &What) -> Operands<'_> {
    let none = Operands::default();
    match what {
        What::Received(e) => Operands {
            process: Some(&e.process),
            channel: Some(e.channel),
            opened_by: Some(e.opened_by),
            from: e.origin.as_ref().map(Origin::from),
            request: e.origin.as_ref().map(|origin| origin.request.to_string()),
            ..none
        },
        What::Acknowledged(e) => Operands { by: Some(e.by), ..none },
        What::Qualified(e) => Operands {
            complexity: Some(e.complexity),
            priority: Some(e.priority),
            rules: e.complexity_rule.iter().chain(&e.priority_rule).map(String::as_str).collect(),
            ..none
        },
        What::Reclassified(e) => Operands { from: Some(&e.from), process: Some(&e.process), ..none },
        What::Migrated(e) => {
            Operands { from: Some(&e.from.0), to: Some(&e.definition.0), plan: e.plan.as_deref(), ..none }
        }
        What::Assigned(e) => {
            Operands { service: Some(&e.service), rules: e.rule.iter().map(String::as_str).collect(), ..none }
        }
        What::Reassigned(e) => Operands { from: Some(&e.from), service: Some(&e.to), ..none },
        What::Claimed(e) => Operands { person: Some(&e.agent), ..none },
        What::Released(e) => Operands { person: Some(&e.agent), ..none },
        What::TaskOpened(e) => Operands { task: Some(&e.task), party: Some(&e.by), at: e.due, ..none },
        What::TaskSkipped(e) => Operands { task: Some(&e.task), rules: vec![&e.rule], ..none },
        What::TaskCompleted(e) => Operands { task: Some(&e.task), ..none },
        What::TaskLate(e) => Operands { task: Some(&e.task), at: Some(e.due), ..none },
        What::Visited(e) => Operands { yes: Some(e.made_safe), ..none },
        What::Asked(e) => Operands { pieces: &e.pieces, at: Some(e.reply_by), ..none },
        What::Reminded(e) => Operands { at: Some(e.reply_by), ..none },
        What::Replied(e) => Operands { yes: Some(e.complete), ..none },
        What::Lapsed(e) => Operands { at: Some(e.reply_by), ..none },
        What::Suspended(e) => Operands { at: e.until, ..none },
        What::Extended(e) => {
            Operands { commitment: Some(&e.commitment), budget: Some(e.by), basis: Some(&e.basis), ..none }
        }
        What::Resumed(_) | What::Noted(_) | What::Messaged(_) => none,
        other => of_answer(other),
    }
}

/// Those of answer and approval.
fn of_answer(what: &What) -> Operands<'_> {
    let none = Operands::default();
    match what {
        What::Drafted(e) => Operands { person: Some(&e.author), ..none },
        What::Submitted(e) => {
            Operands { circuit: Some(&e.circuit), person: Some(&e.author), steps: &e.steps, ..none }
        }
        What::ApprovalOpened(e) => Operands { step: Some(&e.step), people: &e.approvers, at: e.due, ..none },
        What::Approved(e) => Operands {
            step: Some(&e.step),
            person: Some(&e.by),
            on_behalf_of: e.on_behalf_of.as_deref(),
            yes: Some(e.passed),
            ..none
        },
        What::Returned(e) => Operands {
            step: Some(&e.step),
            person: Some(&e.by),
            on_behalf_of: e.on_behalf_of.as_deref(),
            to: e.to.as_deref(),
            yes: Some(e.effective),
            ..none
        },
        What::Delegated(e) => Operands { step: Some(&e.step), from: Some(&e.from), to: Some(&e.to), ..none },
        What::ApprovalLate(e) => {
            Operands { step: Some(&e.step), people: &e.escalated_to, at: Some(e.due), ..none }
        }
        What::Validated(e) => Operands { person: e.by.as_deref(), ..none },
        other => of_ending(other),
    }
}

/// Those of delivery, of the ways a request ends, and of what follows.
fn of_ending(what: &What) -> Operands<'_> {
    let none = Operands::default();
    match what {
        What::DeliveryOpened(e) => Operands { by: Some(e.by), ..none },
        What::Delivered(e) => Operands { by: Some(e.by), ..none },
        What::DeliveryFailed(e) => Operands { by: Some(e.by), reason: Some(&e.reason), ..none },
        What::Withdrawn(_) | What::Cancelled(_) => none,
        What::Refused(e) => Operands { basis: e.basis.as_deref(), ..none },
        What::Forwarded(e) => Operands {
            to: Some(&e.to),
            process: e.process.as_deref(),
            means: e.means.map(ForwardMeans::id),
            basis: e.basis.as_deref(),
            ..none
        },
        What::ForwardArrived(e) => Operands { to: Some(&e.to), request: Some(e.request.to_string()), ..none },
        What::ForwardBlocked(e) => Operands { to: Some(&e.to), reason: Some(&e.reason), ..none },
        What::Merged(e) => Operands { request: Some(e.into.to_string()), ..none },
        What::Reopened(e) => Operands { number: Some(e.cycle), ..none },
        What::Rated(e) => Operands { number: Some(e.score.into()), ..none },
        What::CommitmentWarned(e) => Operands {
            commitment: Some(&e.commitment),
            number: Some(e.percent.into()),
            at: Some(e.at),
            ..none
        },
        What::CommitmentBroken(e) => Operands { commitment: Some(&e.commitment), at: Some(e.due), ..none },
        What::Notified(e) => Operands { effect: Some(&e.effect), recipient: Some(&e.recipient), ..none },
        What::NotificationFailed(e) => Operands {
            effect: Some(&e.effect),
            recipient: Some(&e.recipient),
            reason: Some(&e.reason),
            ..none
        },
        other => of_money_and_dates(other),
    }
}

/// Those of payments and appointments.
#[allow(clippy::too_many_lines, reason = "one arm for each event: a list, not a procedure")]
fn of_money_and_dates(what: &What) -> Operands<'_> {
    let none = Operands::default();
    let payment = |number: u32| Operands { number: Some(number), ..Operands::default() };
    match what {
        What::PaymentRequested(e) => {
            let rules = e.rule.iter().map(String::as_str).collect();
            Operands { cents: Some(e.amount), at: Some(e.due), rules, ..payment(e.payment) }
        }
        What::PaymentStarted(e) => payment(e.payment),
        What::PaymentSettled(e) => Operands {
            cents: Some(e.amount),
            reason: Some(&e.transaction),
            yes: Some(e.surplus),
            ..payment(e.payment)
        },
        What::PaymentFailed(e) => payment(e.payment),
        What::PaymentReminded(e) => Operands { at: Some(e.due), ..payment(e.payment) },
        What::PaymentLapsed(e) => Operands { at: Some(e.due), ..payment(e.payment) },
        What::PaymentCancelled(e) => payment(e.payment),
        What::PaymentRefunded(e) => Operands { cents: Some(e.amount), ..payment(e.payment) },
        What::AppointmentOffered(e) => Operands { at: Some(e.choose_by), ..payment(e.appointment) },
        What::AppointmentChosen(e) => Operands { at: Some(e.slot.from), ..payment(e.appointment) },
        What::InterventionSet(e) => Operands { at: Some(e.slot.from), ..payment(e.appointment) },
        What::AppointmentReminded(e) => Operands { at: Some(e.from), ..payment(e.appointment) },
        What::AppointmentLapsed(e) => Operands { at: Some(e.choose_by), ..payment(e.appointment) },
        What::AppointmentCancelled(e) => {
            Operands { yes: Some(e.by == AppointmentParty::Requester), ..payment(e.appointment) }
        }
        What::AttendanceRecorded(e) => Operands { yes: Some(e.came), ..payment(e.appointment) },
        What::Received(_)
        | What::Acknowledged(_)
        | What::Qualified(_)
        | What::Reclassified(_)
        | What::Migrated(_)
        | What::Assigned(_)
        | What::Reassigned(_)
        | What::Claimed(_)
        | What::Released(_)
        | What::TaskOpened(_)
        | What::TaskSkipped(_)
        | What::TaskCompleted(_)
        | What::TaskLate(_)
        | What::Visited(_)
        | What::Asked(_)
        | What::Reminded(_)
        | What::Replied(_)
        | What::Lapsed(_)
        | What::Suspended(_)
        | What::Resumed(_)
        | What::Extended(_)
        | What::Noted(_)
        | What::Messaged(_)
        | What::Drafted(_)
        | What::Submitted(_)
        | What::ApprovalOpened(_)
        | What::Approved(_)
        | What::Returned(_)
        | What::Delegated(_)
        | What::ApprovalLate(_)
        | What::Validated(_)
        | What::DeliveryOpened(_)
        | What::Delivered(_)
        | What::DeliveryFailed(_)
        | What::Withdrawn(_)
        | What::Cancelled(_)
        | What::Refused(_)
        | What::Forwarded(_)
        | What::ForwardArrived(_)
        | What::ForwardBlocked(_)
        | What::Merged(_)
        | What::Reopened(_)
        | What::Rated(_)
        | What::CommitmentWarned(_)
        | What::CommitmentBroken(_)
        | What::Notified(_)
        | What::NotificationFailed(_) => none,
    }
}
