//! A town made of nothing but the grammar's examples, and every place in it where an example can be tried.

use std::collections::BTreeMap;

use guichet::import::read_map;
use guichet_rules::language::grammar::{
    CALENDAR, CATALOGUE, CIRCUIT, Group, IMPORT_MAP, Key, MESSAGE, MODEL, ORGANISATION, PROCESS,
    SCENARIO_FILE, SIDE_WAYS, Shape, document,
};
use guichet_rules::language::source::Sources;
use guichet_rules::language::{Catalogue, Severity, SourceFile};
use serde_json::{Value, json};

use super::foreign;

pub(super) struct Town {
    pub(super) files: BTreeMap<String, Value>,
}

/// An example in its place.
pub(super) struct Trial {
    pub(super) file: String,
    /// The whole file, with the example in place.
    pub(super) document: Value,
    /// Where the mapping is, as a JSON pointer.
    pub(super) pointer: String,
    pub(super) group: &'static Group,
    pub(super) key: &'static Key,
}

impl Trial {
    pub(super) fn place(&self) -> String {
        format!("{}{}/{}", self.file, self.pointer, self.key.key)
    }

    /// The file with one more key beside this one.
    pub(super) fn beside(&self, key: &str, value: &Value) -> Value {
        let mut document = self.document.clone();
        document.pointer_mut(&self.pointer).unwrap()[key] = value.clone();
        document
    }

    /// The file with something else under this key.
    pub(super) fn instead(&self, value: &Value) -> Value {
        self.beside(self.key.key, value)
    }
}

fn example(key: &Key) -> Value {
    foreign(key.example)
}

/// A file of nothing but examples.
fn of_examples(group: &'static Group) -> Value {
    group.keys.iter().map(|key| (key.key.to_owned(), example(key))).collect::<serde_json::Map<_, _>>().into()
}

fn without(mut value: Value, keys: &[&str]) -> Value {
    value.as_object_mut().unwrap().retain(|key, _| !keys.contains(&key.as_str()));
    value
}

impl Town {
    pub(super) fn new() -> Self {
        let mut files = BTreeMap::from([
            ("catalogue.yaml".to_owned(), of_examples(&CATALOGUE)),
            ("organisation.yaml".to_owned(), of_examples(&ORGANISATION)),
            ("calendars/mairie.yaml".to_owned(), of_examples(&CALENDAR)),
            ("models/demande.yaml".to_owned(), of_examples(&MODEL)),
            ("circuits/reponse-formalisee.yaml".to_owned(), of_examples(&CIRCUIT)),
            ("voirie/chaussee-abimee.yaml".to_owned(), of_examples(&PROCESS)),
            ("voirie/chaussee-abimee.test.yaml".to_owned(), of_examples(&SCENARIO_FILE)),
            ("imports/dansmarue.yaml".to_owned(), of_examples(&IMPORT_MAP)),
        ]);
        let side_ways = SIDE_WAYS.keys.iter().map(|key| key.example);
        for message in side_ways.chain(["messages/accuse-reception", "messages/reponse-signalement"]) {
            let mut text = of_examples(&MESSAGE);
            text["message"] = message.rsplit('/').next().into();
            files.insert(format!("{message}.yaml"), text);
        }
        let mut base = without(of_examples(&MODEL), &["extends", "remove"]);
        base["model"] = "signalement".into();
        files.insert("models/signalement.yaml".to_owned(), base);
        let other = json!({
            "process": "voirie/trottoir-abime", "extends": "models/demande",
            "title": { "fr": "Trottoir abîmé", "en": "Damaged pavement" },
            "keywords": ["trottoir"], "see_also": ["voirie/chaussee-abimee"],
        });
        files.insert("voirie/trottoir-abime.yaml".to_owned(), other);
        // The field that the example of `cost` names: an amount, which the example of a field is not.
        let budget =
            json!({ "field": "budget", "type": "money", "label": { "fr": "Montant", "en": "Amount" } });
        if let Some(form) =
            files.get_mut("voirie/chaussee-abimee.yaml").and_then(|sheet| sheet["form"].as_array_mut())
        {
            form.push(budget);
        }
        // The sheet that the example of `publication` names.
        let sheets = json!({
            "process": "institutions/fiche-de-procedure", "extends": "models/demande", "theme": "voirie",
            "title": { "fr": "Fiche de procédure", "en": "Process sheet" }, "keywords": ["fiche"],
        });
        files.insert("institutions/fiche-de-procedure.yaml".to_owned(), sheets);
        Self { files }
    }

