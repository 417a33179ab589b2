//! What templates are given of a form: each field with its inputs, what was typed into them, and what is wrong.

use std::collections::BTreeMap;

use guichet_engine::rules::process::{Definition, Field, FieldType, Requirement};
use guichet_engine::rules::text::{Language, Text};
use serde::Serialize;

use crate::attachments::Uploaded;
use crate::http::flat_form::{Flat, parts};
use crate::http::problem::FieldProblem;
use crate::http::words;

/// What stands before the names of a form's fields, so that they meet no others.
pub(super) const PREFIX: &str = "f.";
/// What stands before the names of files that have arrived already.
pub(super) const KEPT: &str = "kept.";

/// A field as it is shown.
#[derive(Debug, Serialize)]
pub(super) struct Shown {
    /// The id of its first input, to which the list of errors leads.
    id: String,
    label: String,
    /// What its value is like, and when it is asked for.
    hints: Vec<String>,
    required: bool,
    errors: Vec<String>,
    /// `one`, `long`, `choice`, `choices`, `files` or `parts`.
    shape: &'static str,
    inputs: Vec<Input>,
    options: Vec<Choice>,
    /// Files that have arrived already.
    kept: Vec<Kept>,
}

/// One input.
#[derive(Debug, Serialize)]
struct Input {
    id: String,
    name: String,
    label: String,
    /// The type of the element `input`.
    kind: &'static str,
    value: String,
    autocomplete: &'static str,
    inputmode: &'static str,
    required: bool,
    maxlength: Option<u32>,
    accept: String,
}

#[derive(Debug, Serialize)]
struct Choice {
    id: String,
    name: String,
    value: String,
    label: String,
    chosen: bool,
}

#[derive(Debug, Serialize)]
struct Kept {
    id: String,
    name: String,
    value: String,
    label: String,
}

/// What is wrong with a field, for the list at the top.
#[derive(Debug, Serialize)]
pub(super) struct Wrong {
    id: String,
    label: String,
    text: String,
}

/// What was typed, what is wrong with it, and what arrived.
pub(super) struct Filled<'a> {
    pub(super) flat: &'a Flat,
    pub(super) errors: &'a [FieldProblem],
    pub(super) kept: &'a BTreeMap<String, Vec<Uploaded>>,
    pub(super) language: Language,
}

impl Filled<'_> {
    /// The fields of a form.
    pub(super) fn fields(&self, definition: &Definition) -> Vec<Shown> {
        definition.form.iter().map(|field| self.field(field)).collect()
    }

    /// Every error, in the order of the fields; what belongs to none comes last.
    pub(super) fn wrong(&self, definition: &Definition) -> Vec<Wrong> {
        let mut wrong = Vec::new();
        let label = |id: &str| {
            let contact = id.strip_prefix("contact-");
            let field = definition.form.iter().find(|field| id_of(&field.field, "") == id);
            let text = match (field, contact) {
                (Some(field), _) => field.label.clone(),
                (None, Some(part)) => contact_label(part),
                (None, None) => Text::default(),
            };
            text.get(self.language).to_owned()
        };
        for error in self.errors {
            let id = id_of_error(&error.pointer);
            let text = error.text.get(self.language).to_owned();
            wrong.push(Wrong { label: label(&id), id, text });
        }
        let place = |wrong: &Wrong| {
            let fields = definition.form.iter().position(|field| id_of(&field.field, "") == wrong.id);
            fields.unwrap_or(usize::MAX)
        };
        wrong.sort_by_key(place);
        wrong
    }

    /// The errors of one part of the contact.
    pub(super) fn contact_errors(&self, part: &str) -> Vec<String> {
        self.errors_of(&format!("contact-{part}"))
    }

    fn errors_of(&self, id: &str) -> Vec<String> {
        let mine = self.errors.iter().filter(|error| id_of_error(&error.pointer) == id);
        mine.map(|error| error.text.get(self.language).to_owned()).collect()
    }

    fn field(&self, field: &Field) -> Shown {
        let id = id_of(&field.field, "");
        let parts = parts(field.kind);
        let label = field.label.get(self.language).to_owned();
        let inputs = if parts.is_empty() {
            vec![self.input(field, None)]
        } else {
            parts.iter().map(|part| self.input(field, Some(part))).collect()
        };
        Shown {
            errors: self.errors_of(&id),
            shape: shape(field),
            required: field.required == Requirement::Always && field.shown_when.is_none(),
            hints: self.hints(field),
            options: self.options(field),
            kept: self.kept_of(field),
            id,
            label,
            inputs,
        }
    }

    fn hints(&self, field: &Field) -> Vec<String> {
        let mut hints: Vec<Text> = field.help.iter().cloned().collect();
        // The browser's own way of asking for a date or a time shows how it looks.
        if !matches!(field.kind, FieldType::Date | FieldType::Time) {
            hints.extend(words::limits(field));
        }
        if field.kind == FieldType::Location {
            hints.push(Text::new(
                "L’adresse, ou la latitude et la longitude en degrés si vous les connaissez.",
                "The address, or latitude and longitude in degrees if you know them.",
            ));
        }
        if field.shown_when.is_some() {
            hints.push(Text::new(
                "À remplir dans certains cas seulement, selon vos autres réponses ; sinon, laissez vide.",
                "To be filled in in some cases only, depending on your other answers; leave it empty otherwise.",
            ));
        }
        hints.iter().map(|text| text.get(self.language).to_owned()).collect()
    }

    fn input(&self, field: &Field, part: Option<&str>) -> Input {
        let below = part.map_or_else(String::new, |part| format!(".{part}"));
        let name = format!("{PREFIX}{}{below}", field.field);
        let label = part.map(words::part);
        let (kind, autocomplete, inputmode) = look(field.kind, part);
        Input {
            // The first input bears the id of the field.
            id: match part {
                Some(part) if Some(&part) != parts(field.kind).first() => id_of(&field.field, part),
                Some(_) | None => id_of(&field.field, ""),
            },
            label: label.map(|text| sentence(text.get(self.language))).unwrap_or_default(),
            value: self.flat.one(&name).unwrap_or_default().to_owned(),
            kind,
            autocomplete,
            inputmode,
            required: field.required == Requirement::Always && field.shown_when.is_none() && part.is_none(),
            maxlength: field.max_length,
            accept: field.accept.join(","),
            name,
        }
    }

    fn options(&self, field: &Field) -> Vec<Choice> {
        let name = format!("{PREFIX}{}", field.field);
        let chosen: Vec<&str> = self.flat.all(&name).collect();
        let option = |(place, (value, label)): (usize, (&str, &Text))| Choice {
            id: if place == 0 { id_of(&field.field, "") } else { id_of(&field.field, &place.to_string()) },
            name: name.clone(),
            chosen: chosen.contains(&value),
            value: value.to_owned(),
            label: label.get(self.language).to_owned(),
        };
        let (yes, no) = (Text::new("Oui", "Yes"), Text::new("Non", "No"));
        if field.kind == FieldType::Boolean {
            return [("true", &yes), ("false", &no)].into_iter().enumerate().map(option).collect();
        }
        let all = field.options.iter().map(|one| (one.value.as_str(), &one.label));
        all.enumerate().map(option).collect()
    }

    fn kept_of(&self, field: &Field) -> Vec<Kept> {
        let files = self.kept.get(&field.field).into_iter().flatten();
        let kept = |(place, file): (usize, &Uploaded)| Kept {
            id: id_of(&field.field, &format!("kept{place}")),
            name: format!("{KEPT}{}", field.field),
            value: serde_json::to_string(file).unwrap_or_default(),
            label: file.file.name.clone(),
        };
        files.enumerate().map(kept).collect()
    }
}

