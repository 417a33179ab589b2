//! The verbs of scenarios that are about money and dates.

use super::{Choice, Group, Key, Shape};

/// Where a payment stands.
pub static PAYMENT_STATES: [Choice; 5] = [
    Choice::new("none", "Rien n’est demandé.", "Nothing is asked for."),
    Choice::new("awaited", "Il est attendu.", "It is awaited."),
    Choice::new("settled", "Il est fait.", "It is made."),
    Choice::new("lapsed", "Il n’a pas été fait à temps.", "It was not made in time."),
    Choice::new("cancelled", "Il n’est plus demandé.", "It is no longer asked for."),
];

/// Where an appointment stands.
pub static APPOINTMENT_STATES: [Choice; 7] = [
    Choice::new("none", "Il n’y en a pas.", "There is none."),
    Choice::new("offered", "Le demandeur a le choix.", "The requester has the choice."),
    Choice::new("fixed", "La date est fixée.", "The date is fixed."),
    Choice::new("kept", "Le demandeur est venu.", "The requester came."),
    Choice::new("missed", "Il n’est pas venu.", "They did not come."),
    Choice::new("cancelled", "Il n’a pas lieu.", "It does not take place."),
    Choice::new("lapsed", "Personne n’a choisi.", "Nobody chose."),
];

/// Why a payment came to nothing.
pub static PAYMENT_FAILURES: [Choice; 3] = [
    Choice::new("refused", "La banque a refusé.", "The bank refused."),
    Choice::new("abandoned", "Le demandeur a renoncé.", "The requester gave up."),
    Choice::new("expired", "La page n’était plus valable.", "The page was no longer valid."),
];

/// Who calls an appointment off.
pub static APPOINTMENT_PARTIES: [Choice; 2] = [
    Choice::new("requester", "Le demandeur.", "The requester."),
    Choice::new("service", "La mairie.", "The town hall."),
];

const PAYMENT: Key =
    Key::new("payment", "Le numéro du paiement.", "The payment’s number.", Shape::Integer(1, 20), "1")
        .default("le dernier demandé", "the last one asked for");
const ATTEMPT: Key = Key::new(
    "attempt",
    "Quel passage sur la page de paiement.",
    "Which visit to the page of payment.",
    Shape::Integer(1, 50),
    "1",
)
.default("celui qui est en cours, sinon un nouveau", "the one under way, or else a new one");
const REASON: Key = Key::new("reason", "Pourquoi.", "Why.", Shape::Text, "\"demande close\"").required();
const FROM: Key =
    Key::new("from", "Le début.", "The beginning.", Shape::Instant, "\"2026-05-12T09:00\"").required();
const UNTIL: Key =
    Key::new("until", "La fin.", "The end.", Shape::Instant, "\"2026-05-12T09:30\"").required();

/// What is expected of the last payment.
pub static EXPECTED_PAYMENT: Group = Group::new(
    "expected payment",
    "Ce qu’on attend du dernier paiement demandé.",
    "What is expected of the last payment asked for.",
    &[
        Key::new("status", "Où il en est.", "Where it stands.", Shape::OneOf(&PAYMENT_STATES), "awaited"),
        Key::new("amount", "Combien.", "How much.", Shape::Money, "24.00 EUR"),
        Key::new("due", "Jusqu’à quand.", "Until when.", Shape::LocalTime, "\"2026-05-26T17:00\""),
        Key::new("refunded", "Combien a été rendu.", "How much was given back.", Shape::Money, "12.00 EUR"),
    ],
);

/// `request_payment`.
pub static REQUEST_PAYMENT: Group = Group::new(
    "request_payment",
    "Un agent demande un paiement.",
    "A member of staff asks for a payment.",
    &[
        Key::new("amount", "Combien.", "How much.", Shape::Money, "42.50 EUR").required(),
        Key::new("label", "Pour quoi.", "What for.", Shape::Text, "\"Copie d’acte\"").required(),
        Key::new("due", "Jusqu’à quand.", "Until when.", Shape::Instant, "\"2026-06-26T17:00\"")
            .default("selon la fiche", "by the sheet"),
    ],
);

/// `start_payment`.
pub static START_PAYMENT: Group = Group::new(
    "start_payment",
    "Le demandeur va sur la page de paiement.",
    "The requester goes to the page of payment.",
    &[PAYMENT],
);

