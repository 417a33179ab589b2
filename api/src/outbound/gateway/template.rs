//! What a gateway is sent: `{to}`, `{text}`, `{from}`, `{id}`, and of social messages `{thread}` and `{platform}`, filled into what the operator wrote. JSON is read before it
//! is filled in, so that no text can break out of its place.

use serde_json::Value;

/// The deepest JSON that is filled in.
pub const TEMPLATE_DEPTH_MAX: usize = 16;

/// What is filled in for the names in braces.
#[derive(Clone, Copy)]
pub struct Filled<'a> {
    /// The number.
    pub to: &'a str,
    /// The text.
    pub text: &'a str,
    /// The sender's name.
    pub from: &'a str,
    /// The message's id, always the same for the same message.
    pub id: &'a str,
    /// Of a social message: the conversation.
    pub thread: &'a str,
    /// Of a social message: the network.
    pub platform: &'a str,
}

/// Reads the operator's JSON.
pub(super) fn json(text: &str) -> Result<Value, String> {
    let value: Value = serde_json::from_str(text)
        .map_err(|error| format!("json: line {}, column {}: it is not JSON", error.line(), error.column()))?;
    if depth(&value) > TEMPLATE_DEPTH_MAX {
        return Err(format!("json: it is nested more than {TEMPLATE_DEPTH_MAX} deep"));
    }
    Ok(value)
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// The JSON with its texts filled in.
#[must_use]
pub fn filled(value: &Value, with: &Filled<'_>) -> Value {
    match value {
        Value::String(text) => Value::String(words(text, with)),
        Value::Array(items) => items.iter().map(|item| filled(item, with)).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, member)| (name.clone(), filled(member, with))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// A text filled in, in one pass: what is filled in is never read again.
pub(super) fn words(template: &str, with: &Filled<'_>) -> String {
    let known = [
        ("{to}", with.to),
        ("{text}", with.text),
        ("{from}", with.from),
        ("{id}", with.id),
        ("{thread}", with.thread),
        ("{platform}", with.platform),
    ];
    let (mut out, mut rest) = (String::new(), template);
    while let Some(at) = rest.find('{') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let found = known.iter().find_map(|(name, value)| Some((from.strip_prefix(name)?, value)));
        rest = if let Some((after, value)) = found {
            out.push_str(value);
            after
        } else {
            out.push('{');
            from.strip_prefix('{').unwrap_or_default()
        };
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_breaks_out_of_its_place() {
        let template =
            json(r#"{"messages":[{"to":["{to}"],"text":"{text}","n":1}],"{to}":"{from}/{id}/{x}"}"#).unwrap();
        let with = Filled {
            to: "+33612345678",
            text: "\",\"to\":\"{id}",
            from: "VILLE",
            id: "e.1",
            thread: "t",
            platform: "p",
        };
        let out = filled(&template, &with);
        assert_eq!(out["messages"][0]["text"], "\",\"to\":\"{id}");
        assert_eq!(out["messages"][0]["to"][0], "+33612345678");
        assert_eq!(out["{to}"], "VILLE/e.1/{x}", "names stay as they are");
    }

    #[test]
    fn what_is_too_deep_is_refused() {
        let deep = format!("{}{}", "[".repeat(40), "]".repeat(40));
        assert!(json(&deep).is_err());
    }
}
