//! A decision under way: it folds its own events into a copy of the request and goes on from there.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use super::{Facts, bill, clocks};
use crate::commitment::{Budget, MonthRule, due_instant};
use crate::process::{Bindings, Plan, PlanError};
use crate::request::evolve::{apply_clock, evolve};
use crate::request::state::{Hold, Meta, Request, Stage};
use crate::request::{Actor, Event, Rejection, What, bindings, refusal};
use crate::text::Text;

pub(super) struct Decision<'a> {
    pub(super) facts: &'a Facts<'a>,
    /// The process that the request follows; another one once it is reclassified.
    pub(super) plan: &'a Plan,
    /// The instant that clocks are changed at: when it happened, or the due instant of a timer.
    pub(super) at: DateTime<Utc>,
    current: Option<Cow<'a, Request>>,
    events: Vec<(Event, Meta)>,
    meta: Meta,
}

/// Where a decision stood, to go back to.
pub(super) struct Checkpoint<'a> {
    current: Option<Cow<'a, Request>>,
    events: usize,
}

/// A rule or calendar that fails although the sheet was checked.
pub(super) fn failed(error: &PlanError) -> Rejection {
    refusal::rule_failed(&error.to_string())
}

impl<'a> Decision<'a> {
    /// Nothing decided yet. Refuses at once what no command may do: look into another collectivity or the future.
    pub(super) fn new(request: Option<&'a Request>, facts: &'a Facts<'a>) -> Result<Self, Rejection> {
        if let Some(request) = request {
            if request.tenant != facts.tenant {
                return Err(refusal::request_unknown());
            }
            if request.definition != *facts.plan.hash() {
                return Err(refusal::version_wrong());
            }
            if facts.occurred_at < request.milestones.received {
                return Err(refusal::time_before_receipt());
            }
        }
        if facts.occurred_at > facts.now {
            return Err(refusal::time_future());
        }
        let meta = Meta {
            tenant: facts.tenant.to_owned(),
            actor: facts.actor.pseudonym(),
            occurred_at: facts.occurred_at,
            recorded_at: facts.now,
        };
        let current = request.map(Cow::Borrowed);
        Ok(Self { facts, plan: facts.plan, at: facts.occurred_at, current, events: Vec::new(), meta })
    }

    /// The request as it is by now, if there is one.
    pub(super) fn known(&self) -> Option<&Request> {
        self.current.as_deref()
    }

    /// The request as it is by now.
    pub(super) fn request(&self) -> Result<&Request, Rejection> {
        self.known().ok_or_else(refusal::request_unknown)
    }

    /// The request, if it is not finished.
    pub(super) fn unfinished(&self) -> Result<&Request, Rejection> {
        let request = self.request()?;
        if request.stage.is_finished() { Err(self.wrong_stage()) } else { Ok(request) }
    }

    /// The refusal that says where the request stands.
    pub(super) fn wrong_stage(&self) -> Rejection {
        let words = self.known().map_or_else(Text::default, |request| stage_words(&request.stage));
        refusal::stage_wrong(&words.fr, &words.en)
    }

    /// Refuses what cannot be done while the request rests.
    pub(super) fn not_resting(&self) -> Result<(), Rejection> {
        match self.request()?.hold {
            Some(Hold::WaitingForRequester { .. }) => {
                Err(refusal::on_hold("on attend le demandeur", "the requester is awaited"))
            }
            Some(Hold::Suspended { .. }) => Err(refusal::on_hold("suspendue", "suspended")),
            None => Ok(()),
        }
    }

