//! The fixed words of the field, as people read them.

use guichet_engine::rules::request::ClockStatus;
use guichet_engine::rules::text::Language;

type Words = [(&'static str, &'static str, &'static str)];

const STAGES: &Words = &[
    ("received", "reçue", "received"),
    ("qualified", "qualifiée", "qualified"),
    ("assigned", "en traitement", "assigned"),
    ("validated", "validée", "validated"),
    ("delivered", "délivrée", "delivered"),
    ("withdrawn", "retirée", "withdrawn"),
    ("cancelled", "annulée", "cancelled"),
    ("refused", "refusée", "refused"),
    ("forwarded", "transmise", "forwarded"),
    ("merged", "rattachée", "merged"),
];
const CHANNELS: &Words = &[
    ("counter", "guichet", "counter"),
    ("phone", "téléphone", "telephone"),
    ("letter", "courrier", "letter"),
    ("email", "courriel", "e-mail"),
    ("sms", "SMS", "text message"),
    ("web", "web", "web"),
    ("mobile", "mobile", "mobile"),
    ("social", "réseaux sociaux", "social networks"),
    ("patrol", "patrouille", "patrol"),
    ("council", "conseil de quartier", "neighbourhood council"),
];
const COMMITMENTS: &Words = &[
    ("acknowledgement", "Accusé de réception", "Acknowledgement"),
    ("answer", "Réponse", "Answer"),
    ("silence", "Délai légal (silence)", "Legal term (silence)"),
];
const WORK: &Words = &[
    ("qualify", "qualifier", "qualify"),
    ("task", "tâche", "task"),
    ("answer", "répondre", "answer"),
    ("rework", "reprendre le projet", "rework the draft"),
    ("approve", "valider", "approve"),
    ("hand_over", "remettre", "hand over"),
    ("resume", "reprendre", "resume"),
    ("reach", "joindre le demandeur autrement", "reach the requester another way"),
    ("payment", "paiement en souffrance", "payment overdue"),
    ("escalation", "engagement en péril", "promise at risk"),
];

fn word(words: &Words, id: &str, language: Language) -> String {
    match (words.iter().find(|(known, _, _)| *known == id), language) {
        (Some((_, fr, _)), Language::Fr) => (*fr).to_owned(),
        (Some((_, _, en)), Language::En) => (*en).to_owned(),
        (None, _) => id.replace(['-', '_'], " "),
    }
}

/// A stage.
pub(crate) fn stage(id: &str, language: Language) -> String {
    word(STAGES, id, language)
}

/// A channel.
pub(crate) fn channel(id: &str, language: Language) -> String {
    word(CHANNELS, id, language)
}

/// A commitment; one that a designer named keeps its name.
pub(crate) fn commitment(id: &str, language: Language) -> String {
    word(COMMITMENTS, id, language)
}

/// A thing to do.
pub(crate) fn work(id: &str, language: Language) -> String {
    word(WORK, id, language)
}

/// A theme, by its id.
pub(crate) fn theme(id: &str, language: Language) -> String {
    word(&[], id, language)
}

/// Where a promise stands; `broken` is whether it was found past due.
pub(crate) fn promise(status: ClockStatus, broken: bool, language: Language) -> &'static str {
    let (fr, en) = match (status, broken) {
        (ClockStatus::Running, false) => ("en cours", "running"),
        (ClockStatus::Running, true) => ("dépassé, en cours", "past due, running"),
        (ClockStatus::Paused, _) => ("suspendu", "paused"),
        (ClockStatus::Kept, _) => ("tenu", "kept"),
        (ClockStatus::Late, _) => ("en retard", "late"),
        (ClockStatus::Dropped, _) => ("sans objet", "no longer applies"),
    };
    match language {
        Language::Fr => fr,
        Language::En => en,
    }
}
