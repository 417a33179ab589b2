//! One row becomes one command.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, TimeZone, Utc};
use csv::ByteRecord;
use guichet_engine::Submission;
use guichet_engine::rules::process::{Definition, FieldType, Opener, Plan};
use guichet_engine::rules::request::{Actor, Command, CommandId, RequesterInput};
use guichet_engine::rules::text::Text;
use serde_json::{Map, json};
use uuid::Uuid;

use super::conditions::fold;
use super::map::{Blank, ImportMap, Lookup, ProcessRule, Received, Value};
use super::run::Locate;

/// The names from which ids of imported rows are made (RFC 9562, version 5).
const NAMESPACE: Uuid = Uuid::from_u128(0x0f5d_6a0c_3a3d_4c37_9a52_6f0b_8a11_72ed);

/// The columns of a table, by name.
pub(super) struct Columns {
    places: HashMap<String, usize>,
    pub(super) count: usize,
}

impl Columns {
    pub(super) fn new(header: &ByteRecord) -> Self {
        let name = |cell: &[u8]| String::from_utf8_lossy(cell).trim().to_owned();
        let places = header.iter().enumerate().map(|(place, cell)| (name(cell), place)).collect();
        Self { places, count: header.len() }
    }

    pub(super) fn has(&self, column: &str) -> bool {
        self.places.contains_key(column)
    }
}

/// What is needed to read rows.
pub(super) struct Reader<'a> {
    pub(super) map: &'a ImportMap,
    pub(super) columns: &'a Columns,
    pub(super) tenant: Option<&'a str>,
    pub(super) plans: HashMap<(String, String), Arc<Plan>>,
    pub(super) locate: Option<Locate>,
}

/// The values of one row.
struct Row<'a> {
    columns: &'a Columns,
    cells: Vec<&'a str>,
}

impl<'a> Row<'a> {
    fn get(&self, column: &str) -> &'a str {
        let place = self.columns.places.get(column);
        place.and_then(|place| self.cells.get(*place)).map(|cell| cell.trim()).unwrap_or_default()
    }
}

impl Reader<'_> {
    /// The command of a row, or why it is kept aside.
    pub(super) fn command(&self, record: &ByteRecord) -> Result<Submission, Text> {
        let cells: Result<Vec<&str>, _> = record.iter().map(std::str::from_utf8).collect();
        let Ok(cells) = cells else {
            return Err(Text::new("la ligne n’est pas du texte UTF-8", "the row is not UTF-8 text"));
        };
        if cells.len() != self.columns.count {
            let (found, needed) = (cells.len(), self.columns.count);
            return Err(Text::new(
                format!("{found} colonnes au lieu de {needed}"),
                format!("{found} columns instead of {needed}"),
            ));
        }
        let row = Row { columns: self.columns, cells };
        let id = row.get(&self.map.id);
        if id.is_empty() {
            return Err(blank(&self.map.id));
        }
        let occurred_at = received(&self.map.received, row.get(&self.map.received.column))?;
        let channel = looked_up(&self.map.channel, &row)?;
        let opened_by = looked_up(&self.map.opened_by, &row)?;
        let rule = self.rule(&row)?;
        let tenant = self.tenant.or(rule.tenant.as_deref()).unwrap_or(&self.map.tenant);
        let plan = self.plans.get(&(tenant.to_owned(), rule.process.clone())).ok_or_else(|| {
            Text::new(
                format!("« {} » n’est pas proposé par « {tenant} »", rule.process),
                format!("`{}` is not offered by `{tenant}`", rule.process),
            )
        })?;
        let form = self.form(&row, rule, plan.definition())?;
        // A program on its own account speaks for citizens only; what agents had recorded is taken over by the engine.
        let actor = match opened_by {
            Opener::Citizen => Actor::Integrator(self.map.name.clone()),
            Opener::Agent | Opener::Patroller => Actor::Engine,
        };
        let command_id = CommandId(Uuid::new_v5(&NAMESPACE, format!("{}\n{id}", self.map.name).as_bytes()));
        Ok(Submission {
            tenant: tenant.to_owned(),
            request: None,
            command: Command::Receive {
                process: rule.process.clone(),
                channel,
                opened_by,
                requester: RequesterInput { language: self.map.language, ..RequesterInput::default() },
                form,
                external: Some(id.to_owned()),
                answer: None,
                first_received_at: None,
                origin: None,
            },
            actor,
            command_id,
            occurred_at: Some(occurred_at),
            expected: None,
        })
    }

    fn rule(&self, row: &Row<'_>) -> Result<&ProcessRule, Text> {
        let holds = |rule: &&ProcessRule| {
            rule.when.iter().all(|condition| {
                let value = fold(row.get(&condition.column));
                condition.tests.iter().all(|test| test.holds(&value))
            })
        };
        self.map.rules.iter().find(holds).ok_or_else(|| {
            Text::new("aucune règle ne donne de démarche à cette ligne", "no rule gives this row a process")
        })
    }

    fn form(
        &self,
        row: &Row<'_>,
        rule: &ProcessRule,
        process: &Definition,
    ) -> Result<Map<String, serde_json::Value>, Text> {
        let mut form = Map::new();
        let own = rule.form.iter().map(|(field, value, _)| (field, value));
        let common = self.map.form.iter().map(|(field, value)| (field, value));
        for (name, value) in common.chain(own) {
            let Some(field) = process.form.iter().find(|field| field.field == *name) else { continue };
            match self.value(row, value, field.kind)? {
                Some(value) => form.insert(name.clone(), value),
                None => form.remove(name),
            };
        }
        Ok(form)
    }

    fn value(
        &self,
        row: &Row<'_>,
        value: &Value,
        kind: FieldType,
    ) -> Result<Option<serde_json::Value>, Text> {
        match value {
            Value::Constant(constant) => Ok(Some(constant.clone())),
            Value::Column(column) => {
                let text = row.get(column);
                Ok((!text.is_empty()).then(|| typed(text, kind)))
            }
            Value::Place { lat, lon, address } => {
                let (lat, lon) = (degrees(row, lat)?, degrees(row, lon)?);
                let mut place = Map::new();
                place.insert("lat".into(), json!(lat));
                place.insert("lon".into(), json!(lon));
                let address = address.as_deref().map(|column| row.get(column)).unwrap_or_default();
                if !address.is_empty() {
                    place.insert("address".into(), address.into());
                }
                if let Some(area) = self.area(row, lat, lon) {
                    place.insert("area".into(), area.into());
                }
                Ok(Some(place.into()))
            }
        }
    }

    fn area(&self, row: &Row<'_>, lat: f64, lon: f64) -> Option<String> {
        let (column, blank) = self.map.area.as_ref()?;
        let named = row.get(column);
        if !named.is_empty() {
            return Some(named.to_owned());
        }
        match blank {
            Blank::Blank => None,
            Blank::Locate => self.locate.as_ref().and_then(|locate| locate(lat, lon)),
        }
    }
}

