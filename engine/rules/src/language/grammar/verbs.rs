//! The verbs of scenarios: what each may be told.

use super::words::{
    CHANNELS, COMPLEXITY, DELIVERIES, LANGUAGES, OPENERS, PREFERRED, PRIORITY, REQUESTER_KINDS,
};
use super::{Group, Key, Referent, Shape};

const FORM: Key = Key::new(
    "form",
    "Les valeurs du formulaire, par champ.",
    "The form’s values, by field.",
    Shape::Named(Referent::Field, &Shape::Any),
    "{ danger: true }",
)
.default("rien", "nothing");
const TEXT: Key =
    Key::new("text", "Le texte.", "The text.", Shape::Text, "\"Le trou est rebouché.\"").required();
const REASON: Key =
    Key::new("reason", "Pourquoi.", "Why.", Shape::Text, "\"fait avec le chantier voisin\"").required();
const BASIS: Key = Key::new(
    "basis",
    "L’article qui le permet.",
    "The article that allows it.",
    Shape::Text,
    "\"CRPA L114-2\"",
)
.default("aucun", "none");
const STEP: Key =
    Key::new("step", "L’étape du circuit.", "The circuit’s step.", Shape::Name(Referent::Step), "direction")
        .required();
const BY: Key =
    Key::new("by", "Par quel moyen.", "By what means.", Shape::OneOf(&DELIVERIES), "letter").required();

/// Who a request is for.
pub static REQUESTER: Group = Group::new(
    "requester",
    "Le demandeur, et comment le joindre. Tous ces noms sont inventés.",
    "The requester, and how to reach them. All these names are invented.",
    &[
        Key::new("name", "Son nom.", "Their name.", Shape::Text, "\"Louise Harmel\"")
            .default("anonyme", "anonymous"),
        Key::new(
            "email",
            "Son adresse électronique.",
            "Their e-mail address.",
            Shape::Text,
            "louise.harmel@example.org",
        )
        .default("aucune", "none"),
        Key::new("phone", "Son téléphone.", "Their telephone number.", Shape::Text, "\"06 39 98 12 34\"")
            .default("aucun", "none"),
        Key::new(
            "address",
            "Son adresse postale.",
            "Their postal address.",
            Shape::Text,
            "\"14 rue de la Marne\"",
        )
        .default("aucune", "none"),
        Key::new("kind", "Ce qu’il est.", "What they are.", Shape::OneOf(&REQUESTER_KINDS), "person")
            .default("`person`", "`person`"),
        Key::new(
            "language",
            "La langue dans laquelle on lui écrit.",
            "The language they are written to in.",
            Shape::OneOf(&LANGUAGES),
            "fr",
        )
        .default("`fr`", "`fr`"),
        Key::new(
            "preferred",
            "Comment il souhaite la réponse.",
            "How they wish to be answered.",
            Shape::OneOf(&PREFERRED),
            "email",
        )
        .default("sans préférence", "no preference"),
        Key::new("account", "S’il a un compte.", "Whether they have an account.", Shape::Boolean, "true")
            .default("`false`", "`false`"),
    ],
);

/// `receive`.
pub static RECEIVE: Group = Group::new(
    "receive",
    "Une demande est enregistrée.",
    "A request is recorded.",
    &[
        Key::new("channel", "Par quel canal.", "By which channel.", Shape::OneOf(&CHANNELS), "phone")
            .required(),
        FORM,
        Key::new(
            "requester",
            "Le demandeur.",
            "The requester.",
            Shape::Group(&REQUESTER),
            "{ name: \"Louise Harmel\", email: louise.harmel@example.org, preferred: email }",
        )
        .default("anonyme", "anonymous"),
        Key::new(
            "passed_on_by",
            "Les collectivités de l’installation par lesquelles elle est passée, la première saisie d’abord.",
            "The collectivities of the installation through which it passed, the first seized first.",
            Shape::List(&Shape::Name(Referent::Tenant)),
            "[ville]",
        )
        .default("elle arrive directement", "it comes directly"),
        Key::new(
            "first_received_at",
            "Quand la première administration l’a reçue (CRPA L114-3).",
            "When the first administration received it (CRPA L114-3).",
            Shape::Instant,
            "\"2026-05-04T08:00:00Z\"",
        )
        .default("pas avant", "not before"),
        Key::new("open_to", "Qui l’ouvre.", "Who opens it.", Shape::OneOf(&OPENERS), "agent")
            .default("selon `by`", "by `by`"),
        Key::new(
            "answer",
            "La réponse donnée aussitôt, au premier contact.",
            "The answer given at once, at first contact.",
            Shape::Text,
            "\"Le bureau ouvre à 9 h.\"",
        )
        .default("aucune", "none"),
    ],
);

