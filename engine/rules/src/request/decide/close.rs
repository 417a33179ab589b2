//! The ways a request ends without an answer, and taking it up again.

use super::decision::Decision;
use super::forwarding::is_blocked;
use super::moments::reached;
use super::{REASON, said, said_if_any};
use crate::request::actor::RequestId;
use crate::request::happened::{Cancelled, Merged, Refused, Reopened, Withdrawn};
use crate::request::state::Stage;
use crate::request::{Actor, Personal, Rejection, refusal};

pub(super) fn withdraw(d: &mut Decision<'_>, reason: Option<&str>) -> Result<(), Rejection> {
    let request = d.unfinished()?;
    d.requester()?;
    if reached(request, d.plan, &d.plan.definition().withdrawable_until).is_some() {
        return Err(refusal::withdraw_too_late());
    }
    let reason = said_if_any(reason)?.map(|text| Personal::requester(text.to_owned()));
    d.emit(Withdrawn { reason })
}

pub(super) fn cancel(d: &mut Decision<'_>, reason: &str) -> Result<(), Rejection> {
    d.unfinished()?;
    // The engine closes what cannot lead anywhere any more: a draft whose process has changed meanwhile.
    if d.engine().is_err() {
        d.handler()?;
    }
    let reason = Personal::requester(said(reason, REASON)?.to_owned());
    d.emit(Cancelled { reason })
}

/// Whatever is validated is answered, and can no longer be refused, forwarded or merged.
pub(super) fn before_validation(d: &Decision<'_>) -> Result<(), Rejection> {
    if matches!(d.unfinished()?.stage, Stage::Validated { .. }) {
        d.staff()?;
        return Err(d.wrong_stage());
    }
    d.handler().map(|_| ())
}

pub(super) fn refuse(d: &mut Decision<'_>, reason: &str, basis: Option<&str>) -> Result<(), Rejection> {
    before_validation(d)?;
    let reason = Personal::requester(said(reason, REASON)?.to_owned());
    let basis = said_if_any(basis)?.map(str::to_owned);
    d.emit(Refused { reason, basis })
}

pub(super) fn merge(d: &mut Decision<'_>, into: RequestId) -> Result<(), Rejection> {
    before_validation(d)?;
    if d.request()?.id == into {
        return Err(refusal::merge_self());
    }
    let found = d.facts.other.filter(|other| other.id == into && other.tenant == d.facts.tenant);
    let other = found.ok_or_else(refusal::merge_unknown)?;
    if other.stage.is_finished() {
        return Err(refusal::merge_closed());
    }
    d.emit(Merged { into })
}

/// The requester may take up again what was delivered; an agent also what was closed by mistake, and what was passed on
/// and cannot be taken there.
pub(super) fn reopen(d: &mut Decision<'_>, reason: &str) -> Result<(), Rejection> {
    let request = d.request()?;
    let allowed = match (&request.stage, d.facts.actor) {
        (Stage::Delivered { .. }, Actor::Agent(_)) | (Stage::Cancelled | Stage::Refused, Actor::Agent(_)) => {
            d.staff()?;
            true
        }
        (Stage::Forwarded { .. }, Actor::Agent(_)) if is_blocked(request) => {
            d.handler()?;
            true
        }
        (Stage::Delivered { .. }, _) => {
            d.requester()?;
            true
        }
        _ => false,
    };
    let (true, Some(closed)) = (allowed, request.closed_at) else { return Err(d.wrong_stage()) };
    let term = d.plan.definition().reopenable_for;
    if d.at > d.term(closed, term)? {
        return Err(refusal::reopen_too_late());
    }
    let cycle = request.cycle.saturating_add(1);
    let reason = Personal::requester(said(reason, REASON)?.to_owned());
    d.emit(Reopened { reason, cycle })
}
