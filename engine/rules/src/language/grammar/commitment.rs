//! Commitments: public promises.

use super::stages::{ANYONE, WHEN};
use super::words::{MISSED, MOMENTS, MONTH_RULES, PAUSE_REASONS};
use super::{Group, Key, Referent, Shape};

const MOMENT: Shape = Shape::Either(&[Shape::OneOf(&MOMENTS), Shape::EndOfTask]);

/// Who is told of a promise in danger.
pub static ALARM: Group = Group::new(
    "alarm",
    "Qui est prévenu.",
    "Who is told.",
    &[
        Key::new("notify", "Qui est prévenu.", "Who is told.", ANYONE, "role:chef-de-service"),
        Key::new(
            "escalate_to",
            "Qui est prévenu, et trouve la demande dans sa corbeille.",
            "Who is told, and finds the request in their inbox.",
            ANYONE,
            "role:dga",
        ),
    ],
);

/// A rule that gives a duration.
pub static BUDGET_RULE: Group = Group::new(
    "duration rule",
    "Une règle : la première qui tient donne la durée.",
    "A rule: the first that holds gives the duration.",
    &[WHEN, Key::new("is", "La durée.", "The duration.", Shape::Duration, "2 working days").required()],
);

/// A promise.
pub static COMMITMENT: Group = Group::new(
    "commitment",
    "Un engagement public : une horloge, de quoi à quoi, et en combien de temps.",
    "A public promise: a clock, from what to what, and within what time.",
    &[
        Key::new(
            "title",
            "Ce que les gens lisent.",
            "What people read.",
            Shape::Words,
            "{ fr: \"Réponse\", en: \"Answer\" }",
        )
        .default("son nom", "its name"),
        Key::new("from", "Ce qui lance l’horloge.", "What starts the clock.", MOMENT, "received").required(),
        Key::new(
            "until",
            "Ce qui l’arrête ; `task:x` est la fin d’une tâche.",
            "What stops it; `task:x` is the end of a task.",
            MOMENT,
            "delivered",
        )
        .required(),
        Key::new(
            "within",
            "En combien de temps : une durée, ou des règles dont la première qui tient décide.",
            "Within what time: a duration, or rules of which the first that holds decides.",
            Shape::Either(&[Shape::Duration, Shape::List(&Shape::Group(&BUDGET_RULE))]),
            "[{ when: request.complexity == 'complex', is: 10 working days }, { is: 2 working days }]",
        )
        .required(),
        Key::new(
            "paused_while",
            "Quand l’horloge s’arrête un moment.",
            "While what the clock stands still.",
            Shape::Many(&Shape::OneOf(&PAUSE_REASONS)),
            "[waiting_for_requester]",
        )
        .default("jamais", "never"),
        Key::new(
            "warn_at",
            "À quelles parts du délai on prévient, de `1%` à `99%`.",
            "At which shares of the time people are warned, from `1%` to `99%`.",
            Shape::Many(&Shape::Percentage),
            "[50%, 80%]",
        )
        .default("jamais", "never"),
        Key::new(
            "missed",
            "Ce que deviennent les avertissements manqués pendant un arrêt du serveur.",
            "What becomes of warnings that were missed while the server was down.",
            Shape::OneOf(&MISSED),
            "each",
        )
        .default("`once`", "`once`"),
        Key::new(
            "when_warned",
            "Qui est prévenu avant l’échéance.",
            "Who is told before it is due.",
            Shape::Many(&Shape::Group(&ALARM)),
            "[{ notify: service }]",
        )
        .default("le service chargé de la demande", "the service in charge"),
        Key::new(
            "when_broken",
            "Qui est prévenu quand l’engagement n’est pas tenu.",
            "Who is told when the promise is broken.",
            Shape::Many(&Shape::Group(&ALARM)),
            "[{ notify: role:chef-de-service }, { escalate_to: role:dga }]",
        )
        .default("le service chargé de la demande", "the service in charge"),
        Key::new(
            "calendar",
            "Les heures par lesquelles il compte, s’il en a d’autres que la fiche.",
            "The hours by which it counts, if other than the sheet’s.",
            Shape::Name(Referent::Calendar),
            "calendars/mairie",
        )
        .default("celui de la fiche", "the sheet’s"),
        Key::new(
            "month_rule",
            "Comment finissent les mois.",
            "How months end.",
            Shape::OneOf(&MONTH_RULES),
            "same_day",
        )
        .default("`same_day`", "`same_day`"),
    ],
);
