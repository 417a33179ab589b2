//! A step that does not hold: what was expected against what is, and the history that led there.

use std::io::{IsTerminal, Write};
use std::sync::Arc;

use chrono_tz::Tz;
use guichet_engine::rules::language::diagnostic::{Diagnostic, Fault};
use guichet_engine::rules::language::sheet::ScenarioFile;
use guichet_engine::rules::process::Plan;
use guichet_engine::rules::request::explain::{About, Line, explain};
use guichet_engine::rules::request::scenario::{Outcome, Problem, StepOutcome};
use guichet_engine::rules::request::{Event, Meta};
use guichet_engine::rules::text::{Language, Text};
use guichet_projections::in_words;
use serde_json::{Value, json};

use super::super::catalogue::drawn;
use super::super::context::Context;
use super::super::explain::cited;
use super::super::failure::Failure;
use super::super::local;
use super::super::output::{Table, printable};
use super::Bench;

/// How many events before a failing step are shown: the last ones.
const EVENTS_SHOWN: usize = 12;
/// The same for programs.
const EVENTS_WRITTEN: usize = 100;
/// How many lines of reasoning are shown for one wrong figure.
const REASONS_SHOWN: usize = 12;

type File = (ScenarioFile, Option<Arc<Plan>>, Vec<Outcome>);

/// The failing scenarios of a file.
pub(super) fn print(context: &mut Context, bench: &Bench, file: &File) -> Result<(), Failure> {
    let (scenarios, plan, outcomes) = file;
    for outcome in outcomes.iter().filter(|outcome| !outcome.passed()) {
        writeln!(context.out, "✗ {}: {}\n", scenarios.file, printable(&outcome.scenario))?;
        for step in outcome.steps.iter().filter(|step| !step.problems.is_empty()) {
            failed_step(context, bench, plan.as_deref(), outcome, step)?;
        }
    }
    Ok(())
}

fn failed_step(
    context: &mut Context,
    bench: &Bench,
    plan: Option<&Plan>,
    outcome: &Outcome,
    step: &StepOutcome,
) -> Result<(), Failure> {
    let coloured = std::io::stdout().is_terminal();
    for text in drawn(&[diagnostic(bench, step)], &bench.loaded.sources, context.language, coloured) {
        writeln!(context.out, "{text}\n")?;
    }
    let (expected, actual) = (context.say("attendu", "expected"), context.say("obtenu", "got"));
    let mut table = Table::new(&["", expected, actual]);
    for problem in step.problems.iter().filter(|problem| problem.refusal.is_none()) {
        table.row([&problem.about, &problem.expected, &problem.actual].map(|text| printable(text)).to_vec());
    }
    if !table.is_empty() {
        table.write(&mut context.out)?;
        writeln!(context.out)?;
    }
    let history = outcome.history.get(..step.events).unwrap_or_default();
    for problem in &step.problems {
        why(context, bench, plan, history, problem)?;
    }
    let (zone, before) = (zone_of(plan), history.len().saturating_sub(EVENTS_SHOWN));
    writeln!(context.out, "  {}", context.say("Ce qui s’était passé :", "What had happened:"))?;
    if before > 0 {
        let words = match before {
            1 => context.say("événement plus tôt", "event earlier"),
            _ => context.say("événements plus tôt", "events earlier"),
        };
        writeln!(context.out, "    … {before} {words}")?;
    }
    for (event, meta) in history.iter().skip(before) {
        let at = local::in_zone(context.language, meta.occurred_at, zone);
        let words = words(bench, plan, event);
        let words = printable(words.get(context.language));
        writeln!(context.out, "    {at}  {:<16}  {words}", printable(&meta.actor))?;
    }
    writeln!(context.out)?;
    Ok(())
}

/// Why a figure came out as it did: the refusal in full, or the rules and the arithmetic behind it.
fn why(
    context: &mut Context,
    bench: &Bench,
    plan: Option<&Plan>,
    history: &[(Event, Meta)],
    problem: &Problem,
) -> Result<(), Failure> {
    if problem.refusal.is_some() {
        writeln!(context.out, "  {}\n", printable(problem.text.get(context.language)))?;
        return Ok(());
    }
    let Some(line) = plan.and_then(|plan| explained(bench, plan, history, &problem.about)) else {
        return Ok(());
    };
    let language = context.language;
    let rules = line.rules.iter().map(|rule| cited(rule, language));
    let reasons = line.reasoning.iter().map(|reason| reason.get(language).to_owned());
    writeln!(context.out, "  {}: {}", problem.about, printable(line.text.get(language)))?;
    for reason in rules.chain(reasons).take(REASONS_SHOWN) {
        writeln!(context.out, "    {}", printable(&reason))?;
    }
    writeln!(context.out)?;
    Ok(())
}

