//! A request marked on the picture of its process: what is done, what is open, what was not needed, and how its clocks
//! stand. Nothing of it is personal, and nobody is named.

use std::collections::BTreeSet;

use chrono::{DateTime, Timelike, Utc};
use chrono_tz::Tz;
use guichet_engine::rules::process::{Definition, Moment};
use guichet_engine::rules::request::{ClockStatus, Hold, PaymentStatus, Request, Stage, TaskStatus, What};
use guichet_engine::rules::text::Language;

use super::chart::{Chart, Column, Mark, Subject, Way, say};
use crate::vocabulary;

/// Marks a request on the chart of the version that it follows. `history` is what has happened to it, the first first.
pub fn mark<'a>(
    chart: &mut Chart,
    definition: &Definition,
    request: &Request,
    history: impl Iterator<Item = &'a What>,
) {
    let calendar = definition.calendars.get(&definition.calendar);
    let zone = calendar.and_then(|sheet| sheet.zone.parse().ok()).unwrap_or(Tz::Europe__Paris);
    let progress =
        Progress { request, approved: approved(definition, history), zone, language: chart.language };
    chart.marked = true;
    for node in &mut chart.nodes {
        (node.mark, node.when) = progress.of(&node.subject);
    }
    ways(chart);
    progress.clocks(chart);
    for (column, at) in progress.reached() {
        chart.reached.insert(column, progress.instant(at));
    }
    chart.subtitle.push(progress.headline(definition));
}

/// Forks, joins and decisions are passed once something after them has begun. Nodes stand in the order in which they
/// are reached, so the last one is looked at first.
pub(super) fn ways(chart: &mut Chart) {
    for at in (0..chart.nodes.len()).rev() {
        if chart.nodes.get(at).is_none_or(|node| node.mark.is_some()) {
            continue;
        }
        let onwards = chart.edges.iter().filter(|edge| edge.from == at && edge.way != Way::Back);
        let mut next = onwards.filter_map(|edge| chart.nodes.get(edge.to)?.mark);
        let begun = next.any(|mark| mark != Mark::Ahead);
        if let Some(node) = chart.nodes.get_mut(at) {
            node.mark = Some(if begun { Mark::Done } else { Mark::Ahead });
        }
    }
}

/// The steps that are passed for the draft as it stands.
fn approved<'a>(definition: &Definition, history: impl Iterator<Item = &'a What>) -> BTreeSet<String> {
    let circuit = definition.validation.circuit.as_ref();
    let order = |step: &str| circuit.and_then(|it| it.steps.iter().position(|known| known.step == step));
    let mut passed = BTreeSet::new();
    for what in history {
        if let What::Approved(event) = what {
            if event.passed {
                passed.insert(event.step.clone());
            }
        } else if let What::Returned(event) = what {
            if event.effective {
                let from = event.to.as_deref().and_then(order).unwrap_or(0);
                passed.retain(|step| order(step).is_some_and(|at| at < from));
            }
        } else if matches!(what, What::Submitted(_) | What::Reopened(_) | What::Reclassified(_)) {
            passed.clear();
        }
    }
    passed
}

struct Progress<'a> {
    request: &'a Request,
    approved: BTreeSet<String>,
    zone: Tz,
    language: Language,
}

