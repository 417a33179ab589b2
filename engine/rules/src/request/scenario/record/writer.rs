//! Goes through a history, command by command, and writes the steps down.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde_json::{Map, Value, json};

use super::commands::{Clue, of_the_engine};
use super::write::{Precision, action, flow, local, step};
use super::{Source, Unrecordable, Way};
use crate::process::{DefinitionHash, Plan};
use crate::request::{
    Actor, ClockStatus, Command, Event, Facts, Hold, Meta, Request, Tracking, What, decide, evolve,
};
use crate::text::Language;

/// What was written down this much later than it happened is told as such, in seconds.
const LATE: i64 = 60;

pub(super) struct Writer<'a> {
    source: &'a Source<'a>,
    way: Way,
    zone: Tz,
    request: Option<Request>,
    lines: Vec<String>,
    /// What time it is in the scenario.
    now: Option<DateTime<Utc>>,
    /// What was expected last, by key.
    told: Map<String, Value>,
}

impl<'a> Writer<'a> {
    /// The scenario’s text, an item of the list `scenarios`.
    pub(super) fn write(source: &'a Source<'a>, way: Way) -> Result<String, Unrecordable> {
        let (Some((first, begun)), Some((last, ended))) = (source.history.first(), source.history.last())
        else {
            return Err(Unrecordable::Empty);
        };
        let What::Received(received) = &first.what else { return Err(Unrecordable::Empty) };
        let plan = plan_of(source, &received.definition)?;
        let calendar = plan.calendar(&plan.definition().calendar);
        let zone = calendar.map_or(Tz::UTC, |calendar| calendar.zone());
        let mut writer =
            Self { source, way, zone, request: None, lines: Vec::new(), now: None, told: Map::new() };
        let mut at = 0;
        while let Some(rest) = source.history.get(at..).filter(|rest| !rest.is_empty()) {
            at += writer.next(rest)?;
        }
        // What falls due at an instant is noticed after it.
        let sent = is_sending(&last.what) || matches!(last.what, What::DeliveryFailed(_));
        let elapsed = ended.actor == "engine" && !sent;
        let noticed = if elapsed { TimeDelta::minutes(1) } else { TimeDelta::zero() };
        writer.expect(Some(ended.occurred_at + noticed));
        let day = begun.occurred_at.with_timezone(&zone).format("%Y-%m-%d");
        let name = match source.language {
            Language::Fr => format!("comme une demande réelle du {day}"),
            Language::En => format!("like a real request of {day}"),
        };
        let steps: String = writer.lines.iter().map(|line| format!("      {line}\n")).collect();
        Ok(format!("  - name: {}\n    steps:\n{steps}", flow(&name.into())))
    }

    /// Takes the next command, or an event that comes of itself; says how many events that was.
    fn next(&mut self, rest: &'a [(Event, Meta)]) -> Result<usize, Unrecordable> {
        let Some((first, meta)) = rest.first() else { return Ok(1) };
        let length = rest.iter().take_while(|(_, other)| other == meta).count();
        let run = rest.get(..length).unwrap_or(rest);
        let version = match (&first.what, &self.request) {
            (What::Received(event), _) => event.definition.clone(),
            (What::Migrated(_), _) => return Err(Unrecordable::Migrated),
            (_, Some(request)) => request.definition.clone(),
            (_, None) => return Err(Unrecordable::Empty),
        };
        let plan = plan_of(self.source, &version)?;
        let target = run.iter().find_map(|(event, _)| match &event.what {
            What::Reclassified(event) => {
                self.source.plans.iter().find(|plan| *plan.hash() == event.definition)
            }
            _ => None,
        });
        let (plan, target) = (plan.as_ref(), target.map(AsRef::as_ref));
        let clue = Clue { run, plan, target, language: self.source.language };
        let ours = |command: &Command| meta.actor != "engine" || of_the_engine(command, self.way.sends);
        let commands: Vec<Command> = clue.commands().into_iter().filter(ours).collect();
        let found = commands.iter().filter_map(|command| Some((self.gives(command, &clue, meta)?, command)));
        // Of those that give as much, the likeliest: the search keeps the last of equals.
        let found = found.collect::<Vec<_>>().into_iter().rev().max_by_key(|(count, _)| *count);
        let fallback = || commands.first().map(|command| (consequences(&clue), command));
        let Some((count, command)) = found.or_else(fallback) else {
            self.fold(run.get(..1).unwrap_or_default());
            return Ok(1);
        };
        self.step(command, meta);
        let sent = rest
            .get(count..)
            .unwrap_or_default()
            .iter()
            .take_while(|(event, meta)| self.is_sent(event, meta));
        let count = count + sent.count();
        self.fold(rest.get(..count).unwrap_or_default());
        self.expect(None);
        Ok(count)
    }

