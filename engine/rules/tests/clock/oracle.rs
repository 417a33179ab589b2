//! A second way to the same answers, as slow as it is simple: it only ever goes from an instant to the wall clock,
//! looks whether that is open, and counts.

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;
use guichet_rules::commitment::{Budget, MonthRule, Pause, Unit, due_instant};
use proptest::prelude::*;

use crate::support::{NAMES, calendar};

/// Easter Sundays, from a printed almanac.
const EASTERS: [(i32, u32, u32); 7] =
    [(2024, 3, 31), (2025, 4, 20), (2026, 4, 5), (2027, 3, 28), (2028, 4, 16), (2029, 4, 1), (2030, 4, 21)];

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap()
}

fn is_french_holiday(date: NaiveDate, alsace: bool) -> bool {
    let (_, month, number) = *EASTERS.iter().find(|(year, _, _)| *year == date.year()).unwrap();
    let after_easter = (date - day(date.year(), month, number)).num_days();
    let fixed = [(1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25)];
    fixed.contains(&(date.month(), date.day()))
        || [1, 39, 50].contains(&after_easter)
        || alsace && (after_easter == -2 || (date.month(), date.day()) == (12, 26))
}

/// Whether the wall clock shows opening hours, for the five calendars of the vectors.
fn open_on_the_wall(name: &str, date: NaiveDate, minute: u32) -> bool {
    let weekday = date.weekday().number_from_monday();
    let within = |from: u32, until: u32| (from..until).contains(&minute);
    match name {
        "astreinte" => true,
        "mairie" => weekday < 6 && !is_french_holiday(date, false) && within(9 * 60, 17 * 60),
        "la-reunion" => weekday < 6 && !is_french_holiday(date, false) && within(450, 930),
        "guichet-samedi" => {
            let closed = date >= day(2026, 8, 3) && date <= day(2026, 8, 14);
            let hours = match weekday {
                1..=5 => within(510, 720) || within(810, 1050),
                6 => within(540, 720),
                _ => false,
            };
            !closed && !is_french_holiday(date, false) && hours
        }
        "strasbourg" => {
            let closed = date >= day(2026, 12, 24) && date <= day(2026, 12, 31);
            let hours = within(480, 720) || within(840, 1080);
            weekday < 6 && !closed && !is_french_holiday(date, true) && hours
        }
        _ => unreachable!("five calendars"),
    }
}

struct Oracle {
    name: &'static str,
    zone: Tz,
    pauses: Vec<(DateTime<Utc>, DateTime<Utc>)>,
}

impl Oracle {
    fn date(&self, instant: DateTime<Utc>) -> NaiveDate {
        instant.with_timezone(&self.zone).date_naive()
    }

    fn paused(&self, instant: DateTime<Utc>) -> bool {
        self.pauses.iter().any(|(from, until)| *from <= instant && instant < *until)
    }

    fn open(&self, instant: DateTime<Utc>) -> bool {
        let local = instant.with_timezone(&self.zone);
        open_on_the_wall(self.name, local.date_naive(), local.hour() * 60 + local.minute())
    }

    /// The first instant of the date after this one, found by trying every quarter of an hour from an evening hour on.
    fn end(&self, date: NaiveDate) -> DateTime<Utc> {
        let mut instant = date.and_hms_opt(18, 0, 0).unwrap().and_utc();
        while self.date(instant) <= date {
            instant += TimeDelta::minutes(15);
        }
        instant
    }

    /// The end of the last open minute of a date, found by trying every minute backwards.
    fn closing(&self, date: NaiveDate) -> Option<DateTime<Utc>> {
        let mut instant = self.end(date);
        loop {
            let before = instant - TimeDelta::minutes(1);
            if self.date(before) < date {
                return None;
            }
            if self.open(before) {
                return Some(instant);
            }
            instant = before;
        }
    }

    fn working_days(&self, from: DateTime<Utc>, mut amount: u32) -> DateTime<Utc> {
        let mut date = self.date(from);
        if amount == 0 {
            match self.closing(date) {
                Some(closing) if closing > from && !self.paused(closing) => return closing,
                _ => amount = 1,
            }
        }
        loop {
            date = date.succ_opt().unwrap();
            if let Some(closing) = self.closing(date).filter(|closing| !self.paused(*closing)) {
                amount -= 1;
                if amount == 0 {
                    return closing;
                }
            }
        }
    }

    /// Counts second by second, but takes a closed minute in one step; opening hours begin on whole minutes.
    fn seconds(&self, from: DateTime<Utc>, mut amount: u64, open_only: bool) -> DateTime<Utc> {
        let mut instant = from;
        while amount > 0 {
            if open_only && !self.open(instant) {
                instant += TimeDelta::seconds(60 - i64::from(instant.second()));
                continue;
            }
            if !self.paused(instant) {
                amount -= 1;
            }
            instant += TimeDelta::seconds(1);
        }
        instant
    }

