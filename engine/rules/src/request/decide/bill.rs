//! What the sheet itself asks to be paid: worked out in the same append as the step that makes it due.

use std::collections::BTreeMap;

use serde_json::Value;

use super::decision::{Decision, failed};
use super::payment;
use crate::process::{PaymentMoment, PaymentSheet, Price, Unpaid};
use crate::request::command::Command;
use crate::request::happened::Cancelled;
use crate::request::payment::{
    PAYMENT_CENTS_MAX, PAYMENTS_MAX, Payment, PaymentCancelled, PaymentRequested, PaymentStatus, PaymentTerms,
};
use crate::request::{Personal, Rejection, What, refusal};
use crate::text::Text;

/// A step at which a sheet may ask for money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Received,
    Qualified,
    Validated,
    Reopened,
}

/// The step that an event is, if a sheet may ask for money then.
pub(super) fn step_of(what: &What) -> Option<Step> {
    if let What::Received(_) = what {
        Some(Step::Received)
    } else if let What::Qualified(_) = what {
        Some(Step::Qualified)
    } else if let What::Validated(_) = what {
        Some(Step::Validated)
    } else if let What::Reopened(_) = what {
        Some(Step::Reopened)
    } else {
        None
    }
}

/// Whether a sheet that asks `from` a moment on looks at a step. Qualification may complete the form, so it is looked
/// at again then; what was not paid before a reopening is asked for again.
fn looks(from: PaymentMoment, step: Step) -> bool {
    match step {
        Step::Received => from == PaymentMoment::Received,
        Step::Qualified => from != PaymentMoment::Validated,
        Step::Validated => from == PaymentMoment::Validated,
        Step::Reopened => from != PaymentMoment::Validated,
    }
}

/// What is to be paid.
struct Bill {
    amount: u64,
    rule: String,
    operands: BTreeMap<String, Value>,
}

/// What the sheet asks for as the request is now; nothing where it is free.
fn bill(d: &Decision<'_>, sheet: &PaymentSheet) -> Result<Option<Bill>, Rejection> {
    let (plan, facts) = (d.plan, d.bindings()?);
    if let Some(when) = &sheet.when
        && !plan.holds(when, &facts).map_err(|error| failed(&error))?
    {
        return Ok(None);
    }
    let (index, price) = plan.first(&sheet.amount, &facts).map_err(|error| failed(&error))?;
    let cents = plan.cents(price, &facts).map_err(|error| failed(&error))?;
    let Some(amount) = u64::try_from(cents).ok().filter(|cents| *cents > 0) else { return Ok(None) };
    if amount > PAYMENT_CENTS_MAX {
        return Err(refusal::payment_amount());
    }
    let mut operands = BTreeMap::new();
    let conditions = sheet.amount.iter().take(index + 1).filter_map(|rule| rule.when.as_ref());
    let expression = match price {
        Price::Expression(text) => Some(text),
        Price::Cents(_) => None,
    };
    for text in sheet.when.iter().chain(conditions).chain(expression) {
        operands.extend(plan.expression(text).map(|read| read.operands(&facts)).unwrap_or_default());
    }
    Ok(Some(Bill { amount, rule: format!("/payment/amount/{index}"), operands }))
}

/// The last payment that the sheet asked for.
fn last_of_sheet<'d>(d: &'d Decision<'_>) -> Result<Option<&'d Payment>, Rejection> {
    Ok(d.request()?.payments.iter().rfind(|payment| payment.rule.is_some()))
}

