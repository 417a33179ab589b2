//! Versions: what changes, which requests under way may follow, and which promises would have been kept.

use std::path::{Path, PathBuf};

use crate::catalogues::copy;
use crate::support::{MAP, guichet, reports, run};

const SHEET: &str = "voirie/chaussee-abimee.yaml";

/// A town with requests under way, and a copy of its catalogue to change.
struct Town {
    folder: tempfile::TempDir,
}

impl Town {
    fn of(rows: usize) -> Self {
        let town = Self { folder: tempfile::tempdir().unwrap() };
        copy(&town.catalogue());
        let table = town.folder.path().join("reports.csv");
        std::fs::write(&table, reports(rows)).unwrap();
        let import =
            run(&town.data(), &["import", table.to_str().unwrap(), "--map", MAP, "--format", "json"]);
        assert_eq!(import.code, 0, "{import:?}");
        town
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("town")
    }

    fn catalogue(&self) -> PathBuf {
        self.folder.path().join("catalogue")
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn change(&self, file: &str, from: &str, to: &str) {
        let path = self.catalogue().join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file} has no `{from}`");
        std::fs::write(&path, text.replace(from, to)).unwrap();
    }

    fn publish(&self) {
        let published = run(&self.data(), &["publish", self.catalogue().to_str().unwrap()]);
        assert_eq!(published.code, 0, "{published:?}");
    }

    fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let done = run(&self.data(), &[arguments, &["--format", "json"]].concat());
        assert!(done.code < 2, "{done:?}");
        done.json()
    }
}

/// The journal's own count of events of a kind.
fn events(data: &Path, request: &str, kind: &str) -> usize {
    let replay = run(data, &["replay", request, "--format", "json"]).json();
    replay["events"].as_array().unwrap().iter().filter(|event| event["type"] == kind).count()
}

#[test]
fn layout_is_no_change_and_a_shorter_promise_is_one_with_its_line() {
    let town = Town::of(40);
    town.change(SHEET, "\n", "\n# said again\n");
    let catalogue = town.catalogue();
    let sheet = catalogue.join(SHEET);
    let same = town.json(&["diff", "in-force", catalogue.to_str().unwrap()]);
    assert_eq!(same["processes"], serde_json::json!([]));
    town.change(SHEET, "{ is: 2 working days }", "{ is: 1 working day }");
    let shown = run(&town.data(), &["diff", "in-force", sheet.to_str().unwrap(), "--lang", "en"]);
    assert!(
        shown.out.contains("Commitment “answer”, term [shorter] : 2 working days → 1 working day"),
        "{}",
        shown.out
    );
    assert!(shown.out.contains("for citizens, the service  (voirie/chaussee-abimee.yaml:"), "{}", shown.out);
    assert!(shown.out.contains("Requests under way"), "{}", shown.out);
    let json = town.json(&["diff", "processes/chalons", sheet.to_str().unwrap()]);
    let change = &json["processes"][0]["changes"][0];
    assert_eq!((change["area"].as_str(), change["nature"].as_str()), (Some("commitments"), Some("shorter")));
    let touched = json["requests"]["lines"].as_array().unwrap();
    let broken: u64 = touched.iter().map(|line| line["broken_at_once"].as_u64().unwrap()).sum();
    assert_eq!(broken, 0, "they were past due long before: {json}");
}

#[test]
fn a_plan_is_made_looked_at_and_applied_once() {
    let town = Town::of(40);
    let plan = town.file("plan.json");
    let none = town.json(&["migrate", "--plan", &plan]);
    assert_eq!(none["plan"]["requests"], serde_json::json!([]), "all follow the version in force");
    town.change(SHEET, "{ is: 2 working days }", "{ is: 3 working days }");
    town.publish();
    let made = town.json(&["migrate", "--process", "voirie/chaussee-abimee", "--plan", &plan]);
    let requests = made["plan"]["requests"].as_array().unwrap();
    assert_eq!(requests.len(), 10);
    assert!(
        requests.iter().all(|request| request["outcome"] == "moves" && request.get("promises").is_none())
    );
    let request = requests[0]["request"].as_str().unwrap().to_owned();
    let before = town.json(&["show", &request]);
    // Altered by hand, it is no plan any more.
    let text = std::fs::read_to_string(&plan).unwrap();
    let altered = town.file("altered.json");
    std::fs::write(&altered, text.replace("\"keep\"", "\"restart\"")).unwrap();
    assert_eq!(run(&town.data(), &["migrate", "--apply", &altered]).code, 1);
    // One request goes on before the plan is applied.
    let applied = town.json(&["migrate", "--apply", &plan]);
    assert_eq!(
        (applied["applied"]["moved"].as_u64(), applied["applied"]["left"].as_u64()),
        (Some(10), Some(0))
    );
    let again = town.json(&["migrate", "--apply", &plan]);
    assert_eq!(
        (again["applied"]["moved"].as_u64(), again["applied"]["moved_before"].as_u64()),
        (Some(0), Some(10))
    );
    assert_eq!(events(&town.data(), &request, "request.migrated"), 1);
    let after = town.json(&["show", &request]);
    // A breach that had not been noticed yet is recorded on the way; nothing else of a promise is another.
    let terms = |shown: &serde_json::Value| {
        let promises = shown["commitments"].as_array().unwrap().iter();
        let parts = ["commitment", "from", "budget", "calendar", "rule", "definition", "due"];
        promises.map(|one| parts.map(|part| one[part].clone())).collect::<Vec<_>>()
    };
    assert_eq!(terms(&before), terms(&after), "every promise is kept as it was");
    let explained = run(&town.data(), &["explain", &request, "--lang", "en"]);
    assert!(explained.out.contains("Moved from version"), "{}", explained.out);
    assert!(explained.out.contains("The promises keep their due instants."), "{}", explained.out);
    assert_eq!(run(&town.data(), &["verify"]).code, 0);
    assert_eq!(run(&town.data(), &["rebuild"]).code, 0);
    assert_eq!(town.json(&["show", &request]), after, "rebuilt, it is the same");
}

