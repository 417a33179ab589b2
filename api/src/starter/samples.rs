//! Values for a first scenario: valid by their type, and nobody's.

use guichet_engine::rules::process::{Field, FieldType};
use serde_json::{Value, json};

/// A value that the field takes.
pub(super) fn sample(field: &Field) -> Value {
    let least = field.min.unwrap_or(1.0).max(field.max.map_or(1.0, |most| most.min(1.0)));
    match field.kind {
        FieldType::Text => text(field).into(),
        FieldType::Number => json!(least),
        // The least whole number that is allowed, as digits: limits of a form are small.
        FieldType::Integer => format!("{:.0}", least.ceil()).parse::<i64>().unwrap_or(1).into(),
        FieldType::Boolean => true.into(),
        FieldType::Date => "2026-06-15".into(),
        FieldType::Time => "10:30".into(),
        FieldType::Choice => {
            field.options.first().map(|option| option.value.clone()).unwrap_or_default().into()
        }
        FieldType::Choices => field.options.iter().take(1).map(|option| option.value.clone()).collect(),
        FieldType::Location => json!([48.957, 4.363]),
        FieldType::Files => {
            let kind = field.accept.first().map_or("image/jpeg", String::as_str).replace('*', "png");
            json!([{ "name": "piece-1", "type": kind, "size": 1024, "sha256": "0".repeat(64) }])
        }
        FieldType::Person => json!({ "name": "Martin", "first_name": "Camille" }),
        FieldType::Organisation => json!({ "name": "Association des riverains" }),
        FieldType::Email => "camille.martin@courriel.example".into(),
        FieldType::Phone => "06 39 98 12 34".into(),
        FieldType::Address => {
            json!({ "street": "3 rue de la Marne", "postcode": "51000", "city": "Châlons-en-Champagne" })
        }
        FieldType::Iban => "FR76 3000 6000 0112 3456 7890 189".into(),
        FieldType::Money => format!("{:.2} EUR", least.ceil()).into(),
    }
}

fn text(field: &Field) -> String {
    let most = field.max_length.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
    let words = if field.label.fr.is_empty() {
        "Rien à signaler"
    } else {
        field.label.fr.trim_end_matches([' ', '?', ':'])
    };
    words.chars().take(most).collect()
}
