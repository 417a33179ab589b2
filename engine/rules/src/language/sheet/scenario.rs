//! `*.test.yaml`: what should happen, step by step, in the words of the designer.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDateTime, Utc};
use serde_json::{Map, Value as Json};

use super::catalogue::Header;
use super::desk::{At, Desk, Entries, Kind};
use super::expectation::{Expectation, local_time};
use super::parts::{PERSON, ROLE};
use super::process::Library;
use super::verbs::verbs;
use crate::commitment::Budget;
use crate::language::diagnostic::{Fault, near};
use crate::language::grammar;
use crate::language::source::{Mark, SourceFile, Sources};
use crate::language::yaml::{self, Node};
use crate::organisation::Organisation;
use crate::process::Channel;
use crate::request::Command;

/// A file of scenarios.
#[derive(Debug, Clone, PartialEq)]
pub struct ScenarioFile {
    /// Path inside the catalogue.
    pub file: String,
    /// The process they are about.
    pub process: String,
    /// Whether effects (mails, notifications) are carried out at once, as they are unless the file says otherwise.
    pub outbound_at_once: bool,
    /// The scenarios.
    pub scenarios: Vec<Scenario>,
}

/// One scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// What it shows.
    pub name: String,
    /// Where it begins.
    pub mark: Mark,
    /// What happens.
    pub steps: Vec<Step>,
}

/// One step: somebody does something, or something is expected.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Where it stands.
    pub mark: Mark,
    /// When; at once after the step before, if it does not say.
    pub when: When,
    /// Who; the first person whose role fits, if it does not say.
    pub by: StepBy,
    /// What.
    pub action: Action,
}

/// When a step happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// At once.
    AtOnce,
    /// At a wall-clock time of the process's calendar.
    Local(NaiveDateTime),
    /// At an instant.
    Instant(DateTime<Utc>),
    /// So much later, in the process's calendar.
    After(Budget),
}

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepBy {
    /// Whoever the action is for.
    Fitting,
    /// The requester.
    Requester,
    /// Someone who holds the role.
    Role(String),
    /// This person.
    Person(String),
}

/// What happens in a step.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// A command.
    Do(Box<Command>),
    /// The request is suspended until a wall-clock time.
    SuspendUntil {
        /// Why.
        reason: String,
        /// Until when.
        until: NaiveDateTime,
    },
    /// It is merged into another scenario's request.
    MergeInto(String),
    /// Something about money or dates, of which only the request as it then stands makes a command.
    Deal(Deed),
    /// Time passes; the timers that fall due fire.
    Wait(Budget),
    /// Time passes while nothing runs; what fell due meanwhile happens at its end.
    Outage(Budget),
    /// The request is so.
    Expect(Box<Expectation>),
    /// The step before was refused with this code.
    ExpectRefused(String),
}

/// What a step says about money or dates.
#[derive(Debug, Clone, PartialEq)]
pub struct Deed {
    /// Its verb.
    pub verb: &'static str,
    /// What is said, by part: amounts in cents, times as they are written.
    pub said: Map<String, Json>,
}

impl Deed {
    /// The verbs that are told like this.
    pub const VERBS: [&'static str; 11] = [
        "request_payment",
        "start_payment",
        "pay",
        "payment_fails",
        "pay_at_counter",
        "cancel_payment",
        "refund_payment",
        "offer_appointment",
        "choose_appointment",
        "set_intervention",
        "record_attendance",
    ];
}

/// Reads a file of scenarios.
pub(crate) fn read_scenarios(
    desk: &mut Desk,
    at: &At<'_>,
    path: &str,
    library: &Library<'_>,
    processes: &[&str],
) -> Option<ScenarioFile> {
    let entries = desk.entries(at, &grammar::SCENARIO_FILE);
    let named = desk.require(&entries, "process")?;
    let process = desk.text(&named)?;
    let kind = Kind { code: "process.unknown", fr: "fiche inconnue", en: "unknown process" };
    desk.known(&process, named.mark(), processes.iter().copied(), &kind);
    let outbound = desk.get(&entries, "outbound").and_then(|a| desk.word(&a, &grammar::OUTBOUND));
    let list = desk.require(&entries, "scenarios")?;
    let mut scenarios = Vec::new();
    for item in desk.list(&list) {
        let inner = desk.entries(&item, &grammar::SCENARIO);
        let name = desk.require(&inner, "name").and_then(|a| desk.text(&a));
        let Some(steps) = desk.require(&inner, "steps") else { continue };
        let steps =
            desk.list(&steps).iter().filter_map(|s| desk.scenario_step(s, &process, library)).collect();
        scenarios.push(Scenario { name: name.unwrap_or_default(), mark: item.mark(), steps });
    }
    Some(ScenarioFile {
        file: path.to_owned(),
        process,
        outbound_at_once: outbound != Some("by_hand"),
        scenarios,
    })
}

/// Reads a file of scenarios by itself, as [`read_scenarios`] reads it in a catalogue of these people; nothing, if
/// anything is wrong with it.
pub(crate) fn read_back(text: &str, organisation: &Organisation) -> Option<ScenarioFile> {
    let mut sources = Sources::default();
    let file = sources.add(SourceFile { path: "recorded.test.yaml".into(), text: text.to_owned() });
    let mut desk = Desk::default();
    let node = yaml::parse(file, text, &mut desk.faults)?;
    let header = Header { channels: Channel::ALL.to_vec(), ..Header::default() };
    let library = Library {
        header: &header,
        organisation,
        messages: BTreeMap::new(),
        circuits: BTreeMap::new(),
        calendars: BTreeMap::new(),
    };
    let named = node.get("process").and_then(Node::text).unwrap_or_default();
    let read = read_scenarios(&mut desk, &At::root(&node), "recorded.test.yaml", &library, &[named]);
    read.filter(|_| desk.faults.is_empty())
}

