//! Whether a promise of one version says anything of requests that went their way under another.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::language::facts::rules_of;
use crate::process::{CommitmentSheet, Definition, Field, Moment, Plan};
use crate::text::Text;

/// Why a promise cannot be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Incomparable {
    /// Its rules read what nobody was asked at the time.
    NotAsked,
    /// It counts from or until tasks that were others.
    OtherTasks,
    /// The request was, for a while, of a process that is not among those compared.
    OtherProcess,
    /// A rule cannot be evaluated on what was recorded.
    RuleFails,
}

impl Incomparable {
    /// The reason in words.
    #[must_use]
    pub fn text(self) -> Text {
        match self {
            Self::NotAsked => Text::new(
                "ses règles lisent ce qui n’était pas demandé alors",
                "its rules read what was not asked at the time",
            ),
            Self::OtherTasks => Text::new(
                "il dépend de tâches qui n’étaient pas les mêmes",
                "it depends on tasks that were others",
            ),
            Self::OtherProcess => Text::new(
                "la demande a suivi une démarche qui n’est pas comparée",
                "the request followed a process that is not compared",
            ),
            Self::RuleFails => Text::new(
                "une règle ne peut être évaluée sur ce qui a été enregistré",
                "a rule cannot be evaluated on what was recorded",
            ),
        }
    }
}

/// Whether the promise `sheet` of the version `new` can be reckoned for requests that followed `old`.
///
/// # Errors
/// Why it cannot.
pub fn comparable(old: &Definition, new: &Plan, sheet: &CommitmentSheet) -> Result<(), Incomparable> {
    let definition = new.definition();
    let names = |definition: &Definition| -> BTreeSet<String> {
        definition.treatment.iter().map(|task| task.task.clone()).collect()
    };
    let same_tasks = |moment: &Moment| match moment {
        Moment::Task(task) => old.task(task).is_some(),
        Moment::Treated => names(old) == names(definition),
        Moment::Received
        | Moment::Acknowledged
        | Moment::Qualified
        | Moment::Assigned
        | Moment::Validated
        | Moment::Delivered => true,
    };
    if !same_tasks(&sheet.from) || !same_tasks(&sheet.until) {
        return Err(Incomparable::OtherTasks);
    }
    let index = definition.commitments.iter().position(|other| other.commitment == sheet.commitment);
    let own = index.map(|index| format!("/commitments/{index}/"));
    let counts = |pointer: &str| {
        pointer.starts_with("/qualification/complexity/")
            || own.as_ref().is_some_and(|own| pointer.starts_with(own.as_str()))
    };
    let rules = rules_of(definition).into_iter().filter(|rule| counts(&rule.pointer));
    let expressions = rules.filter_map(|rule| new.expression(rule.text));
    let mut read = expressions.flat_map(|expression| expression.reads());
    if read.all(|path| was_asked(old, definition, path)) { Ok(()) } else { Err(Incomparable::NotAsked) }
}

/// Whether what a rule reads was asked under the old version, as the same kind of thing.
fn was_asked(old: &Definition, new: &Definition, path: &str) -> bool {
    let mut parts = path.split('.');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some("form"), Some(name), _, _) => same_kind(&old.form, &new.form, name),
        (Some("tasks"), Some(task), Some("report"), Some(name)) => match (old.task(task), new.task(task)) {
            (Some(old), Some(new)) => same_kind(&old.report, &new.report, name),
            (None, _) | (_, None) => false,
        },
        (Some("tasks"), Some(task), _, _) => old.task(task).is_some(),
        _ => true,
    }
}

fn same_kind(old: &[Field], new: &[Field], name: &str) -> bool {
    let kind = |fields: &[Field]| fields.iter().find(|field| field.field == name).map(|field| field.kind);
    kind(old).is_some() && kind(old) == kind(new)
}
