//! Process sheets and models.

use super::words::{CHANNELS, KINDS, OPENERS, WITHDRAWABLE};
use super::{
    ASSIGNMENT_RULE, COMMITMENT, COSTS, DELIVERY, FIELD, Group, Key, LAW, PAYMENT, PRIVACY, QUALIFICATION,
    Referent, Shape, TASK, VALIDATION, VOTING, WAITING, news,
};

/// A list of words, or one list for each language.
pub static KEYWORDS: Group = Group::new(
    "keywords",
    "Les mots que les gens emploient, par langue.",
    "The words that people use, by language.",
    &[
        Key::new("fr", "Mots en français.", "Words in French.", Shape::Many(&Shape::Text), "[trou, bitume]"),
        Key::new("en", "Mots en anglais.", "Words in English.", Shape::Many(&Shape::Text), "[pothole]"),
    ],
);

pub(super) const MESSAGE: Shape = Shape::Name(Referent::Message);

/// The side ways that have a text of their own.
pub static SIDE_WAYS: Group = Group::new(
    "messages",
    "Les textes des chemins de côté ; sans eux, le moteur emploie les siens, tout simples.",
    "The texts of the side ways; without them the engine uses its own plain ones.",
    &[
        Key::new(
            "message",
            "Quand un agent écrit au demandeur.",
            "When a member of staff writes to the requester.",
            MESSAGE,
            "messages/message-libre",
        ),
        Key::new(
            "asked",
            "Quand on demande des pièces ou une précision.",
            "When pieces or details are asked for.",
            MESSAGE,
            "messages/demande-de-pieces",
        ),
        Key::new(
            "reminded",
            "Quand la réponse du demandeur se fait attendre.",
            "When the requester’s reply is late.",
            MESSAGE,
            "messages/relance",
        ),
        Key::new(
            "refused",
            "Quand la demande est irrecevable.",
            "When the request is inadmissible.",
            MESSAGE,
            "messages/refus",
        ),
        Key::new(
            "forwarded",
            "Quand elle est transmise à l’administration compétente (CRPA L114-2).",
            "When it is passed on to the competent administration (CRPA L114-2).",
            MESSAGE,
            "messages/transmission",
        ),
        Key::new(
            "arrived",
            "Quand une autre collectivité de l’installation l’a transmise : l’accusé de réception qui dit qui, et le nouveau code.",
            "When another collectivity of the installation passed it on: the acknowledgement that says who did, and the new code.",
            MESSAGE,
            "messages/arrivee",
        ),
        Key::new(
            "extended",
            "Quand un délai est prolongé.",
            "When a promise is put off.",
            MESSAGE,
            "messages/prolongation",
        ),
        Key::new(
            "withdrawn",
            "Quand le demandeur la retire.",
            "When the requester withdraws it.",
            MESSAGE,
            "messages/retrait",
        ),
        Key::new(
            "cancelled",
            "Quand un agent l’annule.",
            "When a member of staff cancels it.",
            MESSAGE,
            "messages/annulation",
        ),
        Key::new(
            "merged",
            "Quand elle fait double emploi.",
            "When it is the same as another.",
            MESSAGE,
            "messages/doublon",
        ),
        Key::new(
            "reopened",
            "Quand elle est rouverte.",
            "When it is taken up again.",
            MESSAGE,
            "messages/reouverture",
        ),
        Key::new(
            "suspended",
            "Quand elle est mise en attente.",
            "When it is suspended.",
            MESSAGE,
            "messages/suspension",
        ),
        Key::new("resumed", "Quand elle reprend.", "When it goes on.", MESSAGE, "messages/reprise"),
        Key::new(
            "assigned",
            "Au service qui en est chargé, sans donnée personnelle.",
            "To the service in charge, without personal data.",
            MESSAGE,
            "messages/alerte-service",
        ),
        Key::new(
            "counter",
            "Ce qui est remis au guichet.",
            "What is handed over at the counter.",
            MESSAGE,
            "messages/remise-au-guichet",
        ),
        news::PAYMENT_REQUESTED,
        news::PAYMENT_REMINDED,
        news::PAYMENT_FAILED,
        news::PAYMENT_SETTLED,
        news::PAYMENT_LAPSED,
        news::PAYMENT_CANCELLED,
        news::PAYMENT_REFUNDED,
        news::APPOINTMENT_OFFERED,
        news::APPOINTMENT_CHOSEN,
        news::INTERVENTION_SET,
        news::APPOINTMENT_REMINDED,
        news::APPOINTMENT_CANCELLED,
    ],
);

