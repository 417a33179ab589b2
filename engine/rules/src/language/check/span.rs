//! Durations of several units, compared without a date: only what is sure on every day counts.

use std::collections::BTreeMap;

use crate::calendar::{CalendarSheet, Interval};
use crate::commitment::{Budget, Unit};
use crate::text::Language;

const DAY: u64 = 24 * 60;
/// More public holidays than any set has in a year, and than fall into any shorter time.
const HOLIDAYS: u64 = 20;

/// How fast the open time of a calendar goes by, at best and at worst.
#[derive(Debug)]
pub(super) struct Pace {
    /// Open weekdays in a week, at least one.
    open_days: u64,
    /// Open minutes of the shortest and of the longest open day.
    shortest: u64,
    longest: u64,
    /// Open minutes of a week.
    weekly: u64,
    /// Days that closures take away, and that extra openings may add.
    closed: u64,
    extra: u64,
}

impl Pace {
    pub(super) fn of(calendar: &CalendarSheet) -> Self {
        let minutes = |hours: &[Interval]| -> u64 {
            hours.iter().map(|h| u64::from(h.closes().saturating_sub(h.opens()))).sum()
        };
        let week: Vec<u64> = calendar.hours.values().map(|h| minutes(h)).filter(|m| *m > 0).collect();
        let openings = calendar.openings.iter().map(|o| minutes(&o.hours)).filter(|m| *m > 0);
        let extra_longest = openings.clone().max().unwrap_or_default();
        let all = || week.iter().copied().chain(openings.clone());
        let closed =
            calendar.closures.iter().map(|c| (c.until - c.from).num_days().max(0).unsigned_abs() + 1);
        Self {
            open_days: u64::try_from(week.len()).unwrap_or(7).max(1),
            shortest: all().min().unwrap_or(1),
            // Extra hours add to those of an open day.
            longest: week.iter().max().copied().unwrap_or_default() + extra_longest,
            weekly: week.iter().sum::<u64>().max(1),
            closed: closed.sum(),
            extra: u64::try_from(openings.count()).unwrap_or_default(),
        }
    }

    /// The most minutes on any clock that so many weeks of open time can last.
    fn most_of_weeks(&self, weeks: u64) -> u64 {
        let years = weeks / 50 + 1;
        (weeks * 7 + self.closed + HOLIDAYS * years) * DAY
    }

    /// The most minutes on any clock that a budget can last.
    fn most(&self, budget: Budget) -> u64 {
        let amount = u64::from(budget.amount());
        match budget.unit() {
            Unit::Minutes => amount,
            Unit::Hours => amount * 60,
            // A calendar term ends with a day, and may have begun as one did.
            Unit::Days => (amount + 1) * DAY,
            Unit::Months => (amount * 31 + 2) * DAY,
            Unit::Years => (amount * 366 + 2) * DAY,
            Unit::WorkingDays => self.most_of_weeks((amount + 1) / self.open_days + 2),
            Unit::WorkingHours => self.most_of_weeks(amount * 60 / self.weekly + 2),
            Unit::WorkingMinutes => self.most_of_weeks(amount / self.weekly + 2),
        }
    }
}

/// Several durations, one after the other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Sum(BTreeMap<Unit, u64>);

impl Sum {
    pub(super) fn add(&mut self, budget: Budget) {
        *self.0.entry(budget.unit()).or_default() += u64::from(budget.amount());
    }

    fn of(&self, units: &[(Unit, u64)]) -> u64 {
        units.iter().map(|(unit, factor)| self.0.get(unit).copied().unwrap_or_default() * factor).sum()
    }

    fn working_minutes(&self) -> u64 {
        self.of(&[(Unit::WorkingHours, 60), (Unit::WorkingMinutes, 1)])
    }

    fn working_days(&self) -> u64 {
        self.of(&[(Unit::WorkingDays, 1)])
    }

    /// The least minutes on any clock that the parts counted in calendar time can last.
    fn calendar(&self) -> u64 {
        self.of(&[
            (Unit::Minutes, 1),
            (Unit::Hours, 60),
            (Unit::Days, DAY),
            (Unit::Months, 28 * DAY),
            (Unit::Years, 365 * DAY),
        ])
    }

