//! The calendar as it is written and stored.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use chrono::NaiveDate;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::text::Text;

/// A calendar as a designer writes it (`calendars/*.yaml`) and as a published definition stores it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CalendarSheet {
    /// The calendar's name: the file's name without `.yaml`.
    pub calendar: String,
    /// IANA name of the zone in which its dates and hours are read, such as `Europe/Paris`.
    pub zone: String,
    /// Name of the holiday set: `FR`, `FR-alsace-moselle`, an overseas one, or `none`.
    pub holidays: String,
    /// Opening intervals of each weekday; a weekday that is not named is closed.
    pub hours: BTreeMap<Weekday, Vec<Interval>>,
    /// Dates on which the weekly hours do not hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub closures: Vec<Closure>,
    /// Extra opening hours on one date; they win over holidays and closures, and add to the hours of an open date.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub openings: Vec<Opening>,
}

impl CalendarSheet {
    /// The same calendar with its lists in order of time, so that the order in which a designer wrote them does
    /// not change the calendar's version.
    #[must_use]
    pub fn normalised(&self) -> Self {
        let mut sheet = self.clone();
        sheet.hours.retain(|_, intervals| !intervals.is_empty());
        for intervals in sheet.hours.values_mut() {
            intervals.sort();
        }
        sheet.closures.sort();
        for opening in &mut sheet.openings {
            opening.hours.sort();
        }
        sheet.openings.sort();
        sheet
    }
}

/// A day of the week, written `mon` … `sun`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Weekday {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

impl Weekday {
    /// The seven days, Monday first.
    pub const ALL: [Self; 7] = [Self::Mon, Self::Tue, Self::Wed, Self::Thu, Self::Fri, Self::Sat, Self::Sun];

    /// The key in a sheet, `mon` … `sun`.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Mon => "mon",
            Self::Tue => "tue",
            Self::Wed => "wed",
            Self::Thu => "thu",
            Self::Fri => "fri",
            Self::Sat => "sat",
            Self::Sun => "sun",
        }
    }
}

/// One opening interval of a day, written `09:00-17:00`: local wall-clock times, the end excluded, `24:00` allowed.
///
/// Any two times of day can be written; that the end comes after the start is checked when the calendar is
/// compiled, where the mistake can be pointed at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interval {
    opens: u16,
    closes: u16,
}

impl Interval {
    /// The interval between two times of day, in minutes after midnight; `None` beyond 1440 (24:00).
    #[must_use]
    pub fn from_minutes(opens: u16, closes: u16) -> Option<Self> {
        (opens <= 1440 && closes <= 1440).then_some(Self { opens, closes })
    }

    /// Minutes after local midnight at which it opens, at most 1440.
    #[must_use]
    pub fn opens(self) -> u16 {
        self.opens
    }

    /// Minutes after local midnight at which it closes, at most 1440.
    #[must_use]
    pub fn closes(self) -> u16 {
        self.closes
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (o, c) = (self.opens, self.closes);
        write!(f, "{:02}:{:02}-{:02}:{:02}", o / 60, o % 60, c / 60, c % 60)
    }
}

/// The text is not an interval such as `09:00-17:00`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an interval of opening hours; write it as `09:00-17:00`, at most until `24:00`")]
pub struct IntervalError(pub String);

impl FromStr for Interval {
    type Err = IntervalError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = text.split_once(['-', '–']).and_then(|(opens, closes)| {
            Self::from_minutes(minute_of_day(opens.trim())?, minute_of_day(closes.trim())?)
        });
        parsed.ok_or_else(|| IntervalError(text.chars().take(40).collect()))
    }
}

fn minute_of_day(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let two_digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    if !two_digits(hours) || !two_digits(minutes) {
        return None;
    }
    let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
    let total = hours * 60 + minutes;
    (minutes < 60 && total <= 1440).then_some(total)
}

impl Serialize for Interval {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Interval {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'_, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Interval {
    fn schema_name() -> Cow<'static, str> {
        "Interval".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "Opening hours of a day, local time, such as 09:00-17:00; 24:00 is allowed as the end.",
            "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]-(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"
        })
    }
}

/// Dates on which the weekly hours do not hold, both ends included.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "WrittenClosure")]
#[schemars(!try_from, deny_unknown_fields)]
pub struct Closure {
    /// First closed date.
    pub from: NaiveDate,
    /// Last closed date.
    pub until: NaiveDate,
    /// Why, for those who ask about a due date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenClosure {
    from: Option<NaiveDate>,
    until: Option<NaiveDate>,
    on: Option<NaiveDate>,
    why: Option<Text>,
}

impl TryFrom<WrittenClosure> for Closure {
    type Error = &'static str;

    fn try_from(written: WrittenClosure) -> Result<Self, Self::Error> {
        let why = written.why;
        match (written.from, written.until, written.on) {
            (Some(from), Some(until), None) => Ok(Self { from, until, why }),
            (None, None, Some(on)) => Ok(Self { from: on, until: on, why }),
            _ => Err("a closure has either `from` and `until`, or `on`"),
        }
    }
}

/// Extra opening hours on one date.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    /// The date.
    pub on: NaiveDate,
    /// The hours it is open.
    pub hours: Vec<Interval>,
    /// Why, for those who ask about a due date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Text>,
}
