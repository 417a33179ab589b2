//! What someone may do with a request now, found out by trying.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Map;

use super::{Facts, attempt};
use crate::process::Delivery;
use crate::request::command::Command;
use crate::request::state::{Request, Stage};
use crate::request::{PaymentFailure, RequestId, Slot};

/// Refusals of what was tried that do not mean that the command itself is refused: only its arguments were.
const ARGUMENTS: [&str; 8] = [
    "form.invalid",
    "merge.unknown",
    "service.unknown",
    "delegate.unfit",
    "extension.unit",
    "reply.empty",
    "refund.too_much",
    "slot.unknown",
];

/// The names of the commands that the actor of `facts` may give now, in the order of the list of commands. A command
/// that is allowed may still be refused for what is said in it.
#[must_use]
pub fn allowed(request: &Request, facts: &Facts<'_>) -> Vec<&'static str> {
    let mut names: Vec<&'static str> = Vec::new();
    for command in samples(request, facts.now) {
        if names.contains(&command.name()) {
            continue;
        }
        let fits = match attempt(Some(request), &command, facts) {
            Ok(_) => true,
            Err(rejection) => ARGUMENTS.contains(&rejection.code.as_str()),
        };
        if fits {
            names.push(command.name());
        }
    }
    names
}

/// Commands with arguments that fit the request as well as can be known.
pub(in crate::request) fn samples(request: &Request, now: DateTime<Utc>) -> Vec<Command> {
    let mut samples = treating(request);
    samples.extend(answering(request));
    samples.extend(ending(request));
    samples.extend(paying(request));
    samples.extend(meeting(request, now));
    let due = crate::request::timers(request).into_iter().filter(|timer| timer.fires_at() <= now);
    samples.extend(due.map(|timer| Command::Elapse { timer: timer.kind, due: timer.due }));
    samples
}

fn text() -> String {
    "-".to_owned()
}

fn treating(request: &Request) -> Vec<Command> {
    let (form, report) = (Map::new(), Map::new());
    let (complexity, priority) = (None, None);
    let mut samples = vec![
        Command::Acknowledge { by: Delivery::Counter },
        Command::Qualify { process: None, complexity, priority, form },
        Command::Reassign { to: text(), reason: text() },
        Command::Claim {},
        Command::Release {},
    ];
    samples.extend(
        request.tasks.keys().map(|task| Command::Complete { task: task.clone(), report: report.clone() }),
    );
    samples.extend([
        Command::Visit { finding: text(), made_safe: false },
        Command::Ask { question: text(), pieces: Vec::new(), within: None },
        Command::Reply { text: Some(text()), form: Map::new(), complete: true },
        Command::Suspend { reason: text(), until: None },
        Command::Resume {},
    ]);
    samples.extend(request.live_clocks().map(|clock| {
        let (commitment, by) = (clock.commitment.clone(), clock.budget);
        Command::Extend { commitment, by, basis: text() }
    }));
    samples
}

fn answering(request: &Request) -> Vec<Command> {
    let mut samples = vec![
        Command::Note { text: text() },
        Command::Message { text: text() },
        Command::Draft { text: text() },
        Command::Submit {},
        Command::Answer { text: text() },
    ];
    if let Stage::InValidation(approval) = &request.stage
        && let Some(open) = &approval.open
    {
        let step = || open.step.clone();
        samples.extend([
            Command::Approve { step: step() },
            Command::Return { step: step(), reason: text() },
            Command::Delegate { step: step(), to: text() },
        ]);
    }
    samples
}

fn paying(request: &Request) -> Vec<Command> {
    let mut samples = vec![Command::RequestPayment { amount: 1, label: text(), due: None }];
    samples.extend(request.payments.iter().flat_map(|payment| {
        let (number, amount) = (payment.number, payment.amount);
        let (transaction, currency) = (text(), crate::request::CURRENCY.to_owned());
        let settle = |reference: Option<String>| Command::SettlePayment {
            payment: number,
            reference,
            transaction: transaction.clone(),
            amount,
            currency: currency.clone(),
        };
        let mut samples = vec![Command::StartPayment { payment: number }, settle(None)];
        for attempt in &payment.attempts {
            let reference = attempt.reference.clone();
            samples.push(settle(Some(reference.clone())));
            samples.push(Command::FailPayment {
                payment: number,
                reference,
                reason: PaymentFailure::Expired,
            });
        }
        let given_back = payment.received.saturating_sub(payment.refunded);
        samples.push(Command::CancelPayment { payment: number, reason: text() });
        if given_back > 0 {
            samples.push(Command::RefundPayment { payment: number, amount: given_back, reason: text() });
        }
        samples
    }));
    samples
}

fn meeting(request: &Request, now: DateTime<Utc>) -> Vec<Command> {
    let slot = Slot { from: now + TimeDelta::days(1), until: now + TimeDelta::hours(25) };
    let mut samples = vec![Command::OfferAppointment { slots: vec![slot], place: text(), what: text() }];
    let offered = request.appointment.iter().flat_map(|known| &known.slots);
    let next = offered.map(|slot| slot.from).find(|from| *from > now);
    samples.extend(next.map(|slot| Command::ChooseAppointment { slot }));
    samples.extend([
        Command::SetIntervention { from: slot.from, until: slot.until },
        Command::CancelAppointment { by: None, reason: text() },
        Command::RecordAttendance { came: true },
    ]);
    samples
}

fn ending(request: &Request) -> Vec<Command> {
    let by = match &request.stage {
        Stage::Validated { by, .. } => by.unwrap_or(Delivery::Counter),
        Stage::Received
        | Stage::Qualified
        | Stage::Assigned
        | Stage::InValidation(_)
        | Stage::Delivered { .. }
        | Stage::Withdrawn
        | Stage::Cancelled
        | Stage::Refused
        | Stage::Forwarded { .. }
        | Stage::Merged { .. } => Delivery::Counter,
    };
    vec![
        Command::Deliver { by },
        Command::FailDelivery { by, reason: text() },
        Command::Resolve { text: text() },
        Command::Withdraw { reason: None },
        Command::Cancel { reason: text() },
        Command::Refuse { reason: text(), basis: None },
        Command::Forward { to: text(), process: None, basis: None },
        Command::ConfirmForward { request: RequestId(uuid::Uuid::nil()) },
        Command::BlockForward { reason: text() },
        Command::Merge { into: RequestId(uuid::Uuid::nil()) },
        Command::Reopen { reason: text() },
        Command::Rate { score: 5, comment: None },
    ]
}
