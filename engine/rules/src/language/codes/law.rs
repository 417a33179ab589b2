//! Law and privacy, and what a citizen meets.

use super::{Page, page_of};

const BASE: &str = "models/base.yaml";
const LAW: &str = "law: { silence: none }";
const SOUND: &str = "law: { silence: rejection, after: 2 months, basis: \"CRPA L231-4\" }";
const PRIVACY: &str =
    "privacy: { basis: public_task, personal: [contact], retain: 2 years after closed, then: anonymise }\n";

pub(super) const PAGES: &[Page] = &[
    page_of("law.no_basis", "Un silence sans texte", "Silence without a text of law")
        .cause(
            "Le silence ne vaut décision qu’en vertu d’un texte, que l’accusé de réception cite.",
            "Silence is a decision only by a text of law, which the acknowledgement quotes.",
        )
        .remedy("Ajoutez `basis`, avec l’article.", "Add `basis`, with the article.")
        .example(BASE, LAW, "law: { silence: rejection, after: 2 months }")
        .rather(SOUND),
    page_of("law.no_term", "Un silence sans terme", "Silence without a term")
        .cause("Au bout de combien de temps vaut-il décision ?", "After how long is it a decision?")
        .remedy("Ajoutez `after`.", "Add `after`.")
        .example(BASE, LAW, "law: { silence: rejection, basis: \"CRPA L231-4\" }")
        .rather(SOUND),
    page_of("law.unit", "Un terme légal en jours ouvrés", "A legal term in working days")
        .cause(
            "La loi compte en jours, mois ou années du calendrier.",
            "The law counts in days, months or years of the calendar.",
        )
        .remedy("Écrivez `months`, `days` ou `years`.", "Write `months`, `days` or `years`.")
        .example(BASE, LAW, "law: { silence: rejection, after: 40 working days, basis: \"CRPA L231-4\" }")
        .rather(SOUND),
    page_of("law.unsaid", "Que signifie le silence ?", "What does silence mean?")
        .cause(
            "Une demande (`application`) appelle une décision, et la fiche ne dit rien du silence.",
            "An `application` calls for a decision, and the sheet says nothing of silence.",
        )
        .remedy(
            "Dites `silence: acceptance`, `rejection`, ou `none` si c’est voulu.",
            "Say `silence: acceptance`, `rejection`, or `none` where that is meant.",
        )
        .example(BASE, "kind: report\nlaw: { silence: none }", "kind: application")
        .rather("kind: application\nlaw: { silence: none }")
        .warning(),
    page_of("privacy.missing", "La conservation n’est pas dite", "Retention is not said")
        .cause(
            "Combien de temps garde-t-on les données, et pourquoi a-t-on le droit de les avoir (RGPD, articles 5 et 6) ?",
            "How long are the data kept, and why may they be held (GDPR, articles 5 and 6)?",
        )
        .remedy("Ajoutez `privacy`.", "Add `privacy`.")
        .example(BASE, PRIVACY, ""),
    page_of("privacy.retention", "Une conservation mal comptée", "Retention badly counted")
        .cause(
            "La conservation se compte en jours, mois ou années à partir de la clôture.",
            "Retention counts in days, months or years from closing.",
        )
        .remedy("Écrivez `2 years after closed`.", "Write `2 years after closed`.")
        .example(BASE, "retain: 2 years after closed", "retain: 2 years")
        .certain(),
    page_of("see_also.itself", "Une fiche renvoie à elle-même", "A sheet refers to itself")
        .cause("Le lien ne mènerait nulle part.", "The link would lead nowhere.")
        .remedy("Nommez une autre fiche.", "Name another sheet.")
        .example("voirie/trou.yaml", "see_also: [voirie/trottoir]", "see_also: [voirie/trou]"),
    page_of("process.same_title", "Deux fiches de même titre", "Two sheets with one title")
        .cause(
            "L’usager ne peut pas les distinguer.",
            "A citizen cannot tell them apart.",
        )
        .remedy("Précisez l’un des titres.", "Make one of the titles more precise.")
        .example("voirie/trottoir.yaml", "fr: \"Trottoir abîmé\"", "fr: \"Trou dans la rue !\""),
    page_of("process.same_keywords", "Deux fiches aux mêmes mots-clés", "Two sheets with the same keywords")
        .cause(
            "Une recherche les montrerait toujours ensemble.",
            "A search would always show both.",
        )
        .remedy("Donnez à chacune ce qui lui est propre.", "Give each what is its own.")
        .example("voirie/trottoir.yaml", "keywords: [trottoir]", "keywords: [Chaussée, trou]"),
];
