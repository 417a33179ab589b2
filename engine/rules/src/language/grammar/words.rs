//! The words that keys take, where the list is closed.

use super::Choice;

/// What a process is.
pub static KINDS: [Choice; 6] = [
    Choice::new("question", "Une question à laquelle on répond.", "A question that is answered."),
    Choice::new(
        "report",
        "Un signalement : quelque chose ne va pas quelque part.",
        "A report: something is wrong somewhere.",
    ),
    Choice::new(
        "application",
        "Une demande de droit, d’acte ou de service.",
        "An application for a right, a paper or a service.",
    ),
    Choice::new(
        "complaint",
        "Une réclamation sur ce que fait la collectivité.",
        "A complaint about what the collectivity does.",
    ),
    Choice::new("idea", "Une idée ou une proposition.", "An idea or a proposal."),
    Choice::new(
        "internal",
        "Une procédure entre agents, que le public ne voit pas.",
        "A procedure between staff, which the public does not see.",
    ),
];

/// Who may open a request.
pub static OPENERS: [Choice; 3] = [
    Choice::new("citizen", "Toute personne du public.", "Any member of the public."),
    Choice::new(
        "agent",
        "Un agent, pour un usager ou pour la ville.",
        "A member of staff, for a citizen or for the town.",
    ),
    Choice::new("patroller", "Un patrouilleur en tournée (autosaisine).", "A patroller on the round."),
];

/// The ways a request comes in.
pub static CHANNELS: [Choice; 10] = [
    Choice::new("counter", "À l’accueil.", "At the counter."),
    Choice::new("phone", "Par téléphone.", "By telephone."),
    Choice::new("letter", "Par courrier.", "By letter."),
    Choice::new("email", "Par courriel.", "By e-mail."),
    Choice::new("sms", "Par SMS.", "By text message."),
    Choice::new("web", "Sur le site de la collectivité.", "On the collectivity’s site."),
    Choice::new("mobile", "Avec l’application mobile.", "With the mobile application."),
    Choice::new("social", "Sur les réseaux sociaux.", "On social networks."),
    Choice::new("patrol", "Lors d’une tournée de patrouilleur.", "On a patroller’s round."),
    Choice::new("council", "En conseil de quartier.", "In a neighbourhood council."),
];

/// The languages that people are written to in.
pub static LANGUAGES: [Choice; 2] =
    [Choice::new("fr", "Français.", "French."), Choice::new("en", "Anglais.", "English.")];

/// The types of a field.
pub static FIELD_TYPES: [Choice; 18] = [
    Choice::new("text", "Un texte libre.", "A free text."),
    Choice::new("number", "Un nombre, décimal ou non.", "A number, decimal or not."),
    Choice::new("integer", "Un nombre entier.", "A whole number."),
    Choice::new("boolean", "Oui ou non : `true` ou `false`.", "Yes or no: `true` or `false`."),
    Choice::new("date", "Un jour : `2026-05-07`.", "A day: `2026-05-07`."),
    Choice::new("time", "Une heure : `16:50`.", "A time of day: `16:50`."),
    Choice::new("choice", "Une des `options`.", "One of the `options`."),
    Choice::new("choices", "Plusieurs des `options`.", "Several of the `options`."),
    Choice::new(
        "location",
        "Un lieu : `[48.957, 4.363]`, avec son adresse si on la connaît.",
        "A place: `[48.957, 4.363]`, with its address if it is known.",
    ),
    Choice::new("file", "Un seul fichier.", "A single file."),
    Choice::new("files", "Des fichiers.", "Files."),
    Choice::new(
        "person",
        "Une personne, nom et prénom : donnée personnelle.",
        "A person, surname and first name: personal.",
    ),
    Choice::new(
        "organisation",
        "Un organisme, avec son SIRET s’il en a un.",
        "An organisation, with its SIRET number if it has one.",
    ),
    Choice::new("email", "Une adresse électronique : donnée personnelle.", "An e-mail address: personal."),
    Choice::new("phone", "Un numéro de téléphone : donnée personnelle.", "A telephone number: personal."),
    Choice::new("address", "Une adresse postale : donnée personnelle.", "A postal address: personal."),
    Choice::new(
        "iban",
        "Un compte bancaire, clé vérifiée : donnée personnelle.",
        "A bank account, its check digits verified: personal.",
    ),
    Choice::new("money", "Un montant, au centime : `12.50 EUR`.", "An amount, to the cent: `12.50 EUR`."),
];

