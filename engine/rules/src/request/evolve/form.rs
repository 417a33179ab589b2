//! Forms in the state: personal values are sealed, whatever shape they came in, so that a state folded from a live
//! decision equals one folded from the journal.

use serde_json::{Map, Value, json};

/// A value as the state keeps it.
fn sealed(value: &Value) -> Value {
    let Value::Object(object) = value else { return value.clone() };
    let text = |key: &str| object.get(key).and_then(Value::as_str);
    if let Some(subject) = text("$subject").filter(|_| object.contains_key("$sealed")) {
        return json!({ "$subject": subject, "$sealed": "" });
    }
    match text("$personal") {
        Some(subject) if object.contains_key("value") => json!({ "$subject": subject, "$sealed": "" }),
        Some(_) | None => value.clone(),
    }
}

/// A form without what is personal in it: such values are replaced by the mark that they are sealed, or erased.
#[must_use]
pub fn sealed_form(form: &Map<String, Value>) -> Map<String, Value> {
    form.iter().map(|(field, value)| (field.clone(), sealed(value))).collect()
}

/// Writes the fields of `given` over those of `form`; a field given as `null` is taken away.
pub fn merge_form(form: &mut Map<String, Value>, given: &Map<String, Value>) {
    for (field, value) in given {
        if value.is_null() {
            form.remove(field);
        } else {
            form.insert(field.clone(), sealed(value));
        }
    }
}

/// Replaces a form by `given`, in which `{"$kept": true}` stands for the value there was.
pub(super) fn replace_form(form: &mut Map<String, Value>, given: &Map<String, Value>) {
    let old = std::mem::take(form);
    for (field, value) in given {
        let kept = value.get("$kept").is_some();
        let value = if kept { old.get(field).cloned() } else { Some(sealed(value)) };
        form.extend(value.map(|value| (field.clone(), value)));
    }
}
