//! The clocks of a request while an event changes them.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use super::decision::failed;
use super::legal;
use super::moments::{reached, treated};
use crate::calendar::Calendar;
use crate::commitment::{Budget, Pause, due_instant, warning};
use crate::process::{Bindings, CommitmentSheet, Moment, PauseReason, Plan};
use crate::request::clock::{Clock, ClockChange, ClockStatus, Warning};
use crate::request::evolve::{apply_clock, sum};
use crate::request::state::{Hold, Request, Stage};
use crate::request::{ClockPolicy, Rejection, bindings, refusal};

/// The legal clock's name.
pub(super) const SILENCE: &str = "silence";

/// The clocks of a request while an event changes them: each change is applied at once, so the next one sees it.
pub(super) struct Board<'a> {
    pub(super) request: &'a Request,
    pub(super) plan: &'a Plan,
    /// The instant of the changes.
    pub(super) at: DateTime<Utc>,
    clocks: Cow<'a, [Clock]>,
    changes: Vec<ClockChange>,
    facts: Option<Bindings>,
}

impl<'a> Board<'a> {
    pub(super) fn new(request: &'a Request, plan: &'a Plan, at: DateTime<Utc>) -> Self {
        // Most events change no clock: they are copied when one does.
        Self { request, plan, at, clocks: Cow::Borrowed(&request.clocks), changes: Vec::new(), facts: None }
    }

    pub(super) fn into_changes(self) -> Vec<ClockChange> {
        self.changes
    }

    pub(super) fn push(&mut self, change: ClockChange) {
        apply_clock(self.clocks.to_mut(), self.request.cycle, &change, self.at);
        self.changes.push(change);
    }

    /// The clock of a commitment in the present cycle, ended or not.
    pub(super) fn any(&self, commitment: &str) -> Option<&Clock> {
        let cycle = self.request.cycle;
        self.clocks.iter().rev().find(|clock| clock.cycle == cycle && clock.commitment == commitment)
    }

    /// The clock of a commitment in the present cycle, if it has not ended.
    pub(super) fn live(&self, commitment: &str) -> Option<&Clock> {
        self.any(commitment)
            .filter(|clock| matches!(clock.status, ClockStatus::Running | ClockStatus::Paused))
    }

    fn live_names(&self) -> Vec<String> {
        let live = |clock: &&Clock| matches!(clock.status, ClockStatus::Running | ClockStatus::Paused);
        self.clocks.iter().filter(live).map(|clock| clock.commitment.clone()).collect()
    }