impl Desk {
    fn scenario_step(&mut self, at: &At<'_>, process: &str, library: &Library<'_>) -> Option<Step> {
        let Some(map) = at.node.map() else {
            self.wrong(at, "une action ou une attente", "an action or an expectation");
            return None;
        };
        let special = ["wait", "outage", "expect", "expect_refused"];
        let is_verb = |key: &str| verbs().any(|v| v.name == key) || special.contains(&key);
        let mut found = map.iter().filter(|e| is_verb(&e.key));
        let Some(entry) = found.next() else {
            self.no_verb(at, map.iter().map(|e| (e.key.as_str(), e.key_mark)).next());
            return None;
        };
        let second = found.next();
        if let Some(second) = second {
            let (fr, en) = ("une seule action par étape", "only one action per step");
            self.fault(Fault::error("scenario.two_actions", second.key_mark, fr, en));
        }
        let definition = verbs().find(|v| v.name == entry.key);
        let beside = definition.map_or(&[][..], |verb| verb.beside);
        let said = [Some(entry.key.as_str()), second.map(|entry| entry.key.as_str())];
        let in_place = |key: &&str| {
            ["at", "after", "by"].contains(key) || said.contains(&Some(*key)) || beside.contains(key)
        };
        let entries = self.entries_among(at, grammar::SCENARIO_STEP.names().filter(in_place));
        let when = self.scenario_when(&entries);
        let by = self.step_by(&entries, library);
        let value = self.value_of(&entries, &entry.key)?;
        let action = match entry.key.as_str() {
            "wait" => Action::Wait(self.budget(&value)?),
            "outage" => Action::Outage(self.budget(&value)?),
            "expect" => Action::Expect(Box::new(self.expectation(&value, library))),
            "expect_refused" => Action::ExpectRefused(self.text(&value)?),
            _ => self.command(definition?, &value, &entries, &by, process, library)?,
        };
        Some(Step { mark: entry.key_mark, when, by, action })
    }

    fn no_verb(&mut self, at: &At<'_>, first: Option<(&str, Mark)>) {
        let names: Vec<&str> =
            verbs().map(|v| v.name).chain(["wait", "outage", "expect", "expect_refused"]).collect();
        let mark = first.map_or_else(|| at.mark(), |(_, mark)| mark);
        let meant = first.and_then(|(key, _)| near(key, names.iter().copied()));
        let list = names.join(", ");
        let fault =
            Fault::error("scenario.no_action", mark, "cette étape ne fait rien", "this step does nothing");
        let fault = fault.help(format!("actions connues : {list}"), format!("known actions: {list}"));
        self.fault(fault.suggest(meant));
    }

    /// The value of a verb, which may be empty: `claim:` says enough.
    fn value_of<'n>(&mut self, entries: &Entries<'n>, key: &str) -> Option<At<'n>> {
        let before = self.faults.len();
        let at = self.require(entries, key);
        if at.is_none() {
            self.faults.truncate(before);
            let (fr, en) = (format!("`{key}` n’a pas de valeur"), format!("`{key}` has no value"));
            self.fault(
                Fault::error("value.missing", entries.mark, fr, en)
                    .help("écrivez `true` ou `{}`", "write `true` or `{}`"),
            );
        }
        at
    }

    fn scenario_when(&mut self, entries: &Entries<'_>) -> When {
        let after = self.get(entries, "after").and_then(|a| self.budget(&a));
        let Some(at) = self.get(entries, "at") else { return after.map_or(When::AtOnce, When::After) };
        if after.is_some() {
            let (fr, en) = ("`at` ou `after`, pas les deux", "`at` or `after`, not both");
            self.fault(Fault::error("scenario.two_times", at.key_mark, fr, en));
        }
        self.timestamp(&at).unwrap_or(When::AtOnce)
    }

    pub(super) fn timestamp(&mut self, at: &At<'_>) -> Option<When> {
        let text = at.node.text().unwrap_or_default();
        if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
            return Some(When::Instant(instant.with_timezone(&Utc)));
        }
        let local = local_time(text).map(When::Local);
        if local.is_none() {
            self.wrong(at, "un moment comme \"2026-05-07T16:50\"", "a moment such as \"2026-05-07T16:50\"");
        }
        local
    }

    fn step_by(&mut self, entries: &Entries<'_>, library: &Library<'_>) -> StepBy {
        let Some(at) = self.get(entries, "by") else { return StepBy::Fitting };
        let Some(text) = self.text(&at) else { return StepBy::Fitting };
        let organisation = library.organisation;
        match text.split_once(':') {
            None if text == "requester" => StepBy::Requester,
            Some(("role", role)) => {
                let mark = self.part_of(&at, &text, role.trim());
                self.known(role.trim(), mark, organisation.roles.iter().map(|r| r.role.as_str()), &ROLE);
                StepBy::Role(role.trim().to_owned())
            }
            Some(("person", person)) => {
                let mark = self.part_of(&at, &text, person.trim());
                self.known(
                    person.trim(),
                    mark,
                    organisation.people.iter().map(|p| p.person.as_str()),
                    &PERSON,
                );
                StepBy::Person(person.trim().to_owned())
            }
            _ => {
                self.wrong(&at, "`role:…`, `person:…` ou `requester`", "`role:…`, `person:…` or `requester`");
                StepBy::Fitting
            }
        }
    }
}
