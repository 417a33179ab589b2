//! The fences that keep the house as it is drawn in README.md. Each is also shown to fail when it is broken.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use guichet_tests::workspace;

/// The crates and their arrows, as drawn.
const HOUSE: [(&str, &str, &[&str]); 5] = [
    ("engine/rules", "guichet-rules", &[]),
    ("engine/journal", "guichet-journal", &[]),
    ("engine", "guichet-engine", &["guichet-rules", "guichet-journal"]),
    ("projections", "guichet-projections", &["guichet-rules", "guichet-journal"]),
    ("api", "guichet", &["guichet-engine", "guichet-projections"]),
];

/// What the top of the tree may hold, beside dotfiles.
const TOP: [&str; 13] = [
    "Cargo.toml",
    "Cargo.lock",
    "CHANGELOG.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "api",
    "bench",
    "engine",
    "processes",
    "projections",
    "schemas",
    "tests",
];

/// Words that would let time, chance, input or output into the rules.
const FORBIDDEN_IN_RULES: [&str; 12] = [
    "tokio::",
    "sqlx::",
    "std::fs",
    "std::net",
    "std::process",
    "std::env",
    "SystemTime::now",
    "Instant::now",
    "Utc::now",
    "Local::now",
    "getrandom",
    "println!",
];

fn arrows(manifest: &str) -> BTreeSet<String> {
    let mut inside = false;
    let mut found = BTreeSet::new();
    for line in manifest.lines().map(str::trim) {
        if line.starts_with('[') {
            inside = line == "[dependencies]"
                || line.starts_with("[dependencies.")
                || line.contains(".dependencies]");
        }
        let name = line.split(['.', '=', ' ']).next().unwrap_or_default();
        if inside && (name == "guichet" || name.starts_with("guichet-")) {
            found.insert(name.to_owned());
        }
    }
    found
}

fn misdrawn(manifests: &BTreeMap<&str, String>) -> Vec<String> {
    let mut faults = Vec::new();
    for (folder, name, expected) in HOUSE {
        let actual = arrows(&manifests[folder]);
        let expected: BTreeSet<String> = expected.iter().map(|&arrow| arrow.to_owned()).collect();
        if actual != expected {
            faults.push(format!("{name}: drawn {expected:?}, built {actual:?}"));
        }
    }
    faults
}

fn manifests() -> BTreeMap<&'static str, String> {
    let read = |folder: &str| fs::read_to_string(workspace().join(folder).join("Cargo.toml")).unwrap();
    HOUSE.iter().map(|&(folder, _, _)| (folder, read(folder))).collect()
}

fn files_below(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn production_files() -> Vec<PathBuf> {
    HOUSE
        .iter()
        .map(|(folder, _, _)| workspace().join(folder).join("src"))
        .flat_map(|src| files_below(&src, ".rs"))
        .collect()
}

/// Tests may measure time and print; what runs for a citizen may not.
fn impurities(source: &str) -> Vec<&'static str> {
    let production = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    FORBIDDEN_IN_RULES.into_iter().filter(|word| production.contains(word)).collect()
}

#[test]
fn the_arrows_between_crates_are_those_of_the_picture() {
    assert_eq!(misdrawn(&manifests()), Vec::<String>::new());
}

#[test]
fn a_seventh_arrow_is_noticed() {
    let mut broken = manifests();
    broken.get_mut("engine/rules").unwrap().push_str("\n[dependencies]\nguichet-journal.workspace = true\n");
    assert_eq!(misdrawn(&broken).len(), 1);
    let mut missing = manifests();
    let cut = missing["api"].replace("guichet-engine.workspace = true", "");
    missing.insert("api", cut);
    assert_eq!(misdrawn(&missing).len(), 1);
}

#[test]
fn the_rules_neither_read_clocks_nor_draw_numbers_nor_do_input_or_output() {
    let folder = workspace().join("engine/rules/src");
    let files = files_below(&folder, ".rs");
    let inside = |path: &PathBuf| path.strip_prefix(&folder).unwrap().to_owned();
    let is_test = |path: &PathBuf| path.ends_with("tests.rs") || inside(path).starts_with("request/tests");
    for path in files.into_iter().filter(|path| !is_test(path)) {
        assert_eq!(impurities(&fs::read_to_string(&path).unwrap()), Vec::<&str>::new(), "{}", path.display());
    }
    assert_eq!(impurities("let now = chrono::Utc::now();"), ["Utc::now"]);
}

#[test]
fn no_file_is_too_long_to_be_read_in_one_sitting() {
    let long: Vec<String> = production_files()
        .into_iter()
        .map(|path| (fs::read_to_string(&path).unwrap().lines().count(), path))
        .filter(|(lines, _)| *lines > 600)
        .map(|(lines, path)| format!("{} has {lines} lines", path.display()))
        .collect();
    assert_eq!(long, Vec::<String>::new());
}

#[test]
fn no_file_carries_the_marks_of_a_merge_that_was_left_half_done() {
    let marks = ["<<<<<<< ", ">>>>>>> "];
    for (folder, ending) in [
        ("processes", ".md"),
        ("processes", ".yaml"),
        ("api", ".md"),
        ("engine", ".md"),
        ("projections", ".md"),
        ("tests", ".md"),
    ] {
        for path in files_below(&workspace().join(folder), ending) {
            if path.components().any(|part| part.as_os_str() == "node_modules") {
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let marked = text.lines().any(|line| marks.iter().any(|mark| line.starts_with(mark)));
            assert!(!marked, "{}", path.display());
        }
    }
}

#[test]
fn the_top_of_the_tree_holds_what_it_may_hold() {
    // The folders of runs are the reader's own, so only what git would carry along counts.
    let ignored = ["target", "guichet-data"];
    let strangers: Vec<String> = fs::read_dir(workspace())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| {
            !name.starts_with('.') && !ignored.contains(&name.as_str()) && !TOP.contains(&name.as_str())
        })
        .collect();
    assert_eq!(strangers, Vec::<String>::new());
}
