//! The plan: what would become of each request under way.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use guichet_engine::EngineError;
use guichet_engine::journal::Digest;
use guichet_engine::rules::process::DefinitionHash;
use guichet_engine::rules::request::{Actor, ClockPolicy, Event, Mapping, RequestId, TaskMoved, What};
use guichet_engine::rules::text::Text;
use guichet_projections::{Card, CardOrder, CardQuery, ProjectionError};
use serde::{Deserialize, Serialize};

use super::consider::{PromiseMoved, Reason, Targets, command, consider, reasons};
use crate::Guichet;

/// The largest plan that is read, in bytes: some 100,000 requests.
pub const PLAN_BYTES_MAX: u64 = 128 * 1024 * 1024;

/// Why there is no plan, or why it cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The requests under way cannot be listed.
    #[error(transparent)]
    ReadModels(#[from] ProjectionError),
    /// A request cannot be read.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The file is no plan.
    #[error("this is no migration plan: {0}")]
    Shape(#[from] serde_json::Error),
    /// The file was changed since it was made.
    #[error("the plan was changed after it was made: its content does not have the hash that it names")]
    Altered,
}

/// Which requests, and how.
#[derive(Debug, Clone)]
pub struct Scope {
    /// Of this collectivity; of all if none.
    pub tenant: Option<String>,
    /// Of these processes; of all if empty.
    pub processes: Vec<String>,
    /// This request alone.
    pub request: Option<RequestId>,
    /// The versions to follow.
    pub targets: Targets,
    /// What becomes of the promises.
    pub promises: ClockPolicy,
    /// What parts are called.
    pub mapping: Mapping,
    /// Who migrates, by staff code; the engine if none.
    pub agent: Option<String>,
}

/// What a plan says of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It can move.
    Moves,
    /// It cannot, and stays on its version.
    Refused,
}

/// One request of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// Its collectivity.
    pub tenant: String,
    /// The request.
    pub request: RequestId,
    /// Its process.
    pub process: String,
    /// Its stage.
    pub stage: String,
    /// Its revision when the plan was made.
    pub revision: u64,
    /// The version that it follows.
    pub from: DefinitionHash,
    /// The version that it would follow; none where the process has none in force.
    pub to: Option<DefinitionHash>,
    /// Whether it can.
    pub outcome: Outcome,
    /// Why not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
    /// Promises that would change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub promises: Vec<PromiseMoved>,
    /// Tasks under way that would be called, done or due otherwise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<TaskMoved>,
    /// What would happen beside, in the same append, by wire name: tasks opened, for example.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub then: Vec<String>,
}

/// What would become of each request under way. Its hash is that of everything else in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MigrationPlan {
    /// SHA-256 of the plan without this line, in hexadecimal.
    pub plan: String,
    /// When it was made (UTC).
    pub made_at: DateTime<Utc>,
    /// What becomes of the promises.
    pub promises: ClockPolicy,
    /// What parts are called in the new version.
    pub mapping: Mapping,
    /// Who migrates, by staff code; the engine if none.
    pub agent: Option<String>,
    /// Requests that follow the version already.
    pub already: u64,
    /// Each of the others.
    pub requests: Vec<Planned>,
}

/// The requests of one process at one stage.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct SummaryLine {
    /// The process.
    pub process: String,
    /// The stage.
    pub stage: String,
    /// Requests.
    pub requests: u64,
    /// Of them that can move.
    pub moves: u64,
    /// Of those: with no promise or task changed and nothing else happening.
    pub unchanged: u64,
    /// Of those: with a promise due at another instant, new, or ended.
    pub promises_changed: u64,
    /// Of those: with a promise that would be broken at once.
    pub broken_at_once: u64,
    /// That cannot.
    pub refused: u64,
}

/// A plan in figures.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Summary {
    /// By process and stage.
    pub lines: Vec<SummaryLine>,
    /// Why requests cannot move: the code, the first sentence, how many, and some of them.
    pub reasons: Vec<(String, Text, u64, Vec<RequestId>)>,
}

/// Requests named as examples of a reason.
const EXAMPLES: usize = 3;

impl MigrationPlan {
    /// Plans the migration of all requests in scope, as they stand now. Nothing is written.
    ///
    /// # Errors
    /// [`PlanError::ReadModels`], [`PlanError::Engine`].
    pub async fn make(guichet: &Guichet, scope: &Scope) -> Result<Self, PlanError> {
        let now = guichet.now();
        let mut plan = Self {
            plan: String::new(),
            made_at: now,
            promises: scope.promises,
            mapping: scope.mapping.clone(),
            agent: scope.agent.clone(),
            already: 0,
            requests: Vec::new(),
        };
        for card in cards(guichet, scope).await? {
            match planned(guichet, scope, &card, now).await? {
                Some(planned) => plan.requests.push(planned),
                None => plan.already += 1,
            }
        }
        plan.plan = plan.hash()?;
        Ok(plan)
    }

    /// Reads a plan, and makes sure that it is as it was made.
    ///
    /// # Errors
    /// [`PlanError::Shape`], [`PlanError::Altered`].
    pub fn read(text: &[u8]) -> Result<Self, PlanError> {
        let plan: Self = serde_json::from_slice(text)?;
        if plan.hash()? == plan.plan { Ok(plan) } else { Err(PlanError::Altered) }
    }

