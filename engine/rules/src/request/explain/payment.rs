//! Why so much is to be paid, until when, and what waits for it.

use super::{About, Line, Moment};
use crate::process::{PaidBefore, Unpaid};
use crate::request::payment::{PaymentRequested, PaymentTerms};
use crate::request::{What, bindings};
use crate::text::{Language, Text};

pub(super) fn lines(moment: &Moment<'_>, lines: &mut Vec<Line>) {
    let What::PaymentRequested(event) = &moment.event.what else { return };
    if let (Some(rule), Some(terms)) = (&event.rule, &event.terms) {
        lines.push(asked(moment, event, rule, terms));
    }
}

fn asked(moment: &Moment<'_>, event: &PaymentRequested, rule: &String, terms: &PaymentTerms) -> Line {
    let (euros, cents) = (event.amount / 100, event.amount % 100);
    let text = Text::new(
        format!("Paiement de {euros},{cents:02}\u{a0}€ demandé."),
        format!("A payment of €{euros}.{cents:02} is asked for."),
    );
    let mut line = moment.line(About::Payment(event.payment), text);
    let before = moment.before.unwrap_or(moment.after);
    if let Some(sheet) = moment.plan.definition().payment.as_ref() {
        let facts = bindings(before, moment.plan);
        if sheet.when.is_some() {
            line.rules.push(moment.condition("/payment/when", sheet.when.as_ref(), &facts));
        }
        line.rules.extend(moment.tried(&sheet.amount, Some(rule), &facts));
    }
    if !terms.operands.is_empty() {
        let each: Vec<String> =
            terms.operands.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        let read = each.join(", ");
        line.reasoning.push(Text::new(format!("Calculé sur {read}."), format!("Worked out from {read}.")));
    }
    line.reasoning.push(Text::new(
        format!("À payer dans un délai de {}.", terms.within.in_words(Language::Fr)),
        format!("To be paid within {}.", terms.within.in_words(Language::En)),
    ));
    line.reasoning.push(waits(terms));
    line
}

fn waits(terms: &PaymentTerms) -> Text {
    let (fr, en) = match (terms.optional, terms.before, terms.if_unpaid) {
        (true, ..) => {
            ("Facultatif : rien n’attend ce paiement.", "Optional: nothing waits for this payment.")
        }
        (false, PaidBefore::Treatment, Unpaid::Service) => {
            ("Le traitement attend ce paiement.", "The treatment waits for this payment.")
        }
        (false, PaidBefore::Delivery, Unpaid::Service) => {
            ("La réponse attend ce paiement.", "The answer waits for this payment.")
        }
        (false, PaidBefore::Treatment, Unpaid::Cancelled) => (
            "Le traitement attend ce paiement ; sans lui la demande est close.",
            "The treatment waits for this payment; without it the request is closed.",
        ),
        (false, PaidBefore::Delivery, Unpaid::Cancelled) => (
            "La réponse attend ce paiement ; sans lui la demande est close.",
            "The answer waits for this payment; without it the request is closed.",
        ),
    };
    Text::new(fr, en)
}
