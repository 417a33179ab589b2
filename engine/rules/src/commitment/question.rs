//! One question about a due instant, as a person or another program asks it: behind `guichet due`.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Deserialize;

use super::budget::{Budget, BudgetError, MonthRule, Unit};
use super::due::{Due, NoDue, due, due_instant};
use super::pause::Pause;
use crate::calendar::Calendar;
use crate::text::Language;

/// When is this due?
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// When the clock started.
    pub from: DateTime<Utc>,
    /// How long it may take.
    pub within: Budget,
    /// How months and years end.
    pub month_rule: MonthRule,
    /// What does not count.
    pub pauses: Vec<Pause>,
}

impl Question {
    /// The due instant and its explanation, by this calendar.
    ///
    /// # Errors
    /// [`NoDue`] while an unfinished pause stops the clock, or outside the years that are computed.
    pub fn due(&self, calendar: &Calendar) -> Result<Due, NoDue> {
        due(calendar, self.from, self.within, self.month_rule, &self.pauses)
    }

    /// The lines to print: the instant (RFC 3339, UTC), then, if asked for, the explanation.
    ///
    /// # Errors
    /// As [`Question::due`].
    pub fn lines(&self, calendar: &Calendar, explain: Option<Language>) -> Result<Vec<String>, NoDue> {
        let due = self.due(calendar)?;
        let mut lines = vec![written(due.at)];
        lines.extend(explain.into_iter().flat_map(|language| due.explanation.sentences(language)));
        Ok(lines)
    }
}

/// Why a line cannot be answered.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// It is not a JSON object of the expected shape.
    #[error("not a question: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// It names a calendar that is not at hand.
    #[error("there is no calendar `{0}`")]
    UnknownCalendar(String),
    /// It names no calendar, and more or less than one is at hand.
    #[error("the question names no calendar")]
    NoCalendar,
    /// It has neither `amount` and `unit` nor `within`, or both.
    #[error("the question needs either `within`, or `amount` and `unit`")]
    NoBudget,
    /// The amount is too long.
    #[error(transparent)]
    Budget(#[from] BudgetError),
    /// There is no due instant.
    #[error(transparent)]
    NoDue(#[from] NoDue),
}

#[derive(Deserialize)]
struct Line {
    calendar: Option<String>,
    from: DateTime<Utc>,
    unit: Option<Unit>,
    amount: Option<u32>,
    within: Option<Budget>,
    #[serde(default)]
    month_rule: MonthRule,
    #[serde(default)]
    pauses: Vec<(DateTime<Utc>, Option<DateTime<Utc>>)>,
}

/// Answers one line of JSON: the same object with its `due` set.
///
/// The object has `calendar` (may be left out where only one is at hand), `from`, `amount` and `unit` (or `within`),
/// `month_rule`, and `pauses` as pairs of instants, the second of which may be null. Other keys are handed back
/// as they came; a `due` that came with the question is not looked at.
///
/// # Errors
/// [`LineError`] if the line is no such object, its calendar is not at hand, or nothing is due.
pub fn answer_line(line: &str, calendars: &BTreeMap<String, Calendar>) -> Result<String, LineError> {
    let mut object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line)?;
    let asked: Line = serde_json::from_str(line)?;
    let calendar = match &asked.calendar {
        Some(name) => calendars.get(name).ok_or_else(|| LineError::UnknownCalendar(name.clone()))?,
        None => match calendars.values().collect::<Vec<_>>().as_slice() {
            [only] => only,
            _ => return Err(LineError::NoCalendar),
        },
    };
    let within = match (asked.within, asked.amount, asked.unit) {
        (Some(within), None, None) => within,
        (None, Some(amount), Some(unit)) => Budget::new(amount, unit)?,
        _ => return Err(LineError::NoBudget),
    };
    let pauses: Vec<Pause> =
        asked.pauses.iter().map(|(from, until)| Pause { from: *from, until: *until }).collect();
    let due = due_instant(calendar, asked.from, within, asked.month_rule, &pauses)?;
    object.insert("due".to_owned(), written(due).into());
    Ok(serde_json::to_string(&object)?)
}

/// An instant as the vectors write it.
fn written(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::AutoSi, false)
}
