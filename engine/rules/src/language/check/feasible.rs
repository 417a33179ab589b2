//! A promise must leave room for the work: no shorter than the steps that always have to be done within it, one after
//! the other.

use std::collections::BTreeMap;

use super::span::{Pace, Sum};
use super::{Sheet, Whole};
use crate::commitment::Budget;
use crate::language::diagnostic::Fault;
use crate::language::source::Mark;
use crate::process::{CommitmentSheet, Definition, Moment, TaskSheet};
use crate::text::Language;

pub(super) fn check(sheet: &Sheet, _: &Whole<'_>, faults: &mut Vec<Fault>) {
    let definition = &sheet.definition;
    for (i, commitment) in definition.commitments.iter().enumerate() {
        let Some(calendar) = definition.calendars.get(&commitment.calendar) else { continue };
        let pace = Pace::of(calendar);
        let path = only_path(definition, commitment, &pace);
        // A shorter time under a condition is an exception that the steps' ordinary terms need not keep to.
        for (j, rule) in commitment.within.iter().enumerate().filter(|(_, rule)| rule.when.is_none()) {
            if path.sum.surely_exceeds(rule.is, &pace) {
                let pointer = format!("/commitments/{i}/within/{j}");
                let inner = format!("{pointer}/is");
                let mark = sheet.at(if sheet.places.has(&inner) { &inner } else { &pointer });
                faults.push(too_short(sheet, &commitment.commitment, rule.is, &path, mark));
            }
        }
    }
}

fn too_short(sheet: &Sheet, name: &str, given: Budget, path: &Path, mark: Mark) -> Fault {
    let (fr, en) = (
        format!(
            "l’engagement `{name}` donne {} ; les étapes obligatoires peuvent en prendre {}",
            given.in_words(Language::Fr),
            path.sum.in_words(Language::Fr)
        ),
        format!(
            "the commitment `{name}` gives {}; the steps that must be done may take {}",
            given.in_words(Language::En),
            path.sum.in_words(Language::En)
        ),
    );
    let fault = Fault::warning("commitment.too_short", mark, fr, en).help(
        "allongez la promesse, ou raccourcissez les étapes",
        "promise more time, or give the steps less",
    );
    path.steps.iter().fold(fault, |fault, (pointer, budget)| {
        fault.label(sheet.at(pointer), budget.in_words(Language::Fr), budget.in_words(Language::En))
    })
}

/// Steps that always have to be done one after the other, by the pointers of their terms.
#[derive(Debug, Clone, Default)]
struct Path {
    sum: Sum,
    steps: Vec<(String, Budget)>,
}

impl Path {
    fn then(mut self, pointer: String, budget: Option<Budget>) -> Self {
        if let Some(budget) = budget {
            self.sum.add(budget);
            self.steps.push((pointer, budget));
        }
        self
    }
}

/// What lies on every way from a commitment's start to its end.
fn only_path(definition: &Definition, commitment: &CommitmentSheet, pace: &Pace) -> Path {
    let after = match &commitment.from {
        Moment::Received | Moment::Acknowledged | Moment::Qualified | Moment::Assigned => None,
        Moment::Task(task) => Some(task.as_str()),
        Moment::Treated | Moment::Validated | Moment::Delivered => Some(""),
    };
    let mut longest = longest_paths(&definition.treatment, after, pace);
    let tasks = match &commitment.until {
        Moment::Task(task) => longest.remove(task.as_str()).flatten(),
        Moment::Treated | Moment::Validated | Moment::Delivered => {
            longest.into_values().flatten().max_by_key(|path| path.sum.least(pace))
        }
        Moment::Received | Moment::Acknowledged | Moment::Qualified | Moment::Assigned => None,
    };
    let mut path = tasks.unwrap_or_default();
    let signed = matches!(commitment.until, Moment::Validated | Moment::Delivered)
        && !matches!(commitment.from, Moment::Validated | Moment::Delivered)
        && definition.validation.when.is_none();
    let circuit = definition.validation.circuit.iter().filter(|_| signed).flat_map(|c| &c.steps);
    for (i, step) in circuit.enumerate().filter(|(_, step)| step.when.is_none()) {
        path = path.then(format!("/validation/circuit/steps/{i}/within"), step.within);
    }
    path
}

/// The longest chain of tasks that are always done and ends with each task. With `after`, only what follows that task
/// counts, and other tasks have no chain; with the empty name none has.
fn longest_paths<'t>(
    tasks: &'t [TaskSheet],
    after: Option<&str>,
    pace: &Pace,
) -> BTreeMap<&'t str, Option<Path>> {
    let mut longest: BTreeMap<&str, Option<Path>> = BTreeMap::new();
    // As many rounds as tasks: enough for any chain, and an end for any cycle.
    for _ in tasks {
        for (i, task) in tasks.iter().enumerate() {
            if after == Some(task.task.as_str()) {
                longest.insert(&task.task, Some(Path::default()));
                continue;
            }
            let before = task.after.iter().filter_map(|name| longest.get(name.as_str()).cloned().flatten());
            let before = before.max_by_key(|path| path.sum.least(pace));
            let start = before.or_else(|| after.is_none().then(Path::default));
            let own = task.within.filter(|_| task.when.is_none());
            let path = start.map(|path| path.then(format!("/treatment/{i}/within"), own));
            longest.insert(&task.task, path.filter(|path| path.steps.len() <= tasks.len()));
        }
    }
    longest
}
