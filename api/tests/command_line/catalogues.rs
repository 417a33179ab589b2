//! Checking, testing and publishing catalogues.

use std::path::Path;

use crate::support::{repository, run};

/// A copy of the Châlons catalogue that can be broken.
pub(crate) fn copy(into: &Path) {
    fn walk(from: &Path, to: &Path) {
        std::fs::create_dir_all(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            let to = to.join(entry.file_name());
            if entry.path().is_dir() {
                walk(&entry.path(), &to);
            } else {
                std::fs::copy(entry.path(), to).unwrap();
            }
        }
    }
    walk(&repository().join("processes/chalons"), into);
}

fn broken(file: &str, from: &str, to: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy(folder.path());
    let path = folder.path().join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{file} has no `{from}`");
    std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
    folder
}

#[test]
fn the_catalogue_of_chalons_is_sound() {
    let folder = tempfile::tempdir().unwrap();
    let checked = run(folder.path(), &["check", "processes/chalons", "--format", "json"]);
    assert_eq!(checked.code, 0, "{}", checked.out);
    assert_eq!(checked.json()["errors"], 0);
    let tested = run(folder.path(), &["test", "processes/chalons/voirie", "--format", "json"]);
    assert_eq!(tested.code, 0, "{}", tested.out);
    assert!(tested.json()["passed"].as_u64().unwrap() > 3);
}

#[test]
fn a_misspelt_key_is_shown_with_its_line_and_what_was_meant() {
    let folder = broken("eclairage/panne.yaml", "keywords:", "keyword:");
    let path = folder.path().join("eclairage/panne.yaml");
    let checked = run(folder.path(), &["check", path.to_str().unwrap(), "--lang", "en"]);
    assert_eq!(checked.code, 1);
    assert!(checked.out.contains("eclairage/panne.yaml:"), "{}", checked.out);
    assert!(checked.out.contains("did you mean `keywords`?"), "{}", checked.out);
    let json = run(folder.path(), &["check", path.to_str().unwrap(), "--format", "json"]).json();
    let first = &json["diagnostics"][0];
    assert_eq!((first["severity"].as_str(), first["suggestion"].as_str()), (Some("error"), Some("keywords")));
    assert!(first["line"].as_u64().unwrap() > 1);
}

#[test]
fn a_misspelt_key_of_an_import_map_too() {
    let folder = broken("imports/dansmarue.yaml", "\nopened_by:", "\nopen_by:");
    let path = folder.path().join("imports/dansmarue.yaml");
    let checked = run(folder.path(), &["check", path.to_str().unwrap(), "--lang", "en"]);
    assert_eq!(checked.code, 1);
    let start = checked.out.find("error").unwrap();
    let shown: Vec<&str> = checked.out[start..].lines().take(1).collect();
    insta::assert_snapshot!(shown.join("\n"), @"error[import.unknown_key]: unknown key `open_by`");
    assert!(checked.out.contains("did you mean `opened_by`?"), "{}", checked.out);
}

#[test]
fn a_catalogue_with_errors_is_not_published_and_leaves_no_data() {
    let folder = broken("eclairage/panne.yaml", "keywords:", "keyword:");
    let data = tempfile::tempdir().unwrap();
    let town = data.path().join("town");
    let refused = run(&town, &["publish", folder.path().to_str().unwrap()]);
    assert_eq!(refused.code, 1);
    assert!(!town.exists());
    let done = run(&town, &["publish", "processes/chalons", "--format", "json"]);
    assert_eq!(done.code, 0, "{}", done.err);
    let changed = done.json()["changed"].as_u64().unwrap();
    assert!(changed > 50);
    let again = run(&town, &["publish", "processes/chalons", "--format", "json"]).json();
    assert_eq!((again["changed"].as_u64(), again["unchanged"].as_u64()), (Some(0), Some(changed)));
}
