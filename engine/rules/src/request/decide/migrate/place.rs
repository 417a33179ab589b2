//! Whether what a request has reached has its place in the new version.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{circuit, moved, reason};
use crate::language::facts::{prices_of, rules_of};
use crate::process::{Definition, Field, Plan};
use crate::request::bindings::is_personal;
use crate::request::clock::{Clock, ClockStatus};
use crate::request::decide::board::SILENCE;
use crate::request::decide::decision::{Decision, failed};
use crate::request::form::{self, Place};
use crate::request::happened::Migrated;
use crate::request::migration::{ClockPolicy, Mapping};
use crate::request::rejection::FieldFault;
use crate::request::state::{Request, Stage, TaskStatus};
use crate::request::{Rejection, bindings};

/// Every reason against it. `preview` is the request as the event would leave it.
pub(super) fn reasons(
    d: &Decision<'_>,
    target: &Plan,
    preview: &Request,
    event: &Migrated,
    skipped: &BTreeSet<String>,
) -> Result<Vec<FieldFault>, Rejection> {
    let (request, new) = (d.request()?, target.definition());
    let mut found = doors(request, new);
    found.extend(fields(d, target, preview)?);
    found.extend(tasks(request, new, event, skipped));
    found.extend(reports(request, preview, d.plan, target, event));
    let renamed = event.circuit.as_ref().map(|circuit| circuit.renamed.clone()).unwrap_or_default();
    let mapping = Mapping { steps: renamed, ..Mapping::default() };
    found.extend(circuit::reasons(d, target, event.circuit.as_ref(), &mapping)?);
    if event.promises == ClockPolicy::Keep {
        found.extend(promises(d.plan.definition(), preview, new));
    }
    Ok(found)
}

/// The way it came in, and who opened it, must still be foreseen: rules ask for both.
fn doors(request: &Request, new: &Definition) -> Vec<FieldFault> {
    let mut found = Vec::new();
    if !new.channels.is_empty() && !new.channels.contains(&request.channel) {
        found.push(reason::channel_closed("/channel".into(), request.channel.id()));
    }
    if !new.open_to.contains(&request.opened_by) {
        let word = serde_json::to_value(request.opened_by).unwrap_or_default();
        found.push(reason::not_open("/opened_by".into(), word.as_str().unwrap_or_default()));
    }
    found
}

fn fields(d: &Decision<'_>, target: &Plan, preview: &Request) -> Result<Vec<FieldFault>, Rejection> {
    let fields = &target.definition().form;
    let mut found = Vec::new();
    for field in fields {
        if let Some(value) = preview.form.get(&field.field)
            && !fits(field, value)
        {
            found.push(reason::field_unfit(format!("/form/{}", field.field), &field.field));
        }
    }
    let missing = |plan: &Plan, request: &Request| {
        let place = (plan.definition().form.as_slice(), Place::Form);
        let facts = bindings(request, plan);
        form::presence(plan, place, (&request.form, &Map::new()), facts, true).map_err(|error| failed(&error))
    };
    // What the old version had let pass as well is nothing new.
    let old: Vec<String> = missing(d.plan, d.request()?)?.into_iter().map(|fault| fault.pointer).collect();
    for fault in missing(target, preview)?.into_iter().filter(|fault| !old.contains(&fault.pointer)) {
        let field = fault.pointer.trim_start_matches('/');
        found.push(reason::field_missing(format!("/form/{field}"), field));
    }
    Ok(found)
}

/// Whether a value is one of the field. Limits are for those who fill in a form; what was taken once stays taken.
fn fits(field: &Field, value: &Value) -> bool {
    let personal = field.personal || field.kind.is_personal();
    if personal || is_personal(value) {
        return personal == is_personal(value);
    }
    let loose = Field {
        accept: Vec::new(),
        at_most: None,
        max_size: None,
        min: None,
        max: None,
        max_length: None,
        ..field.clone()
    };
    let given = Map::from_iter([(field.field.clone(), value.clone())]);
    form::typed(std::slice::from_ref(&loose), &given).faults.is_empty()
}