/// Asks for what the sheet says at this step. What is awaited and unchanged stays; what the form no longer gives is no
/// longer asked for; what was paid, or waived by somebody, is not asked for again.
pub(super) fn reached(d: &mut Decision<'_>, step: Step) -> Result<(), Rejection> {
    let plan = d.plan;
    let Some(sheet) = plan.definition().payment.as_ref().filter(|sheet| looks(sheet.from, step)) else {
        return Ok(());
    };
    // What another system recorded is history: it was paid there, or not.
    if d.request()?.external.is_some() {
        return Ok(());
    }
    let process = &d.request()?.process;
    let known = last_of_sheet(d)?.filter(|known| known.process == *process);
    let known = known.map(|known| (known.number, known.status, known.amount, under_way(known), known.cycle));
    if step == Step::Reopened && !matches!(known, Some((_, PaymentStatus::Lapsed, ..))) {
        return Ok(());
    }
    let bill = bill(d, sheet)?;
    match known {
        Some((number, PaymentStatus::Awaited, amount, under_way, _)) => {
            if under_way || bill.as_ref().is_some_and(|bill| bill.amount == amount) {
                return Ok(());
            }
            drop_one(d, number, &Text::new("Le montant a changé.", "The amount has changed."))?;
        }
        Some((_, PaymentStatus::Settled | PaymentStatus::Cancelled, ..)) => return Ok(()),
        Some((_, PaymentStatus::Lapsed, _, _, cycle)) if cycle == d.request()?.cycle => return Ok(()),
        Some((_, PaymentStatus::Lapsed, ..)) | None => {}
    }
    match bill {
        Some(bill) if d.request()?.payments.len() < PAYMENTS_MAX => ask(d, sheet, bill),
        Some(_) | None => Ok(()),
    }
}

/// Whether somebody went to the provider's page and nothing was heard of it yet.
fn under_way(payment: &Payment) -> bool {
    payment.attempts.iter().any(|attempt| attempt.outcome.is_none())
}

fn ask(d: &mut Decision<'_>, sheet: &PaymentSheet, bill: Bill) -> Result<(), Rejection> {
    let waiting = &d.plan.definition().waiting;
    let within = sheet.within.unwrap_or(waiting.lapse_after);
    let mut from = d.at;
    let mut due = d.term(from, within)?;
    if due <= d.facts.now {
        // Nobody is given a term that was over when they heard of it.
        from = d.facts.now;
        due = d.term(from, within)?;
    }
    let remind_after = sheet.remind_after.or(waiting.remind_after);
    let remind_at = remind_after.map(|budget| d.term(from, budget)).transpose()?;
    let number = payment::next(d, bill.amount)?;
    let label = sheet.label.get(d.request()?.requester.language).to_owned();
    let terms = PaymentTerms {
        within,
        before: sheet.before,
        optional: sheet.optional,
        if_unpaid: sheet.if_unpaid,
        operands: bill.operands,
    };
    d.emit(PaymentRequested {
        payment: number,
        amount: bill.amount,
        label: Personal::requester(label),
        due,
        remind_at: remind_at.filter(|at| *at < due),
        rule: Some(bill.rule),
        terms: Some(terms),
    })
}

fn drop_one(d: &mut Decision<'_>, number: u32, reason: &Text) -> Result<(), Rejection> {
    let reason = reason.get(d.request()?.requester.language).to_owned();
    d.emit(PaymentCancelled { payment: number, reason: Personal::requester(reason) })
}

/// Another process: what the old sheet asked for and nobody paid is no longer asked for.
pub(super) fn reclassified(d: &mut Decision<'_>) -> Result<(), Rejection> {
    let open = last_of_sheet(d)?.filter(|known| known.is_open()).map(|known| known.number);
    let reason = Text::new("La démarche n’était pas la bonne.", "It was another procedure that was needed.");
    open.map_or(Ok(()), |number| drop_one(d, number, &reason))
}

/// The term has passed: a request whose sheet says so is closed.
pub(super) fn unpaid(d: &mut Decision<'_>, number: u32) -> Result<(), Rejection> {
    let request = d.request()?;
    let payment = request.payments.iter().find(|payment| payment.number == number);
    let closes = payment.is_some_and(|payment| payment.if_unpaid == Unpaid::Cancelled);
    if !closes {
        return Ok(());
    }
    let reason = Text::new(
        "Le paiement demandé n’a pas été reçu dans le délai.",
        "The payment that was asked for did not come in time.",
    );
    let reason = reason.get(request.requester.language).to_owned();
    d.emit(Cancelled { reason: Personal::requester(reason) })
}

/// Refuses what would make a sheet ask for more than a payment may be, while the form or the report that says so can
/// still be put right.
pub(super) fn within_bounds(d: &Decision<'_>, command: &Command) -> Result<(), Rejection> {
    let brings_facts = matches!(
        command,
        Command::Receive { .. } | Command::Qualify { .. } | Command::Reply { .. } | Command::Complete { .. }
    );
    match d.plan.definition().payment.as_ref().filter(|_| brings_facts) {
        Some(sheet) => bill(d, sheet).map(|_| ()),
        None => Ok(()),
    }
}
