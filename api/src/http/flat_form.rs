//! Names and texts in a flat list, as HTML forms and Open311 send them, turned into the typed values of a form.
//!
//! What cannot be read as the type of its field is handed on as the text it is: the engine says then what is wrong with
//! it, together with everything else that is wrong, and in the same words as at every other door.

use guichet_engine::rules::process::{Field, FieldType};
use serde_json::{Map, Number, Value, json};

use super::problem::Problem;

/// The most pairs of name and text that are read.
pub(crate) const PAIRS_MAX: usize = 1_000;
/// The longest name of one, in bytes.
pub(crate) const NAME_BYTES_MAX: usize = 200;

/// Names and texts, in the order sent; a name may stand several times.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Flat(Vec<(String, String)>);

/// Never prints what was said.
impl std::fmt::Debug for Flat {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Flat(…)")
    }
}

impl Flat {
    /// What stands in an `application/x-www-form-urlencoded` text, behind a question mark or in a body.
    pub(crate) fn parse(encoded: &[u8]) -> Result<Self, Problem> {
        let mut flat = Self::default();
        for (name, value) in url::form_urlencoded::parse(encoded) {
            flat.push(&name, &value)?;
        }
        Ok(flat)
    }

    /// One more pair; line ends become those of JSON.
    pub(crate) fn push(&mut self, name: &str, value: &str) -> Result<(), Problem> {
        // A replacement character stands where bytes were no UTF-8: nobody types one.
        let unreadable = |text: &str| {
            text.chars().any(|c| c == '\u{fffd}' || (c.is_control() && !matches!(c, '\n' | '\r' | '\t')))
        };
        if unreadable(name) || unreadable(value) {
            return Err(Problem::malformed(
                "form.characters",
                "Le formulaire contient des octets qui ne sont pas du texte (UTF-8), ou des caractères de contrôle.",
                "The form holds bytes that are no text (UTF-8), or control characters.",
            ));
        }
        if self.0.len() >= PAIRS_MAX || name.len() > NAME_BYTES_MAX {
            return Err(Problem::malformed(
                "form.too_many",
                format!(
                    "Le formulaire a plus de {PAIRS_MAX} valeurs, ou un nom de plus de {NAME_BYTES_MAX} octets."
                ),
                format!(
                    "The form has more than {PAIRS_MAX} values, or a name of more than {NAME_BYTES_MAX} bytes."
                ),
            ));
        }
        self.0.push((name.to_owned(), value.replace("\r\n", "\n").replace('\r', "\n")));
        Ok(())
    }

    /// Every text of this name that is not blank, without the blanks around it.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let mine = self.0.iter().filter(move |(known, _)| known == name);
        mine.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }

    /// The first text of this name that is not blank. An argument that is empty is one that was not sent.
    pub(crate) fn one(&self, name: &str) -> Option<&str> {
        let mine = self.0.iter().filter(|(known, _)| known == name);
        mine.map(|(_, value)| value.trim()).find(|value| !value.is_empty())
    }

    /// The names sent with something in them, each once, in order.
    pub(crate) fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for (name, value) in &self.0 {
            if !value.trim().is_empty() && !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        names
    }

    /// The same values under other names; those without one are left out.
    pub(crate) fn renamed(&self, rename: impl Fn(&str) -> Option<String>) -> Self {
        Self(self.0.iter().filter_map(|(name, value)| Some((rename(name)?, value.clone()))).collect())
    }
}

/// The parts that a value of this type is asked for in, the necessary ones first; none where it is one text.
pub(crate) fn parts(kind: FieldType) -> &'static [&'static str] {
    match kind {
        FieldType::Location => &["address", "lat", "lon"],
        FieldType::Person => &["name", "first_name", "birth_date"],
        FieldType::Organisation => &["name", "siret"],
        FieldType::Address => &["city", "street", "postcode"],
        FieldType::Text
        | FieldType::Number
        | FieldType::Integer
        | FieldType::Boolean
        | FieldType::Date
        | FieldType::Time
        | FieldType::Choice
        | FieldType::Choices
        | FieldType::Files
        | FieldType::Email
        | FieldType::Phone
        | FieldType::Iban
        | FieldType::Money => &[],
    }
}

/// The values of a form, each field's under `prefix` and its name, its parts behind a dot. Files come another way.
pub(crate) fn values(fields: &[Field], flat: &Flat, prefix: &str) -> Map<String, Value> {
    let value = |field: &Field| Some((field.field.clone(), value(field, flat, prefix)?));
    fields.iter().filter_map(value).collect()
}

