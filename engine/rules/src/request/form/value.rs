//! One value against its field: its shape, its limits, and the canonical form in which it is recorded.

use chrono::{NaiveDate, NaiveTime};
use serde_json::{Map, Value, json};

use super::fault;
use super::text::{bank_account, email, money, phone};
use crate::process::{Field, FieldType};
use crate::request::rejection::FieldFault;

/// The longest text where the sheet says nothing, in characters.
const LONGEST_TEXT: u32 = 10_000;
/// The most files where the sheet says nothing.
const MOST_FILES: u32 = 20;
/// The largest file where the sheet says nothing, in bytes.
const LARGEST_FILE: u64 = 25 * 1024 * 1024;

/// Where faults are gathered, for one field.
struct Checker<'a> {
    field: &'a Field,
    pointer: &'a str,
    faults: &'a mut Vec<FieldFault>,
}

/// The canonical form of `value`; what is wrong with it is added to `faults`.
pub(super) fn check(field: &Field, pointer: &str, value: &Value, faults: &mut Vec<FieldFault>) -> Value {
    let mut checker = Checker { field, pointer, faults };
    checker.value(value).unwrap_or_default()
}

impl Checker<'_> {
    fn add(&mut self, code: &str, fr: impl Into<String>, en: impl Into<String>) -> Option<Value> {
        self.faults.push(fault(self.pointer, code, fr, en));
        None
    }

    fn add_at(&mut self, below: &str, code: &str, fr: impl Into<String>, en: impl Into<String>) {
        self.faults.push(fault(&format!("{}{below}", self.pointer), code, fr, en));
    }

    fn wrong_type(&mut self, fr: &str, en: &str) -> Option<Value> {
        self.add("field.type", format!("Il faut {fr}."), format!("This must be {en}."))
    }

    fn value(&mut self, value: &Value) -> Option<Value> {
        match self.field.kind {
            FieldType::Text => self.text(value),
            FieldType::Number => self.number(value),
            FieldType::Integer => self.integer(value),
            FieldType::Boolean => match value {
                Value::Bool(_) => Some(value.clone()),
                _ => self.wrong_type("oui ou non", "yes or no"),
            },
            FieldType::Date => {
                let known =
                    |text: &str| NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok() && text.len() == 10;
                self.pattern(value, known, "une date (AAAA-MM-JJ)", "a date (YYYY-MM-DD)")
            }
            FieldType::Time => {
                let known = |text: &str| NaiveTime::parse_from_str(text, "%H:%M").is_ok() && text.len() == 5;
                self.pattern(value, known, "une heure (HH:MM)", "a time of day (HH:MM)")
            }
            FieldType::Choice => self.choice(value),
            FieldType::Choices => self.choices(value),
            FieldType::Location => self.location(value),
            FieldType::Files => self.files(value),
            FieldType::Person => self.record(value, &["name"], &["first_name", "birth_date"]),
            FieldType::Organisation => self.record(value, &["name"], &["siret"]),
            FieldType::Address => self.record(value, &["city"], &["street", "postcode"]),
            FieldType::Email => self.converted(value, email, "une adresse électronique", "an e-mail address"),
            FieldType::Phone => self.converted(value, phone, "un numéro de téléphone", "a telephone number"),
            FieldType::Iban => self.converted(value, bank_account, "un IBAN valable", "a valid IBAN"),
            FieldType::Money => self.money(value),
        }
    }

    fn text(&mut self, value: &Value) -> Option<Value> {
        let Value::String(text) = value else { return self.wrong_type("un texte", "a text") };
        let most = self.field.max_length.unwrap_or(LONGEST_TEXT);
        if u32::try_from(text.chars().count()).is_ok_and(|length| length <= most) {
            return Some(value.clone());
        }
        self.add(
            "field.max_length",
            format!("{most} caractères au plus."),
            format!("At most {most} characters."),
        )
    }

    fn pattern(&mut self, value: &Value, known: impl Fn(&str) -> bool, fr: &str, en: &str) -> Option<Value> {
        match value.as_str() {
            Some(text) if text.is_empty() || known(text) => Some(value.clone()),
            Some(_) | None => self.wrong_type(fr, en),
        }
    }

    fn converted(
        &mut self,
        value: &Value,
        convert: impl Fn(&str) -> Option<String>,
        fr: &str,
        en: &str,
    ) -> Option<Value> {
        match value.as_str().map(str::trim) {
            Some("") => Some(Value::Null),
            Some(text) => match convert(text) {
                Some(canonical) => Some(canonical.into()),
                None => self.wrong_type(fr, en),
            },
            None => self.wrong_type(fr, en),
        }
    }

    fn number(&mut self, value: &Value) -> Option<Value> {
        let Some(number) = value.as_f64().filter(|number| number.is_finite()) else {
            return self.wrong_type("un nombre", "a number");
        };
        self.range(number).then(|| value.clone())
    }

    fn integer(&mut self, value: &Value) -> Option<Value> {
        let whole = value.as_i64().or_else(|| value.as_f64().and_then(whole));
        let Some(number) = whole else { return self.wrong_type("un nombre entier", "a whole number") };
        #[allow(clippy::cast_precision_loss, reason = "limits of a form are far below 2^53")]
        let comparable = number as f64;
        self.range(comparable).then(|| number.into())
    }

    fn range(&mut self, number: f64) -> bool {
        if let Some(min) = self.field.min.filter(|min| number < *min) {
            self.add("field.min", format!("Au moins {min}."), format!("At least {min}."));
            return false;
        }
        if let Some(max) = self.field.max.filter(|max| number > *max) {
            self.add("field.max", format!("Au plus {max}."), format!("At most {max}."));
            return false;
        }
        true
    }

    fn choice(&mut self, value: &Value) -> Option<Value> {
        match value.as_str() {
            Some("") => Some(Value::Null),
            Some(chosen) if self.field.options.iter().any(|option| option.value == chosen) => {
                Some(value.clone())
            }
            Some(_) => self.no_option(),
            None => self.wrong_type("un des choix", "one of the options"),
        }
    }

    fn no_option(&mut self) -> Option<Value> {
        let known: Vec<&str> = self.field.options.iter().map(|option| option.value.as_str()).collect();
        let known = known.join(", ");
        self.add("field.option", format!("Choix possibles : {known}."), format!("Possible choices: {known}."))
    }

    fn choices(&mut self, value: &Value) -> Option<Value> {
        let Value::Array(items) = value else {
            return self.wrong_type("une liste de choix", "a list of options");
        };
        let mut chosen: Vec<Value> = Vec::with_capacity(items.len());
        for item in items {
            let known = item.as_str().is_some_and(|item| self.field.options.iter().any(|o| o.value == item));
            if !known {
                return self.no_option();
            }
            if !chosen.contains(item) {
                chosen.push(item.clone());
            }
        }
        self.at_most(chosen.len(), self.field.at_most.unwrap_or(u32::MAX)).then_some(Value::Array(chosen))
    }

    fn at_most(&mut self, count: usize, most: u32) -> bool {
        let fits = u32::try_from(count).is_ok_and(|count| count <= most);
        if !fits {
            self.add("field.at_most", format!("{most} au plus."), format!("At most {most}."));
        }
        fits
    }

    fn location(&mut self, value: &Value) -> Option<Value> {
        let (fr, en) = (
            "un lieu (latitude et longitude en degrés, ou une adresse)",
            "a place (latitude and longitude in degrees, or an address)",
        );
        let mut place = Map::new();
        let (lat, lon) = match value {
            Value::Array(pair) => match pair.as_slice() {
                [lat, lon] => (lat.as_f64(), lon.as_f64()),
                _ => return self.wrong_type(fr, en),
            },
            Value::Object(object) => {
                let known = ["lat", "lon", "address", "area"];
                let texts = ["address", "area"].iter().filter_map(|key| Some((*key, object.get(*key)?)));
                for (key, text) in texts.filter(|(_, text)| !text.is_null()) {
                    if text.as_str().is_none_or(|text| text.len() > 500) {
                        return self.wrong_type(fr, en);
                    }
                    place.insert(key.into(), text.clone());
                }
                if object.keys().any(|key| !known.contains(&key.as_str())) {
                    return self.wrong_type(fr, en);
                }
                (object.get("lat").and_then(Value::as_f64), object.get("lon").and_then(Value::as_f64))
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                return self.wrong_type(fr, en);
            }
        };
        match (lat, lon) {
            (Some(lat), Some(lon)) if lat.abs() <= 90.0 && lon.abs() <= 180.0 => {
                place.insert("lat".into(), lat.into());
                place.insert("lon".into(), lon.into());
                Some(Value::Object(place))
            }
            // Whoever has no map knows the address; where it lies is found out later.
            (None, None) if names_address_alone(value) => Some(Value::Object(place)),
            _ => self.wrong_type(fr, en),
        }
    }

    fn files(&mut self, value: &Value) -> Option<Value> {
        let items = match value {
            Value::Array(items) => items.clone(),
            Value::Object(_) => vec![value.clone()],
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                return self.wrong_type("une liste de fichiers", "a list of files");
            }
        };
        if !self.at_most(items.len(), self.field.at_most.unwrap_or(MOST_FILES)) {
            return None;
        }
        let before = self.faults.len();
        let files: Vec<Value> =
            items.iter().enumerate().filter_map(|(index, item)| self.file(index, item)).collect();
        (self.faults.len() == before).then_some(Value::Array(files))
    }

    fn file(&mut self, index: usize, item: &Value) -> Option<Value> {
        let text = |key: &str| item.get(key).and_then(Value::as_str).filter(|text| text.len() <= 255);
        let is_digest = |text: &&str| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let size = item.get("size").and_then(Value::as_u64);
        let (Some(name), Some(kind), Some(size), Some(digest)) =
            (text("name"), text("type"), size, text("sha256").filter(is_digest))
        else {
            let fr = "Il faut le nom, le type, la taille et l’empreinte SHA-256 du fichier.";
            let en = "A file needs its name, type, size and SHA-256 digest.";
            self.add_at(&format!("/{index}"), "field.type", fr, en);
            return None;
        };
        let accepted = &self.field.accept;
        if !accepted.is_empty() && !accepted.iter().any(|pattern| accepts(pattern, kind)) {
            let list = accepted.join(", ");
            let (fr, en) = (format!("Types acceptés : {list}."), format!("Types accepted: {list}."));
            self.add_at(&format!("/{index}/type"), "field.accept", fr, en);
        }
        let most = self.field.max_size.unwrap_or(LARGEST_FILE);
        if size > most {
            let (fr, en) = (format!("{most} octets au plus."), format!("At most {most} bytes."));
            self.add_at(&format!("/{index}/size"), "field.max_size", fr, en);
        }
        Some(json!({ "name": name, "type": kind, "size": size, "sha256": digest.to_ascii_lowercase() }))
    }

    fn record(&mut self, value: &Value, required: &[&str], optional: &[&str]) -> Option<Value> {
        let keys = required.iter().chain(optional).copied().collect::<Vec<_>>().join(", ");
        let Value::Object(object) = value else {
            return self.wrong_type(&format!("un objet avec {keys}"), &format!("an object with {keys}"));
        };
        let text = |value: &Value| value.as_str().is_some_and(|text| text.len() <= 500);
        let given = |key: &str| object.get(key).and_then(Value::as_str).is_some_and(|t| !t.trim().is_empty());
        let known = |key: &String| required.iter().chain(optional).any(|known| known == key);
        let complete = required.iter().all(|key| given(key));
        if complete && object.iter().all(|(key, value)| known(key) && (text(value) || value.is_null())) {
            let kept = object.iter().filter(|(_, value)| !value.is_null());
            return Some(Value::Object(kept.map(|(key, value)| (key.clone(), value.clone())).collect()));
        }
        self.wrong_type(&format!("un objet avec {keys}"), &format!("an object with {keys}"))
    }

    fn money(&mut self, value: &Value) -> Option<Value> {
        let Some((cents, currency)) = money(value) else {
            return self.wrong_type("un montant (« 12.50 EUR »)", "an amount (“12.50 EUR”)");
        };
        #[allow(clippy::cast_precision_loss, reason = "limits of a form are far below 2^53 cents")]
        let amount = cents as f64 / 100.0;
        let written =
            format!("{}{}.{:02}", if cents < 0 { "-" } else { "" }, (cents / 100).abs(), (cents % 100).abs());
        self.range(amount).then(|| json!({ "amount": written, "currency": currency }))
    }
}

/// Whether a place is told by its address, and nothing else that should have been a number of degrees.
fn names_address_alone(place: &Value) -> bool {
    let absent = |key: &str| place.get(key).is_none_or(Value::is_null);
    let address = place.get("address").and_then(Value::as_str);
    address.is_some_and(|text| !text.trim().is_empty()) && absent("lat") && absent("lon")
}

/// Whether a media type fits a pattern such as `image/*` or `application/pdf`.
fn accepts(pattern: &str, kind: &str) -> bool {
    pattern.strip_suffix("/*").map_or(pattern.eq_ignore_ascii_case(kind), |family| {
        kind.split_once('/').is_some_and(|(found, _)| found.eq_ignore_ascii_case(family))
    })
}

/// A decimal that is a whole number, as JSON writers in some languages send them.
fn whole(number: f64) -> Option<i64> {
    #[allow(clippy::cast_possible_truncation, reason = "checked to be whole and within the exact range")]
    (number.fract() == 0.0 && number.abs() < 9.0e15).then_some(number as i64)
}
