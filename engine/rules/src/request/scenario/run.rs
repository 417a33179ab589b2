//! Runs scenarios step by step.

use std::sync::Arc;

use chrono::{DateTime, NaiveDateTime, Utc};

use super::deal;
use super::expect::unmet;
use super::who::actor_of;
use super::world::World;
use crate::commitment::{Budget, MonthRule, due_instant};
use crate::language::sheet::{Action, Deed, Scenario, ScenarioFile, Step, StepBy, When};
use crate::language::source::Mark;
use crate::organisation::Organisation;
use crate::process::Plan;
use crate::request::{Command, Event, Meta, Rejection, RequestId};
use crate::text::Text;

/// What is not as the scenario says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What it is about: a key of `expect`, or the name of a command.
    pub about: String,
    /// What the scenario says.
    pub expected: String,
    /// What is.
    pub actual: String,
    /// The code of the refusal, where a command was refused.
    pub refusal: Option<String>,
    /// The sentence for the designer.
    pub text: Text,
}

impl Problem {
    pub(super) fn new(about: &str, expected: impl Into<String>, actual: impl Into<String>) -> Self {
        let (expected, actual) = (expected.into(), actual.into());
        let text = Text::new(
            format!("{about} : attendu {expected}, obtenu {actual}"),
            format!("{about}: expected {expected}, got {actual}"),
        );
        Self { about: about.into(), expected, actual, refusal: None, text }
    }

    fn refused(about: &str, rejection: &Rejection) -> Self {
        let fields = rejection.fields.iter().map(|fault| format!(" {} {}", fault.pointer, fault.code));
        let actual = format!("{}{}", rejection.code, fields.collect::<String>());
        let text = Text::new(
            format!("{about} refusé ({actual}) : {}", rejection.text.fr),
            format!("{about} refused ({actual}): {}", rejection.text.en),
        );
        let refusal = Some(rejection.code.clone());
        Self { about: about.into(), expected: "done".into(), actual, refusal, text }
    }
}

/// How one step went.
#[derive(Debug, Clone, PartialEq)]
pub struct StepOutcome {
    /// Where it stands in the file.
    pub mark: Mark,
    /// When it happened (UTC).
    pub at: DateTime<Utc>,
    /// Who acted, as on events; empty for expectations.
    pub actor: String,
    /// What is not as it should be; nothing if all is well.
    pub problems: Vec<Problem>,
    /// How many events the history had after it.
    pub events: usize,
}

/// How one scenario went.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Its name.
    pub scenario: String,
    /// Where it begins.
    pub mark: Mark,
    /// Its steps.
    pub steps: Vec<StepOutcome>,
    /// Everything that happened to its request.
    pub history: Vec<(Event, Meta)>,
}

impl Outcome {
    /// Whether everything was as the scenario says.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.steps.iter().all(|step| step.problems.is_empty())
    }
}

/// Runs the scenarios of a file on these processes.
#[must_use]
pub fn run(file: &ScenarioFile, plans: &[Arc<Plan>], organisation: &Organisation) -> Vec<Outcome> {
    file.scenarios.iter().map(|scenario| Runner::run(file, scenario, plans, organisation)).collect()
}

struct Runner<'a> {
    file: &'a ScenarioFile,
    plan: Option<&'a Plan>,
    world: World,
    case: usize,
    /// How the last command was refused, if it was.
    refused: Option<Rejection>,
    /// Effects asked for before this place are no news.
    told_before: usize,
    expecting: bool,
}

/// The collectivity that a scenario plays in: of those that offer the process, the one that most of the people named
/// work for; the first of the catalogue where that does not tell.
fn tenant_of(scenario: &Scenario, plan: &Plan, organisation: &Organisation) -> String {
    let named = |tenant: &str| {
        let people = scenario.steps.iter().filter_map(|step| match &step.by {
            StepBy::Person(code) => organisation.person(code),
            StepBy::Fitting | StepBy::Requester | StepBy::Role(_) => None,
        });
        people.filter(|person| organisation.works_for(person, tenant)).count()
    };
    let offered = &plan.definition().tenants;
    let passed = |tenant: &&String| {
        scenario.steps.iter().any(|step| {
            let Action::Do(command) = &step.action else { return false };
            let Command::Receive { origin: Some(passed), .. } = command.as_ref() else { return false };
            passed.origin.through.contains(tenant)
        })
    };
    let known = organisation.tenants.iter().map(|collectivity| &collectivity.tenant);
    let mut tenants: Vec<&String> =
        known.filter(|tenant| offered.contains(tenant) && !passed(tenant)).collect();
    // The sort is stable, so the catalogue's order decides between equals.
    tenants.sort_by_key(|tenant| std::cmp::Reverse(named(tenant)));
    tenants.first().copied().or(offered.first()).cloned().unwrap_or_default()
}