fn value(field: &Field, flat: &Flat, prefix: &str) -> Option<Value> {
    let name = format!("{prefix}{}", field.field);
    let parts = parts(field.kind);
    if !parts.is_empty() {
        let part = |part: &&str| {
            let text = flat.one(&format!("{name}.{part}"))?.to_owned();
            let value = if matches!(*part, "lat" | "lon") { number(&text) } else { Value::String(text) };
            Some(((*part).to_owned(), value))
        };
        let found: Map<String, Value> = parts.iter().filter_map(part).collect();
        return (!found.is_empty()).then_some(Value::Object(found));
    }
    let text = flat.one(&name);
    match field.kind {
        FieldType::Choices => {
            let chosen: Vec<Value> = flat.all(&name).map(Value::from).collect();
            (!chosen.is_empty()).then_some(Value::Array(chosen))
        }
        FieldType::Number => text.map(number),
        FieldType::Integer => text.map(|text| match text.replace(BLANKS, "").parse::<i64>() {
            Ok(whole) => whole.into(),
            Err(_) => number(text),
        }),
        FieldType::Boolean => text.map(boolean),
        FieldType::Date => text.map(|text| date(text).into()),
        FieldType::Time => text.map(|text| time(text).into()),
        FieldType::Money => text.map(|text| match text.rsplit_once(' ') {
            Some((amount, currency)) if currency.len() == 3 => {
                json!({ "amount": amount.replace(BLANKS, ""), "currency": currency })
            }
            Some(_) | None => json!({ "amount": text.replace(BLANKS, "") }),
        }),
        FieldType::Text | FieldType::Choice | FieldType::Email | FieldType::Phone | FieldType::Iban => {
            text.map(Value::from)
        }
        FieldType::Files
        | FieldType::Location
        | FieldType::Person
        | FieldType::Organisation
        | FieldType::Address => None,
    }
}

/// Blanks that people put between digits.
const BLANKS: [char; 3] = [' ', '\u{a0}', '\u{202f}'];

/// A decimal number with a point or a comma; the text itself where it is none.
fn number(text: impl AsRef<str>) -> Value {
    let text = text.as_ref();
    let plain = text.replace(BLANKS, "").replace(',', ".");
    let digits =
        plain.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+' | b'e' | b'E'));
    let number = plain.parse::<f64>().ok().filter(|_| digits).and_then(Number::from_f64);
    number.map_or_else(|| text.into(), Value::Number)
}

fn boolean(text: &str) -> Value {
    match text.to_lowercase().as_str() {
        "true" | "1" | "on" | "yes" | "oui" => true.into(),
        "false" | "0" | "off" | "no" | "non" => false.into(),
        _ => text.into(),
    }
}

/// The day of an instant in ISO 8601, as it is written there; other texts as they are.
fn date(text: &str) -> &str {
    match text.split_at_checked(10) {
        Some((day, rest)) if rest.starts_with(['T', 't', ' ']) => day,
        Some(_) | None => text,
    }
}

/// The hour and minute of a time with seconds, as some browsers send it; other texts as they are.
fn time(text: &str) -> &str {
    match text.split_at_checked(5) {
        Some((minute, rest)) if rest.starts_with(':') && rest.len() == 3 => minute,
        Some(_) | None => text,
    }
}

#[cfg(test)]
mod tests {
    use guichet_engine::rules::text::Text;

    use super::*;

    fn field(name: &str, kind: FieldType) -> Field {
        Field {
            field: name.into(),
            kind,
            label: Text::new(name, ""),
            help: None,
            required: Default::default(),
            shown_when: None,
            options: Vec::new(),
            accept: Vec::new(),
            at_most: None,
            max_size: None,
            min: None,
            max: None,
            max_length: None,
            personal: false,
        }
    }

    #[test]
    fn texts_become_what_their_fields_hold_and_what_does_not_fit_stays_a_text() {
        let fields = [
            field("n", FieldType::Number),
            field("i", FieldType::Integer),
            field("b", FieldType::Boolean),
            field("d", FieldType::Date),
            field("t", FieldType::Time),
            field("c", FieldType::Choices),
            field("p", FieldType::Location),
            field("who", FieldType::Person),
            field("m", FieldType::Money),
            field("s", FieldType::Text),
        ];
        let sent = "n=1%C2%A0234,5&i=12&b=Oui&d=2026-11-03T10:00:00%2B01:00&t=09:30:00&c=x&c=&c=y&p.lat=48,957&p.lon=4.363\
            &p.address=+&who.name=Zo%C3%A9&m=12,50&s=a%0D%0Ab";
        let values = super::values(&fields, &Flat::parse(sent.as_bytes()).unwrap(), "");
        assert_eq!(
            Value::Object(values),
            json!({
                "n": 1234.5, "i": 12, "b": true, "d": "2026-11-03", "t": "09:30", "c": ["x", "y"],
                "p": { "lat": 48.957, "lon": 4.363 }, "who": { "name": "Zoé" }, "m": { "amount": "12,50" }, "s": "a\nb",
            })
        );
        let wrong = Flat::parse(b"f.n=twelve&f.i=1.5&f.b=perhaps&f.p.lat=NaN&f.d=&f.c=").unwrap();
        let values = super::values(&fields, &wrong, "f.");
        assert_eq!(
            Value::Object(values),
            json!({ "n": "twelve", "i": 1.5, "b": "perhaps", "p": { "lat": "NaN" } })
        );
    }

    #[test]
    fn what_is_no_text_is_refused() {
        for sent in [&b"a=%FF"[..], b"a=%00", b"%C3=1", b"a=\xff", b"a=%1B"] {
            assert_eq!(Flat::parse(sent).unwrap_err().code, "form.characters");
        }
        let many = "a=1&".repeat(PAIRS_MAX + 1);
        assert_eq!(Flat::parse(many.as_bytes()).unwrap_err().code, "form.too_many");
        let long = format!("{}=1", "a".repeat(NAME_BYTES_MAX + 1));
        assert_eq!(Flat::parse(long.as_bytes()).unwrap_err().code, "form.too_many");
    }
}
