//! A request that lives: its state, what is out of the ordinary about it, what is planned, what is to be sent.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use guichet_engine::rules::organisation::Organisation;
use guichet_engine::rules::process::Plan;
use guichet_engine::rules::request::{
    Actor, Command, Effect, Event, Facts, Meta, Rejection, Request, RequestId, Timer, Tracking, attempt,
    effects, evolve, settled, timers,
};

use super::dice::Dice;
use super::hours::Second;
use super::moves::{Fates, Move};

/// What is planned about a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Planned {
    pub(super) one: Move,
    /// By which what comes of it is known again; what has lost its reason finds none.
    pub(super) stamp: u32,
    /// Since when it is wanted.
    pub(super) since: Second,
}

/// An effect that is not done, with the instant of the event that asked for it.
#[derive(Debug, Clone)]
pub(super) struct Pending {
    pub(super) effect: Effect,
    pub(super) asked: DateTime<Utc>,
}

/// A request that lives.
#[derive(Debug)]
pub(super) struct File {
    /// Its place among those received, from 0: what a journal would number it by.
    pub(super) number: u32,
    /// The place of its process among those offered.
    pub(super) offered: usize,
    pub(super) tenant: Arc<str>,
    pub(super) plan: Arc<Plan>,
    pub(super) state: Request,
    /// Events so far.
    pub(super) events: u64,
    pub(super) fates: Fates,
    pub(super) dice: Dice,
    pub(super) planned: Vec<Planned>,
    /// Drafts written so far.
    pub(super) drafts: u32,
    /// Moves that the rules refused.
    pub(super) refused: u32,
    pub(super) pending: Vec<Pending>,
    /// The soonest timer, as it stands in the town's list.
    pub(super) alarm: Option<DateTime<Utc>>,
    /// Whether figures count it: it came after the warm-up.
    pub(super) counted: bool,
}

/// Who asks what, and when: now, and when what is told of happened.
pub(super) struct Asking<'a> {
    pub(super) command: &'a Command,
    pub(super) actor: &'a Actor,
    pub(super) now: DateTime<Utc>,
    pub(super) occurred_at: DateTime<Utc>,
}

/// What a command made of a request.
pub(super) struct Made {
    /// The request after it.
    pub(super) state: Option<Request>,
    pub(super) events: Vec<Event>,
    pub(super) pending: Vec<Pending>,
}

/// Where a command goes: a request that is, or one that begins.
pub(super) struct Target<'a> {
    pub(super) tenant: &'a str,
    pub(super) request: RequestId,
    pub(super) plan: &'a Plan,
    pub(super) organisation: &'a Organisation,
    pub(super) state: Option<&'a Request>,
    /// Events so far.
    pub(super) events: u64,
    pub(super) pending: &'a [Pending],
    /// The one that a merging names.
    pub(super) other: Option<&'a Request>,
}

/// Carries a command out by the rules of production; nothing changes if they refuse it.
pub(super) fn decided(target: &Target<'_>, asking: &Asking<'_>) -> Result<Made, Rejection> {
    // Nobody follows an invented request up, so its code need not be drawn.
    let tracking = Tracking { code: String::new(), digest: String::new() };
    let facts = Facts {
        tenant: target.tenant,
        request: target.request,
        now: asking.now,
        occurred_at: asking.occurred_at,
        actor: asking.actor,
        plan: target.plan,
        organisation: target.organisation,
        tracking: Some(&tracking),
        target: None,
        other: target.other,
    };
    let decided = attempt(target.state, asking.command, &facts)?;
    let mut made =
        Made { state: None, events: Vec::with_capacity(decided.len()), pending: target.pending.to_vec() };
    let mut state = target.state.cloned();
    for ((event, meta), revision) in decided.into_iter().zip(target.events..) {
        state = evolve(state, &event, &meta);
        if let Some(after) = &state {
            made.reacts(revision, (&event, &meta), after, target);
        }
        made.events.push(event);
    }
    made.state = state;
    Ok(made)
}

impl Made {
    /// What is settled by an event, and what it asks for.
    fn reacts(
        &mut self,
        revision: u64,
        (event, meta): (&Event, &Meta),
        after: &Request,
        target: &Target<'_>,
    ) {
        if !self.pending.is_empty() {
            let known: Vec<Effect> = self.pending.iter().map(|pending| pending.effect.clone()).collect();
            let over = settled(event, &known);
            self.pending.retain(|pending| !over.contains(&pending.effect.id));
        }
        let new = effects(revision, event, after, target.plan, target.organisation);
        self.pending.extend(new.into_iter().map(|effect| Pending { effect, asked: meta.occurred_at }));
    }
}

impl File {
    /// A command about this request, as [`decided`].
    pub(super) fn asked(
        &self,
        organisation: &Organisation,
        asking: &Asking<'_>,
        other: Option<&Request>,
    ) -> Result<Made, Rejection> {
        let target = Target {
            tenant: &self.tenant,
            request: self.state.id,
            plan: &self.plan,
            organisation,
            state: Some(&self.state),
            events: self.events,
            pending: &self.pending,
            other,
        };
        decided(&target, asking)
    }

    /// Its soonest timer, and when it may fire.
    pub(super) fn soonest(&self) -> Option<(DateTime<Utc>, Timer)> {
        timers(&self.state).into_iter().map(|timer| (timer.fires_at(), timer)).min()
    }

    /// Whether nothing will ever happen to it again.
    pub(super) fn is_over(&self) -> bool {
        self.state.stage.is_finished()
            && self.planned.is_empty()
            && self.alarm.is_none()
            && !self.pending.iter().any(|pending| is_sent_by_itself(&pending.effect))
    }
}

/// Whether the engine sends it: letters, the counter and the telephone are people's work.
pub(super) fn is_sent_by_itself(effect: &Effect) -> bool {
    use guichet_engine::rules::process::Delivery;
    match effect.by {
        Delivery::Email | Delivery::Sms | Delivery::Screen | Delivery::Social => true,
        Delivery::Letter | Delivery::Counter | Delivery::Phone => false,
    }
}
