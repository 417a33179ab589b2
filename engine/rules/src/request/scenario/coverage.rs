//! Which branches of a process its scenarios take.
//!
//! A branch is a way that a request can go because a sheet says so: each rule of each list, each condition of a field
//! both ways, each task done and (where it has a condition) skipped, the circuit needed and not, each of its steps
//! approved, returned and (where it has a condition) skipped. What was taken is read from the events, which carry the
//! rules that decided, and from conditions evaluated on the request as it then was. Whether a promise was seen kept
//! and broken is told beside the branches: it depends on how long people take, not on what the sheet says.

use std::collections::BTreeMap;

use serde::Serialize;

use super::run::Outcome;
use crate::process::{Bindings, Definition, Field, PaymentMoment, Plan, Requirement, Rule};
use crate::request::{ClockChange, ClockStatus, Event, Request, Stage, Submitted, What, bindings, evolve};
use crate::text::Text;

/// Which way a branch goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// The rule decided.
    Taken,
    /// The condition held.
    Holds,
    /// The condition did not hold.
    Fails,
    /// The task was done.
    Done,
    /// The task or step was not needed.
    Skipped,
    /// The circuit was needed.
    Needed,
    /// The circuit was not needed.
    NotNeeded,
    /// The step was passed.
    Approved,
    /// The step sent the draft back.
    Returned,
}

/// A way that a request can go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Branch {
    /// The part of the definition that decides, as a JSON pointer.
    pub pointer: String,
    /// Which way.
    pub way: Way,
    /// The condition that decides, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// The name of the first scenario that took it; none where no scenario did.
    pub taken_by: Option<String>,
}

/// A promise, and how the scenarios saw it end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PromiseSeen {
    /// The commitment; `silence` for the legal clock is not listed, because silence is no work of the town's.
    pub commitment: String,
    /// Whether a scenario saw it kept.
    pub kept: bool,
    /// Whether a scenario saw it broken.
    pub broken: bool,
}

/// What the scenarios of a process take of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// The process.
    pub process: String,
    /// Its branches, in the order of the sheet.
    pub branches: Vec<Branch>,
    /// Its promises, for information: they are no branches.
    pub promises: Vec<PromiseSeen>,
}

impl Coverage {
    /// How many branches some scenario takes.
    #[must_use]
    pub fn taken(&self) -> usize {
        self.branches.iter().filter(|branch| branch.taken_by.is_some()).count()
    }

    /// The branches that no scenario takes.
    pub fn missing(&self) -> impl Iterator<Item = &Branch> {
        self.branches.iter().filter(|branch| branch.taken_by.is_none())
    }

    /// The share of branches taken, in whole percent rounded down; 100 only where all are.
    #[must_use]
    pub fn percent(&self) -> usize {
        (self.taken() * 100).checked_div(self.branches.len()).unwrap_or(100)
    }
}

/// What these outcomes, each of a scenario of the process of `plan`, take of it.
#[must_use]
pub fn coverage<'o>(plan: &Plan, outcomes: impl IntoIterator<Item = &'o Outcome>) -> Coverage {
    let mut walk = Walk { plan, seen: BTreeMap::new(), promises: BTreeMap::new(), scenario: "" };
    for outcome in outcomes {
        walk.scenario = &outcome.scenario;
        walk.through(outcome);
    }
    let mut branches = branches(plan.definition());
    for branch in &mut branches {
        branch.taken_by = walk.seen.get(&(branch.pointer.clone(), branch.way)).map(|name| (*name).into());
    }
    let promises = plan.definition().commitments.iter().map(|sheet| {
        let (kept, broken) = walk.promises.get(&sheet.commitment).copied().unwrap_or_default();
        PromiseSeen { commitment: sheet.commitment.clone(), kept, broken }
    });
    Coverage { process: plan.definition().process.clone(), branches, promises: promises.collect() }
}