#[test]
fn what_has_no_place_stays_with_its_reasons_until_it_is_said_what_becomes_of_it() {
    let town = Town::of(40);
    town.change(SHEET, "  acknowledgement:", "  receipt:");
    town.change(SHEET, "  answer:", "  reply:");
    std::fs::remove_file(town.catalogue().join("voirie/chaussee-abimee.test.yaml")).unwrap();
    let shown = run(&town.data(), &["check", town.catalogue().to_str().unwrap()]);
    assert_eq!(shown.code, 0, "{}", shown.out);
    town.publish();
    let process = ["migrate", "--process", "voirie/chaussee-abimee"];
    let made = town.json(&process);
    let reasons = made["summary"]["reasons"].as_array().unwrap();
    assert!(reasons.is_empty(), "the model still has both promises: {made}");
    // A channel that is closed to what has come through it.
    town.change(
        SHEET,
        "open_to: [citizen, agent, patroller]",
        "open_to: [citizen, agent, patroller]\nchannels: [counter]",
    );
    town.publish();
    let refused = town.json(&process);
    let reasons = refused["summary"]["reasons"].as_array().unwrap();
    assert_eq!(reasons[0][0], "migration.channel_closed", "{refused}");
    assert_eq!(reasons[0][2], 10);
    let wrong = run(&town.data(), &["migrate", "--map", "task:visite=constat"]);
    assert_eq!(wrong.code, 2, "a mapping is for one process");
}

#[cfg(unix)]
#[test]
fn killed_in_the_middle_and_applied_again_moves_each_request_once() {
    let town = Town::of(1_200);
    town.change(SHEET, "{ is: 2 working days }", "{ is: 3 working days }");
    town.publish();
    let plan = town.file("plan.json");
    let made = town.json(&["migrate", "--clocks", "recompute_remaining", "--plan", &plan]);
    let requests = made["plan"]["requests"].as_array().unwrap();
    assert_eq!(requests.len(), 300);
    let journal = town.data().join("journal.db-wal");
    let mut child = guichet(&town.data(), &["migrate", "--apply", &plan]).spawn().unwrap();
    let begun = std::time::Instant::now();
    let grown = || std::fs::metadata(&journal).is_ok_and(|file| file.len() > 400_000);
    while !grown() && child.try_wait().unwrap().is_none() && begun.elapsed().as_secs() < 60 {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    // SIGKILL: nothing is tidied up.
    child.kill().unwrap();
    child.wait().unwrap();
    let again = town.json(&["migrate", "--apply", &plan]);
    let (moved, before) =
        (again["applied"]["moved"].as_u64().unwrap(), again["applied"]["moved_before"].as_u64().unwrap());
    assert_eq!(moved + before, 300, "{again}");
    for request in requests.iter().step_by(37) {
        assert_eq!(events(&town.data(), request["request"].as_str().unwrap(), "request.migrated"), 1);
    }
    assert_eq!(run(&town.data(), &["verify"]).code, 0);
}

#[test]
fn what_if_reckons_the_promises_anew_and_writes_nothing() {
    let town = Town::of(40);
    let sheet = town.catalogue().join(SHEET);
    let head = || {
        let verified = run(&town.data(), &["verify", "--format", "json"]);
        assert_eq!(verified.code, 0, "{verified:?}");
        verified.out
    };
    let (before, messages) = (head(), std::fs::read_dir(town.data().join("outbox")).unwrap().count());
    let period = ["--since", "2024-01-01", "--until", "2024-04-01"];
    let same = town.json(&[&["what-if", sheet.to_str().unwrap()][..], &period].concat());
    assert_eq!(same["requests"], 10);
    for line in same["lines"].as_array().unwrap() {
        assert_eq!(line["old"], line["new"], "under its own sheet everything went as it went");
        assert_eq!(line["not_comparable"], serde_json::json!({}));
    }
    let answer = |json: &serde_json::Value| {
        let lines = json["lines"].as_array().unwrap();
        lines.iter().find(|line| line["commitment"] == "answer").unwrap().clone()
    };
    assert_eq!(answer(&same)["old"]["broken"], 10, "nobody ever answered");
    town.change(SHEET, "{ is: 2 working days }", "{ is: 3 years }");
    town.change(
        SHEET,
        "{ when: request.complexity == 'complex', is: 10 working days }",
        "{ when: request.complexity == 'complex', is: 9 years }",
    );
    let longer = town.json(&[&["what-if", sheet.to_str().unwrap()][..], &period].concat());
    let line = answer(&longer);
    assert_eq!(line["old"]["broken"], 10);
    assert!(line["new"]["open"].as_u64().unwrap() > 0, "{longer}");
    assert_eq!(head(), before, "the journal is as it was");
    assert_eq!(std::fs::read_dir(town.data().join("outbox")).unwrap().count(), messages);
}
