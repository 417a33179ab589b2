//! Service lists and service definitions of Open311 GeoReport v2, in XML or in JSON. A service becomes a report with its
//! attributes as fields. A report of Open311 always has a place, and so has its sheet.

use guichet_engine::rules::process::{FieldType, Kind};
use guichet_engine::rules::text::Text;

use super::document::{DocumentError, Element, read_json, read_xml};
use super::{Adopted, LeftOut};
use crate::starter::{Sketch, SketchedField, name_from};

/// A service as its list shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Service {
    /// Its code.
    pub code: String,
    /// What people call it.
    pub name: String,
    /// A line about it.
    pub description: String,
    /// The words it is found by.
    pub keywords: Vec<String>,
    /// The group it is shown in.
    pub group: String,
    /// Whether it has a definition of its own, with attributes.
    pub has_definition: bool,
    /// The line it begins in, from 1; 0 in JSON.
    pub line: usize,
}

fn read(text: &str, root: &str) -> Result<Element, DocumentError> {
    let json = text.trim_start_matches('\u{feff}').trim_start().starts_with(['[', '{']);
    if json { read_json(text, root) } else { read_xml(text) }
}

/// The services of a list, `services.xml` or `services.json`.
///
/// # Errors
/// [`DocumentError`] when it cannot be read or is no list of services.
pub fn read_services(text: &str) -> Result<Vec<Service>, DocumentError> {
    let root = read(text, "services")?;
    if root.name != "services" {
        let reason = format!("`services` is expected, not `{}`", root.name);
        return Err(DocumentError::Malformed { line: root.line, reason });
    }
    Ok(root.children.iter().map(service).collect())
}

fn service(element: &Element) -> Service {
    let keywords = element.text_of("keywords").split(',').map(str::trim).filter(|word| !word.is_empty());
    Service {
        code: element.text_of("service_code").to_owned(),
        name: element.text_of("service_name").to_owned(),
        description: element.text_of("description").to_owned(),
        keywords: keywords.map(str::to_owned).collect(),
        group: element.text_of("group").to_owned(),
        has_definition: element.text_of("metadata") == "true",
        line: element.line,
    }
}

/// The fields of a service definition, `services/CODE.xml` or `.json`, in the order in which they are shown, the code of
/// the service that it is of, and what has no place in a form here.
///
/// # Errors
/// [`DocumentError`] when it cannot be read or is no service definition.
pub fn read_definition(text: &str) -> Result<(String, Vec<SketchedField>, Vec<LeftOut>), DocumentError> {
    let root = read(text, "service_definition")?;
    // In JSON a definition may stand alone or in a list of one.
    let root = if root.child("item").is_some() {
        root.children.into_iter().next().unwrap_or_default()
    } else {
        root
    };
    let code = root.text_of("service_code").to_owned();
    let Some(attributes) = root.child("attributes").filter(|_| !code.is_empty()) else {
        let reason = "a service definition with its code and attributes is expected".to_owned();
        return Err(DocumentError::Malformed { line: root.line, reason });
    };
    let mut ordered: Vec<&Element> = attributes.children.iter().collect();
    ordered.sort_by_key(|attribute| attribute.text_of("order").parse::<u32>().unwrap_or(u32::MAX));
    let (mut fields, mut left_out) = (Vec::new(), Vec::new());
    for attribute in ordered {
        match field(attribute, &fields) {
            Ok(field) => fields.push(field),
            Err(what) => left_out.push(LeftOut { line: attribute.line, what }),
        }
    }
    Ok((code, fields, left_out))
}

fn field(attribute: &Element, before: &[SketchedField]) -> Result<SketchedField, Text> {
    let (code, words) = (attribute.text_of("code"), attribute.text_of("description"));
    if attribute.text_of("variable") == "false" {
        return Err(Text::new(
            format!("texte affiché sans réponse : « {words} »"),
            format!("a text that is shown and asks nothing: \"{words}\""),
        ));
    }
    let kind = match attribute.text_of("datatype") {
        "string" | "text" => FieldType::Text,
        "number" => FieldType::Number,
        "datetime" => FieldType::Date,
        "singlevaluelist" => FieldType::Choice,
        "multivaluelist" => FieldType::Choices,
        other => {
            return Err(Text::new(
                format!("question `{code}` d’un type inconnu : `{other}`"),
                format!("question `{code}` of an unknown type: `{other}`"),
            ));
        }
    };
    let mut options: Vec<String> = Vec::new();
    for value in attribute.child("values").map(|values| values.children.as_slice()).unwrap_or_default() {
        let words =
            Some(value.text_of("name")).filter(|name| !name.is_empty()).unwrap_or(value.text_of("key"));
        let new = options.iter().all(|known| name_from(known, '_') != name_from(words, '_'));
        if new && !name_from(words, '_').is_empty() {
            options.push(words.to_owned());
        }
    }
    if options.is_empty() && matches!(kind, FieldType::Choice | FieldType::Choices) {
        return Err(Text::new(
            format!("liste sans réponse : `{code}`"),
            format!("a list without answers: `{code}`"),
        ));
    }
    let label = if words.is_empty() { code } else { words };
    let name = named(code, before);
    let required = attribute.text_of("required") == "true";
    Ok(SketchedField { field: name, label: label.to_owned(), kind, required, options })
}

