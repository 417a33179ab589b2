//! Asking for money, and what the provider says became of it.
//!
//! The provider's word comes late, twice, and out of order. What was accepted stays accepted, whatever is told later of
//! the same attempt; what was refused may still be accepted; money that came although none was due is recorded as a
//! surplus, because it is there.

use chrono::{DateTime, Utc};

use super::decision::Decision;
use super::{REASON, said};
use crate::process::PaidBefore;
use crate::request::payment::{
    CURRENCY, Outcome, PAYMENT_ATTEMPTS_MAX, PAYMENT_CENTS_MAX, PAYMENTS_MAX, Payment, PaymentCancelled,
    PaymentFailed, PaymentFailure, PaymentRefunded, PaymentRequested, PaymentSettled, PaymentStarted,
    PaymentStatus, payment_reference,
};
use crate::request::state::{Request, Stage};
use crate::request::{Actor, Personal, Rejection, refusal};

/// The longest name of a transaction, in characters.
const TRANSACTION_CHARACTERS_MAX: usize = 100;
/// What is missing where a label is.
const LABEL: (&str, &str) = ("l’objet du paiement", "what the payment is for");

/// The payment that the service's tasks wait for.
pub(in crate::request) fn holds_treatment(request: &Request) -> Option<&Payment> {
    request.unpaid().filter(|payment| payment.before == Some(PaidBefore::Treatment))
}

/// Nothing goes out while a payment is awaited.
pub(super) fn none_awaited(d: &Decision<'_>) -> Result<(), Rejection> {
    if d.request()?.unpaid().is_some() { Err(refusal::payment_awaited()) } else { Ok(()) }
}

fn known(request: &Request, number: u32) -> Result<&Payment, Rejection> {
    let found = request.payments.iter().find(|payment| payment.number == number);
    found.ok_or_else(refusal::payment_unknown)
}

pub(super) fn request(
    d: &mut Decision<'_>,
    amount: u64,
    label: &str,
    due: Option<DateTime<Utc>>,
) -> Result<(), Rejection> {
    let request = d.unfinished()?;
    d.handler()?;
    if matches!(request.stage, Stage::Validated { by: Some(_), .. }) {
        // The answer is on its way: nothing can be kept back any more.
        return Err(d.wrong_stage());
    }
    if request.payments.iter().any(|payment| payment.status == PaymentStatus::Awaited) {
        return Err(refusal::payment_live());
    }
    let label = said(label, LABEL)?.to_owned();
    let waiting = &d.plan.definition().waiting;
    let due = match due {
        Some(due) => due,
        None => d.term(d.at, waiting.lapse_after)?,
    };
    if due <= d.at {
        return Err(refusal::time_past());
    }
    let remind_at = waiting.remind_after.map(|budget| d.term(d.at, budget)).transpose()?;
    let number = next(d, amount)?;
    d.emit(PaymentRequested {
        payment: number,
        amount,
        label: Personal::requester(label),
        due,
        remind_at: remind_at.filter(|at| *at < due),
        rule: None,
        terms: None,
    })
}

/// The number of the next payment of a request, if there may be one more, of this amount.
pub(super) fn next(d: &Decision<'_>, amount: u64) -> Result<u32, Rejection> {
    if amount == 0 || amount > PAYMENT_CENTS_MAX {
        return Err(refusal::payment_amount());
    }
    let number = d.request()?.payments.len();
    if number >= PAYMENTS_MAX {
        return Err(refusal::payment_too_many());
    }
    Ok(u32::try_from(number).unwrap_or(u32::MAX).saturating_add(1))
}

/// The requester goes to the provider's page. Each visit has a name of its own; a payment that lapsed may still be
/// made as long as the request is open.
pub(super) fn start(d: &mut Decision<'_>, number: u32) -> Result<(), Rejection> {
    d.requester()?;
    let request = d.unfinished()?;
    let payment = known(request, number)?;
    match payment.status {
        PaymentStatus::Awaited | PaymentStatus::Lapsed => {}
        PaymentStatus::Settled => return Err(refusal::payment_settled_already()),
        PaymentStatus::Cancelled => return Err(refusal::payment_not_asked()),
    }
    let attempt = payment.attempts.len() + 1;
    if attempt > PAYMENT_ATTEMPTS_MAX {
        return Err(refusal::payment_too_many());
    }
    let reference = payment_reference(request.id, number, attempt);
    d.emit(PaymentStarted { payment: number, reference })
}

