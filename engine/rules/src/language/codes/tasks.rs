//! Tasks.

use super::{Page, page_of};

const TROU: &str = "voirie/trou.yaml";

pub(super) const PAGES: &[Page] = &[
    page_of("task.cycle", "Des tâches en cercle", "Tasks in a circle")
        .cause(
            "Chacune attend la fin d’une autre du cercle : aucune ne commence.",
            "Each waits for the end of another of the circle: none begins.",
        )
        .remedy("Retirez un des `after`.", "Leave one `after` out.")
        .example(TROU, "    within: 1 working day\n", "    within: 1 working day\n    after: [travaux]\n"),
    page_of("task.never_starts", "Une tâche qui ne commence jamais", "A task that never starts")
        .cause(
            "Elle attend une tâche qui ne peut pas commencer.",
            "It waits for a task that cannot start.",
        )
        .remedy("Voyez ce que la première attend.", "See what the first one waits for.")
        .example(
            TROU,
            "    after: [visite]\n    when: tasks.visite.report.safe == false\n",
            "    after: [visite, controle]\n    when: tasks.visite.report.safe == false\n  - { task: controle, by: service, after: [controle] }\n",
        ),
    page_of("task.looks_ahead", "Une condition sur ce qui n’est pas fait", "A condition on what is not done yet")
        .cause(
            "La condition est évaluée quand la tâche s’ouvre ; l’autre n’est pas forcément finie à ce moment.",
            "The condition is looked at when the task opens; the other need not be finished by then.",
        )
        .remedy("Ajoutez l’autre à `after`.", "Add the other to `after`.")
        .example(TROU, "    after: [visite]\n", ""),
];
