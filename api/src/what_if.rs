//! Which promises of a period would have been kept under other sheets, worked out from the journal.
//!
//! The histories are read and followed anew; nothing is decided, sent or written. What people did is taken as it was:
//! a promise that is longer on paper is kept more often, a circuit that is shorter is not walked faster.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use guichet_engine::rules::process::{Definition, Plan};
use guichet_engine::rules::request::{Clock, ClockStatus, Event, Meta, Request, clocks_under, evolve};
use guichet_engine::rules::versions::{Incomparable, comparable};
use guichet_engine::{EngineError, Span};
use guichet_projections::{Card, CardOrder, CardQuery, ProjectionError};
use serde::Serialize;

use crate::Guichet;

/// Requests named as examples of each outcome.
const EXAMPLES: usize = 3;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum WhatIfError {
    /// The requests of the period cannot be listed.
    #[error(transparent)]
    ReadModels(#[from] ProjectionError),
    /// A history cannot be read.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// Which requests, under which sheets.
#[derive(Debug, Clone)]
pub struct Question {
    /// Of this collectivity; of all if none.
    pub tenant: Option<String>,
    /// Received at this instant (UTC) or later.
    pub from: DateTime<Utc>,
    /// Received before this instant (UTC).
    pub until: DateTime<Utc>,
    /// The sheets, by process. Requests of other processes are left out.
    pub plans: BTreeMap<String, Arc<Plan>>,
}

/// Outcomes of a promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Tally {
    /// Kept.
    pub kept: u64,
    /// Broken: late, or past due and not done.
    pub broken: u64,
    /// Not known yet.
    pub open: u64,
}

impl Tally {
    /// The share kept of those whose outcome is known, from 0 to 1.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "counts of promises are far below 2^52")]
    pub fn rate(&self) -> Option<f64> {
        let known = self.kept + self.broken;
        (known > 0).then(|| self.kept as f64 / known as f64)
    }

    fn count(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Kept => self.kept += 1,
            Outcome::Broken => self.broken += 1,
            Outcome::Open => self.open += 1,
        }
    }
}

/// A promise of a process, as it went and as it would have gone.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct WhatIfLine {
    /// The process.
    pub process: String,
    /// The promise; `silence` for the legal clock.
    pub commitment: String,
    /// As it went.
    pub old: Tally,
    /// As it would have gone.
    pub new: Tally,
    /// Broken as it went, kept as it would have gone.
    pub gained: u64,
    /// Some of those, by number.
    pub gained_examples: Vec<String>,
    /// Kept as it went, broken as it would have gone.
    pub lost: u64,
    /// Some of those, by number.
    pub lost_examples: Vec<String>,
    /// What cannot be compared, why, and some of it.
    pub not_comparable: BTreeMap<Incomparable, (u64, Vec<String>)>,
}

/// The answer.
#[derive(Debug, Clone, Serialize)]
pub struct WhatIf {
    /// From this instant (UTC).
    pub from: DateTime<Utc>,
    /// Before this instant (UTC).
    pub until: DateTime<Utc>,
    /// Requests of the period whose process is among the sheets.
    pub requests: u64,
    /// By process and promise.
    pub lines: Vec<WhatIfLine>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Kept,
    Broken,
    Open,
}

/// What came of a clock by `now` (UTC); nothing where it no longer applies.
fn outcome(clock: &Clock, now: DateTime<Utc>) -> Option<Outcome> {
    match clock.status {
        ClockStatus::Kept => Some(Outcome::Kept),
        ClockStatus::Late => Some(Outcome::Broken),
        ClockStatus::Running if clock.broken || clock.due < now => Some(Outcome::Broken),
        ClockStatus::Paused if clock.broken => Some(Outcome::Broken),
        ClockStatus::Running | ClockStatus::Paused => Some(Outcome::Open),
        ClockStatus::Dropped => None,
    }
}

type Lines = BTreeMap<(String, String), WhatIfLine>;

impl Guichet {
    /// Which promises made in a period would have been kept under other sheets. Reads the journal and writes nothing.
    ///
    /// # Errors
    /// [`WhatIfError`].
    pub async fn what_if(&self, question: &Question) -> Result<WhatIf, WhatIfError> {
        let now = self.now();
        let (mut lines, mut requests) = (Lines::new(), 0);
        let mut query = CardQuery {
            tenant: question.tenant.clone(),
            received_from: Some(question.from),
            received_until: Some(question.until),
            order: CardOrder::Oldest,
            limit: 1_000,
            ..CardQuery::default()
        };
        loop {
            let page = self.read_models().cards(&query).await?.value;
            for card in page.items.iter().filter(|card| question.plans.contains_key(&card.process)) {
                requests += 1;
                self.what_if_one(question, card, now, &mut lines).await?;
            }
            match page.next {
                Some(next) => query.cursor = Some(next),
                None => break,
            }
        }
        let lines = lines.into_values().collect();
        Ok(WhatIf { from: question.from, until: question.until, requests, lines })
    }

