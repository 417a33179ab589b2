//! What two versions have between them, said.

use serde_json::{Value, json};

use super::*;
use crate::language::{Catalogue, SourceFile};

fn chalons() -> Catalogue {
    fn walk(folder: &std::path::Path, root: &std::path::Path, found: &mut Vec<SourceFile>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, root, found);
            } else if path.extension().is_some_and(|extension| extension == "yaml") {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
                found.push(SourceFile { path: name, text: std::fs::read_to_string(&path).unwrap() });
            }
        }
    }
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../processes/chalons");
    let mut files = Vec::new();
    walk(&root, &root, &mut files);
    Catalogue::load(files).catalogue.unwrap()
}

fn between(old: &Definition, new: &Definition) -> Vec<Change> {
    let none = Sources::new();
    changes(Version { definition: old, sources: &none }, Version { definition: new, sources: &none })
}

/// The pointers of all leaves, lists and maps of a value.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                pointers(value, &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), found);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                pointers(value, &format!("{at}/{index}"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Values that might stand in the place of one.
fn others(value: &Value) -> Vec<Value> {
    let words = ["37 days", "delivered", "all", "20:00-21:00"];
    match value {
        Value::Bool(yes) => vec![json!(!yes)],
        Value::Number(number) => vec![json!(number.as_u64().unwrap_or(1) + 1)],
        Value::String(text) => {
            let mut all = vec![json!(format!("{text}x"))];
            all.extend(words.iter().map(|word| json!(word)));
            all
        }
        Value::Array(items) => {
            let mut fewer = items.clone();
            fewer.pop();
            let mut turned = items.clone();
            turned.reverse();
            vec![json!(fewer), json!(turned)]
        }
        Value::Object(map) => map
            .keys()
            .map(|key| {
                let mut less = map.clone();
                less.remove(key);
                Value::Object(less)
            })
            .collect(),
        Value::Null => Vec::new(),
    }
}

#[test]
fn nothing_that_makes_another_version_goes_unsaid() {
    let catalogue = chalons();
    let mut tried = 0;
    let paid = "demarches-administratives/payer-facture";
    for name in ["voirie/chaussee-abimee", "education/inscription-scolaire", paid] {
        let found = catalogue.definitions.iter().find(|definition| definition.process == name);
        let definition = found.unwrap_or_else(|| panic!("{name}"));
        let json = serde_json::to_value(definition).unwrap();
        let mut places = Vec::new();
        pointers(&json, "", &mut places);
        for place in places {
            for other in others(json.pointer(&place).unwrap()) {
                let mut changed = json.clone();
                *changed.pointer_mut(&place).unwrap() = other;
                let Ok(new) = serde_json::from_value::<Definition>(changed) else { continue };
                if new == *definition {
                    continue;
                }
                tried += 1;
                let found = between(definition, &new);
                assert!(!found.is_empty(), "{}{place} changed and nothing is said", definition.process);
                for change in found {
                    assert!(!change.concerns.is_empty() && !change.subject.fr.is_empty(), "{change:?}");
                    assert!(!change.subject.en.is_empty(), "{change:?}");
                }
            }
        }
    }
    assert!(tried > 500, "{tried}");
}

#[test]
fn the_same_catalogue_has_nothing_between_it() {
    let (one, other) = (chalons(), chalons());
    let versions = |catalogue: &Catalogue| -> Vec<(Definition, Sources)> {
        let all = catalogue.definitions.iter();
        all.map(|d| (d.clone(), catalogue.places.get(&d.process).cloned().unwrap_or_default())).collect()
    };
    let (one, other) = (versions(&one), versions(&other));
    let one: Vec<Version<'_>> =
        one.iter().map(|(definition, sources)| Version { definition, sources }).collect();
    let other: Vec<Version<'_>> =
        other.iter().map(|(definition, sources)| Version { definition, sources }).collect();
    assert_eq!(compare(&one, &other), []);
    assert!(compare(&one, &other[1..]).iter().any(|process| process.nature == Nature::Removed));
    assert!(compare(&one[1..], &other).iter().any(|process| process.nature == Nature::Added));
}

#[test]
fn a_promise_says_whether_it_is_longer_or_shorter_and_for_whom() {
    let catalogue = chalons();
    let old = catalogue.definitions.iter().find(|d| d.process == "voirie/chaussee-abimee").unwrap();
    let mut new = old.clone();
    let answer = new.commitments.iter_mut().find(|sheet| sheet.commitment == "answer").unwrap();
    answer.within.last_mut().unwrap().is = "5 working days".parse().unwrap();
    let places = catalogue.places.get(&old.process).unwrap();
    let found =
        changes(Version { definition: old, sources: places }, Version { definition: &new, sources: places });
    let [change] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(change.nature, Nature::Longer);
    assert_eq!(change.concerns, [Audience::Citizens, Audience::Service]);
    assert!(change.new_at.as_ref().unwrap().file.ends_with(".yaml"));
}

#[test]
fn what_is_only_called_otherwise_is_recognised() {
    let catalogue = chalons();
    let old = catalogue.definitions.iter().find(|d| d.process == "voirie/chaussee-abimee").unwrap();
    let mut new = old.clone();
    let was = std::mem::replace(&mut new.treatment[0].task, "constat".into());
    assert_eq!(likely_renames(old, &new), [format!("task:{was}=constat")]);
}
