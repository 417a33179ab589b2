//! Forms and reports: every wrong field is named, all of them at once.

mod text;
mod value;

use serde_json::{Map, Value};

pub(super) use text::{email, phone};

use super::bindings::public;
use super::personal::Personal;
use super::refusal;
use super::rejection::{FieldFault, Rejection};
use crate::process::{Bindings, Field, Plan, PlanError, Requirement};
use crate::text::Text;

/// The most values that a form may hold, unknown ones included.
const MOST_VALUES: usize = 500;

/// Fields given, each in its canonical shape, those that are personal marked as such; and what is wrong with them.
pub(super) struct Typed {
    pub(super) form: Map<String, Value>,
    pub(super) faults: Vec<FieldFault>,
}

/// A fault at a pointer.
fn fault(pointer: &str, code: &str, fr: impl Into<String>, en: impl Into<String>) -> FieldFault {
    FieldFault { pointer: pointer.into(), code: code.into(), text: Text::new(fr, en) }
}

/// `field` as a token of a JSON pointer (RFC 6901).
fn pointer_to(field: &str) -> String {
    format!("/{}", field.replace('~', "~0").replace('/', "~1"))
}

/// Checks the values given against the types of the fields. A value of `null` is one that was not given.
pub(super) fn typed(fields: &[Field], given: &Map<String, Value>) -> Typed {
    let mut typed = Typed { form: Map::new(), faults: Vec::new() };
    for (name, value) in given.iter().take(MOST_VALUES).filter(|(_, value)| !value.is_null()) {
        let pointer = pointer_to(name);
        let Some(field) = fields.iter().find(|field| field.field == *name) else {
            let (fr, en) = ("Ce champ n’est pas dans le formulaire.", "This field is not in the form.");
            typed.faults.push(fault(&pointer, "field.unknown", fr, en));
            continue;
        };
        let mut faults = Vec::new();
        let canonical = value::check(field, &pointer, value, &mut faults);
        if faults.is_empty() && !is_blank(&canonical) {
            typed.form.insert(name.clone(), mark(field, canonical));
        }
        typed.faults.append(&mut faults);
    }
    typed
}

/// The values given that fit their fields, as they were given, and the names of those that do not.
pub(super) fn fitting(fields: &[Field], given: &Map<String, Value>) -> (Map<String, Value>, Vec<String>) {
    let (mut fits, mut rest) = (Map::new(), Vec::new());
    for (name, value) in given.iter().filter(|(_, value)| !is_blank(value)) {
        let alone = Map::from_iter([(name.clone(), value.clone())]);
        if fits.len() < MOST_VALUES && typed(fields, &alone).faults.is_empty() {
            fits.extend(alone);
        } else {
            rest.push(name.clone());
        }
    }
    (fits, rest)
}

/// An empty text or list is one that was not given.
fn is_blank(value: &Value) -> bool {
    match value {
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Null => true,
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
    }
}

/// Personal values are marked, so that the journal seals them.
fn mark(field: &Field, value: Value) -> Value {
    if field.personal || field.kind.is_personal() {
        serde_json::to_value(Personal::requester(value)).unwrap_or_default()
    } else {
        value
    }
}

/// Where the values of a form stand in the bindings of a rule.
#[derive(Clone, Copy)]
pub(super) enum Place<'a> {
    /// `form.…`
    Form,
    /// `tasks.<task>.report.…`
    Report(&'a str),
}

/// Checks which fields are shown and which are required. `form` is the whole form as it would be, `given` what was
/// given now; where `complete` is not asked for, a required field may still be missing.
pub(super) fn presence(
    plan: &Plan,
    (fields, place): (&[Field], Place<'_>),
    (form, given): (&Map<String, Value>, &Map<String, Value>),
    mut bindings: Bindings,
    complete: bool,
) -> Result<Vec<FieldFault>, PlanError> {
    match place {
        Place::Form => bindings.form = public(form),
        Place::Report(task) => {
            if let Some(Value::Object(task)) = bindings.tasks.get_mut(task) {
                task.insert("report".into(), Value::Object(public(form)));
            }
        }
    }
    let mut faults = Vec::new();
    for field in fields {
        let pointer = pointer_to(&field.field);
        let shown = match &field.shown_when {
            Some(rule) => plan.holds(rule, &bindings)?,
            None => true,
        };
        if !shown {
            if given.contains_key(&field.field) {
                let (fr, en) = ("Ce champ n’est pas demandé ici.", "This field is not asked for here.");
                faults.push(fault(&pointer, "field.not_shown", fr, en));
            }
            continue;
        }
        let required = match &field.required {
            Requirement::Optional => false,
            Requirement::Always => true,
            Requirement::When(rule) => plan.holds(rule, &bindings)?,
        };
        if required && complete && !form.contains_key(&field.field) {
            let (fr, en) = ("Ce champ est obligatoire.", "This field is required.");
            faults.push(fault(&pointer, "field.required", fr, en));
        }
    }
    Ok(faults)
}

/// The refusal that names all faults, or nothing where there is none.
pub(super) fn refuse(mut faults: Vec<FieldFault>) -> Result<(), Rejection> {
    if faults.is_empty() {
        return Ok(());
    }
    faults.sort_by(|a, b| (&a.pointer, &a.code).cmp(&(&b.pointer, &b.code)));
    faults.dedup();
    Err(Rejection { fields: faults, ..refusal::form_invalid() })
}