/// Every branch of a definition, none of them taken yet.
fn branches(definition: &Definition) -> Vec<Branch> {
    let mut all = Vec::new();
    fields(&definition.form, "/form", &mut all);
    rules(&definition.qualification.complexity, "/qualification/complexity", &mut all);
    rules(&definition.qualification.priority, "/qualification/priority", &mut all);
    rules(&definition.assignment, "/assignment", &mut all);
    for (index, task) in definition.treatment.iter().enumerate() {
        let pointer = format!("/treatment/{index}");
        let when = task.when.as_ref();
        put(&mut all, &pointer, when, &[Way::Done]);
        if when.is_some() {
            put(&mut all, &pointer, when, &[Way::Skipped]);
        }
        fields(&task.report, &format!("{pointer}/report"), &mut all);
    }
    if let Some(circuit) = &definition.validation.circuit {
        if let when @ Some(_) = definition.validation.when.as_ref() {
            put(&mut all, "/validation/when", when, &[Way::Needed, Way::NotNeeded]);
        }
        for (index, step) in circuit.steps.iter().enumerate() {
            let pointer = format!("/validation/circuit/steps/{index}");
            let when = step.when.as_ref();
            put(&mut all, &pointer, when, &[Way::Approved, Way::Returned]);
            if when.is_some() {
                put(&mut all, &pointer, when, &[Way::Skipped]);
            }
        }
    }
    for (index, commitment) in definition.commitments.iter().enumerate() {
        rules(&commitment.within, &format!("/commitments/{index}/within"), &mut all);
    }
    if let Some(payment) = &definition.payment {
        if let when @ Some(_) = payment.when.as_ref() {
            put(&mut all, "/payment/when", when, &[Way::Holds, Way::Fails]);
        }
        rules(&payment.amount, "/payment/amount", &mut all);
    }
    all
}

fn put(all: &mut Vec<Branch>, pointer: &str, when: Option<&String>, ways: &[Way]) {
    let branch =
        |way: &Way| Branch { pointer: pointer.into(), way: *way, when: when.cloned(), taken_by: None };
    all.extend(ways.iter().map(branch));
}

fn rules<T>(list: &[Rule<T>], base: &str, all: &mut Vec<Branch>) {
    for (index, rule) in list.iter().enumerate() {
        put(all, &format!("{base}/{index}"), rule.when.as_ref(), &[Way::Taken]);
    }
}

fn fields(list: &[Field], base: &str, all: &mut Vec<Branch>) {
    for (index, field) in list.iter().enumerate() {
        for (key, when) in conditions(field) {
            put(all, &format!("{base}/{index}/{key}"), Some(when), &[Way::Holds, Way::Fails]);
        }
    }
}

/// The conditions of a field, in the order in which they are asked.
fn conditions(field: &Field) -> impl Iterator<Item = (&'static str, &String)> {
    let shown = field.shown_when.as_ref().map(|when| ("shown_when", when));
    let required = match &field.required {
        Requirement::When(when) => Some(("required", when)),
        Requirement::Optional | Requirement::Always => None,
    };
    shown.into_iter().chain(required)
}

/// A walk through histories that notes what they take.
struct Walk<'a> {
    plan: &'a Plan,
    /// What was taken, and by which scenario first.
    seen: BTreeMap<(String, Way), &'a str>,
    /// Promises seen kept, and seen broken.
    promises: BTreeMap<String, (bool, bool)>,
    scenario: &'a str,
}

impl<'a> Walk<'a> {
    fn through(&mut self, outcome: &'a Outcome) {
        let process = self.plan.definition().process.as_str();
        let mut request: Option<Request> = None;
        for (event, meta) in &outcome.history {
            let before = request.clone();
            request = evolve(request, event, meta);
            // What follows a reclassification belongs to another sheet.
            let Some(after) = request.as_ref().filter(|after| after.process == process) else { continue };
            self.event(event, before.as_ref(), after);
        }
        for clock in request.iter().flat_map(|request| &request.clocks) {
            let seen = self.promises.entry(clock.commitment.clone()).or_default();
            seen.0 |= clock.status == ClockStatus::Kept && !clock.broken;
            seen.1 |= clock.status == ClockStatus::Late || clock.broken;
        }
    }

    fn take(&mut self, pointer: impl Into<String>, way: Way) {
        self.seen.entry((pointer.into(), way)).or_insert(self.scenario);
    }

