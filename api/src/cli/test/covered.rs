//! Which branches the scenarios take, and which they do not.

use std::io::{IsTerminal, Write};
use std::sync::Arc;

use guichet_engine::rules::language::Loaded;
use guichet_engine::rules::language::diagnostic::{Diagnostic, Fault};
use guichet_engine::rules::process::Plan;
use guichet_engine::rules::request::scenario::{Branch, Coverage, PromiseSeen};
use guichet_engine::rules::text::Text;
use serde_json::{Value, json};

use super::super::catalogue::drawn;
use super::super::context::Context;
use super::super::failure::Failure;
use super::super::output::Table;

/// The code of a branch that no scenario takes.
const NOT_TAKEN: &str = "branch.not_taken";

/// One line for each process: how many of its branches are taken, and which promises nobody saw kept or broken.
pub(super) fn table(context: &mut Context, covered: &[(Arc<Plan>, Coverage)]) -> Result<(), Failure> {
    let head = [
        context.say("démarche", "process"),
        context.say(">branches", ">branches"),
        ">%",
        context.say("engagements jamais vus tenus", "promises never seen kept"),
        context.say("jamais vus rompus", "never seen broken"),
    ];
    let mut table = Table::new(&head);
    for (_, coverage) in covered {
        let names = |unseen: &dyn Fn(&PromiseSeen) -> bool| {
            let names = coverage.promises.iter().filter(|promise| unseen(promise));
            names.map(|promise| promise.commitment.as_str()).collect::<Vec<_>>().join(", ")
        };
        table.row(vec![
            coverage.process.clone(),
            format!("{}/{}", coverage.taken(), coverage.branches.len()),
            coverage.percent().to_string(),
            names(&|promise| !promise.kept),
            names(&|promise| !promise.broken),
        ]);
    }
    let all: usize = covered.iter().map(|(_, coverage)| coverage.branches.len()).sum();
    let taken: usize = covered.iter().map(|(_, coverage)| coverage.taken()).sum();
    if covered.len() > 1 {
        let percent = (taken * 100).checked_div(all).unwrap_or(100);
        let total = context.say("ensemble", "all of them").to_owned();
        table.row(vec![total, format!("{taken}/{all}"), percent.to_string(), String::new(), String::new()]);
    }
    if !table.is_empty() {
        table.write(&mut context.out)?;
    }
    Ok(())
}

/// Each branch that no scenario takes, drawn on the sheet, model or circuit where it was written.
pub(super) fn missing(
    context: &mut Context,
    loaded: &Loaded,
    covered: &[(Arc<Plan>, Coverage)],
) -> Result<(), Failure> {
    let coloured = std::io::stdout().is_terminal();
    for (plan, coverage) in covered {
        let found: Vec<Diagnostic> =
            coverage.missing().filter_map(|branch| diagnostic(loaded, plan, branch)).collect();
        for text in drawn(&found, &loaded.sources, context.language, coloured) {
            writeln!(context.out, "{text}\n")?;
        }
    }
    Ok(())
}

/// A branch not taken, as a finding about its sheet.
fn diagnostic(loaded: &Loaded, plan: &Plan, branch: &Branch) -> Option<Diagnostic> {
    let definition = plan.definition();
    let process = &definition.process;
    let mark = loaded.mark(process, &branch.place())?;
    let sentence = branch.sentence(definition);
    let message = Text::new(
        format!("{process} : {} dans les scénarios", sentence.fr),
        format!("{process}: {} in the scenarios", sentence.en),
    );
    let inherited = !loaded.sources.path(mark.file).starts_with(process.as_str());
    let mut fault = Fault::warning(NOT_TAKEN, mark, message.fr, message.en);
    if inherited {
        fault = fault.help(
            format!("écrit ici, hérité par `{process}` : c’est à ses scénarios de le montrer"),
            format!("written here, inherited by `{process}`: its scenarios are to show it"),
        );
    }
    Some(fault.locate(&loaded.sources))
}

/// Everything that is known of a process’s coverage, for programs.
pub(super) fn json(loaded: &Loaded, (plan, coverage): &(Arc<Plan>, Coverage)) -> Value {
    let branches = coverage.branches.iter().map(|branch| {
        let mark = loaded.mark(&coverage.process, &branch.place());
        let position = mark.map(|mark| loaded.sources.position(mark.file, mark.start));
        json!({
            "pointer": branch.pointer, "way": branch.way, "when": branch.when, "taken_by": branch.taken_by,
            "file": mark.map(|mark| loaded.sources.path(mark.file)),
            "line": position.map(|(line, _)| line), "column": position.map(|(_, column)| column),
            "missing": branch.taken_by.is_none().then(|| branch.sentence(plan.definition())),
        })
    });
    json!({
        "process": coverage.process, "taken": coverage.taken(), "of": coverage.branches.len(),
        "percent": coverage.percent(), "branches": branches.collect::<Vec<_>>(), "promises": coverage.promises,
    })
}
