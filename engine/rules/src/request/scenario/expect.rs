//! What a scenario expects, against what is.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::run::Problem;
use super::world::{Case, World};
use crate::calendar::Calendar;
use crate::language::sheet::{Expectation, StepBy};
use crate::process::Party;
use crate::request::{
    Actor, ClockStatus, Command, Effect, Hold, Recipient, Request, Stage, TaskStatus, What, allowed,
};

/// Everything that is not as expected. `told_before` is how many effects are no news.
pub(super) fn unmet(
    expected: &Expectation,
    world: &World,
    case: usize,
    by: &StepBy,
    told_before: usize,
) -> Vec<Problem> {
    let mut check = Check { world, problems: Vec::new() };
    let Some((request, found)) = world.cases.get(case).and_then(|case| Some((case.request.as_ref()?, case)))
    else {
        return vec![Problem::new("stage", "a request", "none")];
    };
    let stage = request.stage.id();
    check.word("stage", expected.stage.as_deref(), stage);
    check.word("service", expected.service.as_deref(), request.service.as_deref().unwrap_or("none"));
    check.word("complexity", expected.complexity.as_deref(), &word(&request.complexity));
    check.word("priority", expected.priority.as_deref(), &word(&request.priority));
    let outcome = if request.stage.is_finished() { stage } else { "none" };
    check.word("outcome", expected.outcome.as_deref(), outcome);
    check.word("approver_of", expected.approver_of.as_deref(), open_step(request).unwrap_or("none"));
    let waiting = matches!(request.hold, Some(Hold::WaitingForRequester { .. }));
    let passed_on = request.forwarding.as_ref();
    let to = passed_on.map_or("none", |known| known.to.as_str());
    check.word("forwarded_to", expected.forwarded_to.as_deref(), to);
    let means = passed_on.map_or("none", |known| known.means.id());
    check.word("forwarded_by", expected.forwarded_by.as_deref(), means);
    check.yes_or_no("waiting", expected.waiting, waiting);
    check.yes_or_no("validated", expected.validated, request.milestones.validated.is_some());
    check.due(expected, request);
    check.clocks(expected, found, request);
    for (task, wanted) in &expected.tasks {
        check.word(&format!("tasks.{task}"), Some(wanted), task_state(request, task));
    }
    check.payment(expected, request);
    let appointment =
        request.appointment.as_ref().map_or_else(|| "none".to_owned(), |known| word(&known.status));
    check.word("appointment", expected.appointment.as_deref(), &appointment);
    let asked = found.asked.get(told_before..).unwrap_or_default();
    for wanted in expected.notified.iter().filter(|wanted| !is_told(world, asked, wanted)) {
        check.problems.push(Problem::new("notified", wanted, told(asked)));
    }
    if !expected.allowed.is_empty() {
        let names = someone_may(world, case, by);
        for wanted in expected.allowed.iter().filter(|wanted| !names.contains(wanted.as_str())) {
            let names: Vec<&str> = names.iter().copied().collect();
            check.problems.push(Problem::new("allowed", wanted, names.join(", ")));
        }
    }
    check.problems
}

/// The id of a word of the language.
fn word<T: Serialize>(value: &T) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

fn open_step(request: &Request) -> Option<&str> {
    match &request.stage {
        Stage::InValidation(approval) => approval.open.as_ref().map(|open| open.step.as_str()),
        _ => None,
    }
}

fn task_state(request: &Request, task: &str) -> &'static str {
    match request.tasks.get(task).map(|task| task.status) {
        Some(TaskStatus::Open) => "open",
        Some(TaskStatus::Done) => "done",
        Some(TaskStatus::Skipped) => "skipped",
        Some(TaskStatus::Dropped) => "dropped",
        None => "not_started",
    }
}

struct Check<'a> {
    world: &'a World,
    problems: Vec<Problem>,
}

