//! Hours and days on which nobody is disturbed. Pure: the zone and the instant are arguments.

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use guichet_engine::rules::calendar::Calendar;
use serde::Deserialize;

/// How many days ahead the end of a quiet time is looked for: no town hall is closed longer than its holidays.
const DAYS_MAX: u32 = 15;

/// A span of every day, which may reach over midnight: `20:00-08:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct DailySpan {
    /// Its beginning, included.
    pub from: NaiveTime,
    /// Its end, not included.
    pub until: NaiveTime,
}

impl TryFrom<String> for DailySpan {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || "hours are written like `20:00-08:00`".to_owned();
        let time = |text: &str| NaiveTime::parse_from_str(text.trim(), "%H:%M").map_err(|_| wrong());
        let (from, until) = text.split_once('-').ok_or_else(wrong)?;
        let span = Self { from: time(from)?, until: time(until)? };
        if span.from == span.until { Err(wrong()) } else { Ok(span) }
    }
}

impl DailySpan {
    /// Whether a time of day falls in it.
    #[must_use]
    pub fn holds(&self, time: NaiveTime) -> bool {
        if self.from < self.until {
            self.from <= time && time < self.until
        } else {
            self.from <= time || time < self.until
        }
    }
}

/// When nobody is disturbed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Quiet {
    /// Every day at these hours.
    pub hours: Option<DailySpan>,
    /// And on days on which the calendar is closed.
    pub closed_days: bool,
}

impl Quiet {
    /// When the quiet time in which `at` falls is over; none where it does not fall in one. All days and hours are those of
    /// the calendar's zone. A local time that does not exist moves forward by the gap, one that exists twice is the first.
    #[must_use]
    pub fn over(&self, at: DateTime<Utc>, calendar: &Calendar) -> Option<DateTime<Utc>> {
        if !self.is_at(at, calendar) {
            return None;
        }
        // The quiet can end where its hours end, and where a day begins.
        let today = calendar.local_date(at);
        let midnight = Some(NaiveTime::MIN).filter(|_| self.closed_days);
        let ends: Vec<NaiveTime> = midnight.into_iter().chain(self.hours.map(|hours| hours.until)).collect();
        let days = (0..=DAYS_MAX).filter_map(|day| today.checked_add_days(chrono::Days::new(day.into())));
        let instants = days.flat_map(|day| ends.iter().map(move |time| day.and_time(*time)));
        let found = instants
            .filter_map(|local| calendar.instant(local))
            .find(|end| *end > at && !self.is_at(*end, calendar));
        // Whoever is never disturbed is disturbed at last: nothing is kept for ever.
        Some(found.unwrap_or(at + TimeDelta::days(DAYS_MAX.into())))
    }

    fn is_at(&self, at: DateTime<Utc>, calendar: &Calendar) -> bool {
        let time = at.with_timezone(&calendar.zone()).time();
        self.hours.is_some_and(|hours| hours.holds(time))
            || (self.closed_days && !calendar.is_open_on(calendar.local_date(at)))
    }
}

#[cfg(test)]
mod tests {
    use guichet_engine::rules::calendar::CalendarSheet;
    use serde_json::json;

    use super::*;

    fn mairie() -> Calendar {
        let day = json!(["09:00-17:00"]);
        let sheet: CalendarSheet = serde_json::from_value(json!({
            "calendar": "mairie", "zone": "Europe/Paris", "holidays": "FR",
            "hours": { "mon": day, "tue": day, "wed": day, "thu": day, "fri": day }
        }))
        .unwrap();
        Calendar::compile(&sheet).unwrap()
    }

    fn over(quiet: &Quiet, at: &str) -> Option<String> {
        let over = quiet.over(at.parse().unwrap(), &mairie());
        over.map(|over| over.format("%Y-%m-%dT%H:%MZ").to_string())
    }

    fn night() -> Quiet {
        Quiet { hours: Some("20:00-08:00".to_owned().try_into().unwrap()), closed_days: false }
    }

    #[test]
    fn a_night_ends_in_the_morning_of_the_town() {
        assert_eq!(over(&night(), "2026-11-03T18:59:59Z"), None, "19:59 in Paris");
        assert_eq!(over(&night(), "2026-11-03T19:00:00Z").unwrap(), "2026-11-04T07:00Z");
        assert_eq!(over(&night(), "2026-11-04T02:00:00Z").unwrap(), "2026-11-04T07:00Z");
        assert_eq!(over(&night(), "2026-11-04T07:00:00Z"), None);
        assert_eq!(over(&night(), "2026-07-03T18:00:00Z").unwrap(), "2026-07-04T06:00Z", "in summer");
    }

    #[test]
    fn nights_of_the_changes_of_clock_end_at_eight_too() {
        assert_eq!(over(&night(), "2026-03-28T22:00:00Z").unwrap(), "2026-03-29T06:00Z");
        assert_eq!(over(&night(), "2026-10-24T22:00:00Z").unwrap(), "2026-10-25T07:00Z");
        let gap = Quiet { hours: Some("22:00-02:30".to_owned().try_into().unwrap()), closed_days: false };
        assert_eq!(over(&gap, "2026-03-29T00:30:00Z").unwrap(), "2026-03-29T01:30Z", "02:30 does not exist");
    }

    #[test]
    fn weekends_and_holidays_are_quiet_when_asked() {
        let quiet = Quiet { closed_days: true, ..night() };
        // Friday evening to Monday morning; 11 November 2026 is a Wednesday.
        assert_eq!(over(&quiet, "2026-11-06T20:00:00Z").unwrap(), "2026-11-09T07:00Z");
        assert_eq!(over(&quiet, "2026-11-11T12:00:00Z").unwrap(), "2026-11-12T07:00Z");
        assert_eq!(over(&quiet, "2026-11-10T12:00:00Z"), None);
    }

    #[test]
    fn hours_that_are_none_are_refused() {
        for text in ["", "20:00", "20:00-20:00", "25:00-08:00", "8-20", "20:00/08:00"] {
            assert!(DailySpan::try_from(text.to_owned()).is_err(), "{text}");
        }
        let noon = DailySpan::try_from("12:00-14:00".to_owned()).unwrap();
        assert!(noon.holds("13:59".parse().unwrap()) && !noon.holds("14:00".parse().unwrap()));
    }
}
