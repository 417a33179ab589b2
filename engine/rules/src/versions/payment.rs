//! What requesters pay.

use super::differ::{Differ, Spot};
use super::words::{cents, rule, same, text, word, yes_no};
use super::{Area, Audience};
use crate::process::{PaymentSheet, Price};
use crate::text::Text;

const ALL: &[Audience] = &[Audience::Citizens, Audience::Service, Audience::Auditors];

pub(super) fn payment(d: &mut Differ<'_>) {
    let whole = Spot::new(Area::Payment, ALL, "Paiement", "Payment").at("/payment");
    let (Some(old), Some(new)) = (&d.old.payment, &d.new.payment) else {
        return d.option(&whole, d.old.payment.as_ref(), d.new.payment.as_ref(), shown);
    };
    d.value(&whole.part("objet", "what for", "label"), &old.label, &new.label, text);
    let amount = whole.part("montant", "amount", "amount");
    d.list(&amount, &old.amount, &new.amount, |one| rule(one, price));
    d.value(&whole.part("demandé à partir de", "asked for from", "from"), &old.from, &new.from, word);
    let when = whole.part("condition", "condition", "when");
    d.option(&when, old.when.as_ref(), new.when.as_ref(), |when| same(when));
    d.term(&whole.part("délai", "term", "within"), old.within.as_ref(), new.within.as_ref());
    let remind = whole.part("rappel après", "reminder after", "remind_after");
    d.term(&remind, old.remind_after.as_ref(), new.remind_after.as_ref());
    d.value(&whole.part("ce qui l’attend", "what waits for it", "before"), &old.before, &new.before, word);
    d.value(&whole.part("facultatif", "optional", "optional"), &old.optional, &new.optional, yes_no);
    let unpaid = whole.part("faute de paiement", "if it is not paid", "if_unpaid");
    d.value(&unpaid, &old.if_unpaid, &new.if_unpaid, word);
}

/// The whole of it, where it is new or gone.
fn shown(sheet: &PaymentSheet) -> Text {
    let amounts: Vec<Text> = sheet.amount.iter().map(|one| rule(one, price)).collect();
    let of = |take: fn(&Text) -> &str| amounts.iter().map(take).collect::<Vec<_>>().join(", ");
    let (fr, en) = (of(|text| &text.fr), of(|text| &text.en));
    let label = if sheet.label.en.is_empty() { &sheet.label.fr } else { &sheet.label.en };
    Text::new(format!("{} : {fr}", sheet.label.fr), format!("{label}: {en}"))
}

fn price(price: &Price) -> Text {
    match price {
        Price::Cents(amount) => cents(amount),
        Price::Expression(text) => same(text),
    }
}
