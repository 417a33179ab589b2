//! Commitments.

use super::{Page, page_of};

const TROU: &str = "voirie/trou.yaml";
const BASE: &str = "models/base.yaml";
const PROMISE: &str = "{ from: assigned, until: task:travaux, within: 8 working days }";

pub(super) const PAGES: &[Page] = &[
    page_of("commitment.never_starts", "Une promesse qui ne commence jamais", "A promise that never starts")
        .cause(
            "Elle part d’une tâche qui ne peut pas commencer.",
            "It starts from a task that cannot start.",
        )
        .remedy("Libérez la tâche, ou partez d’un autre moment.", "Free the task, or start from another moment.")
        .example(
            TROU,
            "    after: [visite]\n    when: tasks.visite.report.safe == false\nvalidation:\n  circuit: circuits/reponse\n  when: request.complexity == 'complex'\ncommitments:\n  intervention: { from: assigned, until: task:travaux, within: 8 working days }",
            "    after: [travaux]\nvalidation:\n  circuit: circuits/reponse\n  when: request.complexity == 'complex'\ncommitments:\n  intervention: { from: task:travaux, until: delivered, within: 8 working days }",
        ),
    page_of("commitment.never_stops", "Une promesse qui ne s’arrête jamais", "A promise that never stops")
        .cause(
            "Sa fin vient avant son début, ou dépend d’une tâche qui ne peut pas commencer.",
            "Its end comes before its beginning, or depends on a task that cannot start.",
        )
        .remedy("Échangez `from` et `until`, ou corrigez-les.", "Exchange `from` and `until`, or correct them.")
        .example(TROU, PROMISE, "{ from: task:travaux, until: task:visite, within: 8 working days }")
        .rather("{ from: task:visite, until: task:travaux, within: 8 working days }"),
    page_of("commitment.warning", "Un avertissement hors du délai", "A warning outside the time")
        .cause(
            "Il partirait dès le début, ou après l’échéance ; ou ils ne se suivent pas.",
            "It would go out at the start, or after the breach; or they are not in order.",
        )
        .remedy("De `1%` à `99%`, du plus tôt au plus tard.", "From `1%` to `99%`, from the earliest to the latest.")
        .example(BASE, "warn_at: [50%, 80%]", "warn_at: [50%, 120%]"),
    page_of("commitment.zero", "Un délai nul", "A time of zero")
        .cause("Il est toujours dépassé.", "It is always exceeded.")
        .remedy("Donnez un délai.", "Give some time.")
        .example(TROU, PROMISE, "{ from: assigned, until: task:travaux, within: 0 days }"),
    page_of("commitment.none", "Une fiche qui ne promet rien", "A sheet that promises nothing")
        .cause(
            "L’usager ne saura pas quand attendre une réponse.",
            "The citizen will not know when to expect an answer.",
        )
        .remedy("Promettez une réponse (`answer`).", "Promise an answer (`answer`).")
        .example("voirie/trottoir.yaml", "remove: [danger]", "remove: [danger, answer]")
        .warning(),
    page_of("commitment.pause", "Une pause qui n’arrive jamais", "A pause that never happens")
        .cause(
            "La promesse s’arrête pendant la validation, et la fiche n’a pas de circuit.",
            "The promise stands still during validation, and the sheet has no circuit.",
        )
        .remedy("Retirez `validation` de `paused_while`.", "Take `validation` out of `paused_while`.")
        .example(BASE, "    warn_at: [50%, 80%]", "    paused_while: [validation]\n    warn_at: [50%, 80%]")
        .rather("    paused_while: [waiting_for_requester]\n    warn_at: [50%, 80%]")
        .warning(),
    page_of("commitment.too_short", "Une promesse plus courte que le travail", "A promise shorter than the work")
        .cause(
            "Les étapes qui doivent toujours être faites, l’une après l’autre, peuvent prendre plus que le délai promis. \
             Seul compte ce qui est sûr, quel que soit le jour.",
            "The steps that must always be done, one after the other, may take longer than what is promised. Only what \
             is sure on any day counts.",
        )
        .remedy("Promettez plus, ou donnez moins aux étapes.", "Promise more, or give the steps less.")
        .example(BASE, "within: 10 working days", "within: 4 working hours")
        .warning(),
];
