//! What the tests share: the five calendars, and short ways to write instants.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::OnceLock;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use guichet_rules::calendar::{Calendar, CalendarSheet};
use guichet_rules::commitment::{Budget, MonthRule, NoDue, Pause, due_instant};
use proptest::prelude::ProptestConfig;

pub(crate) const NAMES: [&str; 5] = ["mairie", "guichet-samedi", "strasbourg", "astreinte", "la-reunion"];

/// A file of the repository's `tests/` folder.
pub(crate) fn file(name: &str) -> String {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "..", "tests", name].iter().collect();
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(crate) fn sheet(name: &str) -> CalendarSheet {
    serde_saphyr::from_str(&file(&format!("calendars/{name}.yaml"))).unwrap()
}

pub(crate) fn calendar(name: &str) -> Calendar {
    static CALENDARS: OnceLock<BTreeMap<String, Calendar>> = OnceLock::new();
    let compiled = |name: &str| (name.to_owned(), Calendar::compile(&sheet(name)).unwrap());
    CALENDARS.get_or_init(|| NAMES.into_iter().map(compiled).collect())[name].clone()
}

/// So many cases of a property, or as many as `PROPTEST_CASES` says.
pub(crate) fn cases(usual: u32) -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    ProptestConfig { cases: asked.unwrap_or(usual), failure_persistence: None, ..ProptestConfig::default() }
}

pub(crate) fn all_calendars() -> BTreeMap<String, Calendar> {
    NAMES.into_iter().map(|name| (name.to_owned(), calendar(name))).collect()
}

/// A calendar written as YAML.
pub(crate) fn written(yaml: &str) -> Calendar {
    Calendar::compile(&serde_saphyr::from_str(yaml).unwrap()).unwrap()
}

pub(crate) fn utc(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().with_timezone(&Utc)
}

/// An instant by the wall clock of the calendar, `2026-05-07 16:50`.
pub(crate) fn at(calendar: &Calendar, text: &str) -> DateTime<Utc> {
    calendar.instant(NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap()).unwrap()
}

/// An instant as the wall clock of the calendar shows it.
pub(crate) fn shown(calendar: &Calendar, instant: DateTime<Utc>) -> String {
    instant.with_timezone(&calendar.zone()).format("%Y-%m-%d %H:%M").to_string()
}

pub(crate) fn budget(text: &str) -> Budget {
    text.parse().unwrap()
}

/// The due instant, same-day rule.
pub(crate) fn try_due(
    calendar: &Calendar,
    from: DateTime<Utc>,
    within: &str,
    pauses: &[Pause],
) -> Result<DateTime<Utc>, NoDue> {
    due_instant(calendar, from, budget(within), MonthRule::SameDay, pauses)
}

/// The due instant by the wall clock, from a start by the wall clock, same-day rule.
pub(crate) fn due_at(calendar: &Calendar, from: &str, within: &str, pauses: &[(&str, &str)]) -> String {
    let pauses: Vec<Pause> =
        pauses.iter().map(|(from, until)| Pause::new(at(calendar, from), at(calendar, until))).collect();
    shown(calendar, try_due(calendar, at(calendar, from), within, &pauses).unwrap())
}

pub(crate) fn minutes(n: i64) -> TimeDelta {
    TimeDelta::minutes(n)
}
