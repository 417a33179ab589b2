//! Scenarios: what they cover of a process, and how a failing one is told.

use std::collections::BTreeMap;
use std::path::Path;

use guichet::engine::Span;
use guichet::engine::rules::request::RequestId;
use guichet::engine::rules::request::scenario::Recorded;
use guichet::engine::rules::text::Language;
use guichet::projections::CardQuery;
use guichet::{Guichet, Options};
use serde_json::Value;

use crate::catalogues::copy;
use crate::support::run;

/// The Châlons catalogue, in which the pothole has these scenarios only.
fn potholes(scenarios: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy(folder.path());
    let text = format!("process: voirie/chaussee-abimee\nscenarios:\n{scenarios}");
    std::fs::write(folder.path().join("voirie/chaussee-abimee.test.yaml"), text).unwrap();
    folder
}

const ORDINARY: &str = r#"
  - name: nid-de-poule rebouché par le patrouilleur
    steps:
      - { at: "2026-10-23T15:40", receive: { channel: phone, form: { place: [48.95, 4.37] } }, by: role:ambassadrice }
      - { at: "2026-10-26T10:00", by: role:patrouilleur, complete: visite, report: { finding: "rebouché", made_safe: true } }
      - { at: "2026-10-26T11:30", by: person:a22, answer: "Le trou est rebouché." }
      - expect: { stage: validated, tasks: { intervention: skipped }, due: { answer: "2026-10-27T17:00" } }
"#;

fn sheet(folder: &Path) -> String {
    folder.join("voirie/chaussee-abimee.yaml").to_str().unwrap().to_owned()
}

/// The branches that are, or are not, taken: pointer and way, with the file that they were written in.
fn branches(covered: &Value, taken: bool) -> Vec<String> {
    let branches = covered["branches"].as_array().unwrap().iter();
    let of = |branch: &Value| {
        let text = |key: &str| branch[key].as_str().unwrap().to_owned();
        format!("{} {} ({}:{})", text("pointer"), text("way"), text("file"), branch["line"])
    };
    branches.filter(|branch| branch["taken_by"].is_null() != taken).map(of).collect()
}

#[test]
fn a_branch_that_no_scenario_takes_is_named_with_its_place() {
    let folder = potholes(ORDINARY);
    let tested = run(folder.path(), &["test", &sheet(folder.path()), "--format", "json"]);
    assert_eq!(tested.code, 0, "{}", tested.out);
    let tested = tested.json();
    let covered = &tested["coverage"][0];
    assert_eq!((covered["taken"].as_u64(), covered["of"].as_u64()), (Some(9), Some(25)));
    insta::assert_snapshot!(branches(covered, true).join("\n"));
    insta::assert_snapshot!(branches(covered, false).join("\n"));
}

#[test]
fn too_little_coverage_fails_and_shows_the_sheet_and_the_circuit() {
    let folder = potholes(ORDINARY);
    let sheet = sheet(folder.path());
    let tested = run(folder.path(), &["test", &sheet, "--coverage", "--fail-under", "37", "--lang", "en"]);
    assert_eq!(tested.code, 1, "{}", tested.out);
    assert!(tested.out.contains("--> voirie/chaussee-abimee.yaml:28:15"), "{}", tested.out);
    assert!(tested.out.contains("--> circuits/reponse-formalisee.yaml:6:11"), "{}", tested.out);
    assert!(tested.out.contains("voirie/chaussee-abimee : 36 % < 37 % asked for"), "{}", tested.out);
    assert_eq!(run(folder.path(), &["test", &sheet, "--fail-under", "36"]).code, 0);
    assert_eq!(run(folder.path(), &["test", &sheet, "--fail-under", "101"]).code, 2);
}

#[test]
fn a_process_without_a_scenario_has_no_coverage_at_all() {
    let folder = tempfile::tempdir().unwrap();
    copy(folder.path());
    std::fs::remove_file(folder.path().join("voirie/chaussee-abimee.test.yaml")).unwrap();
    let tested = run(folder.path(), &["test", &sheet(folder.path()), "--format", "json"]).json();
    assert_eq!((&tested["passed"], &tested["coverage"][0]["taken"]), (&0.into(), &0.into()), "{tested}");
}

#[test]
fn a_failing_step_shows_what_was_expected_what_is_why_and_what_had_happened() {
    let folder = potholes(&ORDINARY.replace("2026-10-27T17:00", "2026-10-28T17:00"));
    let sheet = sheet(folder.path());
    let tested = run(folder.path(), &["test", &sheet, "--lang", "en"]);
    assert_eq!(tested.code, 1);
    let (shown, _) = tested.out.split_once("  process ").unwrap();
    insta::assert_snapshot!(shown);
    let json = run(folder.path(), &["test", &sheet, "--format", "json"]).json();
    let failed = &json["scenarios"][0]["failed_steps"][0];
    assert_eq!((failed["line"].as_u64(), failed["column"].as_u64()), (Some(9), Some(9)), "{failed}");
    assert_eq!(failed["problems"][0]["expected"], "2026-10-28 17:00:00");
    assert_eq!(failed["history"][0]["type"], "request.received");
}

#[test]
fn a_refused_action_shows_the_refusal() {
    let folder = potholes(&ORDINARY.replace("by: person:a22, answer", "by: person:a16, answer"));
    let tested = run(folder.path(), &["test", &sheet(folder.path()), "--lang", "en"]);
    assert_eq!(tested.code, 1);
    assert!(tested.out.contains("error[scenario.failed]: this action is refused"), "{}", tested.out);
    assert!(tested.out.contains("answer refused (role.needed)"), "{}", tested.out);
}

