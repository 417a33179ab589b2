//! The scenarios of the Châlons catalogue, each a promise of the designer's sheet.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::language::{Catalogue, SourceFile};
use crate::process::Plan;
use crate::request::scenario::{Outcome, coverage, run};

fn files(folder: &Path, root: &Path, found: &mut Vec<SourceFile>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        if path.is_dir() {
            files(&path, root, found);
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
            found.push(SourceFile { path: name, text: std::fs::read_to_string(&path).unwrap() });
        }
    }
}

fn report(file: &str, outcome: &Outcome) -> String {
    let mut report = format!("{file}: {}\n", outcome.scenario);
    for (index, step) in outcome.steps.iter().enumerate() {
        for problem in &step.problems {
            writeln!(report, "    step {} ({} {}): {}", index + 1, step.at, step.actor, problem.text.en)
                .unwrap();
        }
    }
    report
}

/// The branches that no scenario takes, one a line.
fn untaken(plan: &Plan, outcomes: &[Outcome]) -> String {
    let covered = coverage(plan, outcomes);
    assert!(!covered.branches.is_empty(), "{} has no branch", covered.process);
    let missing = covered
        .missing()
        .map(|branch| format!("{}: {}\n", covered.process, branch.sentence(plan.definition()).en));
    missing.collect()
}

#[test]
fn every_scenario_of_chalons_holds_and_they_take_every_branch() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../processes/chalons");
    let mut sources = Vec::new();
    files(&root, &root, &mut sources);
    let loaded = Catalogue::load(sources);
    let found: Vec<String> =
        loaded.diagnostics.iter().map(|found| format!("{found:?}").chars().take(300).collect()).collect();
    let catalogue = loaded.catalogue.unwrap_or_else(|| panic!("{}", found.join("\n")));
    let plans: Vec<Arc<Plan>> =
        catalogue.definitions.iter().map(|definition| super::plan(definition.clone())).collect();
    let mut failures = String::new();
    let mut count = 0;
    for plan in &plans {
        let process = &plan.definition().process;
        let mut outcomes = Vec::new();
        for file in catalogue.scenarios.iter().filter(|file| file.process == *process) {
            let own = run(file, &plans, &catalogue.organisation);
            failures
                .extend(own.iter().filter(|outcome| !outcome.passed()).map(|one| report(&file.file, one)));
            outcomes.extend(own);
        }
        count += outcomes.len();
        failures.push_str(&untaken(plan, &outcomes));
    }
    assert!(count > 24, "only {count} scenarios");
    assert!(failures.is_empty(), "{failures}");
}
