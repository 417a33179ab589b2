//! Files of `calendars/`.

use super::words::HOLIDAYS;
use super::{Group, Key, Referent, Shape};

const OPEN: Shape = Shape::Many(&Shape::Hours);

/// The opening hours of a week.
pub static HOURS: Group = Group::new(
    "hours",
    "Les heures d’ouverture de la semaine. Un jour qu’on ne nomme pas est fermé.",
    "The opening hours of the week. A day that is not named is closed.",
    &[
        Key::new("mon", "Lundi.", "Monday.", OPEN, "[\"09:00-12:00\", \"14:00-17:00\"]")
            .default("fermé", "closed"),
        Key::new("tue", "Mardi.", "Tuesday.", OPEN, "[\"09:00-17:00\"]").default("fermé", "closed"),
        Key::new("wed", "Mercredi.", "Wednesday.", OPEN, "[\"09:00-17:00\"]").default("fermé", "closed"),
        Key::new("thu", "Jeudi.", "Thursday.", OPEN, "[\"09:00-17:00\"]").default("fermé", "closed"),
        Key::new("fri", "Vendredi.", "Friday.", OPEN, "[\"09:00-17:00\"]").default("fermé", "closed"),
        Key::new("sat", "Samedi.", "Saturday.", OPEN, "\"09:00-12:00\"").default("fermé", "closed"),
        Key::new("sun", "Dimanche.", "Sunday.", OPEN, "[]").default("fermé", "closed"),
    ],
);

const WHY: Key = Key::new(
    "why",
    "Pourquoi, pour qui demande d’où vient une échéance.",
    "Why, for those who ask about a due date.",
    Shape::Words,
    "{ fr: \"Fermeture d’été\", en: \"Summer closing\" }",
)
.default("rien", "nothing");

/// Days on which the weekly hours do not hold.
pub static CLOSURE: Group = Group::new(
    "closure",
    "Une fermeture : un jour (`on`), ou du premier au dernier (`from`, `until`).",
    "A closure: one day (`on`), or from the first to the last (`from`, `until`).",
    &[
        Key::new("on", "Le jour.", "The day.", Shape::Date, "2026-12-24"),
        Key::new("from", "Le premier jour.", "The first day.", Shape::Date, "2026-08-03"),
        Key::new("until", "Le dernier jour.", "The last day.", Shape::Date, "2026-08-14"),
        WHY,
    ],
)
.ways(&[&["on"], &["from", "until"]]);

/// Extra hours on one day.
pub static OPENING: Group = Group::new(
    "opening",
    "Une ouverture exceptionnelle, qui l’emporte sur les jours fériés et les fermetures.",
    "Extra hours on one day, which win over holidays and closures.",
    &[
        Key::new("on", "Le jour.", "The day.", Shape::Date, "2026-07-14").required(),
        Key::new("hours", "Les heures.", "The hours.", OPEN, "[\"14:00-18:00\"]").required(),
        WHY,
    ],
);

/// A calendar.
pub static CALENDAR: Group = Group::new(
    "calendar",
    "Des heures d’ouverture : ce que comptent les jours et les heures ouvrés.",
    "Opening hours: what working days and hours count.",
    &[
        Key::new(
            "calendar",
            "Le nom du calendrier : celui du fichier, sans `.yaml`.",
            "The calendar’s name: its file’s, without `.yaml`.",
            Shape::Own(Referent::Calendar),
            "mairie",
        )
        .required(),
        Key::new(
            "zone",
            "Le fuseau horaire de ses dates et heures.",
            "The time zone of its dates and hours.",
            Shape::Name(Referent::Zone),
            "Europe/Paris",
        )
        .required(),
        Key::new(
            "holidays",
            "Le jeu de jours fériés.",
            "The set of public holidays.",
            Shape::OneOf(&HOLIDAYS),
            "FR",
        )
        .required(),
        Key::new(
            "hours",
            "Les heures d’ouverture, par jour de la semaine.",
            "The opening hours, by day of the week.",
            Shape::Group(&HOURS),
            "{ mon: [\"09:00-17:00\"], fri: [\"09:00-12:00\"] }",
        )
        .required(),
        Key::new(
            "closures",
            "Les fermetures exceptionnelles.",
            "Exceptional closures.",
            Shape::List(&Shape::Group(&CLOSURE)),
            "[{ from: 2026-08-03, until: 2026-08-14 }, { on: 2026-12-24 }]",
        )
        .default("aucune", "none"),
        Key::new(
            "openings",
            "Les ouvertures exceptionnelles.",
            "Exceptional openings.",
            Shape::List(&Shape::Group(&OPENING)),
            "[{ on: 2026-07-14, hours: [\"14:00-18:00\"] }]",
        )
        .default("aucune", "none"),
    ],
);
