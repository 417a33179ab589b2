//! The stages of a process, and what surrounds them.

use super::words::{
    COMPLEXITY, DELIVERY_CHOICES, FATES, LAWFUL_BASES, MISSED, MONTH_RULES, PRIORITY, SILENCE,
    SIMPLE_VALIDATION,
};
use super::{FIELD, Group, Key, Referent, Shape};

/// Who does something in a process.
pub(super) const ANYONE: Shape =
    Shape::Party(&[Referent::Role, Referent::Service, Referent::Person, Referent::ServiceInCharge]);

/// The condition of a rule in a list.
pub(super) const WHEN: Key = Key::new(
    "when",
    "La condition, en CEL. La dernière règle de la liste n’en a pas.",
    "The condition, in CEL. The last rule of the list has none.",
    Shape::Expression,
    "form.danger",
)
.default("toujours", "always");

/// A rule that rates complexity.
pub static COMPLEXITY_RULE: Group = Group::new(
    "complexity rule",
    "Une règle : la première qui tient donne la complexité.",
    "A rule: the first that holds gives the complexity.",
    &[
        WHEN,
        Key::new("is", "La complexité.", "The complexity.", Shape::OneOf(&COMPLEXITY), "simple").required(),
    ],
);

/// A rule that rates priority.
pub static PRIORITY_RULE: Group = Group::new(
    "priority rule",
    "Une règle : la première qui tient donne la priorité.",
    "A rule: the first that holds gives the priority.",
    &[WHEN, Key::new("is", "La priorité.", "The priority.", Shape::OneOf(&PRIORITY), "normal").required()],
);

/// A rule that gives a request to a service.
pub static ASSIGNMENT_RULE: Group = Group::new(
    "assignment rule",
    "Une règle : la première qui tient désigne le service.",
    "A rule: the first that holds names the service.",
    &[
        WHEN,
        Key::new(
            "to",
            "Le service chargé de la demande.",
            "The service in charge.",
            Shape::Party(&[Referent::Service]),
            "service:voirie",
        )
        .required(),
    ],
);

/// Who qualifies, and by what rules.
pub static QUALIFICATION: Group = Group::new(
    "qualification",
    "Qui juge la complexité et la priorité, et selon quelles règles.",
    "Who rates complexity and priority, and by what rules.",
    &[
        Key::new(
            "by",
            "Qui qualifie. À dire, sauf avec `automatic: true`.",
            "Who qualifies. To be said, unless `automatic: true` is.",
            ANYONE,
            "role:ambassadrice",
        ),
        Key::new(
            "automatic",
            "Le formulaire suffit : personne ne qualifie.",
            "The form is enough: nobody qualifies.",
            Shape::Boolean,
            "false",
        )
        .default("`false`", "`false`"),
        Key::new(
            "complexity",
            "Les règles de complexité ; la première qui tient décide.",
            "The rules for complexity; the first that holds decides.",
            Shape::List(&Shape::Group(&COMPLEXITY_RULE)),
            "[{ when: form.danger, is: complex }, { is: simple }]",
        )
        .default("`simple`", "`simple`"),
        Key::new(
            "priority",
            "Les règles de priorité ; la première qui tient décide.",
            "The rules for priority; the first that holds decides.",
            Shape::List(&Shape::Group(&PRIORITY_RULE)),
            "[{ when: form.danger, is: urgent }, { is: normal }]",
        )
        .default("`normal`", "`normal`"),
    ],
);

/// A task.
pub static TASK: Group = Group::new(
    "task",
    "Une tâche du traitement. Elle s’ouvre quand celles de `after` sont finies et que `when` tient.",
    "A task of the treatment. It opens when those in `after` are finished and `when` holds.",
    &[
        Key::new(
            "task",
            "Son nom, pour les règles : minuscules sans accent, chiffres et `_`.",
            "Its name, for rules: lower-case letters, digits and `_`.",
            Shape::Own(Referent::Task),
            "visite",
        )
        .required(),
        Key::new(
            "title",
            "Ce que les agents lisent.",
            "What staff read.",
            Shape::Words,
            "{ fr: \"Visite\", en: \"Visit\" }",
        )
        .default("son nom", "its name"),
        Key::new(
            "by",
            "Qui la fait ; `service` est le service chargé de la demande.",
            "Who does it; `service` is the service in charge.",
            ANYONE,
            "role:patrouilleur",
        )
        .required(),
        Key::new("within", "En combien de temps.", "Within what time.", Shape::Duration, "1 working day")
            .default("sans terme", "no term"),
        Key::new(
            "after",
            "Les tâches qui doivent être finies avant.",
            "The tasks that must be finished before.",
            Shape::Many(&Shape::Name(Referent::Task)),
            "[]",
        )
        .default("dès qu’un service est chargé", "as soon as a service is in charge"),
        Key::new(
            "when",
            "La condition, en CEL ; si elle ne tient pas, la tâche est sautée.",
            "The condition, in CEL; if it does not hold, the task is skipped.",
            Shape::Expression,
            "request.priority != 'low'",
        )
        .default("toujours", "always"),
        Key::new(
            "report",
            "Ce que l’agent note quand elle est faite, champ par champ.",
            "What is written down when it is done, field by field.",
            Shape::Keyed(&FIELD),
            "[{ field: finding, type: text, required: true }, { field: made_safe, type: boolean }]",
        )
        .default("rien", "nothing"),
    ],
);

