//! Payments.

use chrono::{DateTime, Utc};

use crate::process::PaidBefore;
use crate::request::payment::{
    Attempt, Outcome, Payment, PaymentFailed, PaymentReminded, PaymentRequested, PaymentSettled,
    PaymentStarted, PaymentStatus,
};
use crate::request::state::Request;

fn payment(request: &mut Request, number: u32) -> Option<&mut Payment> {
    request.payments.iter_mut().find(|payment| payment.number == number)
}

pub(super) fn requested(request: &mut Request, event: &PaymentRequested, at: DateTime<Utc>) {
    request.payments.push(Payment {
        number: event.payment,
        amount: event.amount,
        asked_at: at,
        due: event.due,
        remind_at: event.remind_at,
        rule: event.rule.clone(),
        process: request.process.clone(),
        before: match &event.terms {
            Some(terms) => (!terms.optional).then_some(terms.before),
            None => Some(PaidBefore::Delivery),
        },
        if_unpaid: event.terms.as_ref().map(|terms| terms.if_unpaid).unwrap_or_default(),
        cycle: request.cycle,
        status: PaymentStatus::Awaited,
        attempts: Vec::new(),
        received: 0,
        refunded: 0,
        settled_at: None,
    });
}

pub(super) fn started(request: &mut Request, event: &PaymentStarted, at: DateTime<Utc>) {
    if let Some(payment) = payment(request, event.payment) {
        let reference = event.reference.clone();
        payment.attempts.push(Attempt { reference, started_at: at, outcome: None });
    }
}

fn ended(payment: &mut Payment, reference: &str, outcome: Outcome) {
    for attempt in payment.attempts.iter_mut().filter(|attempt| attempt.reference == reference) {
        attempt.outcome = Some(outcome);
    }
}

pub(super) fn settled(request: &mut Request, event: &PaymentSettled, at: DateTime<Utc>) {
    let Some(payment) = payment(request, event.payment) else { return };
    if let Some(reference) = &event.reference {
        ended(payment, reference, Outcome::Accepted);
    }
    payment.received = payment.received.saturating_add(event.amount);
    if !event.surplus {
        payment.status = PaymentStatus::Settled;
        payment.settled_at.get_or_insert(at);
    }
}

pub(super) fn failed(request: &mut Request, event: &PaymentFailed) {
    if let Some(payment) = payment(request, event.payment) {
        ended(payment, &event.reference, Outcome::Failed);
    }
}

pub(super) fn reminded(request: &mut Request, event: &PaymentReminded) {
    if let Some(payment) = payment(request, event.payment) {
        payment.remind_at = None;
    }
}

pub(super) fn became(request: &mut Request, number: u32, status: PaymentStatus) {
    if let Some(payment) = payment(request, number) {
        payment.status = status;
    }
}

pub(super) fn refunded(request: &mut Request, number: u32, amount: u64) {
    if let Some(payment) = payment(request, number) {
        payment.refunded = payment.refunded.saturating_add(amount);
    }
}

/// A request that ended asks for nothing any more.
pub(super) fn dropped(request: &mut Request) {
    for payment in request.payments.iter_mut().filter(|payment| payment.status == PaymentStatus::Awaited) {
        payment.status = PaymentStatus::Cancelled;
    }
}