impl Check<'_> {
    fn word(&mut self, about: &str, expected: Option<&str>, actual: &str) {
        if let Some(expected) = expected.filter(|expected| *expected != actual) {
            self.problems.push(Problem::new(about, expected, actual));
        }
    }

    fn yes_or_no(&mut self, about: &str, expected: Option<bool>, actual: bool) {
        if let Some(expected) = expected.filter(|expected| *expected != actual) {
            self.problems.push(Problem::new(about, expected.to_string(), actual.to_string()));
        }
    }

    /// Due instants are compared as wall-clock times of the calendar that the promise counts by.
    fn due(&mut self, expected: &Expectation, request: &Request) {
        let plan = self.world.plans.get(&request.process);
        for (commitment, wanted) in &expected.due {
            let clock = request.clock(commitment);
            let calendar = clock.and_then(|clock| plan?.calendar(&clock.calendar));
            let actual = clock.map(|clock| match calendar {
                Some(calendar) => clock.due.with_timezone(&calendar.zone()).naive_local(),
                None => clock.due.naive_utc(),
            });
            if actual != Some(*wanted) {
                let actual = actual.map_or_else(|| "none".to_owned(), |actual| actual.to_string());
                self.problems.push(Problem::new(&format!("due.{commitment}"), wanted.to_string(), actual));
            }
        }
    }

    /// The last payment that was asked for.
    fn payment(&mut self, expected: &Expectation, request: &Request) {
        let Some(wanted) = &expected.payment else { return };
        let payment = request.payments.last();
        let status = payment.map_or("none", |payment| payment.status.id());
        self.word("payment", wanted.status.as_deref(), status);
        let mut cents = |about: &str, wanted: Option<u64>, actual: Option<u64>| {
            if wanted.is_some() && wanted != actual {
                let words = |cents: Option<u64>| cents.map_or_else(|| "none".to_owned(), euros);
                self.problems.push(Problem::new(about, words(wanted), words(actual)));
            }
        };
        cents("payment.amount", wanted.amount, payment.map(|payment| payment.amount));
        cents("payment.refunded", wanted.refunded, payment.map(|payment| payment.refunded));
        let plan = self.world.plans.get(&request.process);
        let zone = plan.and_then(|plan| plan.calendar(&plan.definition().calendar)).map(Calendar::zone);
        let due = payment.map(|payment| match zone {
            Some(zone) => payment.due.with_timezone(&zone).naive_local(),
            None => payment.due.naive_utc(),
        });
        if let Some(wanted) = wanted.due.filter(|wanted| due != Some(*wanted)) {
            let actual = due.map_or_else(|| "none".to_owned(), |due| due.to_string());
            self.problems.push(Problem::new("payment.due", wanted.to_string(), actual));
        }
    }

    fn clocks(&mut self, expected: &Expectation, case: &Case, request: &Request) {
        let named = |holds: &dyn Fn(&crate::request::Clock) -> bool| -> BTreeSet<String> {
            let own = request.clocks.iter().filter(|clock| clock.cycle == request.cycle && holds(clock));
            own.map(|clock| clock.commitment.clone()).collect()
        };
        self.names("kept", expected.kept.as_deref(), &named(&|clock| clock.status == ClockStatus::Kept));
        let broken = named(&|clock| clock.broken || clock.status == ClockStatus::Late);
        self.names("broken", expected.broken.as_deref(), &broken);
        let warned = case.history.iter().filter_map(|(event, _)| match &event.what {
            What::CommitmentWarned(event) => Some(event.commitment.clone()),
            _ => None,
        });
        self.names("warned", expected.warned.as_deref(), &warned.collect());
    }

    /// All those named must be there; an empty list says that there is none.
    fn names(&mut self, about: &str, expected: Option<&[String]>, actual: &BTreeSet<String>) {
        let Some(expected) = expected else { return };
        let fits = if expected.is_empty() {
            actual.is_empty()
        } else {
            expected.iter().all(|name| actual.contains(name))
        };
        if !fits {
            let actual: Vec<&str> = actual.iter().map(String::as_str).collect();
            self.problems.push(Problem::new(
                about,
                format!("[{}]", expected.join(", ")),
                format!("[{}]", actual.join(", ")),
            ));
        }
    }
}

/// Cents as sheets write them.
fn euros(cents: u64) -> String {
    format!("{}.{:02} EUR", cents / 100, cents % 100)
}

/// Whether one of the effects goes to `wanted`: `requester`, `service:x`, `role:x` or `person:x`. Someone who is told
/// in person is told in each of their roles.
fn is_told(world: &World, asked: &[Effect], wanted: &str) -> bool {
    let holds = |code: &str, role: &str| {
        world.organisation.person(code).is_some_and(|person| person.roles.iter().any(|held| held == role))
    };
    asked.iter().any(|effect| match (&effect.recipient, wanted.split_once(':')) {
        (Recipient::Requester, None) => wanted == "requester",
        (Recipient::Administration(to), Some(("administration", name))) => to == name,
        (Recipient::Party(Party::Service(service)), Some(("service", name))) => service == name,
        (Recipient::Party(Party::Role(role)), Some(("role", name))) => role == name,
        (Recipient::Party(Party::Person(code)), Some(("person", name))) => code == name,
        (Recipient::Party(Party::Person(code)), Some(("role", name))) => holds(code, name),
        _ => false,
    })
}

fn told(asked: &[Effect]) -> String {
    let names = asked.iter().map(|effect| match &effect.recipient {
        Recipient::Requester => "requester".to_owned(),
        Recipient::Administration(to) => format!("administration:{to}"),
        Recipient::Party(Party::Role(role)) => format!("role:{role}"),
        Recipient::Party(Party::Person(code)) => format!("person:{code}"),
        Recipient::Party(Party::Service(service)) => format!("service:{service}"),
        Recipient::Party(Party::ServiceInCharge) => "service".to_owned(),
    });
    let names: BTreeSet<String> = names.collect();
    format!("[{}]", names.into_iter().collect::<Vec<_>>().join(", "))
}

/// What those whom the step names may do now; anyone's possibilities, if it names nobody.
fn someone_may(world: &World, case: usize, by: &StepBy) -> BTreeSet<&'static str> {
    let people = world.organisation.people.iter();
    let actors: Vec<Actor> = match by {
        StepBy::Requester => vec![Actor::Requester],
        StepBy::Person(code) => vec![Actor::Agent(code.clone())],
        StepBy::Role(role) => people
            .filter(|person| person.roles.iter().any(|held| held == role))
            .map(|person| Actor::Agent(person.person.clone()))
            .collect(),
        StepBy::Fitting => {
            people.map(|person| Actor::Agent(person.person.clone())).chain([Actor::Requester]).collect()
        }
    };
    let now: DateTime<Utc> = world.now;
    let may = |actor: &Actor| {
        let facts = world.with_facts(case, actor, &Command::Claim {}, now, |request, facts| {
            request.map(|request| allowed(request, facts)).unwrap_or_default()
        });
        facts.unwrap_or_default()
    };
    actors.iter().flat_map(may).collect()
}
