//! `guichet test`: the scenarios of a catalogue.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use guichet_engine::rules::language::Catalogue;
use guichet_engine::rules::process::Plan;
use guichet_engine::rules::request::scenario::{Outcome, run};
use guichet_engine::rules::text::Language;
use serde_json::json;

use super::catalogue::{chalons, load, root_of, sound};
use super::context::{Context, Format};
use super::failure::{Failure, Verdict};
use super::output::printable;

/// Run the scenarios of a catalogue, or of one of its files
#[derive(Debug, Args)]
#[command(after_help = "Example: guichet test processes/chalons/voirie/chaussee-abimee.test.yaml")]
pub(crate) struct Test {
    /// A catalogue, or a file or folder in one; the catalogue of this repository if none is given.
    #[arg(value_name = "PATH")]
    path: Option<PathBuf>,
}

impl Test {
    pub(crate) async fn run(self, context: &mut Context) -> Result<Verdict, Failure> {
        context.only(&[Format::Human, Format::Json])?;
        let none =
            context.say("aucun catalogue trouvé ; indiquez un chemin", "no catalogue found; name a path");
        let path = self.path.or_else(chalons).ok_or_else(|| Failure::usage(none))?;
        if let Err(error) = std::fs::metadata(&path) {
            return Err(super::calendars::unreadable(&path, &error, context.language));
        }
        let root = root_of(&path).ok_or_else(|| Failure::usage(none))?;
        let catalogue = sound(&root, context.language)?;
        let within = super::check::inside(&root, &path);
        let outcomes = outcomes(&catalogue, &within)?;
        // Places are byte marks; the files are read again to give them lines.
        let sources = load(&root, context.language)?.sources;
        let (mut passed, mut failed, mut list) = (0, 0, Vec::new());
        for (file, all) in &outcomes {
            for outcome in all {
                let problems = problems(outcome, context.language, &sources);
                if problems.is_empty() {
                    passed += 1
                } else {
                    failed += 1
                }
                if context.format == Format::Json {
                    list.push(json!({ "file": file, "scenario": outcome.scenario, "problems": problems }));
                } else if !problems.is_empty() {
                    writeln!(context.out, "✗ {file}: {}", printable(&outcome.scenario))?;
                    for problem in problems {
                        writeln!(context.out, "    {problem}")?;
                    }
                }
            }
        }
        if context.format == Format::Json {
            writeln!(context.out, "{:#}", json!({ "passed": passed, "failed": failed, "scenarios": list }))?;
        } else {
            let line = match context.language {
                Language::Fr => format!("{passed} scénarios tenus, {failed} en défaut."),
                Language::En => format!("{passed} scenarios hold, {failed} do not."),
            };
            writeln!(context.out, "{line}")?;
        }
        Ok(if failed == 0 { Verdict::Good } else { Verdict::FoundWrong })
    }
}

fn outcomes(catalogue: &Catalogue, within: &str) -> Result<BTreeMap<String, Vec<Outcome>>, Failure> {
    let mut plans = Vec::new();
    for definition in &catalogue.definitions {
        let plan = Plan::compile(Arc::new(definition.clone()));
        plans.push(Arc::new(plan.map_err(|error| Failure::found(error.to_string()))?));
    }
    // A sheet names its scenarios as well: `x.yaml` runs those of `x.test.yaml`.
    let sheet = within.strip_suffix(".yaml").filter(|stem| !stem.ends_with(".test"));
    let wanted = sheet.map_or_else(|| within.to_owned(), |stem| format!("{stem}.test.yaml"));
    let files = catalogue.scenarios.iter().filter(|file| super::check::covers(&wanted, &file.file));
    Ok(files.map(|file| (file.file.clone(), run(file, &plans, &catalogue.organisation))).collect())
}

fn problems(
    outcome: &Outcome,
    language: Language,
    sources: &guichet_engine::rules::language::Sources,
) -> Vec<String> {
    let steps = outcome.steps.iter();
    steps
        .flat_map(|step| {
            let place = sources.place(step.mark);
            step.problems.iter().map(move |problem| format!("{place}: {}", problem.text.get(language)))
        })
        .collect()
}