/// A winter Monday with nothing special about it, for scenarios that say no date.
fn some_monday() -> NaiveDateTime {
    DateTime::from_timestamp(1_768_208_400, 0).unwrap_or_default().naive_utc()
}

impl<'a> Runner<'a> {
    fn run(
        file: &'a ScenarioFile,
        scenario: &'a Scenario,
        plans: &'a [Arc<Plan>],
        organisation: &Organisation,
    ) -> Outcome {
        let plan = plans.iter().find(|plan| plan.definition().process == file.process).map(AsRef::as_ref);
        let tenant = plan.map(|plan| tenant_of(scenario, plan, organisation)).unwrap_or_default();
        let mut world = World::new(plans.to_vec(), organisation.clone(), &tenant, DateTime::default());
        world.sends = file.outbound_at_once;
        let case = world.open();
        let mut runner = Self { file, plan, world, case, refused: None, told_before: 0, expecting: false };
        let start = scenario.steps.first().map_or(When::AtOnce, |step| step.when);
        runner.world.now = match start {
            When::Instant(instant) => instant,
            When::Local(local) => runner.instant(local),
            When::AtOnce | When::After(_) => runner.instant(some_monday()),
        };
        let mut steps = Vec::new();
        for (index, step) in scenario.steps.iter().enumerate() {
            let next = scenario.steps.get(index + 1);
            let forgiven = next.is_some_and(|next| matches!(next.action, Action::ExpectRefused(_)));
            steps.push(runner.step(step, forgiven));
        }
        let history = runner.world.cases.get(case).map(|case| case.history.clone()).unwrap_or_default();
        Outcome { scenario: scenario.name.clone(), mark: scenario.mark, steps, history }
    }

    /// The instant of a wall-clock time of the process's calendar.
    fn instant(&self, local: NaiveDateTime) -> DateTime<Utc> {
        let calendar = self.plan.and_then(|plan| plan.calendar(&plan.definition().calendar));
        calendar.and_then(|calendar| calendar.instant(local)).unwrap_or_else(|| local.and_utc())
    }

    fn later(&self, budget: Budget) -> Option<DateTime<Utc>> {
        let calendar = self.plan.and_then(|plan| plan.calendar(&plan.definition().calendar))?;
        due_instant(calendar, self.world.now, budget, MonthRule::default(), &[]).ok()
    }

    fn step(&mut self, step: &Step, forgiven: bool) -> StepOutcome {
        let mut problems = Vec::new();
        let mut occurred_at = self.world.now;
        let wanted = match step.when {
            When::AtOnce => Some(self.world.now),
            When::Instant(instant) => Some(instant),
            When::Local(local) => Some(self.instant(local)),
            When::After(budget) => self.later(budget),
        };
        match wanted {
            Some(instant) => {
                self.wait_until(instant, &mut problems);
                // Earlier than now: something that is only written down now.
                occurred_at = instant;
            }
            None => problems.push(Problem::new("after", "an instant", "none")),
        }
        let actor = self.act(step, occurred_at, forgiven, &mut problems);
        let events = self.world.cases.get(self.case).map_or(0, |case| case.history.len());
        StepOutcome { mark: step.mark, at: occurred_at, actor, problems, events }
    }

    fn wait_until(&mut self, instant: DateTime<Utc>, problems: &mut Vec<Problem>) {
        if let Err(rejection) = self.world.wait_until(instant) {
            problems.push(Problem::refused("timer", &rejection));
        }
    }

