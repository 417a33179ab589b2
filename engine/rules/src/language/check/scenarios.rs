//! Scenarios speak of fields, tasks, steps and commitments that their process has.

use super::Whole;
use crate::language::diagnostic::{Fault, nearest};
use crate::language::sheet::{Action, Step};
use crate::language::source::Mark;
use crate::process::{Definition, Silence};
use crate::request::Command;

pub(super) fn check(whole: &Whole<'_>, faults: &mut Vec<Fault>) {
    for file in whole.scenarios {
        let sheet =
            |process: &str| whole.sheets.iter().find(|s| s.complete && s.definition.process == process);
        let Some(first) = sheet(&file.process) else { continue };
        for scenario in &file.scenarios {
            let mut now = first;
            for (place, step) in scenario.steps.iter().enumerate() {
                // From here on it is a request of another process, with other fields, tasks and promises.
                if let Some(other) = reclassified(step) {
                    let Some(known) = sheet(other) else {
                        other_process(other, step, whole, faults);
                        break;
                    };
                    now = known;
                }
                one(step, &now.definition, faults);
                let refused = scenario.steps.get(place + 1);
                if !refused.is_some_and(|next| matches!(next.action, Action::ExpectRefused(_))) {
                    passed_on(step, &now.definition, whole, faults);
                }
            }
        }
    }
}

/// A request that turns out to be another one needs that other process.
fn other_process(process: &str, step: &Step, whole: &Whole<'_>, faults: &mut Vec<Fault>) {
    if !whole.unreadable.contains(process) {
        let known = whole.sheets.iter().map(|s| s.definition.process.as_str()).collect::<Vec<_>>();
        unknown(process, &known, step.mark, "process.unknown", "fiche inconnue", "unknown process", faults);
    }
}

/// What is passed on to a collectivity of the installation waits there for ever, if it offers no such process.
fn passed_on(step: &Step, definition: &Definition, whole: &Whole<'_>, faults: &mut Vec<Fault>) {
    let Action::Do(command) = &step.action else { return };
    let Command::Forward { to, process, .. } = command.as_ref() else { return };
    let to = to.strip_prefix("tenant:").unwrap_or(to);
    if whole.library.organisation.tenant(to).is_none() {
        return;
    }
    let process = process.as_deref().unwrap_or(&definition.process);
    let Some(sheet) = whole.sheets.iter().find(|sheet| sheet.definition.process == process) else {
        return other_process(process, step, whole, faults);
    };
    if sheet.complete && !sheet.definition.tenants.iter().any(|tenant| tenant == to) {
        let (fr, en) = (
            format!("`{to}` ne propose pas la démarche `{process}`"),
            format!("`{to}` does not offer the process `{process}`"),
        );
        faults.push(Fault::warning("forward.not_offered", step.mark, fr, en).help(
            "nommez après `process` une démarche que cette collectivité propose",
            "name after `process` a process that this collectivity offers",
        ));
    }
}

/// The process that a step gives the request to.
fn reclassified(step: &Step) -> Option<&str> {
    match &step.action {
        Action::Do(command) => match command.as_ref() {
            Command::Qualify { process, .. } => process.as_deref(),
            _ => None,
        },
        _ => None,
    }
}

fn one(step: &Step, definition: &Definition, faults: &mut Vec<Fault>) {
    let form = || definition.form.iter().map(|f| f.field.as_str());
    let tasks = || definition.treatment.iter().map(|t| t.task.as_str());
    let steps = || definition.validation.circuit.iter().flat_map(|c| &c.steps).map(|s| s.step.as_str());
    // The legal clock is called `silence`, where there is one.
    let legal = (definition.law.silence != Silence::None).then_some("silence");
    let promises = || definition.commitments.iter().map(|c| c.commitment.as_str()).chain(legal);
    let mut known = |name: &str, known: Vec<&str>, code, fr: &str, en: &str| {
        unknown(name, &known, step.mark, code, fr, en, faults);
    };
    let field = ("field.unknown", "champ inconnu", "unknown field");
    match &step.action {
        Action::Do(command) => match command.as_ref() {
            Command::Receive { form: given, .. }
            | Command::Qualify { form: given, .. }
            | Command::Reply { form: given, .. } => {
                given.keys().for_each(|name| known(name, form().collect(), field.0, field.1, field.2));
            }
            Command::Complete { task, report } => {
                known(task, tasks().collect(), "task.unknown", "tâche inconnue", "unknown task");
                if let Some(task) = definition.task(task) {
                    let fields: Vec<&str> = task.report.iter().map(|f| f.field.as_str()).collect();
                    report.keys().for_each(|name| known(name, fields.clone(), field.0, field.1, field.2));
                }
            }
            Command::Approve { step } | Command::Return { step, .. } | Command::Delegate { step, .. } => {
                known(step, steps().collect(), "step.unknown", "étape inconnue", "unknown step");
            }
            Command::Extend { commitment, .. } => {
                known(
                    commitment,
                    promises().collect(),
                    "commitment.unknown",
                    "engagement inconnu",
                    "unknown commitment",
                );
            }
            _ => {}
        },
        Action::Expect(expected) => {
            let lists = [&expected.kept, &expected.broken, &expected.warned];
            let named = lists.into_iter().flatten().flatten();
            for name in expected.due.keys().chain(named) {
                known(
                    name,
                    promises().collect(),
                    "commitment.unknown",
                    "engagement inconnu",
                    "unknown commitment",
                );
            }
            for name in expected.tasks.keys() {
                known(name, tasks().collect(), "task.unknown", "tâche inconnue", "unknown task");
            }
            if let Some(name) = &expected.approver_of {
                known(name, steps().collect(), "step.unknown", "étape inconnue", "unknown step");
            }
        }
        Action::SuspendUntil { .. }
        | Action::MergeInto(_)
        | Action::Wait(_)
        | Action::Outage(_)
        | Action::ExpectRefused(_)
        | Action::Deal(_) => {}
    }
}

fn unknown(
    name: &str,
    known: &[&str],
    mark: Mark,
    code: &'static str,
    fr: &str,
    en: &str,
    faults: &mut Vec<Fault>,
) {
    if known.contains(&name) {
        return;
    }
    let mut fault = Fault::error(code, mark, format!("{fr} : `{name}`"), format!("{en}: `{name}`"));
    let list = known.join(", ");
    fault = match nearest(name, known.iter().copied()) {
        Some(near) => fault.help(format!("vouliez-vous dire `{near}` ?"), format!("did you mean `{near}`?")),
        None if list.is_empty() => fault,
        None if known.len() > 20 => fault,
        None => fault.help(format!("on connaît : {list}"), format!("known: {list}")),
    };
    faults.push(fault);
}
