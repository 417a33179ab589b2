//! The grammar is the language: what it says is what schemas and readers take, and the manual tells.

mod mutations;
mod town;
mod words;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use guichet_rules::language::grammar::{DOCUMENTS, Group, Key, Shape, document};
use guichet_rules::language::schema::schema;
use guichet_tests::workspace;
use jsonschema::Validator;
use serde_json::Value;

use town::{Town, Trial};

/// The validators of all kinds of file, by the group's place in memory.
struct Schemas(BTreeMap<usize, Validator>);

fn place(group: &'static Group) -> usize {
    std::ptr::from_ref(group).addr()
}

impl Schemas {
    fn new() -> Self {
        let validator = |group| jsonschema::validator_for(&schema(group)).unwrap();
        Self(DOCUMENTS.iter().map(|(_, group)| (place(group), validator(group))).collect())
    }

    fn takes(&self, group: &'static Group, value: &Value) -> bool {
        self.0[&place(group)].is_valid(value)
    }

    fn faults(&self, group: &'static Group, value: &Value) -> Vec<String> {
        let fault = |e: jsonschema::ValidationError<'_>| format!("{}: {e}", e.instance_path());
        self.0[&place(group)].iter_errors(value).map(fault).collect()
    }
}

/// A YAML file as somebody else's reader understands it.
fn foreign(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap()
}

/// The YAML files below a folder, by path.
fn files_below(root: &Path) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "yaml") {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                files.insert(name, fs::read_to_string(path).unwrap());
            }
        }
    }
    files
}

#[test]
fn every_file_of_chalons_is_what_its_schema_says() {
    let schemas = Schemas::new();
    let files = files_below(&workspace().join("processes/chalons"));
    assert!(files.len() > 140);
    for (path, text) in files {
        let group = document(&path).unwrap();
        let faults = schemas.faults(group, &foreign(&text));
        assert!(faults.is_empty(), "{path}: {faults:#?}");
    }
}

#[test]
fn every_file_of_chalons_names_a_schema_that_is_there() {
    let root = workspace().join("processes/chalons");
    for (path, text) in files_below(&root) {
        let line = text.lines().next().unwrap();
        let named = line.strip_prefix("# yaml-language-server: $schema=");
        let named = named.unwrap_or_else(|| panic!("{path} names no schema"));
        let file = root.join(&path).parent().unwrap().join(named).canonicalize().unwrap();
        let (name, _) = DOCUMENTS.iter().find(|(_, g)| std::ptr::eq(*g, document(&path).unwrap())).unwrap();
        let expected = workspace().join("schemas").join(format!("{name}.schema.json"));
        assert_eq!(file, expected.canonicalize().unwrap(), "{path}");
    }
}

#[test]
fn the_town_of_the_examples_stands() {
    let town = Town::new();
    let schemas = Schemas::new();
    assert_eq!(town.refusals(), Vec::<String>::new());
    for (path, value) in &town.files {
        let faults = schemas.faults(document(path).unwrap(), value);
        assert!(faults.is_empty(), "{path}: {faults:#?}");
    }
}

#[test]
fn every_example_is_taken_by_schema_and_reader() {
    let (town, schemas) = (Town::new(), Schemas::new());
    let mut taken: BTreeMap<(&str, &str), bool> = BTreeMap::new();
    for trial in town.trials() {
        let group = document(&trial.file).unwrap();
        let schema = schemas.takes(group, &trial.document);
        if schema && taken.get(&(trial.group.name, trial.key.key)) == Some(&true) {
            continue;
        }
        let reader = town.takes(&trial.file, &trial.document);
        assert!(schema || !reader, "{} at {}: refused by the schema alone", trial.key.example, trial.place());
        // An option of a choice means nothing to a number: some place takes every example.
        *taken.entry((trial.group.name, trial.key.key)).or_default() |= schema && reader;
    }
    let refused: Vec<_> = taken.iter().filter(|(_, taken)| !**taken).map(|(at, _)| at).collect();
    assert!(refused.is_empty(), "{refused:?}");
    assert!(taken.len() > 200, "{}", taken.len());
}

/// Whether any text at all may stand there, as far as shape goes.
fn takes_any_text(shape: &Shape) -> bool {
    match shape {
        Shape::Text | Shape::Words | Shape::Name(_) | Shape::Own(_) | Shape::Expression | Shape::Any => true,
        Shape::Many(inner) => takes_any_text(inner),
        Shape::Either(shapes) => shapes.iter().any(takes_any_text),
        _ => false,
    }
}

fn takes_anything(shape: &Shape) -> bool {
    match shape {
        Shape::Any => true,
        Shape::Named(_, inner) => takes_anything(inner),
        Shape::Either(shapes) => shapes.iter().any(takes_anything),
        _ => false,
    }
}

#[test]
fn unknown_keys_wrong_kinds_and_wrong_words_are_refused_by_schema_and_reader_in_every_group() {
    let (town, schemas) = (Town::new(), Schemas::new());
    let mut groups: BTreeMap<&str, usize> = BTreeMap::new();
    let refused = |trial: &Trial, value: &Value, what: &str| {
        let group = document(&trial.file).unwrap();
        assert!(!schemas.takes(group, value), "the schema takes {what} at {}", trial.place());
        assert!(!town.takes(&trial.file, value), "the reader takes {what} at {}", trial.place());
    };
    let mut seen = std::collections::BTreeSet::new();
    for trial in town.trials() {
        if !seen.insert((document(&trial.file).unwrap().name, trial.group.name, trial.key.key)) {
            continue;
        }
        let count = groups.entry(trial.group.name).or_default();
        *count += 1;
        if *count == 1 {
            refused(&trial, &trial.beside("zzz", &Value::from("x")), "an unknown key");
        }
        let Key { shape, .. } = trial.key;
        if !takes_anything(shape) {
            refused(&trial, &trial.instead(&serde_json::json!([["x"]])), "a list of lists");
            refused(&trial, &trial.instead(&Value::Null), "nothing");
        }
        if !takes_any_text(shape) {
            refused(&trial, &trial.instead(&Value::from("zzz zzz")), "a word that is none");
        }
    }
    assert!(groups.len() > 40, "{groups:?}");
}

#[test]
fn the_manual_names_every_key() {
    let manual = fs::read_to_string(workspace().join("processes/manual.md")).unwrap();
    let mut missing = Vec::new();
    for trial in Town::new().trials() {
        let key = trial.key.key;
        let letter = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let named = manual
            .match_indices(key)
            .any(|(at, _)| !manual[..at].ends_with(letter) && !manual[at + key.len()..].starts_with(letter));
        if !named {
            missing.push((trial.group.name, key));
        }
    }
    missing.sort_unstable();
    missing.dedup();
    assert!(missing.is_empty(), "{missing:?}");
}
