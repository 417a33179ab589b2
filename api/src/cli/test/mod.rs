//! `guichet test`: the scenarios of a catalogue, and what of each process they take.

mod covered;
mod failing;
mod recorded;

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use guichet_engine::rules::language::sheet::ScenarioFile;
use guichet_engine::rules::language::{Catalogue, Loaded};
use guichet_engine::rules::process::Plan;
use guichet_engine::rules::request::scenario::{Coverage, Outcome, coverage, run};
use guichet_engine::rules::text::Language;
use serde_json::json;

use super::catalogue::{chalons, root_of, whole};
use super::check::{covers, inside};
use super::context::{Context, Format};
use super::failure::{Failure, Verdict};

/// Run the scenarios of a catalogue or a part of it, and say which branches of its processes they take
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  guichet test processes/chalons/voirie/chaussee-abimee.test.yaml\n  \
    guichet test processes/chalons --coverage --fail-under 100\n  \
    guichet test --record K7M-2QX-9RTA --into processes/chalons/voirie/chaussee-abimee.test.yaml")]
pub(crate) struct Test {
    /// A catalogue, or a file or folder in one; the catalogue of this repository if none is given.
    #[arg(value_name = "PATH")]
    path: Option<PathBuf>,
    /// Show each branch that no scenario takes, where it stands in the sheet.
    #[arg(long)]
    coverage: bool,
    /// Fail where less than so many percent of a process’s branches are taken.
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    fail_under: Option<u8>,
    /// Write the history of a request as a scenario without personal data; its id, tracking code or number.
    #[arg(long, value_name = "REQUEST", conflicts_with_all = ["path", "coverage", "fail_under"])]
    record: Option<String>,
    /// Add the recorded scenario to this file, rather than print it.
    #[arg(long, value_name = "FILE", requires = "record")]
    into: Option<PathBuf>,
    /// The collectivity of the request, where several have the same number.
    #[arg(long, requires = "record")]
    tenant: Option<String>,
}

/// What was run.
struct Bench {
    catalogue: Catalogue,
    loaded: Loaded,
    /// Each file of scenarios with its process, and how its scenarios went.
    files: Vec<(ScenarioFile, Option<Arc<Plan>>, Vec<Outcome>)>,
    /// The processes in question, those without a scenario among them.
    covered: Vec<(Arc<Plan>, Coverage)>,
}

impl Test {
    pub(crate) async fn run(self, context: &mut Context) -> Result<Verdict, Failure> {
        context.only(&[Format::Human, Format::Json])?;
        if let Some(request) = &self.record {
            return recorded::record(context, request, self.tenant.as_deref(), self.into.as_deref()).await;
        }
        let none =
            context.say("aucun catalogue trouvé ; indiquez un chemin", "no catalogue found; name a path");
        let path = self.path.clone().or_else(chalons).ok_or_else(|| Failure::usage(none))?;
        if let Err(error) = std::fs::metadata(&path) {
            return Err(super::calendars::unreadable(&path, &error, context.language));
        }
        let root = root_of(&path).ok_or_else(|| Failure::usage(none))?;
        let (catalogue, loaded) = whole(&root, context.language)?;
        let bench = bench(catalogue, loaded, &inside(&root, &path))?;
        let (passed, failed) = bench.count();
        let least = usize::from(self.fail_under.unwrap_or(0));
        let poor: Vec<&Coverage> =
            bench.covered.iter().map(|(_, coverage)| coverage).filter(|c| c.percent() < least).collect();
        if context.format == Format::Json {
            let scenarios = bench.files.iter().flat_map(|file| failing::json(&bench, file, context.language));
            let scenarios: Vec<_> = scenarios.collect();
            let covered: Vec<_> = bench.covered.iter().map(|c| covered::json(&bench.loaded, c)).collect();
            let answer =
                json!({ "passed": passed, "failed": failed, "scenarios": scenarios, "coverage": covered });
            writeln!(context.out, "{answer:#}")?;
        } else {
            self.print(context, &bench)?;
            writeln!(context.out, "{}", summary(context.language, passed, failed))?;
            for coverage in &poor {
                let percent = coverage.percent();
                let words = context.say("demandés", "asked for");
                writeln!(context.out, "✗ {} : {percent} % < {least} % {words}", coverage.process)?;
            }
        }
        Ok(if failed == 0 && poor.is_empty() { Verdict::Good } else { Verdict::FoundWrong })
    }

    fn print(&self, context: &mut Context, bench: &Bench) -> Result<(), Failure> {
        for file in &bench.files {
            failing::print(context, bench, file)?;
        }
        if self.coverage {
            covered::missing(context, &bench.loaded, &bench.covered)?;
        }
        covered::table(context, &bench.covered)
    }
}

impl Bench {
    /// How many scenarios hold, and how many do not.
    fn count(&self) -> (usize, usize) {
        let all = || self.files.iter().flat_map(|(_, _, outcomes)| outcomes);
        let passed = all().filter(|outcome| outcome.passed()).count();
        (passed, all().count() - passed)
    }
}

fn summary(language: Language, passed: usize, failed: usize) -> String {
    match language {
        // In French nothing is singular: zéro scénario.
        Language::Fr => {
            let s = if passed < 2 { "" } else { "s" };
            format!("{passed} scénario{s} tenu{s}, {failed} en défaut.")
        }
        Language::En => {
            let (s, holds) = if passed == 1 { ("", "holds") } else { ("s", "hold") };
            format!("{passed} scenario{s} {holds}, {failed} do not.")
        }
    }
}

/// Runs what stands at or below `within`. A sheet names its scenarios as well: `x.yaml` runs those of `x.test.yaml`.
fn bench(catalogue: Catalogue, loaded: Loaded, within: &str) -> Result<Bench, Failure> {
    let mut plans = Vec::new();
    for definition in &catalogue.definitions {
        let plan = Plan::compile(Arc::new(definition.clone()));
        plans.push(Arc::new(plan.map_err(|error| Failure::found(error.to_string()))?));
    }
    let sheet = within.strip_suffix(".yaml").filter(|stem| !stem.ends_with(".test"));
    let wanted = sheet.map_or_else(|| within.to_owned(), |stem| format!("{stem}.test.yaml"));
    let mut files = Vec::new();
    for file in catalogue.scenarios.iter().filter(|file| covers(&wanted, &file.file)) {
        let plan = plans.iter().find(|plan| plan.definition().process == file.process).cloned();
        files.push((file.clone(), plan, run(file, &plans, &catalogue.organisation)));
    }
    let named = |process: &str| {
        files.iter().any(|(file, _, _)| file.process == process)
            || covers(&wanted, &format!("{process}.test.yaml"))
    };
    let wanted = plans.iter().filter(|plan| named(&plan.definition().process));
    let covered = wanted.map(|plan| {
        let own = files.iter().filter(|(file, _, _)| file.process == plan.definition().process);
        (Arc::clone(plan), coverage(plan, own.flat_map(|(_, _, outcomes)| outcomes)))
    });
    let covered = covered.collect();
    Ok(Bench { catalogue, loaded, files, covered })
}
