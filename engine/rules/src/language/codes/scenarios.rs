//! Scenarios.

use super::{Page, page_of};

const TEST: &str = "voirie/trou.test.yaml";
const QUALIFY: &str = "{ by: role:accueil, qualify: {} }";

pub(super) const PAGES: &[Page] = &[
    page_of("scenario.action", "Une action mal dite", "An action badly said")
        .cause(
            "Le verbe existe, mais une de ses parties n’a pas la valeur qu’il lui faut.",
            "The verb exists, but one of its parts does not have a value that it needs.",
        )
        .remedy("Voyez les parties du verbe dans le manuel.", "See the parts of the verb in the manual.")
        .example(TEST, QUALIFY, "{ rate: 900 }")
        .rather("{ rate: 5 }"),
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
    page_of(
        "scenario.failed",
        "Un scénario qui ne se passe pas comme écrit",
        "A scenario that goes otherwise",
    )
    .cause(
        "`guichet test` l’a joué : à cette étape, ce qui est arrivé n’est pas ce qui était attendu.",
        "`guichet test` has played it: at this step, what happened is not what was expected.",
    )
    .remedy(
        "Corrigez la fiche si elle se trompe, le scénario sinon ; l’histoire jusque-là est montrée.",
        "Correct the sheet where it is wrong, else the scenario; the history that led there is shown.",
    )
    .example(TEST, "stage: received", "stage: assigned"),
    page_of("branch.not_taken", "Une branche qu’aucun scénario ne prend", "A branch that no scenario takes")
        .warning()
        .cause(
            "`guichet test --coverage` a joué les scénarios : aucun ne passe par cette règle, cette tâche ou cette étape.",
            "`guichet test --coverage` has played the scenarios: none goes through this rule, task or step.",
        )
        .remedy(
            "Écrivez l’exemple qui manque : c’est là que se cachent les fautes.",
            "Write the example that is missing: that is where mistakes hide.",
        )
        .example(TEST, "stage: received", "stage: received, service: voirie"),
    page_of("forward.not_offered", "Transmise à qui ne propose pas la démarche", "Passed on to whom does not offer the process")
        .cause(
            "La demande transmise devient une demande de l’autre collectivité, d’une démarche qu’elle propose ; sinon elle \
             attend que quelqu’un s’en mêle.",
            "What is passed on becomes a request of the other collectivity, of a process that it offers; else it waits until \
             somebody sees to it.",
        )
        .remedy(
            "Nommez après `process` une démarche de cette collectivité, faites-lui proposer celle-ci, ou transmettez à quelqu’un d’autre.",
            "Name after `process` a process of that collectivity, let it offer this one, or pass it on to somebody else.",
        )
        .example(
            "voirie/trou.test.yaml",
            "      - { complete: visite, report: { safe: true } }",
            "      - { forward: \"tenant:agglo\" }",
        )
        .rather("      - { forward: \"administration:prefecture\" }")
        .warning(),
    page_of("scenario.two_times", "Deux moments pour une étape", "Two times for one step")
        .cause(
            "`at` et `after` disent tous deux quand : on ne saurait lequel vaut.",
            "`at` and `after` both say when: nobody could tell which counts.",
        )
        .remedy("Gardez-en un.", "Keep one of them.")
        .example(
            TEST,
            QUALIFY,
            "{ at: \"2026-05-12T10:00\", after: 1 working day, by: role:accueil, qualify: {} }",
        )
        .rather("{ after: 1 working day, by: role:accueil, qualify: {} }"),
];
