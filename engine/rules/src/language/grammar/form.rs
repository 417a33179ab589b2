//! Fields, in forms and in the reports of tasks.

use super::words::FIELD_TYPES;
use super::{Group, Key, Referent, Shape};

/// An option of a choice.
pub static OPTION: Group = Group::new(
    "option",
    "Une réponse possible à un choix.",
    "A possible answer to a choice.",
    &[
        Key::new(
            "value",
            "La valeur que les règles comparent.",
            "The value that rules compare.",
            Shape::Own(Referent::OptionValue),
            "dark",
        )
        .required(),
        Key::new(
            "label",
            "Ce que les gens lisent.",
            "What people read.",
            Shape::Words,
            "{ fr: \"Éteint la nuit\", en: \"Off at night\" }",
        )
        .default("sa valeur", "its value"),
    ],
);

/// A field.
pub static FIELD: Group = Group::new(
    "field",
    "Un champ du formulaire, ou du compte rendu d’une tâche.",
    "A field of the form, or of a task’s report.",
    &[
        Key::new(
            "field",
            "Son nom, pour les règles : minuscules sans accent, chiffres et `_`.",
            "Its name, for rules: lower-case letters, digits and `_`.",
            Shape::Own(Referent::Field),
            "place",
        )
        .required(),
        Key::new(
            "type",
            "Ce qu’on y met. Certains types sont personnels d’eux-mêmes.",
            "What goes into it. Some types are personal by themselves.",
            Shape::OneOf(&FIELD_TYPES),
            "location",
        )
        .required(),
        Key::new(
            "label",
            "La question, telle que les gens la lisent.",
            "The question, as people read it.",
            Shape::Words,
            "{ fr: \"Où ?\", en: \"Where?\" }",
        )
        .default("son nom", "its name"),
        Key::new(
            "help",
            "Une ligne d’aide sous la question.",
            "A line of help below the question.",
            Shape::Words,
            "{ fr: \"Près de quel numéro ?\", en: \"Near which number?\" }",
        )
        .default("aucune", "none"),
        Key::new(
            "required",
            "S’il faut le remplir : `true`, `false`, ou une règle en CEL.",
            "Whether it must be filled in: `true`, `false`, or a rule in CEL.",
            Shape::Either(&[Shape::Boolean, Shape::Expression]),
            "true",
        )
        .default("`false`", "`false`"),
        Key::new(
            "options",
            "Les réponses possibles d’un `choice` ou de `choices`.",
            "The possible answers of a `choice` or of `choices`.",
            Shape::List(&Shape::Either(&[Shape::Group(&OPTION), Shape::Text])),
            "[{ value: dark, label: { fr: \"Éteint\", en: \"Off\" } }, { value: wires }]",
        )
        .default("à dire pour un choix", "to be said for a choice"),
        Key::new(
            "accept",
            "Les types de fichier admis.",
            "The types of file that are taken.",
            Shape::Many(&Shape::Text),
            "[image/jpeg, image/png]",
        )
        .default("tous", "all"),
        Key::new(
            "at_most",
            "Combien de fichiers, ou de choix, au plus.",
            "How many files, or choices, at most.",
            Shape::Integer(0, u32::MAX),
            "3",
        )
        .default("20 fichiers ; autant de choix que d’options", "20 files; as many choices as options"),
        Key::new(
            "max_size",
            "La taille d’un fichier, au plus.",
            "The size of a file, at most.",
            Shape::Size,
            "10 MiB",
        )
        .default("25 MiB", "25 MiB"),
        Key::new(
            "min",
            "La plus petite valeur d’un nombre.",
            "The smallest value of a number.",
            Shape::Number,
            "0",
        )
        .default("sans limite", "no limit"),
        Key::new(
            "max",
            "La plus grande valeur d’un nombre.",
            "The largest value of a number.",
            Shape::Number,
            "500",
        )
        .default("sans limite", "no limit"),
        Key::new(
            "max_length",
            "La longueur d’un texte, en caractères, au plus.",
            "The length of a text, in characters, at most.",
            Shape::Integer(0, u32::MAX),
            "2000",
        )
        .default("10 000", "10,000"),
        Key::new(
            "shown_when",
            "Quand on le montre, en CEL. Un champ qu’on ne montre pas ne doit pas être donné.",
            "When it is shown, in CEL. A field that is not shown must not be given.",
            Shape::Expression,
            "form.danger",
        )
        .default("toujours", "always"),
        Key::new(
            "personal",
            "C’est une donnée personnelle : scellée, et hors de toute règle.",
            "It is personal: sealed, and out of reach for any rule.",
            Shape::Boolean,
            "true",
        )
        .default("selon le type", "by its type"),
    ],
);