/// A process sheet.
pub static PROCESS: Group = Group::new(
    "process",
    "Une fiche de procédure : comment une sorte de demande est traitée, de la réception à la réponse.",
    "A process sheet: how one kind of request is handled, from receipt to answer.",
    &[
        Key::new(
            "process",
            "Le nom de la fiche : celui du dossier et du fichier, sans `.yaml`.",
            "The sheet’s name: folder and file, without `.yaml`.",
            Shape::Own(Referent::Process),
            "voirie/chaussee-abimee",
        )
        .required(),
        EXTENDS,
        REMOVE,
        TENANTS,
        THEME,
        TITLE,
        DESCRIPTION,
        KIND,
        OPEN_TO,
        CHANNEL_LIST,
        KEYWORD_LIST,
        SEE_ALSO,
        FORM,
        QUALIFY,
        ASSIGN,
        TREAT,
        VALIDATE,
        DELIVER,
        ACKNOWLEDGE,
        MESSAGES,
        WAIT,
        WITHDRAW,
        REOPEN,
        PROMISES,
        CALENDAR,
        LEGAL,
        PRIVATE,
        COST,
        VOTE,
        PAY,
    ],
);

/// A model: a sheet that others extend, and that need not be complete.
pub static MODEL: Group = Group::new(
    "model",
    "Un modèle : la base commune de plusieurs fiches, qui le prolongent et ne disent que ce qui change.",
    "A model: the shared base of several sheets, which extend it and say only what differs.",
    &[
        Key::new(
            "model",
            "Le nom du modèle : celui du fichier, sans `.yaml`.",
            "The model’s name: its file’s, without `.yaml`.",
            Shape::Own(Referent::Model),
            "demande",
        )
        .required(),
        EXTENDS,
        REMOVE,
        TENANTS,
        THEME,
        TITLE,
        DESCRIPTION,
        KIND,
        OPEN_TO,
        CHANNEL_LIST,
        KEYWORD_LIST,
        SEE_ALSO,
        FORM,
        QUALIFY,
        ASSIGN,
        TREAT,
        VALIDATE,
        DELIVER,
        ACKNOWLEDGE,
        MESSAGES,
        WAIT,
        WITHDRAW,
        REOPEN,
        PROMISES,
        CALENDAR,
        LEGAL,
        PRIVATE,
        COST,
        VOTE,
        PAY,
    ],
);

const EXTENDS: Key = Key::new(
    "extends",
    "Le modèle que cette fiche prolonge. Elle ne dit plus que ce qui change.",
    "The model that this sheet extends. It then says only what differs.",
    Shape::Name(Referent::Model),
    "models/signalement",
)
.default("rien n’est repris", "nothing is inherited");

const REMOVE: Key = Key::new(
    "remove",
    "Ce que la fiche ne reprend pas du modèle : champs, tâches, engagements ou messages, par leur nom.",
    "What the sheet does not take from the model: fields, tasks, commitments or messages, by name.",
    Shape::Many(&Shape::Name(Referent::Inherited)),
    "[photos]",
)
.default("tout est repris", "everything is inherited");

const TENANTS: Key = Key::new(
    "tenants",
    "Les collectivités qui proposent cette démarche.",
    "The collectivities that offer this process.",
    Shape::Many(&Shape::Name(Referent::Tenant)),
    "[ville]",
)
.default("toutes", "all of them");

const THEME: Key = Key::new(
    "theme",
    "Le thème sous lequel la démarche est rangée.",
    "The theme under which the process is found.",
    Shape::Name(Referent::Theme),
    "voirie",
)
.default("le dossier de la fiche", "the sheet’s folder");

const TITLE: Key = Key::new(
    "title",
    "Ce que les gens lisent. Deux fiches ne portent pas le même titre.",
    "What people read. No two sheets have the same title.",
    Shape::Words,
    "{ fr: \"Chaussée abîmée, nid-de-poule\", en: \"Damaged road, pothole\" }",
)
.required();

const DESCRIPTION: Key = Key::new(
    "description",
    "Un paragraphe pour le catalogue des démarches.",
    "A paragraph for the list of processes.",
    Shape::Words,
    "{ fr: \"Un trou dans la rue ?\", en: \"A hole in the road?\" }",
)
.default("aucun", "none");

const KIND: Key = Key::new(
    "kind",
    "Ce qu’est la demande : question, signalement, demande, réclamation, idée, procédure interne.",
    "What the request is.",
    Shape::OneOf(&KINDS),
    "report",
)
.required();

