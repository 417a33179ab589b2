//! JSON Schemas of the files of a catalogue, made from the [`grammar`](super::grammar), for editors and for other
//! people's validators.
//!
//! Draft 7, because every editor in use understands it, and nothing here needs a later one. Descriptions stand twice,
//! plain and as Markdown, in French and then in English. `markdownEnumDescriptions`, `patternErrorMessage` and
//! `errorMessage` are words of the editors' own, which validators pass over. A schema is never stricter than the reader: what it refuses, the
//! reader refuses, with better words. What spans several places (names, rules, promises) only the checker knows.

mod patterns;

use serde_json::{Map, Value, json};

use self::patterns::scalar;
use super::grammar::{Choice, DOCUMENTS, Group, Key, MODEL, PROCESS, Phrase, Shape};
use super::sheet::json_of;
use super::source::{SourceFile, Sources};
use super::yaml;

/// The schema of every kind of file, by the name of its file in `schemas/`: `process.schema.json`.
#[must_use]
pub fn schemas() -> Vec<(String, Value)> {
    DOCUMENTS.iter().map(|(name, group)| (format!("{name}.schema.json"), schema(group))).collect()
}

/// The schema of one kind of file.
#[must_use]
pub fn schema(group: &'static Group) -> Value {
    let inherits = std::ptr::eq(group, &PROCESS) || std::ptr::eq(group, &MODEL);
    let mut writer = Writer::default();
    let mut root = writer.group(group, inherits);
    if inherits {
        // Who a file is, it says itself.
        root.insert("required".to_owned(), group.own_name().map(|key| key.key).into_iter().collect());
    }
    if std::ptr::eq(group, &PROCESS) {
        // Only a sheet that extends nothing says everything itself.
        root.insert("if".to_owned(), json!({ "not": { "required": ["extends"] } }));
        root.insert("then".to_owned(), Value::Object(said(group)));
    }
    let mut whole = Map::new();
    whole.insert("$schema".to_owned(), "http://json-schema.org/draft-07/schema#".into());
    whole.extend(root);
    whole.insert("definitions".to_owned(), Value::Object(writer.definitions));
    Value::Object(whole)
}

/// Writes a schema and gathers the parts that it refers to.
#[derive(Default)]
struct Writer {
    definitions: Map<String, Value>,
}

impl Writer {
    /// A mapping. Where it `inherits`, a model may have said what is required.
    fn group(&mut self, group: &'static Group, inherits: bool) -> Map<String, Value> {
        let properties: Map<String, Value> =
            group.keys.iter().map(|key| (key.key.to_owned(), self.key(key, inherits))).collect();
        let required: Vec<&str> =
            group.keys.iter().filter(|key| key.required && !inherits).map(|key| key.key).collect();
        let mut schema = described(group.about, None);
        schema.insert("type".to_owned(), "object".into());
        schema.insert("properties".to_owned(), properties.into());
        if !required.is_empty() {
            schema.insert("required".to_owned(), required.into());
        }
        if !group.ways.is_empty() {
            let list: Vec<String> = group.ways.iter().map(|keys| keys.join(" + ")).collect();
            let list = list.join(", ");
            let said = format!("Il faut l’un de : {list}. · One of these is needed: {list}.");
            let ways = group.ways.iter().map(|keys| json!({ "required": keys, "errorMessage": said }));
            schema.insert("oneOf".to_owned(), ways.collect());
        }
        schema.insert("additionalProperties".to_owned(), false.into());
        schema
    }

    fn key(&mut self, key: &'static Key, inherits: bool) -> Value {
        let mut schema = described(key.about, key.default);
        schema.insert("examples".to_owned(), json!([example(key)]));
        schema.extend(self.shape(&key.shape, inherits));
        Value::Object(schema)
    }

    /// A reference to a mapping, which is written once. Beside a reference, draft 7 passes over other words; only
    /// descriptions stand there.
    fn reference(&mut self, group: &'static Group, inherits: bool) -> Map<String, Value> {
        let name = group.name.replace(' ', "_");
        if !self.definitions.contains_key(&name) {
            let schema = self.group(group, inherits);
            self.definitions.insert(name.clone(), schema.into());
        }
        object(json!({ "$ref": format!("#/definitions/{name}") }))
    }