    fn fold(&mut self, events: &[(Event, Meta)]) {
        for (event, meta) in events {
            self.request = evolve(self.request.take(), event, meta);
        }
    }

    /// What follows a command at once where effects are carried out at once.
    fn is_sent(&self, event: &Event, meta: &Meta) -> bool {
        self.way.sends && meta.actor == "engine" && is_sending(&event.what)
    }

    /// How many events of the run the command gives, decided on the request as it was; none if it gives others.
    fn gives(&self, command: &Command, clue: &Clue<'_>, meta: &Meta) -> Option<usize> {
        let id = self.request.as_ref().map(|request| request.id);
        let received = clue.run.first().and_then(|(event, _)| match &event.what {
            What::Received(event) => Some(event.request),
            _ => None,
        });
        let actor = actor_of(&meta.actor);
        let tracking = Tracking { code: "234-567-89AB".into(), digest: "0".repeat(64) };
        let facts = Facts {
            tenant: &meta.tenant,
            request: id.or(received)?,
            now: meta.recorded_at,
            occurred_at: meta.occurred_at,
            actor: &actor,
            plan: clue.plan,
            organisation: self.source.organisation,
            tracking: Some(&tracking),
            target: clue.target,
            other: None,
        };
        let events = decide(self.request.as_ref(), command, &facts).ok()?;
        // What fell due before the command stands before it in the history, too, and was taken there.
        let own = events.iter().filter(|(_, own)| own.actor == meta.actor);
        let names: Vec<&str> = own.map(|(event, _)| event.what.name()).collect();
        let real = clue.run.iter().map(|(event, _)| event.what.name()).take(names.len());
        (!names.is_empty() && real.eq(names.iter().copied())).then_some(names.len())
    }

    /// Writes a command down: when, who, what.
    fn step(&mut self, command: &Command, meta: &Meta) {
        let occurred = self.way.precision.cut(meta.occurred_at);
        let recorded = self.way.precision.cut(meta.recorded_at);
        let late = self.way.late && (meta.recorded_at - meta.occurred_at).num_seconds() >= LATE;
        let mut parts: Vec<(String, Value)> = Vec::new();
        if late && self.now.is_none_or(|now| now < recorded) {
            let at = self.way.precision.at(meta.recorded_at, self.zone);
            self.lines.push(step(&[("at".into(), at.into()), ("wait".into(), "0 hours".into())]));
            self.now = Some(recorded);
        }
        if self.now != Some(occurred) {
            parts.push(("at".into(), self.way.precision.at(meta.occurred_at, self.zone).into()));
        }
        self.now = self.now.max(Some(occurred));
        let by = self.by(command, meta);
        let citizen = by.as_ref().is_none_or(|by| by == "requester");
        parts.extend(by.map(|by| ("by".to_owned(), by.into())));
        let merged = match self.source.language {
            Language::Fr => "la même demande",
            Language::En => "the same request",
        };
        let mut action = action(command, self.zone, merged);
        if let Some((_, Value::Object(body))) = action.first_mut() {
            let usual = if citizen { "citizen" } else { "agent" };
            body.retain(|key, value| key != "open_to" || value != usual);
        }
        parts.extend(action);
        self.lines.push(step(&parts));
    }

    /// Who did it, where a scenario would take somebody else.
    fn by(&self, command: &Command, meta: &Meta) -> Option<String> {
        match actor_of(&meta.actor) {
            Actor::Agent(code) => {
                self.source.organisation.person(&code).map(|person| format!("person:{}", person.person))
            }
            Actor::Engine | Actor::Operator(_) => None,
            Actor::Requester | Actor::Integrator(_) => {
                let theirs = match command {
                    Command::Receive { channel, .. } => channel.is_online(),
                    other => {
                        const THEIRS: [&str; 6] =
                            ["reply", "withdraw", "rate", "reopen", "start_payment", "choose_appointment"];
                        THEIRS.contains(&other.name())
                    }
                };
                (!theirs).then(|| "requester".to_owned())
            }
        }
    }

