//! Why a request has no place in a version: every stable code, with its sentence in French and English.

use crate::request::rejection::FieldFault;
use crate::text::Text;

macro_rules! reasons {
    ($( $name:ident ( $($arg:ident),* ) = $code:literal, $fr:literal, $en:literal; )*) => {
        /// Every code of a reason, in the order of the list. A code is never given another meaning, and never renamed.
        pub const MIGRATION_REASONS: &[&str] = &[$( $code ),*];

        $( pub(super) fn $name(pointer: String, $($arg: &str),*) -> FieldFault {
            FieldFault { pointer, code: $code.to_owned(), text: Text::new(format!($fr), format!($en)) }
        } )*
    };
}

reasons! {
    channel_closed(channel) = "migration.channel_closed",
        "La nouvelle version ne se fait plus par le canal « {channel} », par lequel la demande est venue.",
        "The new version no longer takes requests through the channel “{channel}”, through which this one came.";
    not_open(opener) = "migration.not_open",
        "La nouvelle version n’est plus ouverte à qui a fait la demande (« {opener} »).",
        "The new version is no longer open to whoever opened the request (“{opener}”).";
    field_missing(field) = "migration.field_missing",
        "Le champ « {field} » est maintenant obligatoire, et la demande ne l’a pas.",
        "The field “{field}” is required now, and the request does not have it.";
    field_unfit(field) = "migration.field_unfit",
        "La valeur du champ « {field} » ne convient pas à ce qu’il est maintenant.",
        "The value of the field “{field}” does not fit what it is now.";
    task_gone(task) = "migration.task_gone",
        "La tâche « {task} » est en cours et n’existe plus.",
        "The task “{task}” is under way and no longer exists.";
    task_before(task, later) = "migration.task_before",
        "La tâche « {task} » passe maintenant avant « {later} », déjà commencée.",
        "The task “{task}” now comes before “{later}”, which has begun already.";
    report_lacks(task, field) = "migration.report_lacks",
        "Une règle à venir lit « {field} » dans le compte rendu de la tâche « {task} », déjà faite sans lui.",
        "A rule still to come reads “{field}” in the report of the task “{task}”, which was done without it.";
    circuit_gone(circuit) = "migration.circuit_gone",
        "La réponse est dans le circuit « {circuit} », et la nouvelle version n’en a plus.",
        "The answer is in the circuit “{circuit}”, and the new version has none.";
    step_gone(step) = "migration.step_gone",
        "L’étape « {step} » attend ses approbateurs et n’existe plus.",
        "The step “{step}” awaits its approvers and no longer exists.";
    step_people(step) = "migration.step_people",
        "L’étape « {step} » attend ses approbateurs et en a maintenant d’autres, ou une autre règle de décision.",
        "The step “{step}” awaits its approvers and now has others, or another rule of decision.";
    step_before(step) = "migration.step_before",
        "L’étape « {step} » passe maintenant avant celle qui est en cours.",
        "The step “{step}” now comes before the one under way.";
    step_nobody(step) = "migration.step_nobody",
        "Personne ne pourrait approuver l’étape « {step} ».", "Nobody could approve the step “{step}”.";
    promise_gone(commitment) = "migration.promise_gone",
        "L’engagement « {commitment} » court et n’existe plus : dites ce qu’il devient, ou recalculez les engagements.",
        "The commitment “{commitment}” is running and no longer exists: say what becomes of it, or recompute.";
    calendar_gone(calendar) = "migration.calendar_gone",
        "Le calendrier « {calendar} », par lequel court un engagement, n’existe plus : recalculez les engagements.",
        "The calendar “{calendar}”, by which a commitment runs, no longer exists: recompute the commitments.";
    law_changed() = "migration.law_changed",
        "Le silence n’a plus le même sens, et l’horloge légale court : recalculez les engagements.",
        "Silence no longer means the same, and the legal clock is running: recompute the commitments.";
}