    fn hash(&self) -> Result<String, serde_json::Error> {
        let unnamed = Self { plan: String::new(), ..self.clone() };
        Ok(Digest::of(&serde_json::to_vec(&unnamed)?).to_string())
    }

    /// Who migrates.
    #[must_use]
    pub fn actor(&self) -> Actor {
        self.agent.clone().map_or(Actor::Engine, Actor::Agent)
    }

    /// The plan in figures.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let mut lines: BTreeMap<(String, String), SummaryLine> = BTreeMap::new();
        let mut reasons: BTreeMap<String, (Text, u64, Vec<RequestId>)> = BTreeMap::new();
        for planned in &self.requests {
            let key = (planned.process.clone(), planned.stage.clone());
            let line = lines.entry(key).or_insert_with(|| SummaryLine {
                process: planned.process.clone(),
                stage: planned.stage.clone(),
                ..SummaryLine::default()
            });
            line.count(planned);
            for reason in &planned.reasons {
                let entry =
                    reasons.entry(reason.code.clone()).or_insert((reason.text.clone(), 0, Vec::new()));
                entry.1 += 1;
                if entry.2.len() < EXAMPLES && !entry.2.contains(&planned.request) {
                    entry.2.push(planned.request);
                }
            }
        }
        let mut reasons: Vec<_> =
            reasons.into_iter().map(|(code, (text, n, some))| (code, text, n, some)).collect();
        reasons.sort_by_key(|(_, _, count, _)| std::cmp::Reverse(*count));
        Summary { lines: lines.into_values().collect(), reasons }
    }
}

impl SummaryLine {
    fn count(&mut self, planned: &Planned) {
        let one = |is: bool| u64::from(is);
        self.requests += 1;
        let moves = planned.outcome == Outcome::Moves;
        let changed = !planned.promises.is_empty();
        self.moves += one(moves);
        self.refused += one(!moves);
        self.unchanged += one(moves && !changed && planned.tasks.is_empty() && planned.then.is_empty());
        self.promises_changed += one(moves && changed);
        self.broken_at_once += one(moves && planned.promises.iter().any(|promise| promise.broken_at_once));
    }
}

/// The requests under way in scope, the oldest first.
async fn cards(guichet: &Guichet, scope: &Scope) -> Result<Vec<Card>, PlanError> {
    let mut query = CardQuery {
        tenant: scope.tenant.clone(),
        open: Some(true),
        order: CardOrder::Oldest,
        limit: 1_000,
        ..CardQuery::default()
    };
    if let [process] = scope.processes.as_slice() {
        query.process = Some(process.clone());
    }
    let wanted = |card: &Card| {
        (scope.processes.is_empty() || scope.processes.contains(&card.process))
            && scope.request.is_none_or(|request| card.request == request)
    };
    let mut cards = Vec::new();
    loop {
        let page = guichet.read_models().cards(&query).await?.value;
        cards.extend(page.items.into_iter().filter(wanted));
        match page.next {
            Some(next) => query.cursor = Some(next),
            None => return Ok(cards),
        }
    }
}

/// What would become of one request; none if it follows the version already.
async fn planned(
    guichet: &Guichet,
    scope: &Scope,
    card: &Card,
    now: DateTime<Utc>,
) -> Result<Option<Planned>, PlanError> {
    let known = guichet.request(&card.tenant, card.request).await?;
    let request = &known.request;
    let target = scope.targets.of(guichet.engine().definitions(), &card.tenant, &request.process);
    if target.as_ref().is_some_and(|target| *target.hash() == request.definition) {
        return Ok(None);
    }
    let mut planned = Planned {
        tenant: card.tenant.clone(),
        request: card.request,
        process: request.process.clone(),
        stage: request.stage.id().to_owned(),
        revision: known.revision,
        from: request.definition.clone(),
        to: target.as_ref().map(|target| target.hash().clone()),
        outcome: Outcome::Refused,
        reasons: Vec::new(),
        promises: Vec::new(),
        tasks: Vec::new(),
        then: Vec::new(),
    };
    let Some(target) = target else {
        planned.reasons.push(retired(&request.process));
        return Ok(Some(planned));
    };
    let actor = scope.agent.clone().map_or(Actor::Engine, Actor::Agent);
    let command = command(target.hash(), scope.promises, &scope.mapping, None);
    match consider(&known, &target, &command, &actor, now) {
        Ok(considered) => {
            planned.outcome = Outcome::Moves;
            planned.promises = considered.promises;
            planned.tasks = considered.tasks;
            let beside = |event: &&Event| !matches!(event.what, What::Migrated(_));
            let then = considered.events.iter().filter(beside);
            planned.then = then.map(|event| event.what.name().to_owned()).collect();
        }
        Err(rejection) => planned.reasons = reasons(rejection),
    }
    Ok(Some(planned))
}

fn retired(process: &str) -> Reason {
    Reason {
        code: "migration.process_retired".into(),
        pointer: None,
        text: Text::new(
            format!("La démarche « {process} » n’a plus de version en vigueur dans cette collectivité."),
            format!("The process “{process}” has no version in force any more in this collectivity."),
        ),
    }
}
