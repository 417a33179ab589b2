//! Taking a request, and doing its tasks.

use serde_json::{Map, Value};

use super::decision::{Decision, failed};
use crate::process::TaskSheet;
use crate::request::form::{self, Place};
use crate::request::happened::{Claimed, Released, TaskCompleted};
use crate::request::rejection::FieldFault;
use crate::request::state::{Stage, TaskStatus};
use crate::request::{Rejection, refusal};

pub(super) fn claim(d: &mut Decision<'_>) -> Result<(), Rejection> {
    let request = d.unfinished()?;
    if request.service.is_none() {
        d.staff()?;
        return Err(d.wrong_stage());
    }
    let agent = d.in_charge()?.person.clone();
    match &request.agent {
        Some(other) => Err(refusal::claim_taken(other)),
        None => d.emit(Claimed { agent }),
    }
}

/// The agent gives it back; so may the head of the service, for someone who is away.
pub(super) fn release(d: &mut Decision<'_>) -> Result<(), Rejection> {
    let request = d.unfinished()?;
    let person = d.staff()?;
    let service = request.service.as_deref().and_then(|id| d.facts.organisation.service(id));
    let head = service.and_then(|service| service.head.as_ref()) == Some(&person.person);
    match request.agent.clone() {
        Some(agent) if agent == person.person || head => d.emit(Released { agent }),
        Some(_) | None => Err(refusal::claim_not_yours()),
    }
}

pub(super) fn complete(
    d: &mut Decision<'_>,
    task: &str,
    report: &Map<String, Value>,
) -> Result<(), Rejection> {
    let request = d.unfinished()?;
    let plan = d.plan;
    let Some(sheet) = plan.definition().task(task) else {
        d.staff()?;
        return Err(refusal::task_unknown(task));
    };
    d.one_of(&sheet.by)?;
    let open = request.tasks.get(task).is_some_and(|task| task.status == TaskStatus::Open);
    if !open || request.stage != Stage::Assigned {
        return Err(refusal::task_not_open(task));
    }
    let report = checked(d, sheet, report)?;
    d.emit(TaskCompleted { task: task.to_owned(), report })
}

fn checked(
    d: &Decision<'_>,
    sheet: &TaskSheet,
    given: &Map<String, Value>,
) -> Result<Map<String, Value>, Rejection> {
    let typed = form::typed(&sheet.report, given);
    let mut faults = typed.faults;
    let place = (sheet.report.as_slice(), Place::Report(&sheet.task));
    let found = form::presence(d.plan, place, (&typed.form, given), d.bindings()?, true)
        .map_err(|error| failed(&error))?;
    let new = |fault: &FieldFault| !faults.iter().any(|known| known.pointer.starts_with(&fault.pointer));
    let found: Vec<FieldFault> = found.into_iter().filter(new).collect();
    faults.extend(found);
    form::refuse(faults)?;
    Ok(typed.form)
}
