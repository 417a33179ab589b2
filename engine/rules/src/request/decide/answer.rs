//! The answer: drafting it, and sending it to validation.

use super::decision::Decision;
use super::moments::treated;
use super::{approve, payment, said};
use crate::request::happened::{Drafted, Submitted, Validated};
use crate::request::state::Stage;
use crate::request::{Personal, Rejection, refusal};

/// What is missing where an answer is.
const ANSWER: (&str, &str) = ("la réponse", "the answer");

pub(super) fn draft(d: &mut Decision<'_>, text: &str) -> Result<(), Rejection> {
    in_treatment(d)?;
    let author = d.in_charge()?.person.clone();
    write(d, text, author)
}

pub(super) fn submit(d: &mut Decision<'_>) -> Result<(), Rejection> {
    in_treatment(d)?;
    d.in_charge()?;
    let author =
        d.request()?.draft.as_ref().map(|draft| draft.author.clone()).ok_or_else(refusal::draft_none)?;
    send(d, author)
}

pub(super) fn answer(d: &mut Decision<'_>, text: &str) -> Result<(), Rejection> {
    in_treatment(d)?;
    let author = d.in_charge()?.person.clone();
    write(d, text, author.clone())?;
    send(d, author)
}

/// Writes a draft down.
pub(super) fn write(d: &mut Decision<'_>, text: &str, author: String) -> Result<(), Rejection> {
    let text = Personal::requester(said(text, ANSWER)?.to_owned());
    d.emit(Drafted { text, author })
}

fn in_treatment(d: &Decision<'_>) -> Result<(), Rejection> {
    if d.unfinished()?.stage == Stage::Assigned {
        return Ok(());
    }
    d.staff()?;
    Err(d.wrong_stage())
}

/// The names of the tasks that are not finished.
pub(super) fn unfinished_tasks(d: &Decision<'_>) -> Result<Vec<String>, Rejection> {
    let request = d.request()?;
    let finished = |task: &String| request.tasks.get(task).is_some_and(|task| task.status.is_finished());
    let all = d.plan.definition().treatment.iter().map(|sheet| &sheet.task);
    Ok(all.filter(|task| !finished(task)).cloned().collect())
}

/// Whether the answer must go through the approval circuit.
pub(super) fn circuit_needed(d: &Decision<'_>) -> Result<bool, Rejection> {
    let validation = &d.plan.definition().validation;
    if validation.circuit.is_some() { d.holds(validation.when.as_deref()) } else { Ok(false) }
}

/// Through the circuit if one is needed; else the author validates.
fn send(d: &mut Decision<'_>, author: String) -> Result<(), Rejection> {
    d.not_resting()?;
    if payment::holds_treatment(d.request()?).is_some() {
        return Err(refusal::payment_awaited());
    }
    if treated(d.request()?, d.plan).is_none() {
        return Err(refusal::tasks_unfinished(&unfinished_tasks(d)?.join(", ")));
    }
    let plan = d.plan;
    let circuit = plan.definition().validation.circuit.as_ref();
    let (Some(circuit), true) = (circuit, circuit_needed(d)?) else {
        return d.emit(Validated { by: Some(author) });
    };
    let mut steps = Vec::new();
    for step in &circuit.steps {
        if d.holds(step.when.as_deref())? {
            if approve::approvers(d, step, &author, &[])?.is_empty() {
                return Err(refusal::circuit_no_approver(&step.step));
            }
            steps.push(step.step.clone());
        }
    }
    if steps.is_empty() {
        return d.emit(Validated { by: Some(author) });
    }
    d.emit(Submitted { circuit: circuit.circuit.clone(), author, steps })
}