    fn days(&self, from: NaiveDate, mut amount: u64) -> DateTime<Utc> {
        let mut date = from;
        if amount == 0 {
            if !self.paused(self.end(date)) {
                return self.end(date);
            }
            amount = 1;
        }
        while amount > 0 {
            date = date.succ_opt().unwrap();
            if !self.paused(self.end(date)) {
                amount -= 1;
            }
        }
        self.end(date)
    }

    /// Where months lead on paper: month by month, then the day-number or the last day there is.
    fn months_later(from: NaiveDate, amount: u32, rule: MonthRule) -> NaiveDate {
        let (mut year, mut month) = (from.year(), from.month());
        for _ in 0..amount {
            (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
        }
        let same =
            (1..=from.day()).rev().find_map(|number| NaiveDate::from_ymd_opt(year, month, number)).unwrap();
        match rule {
            MonthRule::SameDay => same,
            MonthRule::DayAfter => same.succ_opt().unwrap(),
        }
    }

    /// The earliest of what this date of start and each later one lead to. The pauses tried last less than six days each,
    /// so starts more than three weeks later lead to no earlier date.
    fn months(&self, from: DateTime<Utc>, amount: u32, rule: MonthRule) -> DateTime<Utc> {
        let starts = self.date(from).iter_days().take(25);
        let due = starts.map(|start| {
            let last = Self::months_later(start, amount, rule);
            self.days(start, u64::try_from((last - start).num_days()).unwrap())
        });
        due.min().unwrap()
    }

    fn due(&self, from: DateTime<Utc>, budget: Budget, rule: MonthRule) -> DateTime<Utc> {
        let amount = budget.amount();
        let many = u64::from(amount);
        match budget.unit() {
            Unit::WorkingDays => self.working_days(from, amount),
            Unit::WorkingHours => self.seconds(from, many * 3600, true),
            Unit::WorkingMinutes => self.seconds(from, many * 60, true),
            Unit::Hours => self.seconds(from, many * 3600, false),
            Unit::Minutes => self.seconds(from, many * 60, false),
            Unit::Days => self.days(self.date(from), many),
            Unit::Months => self.months(from, amount, rule),
            Unit::Years => self.months(from, amount * 12, rule),
        }
    }
}

fn budgets() -> impl Strategy<Value = Budget> {
    let of = |unit, most: u32| (0..=most).prop_map(move |amount| Budget::new(amount, unit).unwrap());
    prop_oneof![
        of(Unit::WorkingDays, 21),
        of(Unit::WorkingHours, 40),
        of(Unit::WorkingMinutes, 600),
        of(Unit::Hours, 100),
        of(Unit::Minutes, 600),
        of(Unit::Days, 40),
        of(Unit::Months, 13),
        of(Unit::Years, 1),
    ]
}

/// Starts over three years, every third of them near a change of clock or the turn of a year.
fn starts() -> impl Strategy<Value = DateTime<Utc>> {
    let near = |text: &'static str| {
        let centre = crate::support::utc(text);
        (-200_000i64..200_000).prop_map(move |seconds| centre + TimeDelta::seconds(seconds))
    };
    prop_oneof![
        6 => (1_767_225_600i64..1_861_920_000).prop_map(|s| DateTime::from_timestamp(s, 0).unwrap()),
        1 => near("2026-03-29T01:00:00Z"),
        1 => near("2026-10-25T01:00:00Z"),
        1 => near("2026-12-31T23:00:00Z"),
    ]
}

proptest! {
    #![proptest_config(crate::support::cases(500))]
    #[test]
    fn counting_minute_by_minute_gives_the_same(
        name in proptest::sample::select(&NAMES[..]),
        from in starts(),
        budget in budgets(),
        day_after in any::<bool>(),
        pauses in proptest::collection::vec((-50_000i64..2_000_000, 0i64..500_000), 0..4),
    ) {
        let calendar = calendar(name);
        let rule = if day_after { MonthRule::DayAfter } else { MonthRule::SameDay };
        let pauses: Vec<(DateTime<Utc>, DateTime<Utc>)> = pauses
            .into_iter()
            .map(|(after, length)| (from + TimeDelta::seconds(after), from + TimeDelta::seconds(after + length)))
            .collect();
        let given: Vec<Pause> = pauses.iter().map(|(from, until)| Pause::new(*from, *until)).collect();
        let oracle = Oracle { name, zone: calendar.zone(), pauses };
        let counted = oracle.due(from, budget, rule);
        prop_assert_eq!(due_instant(&calendar, from, budget, rule, &given), Ok(counted));
    }
}