/// How much study a request needs.
pub static COMPLEXITY: [Choice; 2] = [
    Choice::new("simple", "On peut répondre sans étude.", "It can be answered without study."),
    Choice::new("complex", "Il faut chercher ou étudier.", "It needs research or a study."),
];

/// How soon a request should be taken up.
pub static PRIORITY: [Choice; 4] = [
    Choice::new("low", "Peut attendre.", "Can wait."),
    Choice::new("normal", "À son tour.", "In its turn."),
    Choice::new("high", "Avant les autres.", "Before the others."),
    Choice::new("urgent", "Tout de suite.", "At once."),
];

/// A qualification that needs nobody.
pub static AUTOMATIC: [Choice; 1] = [Choice::new(
    "automatic",
    "Le formulaire suffit : personne ne qualifie.",
    "The form is enough: nobody qualifies.",
)];

/// A validation without a circuit.
pub static SIMPLE_VALIDATION: [Choice; 2] = [
    Choice::new(
        "by_author",
        "L’agent qui répond valide sa réponse.",
        "The agent who answers validates the answer.",
    ),
    Choice::new(
        "automatic",
        "Personne : le message de remise est la réponse.",
        "Nobody: the message of delivery is the answer.",
    ),
];

/// The ways in which an answer goes out.
pub static DELIVERY_CHOICES: [Choice; 6] = [
    Choice::new("requester_choice", "Comme le demandeur l’a souhaité.", "As the requester wished."),
    Choice::new("email", "Par courriel, envoyé tout seul.", "By e-mail, which leaves by itself."),
    Choice::new("sms", "Par SMS, envoyé tout seul.", "By text message, which leaves by itself."),
    Choice::new("letter", "Par courrier, posté par un agent.", "By letter, posted by an agent."),
    Choice::new("counter", "Remise à l’accueil.", "Handed over at the counter."),
    Choice::new("phone", "Dite au téléphone.", "Said on the telephone."),
];

/// The ways in which an acknowledgement or an answer reached the requester.
pub static DELIVERIES: [Choice; 6] = [
    Choice::new("email", "Par courriel.", "By e-mail."),
    Choice::new("sms", "Par SMS.", "By text message."),
    Choice::new("letter", "Par courrier.", "By letter."),
    Choice::new("counter", "À l’accueil.", "At the counter."),
    Choice::new("phone", "Au téléphone.", "On the telephone."),
    Choice::new("screen", "À l’écran, sur la page de suivi.", "On the screen, on the follow-up page."),
];

/// The milestones up to which a requester may withdraw.
pub static WITHDRAWABLE: [Choice; 4] = [
    Choice::new("qualified", "Tant qu’elle n’est pas qualifiée.", "Until it is qualified."),
    Choice::new("assigned", "Tant qu’aucun service n’en est chargé.", "Until a service is in charge."),
    Choice::new("validated", "Tant que la réponse n’est pas validée.", "Until the answer is validated."),
    Choice::new("delivered", "Tant que la réponse n’est pas remise.", "Until the answer is delivered."),
];

/// The moments that start and stop clocks; the end of a task is written `task:x`.
pub static MOMENTS: [Choice; 7] = [
    Choice::new("received", "La demande est enregistrée.", "The request is recorded."),
    Choice::new("acknowledged", "L’accusé de réception est parti.", "The acknowledgement has gone out."),
    Choice::new(
        "qualified",
        "La complexité et la priorité sont connues.",
        "Complexity and priority are known.",
    ),
    Choice::new("assigned", "Un service est chargé de la demande.", "A service is in charge."),
    Choice::new("treated", "Toutes les tâches sont finies.", "All tasks are finished."),
    Choice::new("validated", "La réponse est validée.", "The answer is validated."),
    Choice::new("delivered", "Le demandeur a la réponse.", "The requester has the answer."),
];

/// Why a clock may stand still.
pub static PAUSE_REASONS: [Choice; 3] = [
    Choice::new("waiting_for_requester", "On attend le demandeur.", "The requester is being waited for."),
    Choice::new("suspended", "La demande est suspendue.", "The request is suspended."),
    Choice::new("validation", "La réponse est en validation.", "The answer is being validated."),
];

