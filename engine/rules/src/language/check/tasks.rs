//! Tasks form a directed acyclic graph in which each can start, and look only at what came before.

use std::collections::BTreeSet;

use super::{Sheet, Whole};
use crate::language::diagnostic::{Fault, near};
use crate::process::TaskSheet;

pub(super) fn check(sheet: &Sheet, _: &Whole<'_>, faults: &mut Vec<Fault>) {
    let tasks = &sheet.definition.treatment;
    let names: Vec<&str> = tasks.iter().map(|t| t.task.as_str()).collect();
    for (i, task) in tasks.iter().enumerate() {
        if let Some(first) = names.iter().take(i).position(|name| *name == task.task) {
            let (fr, en) = (
                format!("la tâche `{}` est décrite deux fois", task.task),
                format!("the task `{}` is described twice", task.task),
            );
            faults.push(
                Fault::error("name.duplicate", sheet.at(&format!("/treatment/{i}/task")), fr, en).label(
                    sheet.at(&format!("/treatment/{first}/task")),
                    "déjà ici",
                    "already here",
                ),
            );
        }
        for (j, before) in
            task.after.iter().enumerate().filter(|(_, before)| !names.contains(&before.as_str()))
        {
            let (fr, en) = (format!("tâche inconnue : `{before}`"), format!("unknown task: `{before}`"));
            let mark = sheet.at(&format!("/treatment/{i}/after/{j}"));
            faults.push(
                Fault::error("task.unknown", mark, fr, en).suggest(near(before, names.iter().copied())),
            );
        }
        looks_ahead(sheet, tasks, i, task, faults);
    }
    cycles(sheet, tasks, faults);
}

/// The names of tasks that never start: those of a cycle, and those that wait for one of them.
pub(super) fn stuck(tasks: &[TaskSheet]) -> BTreeSet<&str> {
    let exists = |name: &String| tasks.iter().any(|t| t.task == *name);
    let mut waiting: BTreeSet<&str> = tasks.iter().map(|t| t.task.as_str()).collect();
    loop {
        let free = |name: &String| !waiting.contains(name.as_str()) || !exists(name);
        let ready: Vec<&str> = tasks
            .iter()
            .filter(|t| waiting.contains(t.task.as_str()) && t.after.iter().all(free))
            .map(|t| t.task.as_str())
            .collect();
        if ready.is_empty() {
            return waiting;
        }
        waiting.retain(|name| !ready.contains(name));
    }
}

fn cycles(sheet: &Sheet, tasks: &[TaskSheet], faults: &mut Vec<Fault>) {
    let names = stuck(tasks);
    let stuck: Vec<(usize, &TaskSheet)> =
        tasks.iter().enumerate().filter(|(_, t)| names.contains(t.task.as_str())).collect();
    for (i, task) in &stuck {
        let mark = sheet.at(&format!("/treatment/{i}/after"));
        let in_cycle = ancestors(tasks, &task.task).contains(task.task.as_str());
        faults.push(if in_cycle {
            let (fr, en) = (
                format!("la tâche `{}` attend, par détours, sa propre fin", task.task),
                format!("the task `{}` waits, in a roundabout way, for its own end", task.task),
            );
            Fault::error("task.cycle", mark, fr, en)
        } else {
            let (fr, en) = (
                format!("la tâche `{}` ne peut jamais commencer", task.task),
                format!("the task `{}` can never start", task.task),
            );
            Fault::error("task.never_starts", mark, fr, en)
        });
    }
}

/// Everything that is finished before a task starts.
pub(super) fn ancestors<'t>(tasks: &'t [TaskSheet], name: &str) -> BTreeSet<&'t str> {
    let mut found = BTreeSet::new();
    let mut waiting: Vec<&TaskSheet> = tasks.iter().filter(|t| t.task == name).collect();
    while let Some(task) = waiting.pop() {
        for before in &task.after {
            if let Some(next) = tasks.iter().find(|t| t.task == *before)
                && found.insert(next.task.as_str())
            {
                waiting.push(next);
            }
        }
    }
    found
}

/// A condition on a task that has not been done when the condition is looked at.
fn looks_ahead(sheet: &Sheet, tasks: &[TaskSheet], i: usize, task: &TaskSheet, faults: &mut Vec<Fault>) {
    let Some(when) = &task.when else { return };
    // A name that is unknown may be the other task, misspelt.
    if task.after.iter().any(|name| !tasks.iter().any(|t| t.task == *name)) {
        return;
    }
    let before = ancestors(tasks, &task.task);
    for other in tasks.iter().filter(|t| mentions(when, &t.task) && !before.contains(t.task.as_str())) {
        let (fr, en) = (
            format!("la condition dépend de `{}`, qui n’est pas forcément finie à ce moment", other.task),
            format!("the condition depends on `{}`, which need not be finished by then", other.task),
        );
        let mark = sheet.at(&format!("/treatment/{i}/when"));
        faults.push(
            Fault::error("task.looks_ahead", mark, fr, en)
                .help(format!("ajoutez `after: [{}]`", other.task), format!("add `after: [{}]`", other.task)),
        );
    }
}

/// Whether a rule reads `tasks.<name>`.
fn mentions(rule: &str, name: &str) -> bool {
    let start = format!("tasks.{name}");
    rule.match_indices(&start).any(|(at, found)| {
        let next = rule.get(at + found.len()..).and_then(|rest| rest.chars().next());
        next.is_none_or(|c| !c.is_alphanumeric() && c != '_')
    })
}