const OPENERS_SHAPE: Shape = Shape::Many(&Shape::OneOf(&OPENERS));

const OPEN_TO: Key = Key::new(
    "open_to",
    "Qui peut ouvrir une telle demande.",
    "Who may open such a request.",
    OPENERS_SHAPE,
    "[citizen, agent, patroller]",
)
.required();

const CHANNELS_SHAPE: Shape = Shape::Many(&Shape::OneOf(&CHANNELS));

const CHANNEL_LIST: Key = Key::new(
    "channels",
    "Les canaux par lesquels elle arrive, parmi ceux du catalogue.",
    "The channels by which it comes in, among the catalogue’s.",
    CHANNELS_SHAPE,
    "[web, phone]",
)
.default("tous ceux du catalogue", "all of the catalogue’s");

const KEYWORD_SHAPE: Shape = Shape::Either(&[Shape::Group(&KEYWORDS), Shape::Many(&Shape::Text)]);

const KEYWORD_LIST: Key = Key::new(
    "keywords",
    "Les mots par lesquels on la cherche, en une liste ou par langue. Deux fiches n’ont pas les mêmes.",
    "The words by which people look for it, in one list or by language. No two sheets have the same.",
    KEYWORD_SHAPE,
    "{ fr: [trou, bitume], en: [pothole] }",
)
.default("aucun", "none");

const SEE_ALSO: Key = Key::new(
    "see_also",
    "Les démarches voisines, montrées à qui lit celle-ci.",
    "Processes nearby, shown to whoever reads this one.",
    Shape::Many(&Shape::Name(Referent::Process)),
    "[voirie/trottoir-abime]",
)
.default("aucune", "none");

const FORM: Key = Key::new(
    "form",
    "Ce qu’on demande à l’usager, champ par champ. Les champs du modèle sont repris par leur nom.",
    "What the requester is asked, field by field. The model’s fields are taken over by name.",
    Shape::Keyed(&FIELD),
    "[{ field: place, type: location, required: true }, { field: danger, type: boolean }, { field: size, type: choice, options: [small, large] }, { field: photos, type: files }, { field: width, type: number }, { field: details, type: text }]",
)
.default("rien n’est demandé", "nothing is asked");

const QUALIFICATION_SHAPE: Shape =
    Shape::Either(&[Shape::Group(&QUALIFICATION), Shape::OneOf(&super::AUTOMATIC)]);

const QUALIFY: Key = Key::new(
    "qualification",
    "Qui juge la complexité et la priorité, et selon quelles règles ; ou `automatic`.",
    "Who rates complexity and priority, and by what rules; or `automatic`.",
    QUALIFICATION_SHAPE,
    "{ by: role:ambassadrice, complexity: [{ when: form.danger, is: complex }, { is: simple }] }",
)
.required();

const ASSIGNMENT_SHAPE: Shape = Shape::List(&Shape::Group(&ASSIGNMENT_RULE));

const ASSIGN: Key = Key::new(
    "assignment",
    "Quel service est chargé de la demande : la première règle qui tient.",
    "Which service is in charge: the first rule that holds.",
    ASSIGNMENT_SHAPE,
    "[{ when: form.danger, to: service:astreinte }, { to: service:voirie }]",
)
.required();

const TREAT: Key = Key::new(
    "treatment",
    "Les tâches du service, avec leur ordre et leurs conditions.",
    "The service’s tasks, with their order and conditions.",
    Shape::Keyed(&TASK),
    "[{ task: visite, by: role:patrouilleur, report: [{ field: made_safe, type: boolean }] }, { task: intervention, by: service, after: [visite] }]",
)
.default("le service répond, sans tâche", "the service simply answers");

const VALIDATION_SHAPE: Shape =
    Shape::Either(&[Shape::Group(&VALIDATION), Shape::OneOf(&super::SIMPLE_VALIDATION)]);

const VALIDATE: Key = Key::new(
    "validation",
    "Qui signe la réponse : son auteur, personne, ou un circuit.",
    "Who signs the answer: its author, nobody, or a circuit.",
    VALIDATION_SHAPE,
    "{ circuit: circuits/reponse-formalisee, when: request.complexity == 'complex' }",
)
.default("l’agent qui répond", "the agent who answers");

const DELIVER: Key = Key::new(
    "delivery",
    "Par quels moyens la réponse part, et avec quel texte.",
    "How the answer goes out, and in what words.",
    Shape::Group(&DELIVERY),
    "{ by: [requester_choice, email, letter], message: messages/reponse-signalement }",
)
.required();