/// A circuit, and when it is needed.
pub static VALIDATION: Group = Group::new(
    "validation",
    "Un circuit de validation, et quand il le faut.",
    "An approval circuit, and when it is needed.",
    &[
        Key::new(
            "circuit",
            "Le circuit.",
            "The circuit.",
            Shape::Name(Referent::Circuit),
            "circuits/reponse-formalisee",
        )
        .required(),
        Key::new(
            "when",
            "Quand il le faut, en CEL.",
            "When it is needed, in CEL.",
            Shape::Expression,
            "request.complexity == 'complex'",
        )
        .default("toujours", "always"),
        Key::new(
            "else",
            "Qui valide quand il ne le faut pas.",
            "Who validates when it is not needed.",
            Shape::OneOf(&SIMPLE_VALIDATION),
            "by_author",
        )
        .default("`by_author`", "`by_author`"),
    ],
);

/// How the answer goes out.
pub static DELIVERY: Group = Group::new(
    "delivery",
    "Comment la réponse part.",
    "How the answer goes out.",
    &[
        Key::new(
            "by",
            "Les moyens, dans l’ordre : le premier par lequel on peut joindre le demandeur.",
            "The means, in order: the first by which the requester can be reached.",
            Shape::Many(&Shape::OneOf(&DELIVERY_CHOICES)),
            "[requester_choice, email, sms, letter]",
        )
        .default("`[requester_choice, email, sms, letter]`", "`[requester_choice, email, sms, letter]`"),
        Key::new(
            "message",
            "Le texte qui porte la réponse.",
            "The text that carries the answer.",
            Shape::Name(Referent::Message),
            "messages/reponse-signalement",
        )
        .required(),
    ],
);

/// Waiting for the requester.
pub static WAITING: Group = Group::new(
    "waiting",
    "Ce qui se passe quand le demandeur tarde à répondre.",
    "What happens while the requester is slow to reply.",
    &[
        Key::new(
            "remind_after",
            "Au bout de combien de temps on le relance.",
            "After how long a reminder is sent.",
            Shape::Duration,
            "5 working days",
        )
        .default("pas de rappel", "no reminder"),
        Key::new(
            "missed",
            "Ce que devient une relance manquée pendant un arrêt du serveur.",
            "What becomes of a reminder that was missed while the server was down.",
            Shape::OneOf(&MISSED),
            "each",
        )
        .default("`once`", "`once`"),
        Key::new(
            "lapse_after",
            "Au bout de combien de temps on n’attend plus.",
            "After how long the wait is over.",
            Shape::Duration,
            "1 month",
        )
        .default("2 mois", "2 months"),
    ],
);

/// The legal clock.
pub static LAW: Group = Group::new(
    "law",
    "L’horloge légale : ce que vaut le silence. Elle court à côté des engagements.",
    "The legal clock: what silence means. It runs beside the promises.",
    &[
        Key::new(
            "silence",
            "Ce que vaut le silence.",
            "What silence means.",
            Shape::OneOf(&SILENCE),
            "acceptance",
        )
        .required(),
        Key::new("after", "Au bout de combien de temps.", "After how long.", Shape::Duration, "2 months")
            .default(
                "à dire dès que le silence veut dire quelque chose",
                "to be said wherever silence means something",
            ),
        Key::new(
            "basis",
            "L’article qui le dit.",
            "The article that says so.",
            Shape::Text,
            "\"CRPA L231-1\"",
        )
        .default(
            "à dire dès que le silence veut dire quelque chose",
            "to be said wherever silence means something",
        ),
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

/// What becomes of personal data.
pub static PRIVACY: Group = Group::new(
    "privacy",
    "Les données personnelles : pourquoi, lesquelles, combien de temps, et leur sort.",
    "Personal data: why, which, how long, and what becomes of them.",
    &[
        Key::new("basis", "La base légale du traitement (RGPD, article 6).", "The lawful basis (GDPR, article 6).", Shape::OneOf(&LAWFUL_BASES), "public_task").required(),
        Key::new("personal", "Les champs personnels, en plus de ceux qui le sont par leur type ; `contact` est la façon de joindre le demandeur.", "Personal fields, besides those that are so by their type; `contact` is how the requester is reached.", Shape::Many(&Shape::Name(Referent::Field)), "[contact]")
            .default("ceux qui le sont par leur type", "those that are so by their type"),
        Key::new("retain", "Combien de temps après la clôture les données sont gardées.", "How long after closing data are kept.", Shape::Retention, "2 years after closed").required(),
        Key::new("then", "Ce qu’elles deviennent ensuite.", "What becomes of them then.", Shape::OneOf(&FATES), "anonymise").required(),
    ],
);

/// Unit costs.
pub static COSTS: Group = Group::new(
    "costs",
    "Ce que coûtent une demande et une lettre, à la collectivité.",
    "What a request and a letter cost the collectivity.",
    &[
        Key::new(
            "counter",
            "Une demande à l’accueil, au téléphone, par courrier, en tournée ou en conseil.",
            "A request at the counter, by telephone or letter, on a round or in a council.",
            Shape::Money,
            "12.00 EUR",
        )
        .default("celui du catalogue, sinon 0", "the catalogue’s, or else 0"),
        Key::new(
            "online",
            "Une demande par courriel, SMS, site, application ou réseau social.",
            "A request by e-mail, text message, site, application or social network.",
            Shape::Money,
            "3.00 EUR",
        )
        .default("celui du catalogue, sinon 0", "the catalogue’s, or else 0"),
        Key::new("letter_out", "Une lettre envoyée.", "A letter sent.", Shape::Money, "2.70 EUR")
            .default("celui du catalogue, sinon 0", "the catalogue’s, or else 0"),
    ],
);