    fn event(&mut self, event: &Event, before: Option<&Request>, after: &Request) {
        for change in &event.clocks {
            if let ClockChange::Started { rule: Some(rule), .. }
            | ClockChange::Changed { rule: Some(rule), .. } = change
            {
                self.take(rule.clone(), Way::Taken);
            }
        }
        let what = &event.what;
        if let What::Qualified(event) = what {
            let rules = [&event.complexity_rule, &event.priority_rule];
            rules.into_iter().flatten().for_each(|rule| self.take(rule.clone(), Way::Taken));
        } else if let What::Assigned(event) = what {
            event.rule.iter().for_each(|rule| self.take(rule.clone(), Way::Taken));
        } else if let What::TaskSkipped(event) = what {
            self.task(&event.task, Way::Skipped);
        } else if let What::TaskCompleted(event) = what {
            self.task(&event.task, Way::Done);
            self.report(&event.task, after);
        } else if let What::Approved(event) = what {
            if event.passed {
                self.step(&event.step, Way::Approved);
            }
            if event.returned {
                self.step(&event.step, Way::Returned);
            }
        } else if let What::Returned(event) = what {
            if event.effective {
                self.step(&event.step, Way::Returned);
            }
        } else if let What::Submitted(event) = what {
            self.submitted(event);
        }
        if matches!(what, What::Received(_) | What::Reclassified(_) | What::Qualified(_) | What::Replied(_)) {
            let plan = self.plan;
            self.fields(&plan.definition().form, "/form", &bindings(after, plan));
        }
        if matches!(what, What::Submitted(_) | What::Validated(_)) {
            self.validation(before);
        }
        if let What::PaymentRequested(event) = what {
            event.rule.iter().for_each(|rule| self.take(rule.clone(), Way::Taken));
        }
        self.payment(what, after);
    }

    /// The condition of the payment, at the steps at which it is asked.
    fn payment(&mut self, what: &What, after: &Request) {
        let plan = self.plan;
        let Some(sheet) = &plan.definition().payment else { return };
        let asked = match sheet.from {
            PaymentMoment::Received => matches!(what, What::Received(_) | What::Qualified(_)),
            PaymentMoment::Qualified => matches!(what, What::Qualified(_)),
            PaymentMoment::Validated => matches!(what, What::Validated(_)),
        };
        if let Some(when) = sheet.when.as_ref().filter(|_| asked)
            && let Ok(held) = plan.holds(when, &bindings(after, plan))
        {
            self.take("/payment/when", if held { Way::Holds } else { Way::Fails });
        }
    }

    fn task(&mut self, task: &str, way: Way) {
        let index = self.plan.definition().treatment.iter().position(|sheet| sheet.task == task);
        if let Some(index) = index {
            self.take(format!("/treatment/{index}"), way);
        }
    }

    /// The conditions of the fields of a report, on the report as it was made.
    fn report(&mut self, task: &str, after: &Request) {
        let plan = self.plan;
        let sheets = plan.definition().treatment.iter().enumerate();
        for (index, sheet) in sheets.filter(|(_, sheet)| sheet.task == task) {
            self.fields(&sheet.report, &format!("/treatment/{index}/report"), &bindings(after, plan));
        }
    }

    fn fields(&mut self, list: &[Field], base: &str, facts: &Bindings) {
        for (index, field) in list.iter().enumerate() {
            for (key, when) in conditions(field) {
                let Ok(held) = self.plan.holds(when, facts) else { break };
                self.take(format!("{base}/{index}/{key}"), if held { Way::Holds } else { Way::Fails });
                // Whether a field is required is asked only where it is shown.
                if !held {
                    break;
                }
            }
        }
    }

    fn step(&mut self, step: &str, way: Way) {
        let steps = self.plan.definition().validation.circuit.iter().flat_map(|circuit| &circuit.steps);
        if let Some(index) = steps.into_iter().position(|sheet| sheet.step == step) {
            self.take(format!("/validation/circuit/steps/{index}"), way);
        }
    }

    fn submitted(&mut self, event: &Submitted) {
        let circuit = self.plan.definition().validation.circuit.as_ref();
        let steps = circuit.map(|circuit| circuit.steps.as_slice()).unwrap_or_default();
        for step in steps.iter().filter(|step| !event.steps.contains(&step.step)) {
            self.step(&step.step, Way::Skipped);
        }
    }

