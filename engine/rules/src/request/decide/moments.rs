//! The moments of a request's life at which clocks start and stop.

use chrono::{DateTime, Utc};

use crate::process::{Moment, Plan};
use crate::request::state::{Request, Stage, TaskStatus};

/// When a moment was reached in the present cycle; none if it was not.
pub(in crate::request) fn reached(request: &Request, plan: &Plan, moment: &Moment) -> Option<DateTime<Utc>> {
    let milestones = &request.milestones;
    match moment {
        Moment::Received => Some(milestones.received),
        Moment::Acknowledged => request.acknowledged_at,
        Moment::Qualified => milestones.qualified.filter(|_| request.stage != Stage::Received),
        Moment::Assigned => milestones.assigned.filter(|_| request.service.is_some()),
        Moment::Treated => treated(request, plan),
        Moment::Validated => milestones.validated,
        Moment::Delivered => milestones.delivered,
        Moment::Task(task) => request.tasks.get(task).filter(|task| task.status.is_finished())?.finished_at,
    }
}

/// When an idea may be shown (UTC): once it is qualified, or once a task of it is done, which a skipped one never is.
pub(in crate::request) fn published_after(request: &Request, task: Option<&str>) -> Option<DateTime<Utc>> {
    let Some(task) = task else { return request.milestones.qualified };
    request.tasks.get(task).filter(|task| task.status == TaskStatus::Done)?.finished_at
}

/// When the last task was finished; where there are none, when a service took charge.
pub(super) fn treated(request: &Request, plan: &Plan) -> Option<DateTime<Utc>> {
    let assigned = request.milestones.assigned.filter(|_| request.service.is_some())?;
    let mut last = assigned;
    for sheet in &plan.definition().treatment {
        let task = request.tasks.get(&sheet.task).filter(|task| task.status.is_finished())?;
        last = last.max(task.finished_at?);
    }
    Some(last)
}
