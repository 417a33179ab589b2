//! What happens by itself when an instant has come. What happened is dated by that instant, however late it fires.

use chrono::{DateTime, Utc};

use super::approve::{escalated, late_step};
use super::decision::Decision;
use crate::process::OnLate;
use crate::request::clock::TimerKind;
use crate::request::happened::{
    ApprovalLate, Approved, CommitmentBroken, CommitmentWarned, Lapsed, Reminded, Resumed, TaskLate,
};
use crate::request::state::{Hold, timers};
use crate::request::{Rejection, refusal};

pub(super) fn elapse(d: &mut Decision<'_>, timer: &TimerKind, due: DateTime<Utc>) -> Result<(), Rejection> {
    d.engine()?;
    let request = d.request()?;
    if !timers(request).iter().any(|set| set.due == due && set.kind == *timer) {
        return Err(refusal::timer_stale());
    }
    if due > d.facts.now {
        return Err(refusal::timer_early());
    }
    let reply_by = match &request.hold {
        Some(Hold::WaitingForRequester { reply_by, .. }) => *reply_by,
        Some(Hold::Suspended { .. }) | None => due,
    };
    d.at = due;
    match timer {
        TimerKind::Warning { commitment, percent } => {
            d.emit(CommitmentWarned { commitment: commitment.clone(), percent: *percent, at: due })
        }
        TimerKind::Breach { commitment } => d.emit(CommitmentBroken { commitment: commitment.clone(), due }),
        TimerKind::Reminder => d.emit(Reminded { reply_by }),
        TimerKind::Lapse => d.emit(Lapsed { reply_by: due }),
        TimerKind::SuspensionEnd => d.emit(Resumed {}),
        TimerKind::Task(task) => d.emit(TaskLate { task: task.clone(), due }),
        TimerKind::Step(step) => step_late(d, step, due),
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
