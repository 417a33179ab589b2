//! Rules together.

use super::{Page, page_of};

const TROU: &str = "voirie/trou.yaml";
const RULE: &str = "- { when: form.danger && form.width > 100, is: complex }\n    - { is: simple }";

pub(super) const PAGES: &[Page] = &[
    page_of("rule.no_last_resort", "Aucune règle sans condition", "No rule without a condition")
        .cause(
            "Si aucune règle ne tient, rien n’est décidé : la demande resterait là.",
            "If no rule holds nothing is decided: the request would lie there.",
        )
        .remedy("Ajoutez à la fin une règle sans `when`.", "Add a rule without `when` at the end.")
        .example(TROU, RULE, "- { when: form.danger && form.width > 100, is: complex }"),
    page_of("rule.unreachable", "Une règle jamais atteinte", "A rule that is never reached")
        .cause(
            "Chaque fois qu’elle tient, une règle plus haut tient déjà ; la première l’emporte.",
            "Whenever it holds, a rule above holds already; the first one wins.",
        )
        .remedy(
            "Mettez la règle la plus précise d’abord, ou retirez-la.",
            "Put the most precise rule first, or leave it out.",
        )
        .example(
            TROU,
            RULE,
            "- { when: form.danger, is: simple }\n    - { when: form.danger && form.width > 100, is: complex }\n    - { is: simple }",
        )
        .rather(
            "- { when: form.danger && form.width > 100, is: complex }\n    - { when: form.danger, is: simple }\n    - { is: simple }",
        ),
    page_of("rule.never", "Une règle qui ne tient jamais", "A rule that never holds")
        .cause("Quelle que soit la réponse, elle est fausse.", "Whatever the answer, it is false.")
        .remedy("Corrigez-la, ou retirez-la.", "Correct it, or leave it out.")
        .example(TROU, "when: form.danger && form.width > 100,", "when: 1 > 2,"),
    page_of("rule.always", "Une règle qui tient toujours", "A rule that always holds")
        .cause("Quelle que soit la réponse, elle est vraie.", "Whatever the answer, it is true.")
        .remedy("Retirez `when`.", "Leave `when` out.")
        .example(TROU, "when: form.danger && form.width > 100,", "when: 1 < 2,")
        .warning(),
];