    /// Whether the circuit was needed, where an answer leaves the treatment.
    fn validation(&mut self, before: Option<&Request>) {
        let plan = self.plan;
        let when = plan.definition().validation.when.as_ref();
        let (Some(when), Some(before)) = (when, before.filter(|before| before.stage == Stage::Assigned))
        else {
            return;
        };
        if let Ok(held) = plan.holds(when, &bindings(before, plan)) {
            self.take("/validation/when", if held { Way::Needed } else { Way::NotNeeded });
        }
    }
}

impl Branch {
    /// What no scenario shows, in a sentence.
    #[must_use]
    pub fn sentence(&self, definition: &Definition) -> Text {
        let (part, id) = self.part(definition);
        let (fr, en) = match self.way {
            Way::Taken => ("n’est jamais retenue", "is never taken"),
            Way::Holds => ("n’est jamais vraie", "never holds"),
            Way::Fails => ("n’est jamais fausse", "always holds"),
            Way::Done => ("n’est jamais faite", "is never done"),
            Way::Skipped => ("n’est jamais sautée", "is never skipped"),
            Way::Needed => (
                "n’est jamais vraie : la réponse ne passe jamais par le circuit",
                "never holds: no answer goes through the circuit",
            ),
            Way::NotNeeded => (
                "n’est jamais fausse : toute réponse passe par le circuit",
                "always holds: every answer goes through the circuit",
            ),
            Way::Approved => ("n’est jamais approuvée", "is never approved"),
            Way::Returned => ("ne renvoie jamais le projet", "never sends the draft back"),
        };
        Text::new(format!("{} {id} {fr}", part.fr), format!("{} {id} {en}", part.en))
    }

    /// What kind of part it is of, and its name.
    fn part(&self, definition: &Definition) -> (Text, String) {
        let tokens: Vec<&str> = self.pointer.split('/').skip(1).collect();
        let number =
            |at: usize| tokens.get(at).and_then(|token| token.parse::<usize>().ok()).unwrap_or_default();
        let quoted = |name: &str| format!("`{name}`");
        let rule = |fr: &str, en: &str, at: usize| {
            let id = self.when.as_deref().map_or_else(|| format!("{}", number(at) + 1), quoted);
            (Text::new(fr, en), id)
        };
        match tokens.as_slice() {
            ["qualification", "complexity", _] => rule("la règle de complexité", "the rule of complexity", 2),
            ["qualification", "priority", _] => rule("la règle de priorité", "the rule of priority", 2),
            ["assignment", _] => rule("la règle d’affectation", "the rule of assignment", 1),
            ["commitments", _, "within", _] => {
                let name = definition.commitments.get(number(1)).map(|sheet| sheet.commitment.clone());
                let name = name.unwrap_or_default();
                rule(&format!("le délai de `{name}`, règle"), &format!("the term of `{name}`, rule"), 3)
            }
            ["payment", "when"] => rule("la condition du paiement", "the condition of the payment", 0),
            ["payment", "amount", _] => rule("la règle du montant", "the rule of the amount", 2),
            ["validation", "when"] => rule("la condition du circuit", "the condition of the circuit", 0),
            ["validation", "circuit", "steps", _] => {
                let circuit = definition.validation.circuit.as_ref();
                let step = circuit.and_then(|circuit| circuit.steps.get(number(3)));
                (Text::new("l’étape", "the step"), quoted(step.map_or("", |step| &step.step)))
            }
            ["treatment", _] => {
                let task = definition.treatment.get(number(1));
                (Text::new("la tâche", "the task"), quoted(task.map_or("", |task| &task.task)))
            }
            // What is left are the fields of the form and of reports.
            [.., key] => {
                let (fr, en) = if *key == "required" {
                    ("la condition d’obligation", "the condition `required`")
                } else {
                    ("la condition d’affichage", "the condition `shown_when`")
                };
                rule(fr, en, 0)
            }
            [] => (Text::default(), String::new()),
        }
    }

    /// Where the branch stands in a definition: its condition, where that is what decides, else what it is about.
    #[must_use]
    pub fn place(&self) -> String {
        let own = match self.way {
            Way::Holds | Way::Fails | Way::Needed | Way::NotNeeded => "",
            Way::Taken if self.when.is_some() => "/when",
            Way::Skipped => "/when",
            Way::Taken => "",
            Way::Done => "/task",
            Way::Approved | Way::Returned => "/step",
        };
        format!("{}{own}", self.pointer)
    }
}
