//! Tasks, and waiting for the requester.

use chrono::{DateTime, Utc};

use super::form::{merge_form, sealed_form};
use crate::request::happened::{Replied, TaskCompleted, TaskLate, TaskOpened, TaskSkipped};
use crate::request::state::{Hold, Request, Task, TaskStatus};

pub(super) fn opened(request: &mut Request, event: &TaskOpened, at: DateTime<Utc>) {
    let task = Task {
        status: TaskStatus::Open,
        by: Some(event.by.clone()),
        due: event.due,
        opened_at: Some(at),
        finished_at: None,
        late: false,
        report: serde_json::Map::new(),
    };
    request.tasks.insert(event.task.clone(), task);
}

pub(super) fn skipped(request: &mut Request, event: &TaskSkipped, at: DateTime<Utc>) {
    let task = request.tasks.entry(event.task.clone()).or_insert_with(|| Task {
        status: TaskStatus::Skipped,
        by: None,
        due: None,
        opened_at: None,
        finished_at: None,
        late: false,
        report: serde_json::Map::new(),
    });
    task.status = TaskStatus::Skipped;
    task.finished_at = Some(at);
}

pub(super) fn completed(request: &mut Request, event: &TaskCompleted, at: DateTime<Utc>) {
    if let Some(task) = request.tasks.get_mut(&event.task) {
        task.status = TaskStatus::Done;
        task.finished_at = Some(at);
        task.report = sealed_form(&event.report);
    }
}

pub(super) fn late(request: &mut Request, event: &TaskLate) {
    if let Some(task) = request.tasks.get_mut(&event.task) {
        task.late = true;
    }
}

pub(super) fn reminded(request: &mut Request) {
    if let Some(Hold::WaitingForRequester { remind_at, .. }) = &mut request.hold {
        *remind_at = None;
    }
}

/// A reply ends the waiting only when nothing is missing any more; it never ends a suspension.
pub(super) fn replied(request: &mut Request, event: &Replied) {
    merge_form(&mut request.form, &event.form);
    if event.complete && matches!(request.hold, Some(Hold::WaitingForRequester { .. })) {
        request.hold = None;
    }
}
