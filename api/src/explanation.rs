//! Why a request went where it went, and why each of its promises is due when it is due.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use guichet_engine::rules::commitment::{NoDue, due};
use guichet_engine::rules::process::{Definition, DefinitionHash, Plan, SourceLine, Sources};
use guichet_engine::rules::request::explain::{Line, explain as explain_events};
use guichet_engine::rules::request::{Clock, ClockStatus, Event, Meta, What};
use guichet_engine::rules::text::{Language, Text};
use guichet_engine::{Entry, Known};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// Why a request stands as it does.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Explained {
    /// Each choice that a rule or a person made, the first first.
    pub choices: Vec<Choice>,
    /// Each promise, the first first.
    pub clocks: Vec<ClockExplained>,
    /// The whole story, event by event: every rule that was tried, the values that it read, every change of a clock.
    pub lines: Vec<Line>,
}

/// A choice, and what made it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Choice {
    /// When (UTC).
    pub at: DateTime<Utc>,
    /// The revision of the event that records it.
    pub revision: u64,
    /// What was chosen, in words.
    pub text: Text,
    /// The rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleCited>,
    /// Who chose, by pseudonym, where no rule did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// A rule of a process sheet.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RuleCited {
    /// Its place in the definition, as a JSON pointer.
    pub pointer: String,
    /// Its condition; a last resort has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// Where the designer wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceLine>,
}

/// A promise, and why it is due when it is due.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ClockExplained {
    /// Its name; `silence` for the legal clock.
    pub commitment: String,
    /// The cycle, from 0.
    pub cycle: u32,
    /// Where it stands.
    pub status: ClockStatus,
    /// The due instant that was promised (UTC).
    pub due: DateTime<Utc>,
    /// The rule that gave its budget.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleCited>,
    /// The reasoning, in French.
    pub fr: Vec<String>,
    /// The reasoning, in English.
    pub en: Vec<String>,
}

/// Explains a request from its state and its history. `versions` are those of the processes that it followed.
#[must_use]
pub fn explain(known: &Known, history: &[Entry], versions: &[(Arc<Plan>, Arc<Sources>)]) -> Explained {
    let events: Vec<(Event, Meta)> =
        history.iter().map(|entry| (entry.event.clone(), entry.meta.clone())).collect();
    let plans: Vec<(&Plan, &Sources)> =
        versions.iter().map(|(plan, sources)| (plan.as_ref(), sources.as_ref())).collect();
    let none = Sources::new();
    let version = |hash: &DefinitionHash| {
        let found = plans.iter().find(|(plan, _)| plan.hash() == hash);
        found.copied().unwrap_or((known.plan.as_ref(), &none))
    };
    let clock = |clock: &Clock| {
        let (plan, sources) = version(clock.made_under.as_ref().unwrap_or(&known.request.definition));
        explained(clock, plan, &|pointer| cited(plan.definition(), sources, pointer))
    };
    let mut followed = known.request.definition.clone();
    let mut made = Vec::new();
    for entry in history {
        followed = pinned(&entry.event.what).unwrap_or(followed);
        let (plan, sources) = version(&followed);
        made.extend(choices(entry, &|pointer| cited(plan.definition(), sources, pointer)));
    }
    Explained {
        choices: made,
        clocks: known.request.clocks.iter().map(clock).collect(),
        lines: explain_events(&events, &plans),
    }
}

/// The version that the request follows from this event on, if it is another.
fn pinned(what: &What) -> Option<DefinitionHash> {
    if let What::Received(event) = what {
        return Some(event.definition.clone());
    }
    if let What::Reclassified(event) = what {
        return Some(event.definition.clone());
    }
    if let What::Migrated(event) = what {
        return Some(event.definition.clone());
    }
    None
}

