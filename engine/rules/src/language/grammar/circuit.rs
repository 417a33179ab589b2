//! Files of `circuits/`.

use super::stages::ANYONE;
use super::words::{EXCLUDED, ON_LATE, ON_REJECT, QUORUMS};
use super::{Group, Key, Referent, Shape};

/// A quorum by number.
pub static AT_LEAST: Group = Group::new(
    "quorum",
    "Un nombre d’approbations.",
    "A number of approvals.",
    &[Key::new("at_least", "Combien il en faut.", "How many are needed.", Shape::Integer(1, u32::MAX), "1")
        .required()],
);

/// Where a refusal leads back to.
pub static RETURN_TO: Group = Group::new(
    "return",
    "Un refus ramène à une étape d’avant.",
    "A refusal leads back to an earlier step.",
    &[Key::new(
        "return_to",
        "L’étape d’avant.",
        "The earlier step.",
        Shape::Name(Referent::Step),
        "direction",
    )
    .required()],
);

/// Who decides in the end.
pub static ESCALATE_TO: Group = Group::new(
    "escalation",
    "Une étape en retard passe à quelqu’un d’autre, qui peut l’approuver seul.",
    "A late step goes to somebody else, who may approve it alone.",
    &[Key::new("escalate_to", "À qui.", "To whom.", ANYONE, "role:dga").required()],
);

/// A step.
pub static STEP: Group = Group::new(
    "step",
    "Une étape du circuit : qui approuve, en combien de temps, et ce que fait un refus.",
    "A step of the circuit: who approves, within what time, and what a refusal does.",
    &[
        Key::new("step", "Son nom.", "Its name.", Shape::Own(Referent::Step), "direction").required(),
        Key::new(
            "by",
            "Qui approuve : un rôle veut dire tous ceux qui l’ont dans la collectivité.",
            "Who approves: a role means all its holders in the collectivity.",
            Shape::Many(&ANYONE),
            "[role:directeur]",
        )
        .required(),
        Key::new(
            "rule",
            "Combien d’approbations il faut, quand ils sont plusieurs.",
            "How many approvals are needed, where there are several.",
            Shape::Either(&[Shape::OneOf(&QUORUMS), Shape::Group(&AT_LEAST)]),
            "any",
        )
        .default("`any`", "`any`"),
        Key::new(
            "veto",
            "Les rôles dont le refus est définitif.",
            "The roles whose refusal is final.",
            Shape::Many(&Shape::Name(Referent::Role)),
            "[elu]",
        )
        .default("personne", "nobody"),
        Key::new(
            "on_reject",
            "Ce que fait un refus.",
            "What a refusal does.",
            Shape::Either(&[Shape::OneOf(&ON_REJECT), Shape::Group(&RETURN_TO)]),
            "stop",
        )
        .default("`stop`", "`stop`"),
        Key::new(
            "exclude",
            "Qui ne peut pas approuver (quatre yeux). L’auteur ne le peut jamais.",
            "Who may not approve (four eyes). The author never may.",
            Shape::Many(&Shape::OneOf(&EXCLUDED)),
            "[author, previous_approver]",
        )
        .default("`[author]`", "`[author]`"),
        Key::new(
            "when",
            "Quand l’étape est nécessaire, en CEL.",
            "When the step is needed, in CEL.",
            Shape::Expression,
            "request.priority == 'urgent'",
        )
        .default("toujours", "always"),
        Key::new("within", "En combien de temps.", "Within what time.", Shape::Duration, "2 working days")
            .default("sans terme", "no term"),
        Key::new(
            "on_late",
            "Ce que fait un retard.",
            "What a delay does.",
            Shape::Either(&[Shape::OneOf(&ON_LATE), Shape::Group(&ESCALATE_TO)]),
            "remind",
        )
        .default("`remind`", "`remind`"),
    ],
);

/// A circuit.
pub static CIRCUIT: Group = Group::new(
    "circuit",
    "Un circuit de validation (parapheur) : qui approuve une réponse, et dans quel ordre.",
    "An approval circuit: who approves an answer, and in which order.",
    &[
        Key::new("circuit", "Le nom du circuit : celui du fichier, sans `.yaml`.", "The circuit’s name: its file’s, without `.yaml`.", Shape::Own(Referent::Circuit), "reponse-formalisee").required(),
        Key::new("steps", "Les étapes, dans l’ordre.", "The steps, in order.", Shape::List(&Shape::Group(&STEP)), "[{ step: direction, by: [role:directeur], within: 2 working days }, { step: elu, by: [role:elu], on_reject: { return_to: direction } }]").required(),
    ],
);
