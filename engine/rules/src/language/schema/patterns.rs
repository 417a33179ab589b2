//! Scalars: their types and the patterns of their texts, as wide as the reader takes them.

use serde_json::{Map, Value, json};

use crate::language::grammar::{Referent, Shape};

/// A day; whether there is such a day, the reader knows.
const DATE: &str = "[0-9]{4}-[0-9]{2}-[0-9]{2}";

/// A scalar.
pub(super) fn scalar(shape: &Shape) -> Map<String, Value> {
    let schema = match shape {
        Shape::Any => json!({}),
        Shape::Boolean => json!({ "type": "boolean" }),
        Shape::Done => json!({ "enum": [true] }),
        Shape::Integer(least, most) => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Shape::Number => json!({ "type": "number" }),
        Shape::Expression => json!({ "type": ["string", "boolean"], "pattern": "\\S" }),
        Shape::Size => {
            let units = "B|KiB|kB|KB|ko|Ko|MiB|MB|Mo";
            let text = format!("^[0-9]+\\s*({units})?\\s*$");
            typed(json!(["string", "integer"]), &text, "une taille, `10 MiB`", "a size, `10 MiB`")
        }
        Shape::Character => {
            let text = "^[\\x00-\\t\\x0b\\x0c\\x0e-!#-\\x7f]$";
            typed(json!(["string", "integer"]), text, "un seul caractère ASCII", "one ASCII character")
        }
        Shape::Own(Referent::Field | Referent::Task) => pattern(
            "^[a-z][a-z0-9_]*$",
            "minuscules sans accent, chiffres et `_`",
            "lower-case letters, digits and `_`",
        ),
        Shape::Own(Referent::Tenant) => {
            pattern("^[a-z][a-z0-9]*$", "minuscules sans accent et chiffres", "lower-case letters and digits")
        }
        other => match texts(other) {
            Some((text, fr, en)) => pattern(&text, fr, en),
            // A number or a date is as good as any text.
            None => json!({ "type": ["string", "number"], "pattern": "\\S" }),
        },
    };
    match schema {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn pattern(text: &str, fr: &str, en: &str) -> Value {
    typed("string".into(), text, fr, en)
}

fn typed(types: Value, text: &str, fr: &str, en: &str) -> Value {
    let said = format!("Il faut {fr}. · This must be {en}.");
    json!({ "type": types, "pattern": text, "patternErrorMessage": said })
}

/// The pattern of a text and what it is called.
fn texts(shape: &Shape) -> Option<(String, &'static str, &'static str)> {
    let unit = "((working[\\s_]+)?(day|hour|minute)|month|year)s?[\\s_]*";
    Some(match shape {
        Shape::Date => (format!("^{DATE}$"), "un jour, `2026-05-07`", "a day, `2026-05-07`"),
        Shape::LocalTime => (
            format!("^{DATE}[T ][0-9]{{2}}:[0-9]{{2}}(:[0-9]{{2}})?$"),
            "un moment, `2026-05-07T16:50`",
            "a moment, `2026-05-07T16:50`",
        ),
        Shape::Instant => (
            format!(
                "^{DATE}[Tt ][0-9]{{2}}:[0-9]{{2}}(:[0-9]{{2}}(\\.[0-9]+)?([Zz]|[+−-][0-9]{{2}}:?[0-9]{{2}})?)?$"
            ),
            "un moment, `2026-05-07T16:50`",
            "a moment, `2026-05-07T16:50`",
        ),
        Shape::TimeOfDay => {
            ("^[0-9]{2}:[0-9]{2}$".to_owned(), "une heure, `12:00`", "a time of day, `12:00`")
        }
        Shape::Hours => (
            "^\\s*[0-9]{2}:[0-9]{2}\\s*[-–]\\s*[0-9]{2}:[0-9]{2}\\s*$".to_owned(),
            "des heures, `09:00-17:00`",
            "hours, `09:00-17:00`",
        ),
        Shape::Duration => (
            format!("^\\s*[0-9]+\\s[\\s_]*{unit}$"),
            "une durée, `2 working days` : working days, working hours, working minutes, minutes, hours, days, months ou years",
            "a duration, `2 working days`: working days, working hours, working minutes, minutes, hours, days, months or years",
        ),
        Shape::Retention => (
            format!("^\\s*[0-9]+\\s[\\s_]*{unit} after\\s+closed\\s*$"),
            "une conservation, `2 years after closed`",
            "a retention, `2 years after closed`",
        ),
        Shape::Percentage => (
            "^\\s*\\+?0*[1-9][0-9]?\\s*%$".to_owned(),
            "une part de `1%` à `99%`",
            "a share from `1%` to `99%`",
        ),
        Shape::Money => (
            "^\\s*\\+?[0-9]+(\\.[0-9]{0,2})?\\s*(EUR|€)$".to_owned(),
            "un montant, `12.00 EUR`",
            "an amount, `12.00 EUR`",
        ),
        Shape::Email => {
            ("^[^@\\s]+@[^@\\s]*\\.[^@\\s]*$".to_owned(), "une adresse électronique", "an e-mail address")
        }
        Shape::EndOfTask => {
            ("^task:".to_owned(), "la fin d’une tâche, `task:x`", "the end of a task, `task:x`")
        }
        Shape::Party(among) => party(among),
        _ => return None,
    })
}

fn party(among: &[Referent]) -> (String, &'static str, &'static str) {
    let kinds = [(Referent::Role, "role"), (Referent::Service, "service"), (Referent::Person, "person")];
    let kinds: Vec<&str> =
        kinds.iter().filter(|(kind, _)| among.contains(kind)).map(|(_, word)| *word).collect();
    let mut text = format!("^\\s*({})\\s*:\\s*\\S", kinds.join("|"));
    for (kind, word) in [(Referent::ServiceInCharge, "service"), (Referent::Requester, "requester")] {
        if among.contains(&kind) {
            text.push_str(&format!("|^{word}$"));
        }
    }
    if among == [Referent::Service] {
        (text, "un service, `service:x`", "a service, `service:x`")
    } else if among.contains(&Referent::Requester) {
        (text, "`role:x`, `person:x` ou `requester`", "`role:x`, `person:x` or `requester`")
    } else {
        (
            text,
            "`role:x`, `service:x`, `person:x` ou `service`",
            "`role:x`, `service:x`, `person:x` or `service`",
        )
    }
}
