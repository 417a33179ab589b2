//! Values of scenarios: read by their shape in the grammar, into the JSON of commands.

use serde_json::{Map, Value as Json};

use super::desk::{At, Desk};
use super::parts::PERSON;
use super::process::Library;
use crate::language::grammar::{Group, Referent, Shape};
use crate::language::yaml::{Kind as Tree, Node, Style};

impl Desk {
    /// The parts of a mapping that are there, each by its shape. What must be there is for the caller to say.
    pub(super) fn parts(
        &mut self,
        at: &At<'_>,
        group: &'static Group,
        library: &Library<'_>,
    ) -> Map<String, Json> {
        let entries = self.entries(at, group);
        let mut parts = Map::new();
        for key in group.keys {
            let value = self.get(&entries, key.key).and_then(|value| self.json(&value, &key.shape, library));
            parts.extend(value.map(|value| (key.key.to_owned(), value)));
        }
        parts
    }

    /// A value by its shape; what does not fit is reported.
    pub(super) fn json(&mut self, at: &At<'_>, shape: &Shape, library: &Library<'_>) -> Option<Json> {
        match shape {
            Shape::Any => Some(json_of(at.node)),
            Shape::Boolean => self.boolean(at).map(Json::from),
            Shape::Integer(least, most) => {
                let number = self.integer::<u32>(at)?;
                if !(*least..=*most).contains(&number) {
                    let (fr, en) = (
                        format!("un nombre de {least} à {most}"),
                        format!("a number from {least} to {most}"),
                    );
                    self.wrong(at, &fr, &en);
                }
                Some(number.into())
            }
            Shape::Money => self.cents(at).map(Json::from),
            Shape::Duration => self.budget(at).map(|budget| budget.to_string().into()),
            Shape::OneOf(choices) => self.word(at, choices).map(Json::from),
            Shape::Instant => self.timestamp(at).and_then(|_| self.text(at)).map(Json::from),
            // The only party that a verb is told is a service.
            Shape::Party(_) => self.service(at, library).and_then(|_| self.text(at)).map(Json::from),
            Shape::Name(Referent::Person) => {
                let name = self.text(at)?;
                let known = library.organisation.people.iter().map(|p| p.person.as_str());
                self.known(&name, at.mark(), known, &PERSON).then(|| name.into())
            }
            Shape::Name(Referent::Tenant) => {
                let name = self.text(at)?;
                // What is wrong is told there; that nothing was said would be told beside it.
                self.tenant_named(&name, at.mark(), library);
                Some(name.into())
            }
            Shape::Name(Referent::Administration) => {
                let name = self.text(at)?;
                self.addressee(at, &name, library);
                Some(name.into())
            }
            Shape::Group(group) => Some(self.parts(at, group, library).into()),
            Shape::Named(_, inner) => {
                let named = self.named(at);
                let json = |desk: &mut Self, value: &At<'_>| desk.json(value, inner, library);
                let values = named.iter().filter_map(|(e, value)| Some((e.key.clone(), json(self, value)?)));
                Some(Json::Object(values.collect()))
            }
            Shape::List(inner) => {
                let items = self.list(at);
                Some(items.iter().filter_map(|item| self.json(item, inner, library)).collect())
            }
            // No verb takes anything else than a text beside these.
            _ => self.text(at).map(Json::from),
        }
    }
}

/// A tree as JSON: unquoted `true`, `false` and numbers are what they look like, everything else is text.
pub(crate) fn json_of(node: &Node) -> Json {
    match &node.kind {
        Tree::Scalar(_) if node.is_null() => Json::Null,
        Tree::Scalar(scalar) if scalar.style == Style::Plain => match scalar.text.as_str() {
            "true" => Json::Bool(true),
            "false" => Json::Bool(false),
            text => text
                .parse::<i64>()
                .ok()
                .filter(|n| n.to_string() == text)
                .map(Json::from)
                .or_else(|| decimal(text))
                .unwrap_or_else(|| text.into()),
        },
        Tree::Scalar(scalar) => scalar.text.clone().into(),
        Tree::List(items) => items.iter().map(json_of).collect(),
        Tree::Map(entries) => {
            Json::Object(entries.iter().map(|e| (e.key.clone(), json_of(&e.value))).collect())
        }
    }
}

fn decimal(text: &str) -> Option<Json> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let looks = digits.contains('.') && digits.chars().all(|c| c.is_ascii_digit() || c == '.');
    if looks {
        text.parse::<f64>().ok().and_then(serde_json::Number::from_f64).map(Json::Number)
    } else {
        None
    }
}