/// `acknowledge`.
pub static ACKNOWLEDGE: Group = Group::new(
    "acknowledge",
    "L’accusé de réception est parti.",
    "The acknowledgement has gone out.",
    &[Key::new("by", "Par quel moyen.", "By what means.", Shape::OneOf(&DELIVERIES), "screen")
        .default("`screen`", "`screen`")],
);

/// `qualify`.
pub static QUALIFY: Group = Group::new(
    "qualify",
    "La demande est qualifiée ; ce qu’on ne dit pas suit les règles.",
    "The request is qualified; what is not said follows the rules.",
    &[
        Key::new(
            "process",
            "Une autre fiche, si ce n’était pas la bonne.",
            "Another process, if it was the wrong one.",
            Shape::Name(Referent::Process),
            "voirie/chaussee-abimee",
        )
        .default("la même", "the same"),
        Key::new("complexity", "La complexité.", "The complexity.", Shape::OneOf(&COMPLEXITY), "complex")
            .default("selon les règles", "by the rules"),
        Key::new("priority", "La priorité.", "The priority.", Shape::OneOf(&PRIORITY), "high")
            .default("selon les règles", "by the rules"),
        FORM,
    ],
);

/// `assign` and `reassign`.
pub static ASSIGN: Group = Group::new(
    "assign",
    "La demande est confiée à un autre service.",
    "The request is given to another service.",
    &[
        Key::new("to", "Le service.", "The service.", Shape::Party(&[Referent::Service]), "service:voirie")
            .required(),
        Key::new("reason", "Pourquoi.", "Why.", Shape::Text, "\"voirie communale\"")
            .default("`scenario`", "`scenario`"),
    ],
);

/// `claim`, `release`, `resume` and `submit`, of which there is nothing more to say.
pub static NOTHING: Group =
    Group::new("nothing", "Il n’y a rien à ajouter.", "There is nothing to add.", &[]);

/// `complete`.
pub static COMPLETE: Group = Group::new(
    "complete",
    "Une tâche est faite.",
    "A task is done.",
    &[
        Key::new("task", "La tâche.", "The task.", Shape::Name(Referent::Task), "visite").required(),
        Key::new(
            "report",
            "Ce qui a été noté.",
            "What was written down.",
            Shape::Named(Referent::ReportField, &Shape::Any),
            "{ made_safe: true }",
        )
        .default("rien", "nothing"),
    ],
);

/// `visit`.
pub static VISIT: Group = Group::new(
    "visit",
    "Quelqu’un est allé sur place.",
    "Somebody has been to the place.",
    &[
        Key::new(
            "finding",
            "Ce qui a été trouvé.",
            "What was found.",
            Shape::Text,
            "\"dix centimètres de profondeur, cône posé\"",
        )
        .required(),
        Key::new(
            "made_safe",
            "Si l’endroit est mis en sécurité.",
            "Whether the place was made safe.",
            Shape::Boolean,
            "true",
        )
        .default("`false`", "`false`"),
    ],
);

/// `ask`.
pub static ASK: Group = Group::new(
    "ask",
    "On demande quelque chose au demandeur.",
    "The requester is asked for something.",
    &[
        Key::new("question", "Quoi.", "What.", Shape::Text, "\"Quelle rue, quel numéro ?\"").required(),
        Key::new(
            "pieces",
            "Les pièces qui manquent ; elles seules arrêtent l’horloge légale.",
            "The missing pieces; they alone stop the legal clock.",
            Shape::List(&Shape::Text),
            "[\"justificatif de domicile\"]",
        )
        .default("aucune", "none"),
        Key::new("within", "En combien de temps.", "Within what time.", Shape::Duration, "15 days")
            .default("selon la fiche", "by the sheet"),
    ],
);

/// `reply`.
pub static REPLY: Group = Group::new(
    "reply",
    "Le demandeur répond.",
    "The requester replies.",
    &[
        Key::new("text", "Sa réponse.", "The reply.", Shape::Text, "\"Devant le 14.\"")
            .default("rien", "nothing"),
        FORM,
        Key::new(
            "complete",
            "S’il ne manque plus rien.",
            "Whether nothing is missing any more.",
            Shape::Boolean,
            "true",
        )
        .default("`true`", "`true`"),
    ],
);