/// `pay`.
pub static PAY: Group = Group::new(
    "pay",
    "Le demandeur paie en ligne.",
    "The requester pays on line.",
    &[
        PAYMENT,
        ATTEMPT,
        Key::new("transaction", "Le numéro de l’opération.", "The transaction’s number.", Shape::Text, "T-1")
            .default("`T-1`", "`T-1`"),
    ],
);

/// `payment_fails`.
pub static PAYMENT_FAILS: Group = Group::new(
    "payment_fails",
    "Le paiement en ligne n’aboutit pas.",
    "The payment on line comes to nothing.",
    &[
        PAYMENT,
        ATTEMPT,
        Key::new("reason", "Pourquoi.", "Why.", Shape::OneOf(&PAYMENT_FAILURES), "abandoned")
            .default("`refused`", "`refused`"),
    ],
);

/// `pay_at_counter`.
pub static PAY_AT_COUNTER: Group = Group::new(
    "pay_at_counter",
    "Un agent encaisse au guichet.",
    "A member of staff takes the money at the counter.",
    &[
        PAYMENT,
        Key::new("receipt", "Le numéro de la quittance.", "The receipt’s number.", Shape::Text, "Q-1")
            .default("`Q-1`", "`Q-1`"),
    ],
);

/// `cancel_payment`.
pub static CANCEL_PAYMENT: Group = Group::new(
    "cancel_payment",
    "Le paiement n’est plus demandé.",
    "The payment is no longer asked for.",
    &[PAYMENT, REASON],
);

/// `refund_payment`.
pub static REFUND_PAYMENT: Group = Group::new(
    "refund_payment",
    "De l’argent est rendu.",
    "Money is given back.",
    &[
        PAYMENT,
        Key::new("amount", "Combien.", "How much.", Shape::Money, "12.00 EUR")
            .default("tout ce qui a été reçu", "all that was taken"),
        REASON,
    ],
);

/// From when to when.
pub static SLOT: Group = Group::new("slot", "De quand à quand.", "From when to when.", &[FROM, UNTIL]);

/// `offer_appointment`.
pub static OFFER_APPOINTMENT: Group = Group::new(
    "offer_appointment",
    "Des créneaux sont proposés.",
    "Dates are offered.",
    &[
        Key::new(
            "slots",
            "Les créneaux.",
            "The slots.",
            Shape::List(&Shape::Group(&SLOT)),
            "[{ from: \"2026-05-12T09:00\", until: \"2026-05-12T09:30\" }]",
        )
        .required(),
        Key::new("place", "Où.", "Where.", Shape::Text, "\"Hôtel de Ville\"").required(),
        Key::new("what", "Pour quoi.", "What for.", Shape::Text, "\"Remise du titre\"").required(),
    ],
);

/// `choose_appointment`.
pub static CHOOSE_APPOINTMENT: Group = Group::new(
    "choose_appointment",
    "Le demandeur choisit un créneau.",
    "The requester chooses a slot.",
    &[Key::new("slot", "Son début.", "Its beginning.", Shape::Instant, "\"2026-05-12T09:00\"").required()],
);

/// `set_intervention`.
pub static SET_INTERVENTION: Group = Group::new(
    "set_intervention",
    "Le service dit quand son équipe vient.",
    "The service says when its team comes.",
    &[FROM, UNTIL],
);

/// `cancel_appointment`.
pub static CANCEL_APPOINTMENT: Group = Group::new(
    "cancel_appointment",
    "Le rendez-vous n’a pas lieu.",
    "The appointment does not take place.",
    &[
        Key::new("by", "Qui l’annule.", "Who calls it off.", Shape::OneOf(&APPOINTMENT_PARTIES), "service")
            .default("celui qui agit", "whoever acts"),
        REASON,
    ],
);

/// `record_attendance`.
pub static RECORD_ATTENDANCE: Group = Group::new(
    "record_attendance",
    "On note si le demandeur est venu.",
    "It is noted whether the requester came.",
    &[Key::new("came", "S’il est venu.", "Whether they came.", Shape::Boolean, "false")
        .default("`true`", "`true`")],
);

pub(super) const REQUEST_PAYMENT_STEP: Key = Key::new(
    "request_payment",
    "Un agent demande un paiement.",
    "A member of staff asks for a payment.",
    Shape::Group(&REQUEST_PAYMENT),
    "{ amount: 42.50 EUR, label: \"Copie d’acte\" }",
);

const START_PAYMENT_SHAPE: Shape = Shape::Either(&[Shape::Group(&START_PAYMENT), Shape::Done]);