    /// Makes something happen: the event gets the clock changes that follow from it, and the request moves on.
    pub(super) fn emit(&mut self, what: impl Into<What>) -> Result<(), Rejection> {
        let mut event = Event::from(what.into());
        let before = self.current.take().map(Cow::into_owned);
        let hold = before.as_ref().and_then(|request| request.hold.clone());
        let mut after = evolve(before, &event, &self.meta).ok_or_else(refusal::request_unknown)?;
        event.clocks = clocks::changes(&event.what, &after, hold.as_ref(), self.plan, self.at)?;
        for change in &event.clocks {
            apply_clock(&mut after.clocks, after.cycle, change, self.meta.occurred_at);
        }
        let step = bill::step_of(&event.what);
        self.current = Some(Cow::Owned(after));
        self.events.push((event, self.meta.clone()));
        step.map_or(Ok(()), |step| bill::reached(self, step))
    }

    /// From here on the engine tells what happened by itself at `due`.
    pub(super) fn by_itself(&mut self, due: DateTime<Utc>) {
        self.at = due;
        self.meta.actor = Actor::Engine.pseudonym();
        self.meta.occurred_at = due;
    }

    /// From here on the command itself is decided.
    pub(super) fn by_command(&mut self) {
        self.at = self.facts.occurred_at;
        self.meta.actor = self.facts.actor.pseudonym();
        self.meta.occurred_at = self.facts.occurred_at;
    }

    /// Where it stands now.
    pub(super) fn checkpoint(&self) -> Checkpoint<'a> {
        Checkpoint { current: self.current.clone(), events: self.events.len() }
    }

    /// Forgets what happened since.
    pub(super) fn go_back(&mut self, to: Checkpoint<'a>) {
        self.current = to.current;
        self.events.truncate(to.events);
    }

    /// The request as it would be after an event that is not decided on yet.
    pub(super) fn preview(&self, what: impl Into<What>) -> Option<Request> {
        evolve(self.known().cloned(), &Event::from(what.into()), &self.meta)
    }

    /// The events, each with what stands beside it.
    pub(super) fn into_events(self) -> Vec<(Event, Meta)> {
        self.events
    }

    /// The values that rules read now.
    pub(super) fn bindings(&self) -> Result<Bindings, Rejection> {
        Ok(bindings(self.request()?, self.plan))
    }

    /// Whether a rule of the sheet holds now; one that is not written always does.
    pub(super) fn holds(&self, rule: Option<&str>) -> Result<bool, Rejection> {
        match rule {
            Some(rule) => self.plan.holds(rule, &self.bindings()?).map_err(|error| failed(&error)),
            None => Ok(true),
        }
    }

    /// The instant at which `budget`, from `from`, is used up by the process's own calendar.
    pub(super) fn term(&self, from: DateTime<Utc>, budget: Budget) -> Result<DateTime<Utc>, Rejection> {
        self.term_of(self.plan, from, budget)
    }

    /// [`Decision::term`], by the calendar of another version.
    pub(super) fn term_of(
        &self,
        plan: &Plan,
        from: DateTime<Utc>,
        budget: Budget,
    ) -> Result<DateTime<Utc>, Rejection> {
        let name = &plan.definition().calendar;
        let calendar = plan.calendar(name).ok_or_else(|| refusal::rule_failed(name))?;
        due_instant(calendar, from, budget, MonthRule::default(), &[]).map_err(|_| refusal::term_unusable())
    }
}

/// Where a request stands, in words that follow "the request is".
fn stage_words(stage: &Stage) -> Text {
    let (fr, en) = match stage {
        Stage::Received => ("reçue, à qualifier", "received and to be qualified"),
        Stage::Qualified => ("qualifiée, à affecter", "qualified and to be assigned"),
        Stage::Assigned => ("en traitement", "being treated"),
        Stage::InValidation(_) => ("en validation", "in validation"),
        Stage::Validated { .. } => ("validée, à délivrer", "validated and to be delivered"),
        Stage::Delivered { .. } => ("délivrée", "delivered"),
        Stage::Withdrawn => ("retirée", "withdrawn"),
        Stage::Cancelled => ("annulée", "cancelled"),
        Stage::Refused => ("refusée", "refused"),
        Stage::Forwarded { .. } => ("transmise", "forwarded"),
        Stage::Merged { .. } => ("rattachée à une autre", "merged into another"),
    };
    Text::new(fr, en)
}