    async fn what_if_one(
        &self,
        question: &Question,
        card: &Card,
        now: DateTime<Utc>,
        lines: &mut Lines,
    ) -> Result<(), WhatIfError> {
        let entries = self.history(&card.tenant, card.request, &Span::default(), false).await?;
        let history: Vec<(Event, Meta)> =
            entries.into_iter().map(|entry| (entry.event, entry.meta)).collect();
        let old = history.iter().fold(None, |request, (event, meta)| evolve(request, event, meta));
        let (Some(old), Some(plan)) = (old, question.plans.get(&card.process)) else { return Ok(()) };
        let followed = self.engine().definitions().version(&old.definition);
        let Some(followed) = followed else { return Ok(()) };
        let number = number(card);
        let plan_of = |process: &str| question.plans.get(process).map(Arc::as_ref);
        let new = match clocks_under(&history, &plan_of) {
            Ok(Some(new)) => Ok(new),
            Ok(None) => return Ok(()),
            Err(rejection) if rejection.code == "process.unknown" => Err(Incomparable::OtherProcess),
            Err(_) => Err(Incomparable::RuleFails),
        };
        compare(&Case { old: &old, followed: followed.definition(), plan, number, now }, new.as_ref(), lines);
        Ok(())
    }
}

/// The number that people know a request by: that of the system it comes from, or its id.
fn number(card: &Card) -> String {
    card.external.clone().unwrap_or_else(|| card.request.to_string())
}

struct Case<'a> {
    old: &'a Request,
    followed: &'a Definition,
    plan: &'a Plan,
    number: String,
    now: DateTime<Utc>,
}

fn compare(case: &Case<'_>, new: Result<&Request, &Incomparable>, lines: &mut Lines) {
    let clocks = case.old.clocks.iter().chain(new.ok().into_iter().flat_map(|new| &new.clocks));
    let mut names: Vec<(String, u32)> = clocks.map(|clock| (clock.commitment.clone(), clock.cycle)).collect();
    names.sort();
    names.dedup();
    for (commitment, cycle) in names {
        let of = |request: &Request| {
            let mut clocks = request.clocks.iter();
            let clock = clocks.find(|clock| clock.cycle == cycle && clock.commitment == commitment)?;
            outcome(clock, case.now)
        };
        let key = (case.old.process.clone(), commitment.clone());
        let line = lines.entry(key).or_insert_with(|| WhatIfLine {
            process: case.old.process.clone(),
            commitment: commitment.clone(),
            ..WhatIfLine::default()
        });
        let sheet = case.plan.definition().commitment(&commitment);
        let fits = match (new, sheet) {
            (Err(why), _) => Err(*why),
            (Ok(_), Some(sheet)) => comparable(case.followed, case.plan, sheet),
            (Ok(_), None) => Ok(()),
        };
        match (fits, new) {
            (Err(why), _) => {
                let entry = line.not_comparable.entry(why).or_default();
                entry.0 += 1;
                example(&mut entry.1, &case.number);
            }
            (Ok(()), Ok(new)) => line.take(of(case.old), of(new), &case.number),
            (Ok(()), Err(_)) => {}
        }
    }
}

impl WhatIfLine {
    fn take(&mut self, old: Option<Outcome>, new: Option<Outcome>, number: &str) {
        if let Some(old) = old {
            self.old.count(old);
        }
        if let Some(new) = new {
            self.new.count(new);
        }
        match (old, new) {
            (Some(Outcome::Broken), Some(Outcome::Kept)) => {
                self.gained += 1;
                example(&mut self.gained_examples, number);
            }
            (Some(Outcome::Kept), Some(Outcome::Broken)) => {
                self.lost += 1;
                example(&mut self.lost_examples, number);
            }
            _ => {}
        }
    }
}

fn example(examples: &mut Vec<String>, number: &str) {
    if examples.len() < EXAMPLES && !examples.iter().any(|known| known == number) {
        examples.push(number.to_owned());
    }
}
