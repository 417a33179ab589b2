//! What of an idea the public sees, and how it votes.

use super::{Choice, Group, Key, Referent, Shape};

/// Who votes.
pub static VOTERS: [Choice; 2] = [
    Choice::new("account", "Qui a un compte.", "Whoever has an account."),
    Choice::new(
        "email",
        "Qui a un compte, ou prouve une adresse électronique.",
        "Whoever has an account, or proves an e-mail address.",
    ),
];

const FIELD: Shape = Shape::Name(Referent::Field);

/// The section `voting`.
pub static VOTING: Group = Group::new(
    "voting",
    "Ce que le public voit d’une idée, et comment il vote.",
    "What the public sees of an idea, and how it votes.",
    &[
        Key::new("title", "Le champ montré comme titre.", "The field shown as its title.", FIELD, "details")
            .required(),
        Key::new("summary", "Le champ montré comme texte.", "The field shown as its text.", FIELD, "details")
            .default("rien de plus que le titre", "nothing beyond the title"),
        Key::new(
            "cost",
            "Le champ du montant demandé.",
            "The field of the amount asked for.",
            FIELD,
            "budget",
        )
        .default("aucun montant", "no amount"),
        Key::new(
            "after",
            "La tâche à l’issue de laquelle l’idée est montrée ; sautée, l’idée ne l’est pas.",
            "The task once which is done the idea is shown; where it is skipped, the idea is not.",
            Shape::Name(Referent::Task),
            "visite",
        )
        .default("dès la qualification", "once it is qualified"),
        Key::new("from", "Premier jour du vote.", "First day of the vote.", Shape::Date, "2026-05-01")
            .default("dès que l’idée est montrée", "as soon as the idea is shown"),
        Key::new("until", "Dernier jour du vote.", "Last day of the vote.", Shape::Date, "2026-05-31")
            .default("tant que l’idée est en cours", "as long as the idea is under way"),
        Key::new("by", "Qui vote.", "Who votes.", Shape::OneOf(&VOTERS), "account")
            .default("`account`", "`account`"),
    ],
);
