//! The form of a process for portals that draw it themselves: a JSON Schema (2020-12) that takes what the engine takes, and
//! what people read beside it.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use guichet_engine::rules::process::{Definition, Field, FieldOption, FieldType, Requirement};
use guichet_engine::rules::text::Text;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::catalogue::{needs_consent, offered};
use crate::http::App;
use crate::http::extract::At;
use crate::http::problem::Problem;
use crate::http::words;

/// The longest text where a sheet says nothing, in characters; the engine's own limits.
const TEXT_MAX: u32 = 10_000;
/// The most files where a sheet says nothing.
const FILES_MAX: u32 = 20;
/// The largest file where a sheet says nothing, in bytes.
const FILE_BYTES_MAX: u64 = 25 * 1024 * 1024;

/// The form of a process.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FormDescription)]
pub(crate) struct FormDescription {
    /// The process.
    #[schema(example = "voirie/chaussee-abimee")]
    process: String,
    /// Its version.
    definition: String,
    /// What people call it.
    title: Words,
    /// A JSON Schema (2020-12) of `form` as requests are received with it. What depends on other answers stands in
    /// `fields`, and is checked when the request is received.
    #[schema(value_type = std::collections::BTreeMap<String, Value>)]
    schema: Value,
    /// The fields in the order shown.
    fields: Vec<FieldDescription>,
    /// What is promised, in words.
    promises: Vec<Words>,
    /// Whether the requester must agree before their data are used.
    consent: bool,
}

/// The same words in French and in English.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FormWords, example = json!({ "fr": "Où ?", "en": "Where?" }))]
pub(crate) struct Words {
    /// French.
    fr: String,
    /// English; the French words where there are no others.
    en: String,
}

impl From<&Text> for Words {
    fn from(text: &Text) -> Self {
        use guichet_engine::rules::text::Language;
        Self { fr: text.fr.clone(), en: text.get(Language::En).to_owned() }
    }
}

/// A field as people see it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FormField)]
pub(crate) struct FieldDescription {
    /// Its name in the form.
    #[schema(example = "place")]
    field: String,
    /// Its type, for example `location`.
    #[serde(rename = "type")]
    #[schema(example = "location")]
    kind: String,
    /// What people read beside it.
    label: Words,
    /// A line of help.
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<Words>,
    /// Whether it must be given whenever it is shown.
    required: bool,
    /// The expression of the other answers under which it must be given.
    #[serde(skip_serializing_if = "Option::is_none")]
    required_when: Option<String>,
    /// The expression of the other answers under which it is asked for; always, if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    shown_when: Option<String>,
    /// Whether it says who somebody is.
    personal: bool,
    /// Its options, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    options: Vec<OptionDescription>,
}

/// An option of a choice.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FormOption)]
pub(crate) struct OptionDescription {
    /// What is sent.
    value: String,
    /// What people read.
    label: Words,
}

/// Read the form of a process as a JSON Schema.
#[utoipa::path(
    get, path = "/v1/{tenant}/catalogue/{theme}/{process}/form", tag = "public", operation_id = "catalogue_form", security(()),
    responses(
        (status = 200, description = "Its schema, and its fields in the order shown.", body = FormDescription)
    )
)]
pub(crate) async fn pages_form(
    State(app): State<App>,
    At((tenant, theme, process)): At<(String, String, String)>,
) -> Result<Response, Problem> {
    let plan = offered(&app, &tenant, &format!("{theme}/{process}")).await?;
    let definition = plan.definition();
    let answer = FormDescription {
        process: definition.process.clone(),
        definition: plan.hash().0.clone(),
        title: (&definition.title).into(),
        schema: schema(definition),
        fields: definition.form.iter().map(described).collect(),
        promises: words::promises(definition).iter().map(Words::from).collect(),
        consent: needs_consent(definition),
    };
    Ok(axum::Json(answer).into_response())
}