    /// Writes down what is new about the request; at the end, `ended`, also what became of its promises.
    fn expect(&mut self, ended: Option<DateTime<Utc>>) {
        let Some(request) = &self.request else { return };
        let mut state = self.state(request);
        if ended.is_some() {
            self.told.clear();
            state.remove("due");
            if request.stage.is_finished() {
                state.insert("outcome".into(), request.stage.id().into());
            }
            let names = |holds: &dyn Fn(&crate::request::Clock) -> bool| -> Vec<Value> {
                let own = request.clocks.iter().filter(|clock| clock.cycle == request.cycle && holds(clock));
                own.map(|clock| clock.commitment.as_str().into()).collect()
            };
            let kept = names(&|clock| clock.status == ClockStatus::Kept);
            let broken = names(&|clock| clock.broken || clock.status == ClockStatus::Late);
            state.insert("kept".into(), kept.into());
            state.insert("broken".into(), broken.into());
        }
        let mut parts: Vec<(String, Value)> = Vec::new();
        if let Some(ended) =
            ended.filter(|ended| self.now.is_none_or(|now| now < self.way.precision.cut(*ended)))
        {
            parts.push(("at".into(), self.way.precision.at(ended, self.zone).into()));
        }
        // What was expected at this very moment is said again, with the rest.
        if ended.is_some() && parts.is_empty() {
            self.lines.pop_if(|line| line.starts_with("- expect:"));
        }
        let news = self.news(&state);
        if !news.is_empty() {
            parts.push(("expect".into(), Value::Object(news)));
            self.lines.push(step(&parts));
        }
        self.told = state;
    }

    /// How the request stands, in the words of expectations.
    fn state(&self, request: &Request) -> Map<String, Value> {
        let mut state = Map::from_iter([("stage".to_owned(), Value::from(request.stage.id()))]);
        if let Some(service) = &request.service {
            state.insert("service".into(), service.as_str().into());
        }
        if request.milestones.qualified.is_some() {
            state.insert("complexity".into(), json!(request.complexity));
            state.insert("priority".into(), json!(request.priority));
        }
        let waiting = matches!(request.hold, Some(Hold::WaitingForRequester { .. }));
        if waiting || self.told.contains_key("waiting") {
            state.insert("waiting".into(), waiting.into());
        }
        if let Some(payment) = request.payments.last() {
            state.insert("payment".into(), payment.status.id().into());
        }
        if let Some(appointment) = &request.appointment {
            state.insert("appointment".into(), json!(appointment.status));
        }
        let plan = self.source.plans.iter().find(|plan| *plan.hash() == request.definition);
        let running = request.live_clocks().filter(|clock| clock.status == ClockStatus::Running);
        let due = running.map(|clock| {
            let zone = plan.and_then(|plan| plan.calendar(&clock.calendar)).map_or(self.zone, |c| c.zone());
            (clock.commitment.clone(), Value::from(local(self.way.precision.cut(clock.due), zone)))
        });
        let due: Map<String, Value> = due.collect();
        if !due.is_empty() && self.way.precision != Precision::Exact {
            state.insert("due".into(), Value::Object(due));
        }
        state
    }

    /// What was not expected like this before.
    fn news(&self, state: &Map<String, Value>) -> Map<String, Value> {
        let mut news = Map::new();
        for (key, value) in state.iter().filter(|(key, value)| self.told.get(*key) != Some(*value)) {
            match (value, self.told.get(key)) {
                (Value::Object(parts), Some(Value::Object(told))) => {
                    let new = parts.iter().filter(|(name, part)| told.get(*name) != Some(*part));
                    let new: Map<String, Value> =
                        new.map(|(name, part)| (name.clone(), part.clone())).collect();
                    if !new.is_empty() {
                        news.insert(key.clone(), Value::Object(new));
                    }
                }
                _ => {
                    news.insert(key.clone(), value.clone());
                }
            }
        }
        news
    }
}

fn plan_of<'a>(source: &Source<'a>, version: &DefinitionHash) -> Result<&'a Arc<Plan>, Unrecordable> {
    let found = source.plans.iter().find(|plan| plan.hash() == version);
    found.ok_or_else(|| Unrecordable::NoPlan(version.clone()))
}

/// The first event of a run and those after it that begin nothing by themselves.
fn consequences(clue: &Clue<'_>) -> usize {
    let begins = |index: &usize| {
        let run = clue.run.get(*index..).unwrap_or_default();
        !Clue { run, ..*clue }.commands().is_empty()
    };
    (1..clue.run.len()).find(begins).unwrap_or(clue.run.len())
}

/// Whether an event tells that something was sent, or not.
fn is_sending(what: &What) -> bool {
    matches!(
        what,
        What::Acknowledged(_) | What::Delivered(_) | What::Notified(_) | What::NotificationFailed(_)
    )
}

fn actor_of(pseudonym: &str) -> Actor {
    match pseudonym.split_once(':') {
        Some(("agent", code)) => Actor::Agent(code.into()),
        Some(("integrator", name)) => Actor::Integrator(name.into()),
        Some(("operator", user)) => Actor::Operator(user.into()),
        _ if pseudonym == "engine" => Actor::Engine,
        _ => Actor::Requester,
    }
}
