//! The town hall of a scenario.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::organisation::Organisation;
use crate::process::{DefinitionHash, Delivery, Plan};
use crate::request::{
    Actor, Command, DecodeError, Effect, Event, Facts, Meta, Recipient, Rejection, Request, RequestId,
    Subject, Timer, Tracking, decide, effects, evolve, settled, timers,
};

/// One request of a scenario, with its history.
#[derive(Debug, Clone)]
pub struct Case {
    /// Its id.
    pub id: RequestId,
    /// The request, once it is received.
    pub request: Option<Request>,
    /// Everything that happened to it.
    pub history: Vec<(Event, Meta)>,
    /// What is still to be sent.
    pub pending: Vec<Effect>,
    /// Everything that was ever asked to be sent.
    pub asked: Vec<Effect>,
}

/// A town hall on a fake clock.
#[derive(Debug, Clone)]
pub struct World {
    /// The processes, by name.
    pub plans: BTreeMap<String, Arc<Plan>>,
    /// Other versions of them, which requests may follow or be carried over to.
    pub versions: Vec<Arc<Plan>>,
    /// Who works there.
    pub organisation: Organisation,
    /// The collectivity that the requests are made to.
    pub tenant: String,
    /// What time it is (UTC).
    pub now: DateTime<Utc>,
    /// Its requests.
    pub cases: Vec<Case>,
    /// Whether effects are carried out at once; otherwise only by commands.
    pub sends: bool,
}

impl World {
    /// A town hall with nothing to do yet.
    #[must_use]
    pub fn new(plans: Vec<Arc<Plan>>, organisation: Organisation, tenant: &str, now: DateTime<Utc>) -> Self {
        let plans = plans.into_iter().map(|plan| (plan.definition().process.clone(), plan)).collect();
        Self {
            plans,
            versions: Vec::new(),
            organisation,
            tenant: tenant.into(),
            now,
            cases: Vec::new(),
            sends: true,
        }
    }

    /// Makes room for another request and says its place.
    pub fn open(&mut self) -> usize {
        let number = u128::try_from(self.cases.len()).unwrap_or_default() + 1;
        let id = RequestId(Uuid::from_u128(number));
        self.cases.push(Case {
            id,
            request: None,
            history: Vec::new(),
            pending: Vec::new(),
            asked: Vec::new(),
        });
        self.cases.len() - 1
    }

    /// The process that a command on this request is decided by.
    fn plan(&self, case: &Case, command: &Command) -> Option<Arc<Plan>> {
        let name = match (&case.request, command) {
            (Some(request), _) => return self.followed(request),
            (None, Command::Receive { process, .. }) => process,
            (None, _) => return self.plans.values().next().cloned(),
        };
        self.plans.get(name).cloned()
    }

    /// The version of its process that a request follows.
    fn followed(&self, request: &Request) -> Option<Arc<Plan>> {
        let in_force = self.plans.get(&request.process);
        let older = || self.version(&request.definition);
        in_force.filter(|plan| *plan.hash() == request.definition).cloned().or_else(older)
    }

    fn version(&self, hash: &DefinitionHash) -> Option<Arc<Plan>> {
        self.plans.values().chain(&self.versions).find(|plan| plan.hash() == hash).cloned()
    }

    /// What a command would make happen to a request, or why it would be refused; `None` where its process or
    /// the request itself is not of this world.
    #[must_use]
    pub fn try_out(
        &self,
        case: usize,
        actor: &Actor,
        command: &Command,
        occurred_at: DateTime<Utc>,
    ) -> Option<Result<Vec<(Event, Meta)>, Rejection>> {
        self.with_facts(case, actor, command, occurred_at, |request, facts| decide(request, command, facts))
    }

