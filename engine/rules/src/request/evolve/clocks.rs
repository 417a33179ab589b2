//! Clocks: what an event says of them is written down as it says, and nothing is worked out again.

use chrono::{DateTime, Utc};

use crate::commitment::{Budget, Pause};
use crate::request::clock::{Clock, ClockChange, ClockStatus};
use crate::request::happened::{CommitmentBroken, CommitmentWarned, Extended};
use crate::request::state::Request;

fn live<'a>(clocks: &'a mut [Clock], cycle: u32, commitment: &str) -> Option<&'a mut Clock> {
    clocks.iter_mut().rev().find(|clock| {
        clock.cycle == cycle
            && clock.commitment == commitment
            && matches!(clock.status, ClockStatus::Running | ClockStatus::Paused)
    })
}

/// Applies one change that happened at `at` to the clocks of a request in its `cycle`.
pub(in crate::request) fn apply(
    clocks: &mut Vec<Clock>,
    cycle: u32,
    change: &ClockChange,
    at: DateTime<Utc>,
) {
    if let ClockChange::Started { commitment, from, budget, month_rule, calendar, rule, due, warnings } =
        change
    {
        clocks.push(Clock {
            commitment: commitment.clone(),
            cycle,
            from: *from,
            budget: *budget,
            extended_by: None,
            month_rule: *month_rule,
            calendar: calendar.clone(),
            rule: rule.clone(),
            due: *due,
            warnings: warnings.clone(),
            pauses: Vec::new(),
            status: ClockStatus::Running,
            broken: false,
            stopped_at: None,
            made_under: None,
        });
    } else if let Some(clock) = live(clocks, cycle, change.commitment()) {
        change_live(clock, change, at);
    }
}

fn change_live(clock: &mut Clock, change: &ClockChange, at: DateTime<Utc>) {
    match change {
        ClockChange::Started { .. } => {}
        ClockChange::Changed { from, budget, month_rule, calendar, rule, due, warnings, .. } => {
            clock.from = *from;
            clock.budget = *budget;
            clock.month_rule = *month_rule;
            clock.calendar.clone_from(calendar);
            clock.rule.clone_from(rule);
            clock.made_under = None;
            clock.warnings.clone_from(warnings);
            if let Some(due) = due {
                clock.due = *due;
                // Put off beyond now, it is no longer past due; the breach that was noticed stays in the history.
                clock.broken = clock.broken && *due <= at;
            }
        }
        ClockChange::Paused { at, .. } => {
            clock.status = ClockStatus::Paused;
            clock.pauses.push(Pause::open(*at));
        }
        ClockChange::Resumed { at, due, warnings, .. } => {
            clock.status = ClockStatus::Running;
            clock.due = *due;
            clock.warnings.clone_from(warnings);
            end_pause(clock, *at);
        }
        ClockChange::Stopped { at, kept, .. } => {
            end_pause(clock, *at);
            clock.status = if *kept { ClockStatus::Kept } else { ClockStatus::Late };
            clock.stopped_at = Some(*at);
            clock.warnings.clear();
        }
        ClockChange::Dropped { .. } => {
            end_pause(clock, at);
            clock.status = ClockStatus::Dropped;
            clock.stopped_at = Some(at);
            clock.warnings.clear();
        }
    }
}

fn end_pause(clock: &mut Clock, at: DateTime<Utc>) {
    if let Some(pause) = clock.pauses.last_mut().filter(|pause| pause.until.is_none()) {
        pause.until = Some(at);
    }
}

pub(super) fn warned(request: &mut Request, event: &CommitmentWarned) {
    if let Some(clock) = live(&mut request.clocks, request.cycle, &event.commitment) {
        clock.warnings.retain(|warning| warning.percent != event.percent);
    }
}

pub(super) fn broken(request: &mut Request, event: &CommitmentBroken) {
    if let Some(clock) = live(&mut request.clocks, request.cycle, &event.commitment) {
        clock.broken = true;
    }
}

pub(super) fn extended(request: &mut Request, event: &Extended) {
    if let Some(clock) = live(&mut request.clocks, request.cycle, &event.commitment) {
        clock.extended_by = match clock.extended_by {
            Some(before) => sum(before, event.by).or(Some(before)),
            None => Some(event.by),
        };
    }
}

/// Two budgets counted together, where they have one unit.
pub(in crate::request) fn sum(one: Budget, other: Budget) -> Option<Budget> {
    let amount = one.amount().checked_add(other.amount())?;
    if one.unit() == other.unit() { Budget::new(amount, one.unit()).ok() } else { None }
}