/// `suspend`.
pub static SUSPEND: Group = Group::new(
    "suspend",
    "La demande est mise en attente.",
    "The request is suspended.",
    &[
        REASON,
        Key::new("until", "Jusqu’à quand.", "Until when.", Shape::Instant, "\"2026-10-14T09:00\"")
            .default("jusqu’à la reprise", "until it is resumed"),
    ],
);

/// `extend`.
pub static EXTEND: Group = Group::new(
    "extend",
    "Un délai est prolongé.",
    "A promise is put off.",
    &[
        Key::new(
            "commitment",
            "Quel engagement, ou `silence`.",
            "Which promise, or `silence`.",
            Shape::Name(Referent::Commitment),
            "answer",
        )
        .required(),
        Key::new("by", "De combien.", "By how much.", Shape::Duration, "10 working days").required(),
        Key::new(
            "basis",
            "L’article, ou la raison de service.",
            "The article, or the reason of service.",
            Shape::Text,
            "\"CRPA L311-6\"",
        )
        .required(),
    ],
);

/// `note`, `message`, `draft`, `answer` and `resolve`.
pub static WRITE: Group = Group::new("text", "Un texte.", "A text.", &[TEXT]);

/// `approve`.
pub static APPROVE: Group = Group::new(
    "approve",
    "Une étape du circuit est approuvée.",
    "A step of the circuit is approved.",
    &[STEP],
);

/// `return`.
pub static RETURN: Group = Group::new(
    "return",
    "Le projet est renvoyé pour être repris.",
    "The draft is returned for rework.",
    &[STEP, REASON],
);

/// `delegate`.
pub static DELEGATE: Group = Group::new(
    "delegate",
    "Un approbateur laisse un collègue décider en son nom.",
    "An approver lets a colleague decide in their name.",
    &[
        STEP,
        Key::new(
            "to",
            "Le collègue, par son matricule.",
            "The colleague, by staff code.",
            Shape::Name(Referent::Person),
            "a20",
        )
        .required(),
    ],
);

/// `deliver`.
pub static DELIVER: Group =
    Group::new("deliver", "Le demandeur a la réponse.", "The requester has the answer.", &[BY]);

/// `delivery_failed`.
pub static DELIVERY_FAILED: Group = Group::new(
    "delivery_failed",
    "La réponse n’est pas arrivée.",
    "The answer did not arrive.",
    &[BY, REASON],
);

/// `withdraw`.
pub static WITHDRAW: Group = Group::new(
    "withdraw",
    "Le demandeur retire sa demande.",
    "The requester withdraws.",
    &[Key::new("reason", "Pourquoi.", "Why.", Shape::Text, "\"c’est réglé\"")
        .default("sans raison", "no reason")],
);

/// `cancel` and `reopen`.
pub static GIVE_REASON: Group = Group::new("reason", "Une raison.", "A reason.", &[REASON]);

/// `refuse`.
pub static REFUSE: Group = Group::new(
    "refuse",
    "La demande est refusée comme irrecevable.",
    "The request is refused as inadmissible.",
    &[REASON, BASIS],
);

/// `forward`.
pub static FORWARD: Group = Group::new(
    "forward",
    "La demande est transmise à l’administration compétente.",
    "The request is passed on to the competent administration.",
    &[
        Key::new(
            "to",
            "`tenant:x`, `administration:x`, ou le nom d’une administration.",
            "`tenant:x`, `administration:x`, or the name of an administration.",
            Shape::Name(Referent::Administration),
            "\"Préfecture de la Marne\"",
        )
        .required(),
        Key::new(
            "process",
            "Sous quelle fiche une collectivité de la même installation la reçoit.",
            "Under which process a collectivity of the same installation receives it.",
            Shape::Name(Referent::Process),
            "voirie/chaussee-abimee",
        )
        .default("la même", "the same"),
        BASIS,
    ],
);

/// `merge`.
pub static MERGE: Group = Group::new(
    "merge",
    "La demande fait double emploi.",
    "The request is the same as another.",
    &[Key::new(
        "into",
        "Le scénario, plus haut, dont la demande reste.",
        "The scenario, further up, whose request stays.",
        Shape::Name(Referent::Scenario),
        "\"un autre trou\"",
    )
    .required()],
);

/// `rate`.
pub static RATE: Group = Group::new(
    "rate",
    "Le demandeur dit ce qu’il en pense.",
    "The requester says how it went.",
    &[
        Key::new("score", "De 1 à 5.", "From 1 to 5.", Shape::Integer(0, 255), "4").required(),
        Key::new("comment", "En quelques mots.", "In words.", Shape::Text, "\"rapide\"")
            .default("rien", "nothing"),
    ],
);
