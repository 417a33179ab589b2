//! What happens by itself when an instant has come. What happened is dated by that instant, however late it fires.

use chrono::{DateTime, TimeDelta, Utc};

use super::approve::{escalated, late_step};
use super::decision::Decision;
use super::{bill, passing};
use crate::process::{Missed, OnLate};
use crate::request::appointment::{AppointmentLapsed, AppointmentReminded};
use crate::request::clock::{Timer, TimerKind};
use crate::request::command::Command;
use crate::request::happened::{
    ApprovalLate, Approved, CommitmentBroken, CommitmentWarned, Lapsed, Reminded, Resumed, TaskLate,
};
use crate::request::payment::{PaymentLapsed, PaymentReminded};
use crate::request::state::{Hold, timers};
use crate::request::{Rejection, refusal};

/// The most timers that one command makes up for; the engine's own worker fires what is left.
const MOST: usize = 64;

/// Records what fell due before the command and was not recorded yet, in the order of the instants: a promise that was
/// broken when it was kept after all is broken whether or not a program ran in between.
pub(super) fn catch_up(d: &mut Decision<'_>, command: &Command) -> Result<(), Rejection> {
    let until = d.facts.occurred_at;
    let itself = if let Command::Elapse { timer, due } = command {
        Some(Timer { due: *due, kind: timer.clone() })
    } else {
        None
    };
    for _ in 0..MOST {
        let Some(timer) = d.known().and_then(|request| timers(request).into_iter().next()) else { break };
        let first = match &itself {
            Some(itself) => timer.order() < itself.order() && timer.fires_at() <= d.facts.now,
            None => timer.fires_at() <= until,
        };
        if !first {
            break;
        }
        let before = d.checkpoint();
        let fired = fire(d, &timer).and_then(|()| passing::pass(d));
        let still_set = d.known().is_some_and(|request| timers(request).first() == Some(&timer));
        if fired.is_err() || still_set {
            // A timer that cannot fire, although the sheet was checked, must not keep people from going on.
            d.go_back(before);
            break;
        }
    }
    d.by_command();
    Ok(())
}

pub(super) fn elapse(d: &mut Decision<'_>, timer: &TimerKind, due: DateTime<Utc>) -> Result<(), Rejection> {
    d.engine()?;
    let timer = Timer { due, kind: timer.clone() };
    if !timers(d.request()?).contains(&timer) {
        return Err(refusal::timer_stale());
    }
    if timer.fires_at() > d.facts.now {
        return Err(refusal::timer_early());
    }
    fire(d, &timer)
}

/// What happens at the timer's instant.
fn fire(d: &mut Decision<'_>, timer: &Timer) -> Result<(), Rejection> {
    let due = timer.due;
    let reply_by = match &d.request()?.hold {
        Some(Hold::WaitingForRequester { reply_by, .. }) => *reply_by,
        Some(Hold::Suspended { .. }) | None => due,
    };
    d.by_itself(due);
    match &timer.kind {
        TimerKind::Warning { commitment, percent } => {
            let untold = warning_untold(d, commitment, due);
            d.emit(CommitmentWarned { commitment: commitment.clone(), percent: *percent, at: due, untold })
        }
        TimerKind::Breach { commitment } => d.emit(CommitmentBroken { commitment: commitment.clone(), due }),
        TimerKind::Reminder => {
            let untold = is_untold(d, d.plan.definition().waiting.missed, due, Some(reply_by));
            d.emit(Reminded { reply_by, untold })
        }
        TimerKind::Lapse => d.emit(Lapsed { reply_by: due }),
        TimerKind::SuspensionEnd => d.emit(Resumed {}),
        TimerKind::Task(task) => d.emit(TaskLate { task: task.clone(), due }),
        TimerKind::Step(step) => step_late(d, step, due),
        TimerKind::PaymentReminder(payment) => {
            let next =
                d.request()?.payments.iter().find(|known| known.number == *payment).map(|known| known.due);
            let untold = is_untold(d, d.plan.definition().waiting.missed, due, next);
            d.emit(PaymentReminded { payment: *payment, due: next.unwrap_or(due), untold })
        }
        TimerKind::PaymentLapse(payment) => {
            d.emit(PaymentLapsed { payment: *payment, due })?;
            bill::unpaid(d, *payment)
        }
        TimerKind::AppointmentReminder => appointment_reminder(d, due),
        TimerKind::AppointmentLapse => {
            let appointment = d.request()?.appointment.as_ref().map_or(0, |known| known.number);
            d.emit(AppointmentLapsed { appointment, choose_by: due })
        }
    }
}

/// Nobody is reminded of what has begun.
fn appointment_reminder(d: &mut Decision<'_>, due: DateTime<Utc>) -> Result<(), Rejection> {
    let known = d.request()?.appointment.as_ref().ok_or_else(refusal::timer_stale)?;
    let (appointment, from) = (known.number, known.slot.map_or(due, |slot| slot.from));
    let untold = from <= d.facts.now;
    d.emit(AppointmentReminded { appointment, from, untold })
}

/// How late a warning or reminder may come where the sheet skips missed ones.
const PUNCTUAL: TimeDelta = TimeDelta::hours(1);

/// Whether a warning that falls due at `due` comes too late to be told.
fn warning_untold(d: &Decision<'_>, commitment: &str, due: DateTime<Utc>) -> bool {
    let missed =
        d.plan.definition().commitment(commitment).map_or_else(Missed::default, |sheet| sheet.missed);
    let next = d.known().and_then(|request| request.clock(commitment)).and_then(|clock| {
        let later = clock.warnings.iter().map(|warning| warning.at).filter(|at| *at > due);
        later.chain([clock.due]).min()
    });
    is_untold(d, missed, due, next)
}

/// Whether what falls due at `due` comes too late to be told; `next` is when the next of its kind, or what it announces,
/// comes.
fn is_untold(d: &Decision<'_>, missed: Missed, due: DateTime<Utc>, next: Option<DateTime<Utc>>) -> bool {
    let now = d.facts.now;
    let overtaken = next.is_some_and(|next| next < now);
    match missed {
        Missed::Once => overtaken,
        Missed::Each => false,
        Missed::Skip => overtaken || now - due > PUNCTUAL,
    }
}

fn step_late(d: &mut Decision<'_>, step: &str, due: DateTime<Utc>) -> Result<(), Rejection> {
    let Some(sheet) = late_step(d, step, due)? else { return Err(refusal::timer_stale()) };
    let escalated_to = match &sheet.on_late {
        OnLate::EscalateTo(party) => escalated(d, step, party)?,
        OnLate::Remind | OnLate::Approve => Vec::new(),
    };
    d.emit(ApprovalLate { step: step.to_owned(), due, escalated_to })?;
    if sheet.on_late != OnLate::Approve {
        return Ok(());
    }
    // Silence is agreement.
    let step = step.to_owned();
    d.emit(Approved { step, by: "engine".into(), on_behalf_of: None, passed: true, returned: false })
}
