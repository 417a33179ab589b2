//! `catalogue.yaml`.

use super::words::{CHANNELS, LANGUAGES};
use super::{COSTS, Group, Key, Referent, Shape};

/// How a collectivity is reached.
pub static CONTACT: Group = Group::new(
    "contact",
    "Comment joindre la collectivité : ces lignes finissent ses lettres.",
    "How the collectivity is reached: these lines end its letters.",
    &[
        Key::new(
            "address",
            "Son adresse postale.",
            "Its postal address.",
            Shape::Text,
            "\"Hôtel de Ville, place Foch\"",
        )
        .default("aucune", "none"),
        Key::new("phone", "Son téléphone.", "Its telephone number.", Shape::Text, "\"03 53 01 51 00\"")
            .default("aucun", "none"),
        Key::new(
            "email",
            "Son adresse électronique.",
            "Its e-mail address.",
            Shape::Text,
            "bonjour@ville.chalons.example",
        )
        .default("aucune", "none"),
    ],
);

/// A collectivity.
pub static TENANT: Group = Group::new(
    "tenant",
    "Une collectivité qui partage le catalogue. Ses demandes et ses agents ne se voient pas d’une autre.",
    "A collectivity that shares the catalogue. Its requests and staff are never seen from another.",
    &[
        Key::new(
            "tenant",
            "Son nom court : lettres minuscules et chiffres.",
            "Its short name: lower-case letters and digits.",
            Shape::Own(Referent::Tenant),
            "ville",
        )
        .required(),
        Key::new(
            "name",
            "Ce que les gens lisent.",
            "What people read.",
            Shape::Words,
            "{ fr: \"Ville\", en: \"Town\" }",
        )
        .required(),
        Key::new(
            "contact",
            "Comment la joindre.",
            "How it is reached.",
            Shape::Group(&CONTACT),
            "{ address: \"Place Foch\", phone: \"03 53 01 51 00\" }",
        )
        .default("rien", "nothing"),
    ],
);

/// A theme.
pub static THEME: Group = Group::new(
    "theme",
    "Un thème : un dossier de fiches, sous un titre.",
    "A theme: a folder of sheets, under a title.",
    &[
        Key::new("theme", "Le nom du dossier.", "The folder’s name.", Shape::Own(Referent::Theme), "voirie")
            .required(),
        Key::new(
            "title",
            "Ce que les gens lisent.",
            "What people read.",
            Shape::Words,
            "{ fr: \"Voirie\", en: \"Roads\" }",
        )
        .required(),
    ],
);

/// What all sheets of a town have in common.
pub static CATALOGUE: Group = Group::new(
    "catalogue",
    "Ce que toutes les fiches ont en commun : collectivités, thèmes, langues, canaux.",
    "What all sheets have in common: collectivities, themes, languages, channels.",
    &[
        Key::new(
            "catalogue",
            "Le nom court du catalogue.",
            "The catalogue’s short name.",
            Shape::Own(Referent::Catalogue),
            "chalons",
        )
        .required(),
        Key::new(
            "name",
            "Ce que les gens lisent.",
            "What people read.",
            Shape::Words,
            "{ fr: \"Espace citoyen\", en: \"Citizens’ desk\" }",
        )
        .required(),
        Key::new(
            "languages",
            "Les langues dans lesquelles on écrit aux gens.",
            "The languages that people are written to in.",
            Shape::Many(&Shape::OneOf(&LANGUAGES)),
            "[fr, en]",
        )
        .default("`[fr]`", "`[fr]`"),
        Key::new(
            "calendar",
            "Le calendrier des fiches qui n’en nomment pas d’autre.",
            "The calendar of all sheets that name no other.",
            Shape::Name(Referent::Calendar),
            "calendars/mairie",
        )
        .required(),
        Key::new(
            "tenants",
            "Les collectivités qui partagent le catalogue.",
            "The collectivities that share the catalogue.",
            Shape::List(&Shape::Group(&TENANT)),
            "[{ tenant: ville, name: { fr: \"Ville\", en: \"Town\" } }]",
        )
        .required(),
        Key::new(
            "themes",
            "Les thèmes, dans l’ordre où on les montre.",
            "The themes, in the order in which they are shown.",
            Shape::List(&Shape::Group(&THEME)),
            "[{ theme: voirie, title: { fr: \"Voirie\", en: \"Roads\" } }]",
        )
        .required(),
        Key::new(
            "channels",
            "Les canaux en service.",
            "The channels in use.",
            Shape::Many(&Shape::OneOf(&CHANNELS)),
            "[counter, phone, letter, email, sms, web, mobile, patrol]",
        )
        .default("tous", "all"),
        Key::new(
            "costs",
            "Les coûts unitaires des fiches qui n’en disent pas d’autres.",
            "The unit costs of all sheets that say no other.",
            Shape::Group(&COSTS),
            "{ counter: 12.00 EUR, online: 3.00 EUR, letter_out: 2.70 EUR }",
        )
        .default("0", "0"),
        Key::new(
            "acknowledgement",
            "L’accusé de réception des fiches qui n’en nomment pas d’autre (CRPA L112-3).",
            "The acknowledgement of all sheets that name no other (CRPA L112-3).",
            Shape::Name(Referent::Message),
            "messages/accuse-reception",
        )
        .default("chaque fiche nomme le sien", "every sheet names its own"),
        Key::new(
            "publication",
            "La fiche dont les demandes portent les nouvelles versions en vigueur.",
            "The sheet whose requests carry new versions into force.",
            Shape::Name(Referent::Process),
            "institutions/fiche-de-procedure",
        )
        .default(
            "les fiches n’entrent en vigueur que depuis le dossier",
            "sheets enter force from the folder only",
        ),
    ],
);
