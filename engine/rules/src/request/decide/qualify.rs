//! Saying which process it is, completing and rating it, and giving it to another service.

use serde_json::{Map, Value, json};

use super::decision::{Decision, failed};
use super::{REASON, bill, passing, said};
use crate::process::{Complexity, Field, Plan, Priority};
use crate::request::bindings::is_personal;
use crate::request::form::{self, Place};
use crate::request::happened::{Reassigned, Reclassified};
use crate::request::rejection::FieldFault;
use crate::request::state::Stage;
use crate::request::{Personal, Rejection, bindings, refusal};

pub(super) fn qualify(
    d: &mut Decision<'_>,
    process: Option<&str>,
    rated: (Option<Complexity>, Option<Priority>),
    given: &Map<String, Value>,
) -> Result<(), Rejection> {
    let request = d.unfinished()?;
    match request.stage {
        Stage::Received => match &d.plan.definition().qualification.by {
            Some(party) => d.one_of(party).map(|_| ())?,
            None => d.staff().map(|_| ())?,
        },
        // A service may find that it is something else than the front office thought.
        Stage::Assigned => d.handler().map(|_| ())?,
        Stage::Qualified
        | Stage::InValidation(_)
        | Stage::Validated { .. }
        | Stage::Delivered { .. }
        | Stage::Withdrawn
        | Stage::Cancelled
        | Stage::Refused
        | Stage::Forwarded { .. }
        | Stage::Merged { .. } => return Err(d.wrong_stage()),
    }
    match process.filter(|process| *process != request.process) {
        Some(process) => {
            reclassify(d, process, given)?;
            passing::qualify_with(d, rated, Map::new())
        }
        None => {
            let form = completed(d, given, true)?;
            passing::qualify_with(d, rated, form)
        }
    }
}

/// Fields given later than at receipt: checked by themselves and together with those there are.
pub(super) fn completed(
    d: &Decision<'_>,
    given: &Map<String, Value>,
    whole: bool,
) -> Result<Map<String, Value>, Rejection> {
    let fields = &d.plan.definition().form;
    let typed = form::typed(fields, given);
    let mut form = d.request()?.form.clone();
    crate::request::merge_form(&mut form, &typed.form);
    let mut faults = typed.faults;
    let found = form::presence(d.plan, (fields, Place::Form), (&form, given), d.bindings()?, whole)
        .map_err(|error| failed(&error))?;
    let new = |fault: &FieldFault| !faults.iter().any(|known| known.pointer.starts_with(&fault.pointer));
    let found: Vec<FieldFault> = found.into_iter().filter(new).collect();
    faults.extend(found);
    form::refuse(faults)?;
    Ok(typed.form)
}

fn reclassify(d: &mut Decision<'_>, process: &str, given: &Map<String, Value>) -> Result<(), Rejection> {
    let offered = |plan: &&Plan| {
        let definition = plan.definition();
        definition.process == process && definition.tenants.iter().any(|tenant| tenant == d.facts.tenant)
    };
    let target = d.facts.target.filter(offered).ok_or_else(|| refusal::process_unknown(process))?;
    let fields = &target.definition().form;
    let request = d.request()?;
    let mut carried = carried(&request.form, &d.plan.definition().form, fields);
    let typed = form::typed(fields, given);
    carried.extend(typed.form.clone());
    let event = Reclassified {
        from: request.process.clone(),
        process: process.to_owned(),
        definition: target.hash().clone(),
        form: carried,
    };
    let preview = d.preview(event.clone()).ok_or_else(refusal::request_unknown)?;
    let mut faults = typed.faults;
    let facts = bindings(&preview, target);
    let found = form::presence(target, (fields, Place::Form), (&preview.form, given), facts, true)
        .map_err(|error| failed(&error))?;
    let new = |fault: &FieldFault| !faults.iter().any(|known| known.pointer.starts_with(&fault.pointer));
    let found: Vec<FieldFault> = found.into_iter().filter(new).collect();
    faults.extend(found);
    form::refuse(faults)?;
    d.plan = target;
    d.emit(event)?;
    bill::reclassified(d)
}

/// What the new form can take over: fields of the same name and type whose value fits it as it is.
fn carried(form: &Map<String, Value>, old: &[Field], new: &[Field]) -> Map<String, Value> {
    let fits = |name: &String, value: &Value| {
        let (old, new) = (old.iter().find(|f| f.field == *name)?, new.iter().find(|f| f.field == *name)?);
        let personal = new.personal || new.kind.is_personal();
        if old.kind != new.kind || personal != is_personal(value) {
            return None;
        }
        if personal {
            // Its value is sealed in the event that brought it; here it can only be said that it stays.
            return Some(json!({ "$kept": true }));
        }
        let given = Map::from_iter([(name.clone(), value.clone())]);
        form::typed(std::slice::from_ref(new), &given).form.remove(name)
    };
    form.iter().filter_map(|(name, value)| Some((name.clone(), fits(name, value)?))).collect()
}

pub(super) fn reassign(d: &mut Decision<'_>, to: &str, reason: &str) -> Result<(), Rejection> {
    let request = d.unfinished()?;
    if request.stage != Stage::Assigned {
        d.staff()?;
        return Err(d.wrong_stage());
    }
    d.handler()?;
    let to = to.strip_prefix("service:").unwrap_or(to);
    let from = request.service.clone().unwrap_or_default();
    let known = d.facts.organisation.service(to).is_some_and(|service| service.tenant == d.facts.tenant);
    if !known {
        return Err(refusal::service_unknown(to));
    }
    if from == to {
        return Err(refusal::service_same(to));
    }
    let reason = Personal::requester(said(reason, REASON)?.to_owned());
    d.emit(Reassigned { from, to: to.to_owned(), reason })
}