pub(super) const START_PAYMENT_STEP: Key = Key::new(
    "start_payment",
    "Le demandeur va sur la page de paiement.",
    "The requester goes to the page of payment.",
    START_PAYMENT_SHAPE,
    "true",
);

const PAY_SHAPE: Shape = Shape::Either(&[Shape::Group(&PAY), Shape::Done, Shape::Text]);

pub(super) const PAY_STEP: Key =
    Key::new("pay", "Le demandeur paie en ligne.", "The requester pays on line.", PAY_SHAPE, "true");

const PAYMENT_FAILS_SHAPE: Shape =
    Shape::Either(&[Shape::Group(&PAYMENT_FAILS), Shape::Done, Shape::OneOf(&PAYMENT_FAILURES)]);

pub(super) const PAYMENT_FAILS_STEP: Key = Key::new(
    "payment_fails",
    "Le paiement en ligne n’aboutit pas.",
    "The payment on line comes to nothing.",
    PAYMENT_FAILS_SHAPE,
    "abandoned",
);

const PAY_AT_COUNTER_SHAPE: Shape = Shape::Either(&[Shape::Group(&PAY_AT_COUNTER), Shape::Done, Shape::Text]);

pub(super) const PAY_AT_COUNTER_STEP: Key = Key::new(
    "pay_at_counter",
    "Un agent encaisse au guichet.",
    "A member of staff takes the money at the counter.",
    PAY_AT_COUNTER_SHAPE,
    "\"Q-88213\"",
);

const CANCEL_PAYMENT_SHAPE: Shape = Shape::Either(&[Shape::Group(&CANCEL_PAYMENT), Shape::Text]);

pub(super) const CANCEL_PAYMENT_STEP: Key = Key::new(
    "cancel_payment",
    "Le paiement n’est plus demandé.",
    "The payment is no longer asked for.",
    CANCEL_PAYMENT_SHAPE,
    "\"exonéré\"",
);

const REFUND_PAYMENT_SHAPE: Shape = Shape::Either(&[Shape::Group(&REFUND_PAYMENT), Shape::Text]);

pub(super) const REFUND_PAYMENT_STEP: Key = Key::new(
    "refund_payment",
    "De l’argent est rendu.",
    "Money is given back.",
    REFUND_PAYMENT_SHAPE,
    "{ amount: 12.00 EUR, reason: \"payé en trop\" }",
);

pub(super) const OFFER_APPOINTMENT_STEP: Key = Key::new(
    "offer_appointment",
    "Des créneaux sont proposés au demandeur.",
    "Dates are offered to the requester.",
    Shape::Group(&OFFER_APPOINTMENT),
    "{ slots: [{ from: \"2026-05-12T09:00\", until: \"2026-05-12T09:30\" }], place: \"Hôtel de Ville\", what: \"Remise du titre\" }",
);

const CHOOSE_APPOINTMENT_SHAPE: Shape = Shape::Either(&[Shape::Group(&CHOOSE_APPOINTMENT), Shape::Instant]);

pub(super) const CHOOSE_APPOINTMENT_STEP: Key = Key::new(
    "choose_appointment",
    "Le demandeur choisit un créneau.",
    "The requester chooses a slot.",
    CHOOSE_APPOINTMENT_SHAPE,
    "\"2026-05-12T09:00\"",
);

pub(super) const SET_INTERVENTION_STEP: Key = Key::new(
    "set_intervention",
    "Le service dit quand son équipe vient.",
    "The service says when its team comes.",
    Shape::Group(&SET_INTERVENTION),
    "{ from: \"2026-05-12T09:00\", until: \"2026-05-12T12:00\" }",
);

const CANCEL_APPOINTMENT_SHAPE: Shape = Shape::Either(&[Shape::Group(&CANCEL_APPOINTMENT), Shape::Text]);

pub(super) const CANCEL_APPOINTMENT_STEP: Key = Key::new(
    "cancel_appointment",
    "Le rendez-vous n’a pas lieu.",
    "The appointment does not take place.",
    CANCEL_APPOINTMENT_SHAPE,
    "\"agent absent\"",
);

const RECORD_ATTENDANCE_SHAPE: Shape = Shape::Either(&[Shape::Group(&RECORD_ATTENDANCE), Shape::Boolean]);

pub(super) const RECORD_ATTENDANCE_STEP: Key = Key::new(
    "record_attendance",
    "On note si le demandeur est venu.",
    "It is noted whether the requester came.",
    RECORD_ATTENDANCE_SHAPE,
    "false",
);
