//! Payments: what they give comes out as cents, what waits for them still lies ahead, and a reminder comes in time.

use super::span::{Pace, Sum};
use super::{Sheet, Whole};
use crate::language::diagnostic::Fault;
use crate::process::{PaidBefore, PaymentMoment, PaymentSheet, Unpaid};

pub(super) fn check(sheet: &Sheet, _: &Whole<'_>, faults: &mut Vec<Fault>) {
    let Some(payment) = &sheet.definition.payment else { return };
    order(sheet, payment, faults);
    optional(sheet, payment, faults);
    reminder(sheet, payment, faults);
}

fn order(sheet: &Sheet, payment: &PaymentSheet, faults: &mut Vec<Fault>) {
    if payment.from == PaymentMoment::Validated && payment.before == PaidBefore::Treatment {
        let (fr, en) = (
            "le traitement attendrait un paiement qui n’est demandé qu’après lui",
            "the treatment would wait for a payment that is asked for only after it",
        );
        faults.push(Fault::error("payment.order", sheet.at("/payment/before"), fr, en));
    }
}

fn optional(sheet: &Sheet, payment: &PaymentSheet, faults: &mut Vec<Fault>) {
    if !payment.optional {
        return;
    }
    let waits = payment.before == PaidBefore::Treatment;
    let closes = payment.if_unpaid == Unpaid::Cancelled;
    for (key, wrong) in [("before", waits), ("if_unpaid", closes)] {
        if wrong {
            let (fr, en) = (
                "rien n’attend un paiement facultatif, et rien ne se passe s’il n’est pas fait",
                "nothing waits for an optional payment, and nothing comes of its not being made",
            );
            faults.push(Fault::error("payment.optional", sheet.at(&format!("/payment/{key}")), fr, en));
        }
    }
}

/// A reminder that surely comes after the term would never be sent.
fn reminder(sheet: &Sheet, payment: &PaymentSheet, faults: &mut Vec<Fault>) {
    let definition = &sheet.definition;
    let (Some(remind), Some(calendar)) =
        (payment.remind_after, definition.calendars.get(&definition.calendar))
    else {
        return;
    };
    let term = payment.within.unwrap_or(definition.waiting.lapse_after);
    let mut sum = Sum::default();
    sum.add(remind);
    if remind == term || sum.surely_exceeds(term, &Pace::of(calendar)) {
        let (fr, en) = (
            "le rappel viendrait quand le délai est passé",
            "the reminder would come when the term has passed",
        );
        faults.push(Fault::error("payment.reminder", sheet.at("/payment/remind_after"), fr, en));
    }
}
