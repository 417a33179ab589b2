//! How an event changes a request: the only writer of state, and it holds no rules.
//!
//! Every event is named here, with no arm for "the rest": adding one does not compile until its effect on the state,
//! even if it is none, is written down.
#![deny(clippy::wildcard_enum_match_arm)]

mod appointment;
mod circuit;
mod clocks;
mod course;
mod form;
mod forwarding;
mod migration;
mod payment;
mod treatment;

pub(super) use clocks::{apply as apply_clock, sum};
pub use form::{merge_form, sealed_form};

use super::appointment::AppointmentStatus;
use super::event::{Event, What};
use super::payment::PaymentStatus;
use super::state::{Hold, Meta, Request};

/// The request after `event`. Total: an event that cannot be (any but the first on no request) changes nothing.
#[must_use]
pub fn evolve(request: Option<Request>, event: &Event, meta: &Meta) -> Option<Request> {
    let mut request = match (request, &event.what) {
        (None, What::Received(received)) => course::received(received, meta),
        (Some(request), what) => apply(request, what, meta),
        (None, _) => return None,
    };
    for change in &event.clocks {
        apply_clock(&mut request.clocks, request.cycle, change, meta.occurred_at);
    }
    touch(&mut request, meta);
    Some(request)
}

/// What stands beside every event leaves its mark on every request.
fn touch(request: &mut Request, meta: &Meta) {
    request.updated_at = meta.recorded_at;
    if meta.actor.starts_with("agent:") && !request.touched_by.contains(&meta.actor) {
        request.touched_by.push(meta.actor.clone());
    }
}

#[allow(clippy::too_many_lines, reason = "one arm for each event: a list, not a procedure")]
fn apply(mut request: Request, what: &What, meta: &Meta) -> Request {
    let at = meta.occurred_at;
    let r = &mut request;
    match what {
        // A stream begins once; nothing else can be recorded as its beginning.
        What::Received(_) => {}
        What::Acknowledged(_) => {
            r.acknowledged_at.get_or_insert(at);
        }
        What::Qualified(event) => course::qualified(r, event, at),
        What::Reclassified(event) => course::reclassified(r, event),
        What::Migrated(event) => migration::migrated(r, event),
        What::Assigned(event) => course::assigned(r, event, at),
        What::Reassigned(event) => course::reassigned(r, event),
        What::Claimed(event) => r.agent = Some(event.agent.clone()),
        What::Released(_) => r.agent = None,
        What::TaskOpened(event) => treatment::opened(r, event, at),
        What::TaskSkipped(event) => treatment::skipped(r, event, at),
        What::TaskCompleted(event) => treatment::completed(r, event, at),
        What::TaskLate(event) => treatment::late(r, event),
        What::Asked(event) => {
            let (reply_by, remind_at) = (event.reply_by, event.remind_at);
            r.hold = Some(Hold::WaitingForRequester { since: at, reply_by, remind_at });
        }
        What::Reminded(_) => treatment::reminded(r),
        What::Replied(event) => treatment::replied(r, event),
        What::Lapsed(_) | What::Resumed(_) => r.hold = None,
        What::Suspended(event) => r.hold = Some(Hold::Suspended { since: at, until: event.until }),
        What::Extended(event) => clocks::extended(r, event),
        // Known to whoever reads the history; the state is the same.
        What::Visited(_) | What::Noted(_) | What::Messaged(_) => {}
        What::Drafted(event) => circuit::drafted(r, event, at),
        What::Submitted(event) => circuit::submitted(r, event),
        What::ApprovalOpened(event) => circuit::opened(r, event),
        What::Approved(event) => circuit::approved(r, event),
        What::Returned(event) => circuit::returned(r, event),
        What::Delegated(event) => circuit::delegated(r, event),
        What::ApprovalLate(event) => circuit::late(r, event),
        What::Validated(_) => course::validated(r, at),
        What::DeliveryOpened(event) => course::delivery_opened(r, event),
        What::Delivered(event) => course::delivered(r, event, at),
        What::DeliveryFailed(event) => course::delivery_failed(r, event),
        What::Withdrawn(_) => course::finish(r, super::Stage::Withdrawn, at),
        What::Cancelled(_) => course::finish(r, super::Stage::Cancelled, at),
        What::Refused(_) => course::finish(r, super::Stage::Refused, at),
        What::Forwarded(event) => forwarding::forwarded(r, event, at),
        What::ForwardArrived(event) => forwarding::arrived(r, event),
        What::ForwardBlocked(event) => forwarding::blocked(r, event),
        What::Merged(event) => course::finish(r, super::Stage::Merged { into: event.into }, at),
        What::Reopened(event) => course::reopened(r, event),
        What::Rated(event) => r.rating = Some(event.score),
        What::CommitmentWarned(event) => clocks::warned(r, event),
        What::CommitmentBroken(event) => clocks::broken(r, event),
        What::Notified(event) => {
            r.effects_done.push((event.effect.clone(), event.recipient.clone()));
            forwarding::notified(r, &event.recipient);
        }
        What::NotificationFailed(event) => {
            let known = |(id, to): &(String, _)| *id == event.effect && *to == event.recipient;
            if !r.effects_done.iter().any(known) {
                r.effects_done.push((event.effect.clone(), event.recipient.clone()));
            }
            r.effects_failed.push(event.effect.clone());
            forwarding::failed(r, &event.recipient);
        }
        What::PaymentRequested(event) => payment::requested(r, event, at),
        What::PaymentStarted(event) => payment::started(r, event, at),
        What::PaymentSettled(event) => payment::settled(r, event, at),
        What::PaymentFailed(event) => payment::failed(r, event),
        What::PaymentReminded(event) => payment::reminded(r, event),
        What::PaymentLapsed(event) => payment::became(r, event.payment, PaymentStatus::Lapsed),
        What::PaymentCancelled(event) => payment::became(r, event.payment, PaymentStatus::Cancelled),
        What::PaymentRefunded(event) => payment::refunded(r, event.payment, event.amount),
        What::AppointmentOffered(event) => appointment::offered(r, event),
        What::AppointmentChosen(event) => appointment::chosen(r, event),
        What::InterventionSet(event) => appointment::intervention(r, event),
        What::AppointmentReminded(_) => appointment::reminded(r),
        What::AppointmentLapsed(_) => appointment::became(r, AppointmentStatus::Lapsed),
        What::AppointmentCancelled(_) => appointment::became(r, AppointmentStatus::Cancelled),
        What::AttendanceRecorded(event) => {
            let status = if event.came { AppointmentStatus::Kept } else { AppointmentStatus::Missed };
            appointment::became(r, status);
        }
    }
    request
}
