//! Why a request went where it went, and why each of its promises is due when it is due: for the citizen who asks,
//! the judge who doubts, and the designer who wonders about a sheet.
//!
//! Everything is read from the events and the published definitions: the rules that were tried, in their order, the
//! values that they read, the places where the designer wrote them, and the arithmetic of every due instant.

mod cite;
mod clocks;
mod payment;
mod routes;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use super::event::Event;
use super::evolve::evolve;
use super::state::{Meta, Request};
use crate::commitment::Explanation;
use crate::process::{DefinitionHash, Plan, SourceLine, Sources};
use crate::text::Text;

/// What a line explains.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// The process that it follows.
    Process,
    /// How much study it needs.
    Complexity,
    /// How soon it should be taken up.
    Priority,
    /// The service in charge.
    Service,
    /// A task: opened or skipped.
    Task(String),
    /// Whether the approval circuit is needed, or one of its steps.
    Step(String),
    /// How the answer goes out.
    Delivery,
    /// A payment that the sheet asked for, by its number.
    Payment(u32),
    /// A promise or the legal clock, in one cycle.
    Clock {
        /// Its name; `silence` for the legal clock.
        commitment: String,
        /// The cycle, from 0.
        cycle: u32,
    },
}

/// A rule that was tried.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Tried {
    /// Its place in the definition, as a JSON pointer.
    pub pointer: String,
    /// Its condition; a last resort has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// Whether it held.
    pub held: bool,
    /// The values that it read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub operands: Vec<(String, serde_json::Value)>,
    /// Where the designer wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceLine>,
}

/// One thing explained.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Line {
    /// The revision of the event that records it.
    pub revision: u64,
    /// The event's wire name.
    pub event: &'static str,
    /// When it happened (UTC).
    pub at: DateTime<Utc>,
    /// When it was recorded (UTC).
    pub recorded_at: DateTime<Utc>,
    /// Who did it, by pseudonym.
    pub actor: String,
    /// The version of the process that applied.
    pub definition: DefinitionHash,
    /// What is explained.
    pub about: About,
    /// What came out, in a sentence.
    pub text: Text,
    /// The rules that were tried, in order; the last one decided.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Tried>,
    /// The reasoning, a sentence a step.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasoning: Vec<Text>,
    /// The arithmetic of a due instant, as data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<Explanation>,
}

/// What is known of one event while it is explained.
struct Moment<'a> {
    revision: u64,
    event: &'a Event,
    meta: &'a Meta,
    before: Option<&'a Request>,
    after: &'a Request,
    plan: &'a Plan,
    sources: &'a Sources,
}

impl Moment<'_> {
    fn line(&self, about: About, text: Text) -> Line {
        Line {
            revision: self.revision,
            event: self.event.what.name(),
            at: self.meta.occurred_at,
            recorded_at: self.meta.recorded_at,
            actor: self.meta.actor.clone(),
            definition: self.plan.hash().clone(),
            about,
            text,
            rules: Vec::new(),
            reasoning: Vec::new(),
            explanation: None,
        }
    }
}

/// Explains a history. `plans` are the versions of processes that the request followed, each with the places where
/// its rules stand; a part of the history whose version is not among them is left out.
#[must_use]
pub fn explain(history: &[(Event, Meta)], plans: &[(&Plan, &Sources)]) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut request: Option<Request> = None;
    for (revision, (event, meta)) in (0..).zip(history) {
        let before = request.clone();
        request = evolve(request, event, meta);
        let Some(after) = &request else { continue };
        let version = plans.iter().find(|(plan, _)| *plan.hash() == after.definition);
        let Some((plan, sources)) = version else { continue };
        let moment = Moment { revision, event, meta, before: before.as_ref(), after, plan, sources };
        routes::lines(&moment, &mut lines);
        payment::lines(&moment, &mut lines);
        clocks::lines(&moment, &mut lines);
    }
    lines
}
