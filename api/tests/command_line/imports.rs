//! Importing: every row accounted for, nothing twice, whatever interrupts it.

use std::path::{Path, PathBuf};

use crate::support::{MAP, guichet, reports, run};

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("town")
    }

    fn table(&self, text: &str) -> String {
        let path = self.folder.path().join("reports.csv");
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn import(&self, table: &str) -> serde_json::Value {
        let run = run(&self.data(), &["import", table, "--map", MAP, "--format", "json"]);
        assert!(run.code < 2, "{run:?}");
        run.json()
    }
}

fn total(data: &Path) -> u64 {
    run(data, &["stats", "--format", "json"]).json()["total"]["requests"].as_u64().unwrap()
}

#[test]
fn imported_twice_is_imported_once_and_the_figures_are_those_of_the_table() {
    let place = Place::new();
    let table = place.table(&reports(90));
    let first = place.import(&table);
    assert_eq!(
        (first["rows"].as_u64(), first["imported"].as_u64(), first["aside"].as_u64()),
        (Some(90), Some(90), Some(0))
    );
    let second = place.import(&table);
    assert_eq!((second["imported"].as_u64(), second["repeated"].as_u64()), (Some(0), Some(90)));
    let stats = run(&place.data(), &["stats", "--format", "json"]).json();
    assert_eq!(stats["total"]["requests"], 90);
    let by_channel = |name: &str| {
        let lines = stats["by_channel"].as_array().unwrap();
        lines.iter().find(|line| line["key"][0] == name).map_or(0, |line| line["requests"].as_u64().unwrap())
    };
    assert_eq!((by_channel("mobile"), by_channel("web"), by_channel("phone")), (30, 30, 30));
    assert_eq!(stats["kept"][0]["n"], 90, "each has its promise: {}", stats["kept"]);
    let shown = run(&place.data(), &["show", "T00003", "--format", "json"]).json();
    assert_eq!(shown["request"]["process"], "voirie/chaussee-abimee");
    assert_eq!(shown["request"]["area"], "BERCY");
    assert!(!shown["request"]["acknowledged"].is_null(), "on the screen, on the spot");
    let explained = run(&place.data(), &["explain", "T00003"]);
    assert!(
        explained.out.contains("jours ouvrés") || explained.out.contains("jour ouvré"),
        "{}",
        explained.out
    );
}

#[test]
fn rows_that_cannot_be_mapped_are_kept_aside_with_line_and_reason() {
    let place = Place::new();
    let mut text = reports(3);
    text.push_str("X1,2024-02-30,Propreté,Feuilles mortes,a,75012,,Android,D,48.8,2.3\n");
    text.push_str("X2,2024-02-03,Extraterrestres,Soucoupe,a,75012,,Android,D,48.8,2.3\n");
    text.push_str("X3,2024-02-03,Propreté,Feuilles mortes,a,75012,,Pigeon voyageur,D,48.8,2.3\n");
    text.push_str("X4,2024-02-03,Propreté,Feuilles mortes,a,75012,,Android,D,ici,2.3\n");
    text.push_str(",2024-02-03,Propreté,Feuilles mortes,a,75012,,Android,D,48.8,2.3\n");
    text.push_str("X6,2024-02-03,Propreté\n");
    text.push_str("X7,2024-02-03,Propreté,\"=HYPERLINK(\"\"x\"\")\",a,75012,,Android,D,948.8,2.3\n");
    let table = place.table(&text);
    let run = run(&place.data(), &["import", &table, "--map", MAP, "--format", "json"]);
    assert_eq!(run.code, 1, "rows kept aside are something wrong");
    let summary = run.json();
    assert_eq!(
        (summary["rows"].as_u64(), summary["imported"].as_u64(), summary["aside"].as_u64()),
        (Some(10), Some(3), Some(7))
    );
    let kept = std::fs::read_to_string(summary["aside_file"].as_str().unwrap()).unwrap();
    let lines: Vec<&str> = kept.lines().collect();
    assert_eq!(lines.len(), 8);
    assert!(lines[0].starts_with("line,reason,id_dmr"));
    for (line, number) in lines[1..].iter().zip(5..) {
        assert!(line.starts_with(&format!("{number},")), "{line}");
    }
    assert!(lines[2].contains("X2,2024-02-03,Extraterrestres"), "{}", lines[2]);
    assert_eq!(total(&place.data()), 3);
}

#[test]
fn a_map_that_does_not_fit_says_where_and_imports_nothing() {
    let place = Place::new();
    let table = place.table("id,date\n1,2024-01-01\n");
    let run = run(&place.data(), &["import", &table, "--map", MAP, "--lang", "en"]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("the table has no column `id_dmr`"), "{}", run.err);
    assert_eq!(run.err.matches("the table has no column `type`").count(), 1, "told once, not at each rule");
    assert!(run.err.contains("dansmarue.yaml:"), "{}", run.err);
}

#[cfg(unix)]
#[test]
fn killed_in_the_middle_and_run_again_makes_nothing_twice() {
    let place = Place::new();
    let table = place.table(&reports(3_000));
    let mut child =
        guichet(&place.data(), &["import", &table, "--map", MAP, "--format", "json"]).spawn().unwrap();
    let journal = place.data().join("journal.db-wal");
    let grown = || std::fs::metadata(&journal).is_ok_and(|file| file.len() > 6_000_000);
    let begun = std::time::Instant::now();
    while !grown() && child.try_wait().unwrap().is_none() && begun.elapsed().as_secs() < 120 {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    // SIGKILL: nothing is tidied up.
    child.kill().unwrap();
    child.wait().unwrap();
    let again = place.import(&table);
    let (imported, repeated) = (again["imported"].as_u64().unwrap(), again["repeated"].as_u64().unwrap());
    assert_eq!(imported + repeated, 3_000);
    assert!(repeated > 0, "the first run had got somewhere: {again}");
    assert_eq!(total(&place.data()), 3_000);
    assert_eq!(run(&place.data(), &["verify"]).code, 0);
}
