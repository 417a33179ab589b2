//! The approval circuit under way.

use std::collections::BTreeMap;

use super::reason;
use crate::process::{CircuitStep, Definition, Plan};
use crate::request::decide::approve::approvers;
use crate::request::decide::decision::{Decision, failed};
use crate::request::migration::{CircuitMoved, Mapping, renamed};
use crate::request::rejection::FieldFault;
use crate::request::state::{Approval, Stage};
use crate::request::{Rejection, bindings};

fn under_way<'d>(d: &'d Decision<'_>) -> Result<Option<&'d Approval>, Rejection> {
    Ok(if let Stage::InValidation(approval) = &d.request()?.stage { Some(approval) } else { None })
}

fn steps(definition: &Definition) -> impl Iterator<Item = &CircuitStep> {
    definition.validation.circuit.iter().flat_map(|circuit| &circuit.steps)
}

/// The circuit as the new version has it: what was needed and still exists, and what is new and needed.
pub(super) fn moved(
    d: &Decision<'_>,
    target: &Plan,
    mapping: &Mapping,
) -> Result<Option<CircuitMoved>, Rejection> {
    let Some(approval) = under_way(d)? else { return Ok(None) };
    let new = target.definition();
    let Some(circuit) = &new.validation.circuit else { return Ok(None) };
    let needed: Vec<&str> = approval.steps.iter().map(|step| renamed(&mapping.steps, step)).collect();
    let known: Vec<&str> =
        steps(d.plan.definition()).map(|step| renamed(&mapping.steps, &step.step)).collect();
    let facts = bindings(d.request()?, target);
    let mut kept = Vec::new();
    for step in &circuit.steps {
        let holds = || match &step.when {
            Some(rule) => target.holds(rule, &facts).map_err(|error| failed(&error)),
            None => Ok(true),
        };
        if needed.contains(&step.step.as_str()) || (!known.contains(&step.step.as_str()) && holds()?) {
            kept.push(step.step.clone());
        }
    }
    let names: BTreeMap<String, String> = mapping
        .steps
        .iter()
        .filter(|(from, to)| from != to && approval.steps.contains(from))
        .map(|(from, to)| (from.clone(), to.clone()))
        .collect();
    Ok(Some(CircuitMoved { circuit: circuit.circuit.clone(), steps: kept, renamed: names }))
}

/// Whether the step that awaits its approvers, and those before and after it, have their place.
pub(super) fn reasons(
    d: &Decision<'_>,
    target: &Plan,
    moved: Option<&CircuitMoved>,
    mapping: &Mapping,
) -> Result<Vec<FieldFault>, Rejection> {
    let Some(approval) = under_way(d)? else { return Ok(Vec::new()) };
    let Some(moved) = moved else {
        return Ok(vec![reason::circuit_gone("/circuit".into(), &approval.circuit)]);
    };
    let Some(open) = &approval.open else { return Ok(Vec::new()) };
    let at = |step: &str| format!("/circuit/{step}");
    let (old, new) = (d.plan.definition(), target.definition());
    let name = renamed(&mapping.steps, &open.step);
    let mut found = Vec::new();
    let old_sheet = steps(old).find(|step| step.step == open.step);
    let Some(sheet) = steps(new).find(|step| step.step == name) else {
        return Ok(vec![reason::step_gone(at(&open.step), &open.step)]);
    };
    let decides = |step: &CircuitStep| (step.by.clone(), step.rule, step.exclude.clone(), step.veto.clone());
    if old_sheet.is_none_or(|old| decides(old) != decides(sheet)) {
        found.push(reason::step_people(at(name), name));
    }
    let passed = |step: &str| approval.passed.iter().any(|(was, _)| renamed(&mapping.steps, was) == step);
    let place = moved.steps.iter().position(|step| step == name).unwrap_or_default();
    for (index, step) in moved.steps.iter().enumerate().filter(|(_, step)| *step != name && !passed(step)) {
        if index < place {
            found.push(reason::step_before(at(step), step));
        } else if let Some(sheet) = steps(new).find(|sheet| sheet.step == *step)
            && approvers(d, sheet, &approval.author, &[])?.is_empty()
        {
            found.push(reason::step_nobody(at(step), step));
        }
    }
    Ok(found)
}
