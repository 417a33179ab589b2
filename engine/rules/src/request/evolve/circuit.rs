//! The draft of the answer and its approval circuit.

use chrono::{DateTime, Utc};

use crate::request::happened::{
    ApprovalLate, ApprovalOpened, Approved, Delegated, Drafted, Returned, Submitted,
};
use crate::request::state::{Approval, Draft, OpenStep, Request, Stage};

fn approval(request: &mut Request) -> Option<&mut Approval> {
    if let Stage::InValidation(approval) = &mut request.stage { Some(approval) } else { None }
}

fn open_step<'a>(request: &'a mut Request, step: &str) -> Option<&'a mut OpenStep> {
    approval(request)?.open.as_mut().filter(|open| open.step == step)
}

pub(super) fn drafted(request: &mut Request, event: &Drafted, at: DateTime<Utc>) {
    request.draft = Some(Draft { author: event.author.clone(), at });
}

pub(super) fn submitted(request: &mut Request, event: &Submitted) {
    request.stage = Stage::InValidation(Box::new(Approval {
        circuit: event.circuit.clone(),
        author: event.author.clone(),
        steps: event.steps.clone(),
        open: None,
        passed: Vec::new(),
    }));
}

pub(super) fn opened(request: &mut Request, event: &ApprovalOpened) {
    if let Some(approval) = approval(request) {
        approval.open = Some(OpenStep {
            step: event.step.clone(),
            approvers: event.approvers.clone(),
            approved: Vec::new(),
            refused: Vec::new(),
            delegated: Vec::new(),
            due: event.due,
            late: false,
        });
    }
}

pub(super) fn approved(request: &mut Request, event: &Approved) {
    let Some(approval) = approval(request) else { return };
    let Some(mut open) = approval.open.take().filter(|open| open.step == event.step) else { return };
    let name = event.on_behalf_of.clone().unwrap_or_else(|| event.by.clone());
    open.approved.push((name, event.by.clone()));
    if event.passed {
        let mut people: Vec<String> = open.approved.into_iter().flat_map(|(name, by)| [name, by]).collect();
        people.sort();
        people.dedup();
        approval.passed.push((event.step.clone(), people));
    } else if event.returned {
        request.stage = Stage::Assigned;
    } else {
        approval.open = Some(open);
    }
}

pub(super) fn returned(request: &mut Request, event: &Returned) {
    let Some(approval) = approval(request) else { return };
    if !event.effective {
        if let Some(open) = &mut approval.open {
            open.refused.push(event.on_behalf_of.clone().unwrap_or_else(|| event.by.clone()));
        }
        return;
    }
    match &event.to {
        None => request.stage = Stage::Assigned,
        Some(step) => {
            approval.open = None;
            // The step that it goes back to, and all that follow, are decided again.
            let from = approval.steps.iter().position(|known| known == step).unwrap_or(0);
            let again: Vec<String> = approval.steps.iter().skip(from).cloned().collect();
            approval.passed.retain(|(passed, _)| !again.contains(passed));
        }
    }
}

pub(super) fn delegated(request: &mut Request, event: &Delegated) {
    if let Some(open) = open_step(request, &event.step) {
        open.delegated.push((event.from.clone(), event.to.clone()));
    }
}

pub(super) fn late(request: &mut Request, event: &ApprovalLate) {
    if let Some(open) = open_step(request, &event.step) {
        open.late = true;
        for person in &event.escalated_to {
            if !open.approvers.contains(person) {
                open.approvers.push(person.clone());
            }
        }
    }
}
