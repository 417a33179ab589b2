//! Timers are derived from the state, so none can be forgotten and none outlives its reason.

use super::appointment::AppointmentStatus;
use super::clock::{ClockStatus, Timer, TimerKind};
use super::payment::PaymentStatus;
use super::state::{Hold, Request, Stage, TaskStatus};

/// All timers of a request, in no order.
pub(super) fn collect(request: &Request) -> Vec<Timer> {
    let mut timers = clock_timers(request);
    if request.stage.is_finished() {
        // A delivered request still owes its acknowledgement, for example; its tasks and terms are closed.
        return timers;
    }
    match &request.hold {
        Some(Hold::WaitingForRequester { reply_by, remind_at, .. }) => {
            timers.push(Timer { due: *reply_by, kind: TimerKind::Lapse });
            timers.extend(remind_at.map(|due| Timer { due, kind: TimerKind::Reminder }));
        }
        Some(Hold::Suspended { until: Some(due), .. }) => {
            timers.push(Timer { due: *due, kind: TimerKind::SuspensionEnd });
        }
        Some(Hold::Suspended { until: None, .. }) | None => {}
    }
    for (name, task) in &request.tasks {
        if let (TaskStatus::Open, Some(due), false) = (task.status, task.due, task.late) {
            timers.push(Timer { due, kind: TimerKind::Task(name.clone()) });
        }
    }
    if let Stage::InValidation(approval) = &request.stage
        && let Some(step) = &approval.open
        && let (Some(due), false) = (step.due, step.late)
    {
        timers.push(Timer { due, kind: TimerKind::Step(step.step.clone()) });
    }
    timers.extend(payment_timers(request));
    timers.extend(appointment_timers(request));
    timers
}

fn payment_timers(request: &Request) -> Vec<Timer> {
    let awaited = request.payments.iter().filter(|payment| payment.status == PaymentStatus::Awaited);
    let of_one = awaited.map(|payment| {
        let reminder = payment.remind_at.map(|due| (due, TimerKind::PaymentReminder(payment.number)));
        [Some((payment.due, TimerKind::PaymentLapse(payment.number))), reminder]
    });
    of_one.flatten().flatten().map(|(due, kind)| Timer { due, kind }).collect()
}

fn appointment_timers(request: &Request) -> Option<Timer> {
    let appointment = request.appointment.as_ref()?;
    let (due, kind) = match appointment.status {
        AppointmentStatus::Offered => (appointment.choose_by?, TimerKind::AppointmentLapse),
        AppointmentStatus::Fixed => (appointment.remind_at?, TimerKind::AppointmentReminder),
        AppointmentStatus::Kept
        | AppointmentStatus::Missed
        | AppointmentStatus::Cancelled
        | AppointmentStatus::Lapsed => return None,
    };
    Some(Timer { due, kind })
}

fn clock_timers(request: &Request) -> Vec<Timer> {
    let running = |clock: &&super::clock::Clock| clock.status == ClockStatus::Running;
    let mut timers = Vec::new();
    for clock in request.clocks.iter().filter(running) {
        let commitment = clock.commitment.clone();
        for warning in &clock.warnings {
            let kind = TimerKind::Warning { commitment: commitment.clone(), percent: warning.percent };
            timers.push(Timer { due: warning.at, kind });
        }
        if !clock.broken {
            timers.push(Timer { due: clock.due, kind: TimerKind::Breach { commitment } });
        }
    }
    timers
}