fn described(field: &Field) -> FieldDescription {
    let option = |option: &FieldOption| OptionDescription {
        value: option.value.clone(),
        label: (&option.label).into(),
    };
    let kind = serde_json::to_value(field.kind).ok().and_then(|kind| kind.as_str().map(str::to_owned));
    FieldDescription {
        field: field.field.clone(),
        kind: kind.unwrap_or_default(),
        label: (&field.label).into(),
        help: field.help.as_ref().map(Words::from),
        required: field.required == Requirement::Always,
        required_when: match &field.required {
            Requirement::When(rule) => Some(rule.clone()),
            Requirement::Optional | Requirement::Always => None,
        },
        shown_when: field.shown_when.clone(),
        personal: field.personal || field.kind.is_personal(),
        options: field.options.iter().map(option).collect(),
    }
}

/// The schema of a form: a value of `null`, and an empty text, are ones that were not given.
fn schema(definition: &Definition) -> Value {
    let always = |field: &&Field| field.required == Requirement::Always && field.shown_when.is_none();
    let required: Vec<&str> =
        definition.form.iter().filter(always).map(|field| field.field.as_str()).collect();
    let property = |field: &Field| {
        let shape = if always(&field) { given(field) } else { absent_or(field) };
        (field.field.clone(), shape)
    };
    let properties: Map<String, Value> = definition.form.iter().map(property).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": definition.title.fr,
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

/// A value that may be left out in every way there is.
fn absent_or(field: &Field) -> Value {
    let blank = match field.kind {
        FieldType::Text
        | FieldType::Date
        | FieldType::Time
        | FieldType::Choice
        | FieldType::Email
        | FieldType::Phone
        | FieldType::Iban => json!({ "type": "string", "pattern": "^\\s*$", "maxLength": limit(field) }),
        FieldType::Choices | FieldType::Files => json!({ "type": "array", "maxItems": 0 }),
        FieldType::Number
        | FieldType::Integer
        | FieldType::Boolean
        | FieldType::Location
        | FieldType::Person
        | FieldType::Organisation
        | FieldType::Address
        | FieldType::Money => return json!({ "anyOf": [{ "type": "null" }, given(field)] }),
    };
    // Of these types only the empty text itself is one that was not given.
    let exact = matches!(field.kind, FieldType::Date | FieldType::Time | FieldType::Choice);
    let blank = if exact { json!({ "const": "" }) } else { blank };
    json!({ "anyOf": [{ "type": "null" }, blank, given(field)] })
}

fn limit(field: &Field) -> u32 {
    field.max_length.unwrap_or(TEXT_MAX)
}

/// A value that is given.
fn given(field: &Field) -> Value {
    let mut shape = match field.kind {
        FieldType::Text => json!({ "type": "string", "pattern": "\\S", "maxLength": limit(field) }),
        FieldType::Number => json!({ "type": "number" }),
        FieldType::Integer => json!({ "type": "integer" }),
        FieldType::Boolean => json!({ "type": "boolean" }),
        FieldType::Date => {
            json!({ "type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" })
        }
        FieldType::Time => json!({ "type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$" }),
        FieldType::Choice => json!({ "enum": values(field) }),
        FieldType::Choices => {
            json!({ "type": "array", "items": { "enum": values(field) }, "minItems": 1, "uniqueItems": true })
        }
        FieldType::Location => location(),
        FieldType::Files => files(field),
        FieldType::Person => record(&["name"], &["first_name", "birth_date"]),
        FieldType::Organisation => record(&["name"], &["siret"]),
        FieldType::Address => record(&["city"], &["street", "postcode"]),
        FieldType::Email => json!({ "type": "string", "format": "email", "pattern": "@", "maxLength": 254 }),
        FieldType::Phone => {
            json!({ "type": "string", "pattern": "^\\s*\\+?[0-9 ./()\\-\u{a0}\u{202f}]{3,}\\s*$" })
        }
        FieldType::Iban => json!({ "type": "string", "pattern": "^\\s*[A-Za-z]{2}[0-9A-Za-z\\s]{13,}$" }),
        FieldType::Money => json!({
            "anyOf": [
                { "type": "string", "pattern": "^\\s*-?[0-9]+([.,][0-9]{0,2})? +[A-Z]{3}\\s*$" },
                { "type": "number" },
                {
                    "type": "object", "required": ["amount"],
                    "properties": { "amount": { "type": ["string", "number"] }, "currency": { "type": "string", "pattern": "^[A-Z]{3}$" } }
                }
            ]
        }),
    };
    if matches!(field.kind, FieldType::Number | FieldType::Integer) {
        for (word, bound) in [("minimum", field.min), ("maximum", field.max)] {
            if let (Some(bound), Some(shape)) = (bound, shape.as_object_mut()) {
                shape.insert(word.to_owned(), json!(bound));
            }
        }
    }
    if let (FieldType::Choices, Some(most), Some(shape)) = (field.kind, field.at_most, shape.as_object_mut())
    {
        shape.insert("maxItems".to_owned(), most.into());
    }
    shape
}

fn values(field: &Field) -> Vec<&str> {
    field.options.iter().map(|option| option.value.as_str()).collect()
}

fn location() -> Value {
    let (lat, lon) = (
        json!({ "type": "number", "minimum": -90, "maximum": 90 }),
        json!({ "type": "number", "minimum": -180, "maximum": 180 }),
    );
    let text = json!({ "type": ["string", "null"], "maxLength": 500 });
    let parts = json!({ "lat": lat, "lon": lon, "address": text, "area": text });
    json!({
        "anyOf": [
            { "type": "array", "prefixItems": [lat, lon], "items": false, "minItems": 2 },
            { "type": "object", "properties": parts, "required": ["lat", "lon"], "additionalProperties": false },
            {
                "type": "object", "required": ["address"], "additionalProperties": false,
                "properties": { "address": { "type": "string", "pattern": "\\S", "maxLength": 500 }, "area": text }
            }
        ]
    })
}

/// A record of texts; what is optional in it may be null.
fn record(required: &[&str], optional: &[&str]) -> Value {
    let needed = json!({ "type": "string", "pattern": "\\S", "maxLength": 500 });
    let other = json!({ "type": ["string", "null"], "maxLength": 500 });
    let properties: Map<String, Value> = required
        .iter()
        .map(|name| ((*name).to_owned(), needed.clone()))
        .chain(optional.iter().map(|name| ((*name).to_owned(), other.clone())))
        .collect();
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

fn files(field: &Field) -> Value {
    let text = |most: u32| json!({ "type": "string", "maxLength": most });
    let mut kind = json!({ "type": "string", "maxLength": 255 });
    if let (false, Some(kind)) = (field.accept.is_empty(), kind.as_object_mut()) {
        let patterns: Vec<String> = field.accept.iter().map(|pattern| media_type(pattern)).collect();
        kind.insert("pattern".to_owned(), format!("^({})$", patterns.join("|")).into());
    }
    json!({
        "type": "array", "minItems": 1, "maxItems": field.at_most.unwrap_or(FILES_MAX),
        "items": {
            "type": "object", "required": ["name", "type", "size", "sha256"],
            "properties": {
                "name": text(255), "type": kind,
                "size": { "type": "integer", "minimum": 0, "maximum": field.max_size.unwrap_or(FILE_BYTES_MAX) },
                "sha256": { "type": "string", "pattern": "^[0-9A-Fa-f]{64}$" },
                "proof": text(64)
            }
        }
    })
}

/// A media type, or a family of them, as a pattern.
fn media_type(pattern: &str) -> String {
    let escaped = |text: &str| text.replace('.', "\\.").replace('+', "\\+");
    match pattern.strip_suffix("/*") {
        Some(family) => format!("{}/.+", escaped(family)),
        None => escaped(pattern),
    }
}