/// What becomes of what was missed while nothing ran.
pub static MISSED: [Choice; 3] = [
    Choice::new(
        "once",
        "De plusieurs, seul le dernier part ; aucun si ce qu’il annonce est déjà là.",
        "Of several only the last goes out; none if what it announces is there already.",
    ),
    Choice::new("each", "Tous partent, même en retard.", "All go out, however late."),
    Choice::new(
        "skip",
        "Aucun ne part avec plus d’une heure de retard.",
        "None goes out more than an hour late.",
    ),
];

/// How months and years end.
pub static MONTH_RULES: [Choice; 2] = [
    Choice::new(
        "same_day",
        "À la fin du même quantième : du 7 mai au 7 juillet à minuit.",
        "At the end of the same day-number: from 7 May to 7 July at midnight.",
    ),
    Choice::new(
        "day_after",
        "Un jour plus tard : le jour du dépôt ne compte pas.",
        "One day later: the day of filing does not count.",
    ),
];

/// What the administration's silence means.
pub static SILENCE: [Choice; 3] = [
    Choice::new("none", "Le silence ne veut rien dire.", "Silence means nothing."),
    Choice::new(
        "acceptance",
        "Le silence vaut acceptation (CRPA L231-1).",
        "Silence means acceptance (CRPA L231-1).",
    ),
    Choice::new(
        "rejection",
        "Le silence vaut rejet (CRPA L231-4).",
        "Silence means rejection (CRPA L231-4).",
    ),
];

/// The lawful bases of article 6(1) of the GDPR that a town hall has use for.
pub static LAWFUL_BASES: [Choice; 4] = [
    Choice::new("public_task", "Mission d’intérêt public (RGPD 6-1 e).", "Public task (GDPR 6(1)(e))."),
    Choice::new("legal_obligation", "Obligation légale (RGPD 6-1 c).", "Legal obligation (GDPR 6(1)(c))."),
    Choice::new("consent", "Consentement (RGPD 6-1 a).", "Consent (GDPR 6(1)(a))."),
    Choice::new("contract", "Contrat (RGPD 6-1 b).", "Contract (GDPR 6(1)(b))."),
];

/// What becomes of personal data in the end.
pub static FATES: [Choice; 3] = [
    Choice::new(
        "anonymise",
        "Les données personnelles deviennent illisibles, les chiffres restent.",
        "Personal data become unreadable, figures stay.",
    ),
    Choice::new("delete", "Les données personnelles sont détruites.", "Personal data are destroyed."),
    Choice::new("archive", "Le dossier part aux archives.", "The file goes to the archives."),
];

/// How many of several approvers are needed.
pub static QUORUMS: [Choice; 3] = [
    Choice::new("any", "Un seul suffit.", "One is enough."),
    Choice::new("all", "Tous doivent approuver.", "All must approve."),
    Choice::new("majority", "Plus de la moitié.", "More than half."),
];

/// What a refusal does.
pub static ON_REJECT: [Choice; 2] = [
    Choice::new(
        "stop",
        "Le projet revient à son auteur dès le premier refus.",
        "The draft goes back to its author at the first refusal.",
    ),
    Choice::new(
        "collect_all",
        "Un refus est une voix : on attend que tous aient décidé.",
        "A refusal is a vote: everyone decides first.",
    ),
];

/// What happens to a step that is late.
pub static ON_LATE: [Choice; 2] = [
    Choice::new("remind", "On le rappelle aux approbateurs.", "The approvers are reminded."),
    Choice::new(
        "approve",
        "Le silence vaut accord : l’étape est passée.",
        "Silence is agreement: the step is passed.",
    ),
];

/// Who may not approve.
pub static EXCLUDED: [Choice; 2] = [
    Choice::new("author", "Celui qui a écrit le projet.", "Whoever wrote the draft."),
    Choice::new(
        "previous_approver",
        "Celui qui a approuvé l’étape d’avant.",
        "Whoever approved the step before.",
    ),
];

/// The public-holiday sets.
pub static HOLIDAYS: [Choice; 8] = [
    Choice::new("FR", "Les onze jours fériés légaux.", "The eleven legal holidays of France."),
    Choice::new(
        "FR-alsace-moselle",
        "Avec le Vendredi saint et le 26 décembre.",
        "With Good Friday and 26 December.",
    ),
    Choice::new("FR-guadeloupe", "Guadeloupe.", "Guadeloupe."),
    Choice::new("FR-martinique", "Martinique.", "Martinique."),
    Choice::new("FR-guyane", "Guyane.", "French Guiana."),
    Choice::new("FR-reunion", "La Réunion.", "Réunion."),
    Choice::new("FR-mayotte", "Mayotte.", "Mayotte."),
    Choice::new("none", "Aucun jour férié : astreinte, urgences.", "No holiday: on-call teams."),
];