    /// The least minutes on any clock that all of it can last.
    pub(super) fn least(&self, pace: &Pace) -> u64 {
        let days = self.working_days();
        let nights = days.saturating_sub(1);
        let weekends = nights / pace.open_days * 7_u64.saturating_sub(pace.open_days);
        let working_days = match days {
            0 => 0,
            _ => (nights + weekends).saturating_sub(pace.extra) * DAY + pace.shortest,
        };
        let open = self.working_minutes();
        let weeks = (open / pace.weekly).saturating_sub(pace.extra);
        let working_time = weeks * 7 * DAY + open.min(pace.weekly);
        working_days + working_time.max(open) + self.calendar()
    }

    /// Whether it takes longer than `given` on every day of the year, if each part takes all of its time.
    pub(super) fn surely_exceeds(&self, given: Budget, pace: &Pace) -> bool {
        let amount = u64::from(given.amount());
        let in_kind = match given.unit() {
            Unit::WorkingDays => {
                let days = self.working_days();
                // What is left of the days, the day of the start included, must hold the hours.
                days > amount || self.working_minutes() > (amount - days + 1) * pace.longest
            }
            Unit::WorkingHours => self.open_minutes(pace) > amount * 60,
            Unit::WorkingMinutes => self.open_minutes(pace) > amount,
            Unit::Minutes => self.calendar() > amount,
            Unit::Hours => self.calendar() > amount * 60,
            Unit::Days => self.of(&[(Unit::Days, 1)]) > amount,
            Unit::Months => self.of(&[(Unit::Months, 1), (Unit::Years, 12)]) > amount,
            Unit::Years => self.of(&[(Unit::Months, 1), (Unit::Years, 12)]) > amount * 12,
        };
        in_kind || self.least(pace) > pace.most(given)
    }

    /// The least open minutes of the parts counted in open time.
    fn open_minutes(&self, pace: &Pace) -> u64 {
        self.working_minutes() + self.working_days() * pace.shortest
    }

    /// `3 working days and 4 working hours`.
    pub(super) fn in_words(&self, language: Language) -> String {
        let and = match language {
            Language::Fr => " et ",
            Language::En => " and ",
        };
        let parts = self.0.iter().filter_map(|(unit, amount)| {
            let amount = u32::try_from(*amount).unwrap_or(u32::MAX).min(unit.most());
            Some(Budget::new(amount, *unit).ok()?.in_words(language))
        });
        parts.collect::<Vec<_>>().join(and)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace() -> Pace {
        let sheet = serde_json::json!({
            "calendar": "mairie", "zone": "Europe/Paris", "holidays": "FR",
            "hours": { "mon": ["09:00-17:00"], "tue": ["09:00-17:00"], "wed": ["09:00-17:00"],
                       "thu": ["09:00-17:00"], "fri": ["09:00-12:00"] },
        });
        Pace::of(&serde_json::from_value(sheet).unwrap())
    }

    #[test]
    fn only_what_is_sure_is_too_long() {
        for (parts, given, too_long) in [
            (&["1 working day", "2 working days"][..], "2 working days", true),
            (&["1 working day", "2 working days"], "3 working days", false),
            (&["90 working minutes", "1 working hour"], "2 working hours", true),
            (&["1 working day"], "2 working hours", true),
            (&["1 working day"], "3 working hours", false),
            // Three days promised, two taken: two afternoons and the day of the start are left.
            (&["2 working days", "16 working hours"], "3 working days", false),
            (&["2 working days", "17 working hours"], "3 working days", true),
            (&["10 days", "5 days"], "14 days", true),
            (&["10 days", "5 days"], "15 days", false),
            (&["2 working days"], "24 hours", true),
            (&["2 working days"], "48 hours", false),
            (&["30 working days"], "1 month", true),
            (&["20 working days"], "1 month", false),
            (&["1 month"], "2 working days", false),
            (&["1 year"], "2 working days", true),
            (&["13 months"], "1 year", true),
            (&["3 hours"], "2 working hours", false),
        ] {
            let mut sum = Sum::default();
            parts.iter().for_each(|part| sum.add(part.parse().unwrap()));
            assert_eq!(sum.surely_exceeds(given.parse().unwrap(), &pace()), too_long, "{parts:?} in {given}");
        }
    }
}