    pub(super) fn calendar(&self, name: &str) -> Result<&'a Calendar, Rejection> {
        self.plan.calendar(name).ok_or_else(|| refusal::rule_failed(name))
    }

    /// The budget of a commitment by its rules, and the rule that gave it.
    fn budget(&mut self, index: usize, sheet: &CommitmentSheet) -> Result<(Budget, String), Rejection> {
        let (request, plan) = (self.request, self.plan);
        let facts = self.facts.get_or_insert_with(|| bindings(request, plan));
        let (rule, budget) = plan.first(&sheet.within, facts).map_err(|error| failed(&error))?;
        Ok((*budget, format!("/commitments/{index}/within/{rule}")))
    }

    /// Something was reached: promises until then are done, promises from then begin.
    pub(super) fn reach(&mut self, moment: &Moment) -> Result<(), Rejection> {
        self.stop_until(moment);
        let plan = self.plan;
        for (index, sheet) in plan.definition().commitments.iter().enumerate() {
            let over = reached(self.request, plan, &sheet.until).is_some();
            if sheet.from == *moment && !over && self.any(&sheet.commitment).is_none() {
                self.start(index, sheet, self.at)?;
            }
        }
        self.pauses()
    }

    /// A task that was not needed. A promise to have it done was neither kept nor broken: it no longer applies, and
    /// no figure counts it.
    pub(super) fn skip_task(&mut self, task: &str) -> Result<(), Rejection> {
        let until = Moment::Task(task.to_owned());
        for sheet in &self.plan.definition().commitments {
            if sheet.until == until && self.live(&sheet.commitment).is_some() {
                self.push(ClockChange::Dropped { commitment: sheet.commitment.clone() });
            }
        }
        self.finish_task(task)
    }

    pub(super) fn finish_task(&mut self, task: &str) -> Result<(), Rejection> {
        self.reach(&Moment::Task(task.to_owned()))?;
        self.reach_treated()
    }

    pub(super) fn reach_treated(&mut self) -> Result<(), Rejection> {
        if treated(self.request, self.plan).is_some() { self.reach(&Moment::Treated) } else { Ok(()) }
    }

    fn start(&mut self, index: usize, sheet: &CommitmentSheet, from: DateTime<Utc>) -> Result<(), Rejection> {
        let (budget, rule) = self.budget(index, sheet)?;
        let calendar = self.calendar(&sheet.calendar)?;
        let due = due_instant(calendar, from, budget, sheet.month_rule, &[])
            .map_err(|_| refusal::term_unusable())?;
        self.push(ClockChange::Started {
            commitment: sheet.commitment.clone(),
            from,
            budget,
            month_rule: sheet.month_rule,
            calendar: sheet.calendar.clone(),
            rule: Some(rule),
            due,
            warnings: warnings(calendar, from, due, &sheet.warn_at, &[]),
        });
        Ok(())
    }

    pub(super) fn stop_until(&mut self, moment: &Moment) {
        for sheet in &self.plan.definition().commitments {
            if sheet.until == *moment {
                self.stop(&sheet.commitment);
            }
        }
    }

    /// What was promised is done. A clock that rests was in time if it was when it began to rest.
    pub(super) fn stop(&mut self, commitment: &str) {
        let Some(clock) = self.live(commitment) else { return };
        let resting = clock.pauses.last().filter(|_| clock.status == ClockStatus::Paused);
        let counted_until = resting.map_or(self.at, |pause| pause.from);
        let kept = counted_until <= clock.due;
        self.push(ClockChange::Stopped { commitment: commitment.to_owned(), at: self.at, kept });
    }

    pub(super) fn drop_all(&mut self) {
        for commitment in self.live_names() {
            self.push(ClockChange::Dropped { commitment });
        }
    }

    /// The rules of the budgets are asked again; a promise whose budget is another now counts from its own start.
    pub(super) fn rebudget(&mut self) -> Result<(), Rejection> {
        let plan = self.plan;
        for (index, sheet) in plan.definition().commitments.iter().enumerate() {
            let Some(clock) = self.live(&sheet.commitment).cloned() else { continue };
            let (base, rule) = self.budget(index, sheet)?;
            let budget = clock.extended_by.and_then(|by| sum(base, by)).unwrap_or(base);
            let same = clock.budget == budget
                && clock.calendar == sheet.calendar
                && clock.month_rule == sheet.month_rule;
            if !same {
                let terms = Terms { budget, sheet, rule: Some(rule), from: clock.from };
                self.change(&clock, terms)?;
            }
        }
        Ok(())
    }

    /// Replaces the terms of a clock; its pauses stay.
    fn change(&mut self, clock: &Clock, terms: Terms<'_>) -> Result<(), Rejection> {
        let Terms { budget, sheet, rule, from } = terms;
        let calendar = self.calendar(&sheet.calendar)?;
        // A clock that rests is reckoned as if it went on at once: only what lies behind the rest matters here.
        let over: Vec<Pause> = clock.pauses.iter().copied().filter(|pause| pause.until.is_some()).collect();
        let reckoned = due_instant(calendar, from, budget, sheet.month_rule, &over)
            .map_err(|_| refusal::term_unusable())?;
        let resting = clock.pauses.last().filter(|_| clock.status == ClockStatus::Paused);
        let counted_until = resting.map_or(self.at, |pause| pause.from);
        // A warning that was given already is given again only if it lies ahead.
        let mut warnings = warnings(calendar, from, reckoned, &sheet.warn_at, &over);
        let pending = |percent| clock.warnings.iter().any(|warning| warning.percent == percent);
        warnings.retain(|warning| warning.at > counted_until || pending(warning.percent));
        let due = resting.is_none().then_some(reckoned);
        self.push(ClockChange::Changed {
            commitment: clock.commitment.clone(),
            from,
            budget,
            month_rule: sheet.month_rule,
            calendar: sheet.calendar.clone(),
            rule,
            due,
            warnings,
        });
        Ok(())
    }

    /// Another process: its promises take the place of the old one's, each from the moment at which it would have
    /// started. What has no counterpart no longer applies.
    pub(super) fn reclassify(&mut self) -> Result<(), Rejection> {
        let plan = self.plan;
        for name in self.live_names().into_iter().filter(|name| name != SILENCE) {
            if plan.definition().commitment(&name).is_none() {
                self.push(ClockChange::Dropped { commitment: name });
            }
        }
        for (index, sheet) in plan.definition().commitments.iter().enumerate() {
            let started = reached(self.request, plan, &sheet.from);
            let over = reached(self.request, plan, &sheet.until).is_some();
            match (self.live(&sheet.commitment).cloned(), started) {
                (Some(clock), _) => {
                    let (budget, rule) = self.budget(index, sheet)?;
                    let from =
                        if self.request.cycle == 0 { started.unwrap_or(clock.from) } else { clock.from };
                    self.change(&clock, Terms { budget, sheet, rule: Some(rule), from })?;
                }
                (None, Some(from)) if !over && self.any(&sheet.commitment).is_none() => {
                    // What lies before a reopening belongs to the closed cycle.
                    let from = if self.request.cycle == 0 { from } else { self.at };
                    self.start(index, sheet, from)?;
                }
                (None, _) => {}
            }
        }
        self.pauses()
    }

    /// Another version of the process. What it counts as done by now is done; the rest goes by the policy.
    pub(super) fn migrate(&mut self, policy: ClockPolicy) -> Result<(), Rejection> {
        let plan = self.plan;
        for sheet in &plan.definition().commitments {
            if let Some(done) = reached(self.request, plan, &sheet.until) {
                let now = std::mem::replace(&mut self.at, done);
                self.stop(&sheet.commitment);
                self.at = now;
            }
        }
        if policy == ClockPolicy::Keep {
            return Ok(());
        }
        for name in self.live_names().into_iter().filter(|name| name != SILENCE) {
            if plan.definition().commitment(&name).is_none() {
                self.push(ClockChange::Dropped { commitment: name });
            }
        }
        for (index, sheet) in plan.definition().commitments.iter().enumerate() {
            self.migrate_one(index, sheet, policy)?;
        }
        legal::reclassify(self, true)?;
        self.pauses()
    }

    fn migrate_one(
        &mut self,
        index: usize,
        sheet: &CommitmentSheet,
        policy: ClockPolicy,
    ) -> Result<(), Rejection> {
        let started = reached(self.request, self.plan, &sheet.from);
        let over = reached(self.request, self.plan, &sheet.until).is_some();
        // What lies before a reopening belongs to the closed cycle.
        let first = self.request.cycle == 0 && policy == ClockPolicy::RecomputeRemaining;
        if let Some(clock) = self.live(&sheet.commitment).cloned() {
            let (base, rule) = self.budget(index, sheet)?;
            let budget = clock.extended_by.and_then(|by| sum(base, by)).unwrap_or(base);
            let from = match policy {
                ClockPolicy::Restart => self.at,
                ClockPolicy::RecomputeRemaining if first => started.unwrap_or(clock.from),
                ClockPolicy::RecomputeRemaining | ClockPolicy::Keep => clock.from,
            };
            return self.change(&clock, Terms { budget, sheet, rule: Some(rule), from });
        }
        match started {
            Some(from) if !over && self.any(&sheet.commitment).is_none() => {
                self.start(index, sheet, if first { from } else { self.at })
            }
            Some(_) | None => Ok(()),
        }
    }

    pub(super) fn extend(&mut self, commitment: &str, by: Budget) -> Result<(), Rejection> {
        let Some(clock) = self.live(commitment).cloned() else { return Ok(()) };
        let budget =
            sum(clock.budget, by).ok_or_else(|| refusal::extension_unit(&clock.budget.to_string()))?;
        let sheet = match self.plan.definition().commitment(commitment) {
            Some(sheet) => CommitmentSheet {
                calendar: clock.calendar.clone(),
                month_rule: clock.month_rule,
                ..sheet.clone()
            },
            None => legal::sheet(&clock),
        };
        let terms = Terms { budget, sheet: &sheet, rule: clock.rule.clone(), from: clock.from };
        self.change(&clock, terms)
    }

    /// Reopened: the promises that lie ahead again start anew, beside the closed ones.
    pub(super) fn new_cycle(&mut self) -> Result<(), Rejection> {
        let plan = self.plan;
        for (index, sheet) in plan.definition().commitments.iter().enumerate() {
            let begun = reached(self.request, plan, &sheet.from).is_some();
            let over = reached(self.request, plan, &sheet.until).is_some();
            if begun && !over {
                self.start(index, sheet, self.at)?;
            }
        }
        Ok(())
    }

    /// Clocks rest while, and only while, the request is in a state that they do not count.
    pub(super) fn pauses(&mut self) -> Result<(), Rejection> {
        let plan = self.plan;
        for sheet in &plan.definition().commitments {
            let Some(clock) = self.live(&sheet.commitment).cloned() else { continue };
            let reason = resting(self.request, &sheet.paused_while);
            match (clock.status, reason) {
                (ClockStatus::Running, Some(reason)) => {
                    let commitment = sheet.commitment.clone();
                    self.push(ClockChange::Paused { commitment, at: self.at, reason });
                }
                (ClockStatus::Paused, None) => self.resume(&clock, self.at)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// A rest ends at its term at the latest, even if the timer that should have ended it has not fired yet: when
    /// promises are due must not depend on when a program ran.
    pub(super) fn end_of_rest(&mut self, hold: Option<&Hold>) -> Result<(), Rejection> {
        let now = self.at;
        let term = match hold {
            Some(Hold::WaitingForRequester { reply_by, .. }) => Some(*reply_by),
            Some(Hold::Suspended { until, .. }) => *until,
            None => None,
        };
        self.at = term.map_or(now, |term| now.min(term));
        self.pauses()?;
        self.at = now;
        Ok(())
    }

    /// The clock counts again from `at` on, but never from before it began to rest.
    pub(super) fn resume(&mut self, clock: &Clock, at: DateTime<Utc>) -> Result<(), Rejection> {
        let mut pauses = clock.pauses.clone();
        let mut at = at;
        if let Some(last) = pauses.last_mut() {
            at = at.max(last.from);
            last.until = Some(at);
        }
        let calendar = self.calendar(&clock.calendar)?;
        let due = due_instant(calendar, clock.from, clock.budget, clock.month_rule, &pauses)
            .map_err(|_| refusal::term_unusable())?;
        let percents: Vec<u8> = clock.warnings.iter().map(|warning| warning.percent).collect();
        let warnings = warnings(calendar, clock.from, due, &percents, &pauses);
        self.push(ClockChange::Resumed { commitment: clock.commitment.clone(), at, due, warnings });
        Ok(())
    }
}

/// The terms of a promise.
struct Terms<'s> {
    budget: Budget,
    sheet: &'s CommitmentSheet,
    rule: Option<String>,
    from: DateTime<Utc>,
}

/// Why the request rests, if it does for one of these reasons.
fn resting(request: &Request, reasons: &[PauseReason]) -> Option<PauseReason> {
    let holds = |reason: &&PauseReason| match reason {
        PauseReason::WaitingForRequester => {
            matches!(request.hold, Some(Hold::WaitingForRequester { .. }))
                || request.held_by_payment().is_some()
        }
        PauseReason::Suspended => matches!(request.hold, Some(Hold::Suspended { .. })),
        PauseReason::Validation => matches!(request.stage, Stage::InValidation(_)),
    };
    reasons.iter().find(holds).copied()
}

/// The instants at which to warn; a percentage whose instant cannot be computed is left out.
fn warnings(
    calendar: &Calendar,
    from: DateTime<Utc>,
    due: DateTime<Utc>,
    percents: &[u8],
    pauses: &[Pause],
) -> Vec<Warning> {
    let at = |percent: &u8| {
        let at = warning(calendar, from, due, *percent, pauses).ok()?;
        Some(Warning { percent: *percent, at })
    };
    percents.iter().filter_map(at).collect()
}
