//! The scenarios of the Châlons catalogue, each a promise of the designer's sheet.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;

use crate::language::{Catalogue, SourceFile};
use crate::process::Plan;
use crate::request::scenario::{Outcome, Source, World, coverage, record, run};
use crate::request::{Actor, Command, Event, Meta};
use crate::text::Language;

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

fn chalons() -> Vec<SourceFile> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../processes/chalons");
    let mut sources = Vec::new();
    files(&root, &root, &mut sources);
    sources
}

/// A question that turned out to be a pothole, told by a real person, repaired and answered.
fn reclassified(catalogue: &Catalogue, plans: &[Arc<Plan>]) -> Vec<(Event, Meta)> {
    let now = super::town::paris("2026-10-01T09:05");
    let mut world = World::new(plans.to_vec(), catalogue.organisation.clone(), "ville", now);
    let case = world.open();
    let mut does = |local: &str, actor: &Actor, command: serde_json::Value| {
        world.wait_until(super::town::paris(local)).unwrap();
        let command: Command = serde_json::from_value(command).unwrap();
        world.submit(case, actor, &command).unwrap_or_else(|refused| panic!("{refused:?}"));
    };
    let agent = |code: &str| Actor::Agent(code.into());
    let contact = json!({ "name": "Irène Vasseur", "email": "irene@vasseur.example" });
    does(
        "2026-10-01T09:05",
        &Actor::Requester,
        json!({ "command": "receive", "process": "institutions/question-generale", "channel": "web", "opened_by": "citizen",
            "requester": { "contact": contact }, "form": { "question": "Qui rebouche le trou devant chez moi ?" } }),
    );
    let place = json!({ "lat": 48.95312, "lon": 4.37128, "address": "14 rue de la Marne" });
    does(
        "2026-10-01T09:40",
        &agent("a01"),
        json!({ "command": "qualify", "process": "voirie/chaussee-abimee", "form": { "place": place } }),
    );
    let report = json!({ "finding": "devant chez Mme Vasseur", "made_safe": true });
    does(
        "2026-10-01T14:00",
        &agent("a05"),
        json!({ "command": "complete", "task": "visite", "report": report }),
    );
    does(
        "2026-10-01T15:30",
        &agent("a22"),
        json!({ "command": "answer", "text": "Chère Irène, c’est fait." }),
    );
    world.cases[case].history.clone()
}

#[test]
fn a_recorded_request_that_changed_its_process_stands_in_the_catalogue_and_names_nobody() {
    let catalogue = Catalogue::load(chalons()).catalogue.unwrap();
    let plans: Vec<Arc<Plan>> = catalogue.definitions.iter().map(|one| super::plan(one.clone())).collect();
    let history = reclassified(&catalogue, &plans);
    let source = Source {
        history: &history,
        plans: &plans,
        organisation: &catalogue.organisation,
        language: Language::Fr,
        outbound_at_once: Some(true),
    };
    let recorded = record(&source).unwrap();
    for said in ["Irène", "Vasseur", "vasseur", "rue de la Marne", "chez", "48.9531", "c’est fait"] {
        assert!(!recorded.scenario.contains(said), "{said}: {}", recorded.scenario);
    }
    insta::assert_snapshot!(recorded.file());
    let mut files = chalons();
    let file = files.iter_mut().find(|file| file.path == "institutions/question-generale.test.yaml").unwrap();
    file.text = recorded.file();
    let loaded = Catalogue::load(files);
    assert!(loaded.catalogue.is_some(), "{:?}", loaded.diagnostics);
    let scenarios = loaded.catalogue.unwrap().scenarios;
    let own = scenarios.iter().find(|file| file.process == "institutions/question-generale").unwrap();
    assert!(run(own, &plans, &catalogue.organisation).iter().all(Outcome::passed));
}

#[test]
fn a_task_of_the_process_that_a_scenario_leaves_behind_is_unknown_after_that() {
    let mut files = chalons();
    let file = files.iter_mut().find(|file| file.path == "institutions/question-generale.test.yaml").unwrap();
    let moved = "qualify: { process: voirie/chaussee-abimee, form: { place: [48.95, 4.37], chemin: 1 } } }";
    file.text = format!(
        "process: institutions/question-generale\nscenarios:\n  - name: x\n    steps:\n      - {{ {moved}\n      \
         - complete: recherche\n      - complete: visite\n"
    );
    let codes: Vec<String> = Catalogue::load(files).diagnostics.into_iter().map(|found| found.code).collect();
    assert_eq!(codes, ["field.unknown", "task.unknown"]);
}

#[test]
fn every_scenario_of_chalons_holds_and_they_take_every_branch() {
    let loaded = Catalogue::load(chalons());
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
