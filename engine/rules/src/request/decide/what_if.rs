//! What the promises of a request would have been under other versions of its process, what people did being what it
//! was. Nothing is decided: the history is followed event by event, and its clocks are kept by the other sheet.

use super::clocks;
use crate::process::Plan;
use crate::request::evolve::{apply_clock, evolve};
use crate::request::happened::Qualified;
use crate::request::state::{Meta, Request};
use crate::request::{Event, Rejection, What, bindings, merge_form, refusal};

/// The request as its history leaves it, with the clocks that `plan_of` its process would have given it. Complexity
/// and priority that rules found are found by the new rules; what a person said stays.
///
/// # Errors
/// `process.unknown` where the request was of a process that `plan_of` does not know; `rule.failed` and the like where
/// a rule cannot be evaluated on what was asked at the time.
pub fn clocks_under<'p>(
    history: &[(Event, Meta)],
    plan_of: &dyn Fn(&str) -> Option<&'p Plan>,
) -> Result<Option<Request>, Rejection> {
    let mut request: Option<Request> = None;
    for (event, meta) in history {
        let hold = request.as_ref().and_then(|request| request.hold.clone());
        let what = rated(&event.what, request.as_ref(), plan_of)?;
        let bare = Event { what, clocks: Vec::new() };
        let Some(mut after) = evolve(request.take(), &bare, meta) else { continue };
        let plan = plan_of(&after.process).ok_or_else(|| refusal::process_unknown(&after.process))?;
        // The other version applies from the beginning: there is nothing to carry over.
        if !matches!(bare.what, What::Migrated(_)) {
            for change in clocks::changes(&bare.what, &after, hold.as_ref(), plan, meta.occurred_at)? {
                apply_clock(&mut after.clocks, after.cycle, &change, meta.occurred_at);
            }
        }
        request = Some(after);
    }
    Ok(request)
}

/// The event, rated by the rules of the other version where rules had rated it.
fn rated<'p>(
    what: &What,
    request: Option<&Request>,
    plan_of: &dyn Fn(&str) -> Option<&'p Plan>,
) -> Result<What, Rejection> {
    let (What::Qualified(event), Some(request)) = (what, request) else { return Ok(what.clone()) };
    let Some(plan) = plan_of(&request.process) else { return Ok(what.clone()) };
    let mut seen = request.clone();
    merge_form(&mut seen.form, &event.form);
    let facts = bindings(&seen, plan);
    let sheet = &plan.definition().qualification;
    let failed = |error: &crate::process::PlanError| refusal::rule_failed(&error.to_string());
    let mut event: Qualified = event.clone();
    if event.complexity_rule.is_some() && !sheet.complexity.is_empty() {
        event.complexity = *plan.first(&sheet.complexity, &facts).map_err(|error| failed(&error))?.1;
    }
    if event.priority_rule.is_some() && !sheet.priority.is_empty() {
        event.priority = *plan.first(&sheet.priority, &facts).map_err(|error| failed(&error))?.1;
    }
    Ok(What::Qualified(event))
}
