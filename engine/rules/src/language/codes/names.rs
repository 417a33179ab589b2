//! Names of things that do not exist.

use super::{Page, page_of};

const TROU: &str = "voirie/trou.yaml";
const TROTTOIR: &str = "voirie/trottoir.yaml";
const TEST: &str = "voirie/trou.test.yaml";
const FR: &str = "Ce nom ne désigne rien du catalogue : la demande serait sans réponse à cet endroit.";
const EN: &str = "This name stands for nothing in the catalogue: a request would get nowhere here.";
const CORRECT_FR: &str = "Corrigez le nom, ou créez ce qu’il désigne.";
const CORRECT_EN: &str = "Correct the name, or make what it stands for.";

const fn unknown(code: &'static str, fr: &'static str, en: &'static str) -> Page {
    page_of(code, fr, en).cause(FR, EN).remedy(CORRECT_FR, CORRECT_EN).certain()
}

pub(super) const PAGES: &[Page] = &[
    unknown("tenant.unknown", "Collectivité inconnue", "Unknown collectivity")
        .example(TROTTOIR, "tenants: [ville]", "tenants: [villle]"),
    unknown("theme.unknown", "Thème inconnu", "Unknown theme")
        .example(TROTTOIR, "qualification: automatic", "qualification: automatic\ntheme: voiries")
        .rather("qualification: automatic\ntheme: voirie"),
    unknown("channel.unknown", "Canal inconnu", "Unknown channel")
        .example(TROTTOIR, "qualification: automatic", "qualification: automatic\nchannels: [phones]")
        .rather("qualification: automatic\nchannels: [phone]"),
    unknown("role.unknown", "Rôle inconnu", "Unknown role").example(TROU, "role:accueil", "role:acceuil"),
    unknown("service.unknown", "Service inconnu", "Unknown service")
        .example(TROTTOIR, "to: service:voirie", "to: service:voiries"),
    unknown("person.unknown", "Agent inconnu", "Unknown person")
        .example("organisation.yaml", "head: a01", "head: A01"),
    unknown("administration.unknown", "Administration inconnue", "Unknown administration")
        .example(
            TEST,
            "      - { complete: visite, report: { safe: true } }",
            "      - { forward: \"administration:prefectures\" }",
        )
        .rather("      - { forward: \"administration:prefecture\" }"),
    unknown("message.unknown", "Message inconnu", "Unknown message")
        .example("models/base.yaml", "messages/reponse", "messages/reponce"),
    unknown("circuit.unknown", "Circuit inconnu", "Unknown circuit")
        .example(TROU, "circuits/reponse", "circuits/réponse"),
    unknown("calendar.unknown", "Calendrier inconnu", "Unknown calendar")
        .example(TROTTOIR, "qualification: automatic", "qualification: automatic\ncalendar: calendars/marie")
        .rather("qualification: automatic\ncalendar: calendars/mairie"),
    unknown("model.unknown", "Modèle inconnu", "Unknown model")
        .example(TROTTOIR, "extends: models/base", "extends: models/basse"),
    unknown("process.unknown", "Fiche inconnue", "Unknown process")
        .example(TROU, "see_also: [voirie/trottoir]", "see_also: [voirie/trotoir]"),
    unknown("field.unknown", "Champ inconnu", "Unknown field")
        .cause(
            "Le formulaire n’a pas de champ de ce nom : une donnée personnelle resterait en clair, ou un scénario ne \
             voudrait rien dire.",
            "The form has no field of this name: personal data would stay unsealed, or a scenario mean nothing.",
        )
        .example("models/base.yaml", "personal: [contact]", "personal: [contact, witnes]")
        .rather("personal: [contact, witness]"),
    unknown("task.unknown", "Tâche inconnue", "Unknown task").example(TROU, "after: [visite]", "after: [visites]"),
    unknown("step.unknown", "Étape inconnue", "Unknown step")
        .example(
            TEST,
            "      - { complete: visite, report: { safe: true } }",
            "      - { complete: visite, report: { safe: true } }\n      - { approve: directions }",
        )
        .rather("      - { complete: visite, report: { safe: true } }\n      - { approve: direction }"),
    unknown("commitment.unknown", "Engagement inconnu", "Unknown commitment")
        .example(TEST, "due: { answer:", "due: { answers:"),
];
