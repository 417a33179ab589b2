//! Stages that pass by themselves, in the same append as the command that made it possible.

use super::answer::circuit_needed;
use super::approve::open_step;
use super::decision::{Decision, failed};
use super::deliver;
use super::moments::treated;
use super::payment;
use crate::process::{Complexity, Delivery, Priority, Simple, TaskSheet};
use crate::request::happened::{
    Assigned, Delivered, DeliveryOpened, Qualified, TaskOpened, TaskSkipped, Validated,
};
use crate::request::state::Stage;
use crate::request::{Rejection, bindings};

/// Goes on until nothing passes any more.
pub(super) fn pass(d: &mut Decision<'_>) -> Result<(), Rejection> {
    loop {
        pass_to_treatment(d)?;
        if !pass_one(d)? {
            return Ok(());
        }
    }
}

/// Goes on as far as the treatment: qualified, assigned, tasks opened or skipped.
pub(super) fn pass_to_treatment(d: &mut Decision<'_>) -> Result<(), Rejection> {
    while match d.known().map(|request| &request.stage) {
        Some(Stage::Received) => d.plan.definition().qualification.by.is_none() && qualify(d, (None, None))?,
        Some(Stage::Qualified) => assign(d)?,
        Some(Stage::Assigned) => tasks(d)?,
        Some(
            Stage::InValidation(_)
            | Stage::Validated { .. }
            | Stage::Delivered { .. }
            | Stage::Withdrawn
            | Stage::Cancelled
            | Stage::Refused
            | Stage::Forwarded { .. }
            | Stage::Merged { .. },
        )
        | None => false,
    } {}
    Ok(())
}

/// One step beyond the treatment, if one passes by itself.
fn pass_one(d: &mut Decision<'_>) -> Result<bool, Rejection> {
    let Some(request) = d.known() else { return Ok(false) };
    match &request.stage {
        Stage::Assigned => validate(d),
        Stage::InValidation(approval) if approval.open.is_none() => {
            let passed = |step: &&String| approval.passed.iter().any(|(name, _)| name == *step);
            match approval.steps.iter().find(|step| !passed(step)).cloned() {
                Some(step) => open_step(d, &step)?,
                None => {
                    let by = approval.passed.last().and_then(|(_, people)| people.last().cloned());
                    d.emit(Validated { by })?;
                }
            }
            Ok(true)
        }
        Stage::Validated { by: None, .. } if request.unpaid().is_some() => Ok(false),
        // What a patroller saw on the round was asked for by nobody: there is nobody to bring the answer to.
        Stage::Validated { by: None, .. } if deliver::nobody_asked(request) => {
            d.emit(Delivered { by: Delivery::Screen })?;
            Ok(true)
        }
        Stage::Validated { by: None, failed } => {
            let by = deliver::means(request, d.plan, failed);
            d.emit(DeliveryOpened { by })?;
            Ok(true)
        }
        Stage::Received
        | Stage::Qualified
        | Stage::InValidation(_)
        | Stage::Validated { .. }
        | Stage::Delivered { .. }
        | Stage::Withdrawn
        | Stage::Cancelled
        | Stage::Refused
        | Stage::Forwarded { .. }
        | Stage::Merged { .. } => Ok(false),
    }
}

/// Qualified by the rules, as far as nobody said otherwise.
pub(super) fn qualify(
    d: &mut Decision<'_>,
    (complexity, priority): (Option<Complexity>, Option<Priority>),
) -> Result<bool, Rejection> {
    qualify_with(d, (complexity, priority), serde_json::Map::new())?;
    Ok(true)
}

/// [`qualify`], with fields that an agent completed and that the rules already see.
pub(super) fn qualify_with(
    d: &mut Decision<'_>,
    (complexity, priority): (Option<Complexity>, Option<Priority>),
    form: serde_json::Map<String, serde_json::Value>,
) -> Result<(), Rejection> {
    let mut request = d.request()?.clone();
    crate::request::merge_form(&mut request.form, &form);
    let facts = bindings(&request, d.plan);
    let sheet = &d.plan.definition().qualification;
    let (complexity, complexity_rule) = match complexity {
        Some(said) => (said, None),
        None if sheet.complexity.is_empty() => (Complexity::default(), None),
        None => {
            let (rule, given) = d.plan.first(&sheet.complexity, &facts).map_err(|error| failed(&error))?;
            (*given, Some(format!("/qualification/complexity/{rule}")))
        }
    };
    let (priority, priority_rule) = match priority {
        Some(said) => (said, None),
        None if sheet.priority.is_empty() => (Priority::default(), None),
        None => {
            let (rule, given) = d.plan.first(&sheet.priority, &facts).map_err(|error| failed(&error))?;
            (*given, Some(format!("/qualification/priority/{rule}")))
        }
    };
    d.emit(Qualified { complexity, priority, complexity_rule, priority_rule, form })
}

fn assign(d: &mut Decision<'_>) -> Result<bool, Rejection> {
    let facts = d.bindings()?;
    let (rule, service) =
        d.plan.first(&d.plan.definition().assignment, &facts).map_err(|error| failed(&error))?;
    let service = service.strip_prefix("service:").unwrap_or(service).to_owned();
    d.emit(Assigned { service, rule: Some(format!("/assignment/{rule}")) })?;
    Ok(true)
}

/// Opens or skips the tasks whose turn has come; whether there was one.
fn tasks(d: &mut Decision<'_>) -> Result<bool, Rejection> {
    let plan = d.plan;
    if payment::holds_treatment(d.request()?).is_some() {
        return Ok(false);
    }
    let mut moved = false;
    for (index, sheet) in plan.definition().treatment.iter().enumerate() {
        if !is_due(d, sheet)? {
            continue;
        }
        if d.holds(sheet.when.as_deref())? {
            let due = sheet.within.map(|budget| d.term(d.at, budget)).transpose()?;
            d.emit(TaskOpened { task: sheet.task.clone(), by: sheet.by.clone(), due })?;
        } else {
            d.emit(TaskSkipped { task: sheet.task.clone(), rule: format!("/treatment/{index}/when") })?;
        }
        moved = true;
    }
    Ok(moved)
}

/// Whether a task has not been looked at yet and all those before it are finished.
fn is_due(d: &Decision<'_>, sheet: &TaskSheet) -> Result<bool, Rejection> {
    let request = d.request()?;
    let finished = |task: &String| request.tasks.get(task).is_some_and(|task| task.status.is_finished());
    Ok(!request.tasks.contains_key(&sheet.task) && sheet.after.iter().all(finished))
}

/// Validated by itself: everything is done, the sheet asks for no other answer, and the request does not rest.
fn validate(d: &mut Decision<'_>) -> Result<bool, Rejection> {
    let request = d.request()?;
    let by_itself = d.plan.definition().validation.otherwise == Simple::Automatic;
    let unpaid = payment::holds_treatment(request).is_some();
    if !by_itself
        || unpaid
        || request.hold.is_some()
        || treated(request, d.plan).is_none()
        || circuit_needed(d)?
    {
        return Ok(false);
    }
    d.emit(Validated { by: None })?;
    Ok(true)
}