const ACKNOWLEDGE: Key = Key::new(
    "acknowledgement",
    "Le texte de l’accusé de réception (CRPA L112-3).",
    "The text that says that the request is recorded (CRPA L112-3).",
    Shape::Name(Referent::Message),
    "messages/accuse-reception",
)
.default("celui du catalogue", "the catalogue’s");

const MESSAGES: Key = Key::new(
    "messages",
    "Les textes des chemins de côté : pièces demandées, refus, transmission, retrait…",
    "The texts of the side ways: pieces asked for, refusal, forwarding, withdrawal…",
    Shape::Group(&SIDE_WAYS),
    "{ asked: messages/demande-de-pieces, refused: messages/refus }",
)
.default("ceux du moteur, tout simples", "the engine’s plain ones");

const WAIT: Key = Key::new(
    "waiting",
    "Ce qui se passe quand le demandeur tarde à répondre.",
    "What happens while the requester is slow to reply.",
    Shape::Group(&WAITING),
    "{ remind_after: 5 working days, lapse_after: 1 month }",
)
.default("pas de rappel, deux mois pour répondre", "no reminder, two months to reply");

const WITHDRAW: Key = Key::new(
    "withdrawable_until",
    "L’étape jusqu’à laquelle le demandeur peut retirer sa demande.",
    "The milestone up to which the requester may withdraw.",
    Shape::OneOf(&WITHDRAWABLE),
    "validated",
)
.default("`validated`", "`validated`");

const REOPEN: Key = Key::new(
    "reopenable_for",
    "Combien de temps après sa clôture elle peut être rouverte.",
    "How long after closing it may be taken up again.",
    Shape::Duration,
    "60 days",
)
.default("60 jours", "60 days");

const PROMISES_SHAPE: Shape = Shape::Named(Referent::Commitment, &Shape::Group(&COMMITMENT));

const PROMISES: Key = Key::new(
    "commitments",
    "Les engagements publics, par leur nom. `answer` est celui que les messages appellent `{due}`.",
    "The public promises, by name. `answer` is the one that messages call `{due}`.",
    PROMISES_SHAPE,
    "{ answer: { from: received, until: delivered, within: 2 working days, warn_at: [50%, 80%] } }",
)
.required();

const CALENDAR: Key = Key::new(
    "calendar",
    "Les heures d’ouverture par lesquelles comptent tâches, étapes et engagements.",
    "The opening hours by which tasks, steps and promises count.",
    Shape::Name(Referent::Calendar),
    "calendars/mairie",
)
.default("celui du catalogue", "the catalogue’s");

const LEGAL: Key = Key::new(
    "law",
    "Ce que vaut le silence de l’administration, au bout de combien de temps, et selon quel article.",
    "What the administration’s silence means, after how long, and by which article.",
    Shape::Group(&LAW),
    "{ silence: acceptance, after: 2 months, basis: \"CRPA L231-1\", month_rule: same_day }",
)
.default("le silence ne veut rien dire", "silence means nothing");

const PRIVATE: Key = Key::new(
    "privacy",
    "Pourquoi les données personnelles sont permises, combien de temps elles sont gardées, et leur sort.",
    "Why personal data are lawful, how long they are kept, and what becomes of them.",
    Shape::Group(&PRIVACY),
    "{ basis: public_task, personal: [contact], retain: 2 years after closed, then: anonymise }",
)
.required();

const COST: Key = Key::new(
    "costs",
    "Ce que coûte une demande, par sorte de canal, et une lettre.",
    "What one request costs, by kind of channel, and one letter.",
    Shape::Group(&COSTS),
    "{ counter: 9.50 EUR, online: 0.80 EUR, letter_out: 2.70 EUR }",
)
.default("ceux du catalogue", "the catalogue’s");

const VOTE: Key = Key::new(
    "voting",
    "Ce que le public voit d’une idée, et comment il vote.",
    "What the public sees of an idea, and how it votes.",
    Shape::Group(&VOTING),
    "{ title: details, from: 2026-05-01, until: 2026-05-31, by: account }",
)
.default("rien n’est montré, personne ne vote", "nothing is shown, nobody votes");

const PAY: Key = Key::new(
    "payment",
    "Ce que le demandeur doit payer, quand, et ce qui attend son paiement.",
    "What the requester has to pay, when, and what waits for it.",
    Shape::Group(&PAYMENT),
    "{ label: { fr: \"Droit de voirie\", en: \"Street fee\" }, amount: 24.00 EUR, within: 15 days }",
)
.default("la démarche est gratuite", "the process is free");
