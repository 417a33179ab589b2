//! Ideas and votes.

use super::{Page, page_of};

const TROU: &str = "voirie/trou.yaml";
const SEE_ALSO: &str = "see_also: [voirie/trottoir]";

pub(super) const PAGES: &[Page] = &[
    page_of("voting.field", "Un champ qui ne se montre pas", "A field that cannot be shown")
        .cause(
            "Le titre et le texte d’une idée sont des champs de texte, son montant un montant ; aucun n’est personnel : \
             tout le monde les lit.",
            "The title and the text of an idea are fields of text, its amount an amount; none is personal: everybody \
             reads them.",
        )
        .remedy("Nommez un autre champ.", "Name another field.")
        .example(TROU, SEE_ALSO, "see_also: [voirie/trottoir]\nvoting: { title: width }")
        .rather("see_also: [voirie/trottoir]\nvoting: { title: details }"),
    page_of("voting.unmoderated", "Des idées que personne n’a lues", "Ideas that nobody has read")
        .cause(
            "La qualification est automatique : ce que chacun écrit serait publié sous le nom de la collectivité sans \
             que personne l’ait lu.",
            "Qualification is automatic: whatever anyone writes would be published under the collectivity’s name \
             without anybody having read it.",
        )
        .remedy(
            "Dites qui qualifie, ou la tâche (`after`) à l’issue de laquelle l’idée est montrée.",
            "Say who qualifies, or the task (`after`) once which is done the idea is shown.",
        )
        .example(
            "voirie/trottoir.yaml",
            "qualification: automatic",
            "qualification: automatic\nform: [{ field: words, type: text, label: { fr: \"Mots\", en: \"Words\" } }]\nvoting: { title: words }",
        )
        .rather(
            "qualification: { by: role:accueil }\nform: [{ field: words, type: text, label: { fr: \"Mots\", en: \"Words\" } }]\nvoting: { title: words }",
        ),
    page_of("voting.window", "Un vote qui finit avant de commencer", "A vote that ends before it begins")
        .cause("Personne ne pourrait voter.", "Nobody could vote.")
        .remedy("Corrigez l’une des deux dates.", "Correct one of the two dates.")
        .example(
            TROU,
            SEE_ALSO,
            "see_also: [voirie/trottoir]\nvoting: { title: details, from: 2026-05-01, until: 2026-04-30 }",
        )
        .rather("see_also: [voirie/trottoir]\nvoting: { title: details, from: 2026-05-01, until: 2026-05-31 }"),
];
