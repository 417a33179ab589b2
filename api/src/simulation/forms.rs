//! Forms filled in as people would: from the sheet's own fields. Which of them are shown and required is the rules'
//! business, so a form is tried against the rules, and what they name is put right.

use chrono::{DateTime, Days, NaiveDate, Utc};
use guichet_engine::rules::process::{Field, FieldType, Kind, Requirement};
use guichet_engine::rules::request::Rejection;
use serde_json::{Map, Value, json};

use super::dice::Dice;
use super::{people, words};
use crate::import::Areas;

/// How often a form is put right before it is given up.
const TRIES: usize = 8;

/// What a form is about.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) kind: Kind,
    pub(super) now: DateTime<Utc>,
    pub(super) areas: &'a Areas,
    /// Whether an agent reports, and no citizen asks.
    pub(super) report: bool,
}

/// A form that the rules take, found by trying, and what came of trying it; none if they never do.
pub(super) fn fill<T>(
    dice: &mut Dice,
    fields: &[Field],
    subject: Subject<'_>,
    attempt: impl Fn(&Map<String, Value>) -> Result<T, Rejection>,
) -> Option<(Map<String, Value>, T)> {
    let mut form = Map::new();
    for field in fields {
        let wanted = match field.required {
            Requirement::Always => true,
            Requirement::When(_) => false,
            Requirement::Optional => dice.chance(match field.kind {
                FieldType::Location => 900,
                FieldType::Boolean => 350,
                FieldType::Text | FieldType::Choice => 500,
                _ => 200,
            }),
        };
        if wanted && field.shown_when.is_none() {
            form.insert(field.field.clone(), value(dice, field, subject));
        }
    }
    for _ in 0..TRIES {
        let rejection = match attempt(&form) {
            Ok(made) => return Some((form, made)),
            Err(rejection) => rejection,
        };
        if rejection.fields.is_empty() {
            return None;
        }
        for fault in &rejection.fields {
            let name = fault.pointer.trim_start_matches('/').split('/').next().unwrap_or_default();
            let Some(field) = fields.iter().find(|field| field.field == name) else { continue };
            if fault.code == "field.not_shown" {
                form.remove(name);
            } else {
                form.insert(name.to_owned(), value(dice, field, subject));
            }
        }
    }
    None
}

fn value(dice: &mut Dice, field: &Field, subject: Subject<'_>) -> Value {
    match field.kind {
        FieldType::Text => {
            let text = if subject.report { words::reported(dice) } else { words::asked(dice, subject.kind) };
            let most = field.max_length.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
            text.chars().take(most).collect::<String>().into()
        }
        FieldType::Number => number(dice, field).map_or_else(|| json!(1.5), |n| json!(n)),
        FieldType::Integer => {
            let (least, most) = (whole(field.min).unwrap_or(1), whole(field.max).unwrap_or(12));
            dice.between(least, most.min(least.saturating_add(8))).into()
        }
        FieldType::Boolean => boolean(dice, field, subject).into(),
        FieldType::Date => date(dice, field, subject.now).to_string().into(),
        FieldType::Time => format!("{:02}:{:02}", dice.between(9, 16), dice.between(0, 3) * 15).into(),
        FieldType::Choice => {
            dice.pick(&field.options).map(|option| option.value.clone()).unwrap_or_default().into()
        }
        FieldType::Choices => {
            dice.pick(&field.options).map(|option| vec![option.value.clone()]).unwrap_or_default().into()
        }
        FieldType::Location => location(dice, subject.areas),
        FieldType::Files => json!([file(dice, field)]),
        FieldType::Person => {
            let (first, last) = people::name(dice);
            json!({ "name": last, "first_name": first })
        }
        FieldType::Organisation => {
            let (_, last) = people::name(dice);
            json!({ "name": format!("Établissements {last}") })
        }
        FieldType::Email => {
            let (_, last) = people::name(dice);
            let plain: String = last.to_lowercase().chars().filter(char::is_ascii_lowercase).collect();
            format!("{plain}@courriel.example").into()
        }
        FieldType::Phone => people::phone(dice).into(),
        FieldType::Address => {
            json!({ "street": people::spot(dice).street, "postcode": "51000", "city": "Châlons-en-Champagne" })
        }
        // The account that banks print in their examples.
        FieldType::Iban => "FR76 3000 6000 0112 3456 7890 189".into(),
        FieldType::Money => {
            let (least, most) = (whole(field.min).unwrap_or(5), whole(field.max).unwrap_or(400));
            json!({ "amount": format!("{}.00", dice.between(least, most.max(least))), "currency": "EUR" })
        }
    }
}

/// Dangers are rare, what an agent has checked is mostly in order.
fn boolean(dice: &mut Dice, field: &Field, subject: Subject<'_>) -> bool {
    let permille = match (field.field.as_str(), subject.report) {
        ("danger" | "hateful" | "urgent", _) => 70,
        (_, true) => 850,
        ("research", false) => 150,
        (_, false) if field.required == Requirement::Always => 700,
        (_, false) => 250,
    };
    dice.chance(permille)
}

fn number(dice: &mut Dice, field: &Field) -> Option<f64> {
    let least = field.min.unwrap_or(1.0);
    let most = field.max.unwrap_or(least + 20.0).min(least + 20.0);
    let tenth = i32::try_from(dice.between(0, 10)).ok()?;
    Some(least + ((most - least) * f64::from(tenth) / 10.0 * 10.0).floor() / 10.0)
}

fn whole(limit: Option<f64>) -> Option<i64> {
    // Limits of a form are small; what is not is no limit for an invented form.
    limit.filter(|limit| limit.abs() < 1e9).and_then(|limit| format!("{:.0}", limit.ceil()).parse().ok())
}

/// Births lie in the past, everything else ahead.
fn date(dice: &mut Dice, field: &Field, now: DateTime<Utc>) -> NaiveDate {
    let (name, today) = (field.field.as_str(), now.date_naive());
    if name.contains("birth") || name.contains("born") {
        let days = u64::try_from(dice.between(3 * 365, 80 * 365)).unwrap_or_default();
        return today.checked_sub_days(Days::new(days)).unwrap_or(today);
    }
    let days = u64::try_from(dice.between(5, 60)).unwrap_or_default();
    today.checked_add_days(Days::new(days)).unwrap_or(today)
}

fn location(dice: &mut Dice, areas: &Areas) -> Value {
    let spot = people::spot(dice);
    let mut place = json!({ "lat": spot.lat, "lon": spot.lon, "address": spot.street });
    if let (Some(area), Some(object)) = (areas.find(spot.lat, spot.lon), place.as_object_mut()) {
        object.insert("area".into(), area.into());
    }
    place
}

/// An attachment by its digest, as the object store would name it; nothing stands behind an invented one.
fn file(dice: &mut Dice, field: &Field) -> Value {
    let kind = field.accept.iter().find(|kind| !kind.contains('*')).map_or("image/jpeg", String::as_str);
    let ending = match kind {
        "application/pdf" => "pdf",
        "image/png" => "png",
        _ => "jpg",
    };
    let digest: String =
        (0..64).filter_map(|_| char::from_digit(u32::try_from(dice.below(16)).ok()?, 16)).collect();
    let most = i64::try_from(field.max_size.unwrap_or(1 << 20)).unwrap_or(1 << 20).min(1 << 20);
    let size = dice.between(most / 16, most);
    json!({ "name": format!("piece-{}.{ending}", dice.between(1, 999)), "type": kind, "size": size, "sha256": digest })
}
