//! How the form of a process and the arguments of Open311 meet: one place, one description, one medium stand in arguments
//! of their own; everything else is an attribute.

use guichet_engine::rules::process::{Definition, Field, FieldType, Requirement};
use guichet_engine::rules::text::{Language, Text};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::flat_form::parts;
use crate::http::words;

/// The shortest limit, in characters, of a field that takes a description.
const DESCRIPTION_MIN: u32 = 200;

/// The fields of a form that have arguments of their own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Own<'a> {
    /// Takes `lat`, `long`, `address_string`, `address_id`.
    pub(super) place: Option<&'a Field>,
    /// Takes `description`.
    pub(super) description: Option<&'a Field>,
    /// Takes `media_url` and files.
    pub(super) media: Option<&'a Field>,
}

impl<'a> Own<'a> {
    pub(super) fn of(definition: &'a Definition) -> Self {
        let first = |kind: FieldType| definition.form.iter().find(|field| field.kind == kind);
        let long = |field: &&Field| {
            field.kind == FieldType::Text && field.max_length.is_none_or(|most| most >= DESCRIPTION_MIN)
        };
        let named = |field: &&Field| {
            matches!(field.field.as_str(), "description" | "details" | "message" | "question" | "comment")
        };
        let texts = || definition.form.iter().filter(long);
        Self {
            place: first(FieldType::Location),
            description: texts().find(named).or_else(|| texts().next()),
            media: first(FieldType::Files),
        }
    }

    /// Whether a field is asked for by an argument of its own.
    pub(super) fn has(&self, field: &Field) -> bool {
        [self.place, self.description, self.media].into_iter().flatten().any(|own| own.field == field.field)
    }

    /// The name of the argument that a field is filled from.
    pub(super) fn argument(&self, name: &str) -> Option<&'static str> {
        let is = |own: Option<&Field>| own.is_some_and(|own| own.field == name);
        match name {
            _ if is(self.place) => Some("lat, long, address_string"),
            _ if is(self.description) => Some("description"),
            _ if is(self.media) => Some("media_url"),
            _ => None,
        }
    }
}

/// What is asked for beside the arguments that every service has.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Open311Attribute)]
pub(crate) struct Attribute {
    /// `false` for a text that is shown and asks nothing.
    variable: bool,
    /// Its code, sent as `attribute[code]`.
    code: String,
    /// `string`, `number`, `datetime`, `text`, `singlevaluelist` or `multivaluelist`.
    #[schema(value_type = String)]
    datatype: &'static str,
    /// Whether it must be given.
    required: bool,
    /// How to give it.
    #[schema(required)]
    datatype_description: Option<String>,
    /// Its place in the order shown, from 1.
    #[schema(minimum = 1)]
    order: u32,
    /// What is asked.
    description: String,
    /// The options of a list.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    values: Vec<ValueRow>,
}

/// An option.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Open311Value)]
pub(crate) struct ValueRow {
    /// What is sent.
    key: String,
    /// What people read.
    name: String,
}

/// What a service asks for: first what it promises, then its fields in their order.
pub(super) fn attributes(definition: &Definition, language: Language) -> Vec<Attribute> {
    let own = Own::of(definition);
    let shown = words::promises(definition).into_iter().zip(1..).map(|(text, number)| Attribute {
        variable: false,
        code: format!("promise_{number}"),
        datatype: "string",
        required: false,
        datatype_description: None,
        order: 0,
        description: text.get(language).to_owned(),
        values: Vec::new(),
    });
    let fields = definition.form.iter().filter(|field| !own.has(field));
    let mut all: Vec<Attribute> = shown.chain(fields.flat_map(|field| of_field(field, language))).collect();
    for (attribute, order) in all.iter_mut().zip(1..) {
        attribute.order = order;
    }
    all
}

fn of_field(field: &Field, language: Language) -> Vec<Attribute> {
    let always = field.required == Requirement::Always && field.shown_when.is_none();
    let attribute = |code: String, datatype, required, description: String| Attribute {
        variable: true,
        code,
        datatype,
        required,
        datatype_description: hint(field, language),
        order: 0,
        description,
        values: options(field, language),
    };
    let label = field.label.get(language).to_owned();
    let parts = parts(field.kind);
    if parts.is_empty() {
        return match datatype(field) {
            Some(datatype) => vec![attribute(field.field.clone(), datatype, always, label)],
            None => Vec::new(),
        };
    }
    let part = |(place, part): (usize, &&str)| {
        let text = words::part(part);
        let words = format!("{label} ({})", text.get(language));
        let datatype = match *part {
            "birth_date" => "datetime",
            "lat" | "lon" => "number",
            _ => "string",
        };
        attribute(format!("{}.{part}", field.field), datatype, always && place == 0, words)
    };
    parts.iter().enumerate().map(part).collect()
}

fn datatype(field: &Field) -> Option<&'static str> {
    Some(match field.kind {
        FieldType::Text if field.max_length.is_some_and(|most| most <= DESCRIPTION_MIN) => "string",
        FieldType::Text => "text",
        FieldType::Number | FieldType::Integer | FieldType::Money => "number",
        FieldType::Date => "datetime",
        FieldType::Boolean | FieldType::Choice => "singlevaluelist",
        FieldType::Choices => "multivaluelist",
        FieldType::Time | FieldType::Email | FieldType::Phone | FieldType::Iban => "string",
        // A service request carries files by `media_url` alone.
        FieldType::Files => return None,
        FieldType::Location | FieldType::Person | FieldType::Organisation | FieldType::Address => "string",
    })
}

fn options(field: &Field, language: Language) -> Vec<ValueRow> {
    let row = |key: &str, text: &Text| ValueRow { key: key.to_owned(), name: text.get(language).to_owned() };
    if field.kind == FieldType::Boolean {
        return vec![row("true", &Text::new("Oui", "Yes")), row("false", &Text::new("Non", "No"))];
    }
    field.options.iter().map(|option| row(&option.value, &option.label)).collect()
}

/// How to give a value: its help, its limits, and whether it is asked for at all.
fn hint(field: &Field, language: Language) -> Option<String> {
    let mut hints: Vec<Text> = field.help.iter().cloned().collect();
    hints.extend(words::limits(field));
    let conditional = field.shown_when.is_some() || matches!(field.required, Requirement::When(_));
    if conditional {
        hints.push(Text::new("Demandé dans certains cas seulement.", "Asked for in some cases only."));
    }
    let hints: Vec<&str> = hints.iter().map(|text| text.get(language)).collect();
    (!hints.is_empty()).then(|| hints.join(" "))
}