/// A name for rules made of the attribute's code, which no other field has.
fn named(code: &str, before: &[SketchedField]) -> String {
    let plain = name_from(code, '_');
    let letter = plain.starts_with(|first: char| first.is_ascii_lowercase());
    let base = if letter { plain } else { format!("question_{plain}") };
    let base = base.trim_end_matches('_');
    let taken = |name: &str| name == "place" || before.iter().any(|field| field.field == name);
    let mut names =
        std::iter::once(base.to_owned()).chain((2_u32..).map(|number| format!("{base}_{number}")));
    names.find(|name| !taken(name)).unwrap_or_default()
}

impl Service {
    /// What the sheet of this service will say. `fields` are those of its definition; `pattern` holds what Open311 does not
    /// say: the model, the service in charge, the message; `placed` tells whether its model asks for the place already.
    #[must_use]
    pub fn sketch(&self, theme: &str, fields: Vec<SketchedField>, pattern: &Sketch, placed: bool) -> Adopted {
        let mut left_out = Vec::new();
        if self.has_definition && fields.is_empty() {
            let what = Text::new(
                format!(
                    "la définition du service `{}` n’a pas été donnée : ses questions manquent",
                    self.code
                ),
                format!("the definition of service `{}` was not given: its questions are missing", self.code),
            );
            left_out.push(LeftOut { line: self.line, what });
        }
        let mut all = fields;
        if !placed {
            let place = SketchedField {
                field: "place".into(),
                label: "Où ?".into(),
                kind: FieldType::Location,
                required: true,
                options: Vec::new(),
            };
            all.insert(0, place);
        }
        let short = name_from(if self.name.is_empty() { &self.code } else { &self.name }, '-');
        let title = if self.name.is_empty() { self.code.clone() } else { self.name.clone() };
        let sketch = Sketch {
            process: format!("{theme}/{short}"),
            title: Text::new(title, ""),
            kind: Kind::Report,
            keywords: self.keywords.clone(),
            fields: all,
            ..pattern.clone()
        };
        Adopted { sketch, left_out }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<services>\n <service>\n  <service_code>006</service_code>\n  \
        <service_name>Graffiti</service_name>\n  <description>On walls</description>\n  <metadata>true</metadata>\n  \
        <type>realtime</type>\n  <keywords>tag, paint ,</keywords>\n  <group>Street</group>\n </service>\n</services>";

    #[test]
    fn a_list_reads_the_same_in_xml_and_in_json() {
        let json = "[{\"service_code\": 6, \"service_name\": \"Graffiti\", \"description\": \"On walls\", \"metadata\": true,\
            \"type\": \"realtime\", \"keywords\": \"tag, paint ,\", \"group\": \"Street\"}]";
        let (xml, json) = (read_services(LIST).unwrap(), read_services(json).unwrap());
        assert_eq!((xml[0].code.as_str(), xml[0].line), ("006", 3));
        assert_eq!(Service { code: "006".into(), line: 3, ..json[0].clone() }, xml[0]);
        assert_eq!(xml[0].keywords, ["tag", "paint"]);
        assert!(matches!(read_services("<x/>"), Err(DocumentError::Malformed { line: 1, .. })));
    }

    #[test]
    fn attributes_become_fields_and_what_asks_nothing_is_reported() {
        let text = "<service_definition><service_code>006</service_code><attributes>\
            <attribute><variable>true</variable><code>WHISHETN</code><datatype>singlevaluelist</datatype><required>true</required>\
            <order>2</order><description>What is it?</description><values><value><key>1</key><name>A tag</name></value>\
            <value><key>2</key><name>A poster</name></value></values></attribute>\
            <attribute><variable>true</variable><code>2nd</code><datatype>number</datatype><order>1</order><description/></attribute>\
            <attribute><variable>false</variable><code>I</code><datatype>string</datatype><description>Do not clean it.</description></attribute>\
            <attribute><variable>true</variable><code>L</code><datatype>multivaluelist</datatype></attribute>\
            </attributes></service_definition>";
        let (code, fields, left_out) = read_definition(text).unwrap();
        assert_eq!(code, "006");
        let names: Vec<_> = fields.iter().map(|field| field.field.as_str()).collect();
        assert_eq!(names, ["question_2nd", "whishetn"], "in the order shown");
        assert_eq!(fields[1].options, ["A tag", "A poster"]);
        assert!(fields[1].required && left_out.len() == 2);
        assert!(left_out[0].what.en.contains("Do not clean it."));
    }
}
