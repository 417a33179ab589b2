//! The shipped files, each spoilt in one place: what a schema refuses, the reader refuses.

use std::collections::BTreeMap;

use guichet::import::read_map;
use guichet_rules::language::grammar::document;
use guichet_rules::language::source::Sources;
use guichet_rules::language::{Catalogue, SourceFile};
use guichet_tests::workspace;
use serde_json::{Value, json};

use super::{Schemas, files_below, foreign};

/// A small generator of its own, so that the same mutations are tried on every machine.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

fn pointers(value: &Value, at: &str, all: &mut Vec<String>) {
    all.push(at.to_owned());
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                pointers(inner, &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), all);
            }
        }
        Value::Array(items) => {
            for (i, inner) in items.iter().enumerate() {
                pointers(inner, &format!("{at}/{i}"), all);
            }
        }
        _ => {}
    }
}

/// Spoils one place, and says how.
fn spoil(value: &mut Value, chance: &mut Chance) -> String {
    let mut all = Vec::new();
    pointers(value, "", &mut all);
    let at = all.swap_remove(chance.below(all.len()));
    let here = value.pointer_mut(&at).unwrap();
    let others = [
        json!(null),
        json!(true),
        json!(7),
        json!(-2.5),
        json!(""),
        json!("zzz"),
        json!("2 working days"),
        json!([]),
        json!({}),
        json!(["zzz"]),
        json!({ "zzz": 1 }),
        json!("role:elu"),
        json!("true"),
        json!("2026-5-7"),
        json!("12"),
    ];
    let how = chance.below(others.len() + 4);
    match (others.get(how), &mut *here) {
        (None, Value::Object(map)) if !map.is_empty() => {
            let key = map.keys().nth(chance.below(map.len())).unwrap().clone();
            let inner = map.remove(&key).unwrap();
            if how.is_multiple_of(2) {
                map.insert(format!("{key}x"), inner);
            }
            return format!("{at}: without or other than {key}");
        }
        (None, Value::Array(items)) if !items.is_empty() => {
            let twice = items[0].clone();
            items.push(json!([twice]));
        }
        (None, Value::String(text)) => text.push('x'),
        (None, other) => *other = json!("?"),
        (Some(with), other) => *other = with.clone(),
    }
    format!("{at}: {here}")
}

/// What a file needs around it: the frame of the catalogue, the shared parts, the process of a scenario.
fn around(path: &str, files: &BTreeMap<String, Value>) -> BTreeMap<String, Value> {
    let stem = path.trim_end_matches(".yaml").trim_end_matches(".test");
    let subject = match document(path).unwrap().name {
        "process" | "scenarios" => stem,
        _ => "voirie/chaussee-abimee",
    };
    let shared = ["calendars/", "models/", "circuits/", "messages/"];
    let needed = |p: &str| {
        !p.contains('/')
            || shared.iter().any(|s| p.starts_with(s))
            || p.strip_suffix(".yaml") == Some(subject)
    };
    let mut few: BTreeMap<String, Value> = files.clone();
    few.retain(|p, _| needed(p) || p == path);
    if let Some(process) = few.get_mut(&format!("{subject}.yaml")) {
        process.as_object_mut().unwrap().remove("see_also");
    }
    // The sheet that carries proposals is left aside as well.
    if let Some(frame) = few.get_mut("catalogue.yaml") {
        frame.as_object_mut().unwrap().remove("publication");
    }
    few
}

fn takes(path: &str, files: &BTreeMap<String, Value>) -> bool {
    let text = |(path, value): (&String, &Value)| SourceFile { path: path.clone(), text: value.to_string() };
    if path.starts_with("imports/") {
        let mut sources = Sources::default();
        let file = sources.add(text((&path.to_owned(), &files[path])));
        return read_map(file, &sources).is_ok();
    }
    Catalogue::load(files.iter().map(text).collect()).catalogue.is_some()
}

#[test]
fn no_schema_is_stricter_than_the_reader() {
    let schemas = Schemas::new();
    let texts = files_below(&workspace().join("processes/chalons"));
    let files: BTreeMap<String, Value> = texts.iter().map(|(p, text)| (p.clone(), foreign(text))).collect();
    let mut chance = Chance(20_260_507);
    let (mut tried, mut refused) = (0, 0);
    // Every kind of file gets its share, whatever their numbers.
    let kinds = [
        "catalogue",
        "organisation",
        "calendar",
        "model",
        "circuit",
        "message",
        "process",
        "scenarios",
        "import map",
    ];
    while tried < 360 {
        let kind = kinds[tried % kinds.len()];
        let of_kind: Vec<&String> = files.keys().filter(|p| document(p).unwrap().name == kind).collect();
        let path = of_kind[chance.below(of_kind.len())].clone();
        let mut few = around(&path, &files);
        let spoilt = spoil(few.get_mut(&path).unwrap(), &mut chance);
        tried += 1;
        let faults = schemas.faults(document(&path).unwrap(), &few[&path]);
        if !faults.is_empty() {
            refused += 1;
            assert!(!takes(&path, &few), "{path}{spoilt}: only the schema refuses this: {faults:#?}");
        }
    }
    assert!(refused > 120, "{refused}");
}

#[test]
fn unspoilt_they_are_taken() {
    let texts = files_below(&workspace().join("processes/chalons"));
    let files: BTreeMap<String, Value> = texts.iter().map(|(p, text)| (p.clone(), foreign(text))).collect();
    for path in
        ["voirie/chaussee-abimee.yaml", "eau/fuite.test.yaml", "models/commun.yaml", "imports/dansmarue.yaml"]
    {
        assert!(takes(path, &around(path, &files)), "{path}");
    }
}
