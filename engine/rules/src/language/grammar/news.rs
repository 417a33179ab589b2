//! The texts about money and dates that a process may have of its own.

use super::Key;
use super::process::MESSAGE;

pub(super) const PAYMENT_REQUESTED: Key = Key::new(
    "payment_requested",
    "Quand un paiement est demandé.",
    "When a payment is asked for.",
    MESSAGE,
    "messages/paiement-demande",
);

pub(super) const PAYMENT_REMINDED: Key = Key::new(
    "payment_reminded",
    "Quand le paiement se fait attendre.",
    "When the payment is late.",
    MESSAGE,
    "messages/paiement-rappel",
);

pub(super) const PAYMENT_FAILED: Key = Key::new(
    "payment_failed",
    "Quand la banque a refusé le paiement.",
    "When the bank refused the payment.",
    MESSAGE,
    "messages/paiement-refuse",
);

pub(super) const PAYMENT_SETTLED: Key = Key::new(
    "payment_settled",
    "Quand le paiement est reçu : c’est le reçu.",
    "When the payment has come: it is the receipt.",
    MESSAGE,
    "messages/paiement-recu",
);

pub(super) const PAYMENT_LAPSED: Key = Key::new(
    "payment_lapsed",
    "Quand le délai de paiement est passé.",
    "When the term of payment has passed.",
    MESSAGE,
    "messages/paiement-expire",
);

pub(super) const PAYMENT_CANCELLED: Key = Key::new(
    "payment_cancelled",
    "Quand le paiement n’est plus demandé.",
    "When the payment is no longer asked for.",
    MESSAGE,
    "messages/paiement-annule",
);

pub(super) const PAYMENT_REFUNDED: Key = Key::new(
    "payment_refunded",
    "Quand de l’argent est rendu.",
    "When money is given back.",
    MESSAGE,
    "messages/paiement-rembourse",
);

pub(super) const APPOINTMENT_OFFERED: Key = Key::new(
    "appointment_offered",
    "Quand des créneaux sont proposés.",
    "When dates are offered.",
    MESSAGE,
    "messages/rendez-vous-propose",
);

pub(super) const APPOINTMENT_CHOSEN: Key = Key::new(
    "appointment_chosen",
    "Quand un rendez-vous est fixé.",
    "When an appointment is fixed.",
    MESSAGE,
    "messages/rendez-vous-fixe",
);

pub(super) const INTERVENTION_SET: Key = Key::new(
    "intervention_set",
    "Quand une équipe annonce sa venue.",
    "When a team says when it comes.",
    MESSAGE,
    "messages/intervention-annoncee",
);

pub(super) const APPOINTMENT_REMINDED: Key = Key::new(
    "appointment_reminded",
    "La veille d’un rendez-vous.",
    "On the day before an appointment.",
    MESSAGE,
    "messages/rendez-vous-rappel",
);

pub(super) const APPOINTMENT_CANCELLED: Key = Key::new(
    "appointment_cancelled",
    "Quand un rendez-vous n’a pas lieu.",
    "When an appointment does not take place.",
    MESSAGE,
    "messages/rendez-vous-annule",
);
