//! The milestones and the ways a request ends.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::form::{merge_form, replace_form, sealed_form};
use crate::process::{Complexity, Priority};
use crate::request::happened::{
    Assigned, Delivered, DeliveryFailed, DeliveryOpened, Qualified, Reassigned, Received, Reclassified,
    Reopened,
};
use crate::request::state::{Meta, Milestones, Request, Stage, TaskStatus};

pub(super) fn received(event: &Received, meta: &Meta) -> Request {
    let mut requester = event.requester.clone();
    requester.contact = requester.contact.map(|contact| contact.sealed());
    Request {
        id: event.request,
        tenant: meta.tenant.clone(),
        process: event.process.clone(),
        definition: event.definition.clone(),
        channel: event.channel,
        opened_by: event.opened_by,
        requester,
        form: sealed_form(&event.form),
        tracking_digest: event.tracking_digest.clone(),
        external: event.external.clone(),
        first_received_at: event.first_received_at,
        origin: event.origin.clone(),
        forwarding: None,
        milestones: Milestones {
            received: meta.occurred_at,
            qualified: None,
            assigned: None,
            validated: None,
            delivered: None,
        },
        acknowledged_at: None,
        complexity: Complexity::default(),
        priority: Priority::default(),
        service: None,
        agent: None,
        tasks: BTreeMap::new(),
        clocks: Vec::new(),
        cycle: 0,
        hold: None,
        draft: None,
        stage: Stage::Received,
        reassignments: 0,
        touched_by: Vec::new(),
        rating: None,
        effects_done: Vec::new(),
        effects_failed: Vec::new(),
        payments: Vec::new(),
        appointment: None,
        closed_at: None,
        updated_at: meta.recorded_at,
    }
}

pub(super) fn qualified(request: &mut Request, event: &Qualified, at: DateTime<Utc>) {
    request.complexity = event.complexity;
    request.priority = event.priority;
    merge_form(&mut request.form, &event.form);
    request.milestones.qualified.get_or_insert(at);
    if request.stage == Stage::Received {
        request.stage = Stage::Qualified;
    }
}

/// The request starts its new process from the beginning; what was done under the old one stays in the history.
pub(super) fn reclassified(request: &mut Request, event: &Reclassified) {
    super::migration::made_under(request);
    request.process.clone_from(&event.process);
    request.definition = event.definition.clone();
    replace_form(&mut request.form, &event.form);
    request.stage = Stage::Received;
    request.service = None;
    request.agent = None;
    request.draft = None;
    request.tasks.clear();
}

pub(super) fn assigned(request: &mut Request, event: &Assigned, at: DateTime<Utc>) {
    request.service = Some(event.service.clone());
    request.milestones.assigned.get_or_insert(at);
    request.stage = Stage::Assigned;
}

pub(super) fn reassigned(request: &mut Request, event: &Reassigned) {
    request.service = Some(event.to.clone());
    request.agent = None;
    request.reassignments = request.reassignments.saturating_add(1);
}

pub(super) fn validated(request: &mut Request, at: DateTime<Utc>) {
    request.milestones.validated.get_or_insert(at);
    request.stage = Stage::Validated { by: None, failed: Vec::new() };
}

pub(super) fn delivery_opened(request: &mut Request, event: &DeliveryOpened) {
    if let Stage::Validated { by, .. } = &mut request.stage {
        *by = Some(event.by);
    }
}

pub(super) fn delivery_failed(request: &mut Request, event: &DeliveryFailed) {
    if let Stage::Validated { by, failed } = &mut request.stage {
        *by = None;
        if !failed.contains(&event.by) {
            failed.push(event.by);
        }
    }
}

pub(super) fn delivered(request: &mut Request, event: &Delivered, at: DateTime<Utc>) {
    request.milestones.delivered.get_or_insert(at);
    finish(request, Stage::Delivered { by: event.by }, at);
}

/// However it ends, nothing stays open behind it.
pub(super) fn finish(request: &mut Request, stage: Stage, at: DateTime<Utc>) {
    request.stage = stage;
    request.hold = None;
    request.closed_at = Some(at);
    super::payment::dropped(request);
    super::appointment::dropped(request);
    for task in request.tasks.values_mut().filter(|task| task.status == TaskStatus::Open) {
        task.status = TaskStatus::Dropped;
    }
}

/// A new cycle beside the closed one: the clocks of the old one stay, its tasks and its answer do not.
pub(super) fn reopened(request: &mut Request, event: &Reopened) {
    request.cycle = event.cycle;
    request.closed_at = None;
    request.forwarding = None;
    request.milestones.validated = None;
    request.milestones.delivered = None;
    request.tasks.clear();
    request.draft = None;
    request.rating = None;
    request.hold = None;
    request.stage = match (&request.service, request.milestones.qualified) {
        (Some(_), _) => Stage::Assigned,
        (None, Some(_)) => Stage::Qualified,
        (None, None) => Stage::Received,
    };
}