    /// What the readers say against it.
    pub(super) fn refusals(&self) -> Vec<String> {
        let files =
            |(path, value): (&String, &Value)| SourceFile { path: path.clone(), text: value.to_string() };
        let loaded = Catalogue::load(self.files.iter().map(files).collect());
        let errors = loaded.diagnostics.iter().filter(|d| d.severity == Severity::Error);
        let mut said: Vec<String> =
            errors.map(|d| format!("{} {}: {}", d.code, d.place.file, d.message.en)).collect();
        for (path, value) in self.files.iter().filter(|(path, _)| path.starts_with("imports/")) {
            let mut sources = Sources::default();
            let file = sources.add(SourceFile { path: path.clone(), text: value.to_string() });
            said.extend(read_map(file, &sources).err().into_iter().flatten().map(|d| d.message.en));
        }
        said
    }

    /// Whether the readers take the town with another file in place.
    pub(super) fn takes(&self, path: &str, value: &Value) -> bool {
        let mut files = self.files.clone();
        files.insert(path.to_owned(), value.clone());
        Self { files }.refusals().is_empty()
    }

    /// Every key of every group, with its example, wherever the examples lead to such a mapping.
    pub(super) fn trials(&self) -> Vec<Trial> {
        let kinds = [
            "catalogue.yaml",
            "organisation.yaml",
            "calendars/mairie.yaml",
            "models/demande.yaml",
            "circuits/reponse-formalisee.yaml",
            "messages/accuse-reception.yaml",
            "voirie/chaussee-abimee.yaml",
            "voirie/chaussee-abimee.test.yaml",
            "imports/dansmarue.yaml",
        ];
        let mut trials = Vec::new();
        for file in kinds {
            let shape = Shape::Group(document(file).unwrap());
            walk(file, &self.files[file], "", &shape, &mut trials);
        }
        trials
    }
}

/// Goes where the examples lead, and tries every key of every mapping on the way.
fn walk(file: &str, whole: &Value, pointer: &str, shape: &Shape, trials: &mut Vec<Trial>) {
    let here = whole.pointer(pointer).unwrap();
    let items = |trials: &mut Vec<Trial>, inner: &Shape| {
        for i in 0..here.as_array().map_or(0, Vec::len) {
            walk(file, whole, &format!("{pointer}/{i}"), inner, trials);
        }
    };
    match shape {
        Shape::Group(group) if here.is_object() => keys(file, whole, pointer, group, trials),
        Shape::Keyed(group) => items(trials, &Shape::Group(group)),
        Shape::List(inner) => items(trials, inner),
        Shape::Many(inner) if here.is_array() => items(trials, inner),
        Shape::Many(inner) => walk(file, whole, pointer, inner, trials),
        Shape::Named(_, inner) => {
            for name in here.as_object().into_iter().flat_map(serde_json::Map::keys) {
                walk(file, whole, &format!("{pointer}/{name}"), inner, trials);
            }
        }
        Shape::Either(shapes) => {
            for shape in *shapes {
                walk(file, whole, pointer, shape, trials);
            }
        }
        _ => {}
    }
}

fn keys(file: &str, whole: &Value, pointer: &str, group: &'static Group, trials: &mut Vec<Trial>) {
    // A key that stands beside one verb only cannot be tried beside another.
    let beside = [("report", "complete"), ("reason", "return")];
    for key in group.keys {
        let mut document = whole.clone();
        let here = document.pointer_mut(pointer).unwrap().as_object_mut().unwrap();
        if let Some(way) = group.ways.iter().find(|way| way.contains(&key.key)) {
            let elsewhere = |k: &str| group.ways.iter().any(|w| w.contains(&k)) && !way.contains(&k);
            here.retain(|k, _| !elsewhere(k) && (k != "address" || way.contains(&"lat")));
            for other in way.iter().filter_map(|name| group.key(name)) {
                here.insert(other.key.to_owned(), example(other));
            }
        }
        if group.name == "import value" && key.key == "address" && !here.contains_key("lat") {
            continue;
        }
        if group.name == "scenario step"
            && beside.iter().any(|(k, verb)| *k == key.key && !here.contains_key(*verb))
        {
            continue;
        }
        here.insert(key.key.to_owned(), example(key));
        trials.push(Trial {
            file: file.to_owned(),
            document: document.clone(),
            pointer: pointer.to_owned(),
            group,
            key,
        });
        walk(file, &document, &format!("{pointer}/{}", key.key), &key.shape, trials);
    }
}
