//! Payments.

use super::{Page, page_of};

const TROU: &str = "voirie/trou.yaml";
const SEE_ALSO: &str = "see_also: [voirie/trottoir]";

pub(super) const PAGES: &[Page] = &[
    page_of("payment.amount", "Un montant qu’on ne peut pas demander", "An amount that cannot be asked for")
        .cause(
            "Un paiement est en euros, avec deux décimales au plus, de un centime à cent mille euros. Une expression, \
             elle, nomme au moins un champ.",
            "A payment is in euros, with two decimals at most, from one cent to a hundred thousand euros. An expression \
             names at least one field.",
        )
        .remedy(
            "Écrivez `24.00 EUR`, ou une expression en centimes. Une démarche gratuite n’a pas de section `payment`.",
            "Write `24.00 EUR`, or an expression in cents. A process that is free has no section `payment`.",
        )
        .example(
            TROU,
            SEE_ALSO,
            "see_also: [voirie/trottoir]\npayment: { label: { fr: \"Droit\", en: \"Fee\" }, amount: 0 EUR }",
        )
        .rather(
            "see_also: [voirie/trottoir]\npayment: { label: { fr: \"Droit\", en: \"Fee\" }, amount: 24.00 EUR }",
        ),
    page_of(
        "payment.expression",
        "Une expression qui ne donne pas des centimes",
        "An expression that does not come out as cents",
    )
    .cause(
        "L’expression d’un montant doit donner un nombre entier de centimes : ni un texte, ni oui ou non, ni un nombre \
         à virgule.",
        "The expression of an amount must come out as a whole number of cents: no text, no yes or no, no decimal \
         number.",
    )
    .remedy(
        "Calculez sur des nombres entiers ou des montants, en centimes : `form.days * 250` vaut 2,50 € par jour.",
        "Reckon with whole numbers or amounts, in cents: `form.days * 250` is €2.50 a day.",
    )
    .example(
        TROU,
        SEE_ALSO,
        "see_also: [voirie/trottoir]\npayment: { label: { fr: \"Droit\", en: \"Fee\" }, amount: form.width > 100 }",
    )
    .rather(
        "see_also: [voirie/trottoir]\npayment: { label: { fr: \"Droit\", en: \"Fee\" }, amount: form.width * 250 }",
    ),
    page_of(
        "payment.order",
        "Un paiement demandé après ce qui l’attend",
        "A payment that is asked for after what waits for it",
    )
    .cause(
        "`from: validated` demande le paiement quand la réponse est prête ; le traitement est alors fini et ne peut \
         plus l’attendre.",
        "`from: validated` asks for the payment when the answer is ready; the treatment is over then and cannot wait \
         for it.",
    )
    .remedy(
        "Demandez-le plus tôt, ou faites attendre la réponse : `before: delivery`.",
        "Ask for it earlier, or let the answer wait: `before: delivery`.",
    )
    .example(
        TROU,
        SEE_ALSO,
        "see_also: [voirie/trottoir]\npayment: { label: { fr: \"Droit\", en: \"Fee\" }, amount: 24.00 EUR, from: validated, before: treatment }",
    )
    .rather(
        "see_also: [voirie/trottoir]\npayment: { label: { fr: \"Droit\", en: \"Fee\" }, amount: 24.00 EUR, from: validated, before: delivery }",
    ),
    page_of(
        "payment.optional",
        "Un paiement facultatif que quelque chose attend",
        "An optional payment that something waits for",
    )
    .cause(
        "Ce qui attend un paiement, ou finit faute de paiement, le rend obligatoire.",
        "What waits for a payment, or ends for want of it, makes it compulsory.",
    )
    .remedy("Retirez `optional`, ou l’autre clé.", "Leave out `optional`, or the other key.")
    .example(
        TROU,
        SEE_ALSO,
        "see_also: [voirie/trottoir]\npayment: { label: { fr: \"Droit\", en: \"Fee\" }, amount: 24.00 EUR, optional: true, if_unpaid: cancelled }",
    )
    .rather(
        "see_also: [voirie/trottoir]\npayment: { label: { fr: \"Droit\", en: \"Fee\" }, amount: 24.00 EUR, optional: true }",
    ),
    page_of("payment.reminder", "Un rappel qui vient trop tard", "A reminder that comes too late")
        .cause(
            "Quand le rappel partirait, le délai de paiement est déjà passé : il ne partira jamais.",
            "When the reminder would go out the term of payment is over already: it never will.",
        )
        .remedy("Rappelez plus tôt, ou laissez plus de temps.", "Remind earlier, or give more time.")
        .example(
            TROU,
            SEE_ALSO,
            "see_also: [voirie/trottoir]\npayment: { label: { fr: \"Droit\", en: \"Fee\" }, amount: 24.00 EUR, within: 10 days, remind_after: 15 days }",
        )
        .rather(
            "see_also: [voirie/trottoir]\npayment: { label: { fr: \"Droit\", en: \"Fee\" }, amount: 24.00 EUR, within: 10 days, remind_after: 5 days }",
        ),
];
