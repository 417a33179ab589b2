//! Walking over the dates of a calendar, and the open time of each as instants.

use chrono::{DateTime, Datelike, NaiveDate, Utc};

use super::compile::Calendar;
use super::holidays::Holiday;
use super::sheet::{Closure, Interval};
use super::zone::{Edge, instant_of_minute};

/// An instant as microseconds since 1970 UTC, the precision at which events are dated.
pub(crate) type Micros = i64;

/// A stretch of time, the end excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span {
    pub(crate) start: Micros,
    pub(crate) end: Micros,
}

/// Open time between two instants, the end excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenSpan {
    /// When it opens.
    pub opens: DateTime<Utc>,
    /// When it closes.
    pub closes: DateTime<Utc>,
}

/// Why a date is open or not, before any change of clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayStatus<'a> {
    /// It has opening hours.
    Open,
    /// Its weekday has none.
    NoHours,
    /// It would have hours, but it is a public holiday.
    Holiday(Holiday),
    /// It would have hours, but it lies in a closure.
    Closed(&'a Closure),
}

/// The holidays of one year.
#[derive(Debug)]
struct HolidayYear {
    year: i32,
    days: Vec<(NaiveDate, Holiday)>,
}

/// Walks over the dates of a calendar, one after the other, and knows the hours of each.
#[derive(Debug)]
pub(crate) struct DayWalker<'a> {
    calendar: &'a Calendar,
    next: Option<NaiveDate>,
    last: NaiveDate,
    holidays: HolidayYear,
}

impl<'a> DayWalker<'a> {
    /// Starts at `first` and ends after `last`.
    pub(crate) fn new(calendar: &'a Calendar, first: NaiveDate, last: NaiveDate) -> Self {
        let year = first.year();
        let holidays = HolidayYear { year, days: calendar.holiday_set().of_year(year) };
        Self { calendar, next: Some(first), last, holidays }
    }

    /// The holidays on a date: none, one, or two names for one day off.
    pub(crate) fn holidays_on(&mut self, date: NaiveDate) -> impl Iterator<Item = Holiday> + '_ {
        if self.holidays.year != date.year() {
            let year = date.year();
            self.holidays = HolidayYear { year, days: self.calendar.holiday_set().of_year(year) };
        }
        self.holidays.days.iter().filter(move |(day, _)| *day == date).map(|(_, holiday)| *holiday)
    }

    /// The local opening intervals of a date, in order and apart; empty where it is closed.
    pub(crate) fn hours(&mut self, date: NaiveDate) -> &'a [Interval] {
        let calendar = self.calendar;
        let weekly = calendar.weekly(date.weekday());
        let extra = calendar.opening_on(date);
        if weekly.is_empty() && extra.is_none() {
            return &[];
        }
        let closed = calendar.closure_on(date).is_some() || self.holidays_on(date).next().is_some();
        match (extra, closed) {
            (Some(extra), true) => &extra.alone,
            (Some(extra), false) => &extra.added,
            (None, true) => &[],
            (None, false) => weekly,
        }
    }

    /// Why a date is open or not.
    pub(crate) fn status(&mut self, date: NaiveDate) -> DayStatus<'a> {
        if !self.hours(date).is_empty() {
            return DayStatus::Open;
        }
        if self.calendar.weekly(date.weekday()).is_empty() {
            return DayStatus::NoHours;
        }
        if let Some(holiday) = self.holidays_on(date).next() {
            return DayStatus::Holiday(holiday);
        }
        self.calendar.closure_on(date).map_or(DayStatus::NoHours, DayStatus::Closed)
    }

    /// Adds the open time of a date to `spans`. Across a change of clock intervals can vanish or come to touch;
    /// what is added is in order of time, but may overlap, and whoever sums it must not count twice.
    pub(crate) fn spans(&mut self, date: NaiveDate, spans: &mut Vec<Span>) {
        let zone = self.calendar.zone();
        let already = spans.len();
        for interval in self.hours(date) {
            let opens = instant_of_minute(zone, date, interval.opens(), Edge::Opening);
            let closes = instant_of_minute(zone, date, interval.closes(), Edge::Closing);
            if let (Some(opens), Some(closes)) = (opens, closes)
                && opens < closes
            {
                spans.push(Span { start: opens.timestamp_micros(), end: closes.timestamp_micros() });
            }
        }
        if let Some(added) = spans.get_mut(already..) {
            added.sort_unstable();
        }
    }

    /// The end of the last opening interval of a date; `None` if it is not open.
    pub(crate) fn closing(&mut self, date: NaiveDate) -> Option<Micros> {
        let zone = self.calendar.zone();
        let closing = |interval: &Interval| {
            let opens = instant_of_minute(zone, date, interval.opens(), Edge::Opening)?;
            let closes = instant_of_minute(zone, date, interval.closes(), Edge::Closing)?;
            (opens < closes).then(|| closes.timestamp_micros())
        };
        self.hours(date).iter().filter_map(closing).max()
    }
}

impl Iterator for DayWalker<'_> {
    type Item = NaiveDate;

    fn next(&mut self) -> Option<NaiveDate> {
        let date = self.next.filter(|date| *date <= self.last)?;
        self.next = date.succ_opt();
        Some(date)
    }
}