fn shape(field: &Field) -> &'static str {
    match field.kind {
        FieldType::Text if field.max_length.is_none_or(|most| most > 200) => "long",
        FieldType::Boolean | FieldType::Choice => "choice",
        FieldType::Choices => "choices",
        FieldType::Files => "files",
        FieldType::Location | FieldType::Person | FieldType::Organisation | FieldType::Address => "parts",
        FieldType::Text
        | FieldType::Number
        | FieldType::Integer
        | FieldType::Date
        | FieldType::Time
        | FieldType::Email
        | FieldType::Phone
        | FieldType::Iban
        | FieldType::Money => "one",
    }
}

/// The type of an input, what the browser may fill in, and which keys a telephone shows.
fn look(kind: FieldType, part: Option<&str>) -> (&'static str, &'static str, &'static str) {
    match (kind, part) {
        (_, Some("lat" | "lon")) => ("text", "off", "decimal"),
        (_, Some("birth_date")) | (FieldType::Date, None) => ("date", "off", "text"),
        (FieldType::Time, None) => ("time", "off", "text"),
        (FieldType::Number | FieldType::Money, None) => ("text", "off", "decimal"),
        (FieldType::Integer, None) => ("text", "off", "numeric"),
        (FieldType::Email, None) => ("email", "email", "email"),
        (FieldType::Phone, None) => ("tel", "tel", "tel"),
        (FieldType::Files, None) => ("file", "off", "text"),
        _ => ("text", "off", "text"),
    }
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// The id of an element: names of fields are letters, digits and underscores.
fn id_of(field: &str, part: &str) -> String {
    if part.is_empty() { format!("f-{field}") } else { format!("f-{field}-{part}") }
}

/// The id of the element that a problem of the engine is about.
fn id_of_error(pointer: &str) -> String {
    let path = pointer.trim_start_matches("/form/");
    match pointer.strip_prefix("/requester/contact/") {
        Some(part) => format!("contact-{part}"),
        None => id_of(path.split('/').next().unwrap_or_default(), ""),
    }
}

fn contact_label(part: &str) -> Text {
    match part {
        "name" => Text::new("Votre nom", "Your name"),
        "email" => Text::new("Votre adresse électronique", "Your e-mail address"),
        "phone" => Text::new("Votre téléphone", "Your telephone"),
        _ => Text::new("Votre adresse postale", "Your postal address"),
    }
}
