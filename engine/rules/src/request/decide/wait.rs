//! Waiting for the requester, resting, and putting a promise off.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::decision::Decision;
use super::{REASON, legal_is_incomplete, qualify, said, said_if_any};
use crate::commitment::Budget;
use crate::process::FieldType;
use crate::request::clock::ClockStatus;
use crate::request::evolve::sum;
use crate::request::happened::{Asked, Extended, Replied, Resumed, Suspended};
use crate::request::state::{Hold, Request, Stage};
use crate::request::{Personal, Rejection, refusal};

/// The most pieces that one asking may name.
const MOST_PIECES: usize = 50;

/// Whether the request is in the hands of the front office or of a service.
fn in_hand<'d>(d: &'d Decision<'_>) -> Result<&'d Request, Rejection> {
    let request = d.unfinished()?;
    if matches!(request.stage, Stage::Received | Stage::Qualified | Stage::Assigned) {
        return Ok(request);
    }
    d.staff()?;
    Err(d.wrong_stage())
}

pub(super) fn ask(
    d: &mut Decision<'_>,
    question: &str,
    pieces: &[String],
    within: Option<Budget>,
) -> Result<(), Rejection> {
    in_hand(d)?;
    d.handler()?;
    d.not_resting()?;
    let question = said(question, ("la question", "the question"))?.to_owned();
    let waiting = &d.plan.definition().waiting;
    let reply_by = d.term(d.at, within.unwrap_or(waiting.lapse_after))?;
    if reply_by <= d.facts.now {
        return Err(refusal::time_past());
    }
    let remind_at = waiting.remind_after.map(|budget| d.term(d.at, budget)).transpose()?;
    let remind_at = remind_at.filter(|at| *at < reply_by);
    let pieces = pieces.iter().map(|piece| piece.trim().to_owned()).filter(|piece| !piece.is_empty());
    let pieces = pieces.take(MOST_PIECES).collect();
    d.emit(Asked { question: Personal::requester(question), pieces, reply_by, remind_at })
}

/// The requester answers what was asked; or writes without being asked, which may add files and changes nothing else.
pub(super) fn reply(
    d: &mut Decision<'_>,
    text: Option<&str>,
    form: &Map<String, Value>,
    complete: bool,
) -> Result<(), Rejection> {
    let request = d.unfinished()?;
    d.requester_or_staff()?;
    let text = said_if_any(text)?.map(|text| Personal::requester(text.to_owned()));
    if text.is_none() && form.is_empty() {
        return Err(refusal::reply_empty());
    }
    let awaited =
        matches!(request.hold, Some(Hold::WaitingForRequester { .. })) || legal_is_incomplete(request);
    if !awaited && !adds_files_only(d, request, form) {
        return Err(refusal::waiting_not_waiting());
    }
    let form = qualify::completed(d, form, false)?;
    d.emit(Replied { text, form, complete: complete && awaited })
}

/// Whether all that a form does is to add files to those that are there.
fn adds_files_only(d: &Decision<'_>, request: &Request, form: &Map<String, Value>) -> bool {
    let fields = &d.plan.definition().form;
    form.iter().all(|(name, given)| {
        let files = fields.iter().any(|field| field.field == *name && field.kind == FieldType::Files);
        let there = request.form.get(name).and_then(Value::as_array);
        let kept = there.is_none_or(|there| {
            given.as_array().is_some_and(|given| there.iter().all(|file| given.contains(file)))
        });
        files && kept
    })
}

pub(super) fn suspend(
    d: &mut Decision<'_>,
    reason: &str,
    until: Option<DateTime<Utc>>,
) -> Result<(), Rejection> {
    in_hand(d)?;
    d.handler()?;
    d.not_resting()?;
    if until.is_some_and(|until| until <= d.facts.now) {
        return Err(refusal::time_past());
    }
    let reason = Personal::requester(said(reason, REASON)?.to_owned());
    d.emit(Suspended { reason, until })
}

/// Ends a suspension, or the waiting for a requester whose answer is no longer needed.
pub(super) fn resume(d: &mut Decision<'_>) -> Result<(), Rejection> {
    let request = d.unfinished()?;
    d.handler()?;
    if request.hold.is_none() {
        return Err(refusal::hold_none());
    }
    d.emit(Resumed {})
}

/// Puts a promise off, before it is broken and in the unit in which it was given, so that its sum stays plain.
pub(super) fn extend(
    d: &mut Decision<'_>,
    commitment: &str,
    by: Budget,
    basis: &str,
) -> Result<(), Rejection> {
    let request = d.unfinished()?;
    d.handler()?;
    let clock = request
        .clock(commitment)
        .filter(|clock| matches!(clock.status, ClockStatus::Running | ClockStatus::Paused));
    let clock = clock.ok_or_else(|| refusal::commitment_not_running(commitment))?;
    if clock.broken || (clock.status == ClockStatus::Running && clock.due < d.at) {
        return Err(refusal::extension_too_late(commitment));
    }
    if sum(clock.budget, by).is_none() {
        return Err(refusal::extension_unit(&clock.budget.to_string()));
    }
    let basis = said(basis, ("le fondement", "the basis"))?.to_owned();
    d.emit(Extended { commitment: commitment.to_owned(), by, basis })
}