/// What is said to have been paid.
pub(super) struct Paid<'a> {
    pub(super) reference: Option<&'a str>,
    pub(super) transaction: &'a str,
    pub(super) amount: u64,
    pub(super) currency: &'a str,
}

/// The provider's word names the attempt; an agent who took the money at the counter names the receipt.
pub(super) fn settle(d: &mut Decision<'_>, number: u32, paid: &Paid<'_>) -> Result<(), Rejection> {
    let by_engine = *d.facts.actor == Actor::Engine;
    if !by_engine {
        d.unfinished()?;
        d.handler()?;
    }
    let request = d.request()?;
    let payment = known(request, number)?;
    let attempt =
        paid.reference.map(|reference| payment.attempt(reference).ok_or_else(refusal::payment_unknown));
    let attempt = attempt.transpose()?;
    if by_engine != attempt.is_some() {
        return Err(refusal::payment_unknown());
    }
    if paid.amount != payment.amount || paid.currency != CURRENCY {
        return Err(refusal::payment_amount_differs());
    }
    let over = matches!(payment.status, PaymentStatus::Settled | PaymentStatus::Cancelled);
    if attempt.is_some_and(|attempt| attempt.outcome == Some(Outcome::Accepted)) || (!by_engine && over) {
        return Err(refusal::payment_settled_already());
    }
    let transaction = said(paid.transaction, ("le numéro de la transaction", "the transaction’s number"))?;
    if transaction.chars().count() > TRANSACTION_CHARACTERS_MAX {
        return Err(refusal::text_too_long(&TRANSACTION_CHARACTERS_MAX.to_string()));
    }
    d.emit(PaymentSettled {
        payment: number,
        reference: paid.reference.map(str::to_owned),
        transaction: transaction.to_owned(),
        amount: paid.amount,
        surplus: over,
    })
}

pub(super) fn fail(
    d: &mut Decision<'_>,
    number: u32,
    reference: &str,
    reason: PaymentFailure,
) -> Result<(), Rejection> {
    d.engine()?;
    let attempt = known(d.request()?, number)?.attempt(reference).ok_or_else(refusal::payment_unknown)?;
    match attempt.outcome {
        Some(Outcome::Accepted) => return Err(refusal::payment_settled_already()),
        Some(Outcome::Failed) => return Err(refusal::payment_failed_already()),
        None => {}
    }
    d.emit(PaymentFailed { payment: number, reference: reference.to_owned(), reason })
}

pub(super) fn cancel(d: &mut Decision<'_>, number: u32, reason: &str) -> Result<(), Rejection> {
    let request = d.unfinished()?;
    d.handler()?;
    match known(request, number)?.status {
        PaymentStatus::Awaited | PaymentStatus::Lapsed => {}
        PaymentStatus::Settled => return Err(refusal::payment_settled_already()),
        PaymentStatus::Cancelled => return Err(refusal::payment_not_asked()),
    }
    let reason = Personal::requester(said(reason, REASON)?.to_owned());
    d.emit(PaymentCancelled { payment: number, reason })
}

/// Also when the request is closed: money that came too late is given back then. Which of the staff look after the money
/// is for the doors to say.
pub(super) fn refund(d: &mut Decision<'_>, number: u32, amount: u64, reason: &str) -> Result<(), Rejection> {
    let request = d.request()?;
    d.staff()?;
    let payment = known(request, number)?;
    if amount == 0 || amount > payment.received.saturating_sub(payment.refunded) {
        return Err(refusal::refund_too_much());
    }
    let reason = Personal::requester(said(reason, REASON)?.to_owned());
    d.emit(PaymentRefunded { payment: number, amount, reason })
}