fn blank(column: &str) -> Text {
    Text::new(format!("la colonne « {column} » est vide"), format!("the column `{column}` is blank"))
}

fn looked_up<T: Copy>(lookup: &Lookup<T>, row: &Row<'_>) -> Result<T, Text> {
    let Some(column) = &lookup.column else {
        return lookup.otherwise.ok_or_else(|| blank(""));
    };
    let value = row.get(column);
    let found = if value.is_empty() {
        lookup.blank
    } else {
        let folded = fold(value);
        lookup.map.iter().find(|(text, _)| *text == folded).map(|(_, word)| *word).or(lookup.otherwise)
    };
    found.ok_or_else(|| {
        let shown: String = value.chars().take(80).collect();
        Text::new(
            format!("« {shown} » n’est pas prévu dans la colonne « {column} »"),
            format!("`{shown}` is not provided for in the column `{column}`"),
        )
    })
}

/// A column's text as the field wants it; what does not fit is handed on, and the process refuses it by name.
fn typed(text: &str, kind: FieldType) -> serde_json::Value {
    match kind {
        FieldType::Integer => text.parse::<i64>().map_or_else(|_| text.into(), Into::into),
        FieldType::Number => text.replace(',', ".").parse::<f64>().map_or_else(|_| text.into(), Into::into),
        FieldType::Boolean => match fold(text).as_str() {
            "true" | "vrai" | "oui" | "yes" | "1" => true.into(),
            "false" | "faux" | "non" | "no" | "0" => false.into(),
            _ => text.into(),
        },
        FieldType::Text
        | FieldType::Date
        | FieldType::Time
        | FieldType::Choice
        | FieldType::Choices
        | FieldType::Location
        | FieldType::Files
        | FieldType::Person
        | FieldType::Organisation
        | FieldType::Email
        | FieldType::Phone
        | FieldType::Address
        | FieldType::Iban
        | FieldType::Money => text.into(),
    }
}

fn degrees(row: &Row<'_>, column: &str) -> Result<f64, Text> {
    let text = row.get(column);
    text.parse::<f64>().ok().filter(|number| number.is_finite()).ok_or_else(|| {
        Text::new(
            format!("la coordonnée de la colonne « {column} » n’est pas un nombre"),
            format!("the coordinate in the column `{column}` is no number"),
        )
    })
}

fn received(map: &Received, text: &str) -> Result<DateTime<Utc>, Text> {
    if text.is_empty() {
        return Err(blank(&map.column));
    }
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        return Ok(instant.with_timezone(&Utc));
    }
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
    let local = day.zip(map.at).and_then(|(day, (time, zone))| at_local(day.and_time(time), zone));
    local.ok_or_else(|| {
        let column = &map.column;
        Text::new(
            format!("la colonne « {column} » ne contient pas une date « AAAA-MM-JJ »"),
            format!("the column `{column}` holds no date `YYYY-MM-DD`"),
        )
    })
}

/// A local time as an instant. One that does not exist moves forward by the hour that was skipped; one that exists
/// twice is the first.
fn at_local(local: NaiveDateTime, zone: chrono_tz::Tz) -> Option<DateTime<Utc>> {
    let found = zone.from_local_datetime(&local).earliest();
    let found = found.or_else(|| zone.from_local_datetime(&(local + TimeDelta::hours(1))).earliest());
    found.map(|instant| instant.with_timezone(&Utc))
}