    fn shape(&mut self, shape: &'static Shape, inherits: bool) -> Map<String, Value> {
        match shape {
            Shape::Group(group) => self.reference(group, inherits),
            Shape::Words => {
                let words = self.reference(&super::grammar::WORDS, false);
                object(json!({ "anyOf": [words, scalar(&Shape::Text)] }))
            }
            Shape::OneOf(choices) => words(choices),
            Shape::Named(_, inner) => {
                let inner = self.shape(inner, inherits);
                object(json!({ "type": "object", "additionalProperties": inner }))
            }
            // Lists replace the model's list, and so inherit nothing …
            Shape::List(inner) => {
                let inner = self.shape(inner, false);
                object(json!({ "type": "array", "items": inner }))
            }
            Shape::Many(inner) => {
                let inner = self.shape(inner, false);
                object(json!({ "anyOf": [{ "type": "array", "items": inner }, inner] }))
            }
            // … except these, which merge item by item.
            Shape::Keyed(group) => {
                let items = self.reference(group, inherits);
                let definition = self.definitions.get_mut(&group.name.replace(' ', "_"));
                if let Some(definition) = definition.and_then(Value::as_object_mut).filter(|_| inherits) {
                    let name = group.own_name().map(|key| key.key);
                    definition.insert("required".to_owned(), name.into_iter().collect());
                }
                object(json!({ "type": "array", "items": items }))
            }
            Shape::Either(shapes) => {
                // Beside a mapping with known keys, any other mapping is not one.
                let known = shapes.iter().any(|shape| matches!(shape, Shape::Group(_)));
                let any = shapes.iter().map(|shape| match shape {
                    Shape::Any if known => json!({ "not": { "type": "object" } }),
                    shape => self.shape(shape, inherits).into(),
                });
                let any: Vec<Value> = any.collect();
                object(json!({ "anyOf": any }))
            }
            other => scalar(other),
        }
    }
}

/// What must be said where nothing is inherited: `required` alone, from the outside in.
fn said(group: &'static Group) -> Map<String, Value> {
    let mut schema = Map::new();
    let required: Vec<&str> = group.keys.iter().filter(|key| key.required).map(|key| key.key).collect();
    if !required.is_empty() {
        schema.insert("required".to_owned(), required.into());
    }
    let inner: Map<String, Value> = group
        .keys
        .iter()
        .map(|key| (key.key.to_owned(), said_in(&key.shape)))
        .filter(|(_, inner)| !inner.is_empty())
        .map(|(key, inner)| (key, Value::Object(inner)))
        .collect();
    if !inner.is_empty() {
        schema.insert("properties".to_owned(), inner.into());
    }
    schema
}

fn said_in(shape: &'static Shape) -> Map<String, Value> {
    let under = |key: &str, inner: Map<String, Value>| {
        if inner.is_empty() { inner } else { Map::from_iter([(key.to_owned(), Value::Object(inner))]) }
    };
    match shape {
        Shape::Group(group) => said(group),
        Shape::Keyed(group) => under("items", said(group)),
        Shape::Named(_, inner) => under("additionalProperties", said_in(inner)),
        // `required` speaks of mappings only, and at most one of several shapes is one.
        Shape::Either(shapes) => shapes.iter().flat_map(said_in).collect(),
        _ => Map::new(),
    }
}

fn words(choices: &'static [Choice]) -> Map<String, Value> {
    let names: Vec<&str> = choices.iter().map(|choice| choice.word).collect();
    let about: Vec<String> = choices.iter().map(|c| format!("{} · {}", c.about.0, c.about.1)).collect();
    object(json!({ "enum": names, "markdownEnumDescriptions": about }))
}

fn described((fr, en): Phrase, default: Option<Phrase>) -> Map<String, Value> {
    let (mut french, mut english) = (fr.to_owned(), en.to_owned());
    if let Some((fr, en)) = default {
        french.push_str(&format!(" Sinon : {fr}."));
        english.push_str(&format!(" If left out: {en}."));
    }
    let markdown = format!("{french}\n\n{english}");
    let plain = markdown.replace('`', "");
    object(json!({ "description": plain, "markdownDescription": markdown }))
}

/// An example as JSON.
fn example(key: &Key) -> Value {
    let mut sources = Sources::default();
    let file = sources.add(SourceFile { path: key.key.to_owned(), text: key.example.to_owned() });
    yaml::parse(file, key.example, &mut Vec::new()).map_or(Value::Null, |node| json_of(&node))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
