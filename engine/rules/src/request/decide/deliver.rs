//! Getting the answer to the requester.

use super::decision::Decision;
use super::said;
use crate::process::{Channel, Delivery, DeliveryChoice, Plan};
use crate::request::happened::{Delivered, DeliveryFailed};
use crate::request::requester::Requester;
use crate::request::state::{Request, Stage};
use crate::request::{Actor, Rejection, refusal};

/// Whether the requester can be reached by this means.
fn possible(requester: &Requester, by: Delivery) -> bool {
    match by {
        Delivery::Email => requester.by_email,
        Delivery::Sms | Delivery::Phone => requester.by_sms,
        Delivery::Letter => requester.by_letter,
        Delivery::Social => requester.by_social,
        Delivery::Counter | Delivery::Screen => true,
    }
}

/// Whether the request was opened on the round and names nobody.
pub(super) fn nobody_asked(request: &Request) -> bool {
    request.channel == Channel::Patrol && request.requester.contact.is_none()
}

/// How the requester is written to about something that is not the answer: as they prefer where that is possible,
/// else by message, else by letter; by no means if none is.
pub(in crate::request) fn reach(requester: &Requester) -> Option<Delivery> {
    let preferred = requester.preferred.filter(|by| match by {
        Delivery::Email | Delivery::Sms | Delivery::Letter | Delivery::Social => possible(requester, *by),
        Delivery::Counter | Delivery::Phone | Delivery::Screen => false,
    });
    preferred.or_else(|| {
        [Delivery::Email, Delivery::Sms, Delivery::Social, Delivery::Letter]
            .into_iter()
            .find(|by| possible(requester, *by))
    })
}

/// The first means of the sheet by which the requester can be reached and that has not failed; kept at the counter
/// if there is none.
pub(super) fn means(request: &Request, plan: &Plan, failed: &[Delivery]) -> Delivery {
    let choices = plan.definition().delivery.by.iter().filter_map(|choice| match choice {
        DeliveryChoice::RequesterChoice => request.requester.preferred,
        DeliveryChoice::Email => Some(Delivery::Email),
        DeliveryChoice::Sms => Some(Delivery::Sms),
        DeliveryChoice::Letter => Some(Delivery::Letter),
        DeliveryChoice::Counter => Some(Delivery::Counter),
        DeliveryChoice::Phone => Some(Delivery::Phone),
    });
    // Whoever wrote in a conversation is answered in it, whatever the sheet says of other ways; then these come in their
    // order.
    let there = (request.channel == Channel::Social).then_some(Delivery::Social);
    there
        .into_iter()
        .chain(choices)
        .find(|by| possible(&request.requester, *by) && !failed.contains(by))
        .unwrap_or(Delivery::Counter)
}

pub(super) fn deliver(d: &mut Decision<'_>, by: Delivery) -> Result<(), Rejection> {
    d.engine_or_staff()?;
    match d.unfinished()?.stage {
        // The engine reports what it sent; an agent may have met the requester meanwhile.
        Stage::Validated { by: Some(open), .. } if open != by && *d.facts.actor == Actor::Engine => {
            Err(refusal::delivery_other(word(open)))
        }
        Stage::Validated { .. } => {
            super::payment::none_awaited(d)?;
            d.emit(Delivered { by })
        }
        Stage::Received
        | Stage::Qualified
        | Stage::Assigned
        | Stage::InValidation(_)
        | Stage::Delivered { .. }
        | Stage::Withdrawn
        | Stage::Cancelled
        | Stage::Refused
        | Stage::Forwarded { .. }
        | Stage::Merged { .. } => Err(d.wrong_stage()),
    }
}

pub(super) fn fail(d: &mut Decision<'_>, by: Delivery, reason: &str) -> Result<(), Rejection> {
    d.engine_or_staff()?;
    let Stage::Validated { by: open, .. } = d.unfinished()?.stage else { return Err(d.wrong_stage()) };
    if open != Some(by) {
        return Err(refusal::delivery_other(open.map_or("", word)));
    }
    let reason = said(reason, super::REASON)?.to_owned();
    d.emit(DeliveryFailed { by, reason })
}

fn word(by: Delivery) -> &'static str {
    match by {
        Delivery::Email => "email",
        Delivery::Sms => "sms",
        Delivery::Letter => "letter",
        Delivery::Counter => "counter",
        Delivery::Phone => "phone",
        Delivery::Screen => "screen",
        Delivery::Social => "social",
    }
}
