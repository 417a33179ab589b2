//! Forms.

use super::{Page, page_of};

const TROU: &str = "voirie/trou.yaml";

pub(super) const PAGES: &[Page] = &[
    page_of("field.limit", "Une limite qui ne va pas", "A limit that does not fit")
        .cause(
            "La limite ne va pas avec le type du champ, ou aucune réponse ne peut la respecter.",
            "The limit does not go with the field’s type, or no answer can keep to it.",
        )
        .remedy("Corrigez ou retirez la limite.", "Correct the limit, or leave it out.")
        .example(TROU, "min: 1, max: 500", "min: 600, max: 500"),
    page_of(
        "field.shows_itself",
        "Un champ qui ne se montre que rempli",
        "A field shown only once filled in",
    )
    .cause(
        "Sa condition dépend de sa propre valeur : personne ne le verrait jamais.",
        "Its condition depends on its own value: nobody would ever see it.",
    )
    .remedy("Faites-la dépendre d’un autre champ.", "Let it depend on another field.")
    .example(TROU, "shown_when: form.danger", "shown_when: form.details != ''"),
];
