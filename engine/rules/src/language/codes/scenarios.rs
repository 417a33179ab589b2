//! Scenarios.

use super::{Page, page_of};

const TEST: &str = "voirie/trou.test.yaml";
const QUALIFY: &str = "{ by: role:accueil, qualify: {} }";

pub(super) const PAGES: &[Page] = &[
    page_of("scenario.action", "Une action mal dite", "An action badly said")
        .cause(
            "Le verbe existe, mais une de ses parties manque ou n’est pas admise.",
            "The verb exists, but one of its parts is missing or not allowed.",
        )
        .remedy("Voyez les parties du verbe dans le manuel.", "See the parts of the verb in the manual.")
        .example(TEST, QUALIFY, "{ by: role:accueil, qualify: { complexity: hard } }")
        .rather("{ by: role:accueil, qualify: { complexity: complex } }"),
    page_of("scenario.no_action", "Une étape qui ne fait rien", "A step that does nothing")
        .cause("Aucun verbe connu.", "There is no known verb.")
        .remedy("Prenez un des verbes indiqués.", "Take one of the verbs listed.")
        .example(TEST, QUALIFY, "{ qualifie: {} }")
        .rather("{ qualify: {} }")
        .certain(),
    page_of("scenario.two_actions", "Deux actions dans une étape", "Two actions in one step")
        .cause("On ne saurait laquelle vient d’abord.", "Nobody could tell which comes first.")
        .remedy("Faites-en deux étapes.", "Make two steps of it.")
        .example(TEST, QUALIFY, "{ by: role:accueil, qualify: {}, claim: {} }"),
];
