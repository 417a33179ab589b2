//! What a migration would do to one request, decided by the rules and not written down.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use guichet_engine::rules::process::{DefinitionHash, Plan};
use guichet_engine::rules::request::{
    Actor, ClockPolicy, ClockStatus, Command, Event, Facts, Mapping, Rejection, Request, TaskMoved, What,
    decide, evolve,
};
use guichet_engine::rules::text::Text;
use guichet_engine::{Definitions, Known};
use serde::{Deserialize, Serialize};

/// The version that each request would follow.
#[derive(Debug, Clone)]
pub enum Targets {
    /// The one in force.
    InForce,
    /// This one, where it is one of the request's process.
    Version(DefinitionHash),
    /// Versions that are not published, by process: for comparisons.
    Candidates(BTreeMap<String, Arc<Plan>>),
}

impl Targets {
    pub(super) fn of(&self, definitions: &Definitions, tenant: &str, process: &str) -> Option<Arc<Plan>> {
        match self {
            Self::InForce => definitions.in_force(tenant, process),
            Self::Version(hash) => definitions.version(hash),
            Self::Candidates(plans) => plans.get(process).cloned(),
        }
    }
}

/// Why a request cannot move.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// Stable code, for example `migration.task_gone`.
    pub code: String,
    /// The part of the request that it is about, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// The sentence.
    pub text: Text,
}

/// The reasons of a refusal: those it lists, or itself.
pub(super) fn reasons(rejection: Rejection) -> Vec<Reason> {
    if rejection.fields.is_empty() {
        return vec![Reason { code: rejection.code, pointer: None, text: rejection.text }];
    }
    let fields = rejection.fields.into_iter();
    fields.map(|fault| Reason { code: fault.code, pointer: Some(fault.pointer), text: fault.text }).collect()
}

/// A promise under way, before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromiseMoved {
    /// Its name in the new version.
    pub commitment: String,
    /// When it was due (UTC); none if it is new.
    pub was: Option<DateTime<Utc>>,
    /// When it would be due (UTC); none if it would no longer run.
    pub now: Option<DateTime<Utc>>,
    /// Whether it would be broken at once: past due now, and it was not before.
    pub broken_at_once: bool,
}

/// What a migration would make of a request.
#[derive(Debug, Clone)]
pub struct Considered {
    /// What would happen.
    pub events: Vec<Event>,
    /// Tasks under way that would be called, done or due otherwise.
    pub tasks: Vec<TaskMoved>,
    /// Promises that would be due at another instant, start or end.
    pub promises: Vec<PromiseMoved>,
}

/// The command.
pub(super) fn command(
    target: &DefinitionHash,
    promises: ClockPolicy,
    mapping: &Mapping,
    plan: Option<String>,
) -> Command {
    Command::Migrate { definition: target.clone(), promises, mapping: mapping.clone(), plan }
}

/// Decides a migration at `now` (UTC) and throws the result away.
pub(super) fn consider(
    known: &Known,
    target: &Plan,
    command: &Command,
    actor: &Actor,
    now: DateTime<Utc>,
) -> Result<Considered, Rejection> {
    let request = &known.request;
    let facts = Facts {
        tenant: &request.tenant,
        request: request.id,
        now,
        occurred_at: now,
        actor,
        plan: &known.plan,
        organisation: &known.organisation,
        tracking: None,
        target: Some(target),
        other: None,
    };
    let decided = decide(Some(request), command, &facts)?;
    let after = decided
        .iter()
        .try_fold(Request::clone(request), |state, (event, meta)| evolve(Some(state), event, meta));
    let events: Vec<Event> = decided.into_iter().map(|(event, _)| event).collect();
    let Command::Migrate { mapping, .. } = command else {
        return Ok(Considered { events, tasks: Vec::new(), promises: Vec::new() });
    };
    let promises = after.map(|after| moved(request, &after, mapping, now)).unwrap_or_default();
    let tasks = events.iter().find_map(|event| match &event.what {
        What::Migrated(event) => Some(event.tasks.clone()),
        _ => None,
    });
    let tasks = tasks.unwrap_or_default();
    Ok(Considered { events, tasks, promises })
}

fn moved(before: &Request, after: &Request, mapping: &Mapping, now: DateTime<Utc>) -> Vec<PromiseMoved> {
    let name = |old: &String| mapping.commitments.get(old).unwrap_or(old).clone();
    let past = |due: DateTime<Utc>, status: ClockStatus| status == ClockStatus::Running && due < now;
    let mut found: BTreeMap<String, PromiseMoved> = BTreeMap::new();
    let mut was_past = Vec::new();
    for clock in before.live_clocks() {
        let commitment = name(&clock.commitment);
        if clock.broken || past(clock.due, clock.status) {
            was_past.push(commitment.clone());
        }
        let was = Some(clock.due);
        found.insert(commitment.clone(), PromiseMoved { commitment, was, now: None, broken_at_once: false });
    }
    for clock in after.live_clocks() {
        let commitment = clock.commitment.clone();
        let entry = found.entry(commitment.clone()).or_insert(PromiseMoved {
            commitment: commitment.clone(),
            was: None,
            now: None,
            broken_at_once: false,
        });
        entry.now = Some(clock.due);
        entry.broken_at_once = past(clock.due, clock.status) && !was_past.contains(&commitment);
    }
    found.into_values().filter(|promise| promise.was != promise.now || promise.broken_at_once).collect()
}
