//! What the manuals show is tried: every example of a sheet, a model, a circuit, a message, a calendar or a scenario is
//! laid beside the catalogue of Châlons and must pass the checker there, and every command line must be one that exists.

use std::fs;
use std::sync::Arc;

use guichet_rules::language::{Catalogue, Loaded, Severity, SourceFile};
use guichet_rules::process::Plan;
use guichet_rules::request::scenario::run;
use guichet_tests::workspace;

const MANUALS: [&str; 2] = ["processes/manual.md", "processes/manuel.md"];

/// An example: where it stands in which manual, and its text.
#[derive(Debug)]
struct Example {
    place: String,
    text: String,
}

/// The blocks of a manual that are fenced as `language`.
fn examples(manual: &str, language: &str) -> Vec<Example> {
    let text = fs::read_to_string(workspace().join(manual)).unwrap();
    let mut found = Vec::new();
    let mut open: Option<Example> = None;
    for (number, line) in text.lines().enumerate() {
        match &mut open {
            Some(_) if line.starts_with("```") => found.extend(open.take()),
            Some(example) => {
                example.text.push_str(line);
                example.text.push('\n');
            }
            None if line.strip_prefix("```") == Some(language) => {
                let place = format!("{manual}:{}", number + 2);
                open = Some(Example { place, text: String::new() });
            }
            None => {}
        }
    }
    assert!(open.is_none(), "{manual} has a block without an end");
    found
}

/// The catalogue of Châlons, which the examples take their names from.
fn chalons() -> Vec<SourceFile> {
    guichet::read_catalogue_folder(&workspace().join("processes/chalons")).unwrap()
}

const SHEET: &str = "voirie/exemple";

/// A sheet around a part of one.
fn around(part: &str) -> String {
    let says = |key: &str| part.lines().any(|line| line.starts_with(&format!("{key}:")));
    let mut sheet = format!("process: {SHEET}\n");
    for (key, line) in [
        ("extends", "extends: models/signalement"),
        ("title", "title: { fr: \"Exemple du manuel\", en: \"Example of the manual\" }"),
        ("keywords", "keywords: [exemple, manuel]"),
        ("assignment", "assignment: [ { to: service:voirie } ]"),
    ] {
        if !says(key) {
            sheet.push_str(line);
            sheet.push('\n');
        }
    }
    let own = part.lines().filter(|line| !line.starts_with("process:"));
    own.for_each(|line| {
        sheet.push_str(line);
        sheet.push('\n');
    });
    sheet
}

/// The shared part under the name `exemple`, and a sheet that uses it.
fn shared(folder: &str, key: &str, text: &str, used: &str) -> Vec<SourceFile> {
    let first = format!("{key}: exemple");
    let renamed: Vec<&str> = text
        .lines()
        .map(|line| if line.starts_with(&format!("{key}:")) { first.as_str() } else { line })
        .collect();
    let file =
        SourceFile { path: format!("{folder}/exemple.yaml"), text: format!("{}\n", renamed.join("\n")) };
    let sheet = SourceFile { path: format!("{SHEET}.yaml"), text: around(used) };
    vec![file, sheet]
}

/// The files that an example becomes.
fn files(text: &str) -> Vec<SourceFile> {
    let first = text.lines().find(|line| !line.starts_with('#')).unwrap_or_default();
    let key = first.split(':').next().unwrap_or_default();
    match key {
        "process" if text.contains("\nscenarios:") => {
            let process = first.split(':').nth(1).unwrap_or_default().trim();
            vec![SourceFile { path: format!("{process}.test.yaml"), text: text.to_owned() }]
        }
        "model" => shared("models", key, text, "extends: models/exemple\n"),
        "circuit" => shared("circuits", key, text, "validation: { circuit: circuits/exemple }\n"),
        "message" => shared("messages", key, text, "acknowledgement: messages/exemple\n"),
        "calendar" => shared("calendars", key, text, "calendar: calendars/exemple\n"),
        "catalogue" => vec![SourceFile { path: "catalogue.yaml".into(), text: text.to_owned() }],
        "roles" => vec![SourceFile { path: "organisation.yaml".into(), text: text.to_owned() }],
        _ => vec![SourceFile { path: format!("{SHEET}.yaml"), text: around(text) }],
    }
}

/// Whether a file of the town must stand beside the example: shared parts, the frame, and sheets that it names.
fn is_needed(path: &str, added: &[SourceFile]) -> bool {
    let shared = ["calendars/", "models/", "circuits/", "messages/"];
    let frame = !path.contains('/') || shared.iter().any(|folder| path.starts_with(folder));
    let name = path.trim_end_matches(".yaml");
    let named = !path.contains(".test.") && added.iter().any(|new| new.text.contains(name));
    added.iter().all(|new| new.path != path) && (frame || named)
}

/// Findings that mean only that an example is short, and leaves out what others refer to.
fn is_about_the_rest(code: &str, path: &str) -> bool {
    matches!(path, "catalogue.yaml" | "organisation.yaml")
        && code.ends_with(".unknown")
        && code != "key.unknown"
}

/// What is not as the scenarios of a file say.
fn unmet(loaded: &Loaded, path: &str) -> String {
    let Some(catalogue) = &loaded.catalogue else { return String::new() };
    let plans = catalogue.definitions.iter().map(|definition| Plan::compile(Arc::new(definition.clone())));
    let plans: Vec<Arc<Plan>> = plans.map(|plan| Arc::new(plan.unwrap())).collect();
    let file = catalogue.scenarios.iter().find(|file| file.file == path).unwrap();
    let outcomes = run(file, &plans, &catalogue.organisation);
    let problems = outcomes.iter().flat_map(|outcome| &outcome.steps).flat_map(|step| &step.problems);
    problems.map(|problem| format!("{path}: {}\n", problem.text.en)).collect()
}

#[test]
fn every_example_of_the_manuals_passes_the_checker() {
    let town = chalons();
    let mut wrong = String::new();
    let mut tried = 0;
    for example in MANUALS.iter().flat_map(|manual| examples(manual, "yaml")) {
        if example.text.starts_with("requests_a_year") {
            // What a simulation assumes is no part of a catalogue.
            let read = guichet::simulation::Assumptions::read(&example.text);
            wrong.extend(read.err().map(|fault| format!("{}: {fault}\n", example.place)));
            continue;
        }
        let added = files(&example.text);
        let mut all: Vec<SourceFile> =
            town.iter().filter(|file| is_needed(&file.path, &added)).cloned().collect();
        all.extend(added.iter().cloned());
        let loaded = Catalogue::load(all);
        let here = |file: &str| added.iter().any(|new| new.path == file);
        let errors = loaded.diagnostics.iter().filter(|found| {
            let place = &found.place.file;
            found.severity == Severity::Error && here(place) && !is_about_the_rest(&found.code, place)
        });
        for error in errors {
            let (line, text) = (error.place.line, &error.message.en);
            wrong.push_str(&format!("{}: {} line {line}: {text}\n", example.place, error.code));
        }
        let scenarios = added.iter().filter(|new| new.path.ends_with(".test.yaml"));
        for file in scenarios {
            wrong.push_str(&unmet(&loaded, &file.path));
        }
        tried += 1;
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    assert!(tried > 40, "only {tried} examples were found");
}