/// The last line of the explanation that is about what was wrong.
fn explained(bench: &Bench, plan: &Plan, history: &[(Event, Meta)], about: &str) -> Option<Line> {
    let places = bench.catalogue.places.get(&plan.definition().process)?;
    let fits = |line: &Line| match (&line.about, about.split_once('.')) {
        (About::Clock { commitment, .. }, Some(("due", name))) => commitment == name,
        (About::Task(task), Some(("tasks", name))) => task == name,
        (About::Complexity, None) => about == "complexity",
        (About::Priority, None) => about == "priority",
        (About::Service, None) => about == "service",
        _ => false,
    };
    explain(history, &[(plan, places)]).into_iter().rfind(fits)
}

fn words(bench: &Bench, plan: Option<&Plan>, event: &Event) -> Text {
    in_words(event, Some(&bench.catalogue.organisation), plan.map(Plan::definition))
}

fn zone_of(plan: Option<&Plan>) -> Tz {
    let calendar = plan.and_then(|plan| plan.calendar(&plan.definition().calendar));
    calendar.map_or(Tz::Europe__Paris, |calendar| calendar.zone())
}

/// The step as a finding about its file.
fn diagnostic(bench: &Bench, step: &StepOutcome) -> Diagnostic {
    let refused = step.problems.iter().any(|problem| problem.refusal.is_some());
    let (fr, en) = match (refused, step.actor.is_empty()) {
        (true, _) => ("cette action est refusée", "this action is refused"),
        (false, true) => ("cette attente n’est pas tenue", "this expectation does not hold"),
        (false, false) => ("cette étape ne se passe pas ainsi", "this step does not go like this"),
    };
    Fault::error("scenario.failed", step.mark, fr, en).locate(&bench.loaded.sources)
}

/// The scenarios of a file, for programs.
pub(super) fn json(bench: &Bench, file: &File, language: Language) -> Vec<Value> {
    let (scenarios, plan, outcomes) = file;
    let of_one = |outcome: &Outcome| {
        let failed = outcome.steps.iter().filter(|step| !step.problems.is_empty());
        let sources = &bench.loaded.sources;
        let problems = failed.clone().flat_map(|step| {
            let place = sources.place(step.mark);
            step.problems.iter().map(move |problem| format!("{place}: {}", problem.text.get(language)))
        });
        let (line, column) = sources.position(outcome.mark.file, outcome.mark.start);
        json!({
            "file": scenarios.file, "scenario": outcome.scenario, "line": line, "column": column,
            "passed": outcome.passed(), "problems": problems.collect::<Vec<_>>(),
            "failed_steps": failed.map(|step| failed_json(bench, plan.as_deref(), outcome, step)).collect::<Vec<_>>(),
        })
    };
    outcomes.iter().map(of_one).collect()
}

fn failed_json(bench: &Bench, plan: Option<&Plan>, outcome: &Outcome, step: &StepOutcome) -> Value {
    let (line, column) = bench.loaded.sources.position(step.mark.file, step.mark.start);
    let problems = step.problems.iter().map(|problem| {
        json!({
            "about": problem.about, "expected": problem.expected, "actual": problem.actual,
            "refused": problem.refusal, "text": problem.text,
        })
    });
    let history = outcome.history.get(..step.events).unwrap_or_default();
    let before = history.len().saturating_sub(EVENTS_WRITTEN);
    let events = history.iter().skip(before).map(|(event, meta)| {
        json!({
            "type": event.what.name(), "occurred": meta.occurred_at, "recorded": meta.recorded_at,
            "actor": meta.actor, "text": words(bench, plan, event),
        })
    });
    json!({
        "line": line, "column": column, "at": step.at, "actor": step.actor,
        "problems": problems.collect::<Vec<_>>(), "history": events.collect::<Vec<_>>(), "events_before": before,
    })
}
