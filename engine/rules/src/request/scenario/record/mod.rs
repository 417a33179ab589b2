//! A real request’s history as a scenario without personal data.
//!
//! The commands are found again from their events: for each run of events that stand together, the command whose
//! decision on the request as it was gives just these events. What identifies anyone is invented anew (`neutral`), so
//! the history need not even be opened. What comes out is read back and run; a scenario that does not end as the
//! request did is not given out.

mod commands;
mod neutral;
mod write;
mod writer;

use std::collections::BTreeMap;
use std::sync::Arc;

use write::Precision;
use writer::Writer;

use super::run::run;
use crate::language::sheet::read_back;
use crate::organisation::Organisation;
use crate::process::{DefinitionHash, Plan};
use crate::request::{Event, Meta, Request, What, evolve};
use crate::text::{Language, Text};

/// What a scenario is made from.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// Everything that happened to the request; what is personal may be sealed, and is never read.
    pub history: &'a [(Event, Meta)],
    /// The versions of processes that it followed.
    pub plans: &'a [Arc<Plan>],
    /// Who works there.
    pub organisation: &'a Organisation,
    /// The language of the scenario’s name and of what stands for free texts.
    pub language: Language,
    /// Whether effects are carried out at once in the file it is for; whichever fits, if that is open.
    pub outbound_at_once: Option<bool>,
}

/// A recorded scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The process that its file is about.
    pub process: String,
    /// Whether its file carries effects out at once.
    pub outbound_at_once: bool,
    /// The scenario, an item of the list `scenarios`, indented by two.
    pub scenario: String,
}

impl Recorded {
    /// The scenario as a whole file.
    #[must_use]
    pub fn file(&self) -> String {
        let outbound = if self.outbound_at_once { "" } else { "outbound: by_hand\n" };
        format!("process: {}\n{outbound}scenarios:\n{}", self.process, self.scenario)
    }
}

/// Why a history cannot be a scenario.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unrecordable {
    /// There is nothing to tell.
    #[error("the request has no history")]
    Empty,
    /// The version of the process that it followed is not there.
    #[error("version {} of its process is missing", .0.0)]
    NoPlan(DefinitionHash),
    /// It was moved to another version of its process on the way; a scenario follows one sheet only.
    #[error("the request was moved to another version of its process")]
    Migrated,
    /// Run as a scenario, it does not end as the request did: it was imported, or its rules need what people wrote.
    #[error("run as a scenario it goes otherwise: {}", .0.en)]
    Otherwise(Text),
}

/// A way to write a scenario down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Way {
    /// How exactly instants are written.
    precision: Precision,
    /// Whether effects are carried out at once.
    sends: bool,
    /// Whether it is told when something was written down, where that was later than it happened.
    late: bool,
}

/// The ways, the plainest first.
fn ways() -> impl Iterator<Item = Way> {
    [true, false].into_iter().flat_map(|sends| {
        [false, true].into_iter().flat_map(move |late| {
            let precisions = [Precision::Minute, Precision::Second, Precision::Exact];
            precisions.map(|precision| Way { precision, sends, late })
        })
    })
}

/// Writes the scenario of a history.
///
/// # Errors
/// [`Unrecordable`].
pub fn record(source: &Source<'_>) -> Result<Recorded, Unrecordable> {
    let (first, _) = source.history.first().ok_or(Unrecordable::Empty)?;
    let What::Received(received) = &first.what else { return Err(Unrecordable::Empty) };
    let mut why = Unrecordable::Empty;
    let wanted = |way: &Way| source.outbound_at_once.is_none_or(|only| only == way.sends);
    for way in ways().filter(wanted) {
        let scenario = Writer::write(source, way)?;
        let recorded = Recorded { process: received.process.clone(), outbound_at_once: way.sends, scenario };
        match differs(source, &recorded) {
            None => return Ok(recorded),
            Some(text) => why = Unrecordable::Otherwise(text),
        }
    }
    Err(why)
}

/// What goes otherwise when the scenario is run, if anything does.
fn differs(source: &Source<'_>, recorded: &Recorded) -> Option<Text> {
    let unreadable = || Text::new("le scénario ne se relit pas", "the scenario cannot be read back");
    let Some(file) = read_back(&recorded.file(), source.organisation) else { return Some(unreadable()) };
    let outcomes = run(&file, source.plans, source.organisation);
    let Some(outcome) = outcomes.first() else { return Some(unreadable()) };
    if let Some(problem) = outcome.steps.iter().flat_map(|step| &step.problems).next() {
        return Some(problem.text.clone());
    }
    let (was, is) = (ending(source.history), ending(&outcome.history));
    (was != is).then(|| Text::new("la demande ne finit pas pareil", "the request does not end the same"))
}

/// How a history ends, as far as a scenario must repeat it.
fn ending(history: &[(Event, Meta)]) -> Option<impl PartialEq> {
    let request = folded(history)?;
    let tasks: BTreeMap<_, _> =
        request.tasks.iter().map(|(name, task)| (name.clone(), task.status)).collect();
    let clocks: Vec<_> = request
        .clocks
        .iter()
        .map(|clock| (clock.commitment.clone(), clock.cycle, clock.status, clock.broken))
        .collect();
    let place = (request.stage.id(), request.service, request.process, request.tenant);
    let payments: Vec<_> = request
        .payments
        .iter()
        .map(|payment| (payment.status, payment.amount, payment.received, payment.refunded))
        .collect();
    let appointment = request.appointment.map(|known| (known.status, known.slot));
    Some((place, request.complexity, request.priority, tasks, clocks, payments, appointment))
}

fn folded(history: &[(Event, Meta)]) -> Option<Request> {
    history.iter().fold(None, |request, (event, meta)| evolve(request, event, meta))
}