/// Tasks under way must exist, and nothing may come before what has begun.
fn tasks(
    request: &Request,
    new: &Definition,
    event: &Migrated,
    skipped: &BTreeSet<String>,
) -> Vec<FieldFault> {
    let at = |task: &str| format!("/tasks/{task}");
    let mut found = Vec::new();
    for (task, state) in &request.tasks {
        if state.status == TaskStatus::Open && new.task(event.task(task)).is_none() {
            found.push(reason::task_gone(at(task), task));
        }
    }
    // Once the answer may go out, the treatment is over.
    if matches!(request.stage, Stage::Validated { .. }) {
        return found;
    }
    for (before, later) in moved::before_begun(request, new, |task| event.task(task).to_owned()) {
        if !skipped.contains(&before) {
            found.push(reason::task_before(at(&before), &before, &later));
        }
    }
    found
}

/// Rules still to be asked must find what they read in the reports of tasks that are done.
fn reports(
    request: &Request,
    preview: &Request,
    old: &Plan,
    new: &Plan,
    event: &Migrated,
) -> Vec<FieldFault> {
    let mut read = BTreeSet::new();
    let rules = rules_of(new.definition()).into_iter().chain(prices_of(new.definition()));
    for rule in rules.filter(|rule| ahead(&rule.pointer, preview, new)) {
        let paths = new.expression(rule.text).into_iter().flat_map(|rule| rule.reads());
        read.extend(paths.filter_map(reported).map(|(task, field)| (task.to_owned(), field.to_owned())));
    }
    let old_field = |task: &str, field: &str| {
        let was = request.tasks.keys().find(|was| event.task(was) == task)?;
        old.definition().task(was)?.report.iter().find(|sheet| sheet.field == field)
    };
    let lacks = |(task, field): &&(String, String)| {
        let done = preview.tasks.get(task).filter(|state| state.status == TaskStatus::Done);
        let sheet = new.definition().task(task).and_then(|s| s.report.iter().find(|f| f.field == *field));
        let (Some(done), Some(sheet)) = (done, sheet) else { return false };
        match done.report.get(field) {
            Some(value) => !fits(sheet, value),
            // A field that could be left out could be left out.
            None => old_field(task, field).is_none_or(|old| old.kind != sheet.kind),
        }
    };
    let found = read.iter().filter(lacks);
    found
        .map(|(task, field)| reason::report_lacks(format!("/tasks/{task}/report/{field}"), task, field))
        .collect()
}

/// The task and field of `tasks.<task>.report.<field>`.
fn reported(path: &str) -> Option<(&str, &str)> {
    let (task, rest) = path.strip_prefix("tasks.")?.split_once('.')?;
    let field = rest.strip_prefix("report.")?;
    Some((task, field.split('.').next().unwrap_or(field)))
}

/// Whether a rule of the new version may still be asked.
fn ahead(pointer: &str, preview: &Request, new: &Plan) -> bool {
    let mut parts = pointer.split('/').skip(1);
    let (room, index) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let index: Option<usize> = index.parse().ok();
    let validated = matches!(preview.stage, Stage::Validated { .. });
    match room {
        "treatment" => {
            let sheet = index.and_then(|index| new.definition().treatment.get(index));
            let state = sheet.and_then(|sheet| preview.tasks.get(&sheet.task));
            !validated && state.is_none_or(|state| state.status == TaskStatus::Open)
        }
        "validation" | "payment" => !validated,
        "commitments" => {
            let sheet = index.and_then(|index| new.definition().commitments.get(index));
            let clock = sheet.and_then(|sheet| preview.clock(&sheet.commitment));
            clock.is_none_or(is_live)
        }
        _ => false,
    }
}

fn is_live(clock: &Clock) -> bool {
    matches!(clock.status, ClockStatus::Running | ClockStatus::Paused)
}

/// Promises that are kept as they are need their sheet, which says when they stop, and their calendar.
fn promises(old: &Definition, preview: &Request, new: &Definition) -> Vec<FieldFault> {
    let mut found = Vec::new();
    for clock in preview.live_clocks() {
        let name = &clock.commitment;
        let at = || format!("/clocks/{name}");
        if name == SILENCE {
            if old.law.silence != new.law.silence {
                found.push(reason::law_changed(at()));
            }
        } else if new.commitment(name).is_none() {
            found.push(reason::promise_gone(at(), name));
        }
        if !new.calendars.contains_key(&clock.calendar) {
            found.push(reason::calendar_gone(at(), &clock.calendar));
        }
    }
    found
}
