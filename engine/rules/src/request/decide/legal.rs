//! The legal clock: what the administration's silence means, and when (CRPA L231-1, L231-4).
//!
//! It is named `silence`, runs beside the public promises and is never merged with them. The two regimes differ in
//! where they start (L114-3) and in what an incomplete file does to them (L114-5). Only an asking that names missing
//! pieces makes a file incomplete; a plain question stops no legal clock.

use chrono::{DateTime, Utc};

use super::board::{Board, SILENCE};
use crate::commitment::due_instant;
use crate::process::{CommitmentSheet, Missed, Moment, PauseReason, Silence};
use crate::request::clock::{Clock, ClockChange, ClockStatus};
use crate::request::evolve::sum;
use crate::request::state::Hold;
use crate::request::{Rejection, refusal};

/// Where the rule of the legal clock stands in the definition.
const RULE: &str = "/law";

/// The start that the law gives: implied rejection counts from the first administration seized, implied acceptance
/// from the competent one, which is this one (L114-3).
fn origin(board: &Board<'_>, silence: Silence) -> Option<DateTime<Utc>> {
    let received = board.request.milestones.received;
    match silence {
        Silence::None => None,
        Silence::Acceptance => Some(received),
        Silence::Rejection => Some(board.request.first_received_at.unwrap_or(received)),
    }
}

pub(super) fn start(board: &mut Board<'_>) -> Result<(), Rejection> {
    match origin(board, board.plan.definition().law.silence) {
        Some(from) => start_at(board, from),
        None => Ok(()),
    }
}

fn start_at(board: &mut Board<'_>, from: DateTime<Utc>) -> Result<(), Rejection> {
    let definition = board.plan.definition();
    let law = &definition.law;
    let (Some(budget), false) = (law.after, law.silence == Silence::None) else { return Ok(()) };
    let calendar = board.calendar(&definition.calendar)?;
    let due =
        due_instant(calendar, from, budget, law.month_rule, &[]).map_err(|_| refusal::term_unusable())?;
    board.push(ClockChange::Started {
        commitment: SILENCE.into(),
        from,
        budget,
        month_rule: law.month_rule,
        calendar: definition.calendar.clone(),
        rule: Some(RULE.into()),
        due,
        warnings: Vec::new(),
    });
    Ok(())
}

/// A reopened request is asked of the administration again.
pub(super) fn reopened(board: &mut Board<'_>) -> Result<(), Rejection> {
    start_at(board, board.at)
}

/// Another process or version, another law. An extension stays where the process does.
pub(super) fn reclassify(board: &mut Board<'_>, extended: bool) -> Result<(), Rejection> {
    let definition = board.plan.definition();
    let Some(clock) = board.live(SILENCE).cloned() else {
        return if board.any(SILENCE).is_none() { start(board) } else { Ok(()) };
    };
    let law = &definition.law;
    let (Some(origin), Some(budget)) = (origin(board, law.silence), law.after) else {
        board.push(ClockChange::Dropped { commitment: SILENCE.into() });
        return Ok(());
    };
    let extension = clock.extended_by.filter(|_| extended);
    let budget = extension.and_then(|by| sum(budget, by)).unwrap_or(budget);
    // A file that was completed later, or a later cycle, moved the start of an acceptance; a rejection's never moves.
    let from = match law.silence {
        Silence::Acceptance => origin.max(clock.from),
        Silence::Rejection | Silence::None if board.request.cycle == 0 => origin,
        Silence::Rejection | Silence::None => clock.from,
    };
    let calendar = board.calendar(&definition.calendar)?;
    let due = if clock.status == ClockStatus::Paused {
        None
    } else {
        let due = due_instant(calendar, from, budget, law.month_rule, &clock.pauses);
        Some(due.map_err(|_| refusal::term_unusable())?)
    };
    board.push(ClockChange::Changed {
        commitment: SILENCE.into(),
        from,
        budget,
        month_rule: law.month_rule,
        calendar: definition.calendar.clone(),
        rule: Some(RULE.into()),
        due,
        warnings: Vec::new(),
    });
    Ok(())
}

/// Pieces were asked for: the clock stands still. Once the implied decision has come about, nothing moves it.
pub(super) fn asked(board: &mut Board<'_>, pieces: &[String]) {
    let Some(clock) = board.live(SILENCE) else { return };
    if !pieces.is_empty() && clock.status == ClockStatus::Running && board.at < clock.due {
        let reason = PauseReason::WaitingForRequester;
        board.push(ClockChange::Paused { commitment: SILENCE.into(), at: board.at, reason });
    }
}

fn resting(board: &Board<'_>) -> Option<Clock> {
    board.live(SILENCE).filter(|clock| clock.status == ClockStatus::Paused).cloned()
}

/// The file is complete: an acceptance counts from now; a rejection goes on, from the end of the term at the latest.
pub(super) fn completed(board: &mut Board<'_>, hold: Option<&Hold>) -> Result<(), Rejection> {
    let Some(clock) = resting(board) else { return Ok(()) };
    if board.plan.definition().law.silence == Silence::Rejection {
        let term = match hold {
            Some(Hold::WaitingForRequester { reply_by, .. }) => board.at.min(*reply_by),
            Some(Hold::Suspended { .. }) | None => board.at,
        };
        return board.resume(&clock, term);
    }
    board.push(ClockChange::Changed {
        commitment: SILENCE.into(),
        from: board.at,
        budget: clock.budget,
        month_rule: clock.month_rule,
        calendar: clock.calendar.clone(),
        rule: clock.rule.clone(),
        due: None,
        warnings: Vec::new(),
    });
    match resting(board) {
        Some(clock) => board.resume(&clock, board.at),
        None => Ok(()),
    }
}

/// The term passed without the pieces: a rejection goes on; an acceptance has still not begun to count.
pub(super) fn lapsed(board: &mut Board<'_>, term: DateTime<Utc>) -> Result<(), Rejection> {
    match resting(board) {
        Some(clock) if board.plan.definition().law.silence == Silence::Rejection => {
            board.resume(&clock, term)
        }
        Some(_) | None => Ok(()),
    }
}

/// The terms of the legal clock in the shape of a commitment's.
pub(super) fn sheet(clock: &Clock) -> CommitmentSheet {
    CommitmentSheet {
        commitment: SILENCE.into(),
        title: None,
        from: Moment::Received,
        until: Moment::Delivered,
        within: Vec::new(),
        month_rule: clock.month_rule,
        paused_while: Vec::new(),
        warn_at: Vec::new(),
        missed: Missed::default(),
        when_warned: Vec::new(),
        when_broken: Vec::new(),
        calendar: clock.calendar.clone(),
    }
}
