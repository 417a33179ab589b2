//! What stands in a recorded scenario for what people said of themselves: invented, and valid where it stands.
//!
//! Telephone numbers are of the range set aside for fiction (ARCEP, 06 39 98), mail addresses end in `.example`
//! (RFC 2606), the bank account is of a bank that does not exist.

use serde_json::{Map, Value, json};

use crate::process::{Field, FieldType};
use crate::request::SocialAddress;
use crate::request::bindings::is_personal;
use crate::request::{Contact, Requester, RequesterInput};
use crate::text::Language;

/// What stands for a free text.
pub(super) fn text(language: Language) -> &'static str {
    match language {
        Language::Fr => "Texte retiré.",
        Language::En => "Text taken out.",
    }
}

/// The requester, invented as far as they could be reached.
pub(super) fn requester(of: &Requester) -> RequesterInput {
    let given = |given: bool, value: &str| given.then(|| value.to_owned());
    RequesterInput {
        kind: of.kind,
        language: of.language,
        preferred: of.preferred,
        account: of.account,
        account_id: None,
        contact: Contact {
            name: given(of.named, "Usager Exemple"),
            email: given(of.by_email, "usager@exemple.example"),
            phone: given(of.by_sms, "+33639989999"),
            address: given(of.by_letter, "1 rue de l’Exemple, 00000 Exempleville"),
            social: of.by_social.then(|| {
                Box::new(SocialAddress {
                    platform: "exemple".to_owned(),
                    thread: "fil".to_owned(),
                    author: "@exemple".to_owned(),
                })
            }),
        },
    }
}

/// A form or report without what identifies anyone. Of choices, numbers, dates and the like, the values stay, because
/// rules read them; what people wrote in their own words does not.
pub(super) fn form(fields: &[Field], given: &Map<String, Value>, language: Language) -> Map<String, Value> {
    let known = given.iter().filter(|(_, value)| value.get("$kept").is_none());
    let pairs = known.filter_map(|(name, value)| {
        let field = fields.iter().find(|field| field.field == *name)?;
        let personal = field.personal || field.kind.is_personal() || is_personal(value);
        let value = if personal { invented(field, language) } else { plain(field, value, language) };
        Some((name.clone(), value))
    });
    pairs.collect()
}

/// A value that is nobody's own, as it may stand in a file that others read.
fn plain(field: &Field, value: &Value, language: Language) -> Value {
    match field.kind {
        FieldType::Text => words(field, language),
        // A place is public, but a hundred metres tell less than ten; the address could be somebody's.
        FieldType::Location => {
            let near = |key: &str| {
                value.get(key).and_then(Value::as_f64).map(|degrees| (degrees * 1e3).round() / 1e3)
            };
            let mut place = Map::new();
            for key in ["lat", "lon"] {
                place.extend(near(key).map(|degrees| (key.to_owned(), degrees.into())));
            }
            place.extend(value.get("area").map(|area| ("area".to_owned(), area.clone())));
            Value::Object(place)
        }
        FieldType::Files => value.as_array().into_iter().flatten().enumerate().map(file).collect(),
        FieldType::Organisation => {
            let mut organisation = Map::from_iter([("name".to_owned(), Value::from("Association Exemple"))]);
            organisation.extend(value.get("siret").map(|_| ("siret".to_owned(), "00000000000000".into())));
            Value::Object(organisation)
        }
        FieldType::Number
        | FieldType::Integer
        | FieldType::Boolean
        | FieldType::Date
        | FieldType::Time
        | FieldType::Choice
        | FieldType::Choices
        | FieldType::Person
        | FieldType::Email
        | FieldType::Phone
        | FieldType::Address
        | FieldType::Iban
        | FieldType::Money => value.clone(),
    }
}

fn words(field: &Field, language: Language) -> Value {
    let most = field.max_length.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
    text(language).chars().take(most).collect::<String>().into()
}

fn file((index, file): (usize, &Value)) -> Value {
    json!({
        "name": format!("document-{}", index + 1), "type": file.get("type"), "size": file.get("size"),
        "sha256": format!("{index:064x}"),
    })
}

/// A value for a personal field, whatever the real one was.
fn invented(field: &Field, language: Language) -> Value {
    let option = || field.options.first().map(|option| Value::from(option.value.as_str()));
    match field.kind {
        FieldType::Text => words(field, language),
        FieldType::Person => json!({ "name": "Exemple", "first_name": "Usager" }),
        FieldType::Email => "usager@exemple.example".into(),
        FieldType::Phone => "+33639989999".into(),
        FieldType::Address => {
            json!({ "street": "1 rue de l’Exemple", "postcode": "00000", "city": "Exempleville" })
        }
        FieldType::Iban => "FR7600000000000000000000000".into(),
        FieldType::Number => json!(field.min.unwrap_or(1.0)),
        FieldType::Integer => json!(whole(field.min)),
        FieldType::Boolean => false.into(),
        FieldType::Date => "2000-01-01".into(),
        FieldType::Time => "10:00".into(),
        FieldType::Choice => option().unwrap_or_default(),
        FieldType::Choices => option().into_iter().collect(),
        FieldType::Location => json!([48.957, 4.363]),
        FieldType::Files => {
            let kind = field.accept.first().map_or("application/pdf", String::as_str).replace('*', "png");
            let given = json!({ "type": kind, "size": 1000 });
            json!([file((0, &given))])
        }
        FieldType::Organisation => json!({ "name": "Association Exemple" }),
        FieldType::Money => "1.00 EUR".into(),
    }
}

/// The smallest whole number that is allowed, 1 where the sheet says nothing.
fn whole(min: Option<f64>) -> i64 {
    #[allow(clippy::cast_possible_truncation, reason = "limits of a form are far below 2^53")]
    min.map_or(1, |min| min.ceil() as i64)
}
