//! The document in the words that makers of clients read: bytes are bytes, and «anything» is an empty schema.

use serde_json::{Value, json};

/// Rewrites what means the same and is read by fewer programs.
pub(super) fn plain(value: &mut Value) {
    match value {
        Value::Object(object) => {
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

/// Gives each command a title, after which clients in typed languages name it: `NoteCommand`, not the eleventh of many.
pub(super) fn name_commands(document: &mut Value) {
    let Some(Value::Array(commands)) = document.pointer_mut("/components/schemas/Command/oneOf") else {
        return;
    };
    for command in commands {
        let Some(name) = command.pointer("/properties/command/const").and_then(Value::as_str) else {
            continue;
        };
        let capital = |word: &str| {
            let (first, rest) = word.split_at(word.chars().next().map_or(0, char::len_utf8));
            format!("{}{rest}", first.to_uppercase())
        };
        let title: String = name.split('_').map(capital).collect();
        if let Some(command) = command.as_object_mut() {
            command.insert("title".to_owned(), format!("{title}Command").into());
        }
    }
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
    fn commands_have_names() {
        let command = json!({ "properties": { "command": { "const": "fail_delivery" } } });
        let mut document = json!({ "components": { "schemas": { "Command": { "oneOf": [command] } } } });
        name_commands(&mut document);
        assert_eq!(
            document.pointer("/components/schemas/Command/oneOf/0/title").unwrap(),
            "FailDeliveryCommand"
        );
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