    /// Calls `then` with the request and the facts that a command is decided on.
    pub fn with_facts<T>(
        &self,
        case: usize,
        actor: &Actor,
        command: &Command,
        occurred_at: DateTime<Utc>,
        then: impl FnOnce(Option<&Request>, &Facts<'_>) -> T,
    ) -> Option<T> {
        let case = self.cases.get(case)?;
        let plan = self.plan(case, command)?;
        let target = match command {
            Command::Qualify { process: Some(process), .. } => self.plans.get(process).cloned(),
            Command::Migrate { definition, .. } => self.version(definition),
            _ => None,
        };
        let other = match command {
            Command::Merge { into } => self.cases.iter().find(|case| case.id == *into),
            _ => None,
        };
        let tracking =
            Tracking { code: "234-567-89AB".into(), digest: format!("{:064x}", case.id.0.as_u128()) };
        let facts = Facts {
            tenant: &self.tenant,
            request: case.id,
            now: self.now,
            occurred_at,
            actor,
            plan: &plan,
            organisation: &self.organisation,
            tracking: Some(&tracking),
            target: target.as_deref(),
            other: other.and_then(|case| case.request.as_ref()),
        };
        Some(then(case.request.as_ref(), &facts))
    }

    /// Gives a command, and carries out what follows from it.
    ///
    /// # Errors
    /// The refusal; nothing changes then.
    pub fn submit(&mut self, case: usize, actor: &Actor, command: &Command) -> Result<Vec<Event>, Rejection> {
        self.submit_at(case, actor, command, self.now)
    }

    /// [`World::submit`] of something that happened earlier.
    ///
    /// # Errors
    /// The refusal; nothing changes then.
    pub fn submit_at(
        &mut self,
        case: usize,
        actor: &Actor,
        command: &Command,
        occurred_at: DateTime<Utc>,
    ) -> Result<Vec<Event>, Rejection> {
        let events = self
            .try_out(case, actor, command, occurred_at)
            .unwrap_or_else(|| Err(crate::request::refusal::process_unknown(command.name())))?;
        for (event, meta) in &events {
            self.record(case, event, meta);
        }
        if self.sends {
            self.send(case);
        }
        Ok(events.into_iter().map(|(event, _)| event).collect())
    }

    /// Writes an event down as the journal would: encoded, decoded again, and folded.
    fn record(&mut self, index: usize, event: &Event, meta: &Meta) {
        let written = written(event).unwrap_or_else(|_| event.clone());
        let Some(case) = self.cases.get_mut(index) else { return };
        case.request = evolve(case.request.take(), &written, meta);
        let revision = u64::try_from(case.history.len()).unwrap_or(u64::MAX);
        case.history.push((written.clone(), meta.clone()));
        let over = settled(&written, &case.pending);
        case.pending.retain(|effect| !over.contains(&effect.id));
        let followed = self.cases.get(index).and_then(|case| self.followed(case.request.as_ref()?));
        let (Some(plan), Some(case)) = (followed, self.cases.get_mut(index)) else { return };
        let Some(request) = &case.request else { return };
        let asked = effects(revision, &written, request, &plan, &self.organisation);
        case.pending.extend(asked.clone());
        case.asked.extend(asked);
    }

    /// Carries out what can be sent by itself, and reports it.
    fn send(&mut self, index: usize) {
        while let Some(effect) = self.cases.get(index).and_then(|case| {
            let automatic =
                |by| matches!(by, Delivery::Email | Delivery::Sms | Delivery::Screen | Delivery::Social);
            case.pending.iter().find(|effect| automatic(effect.by)).cloned()
        }) {
            let command = report(&effect);
            let done = self.try_out(index, &Actor::Engine, &command, self.now);
            if let Some(case) = self.cases.get_mut(index) {
                case.pending.retain(|other| other.id != effect.id);
            }
            if let Some(Ok(events)) = done {
                for (event, meta) in &events {
                    self.record(index, event, meta);
                }
            }
        }
    }

    /// The timer that is due first, and whose it is.
    #[must_use]
    pub fn next_timer(&self) -> Option<(usize, Timer)> {
        let cases = self.cases.iter().enumerate();
        let all = cases
            .filter_map(|(index, case)| Some((index, timers(case.request.as_ref()?).into_iter().next()?)));
        all.min_by(|(_, a), (_, b)| a.order().cmp(&b.order()))
    }

    /// Lets time pass: timers fire in order of their due instants.
    ///
    /// # Errors
    /// A timer that is refused, which would otherwise fire for ever.
    pub fn wait_until(&mut self, until: DateTime<Utc>) -> Result<(), Rejection> {
        while let Some((index, timer)) = self.next_timer().filter(|(_, timer)| timer.fires_at() <= until) {
            self.now = self.now.max(timer.fires_at());
            let command = Command::Elapse { timer: timer.kind, due: timer.due };
            self.submit(index, &Actor::Engine, &command)?;
        }
        self.now = self.now.max(until);
        Ok(())
    }
}

/// The command that reports an effect done.
fn report(effect: &Effect) -> Command {
    match (&effect.subject, &effect.recipient) {
        (Subject::Acknowledgement, _) => Command::Acknowledge { by: effect.by },
        (Subject::Answer, Recipient::Requester) => Command::Deliver { by: effect.by },
        _ => Command::Notify { effect: effect.id.clone(), recipient: effect.recipient.clone() },
    }
}

/// The event as it comes back from its bytes.
fn written(event: &Event) -> Result<Event, DecodeError> {
    let kind = event.what.name();
    let shape = |source| DecodeError::Shape { kind: kind.into(), source };
    Event::decode(kind, &serde_json::to_vec(event).map_err(shape)?)
}
