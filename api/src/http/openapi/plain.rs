//! The document in the words that makers of clients read: bytes are bytes, and «anything» is an empty schema.

use serde_json::{Map, Value, json};

/// Rewrites what means the same and is read by fewer programs.
pub(super) fn plain(value: &mut Value) {
    match value {
        Value::Object(object) => {
            if let Some((words, meanings)) = words_of(object) {
                object.remove("oneOf");
                object.insert("type".to_owned(), "string".into());
                object.insert("enum".to_owned(), words);
                let said = object.get("description").and_then(Value::as_str).unwrap_or_default();
                let described = [said, &meanings].join(" ").trim().to_owned();
                object.insert("description".to_owned(), described.into());
            }
            for (key, inner) in object.iter_mut() {
                match (key.as_str(), inner) {
                    ("items", inner) if *inner == Value::Bool(true) => *inner = json!({}),
                    ("prefixItems", Value::Array(items)) => items.iter_mut().for_each(anything),
                    ("properties", Value::Object(properties)) => properties.values_mut().for_each(anything),
                    ("content", Value::Object(kinds)) => {
                        kinds
                            .iter_mut()
                            .filter(|(kind, _)| !kind.contains("json"))
                            .for_each(|(_, it)| bytes(it));
                    }
                    (_, inner) => plain(inner),
                }
            }
            for key in ["prefixItems", "properties", "content"] {
                if let Some(inner) = object.get_mut(key) {
                    plain_children(inner);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(plain),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Gives each command a schema of its own, after which clients in typed languages name it: `NoteCommand`, not the
/// eleventh of many.
pub(super) fn name_commands(document: &mut Value) {
    let Some(Value::Array(commands)) = document.pointer_mut("/components/schemas/Command/oneOf") else {
        return;
    };
    let mut named = Map::new();
    for command in commands {
        let Some(name) = command.pointer("/properties/command/const").and_then(Value::as_str) else {
            continue;
        };
        let capital = |word: &str| {
            let (first, rest) = word.split_at(word.chars().next().map_or(0, char::len_utf8));
            format!("{}{rest}", first.to_uppercase())
        };
        let title: String = name.split('_').map(capital).chain(["Command".to_owned()]).collect();
        let reference = json!({ "$ref": format!("#/components/schemas/{title}") });
        named.insert(title, std::mem::replace(command, reference));
    }
    if let Some(Value::Object(schemas)) = document.pointer_mut("/components/schemas") {
        schemas.extend(named);
    }
}

/// The words of a schema that is one word of several, each told on its own; and what they mean, in one text.
fn words_of(schema: &Map<String, Value>) -> Option<(Value, String)> {
    let (mut words, mut meanings) = (Vec::new(), Vec::new());
    for choice in schema.get("oneOf")?.as_array()? {
        let described = choice.get("description").and_then(Value::as_str);
        match (choice.get("const"), choice.get("enum")) {
            (Some(Value::String(word)), None) => {
                meanings.extend(described.map(|meaning| format!("`{word}`: {meaning}")));
                words.push(Value::from(word.as_str()));
            }
            (None, Some(Value::Array(several))) if several.iter().all(Value::is_string) => {
                words.extend(several.iter().cloned());
            }
            _ => return None,
        }
    }
    Some((Value::Array(words), meanings.join(" ")))
}

fn plain_children(value: &mut Value) {
    match value {
        Value::Object(object) => object.values_mut().for_each(plain),
        Value::Array(items) => items.iter_mut().for_each(plain),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A schema that lets everything pass is an empty one: `true` says the same since draft 6, and not every program heard.
fn anything(schema: &mut Value) {
    if *schema == Value::Bool(true) {
        *schema = json!({});
    }
}

/// Bytes were told as a list of small numbers, which is what they are in Rust and nowhere else.
fn bytes(media: &mut Value) {
    let Some(schema) = media.get_mut("schema") else { return };
    if schema.get("type").is_some_and(|kind| kind == "array") && schema.pointer("/items/format").is_some() {
        *schema = json!({ "type": "string", "format": "binary" });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_word_of_several_is_a_list_of_words() {
        let mut schema = json!({ "description": "How it stands.", "oneOf": [
            { "const": "open", "type": "string", "description": "Under way." }, { "enum": ["done", "late"] }
        ]});
        plain(&mut schema);
        let told = "How it stands. `open`: Under way.";
        assert_eq!(
            schema,
            json!({ "description": told, "type": "string", "enum": ["open", "done", "late"] })
        );
        let mut other = json!({ "oneOf": [{ "const": 1 }, { "type": "object" }] });
        plain(&mut other);
        assert!(other.get("oneOf").is_some());
    }

    #[test]
    fn commands_have_names() {
        let command = json!({ "properties": { "command": { "const": "fail_delivery" } } });
        let mut document = json!({ "components": { "schemas": { "Command": { "oneOf": [command] } } } });
        name_commands(&mut document);
        let place = "/components/schemas/FailDeliveryCommand/properties/command/const";
        assert_eq!(document.pointer(place).unwrap(), "fail_delivery");
        let reference = document.pointer("/components/schemas/Command/oneOf/0/$ref").unwrap();
        assert_eq!(reference, "#/components/schemas/FailDeliveryCommand");
    }

    #[test]
    fn bytes_are_bytes_and_anything_is_empty() {
        let mut document = json!({
            "content": { "application/pdf": { "schema": { "type": "array", "items": { "type": "integer", "format": "int32" } } } },
            "schema": { "properties": { "a": true, "b": { "prefixItems": [{ "type": "string" }, true] } }, "items": true }
        });
        plain(&mut document);
        assert_eq!(
            document,
            json!({
                "content": { "application/pdf": { "schema": { "type": "string", "format": "binary" } } },
                "schema": { "properties": { "a": {}, "b": { "prefixItems": [{ "type": "string" }, {}] } }, "items": {} }
            })
        );
    }
}
