//! Scenarios: what they cover of a process, and how a failing one is told.

use std::path::Path;

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
    assert!(tested.out.contains("--> circuits/reponse-formalisee.yaml:5:11"), "{}", tested.out);
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