fn choices(entry: &Entry, cite: &dyn Fn(&String) -> RuleCited) -> Vec<Choice> {
    let choice = |text: Text, rule: Option<&String>| Choice {
        at: entry.meta.occurred_at,
        revision: entry.revision,
        text,
        rule: rule.map(cite),
        by: if rule.is_none() { Some(entry.meta.actor.clone()) } else { None },
    };
    if let What::Assigned(event) = &entry.event.what {
        let text = Text::new(
            format!("Service chargé : {}.", event.service),
            format!("Service in charge: {}.", event.service),
        );
        return vec![choice(text, event.rule.as_ref())];
    }
    if let What::Reassigned(event) = &entry.event.what {
        let text = Text::new(
            format!("Réaffectée de {} à {}.", event.from, event.to),
            format!("Given on from {} to {}.", event.from, event.to),
        );
        return vec![choice(text, None)];
    }
    if let What::Qualified(event) = &entry.event.what {
        let complexity = wire(&event.complexity);
        let priority = wire(&event.priority);
        return vec![
            choice(
                Text::new(format!("Complexité : {complexity}."), format!("Complexity: {complexity}.")),
                event.complexity_rule.as_ref(),
            ),
            choice(
                Text::new(format!("Priorité : {priority}."), format!("Priority: {priority}.")),
                event.priority_rule.as_ref(),
            ),
        ];
    }
    if let What::TaskSkipped(event) = &entry.event.what {
        let text = Text::new(
            format!("Tâche sans objet : {}.", event.task),
            format!("Task not needed: {}.", event.task),
        );
        return vec![choice(text, Some(&event.rule))];
    }
    if let What::Migrated(event) = &entry.event.what {
        let short = |hash: &str| hash.get(..12).unwrap_or(hash).to_owned();
        let (from, to) = (short(&event.from.0), short(&event.definition.0));
        let text = Text::new(
            format!("Passée de la version {from} à la version {to}."),
            format!("Moved from version {from} to version {to}."),
        );
        return vec![choice(text, None)];
    }
    if let What::Reclassified(event) = &entry.event.what {
        let text = Text::new(
            format!("Reclassée de {} en {}.", event.from, event.process),
            format!("Reclassified from {} to {}.", event.from, event.process),
        );
        return vec![choice(text, None)];
    }
    Vec::new()
}

/// A word as it stands in sheets.
fn wire(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        Ok(_) | Err(_) => String::new(),
    }
}

fn cited(definition: &Definition, sources: &Sources, pointer: &str) -> RuleCited {
    let json = serde_json::to_value(definition).unwrap_or_default();
    let when = json.pointer(pointer).and_then(|rule| rule.get("when")).and_then(Value::as_str);
    RuleCited {
        pointer: pointer.to_owned(),
        when: when.map(str::to_owned),
        source: sources.get(pointer).cloned(),
    }
}

/// The reasoning is made again from the operands that the events recorded; where it comes to another instant than the one
/// that was promised, it says so, and the promise stands.
fn explained(clock: &Clock, plan: &Plan, cite: &dyn Fn(&String) -> RuleCited) -> ClockExplained {
    let (mut fr, mut en) = (Vec::new(), Vec::new());
    match plan.calendar(&clock.calendar) {
        None => {
            fr.push(format!("Le calendrier « {} » n’est plus dans la fiche.", clock.calendar));
            en.push(format!("The calendar `{}` is no longer in the sheet.", clock.calendar));
        }
        Some(calendar) => match due(calendar, clock.from, clock.budget, clock.month_rule, &clock.pauses) {
            Ok(due) => {
                fr.extend(due.explanation.sentences(Language::Fr));
                en.extend(due.explanation.sentences(Language::En));
                if due.at != clock.due {
                    fr.push(format!("L’échéance promise reste le {} (UTC).", clock.due));
                    en.push(format!("The due instant promised stays {} (UTC).", clock.due));
                }
            }
            Err(NoDue::Paused { since }) => {
                fr.push(format!("Le délai est suspendu depuis le {since} (UTC)."));
                en.push(format!("The clock has been paused since {since} (UTC)."));
            }
            Err(NoDue::OutOfRange) => {
                fr.push("L’échéance sort des années calculées.".into());
                en.push("The due instant lies outside the years that are computed.".into());
            }
        },
    }
    ClockExplained {
        commitment: clock.commitment.clone(),
        cycle: clock.cycle,
        status: clock.status,
        due: clock.due,
        rule: clock.rule.as_ref().map(cite),
        fr,
        en,
    }
}
