//! What the requester pays, where the way of the request waits for it.

use guichet_engine::rules::process::{PaidBefore, PaymentSheet, Price, Rule, Unpaid};

use super::chart::{Column, Hands, Shape, Subject, Way};
use super::flow::Builder;
use crate::outbound::dates::euros;

/// Draws the payment after `from` where it is what is waited for `before` the next stage; gives the node after it.
pub(super) fn draw(builder: &mut Builder<'_>, from: usize, before: PaidBefore, column: Column) -> usize {
    let definition = builder.definition;
    let sheet = definition.payment.as_ref().filter(|sheet| !sheet.optional && sheet.before == before);
    let Some(sheet) = sheet else { return from };
    let lane = builder.lane(Hands::Requester);
    let Some(rule) = sheet.when.as_deref() else {
        let node = payment(builder, sheet, lane, column);
        builder.link(from, node);
        return node;
    };
    let choice = builder.choice("if_payment", rule, lane, column);
    builder.link(from, choice);
    let node = payment(builder, sheet, lane, column);
    let (yes, no) = (builder.say("oui", "yes"), builder.say("non", "no"));
    builder.arrow(choice, node, Way::Forward, yes, Some(rule));
    let merge = builder.way("end_if_payment", Shape::Merge, lane, column);
    builder.link(node, merge);
    builder.arrow(choice, merge, Way::Past, no, None);
    merge
}

fn payment(builder: &mut Builder<'_>, sheet: &PaymentSheet, lane: usize, column: Column) -> usize {
    let language = builder.language;
    let title = format!("{} {}", builder.say("Payer :", "Pay:"), sheet.label.get(language));
    let node = builder.node("payment", Shape::Work, (lane, column), title, Subject::Payment);
    let price = |rule: &Rule<Price>| match &rule.is {
        Price::Cents(cents) => euros(*cents, language),
        Price::Expression(_) => builder.say("montant calculé", "amount worked out").to_owned(),
    };
    let amounts: Vec<String> = sheet.amount.iter().map(price).collect();
    let within = sheet.within.unwrap_or(builder.definition.waiting.lapse_after);
    let term = format!("{} {}", builder.say("sous", "within"), within.in_words(language));
    let unpaid = match sheet.if_unpaid {
        Unpaid::Service => builder.say("sinon le service décide", "else the service decides"),
        Unpaid::Cancelled => builder.say("sinon la demande est close", "else the request is closed"),
    };
    let amounts = amounts.join(builder.say(" ou ", " or "));
    let details = vec![format!("{amounts}, {term}"), unpaid.to_owned()];
    let about = details.join(", ");
    builder.tell(node, details, about);
    node
}