    fn act(&mut self, step: &Step, at: DateTime<Utc>, forgiven: bool, problems: &mut Vec<Problem>) -> String {
        let command = match &step.action {
            Action::Do(command) => (**command).clone(),
            Action::SuspendUntil { reason, until } => {
                Command::Suspend { reason: reason.clone(), until: Some(self.instant(*until)) }
            }
            Action::MergeInto(other) => {
                self.begin();
                match self.other(other, problems) {
                    Some(into) => Command::Merge { into },
                    None => return String::new(),
                }
            }
            Action::Deal(deed) => {
                self.begin();
                return self.deal(step, deed, at, forgiven, problems);
            }
            Action::Wait(budget) => {
                self.begin();
                match self.later(*budget) {
                    Some(instant) => self.wait_until(instant, problems),
                    None => problems.push(Problem::new("wait", "an instant", "none")),
                }
                return String::new();
            }
            Action::Outage(budget) => {
                self.begin();
                match self.later(*budget) {
                    Some(instant) => {
                        self.world.now = instant;
                        self.wait_until(instant, problems);
                    }
                    None => problems.push(Problem::new("outage", "an instant", "none")),
                }
                return String::new();
            }
            Action::Expect(expected) => {
                self.expecting = true;
                problems.extend(unmet(expected, &self.world, self.case, &step.by, self.told_before));
                return String::new();
            }
            Action::ExpectRefused(code) => {
                let actual =
                    self.refused.take().map_or_else(|| "done".to_owned(), |rejection| rejection.code);
                if actual != *code {
                    problems.push(Problem::new("expect_refused", code, actual));
                }
                return String::new();
            }
        };
        self.begin();
        self.give(&step.by, &command, at, forgiven, problems)
    }

    /// What is told from now on is news for the next expectation.
    fn begin(&mut self) {
        if self.expecting {
            self.told_before = self.world.cases.get(self.case).map_or(0, |case| case.asked.len());
            self.expecting = false;
        }
    }

    fn give(
        &mut self,
        by: &StepBy,
        command: &Command,
        at: DateTime<Utc>,
        forgiven: bool,
        problems: &mut Vec<Problem>,
    ) -> String {
        let actor = actor_of(&self.world, self.case, by, command, at);
        self.refused = self.world.submit_at(self.case, &actor, command, at).err();
        if let Some(rejection) = self.refused.as_ref().filter(|_| !forgiven) {
            problems.push(Problem::refused(command.name(), rejection));
        }
        actor.pseudonym()
    }

    /// Money and dates: the commands that a step comes to, as the request stands.
    fn deal(
        &mut self,
        step: &Step,
        deed: &Deed,
        at: DateTime<Utc>,
        forgiven: bool,
        problems: &mut Vec<Problem>,
    ) -> String {
        let request = self.world.cases.get(self.case).and_then(|case| case.request.as_ref());
        let commands = match deal::commands(deed, request, |local| self.instant(local)) {
            Ok(commands) => commands,
            Err(problem) => {
                problems.push(problem);
                return String::new();
            }
        };
        let mut actor = String::new();
        for command in &commands {
            actor = self.give(&step.by, command, at, forgiven, problems);
            if self.refused.is_some() {
                break;
            }
        }
        actor
    }

    /// Another request for this one to be merged into: the one that the scenario of that name opens, or a second one
    /// like this.
    fn other(&mut self, name: &str, problems: &mut Vec<Problem>) -> Option<RequestId> {
        let named = self.file.scenarios.iter().find(|scenario| scenario.name == name);
        let mine = self.file.scenarios.first();
        let steps = named.or(mine).map(|scenario| scenario.steps.as_slice()).unwrap_or_default();
        let received = steps.iter().find_map(|step| match &step.action {
            Action::Do(command) if matches!(**command, Command::Receive { .. }) => Some((command, &step.by)),
            _ => None,
        });
        let (command, by) = received?;
        let case = self.world.open();
        let now = self.world.now;
        let actor = actor_of(&self.world, case, by, command, now);
        if let Err(rejection) = self.world.submit(case, &actor, command) {
            problems.push(Problem::refused("merge", &rejection));
        }
        self.world.cases.get(case).map(|case| case.id)
    }
}