impl Progress<'_> {
    fn say<'w>(&self, fr: &'w str, en: &'w str) -> &'w str {
        say(self.language, fr, en)
    }

    fn instant(&self, at: DateTime<Utc>) -> String {
        let local = at.with_timezone(&self.zone);
        match self.language {
            Language::Fr => local.format("%d/%m/%Y %H:%M").to_string(),
            Language::En => local.format("%Y-%m-%d %H:%M").to_string(),
        }
    }

    /// A term; one that ends a day at midnight is that day's.
    fn due(&self, due: Option<DateTime<Utc>>) -> String {
        let Some(at) = due else { return String::new() };
        let local = at.with_timezone(&self.zone);
        let eve = Some(local.date_naive()).filter(|_| local.num_seconds_from_midnight() == 0);
        let day = eve.and_then(|date| date.pred_opt()).map(|date| match self.language {
            Language::Fr => date.format("%d/%m/%Y").to_string(),
            Language::En => date.format("%Y-%m-%d").to_string(),
        });
        format!("{} {}", self.say("échéance", "due"), day.unwrap_or_else(|| self.instant(at)))
    }

    fn reached(&self) -> Vec<(Column, DateTime<Utc>)> {
        let milestones = &self.request.milestones;
        [
            (Column::Reception, Some(milestones.received)),
            (Column::Qualification, milestones.qualified),
            (Column::Assignment, milestones.assigned),
            (Column::Validation, milestones.validated),
            (Column::Delivery, milestones.delivered),
        ]
        .into_iter()
        .filter_map(|(column, at)| Some((column, at?)))
        .collect()
    }

    /// Done at an instant, open in a stage, or ahead.
    fn passed(&self, at: Option<DateTime<Utc>>, open: bool) -> (Option<Mark>, String) {
        match at {
            Some(at) => (Some(Mark::Done), self.instant(at)),
            None if open => (Some(Mark::Open), String::new()),
            None => (Some(Mark::Ahead), String::new()),
        }
    }

    fn of(&self, subject: &Subject) -> (Option<Mark>, String) {
        let (request, milestones) = (self.request, &self.request.milestones);
        match subject {
            Subject::Received => self.passed(Some(milestones.received), false),
            Subject::Acknowledged => {
                let open = !request.stage.is_finished();
                self.passed(request.acknowledged_at, open)
            }
            Subject::Qualify => self.passed(milestones.qualified, request.stage == Stage::Received),
            Subject::Assign => self.passed(milestones.assigned, request.stage == Stage::Qualified),
            Subject::Task(task) => self.task(task),
            Subject::Answer => self.answer(),
            Subject::Step(step) => self.step(step),
            Subject::Payment => self.payment(),
            Subject::Deliver => {
                let open = matches!(request.stage, Stage::Validated { .. });
                self.passed(milestones.delivered, open)
            }
            Subject::Delivered => self.passed(milestones.delivered, false),
            Subject::Way => (None, String::new()),
        }
    }

    fn task(&self, task: &str) -> (Option<Mark>, String) {
        let Some(task) = self.request.tasks.get(task) else { return (Some(Mark::Ahead), String::new()) };
        match task.status {
            TaskStatus::Open if task.late => (Some(Mark::Late), self.due(task.due)),
            TaskStatus::Open => (Some(Mark::Open), self.due(task.due)),
            TaskStatus::Done => {
                (Some(Mark::Done), task.finished_at.map(|at| self.instant(at)).unwrap_or_default())
            }
            TaskStatus::Skipped | TaskStatus::Dropped => (Some(Mark::Skipped), String::new()),
        }
    }

    fn payment(&self) -> (Option<Mark>, String) {
        let request = self.request;
        let Some(payment) = request.payments.iter().rfind(|payment| payment.rule.is_some()) else {
            let over = request.milestones.validated.is_some() || request.stage.is_finished();
            return (Some(if over { Mark::Skipped } else { Mark::Ahead }), String::new());
        };
        match payment.status {
            PaymentStatus::Awaited => (Some(Mark::Open), self.due(Some(payment.due))),
            PaymentStatus::Settled => self.passed(payment.settled_at, false),
            PaymentStatus::Lapsed => (Some(Mark::Late), self.due(Some(payment.due))),
            PaymentStatus::Cancelled => (Some(Mark::Skipped), String::new()),
        }
    }

    fn answer(&self) -> (Option<Mark>, String) {
        let request = self.request;
        let written =
            request.draft.as_ref().map(|draft| draft.at).filter(|_| request.stage != Stage::Assigned);
        if written.is_some() || request.milestones.validated.is_some() {
            return self.passed(written.or(request.milestones.validated), false);
        }
        let busy = request.tasks.values().any(|task| task.status == TaskStatus::Open);
        self.passed(None, request.stage == Stage::Assigned && !busy)
    }

    fn step(&self, step: &str) -> (Option<Mark>, String) {
        if self.approved.contains(step) {
            return (Some(Mark::Done), String::new());
        }
        if self.request.milestones.validated.is_some() {
            return (Some(Mark::Skipped), String::new());
        }
        let Stage::InValidation(approval) = &self.request.stage else {
            return (Some(Mark::Ahead), String::new());
        };
        if !approval.steps.iter().any(|needed| needed == step) {
            return (Some(Mark::Skipped), String::new());
        }
        match approval.open.as_ref().filter(|open| open.step == step) {
            Some(open) if open.late => (Some(Mark::Late), self.due(open.due)),
            Some(open) => (Some(Mark::Open), self.due(open.due)),
            None => (Some(Mark::Ahead), String::new()),
        }
    }

    fn clocks(&self, chart: &mut Chart) {
        for bar in &mut chart.bars {
            let Some(clock) = self.request.clock(&bar.commitment) else {
                bar.mark = Some(Mark::Ahead);
                continue;
            };
            bar.mark = Some(match clock.status {
                ClockStatus::Running if clock.broken => Mark::Late,
                ClockStatus::Running | ClockStatus::Paused => Mark::Open,
                ClockStatus::Kept => Mark::Done,
                ClockStatus::Late => Mark::Late,
                ClockStatus::Dropped => Mark::Skipped,
            });
            let state = vocabulary::promise(clock.status, clock.broken, self.language);
            let sign = bar.mark.map_or("", Mark::sign);
            bar.details = vec![
                clock.budget.in_words(self.language),
                self.due(Some(clock.due)),
                format!("{sign}{state}"),
            ];
            if clock.status == ClockStatus::Dropped {
                bar.until = Moment::Delivered;
            }
        }
    }

    fn headline(&self, definition: &Definition) -> String {
        let request = self.request;
        let stage = vocabulary::stage(request.stage.id(), self.language);
        let mut parts = vec![
            format!("{} {}", self.say("Demande", "Request"), request.id.0),
            format!("{} {stage}", self.say("étape :", "stage:")),
        ];
        match &request.hold {
            Some(Hold::WaitingForRequester { since, reply_by, .. }) => parts.push(format!(
                "{} {} ({} {})",
                self.say("en attente du demandeur depuis le", "waiting for the requester since"),
                self.instant(*since),
                self.say("jusqu’au", "until"),
                self.instant(*reply_by)
            )),
            Some(Hold::Suspended { since, .. }) => parts.push(format!(
                "{} {}",
                self.say("suspendue depuis le", "suspended since"),
                self.instant(*since)
            )),
            None => {}
        }
        if let Some(at) = request.closed_at {
            parts.push(format!("{} {}", self.say("close le", "closed on"), self.instant(at)));
        }
        if definition.process != request.process {
            parts.push(request.process.clone());
        }
        parts.join(" · ")
    }
}
