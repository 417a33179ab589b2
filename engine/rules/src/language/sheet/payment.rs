//! What a process asks its requester to pay.

use super::desk::{At, Desk};
use crate::language::diagnostic::Fault;
use crate::language::grammar;
use crate::process::{PaymentSheet, Price, Rule};
use crate::request::PAYMENT_CENTS_MAX;

impl Desk {
    /// The section `payment`.
    pub(super) fn payment(&mut self, at: &At<'_>) -> Option<PaymentSheet> {
        let entries = self.entries(at, &grammar::PAYMENT);
        let label = self.require(&entries, "label").and_then(|a| self.words(&a));
        let amount = self.require(&entries, "amount").map(|a| self.prices(&a));
        let from = self.get(&entries, "from").and_then(|a| self.one_of(&a, &grammar::PAYMENT_MOMENTS));
        let when = self.get(&entries, "when").and_then(|a| self.rule(&a));
        let within = self.get(&entries, "within").and_then(|a| self.budget(&a));
        let remind_after = self.get(&entries, "remind_after").and_then(|a| self.budget(&a));
        let before = self.get(&entries, "before").and_then(|a| self.one_of(&a, &grammar::PAID_BEFORE));
        let optional = self.get(&entries, "optional").and_then(|a| self.boolean(&a)).unwrap_or_default();
        let if_unpaid = self.get(&entries, "if_unpaid").and_then(|a| self.one_of(&a, &grammar::UNPAID));
        Some(PaymentSheet {
            label: label?,
            amount: amount.filter(|rules| !rules.is_empty())?,
            from: from.unwrap_or_default(),
            when,
            within,
            remind_after,
            before: before.unwrap_or_default(),
            optional,
            if_unpaid: if_unpaid.unwrap_or_default(),
        })
    }

    /// One price, or rules that give one.
    fn prices(&mut self, at: &At<'_>) -> Vec<Rule<Price>> {
        if at.node.list().is_some() {
            return self.rules(at, &grammar::PRICE_RULE, "is", Desk::price);
        }
        let at = at.clone().becoming(format!("{}/0/is", at.pointer));
        self.places.put(&at.pointer, at.mark());
        let is = self.price(&at);
        is.map(|is| Rule { when: None, is }).into_iter().collect()
    }

    /// `24.00 EUR`, or an expression: whatever names a field is one.
    fn price(&mut self, at: &At<'_>) -> Option<Price> {
        let text = at.node.text().unwrap_or_default();
        if ["form.", "tasks.", "request.", "requester."].iter().any(|name| text.contains(name)) {
            return self.rule(at).map(Price::Expression);
        }
        let before = self.faults.len();
        let cents = self.cents(at);
        if let Some(cents @ 1..=PAYMENT_CENTS_MAX) = cents {
            return Some(Price::Cents(cents));
        }
        self.faults.truncate(before);
        let (fr, en) =
            ("ce n’est pas un montant qu’on puisse demander", "this is no amount that can be asked for");
        self.fault(Fault::error("payment.amount", at.mark(), fr, en).help(
            "de `0.01 EUR` à `100000.00 EUR`, ou une expression qui nomme un champ, en centimes : `form.days * 250`",
            "from `0.01 EUR` to `100000.00 EUR`, or an expression that names a field, in cents: `form.days * 250`",
        ));
        None
    }
}
