//! How long something may take: `2 working days`, `1 working hour`, `2 months`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::text::Language;

/// What a budget is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Closings of open dates after the date of the start.
    WorkingDays,
    /// Hours of open time.
    WorkingHours,
    /// Minutes of open time.
    WorkingMinutes,
    /// Minutes on any clock, open or not.
    Minutes,
    /// Hours on any clock, open or not.
    Hours,
    /// Calendar dates after the date of the start.
    Days,
    /// Months, from day-number to day-number.
    Months,
    /// Years: twelve months each.
    Years,
}

impl Unit {
    /// Every unit.
    pub const ALL: [Self; 8] = [
        Self::WorkingDays,
        Self::WorkingHours,
        Self::WorkingMinutes,
        Self::Minutes,
        Self::Hours,
        Self::Days,
        Self::Months,
        Self::Years,
    ];

    /// The largest amount of this unit that a budget may have: a hundred years, ten thousand working days.
    #[must_use]
    pub fn most(self) -> u32 {
        match self {
            Self::WorkingDays => 10_000,
            Self::WorkingHours => 100_000,
            Self::WorkingMinutes => 6_000_000,
            Self::Minutes => 52_596_000,
            Self::Hours => 876_600,
            Self::Days => 36_525,
            Self::Months => 1_200,
            Self::Years => 100,
        }
    }

    /// The key used in data: `working_days`.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::WorkingDays => "working_days",
            Self::WorkingHours => "working_hours",
            Self::WorkingMinutes => "working_minutes",
            Self::Minutes => "minutes",
            Self::Hours => "hours",
            Self::Days => "days",
            Self::Months => "months",
            Self::Years => "years",
        }
    }

    /// The unit of that name: singular or plural, words separated by a space or an underscore.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let words = name.replace('_', " ");
        let words = words.split_whitespace().collect::<Vec<_>>().join("_");
        let plural = if words.ends_with('s') { words } else { words + "s" };
        Self::ALL.into_iter().find(|unit| unit.key() == plural)
    }

    /// Whether it counts only the open time, or the open dates, of a calendar.
    #[must_use]
    pub fn is_working(self) -> bool {
        match self {
            Self::WorkingDays | Self::WorkingHours | Self::WorkingMinutes => true,
            Self::Minutes | Self::Hours | Self::Days | Self::Months | Self::Years => false,
        }
    }
}

/// How long something may take: an amount and a unit, written `2 working days`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Budget {
    amount: u32,
    unit: Unit,
}

/// A budget that cannot be read, or that is too long to promise anything.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BudgetError {
    /// Not an amount and a unit.
    #[error("`{0}` is not a duration; write an amount and a unit, such as `2 working days`")]
    Unreadable(String),
    /// The unit is not known.
    #[error(
        "`{0}` is not a unit of time; known are working days, working hours, working minutes, minutes, hours, days, months, years"
    )]
    UnknownUnit(String),
    /// The amount is beyond the limit of its unit.
    #[error("{amount} {unit} is too long; at most {most} are allowed", unit = .unit.key().replace('_', " "), most = .unit.most())]
    TooLong {
        /// The amount that was asked for.
        amount: u64,
        /// Its unit.
        unit: Unit,
    },
}

impl Budget {
    /// A budget of so many units.
    ///
    /// # Errors
    /// If the amount is beyond [`Unit::most`].
    pub fn new(amount: u32, unit: Unit) -> Result<Self, BudgetError> {
        if amount > unit.most() {
            return Err(BudgetError::TooLong { amount: amount.into(), unit });
        }
        Ok(Self { amount, unit })
    }

    /// How many units.
    #[must_use]
    pub fn amount(self) -> u32 {
        self.amount
    }

    /// What is counted.
    #[must_use]
    pub fn unit(self) -> Unit {
        self.unit
    }

    /// The budget in words: `2 jours ouvrés`, `2 working days`.
    #[must_use]
    pub fn in_words(self, language: Language) -> String {
        let one = self.amount == 1;
        let words = match language {
            Language::En => return self.to_string(),
            // French says « 0 jour » in the singular.
            Language::Fr if one || self.amount == 0 => match self.unit {
                Unit::WorkingDays => "jour ouvré",
                Unit::WorkingHours => "heure ouvrée",
                Unit::WorkingMinutes => "minute ouvrée",
                Unit::Minutes => "minute",
                Unit::Hours => "heure",
                Unit::Days => "jour",
                Unit::Months => "mois",
                Unit::Years => "an",
            },
            Language::Fr => match self.unit {
                Unit::WorkingDays => "jours ouvrés",
                Unit::WorkingHours => "heures ouvrées",
                Unit::WorkingMinutes => "minutes ouvrées",
                Unit::Minutes => "minutes",
                Unit::Hours => "heures",
                Unit::Days => "jours",
                Unit::Months => "mois",
                Unit::Years => "ans",
            },
        };
        format!("{} {words}", self.amount)
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = self.unit.key().replace('_', " ");
        let unit = if self.amount == 1 { plural.trim_end_matches('s') } else { &plural };
        write!(f, "{} {unit}", self.amount)
    }
}

impl FromStr for Budget {
    type Err = BudgetError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let shown = || text.chars().take(60).collect::<String>();
        let text = text.trim();
        let (amount, name) =
            text.split_once(char::is_whitespace).ok_or_else(|| BudgetError::Unreadable(shown()))?;
        if amount.is_empty() || !amount.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(BudgetError::Unreadable(shown()));
        }
        let name = name.trim();
        let unit =
            Unit::from_name(name).ok_or_else(|| BudgetError::UnknownUnit(name.chars().take(60).collect()))?;
        let amount: u64 = amount.parse().unwrap_or(u64::MAX);
        let small = u32::try_from(amount).map_err(|_| BudgetError::TooLong { amount, unit })?;
        Self::new(small, unit)
    }
}

impl Serialize for Budget {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Budget {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'_, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Budget {
    fn schema_name() -> Cow<'static, str> {
        "Budget".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "How long something may take: an amount and a unit, such as 2 working days.",
            "pattern": "^[0-9]+ (working (day|hour|minute)|minute|hour|day|month|year)s?$",
            "examples": ["1 working hour", "2 working days", "2 months"]
        })
    }
}

/// How months and years end. Sources of French law differ by one day, so a process says which one it follows.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum MonthRule {
    /// At the end of the same day-number, or of the month's last day where there is none.
    #[default]
    SameDay,
    /// At the end of the day after that: the day of filing does not count.
    DayAfter,
}