/// Whether scenarios send mails by themselves.
pub static OUTBOUND: [Choice; 2] = [
    Choice::new(
        "at_once",
        "Les courriels et avis partent d’eux-mêmes.",
        "Mails and notices go out by themselves.",
    ),
    Choice::new(
        "by_hand",
        "Rien ne part : les étapes disent ce qui est remis.",
        "Nothing goes out: steps say what is delivered.",
    ),
];

/// Where a request stands.
pub static STAGES: [Choice; 10] = [
    Choice::new("received", "Reçue.", "Received."),
    Choice::new("qualified", "Qualifiée.", "Qualified."),
    Choice::new(
        "assigned",
        "Confiée à un service, jusqu’à la validation.",
        "Given to a service, until validation.",
    ),
    Choice::new("validated", "La réponse est validée.", "The answer is validated."),
    Choice::new("delivered", "La réponse est remise.", "The answer is delivered."),
    Choice::new("withdrawn", "Retirée par le demandeur.", "Withdrawn by the requester."),
    Choice::new("cancelled", "Annulée par un agent.", "Cancelled by an agent."),
    Choice::new("refused", "Refusée comme irrecevable.", "Refused as inadmissible."),
    Choice::new("forwarded", "Transmise à une autre administration.", "Passed on to another administration."),
    Choice::new("merged", "Réunie à une autre demande.", "Merged into another request."),
];

/// How a request ended.
pub static OUTCOMES: [Choice; 6] = [
    Choice::new("delivered", "Réponse remise.", "Answered."),
    Choice::new("withdrawn", "Retirée.", "Withdrawn."),
    Choice::new("cancelled", "Annulée.", "Cancelled."),
    Choice::new("refused", "Refusée.", "Refused."),
    Choice::new("forwarded", "Transmise.", "Forwarded."),
    Choice::new("merged", "Doublon.", "Merged."),
];

/// How a request gets to whom it is passed on to.
pub static FORWARD_MEANS: [Choice; 3] = [
    Choice::new(
        "installation",
        "Comme demande d’une collectivité de la même installation.",
        "As a request of a collectivity of the same installation.",
    ),
    Choice::new("email", "Par un bordereau, en courriel.", "By a summary slip, as an e-mail."),
    Choice::new("letter", "Par un bordereau à imprimer.", "By a summary slip to be printed."),
];

/// Where a task stands.
pub static TASK_STATES: [Choice; 4] = [
    Choice::new("not_started", "Attend d’autres tâches.", "Waits for other tasks."),
    Choice::new("open", "À faire.", "To do."),
    Choice::new("done", "Faite.", "Done."),
    Choice::new("skipped", "Sautée : sa règle ne tenait pas.", "Skipped: its rule did not hold."),
];

/// Kinds of requester.
pub static REQUESTER_KINDS: [Choice; 3] = [
    Choice::new("person", "Une personne.", "A person."),
    Choice::new("organisation", "Une entreprise ou un organisme.", "A firm or an organisation."),
    Choice::new("association", "Une association.", "An association."),
];

/// The format of a file that is imported.
pub static IMPORT_FORMATS: [Choice; 1] = [Choice::new(
    "csv",
    "Première ligne : noms des colonnes ; UTF-8 ; guillemets RFC 4180.",
    "First line: names of columns; UTF-8; RFC 4180 quotes.",
)];

/// What an empty neighbourhood becomes.
pub static BLANK_AREAS: [Choice; 2] = [
    Choice::new("blank", "Reste vide.", "Stays empty."),
    Choice::new(
        "locate",
        "Le lieu est cherché dans `areas.geojson`.",
        "The place is looked up in `areas.geojson`.",
    ),
];

/// How a requester wishes to be answered.
pub static PREFERRED: [Choice; 7] = [
    Choice::new("email", "Par courriel.", "By e-mail."),
    Choice::new("sms", "Par SMS.", "By text message."),
    Choice::new("letter", "Par courrier.", "By letter."),
    Choice::new("counter", "À l’accueil.", "At the counter."),
    Choice::new("phone", "Au téléphone.", "On the telephone."),
    Choice::new("screen", "À l’écran, sur la page de suivi.", "On the screen, on the follow-up page."),
    Choice::new("none", "Sans préférence.", "No preference."),
];
