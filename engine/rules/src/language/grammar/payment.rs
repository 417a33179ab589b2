//! What a process asks its requester to pay.

use super::stages::WHEN;
use super::{Choice, Group, Key, Shape};

/// When money is asked for.
pub static PAYMENT_MOMENTS: [Choice; 3] = [
    Choice::new(
        "received",
        "Dès la réception ; la qualification peut changer le montant.",
        "On receipt; qualification may change the amount.",
    ),
    Choice::new("qualified", "Une fois la demande qualifiée.", "Once the request is qualified."),
    Choice::new(
        "validated",
        "Une fois la réponse prête, avant de la remettre.",
        "Once the answer is ready, before it goes out.",
    ),
];

/// What waits for the money.
pub static PAID_BEFORE: [Choice; 2] = [
    Choice::new("treatment", "Les tâches du service attendent.", "The service’s tasks wait."),
    Choice::new(
        "delivery",
        "Le service travaille, la réponse attend.",
        "The service works, the answer waits.",
    ),
];

/// What becomes of a request that is not paid.
pub static UNPAID: [Choice; 2] = [
    Choice::new(
        "service",
        "Le service décide : redemander, y renoncer, encaisser ou clore.",
        "The service decides: ask again, waive it, take the money or close.",
    ),
    Choice::new("cancelled", "La demande est close.", "The request is closed."),
];

/// An amount, or an expression that comes out as cents. The expression comes first: it names fields.
const PRICE: Shape = Shape::Either(&[Shape::Expression, Shape::Money]);

/// A rule that gives an amount.
pub static PRICE_RULE: Group = Group::new(
    "price rule",
    "Une règle : la première qui tient donne le montant.",
    "A rule: the first that holds gives the amount.",
    &[
        WHEN,
        Key::new(
            "is",
            "Le montant, ou une expression qui le donne en centimes.",
            "The amount, or an expression that gives it in cents.",
            PRICE,
            "24.00 EUR",
        )
        .required(),
    ],
);

/// The section `payment`.
pub static PAYMENT: Group = Group::new(
    "payment",
    "Ce que le demandeur doit payer, quand, et ce qui attend son paiement.",
    "What the requester has to pay, when, and what waits for it.",
    &[
        Key::new(
            "label",
            "Ce qui est payé, comme le lit le demandeur.",
            "What is paid for, as the requester reads it.",
            Shape::Words,
            "{ fr: \"Droit de voirie\", en: \"Street fee\" }",
        )
        .required(),
        Key::new(
            "amount",
            "Combien : un montant en euros, une expression en centimes, ou des règles. Rien n’est demandé si c’est zéro.",
            "How much: an amount in euros, an expression in cents, or rules. Nothing is asked for if it comes to nothing.",
            Shape::Either(&[Shape::Expression, Shape::Money, Shape::List(&Shape::Group(&PRICE_RULE))]),
            "[{ when: form.danger, is: 48.00 EUR }, { is: 24.00 EUR }]",
        )
        .required(),
        Key::new(
            "from",
            "Quand il est demandé.",
            "When it is asked for.",
            Shape::OneOf(&PAYMENT_MOMENTS),
            "received",
        )
        .default("`received`", "`received`"),
        Key::new(
            "when",
            "La condition, en CEL.",
            "The condition, in CEL.",
            Shape::Expression,
            "form.size == 'large'",
        )
        .default("toujours", "always"),
        Key::new("within", "En combien de temps.", "Within what time.", Shape::Duration, "15 days")
            .default("le délai de `waiting`", "the term of `waiting`"),
        Key::new(
            "remind_after",
            "Au bout de combien de temps on le rappelle.",
            "After how long a reminder is sent.",
            Shape::Duration,
            "5 days",
        )
        .default("celui de `waiting`", "that of `waiting`"),
        Key::new(
            "before",
            "Ce qui attend le paiement.",
            "What waits for the payment.",
            Shape::OneOf(&PAID_BEFORE),
            "treatment",
        )
        .default("`delivery`", "`delivery`"),
        Key::new(
            "optional",
            "Rien ne l’attend, et rien ne se passe s’il n’est pas fait.",
            "Nothing waits for it, and nothing comes of its not being made.",
            Shape::Boolean,
            "false",
        )
        .default("`false`", "`false`"),
        Key::new(
            "if_unpaid",
            "Ce que devient la demande s’il n’est pas fait à temps.",
            "What becomes of the request if it is not made in time.",
            Shape::OneOf(&UNPAID),
            "cancelled",
        )
        .default("`service`", "`service`"),
    ],
);