/// Everything personal in these events, and every text that people wrote: the leaves, where they are long enough to
/// tell anything.
fn said(value: &Value, personal: bool, found: &mut Vec<String>) {
    match value {
        Value::String(text) if personal && text.chars().count() > 3 => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| said(item, personal, found)),
        Value::Object(parts) => match parts.get("value").filter(|_| parts.contains_key("$personal")) {
            Some(value) => said(value, true, found),
            None => {
                let text =
                    ["nature", "details", "question", "pitch", "what_happened", "address", "pieces", "basis"];
                parts.iter().for_each(|(key, part)| {
                    said(part, personal || text.contains(&key.as_str()), found);
                });
            }
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A scenario without its name and its instants, on whose days people may have been born as well.
fn without_instants(scenario: &str) -> String {
    let (_, steps) = scenario.split_once('\n').unwrap();
    let instant = |part: &&str| part.as_bytes().get(10) == Some(&b'T') && part.starts_with("20");
    steps.split('"').filter(|part| !instant(part)).collect::<Vec<_>>().join("\"")
}

/// Every finished request of a data folder, recorded: its process, its text, whether its file sends at once.
async fn recorded(data: &Path) -> Vec<(RequestId, Recorded)> {
    let guichet = Guichet::open(Options::new(data)).await.unwrap();
    let mut all = Vec::new();
    let mut query = CardQuery { open: Some(false), limit: 200, ..CardQuery::default() };
    loop {
        let page = guichet.read_models().cards(&query).await.unwrap().value;
        for card in &page.items {
            let recorded = guichet.record(&card.tenant, card.request, Language::Fr, None).await;
            let recorded =
                recorded.unwrap_or_else(|error| panic!("{} {}: {error}", card.process, card.request));
            let history = guichet.history(&card.tenant, card.request, &Span::default(), true).await.unwrap();
            let mut personal = Vec::new();
            for entry in &history {
                said(&serde_json::to_value(&entry.event).unwrap(), false, &mut personal);
            }
            assert!(personal.iter().any(|text| text.len() > 11), "nothing was opened of {}", card.request);
            let written = without_instants(&recorded.scenario);
            // The type of a document is that of what stands for it, too.
            personal.retain(|text| !text.starts_with("application/") && !text.starts_with("image/"));
            let told: Vec<&String> = personal.iter().filter(|text| written.contains(*text)).collect();
            assert!(told.is_empty(), "{} parts of {} personal ones are in it", told.len(), personal.len());
            all.push((card.request, recorded));
        }
        query.cursor = page.next;
        if query.cursor.is_none() {
            break;
        }
    }
    guichet.close().await;
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_finished_request_of_a_month_is_a_scenario_that_holds_and_names_nobody() {
    let data = tempfile::tempdir().unwrap();
    let lived = run(data.path(), &["demo", "--exit", "--busy", "70"]);
    assert_eq!(lived.code, 0, "{}", lived.err);
    let recorded = recorded(data.path()).await;
    assert!(recorded.len() > 80, "only {} requests", recorded.len());
    for (at_once, word) in [(true, "at_once"), (false, "by_hand")] {
        let folder = tempfile::tempdir().unwrap();
        copy(folder.path());
        let mut files: BTreeMap<&str, String> = BTreeMap::new();
        for one in recorded.iter().map(|(_, one)| one).filter(|one| one.outbound_at_once == at_once) {
            let head = format!("process: {}\noutbound: {word}\nscenarios:\n", one.process);
            files.entry(&one.process).or_insert(head).push_str(&one.scenario);
        }
        for (process, text) in &files {
            let path = folder.path().join(format!("{process}.test.yaml"));
            std::fs::write(&path, text).unwrap();
        }
        let tested = run(data.path(), &["test", folder.path().to_str().unwrap(), "--lang", "en"]);
        assert_eq!(tested.code, 0, "{}", tested.out);
    }
    let (request, one) = recorded.iter().find(|(_, one)| one.outbound_at_once).unwrap();
    added(data.path(), *request, &one.process);
}

/// One request, recorded into the scenarios of its process: every other byte stays, and all of them hold.
fn added(data: &Path, request: RequestId, process: &str) {
    let folder = tempfile::tempdir().unwrap();
    copy(folder.path());
    let path = folder.path().join(format!("{process}.test.yaml"));
    let file = path.to_str().unwrap();
    let before = std::fs::read_to_string(&path).unwrap();
    let count =
        |file: &str| run(data, &["test", file, "--format", "json"]).json()["passed"].as_u64().unwrap();
    let held = count(file);
    let done = run(data, &["test", "--record", &request.to_string(), "--into", file, "--lang", "en"]);
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(done.out, format!("{process}.test.yaml: scenario added, it holds\n"));
    let after = std::fs::read_to_string(&path).unwrap();
    assert!(after.len() > before.len() + 100 && after.starts_with(&before));
    assert_eq!(count(file), held + 1);
    let other = folder.path().join("institutions/fiche-de-procedure.test.yaml");
    let refused = run(data, &["test", "--record", &request.to_string(), "--into", other.to_str().unwrap()]);
    assert_eq!(refused.code, 2, "{refused:?}");
}
