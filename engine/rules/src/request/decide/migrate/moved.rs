//! What becomes of the parts of a request: worked out before it is asked whether they have their place.

use std::collections::{BTreeMap, BTreeSet};

use super::{Wish, circuit};
use crate::process::{Definition, Plan};
use crate::request::Rejection;
use crate::request::decide::decision::Decision;
use crate::request::happened::Migrated;
use crate::request::migration::{ClockPolicy, Mapping, TaskMoved, renamed};
use crate::request::state::{Request, Task, TaskStatus};

/// The event as it would be, and the new tasks that the request does without.
pub(super) fn moved(
    d: &Decision<'_>,
    target: &Plan,
    (policy, mapping): Wish<'_>,
    plan: Option<String>,
) -> Result<(Migrated, BTreeSet<String>), Rejection> {
    let request = d.request()?;
    let skipped = skipped(request, target.definition(), mapping);
    let event = Migrated {
        from: request.definition.clone(),
        definition: target.hash().clone(),
        plan,
        promises: policy,
        tasks: tasks(d, target, (policy, mapping))?,
        fields: among(&mapping.fields, |field| request.form.contains_key(field)),
        commitments: among(&mapping.commitments, |name| request.clock(name).is_some()),
        circuit: circuit::moved(d, target, mapping)?,
    };
    Ok((event, skipped))
}

/// The names that there is something of.
fn among(names: &BTreeMap<String, String>, has: impl Fn(&str) -> bool) -> BTreeMap<String, String> {
    let there = names.iter().filter(|(from, to)| from != to && has(from));
    there.map(|(from, to)| (from.clone(), to.clone())).collect()
}

fn tasks(d: &Decision<'_>, target: &Plan, (policy, mapping): Wish<'_>) -> Result<Vec<TaskMoved>, Rejection> {
    let mut moved = Vec::new();
    for (from, task) in &d.request()?.tasks {
        let to = renamed(&mapping.tasks, from).to_owned();
        let open = task.status == TaskStatus::Open;
        let sheet = target.definition().task(&to).filter(|_| open);
        let by = sheet.map(|sheet| sheet.by.clone()).filter(|by| task.by.as_ref() != Some(by));
        let within = sheet.and_then(|sheet| sheet.within);
        let due = match (policy, within, open) {
            (_, _, false) => None,
            (ClockPolicy::Keep, _, true) => task.due,
            (ClockPolicy::Restart | ClockPolicy::RecomputeRemaining, None, true) => None,
            (ClockPolicy::Restart, Some(budget), true) => Some(d.term_of(target, d.at, budget)?),
            (ClockPolicy::RecomputeRemaining, Some(budget), true) => {
                Some(d.term_of(target, task.opened_at.unwrap_or(d.at), budget)?)
            }
        };
        if *from != to || by.is_some() || (open && due != task.due) {
            moved.push(TaskMoved { from: from.clone(), to, by, due });
        }
    }
    Ok(moved)
}

/// The new tasks before something that has begun, which the mapping lets the request do without.
fn skipped(request: &Request, new: &Definition, mapping: &Mapping) -> BTreeSet<String> {
    let before = before_begun(request, new, |name| renamed(&mapping.tasks, name).to_owned());
    before.into_iter().map(|(task, _)| task).filter(|task| mapping.skip.contains(task)).collect()
}

/// Tasks of the new version that come before one that has begun and that are not finished, each with the one begun.
pub(super) fn before_begun(
    request: &Request,
    new: &Definition,
    name: impl Fn(&str) -> String,
) -> Vec<(String, String)> {
    let state: BTreeMap<String, &Task> =
        request.tasks.iter().map(|(task, state)| (name(task), state)).collect();
    let begun = |task: &Task| matches!(task.status, TaskStatus::Open | TaskStatus::Done);
    let mut found = Vec::new();
    for task in state.iter().filter(|(_, task)| begun(task)).map(|(name, _)| name) {
        for before in ancestors(new, task) {
            if !state.get(&before).is_some_and(|task| task.status.is_finished()) {
                found.push((before, task.clone()));
            }
        }
    }
    found
}

/// All tasks that come before `task`.
fn ancestors(definition: &Definition, task: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut ahead = vec![task.to_owned()];
    while let Some(task) = ahead.pop() {
        for before in definition.task(&task).into_iter().flat_map(|sheet| &sheet.after) {
            if found.insert(before.clone()) {
                ahead.push(before.clone());
            }
        }
    }
    found
}
