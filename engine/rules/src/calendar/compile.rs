//! A calendar checked and ready to compute with.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, NaiveDate, Offset, TimeZone, Utc};
use chrono_tz::Tz;
use sha2::{Digest, Sha256};

use super::days::{DayStatus, DayWalker, Micros, OpenSpan};
use super::holidays::{Holiday, HolidaySet};
use super::sheet::{CalendarSheet, Closure, Interval, Opening, Weekday};
use super::zone::{Edge, instant_of_minute};

/// Most closures, and most extra openings, that one calendar may list.
const MOST_ENTRIES: usize = 2_000;
/// Most intervals that one day may have.
const MOST_INTERVALS: usize = 24;

/// A calendar that was checked: it has a known zone, known holidays, and open time in every year.
#[derive(Debug, Clone)]
pub struct Calendar {
    name: String,
    version: String,
    zone: Tz,
    holidays: HolidaySet,
    weekly: [Vec<Interval>; 7],
    /// In order of first date; `closed` points into it.
    closures: Vec<Closure>,
    /// Closed dates, apart and in order, each with the place of its closure.
    closed: Vec<(NaiveDate, NaiveDate, usize)>,
    openings: BTreeMap<NaiveDate, ExtraHours>,
}

/// The hours of a date that has an extra opening.
#[derive(Debug, Clone, Default)]
pub(super) struct ExtraHours {
    /// Those of the opening alone: where the date is otherwise closed.
    pub(super) alone: Vec<Interval>,
    /// Those of the opening and of the week together.
    pub(super) added: Vec<Interval>,
}

/// What is wrong with a calendar. [`CalendarError::path`] says where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// The zone is not in the IANA tables.
    #[error("`{0}` is not a time zone; write an IANA name such as `Europe/Paris`")]
    UnknownZone(String),
    /// There is no holiday set of that name.
    #[error("`{0}` is not a holiday set; known are {known}", known = HolidaySet::ALL.map(HolidaySet::name).join(", "))]
    UnknownHolidays(String),
    /// An interval closes at or before it opens.
    #[error("the interval `{interval}` ends before it starts; hours after midnight belong to the next day")]
    Backwards {
        /// Where: `hours`, weekday, place — or `openings`, place, `hours`, place.
        path: Vec<String>,
        /// The interval.
        interval: Interval,
    },
    /// Two intervals of one day overlap.
    #[error("the intervals `{first}` and `{second}` overlap")]
    Overlap {
        /// Where the second one is.
        path: Vec<String>,
        /// The earlier interval.
        first: Interval,
        /// The later interval.
        second: Interval,
    },
    /// A closure ends before it starts.
    #[error("the closure from {from} ends before it starts, on {until}")]
    ClosureBackwards {
        /// Its place in `closures`.
        index: usize,
        /// First date.
        from: NaiveDate,
        /// Last date.
        until: NaiveDate,
    },
    /// A date lies outside the years that can be computed.
    #[error("the date {date} lies outside the years {first} to {last}", first = Calendar::FIRST_YEAR, last = Calendar::LAST_YEAR)]
    DateOutOfRange {
        /// Where it is.
        path: Vec<String>,
        /// The date.
        date: NaiveDate,
    },
    /// A list is longer than allowed.
    #[error("`{field}` has {length} entries; at most {most} are allowed")]
    TooMany {
        /// The key whose list is too long.
        field: String,
        /// How many it has.
        length: usize,
        /// How many it may have.
        most: usize,
    },
    /// No weekday has opening hours, so there are years without an open minute, whatever the extra openings.
    #[error("the calendar has no open minute in a year: no weekday has opening hours")]
    NoHours,
    /// Closures leave a year in which the calendar is never open.
    #[error("the calendar has no open minute in {year}")]
    NeverOpen {
        /// The first such year that was found.
        year: i32,
    },
}

impl CalendarError {
    /// The keys and list places (from 0) that lead to the faulty value in the sheet.
    #[must_use]
    pub fn path(&self) -> Vec<String> {
        match self {
            Self::UnknownZone(_) => vec!["zone".into()],
            Self::UnknownHolidays(_) => vec!["holidays".into()],
            Self::Backwards { path, .. } | Self::Overlap { path, .. } | Self::DateOutOfRange { path, .. } => {
                path.clone()
            }
            Self::ClosureBackwards { index, .. } => vec!["closures".into(), index.to_string()],
            Self::TooMany { field, .. } => field.split('.').map(Into::into).collect(),
            Self::NoHours => vec!["hours".into()],
            Self::NeverOpen { .. } => vec!["closures".into()],
        }
    }
}

impl Calendar {
    /// First year in which dates are computed.
    pub const FIRST_YEAR: i32 = 1900;
    /// Last year in which dates are computed.
    pub const LAST_YEAR: i32 = 2600;

    /// Checks a sheet and makes it ready to compute with.
    ///
    /// # Errors
    /// What is wrong with the sheet: the first fault found, with its place.
    pub fn compile(sheet: &CalendarSheet) -> Result<Self, CalendarError> {
        let zone = sheet.zone.parse::<Tz>().map_err(|_| CalendarError::UnknownZone(sheet.zone.clone()))?;
        let holidays = HolidaySet::from_name(&sheet.holidays)
            .ok_or_else(|| CalendarError::UnknownHolidays(sheet.holidays.clone()))?;
        let mut weekly: [Vec<Interval>; 7] = Default::default();
        for (hours, day) in weekly.iter_mut().zip(Weekday::ALL) {
            let written = sheet.hours.get(&day).map_or(&[][..], Vec::as_slice);
            *hours = checked_hours(written, &["hours".into(), day.key().into()])?;
        }
        let (closures, closed) = checked_closures(&sheet.closures)?;
        let openings = checked_openings(&sheet.openings, &weekly)?;
        let name = sheet.calendar.clone();
        let version = version_of(sheet);
        let calendar = Self { name, version, zone, holidays, weekly, closures, closed, openings };
        calendar.check_open_every_year()?;
        Ok(calendar)
    }

    /// The calendar's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// SHA-256 of the sheet in normal form, 64 hexadecimal digits.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The zone in which its dates and hours are read.
    #[must_use]
    pub fn zone(&self) -> Tz {
        self.zone
    }

    /// The holidays it keeps.
    #[must_use]
    pub fn holiday_set(&self) -> HolidaySet {
        self.holidays
    }

    /// The date of an instant in the calendar's zone; at the very ends of time, the date in UTC.
    #[must_use]
    pub fn local_date(&self, instant: DateTime<Utc>) -> NaiveDate {
        let utc = instant.naive_utc();
        let offset = self.zone.offset_from_utc_datetime(&utc).fix();
        utc.checked_add_offset(offset).unwrap_or(utc).date()
    }

    /// Why a date is open or not.
    #[must_use]
    pub fn status(&self, date: NaiveDate) -> DayStatus<'_> {
        DayWalker::new(self, date, date).status(date)
    }

    /// Whether a date has open time left.
    #[must_use]
    pub fn is_open_on(&self, date: NaiveDate) -> bool {
        DayWalker::new(self, date, date).closing(date).is_some()
    }

    /// Whether an instant lies in open time; a closing does not.
    #[must_use]
    pub fn is_open_at(&self, instant: DateTime<Utc>) -> bool {
        let date = self.local_date(instant);
        // An interval that ends on a repeated midnight reaches into the next date, so the day before counts too.
        [date.pred_opt(), Some(date)]
            .into_iter()
            .flatten()
            .flat_map(|date| self.open_spans(date))
            .any(|span| span.opens <= instant && instant < span.closes)
    }

    /// The open time of a date as instants, in order; empty where it is closed.
    #[must_use]
    pub fn open_spans(&self, date: NaiveDate) -> Vec<OpenSpan> {
        let mut spans = Vec::new();
        DayWalker::new(self, date, date).spans(date, &mut spans);
        let instant = |micros: Micros| DateTime::from_timestamp_micros(micros).unwrap_or_default();
        spans.iter().map(|span| OpenSpan { opens: instant(span.start), closes: instant(span.end) }).collect()
    }

    /// The end of the last opening interval of a date; `None` where it is closed.
    #[must_use]
    pub fn closing_of(&self, date: NaiveDate) -> Option<DateTime<Utc>> {
        DayWalker::new(self, date, date).closing(date).and_then(DateTime::from_timestamp_micros)
    }

    /// The end (24:00) of a date; `None` only beyond what can be represented.
    #[must_use]
    pub fn end_of(&self, date: NaiveDate) -> Option<DateTime<Utc>> {
        instant_of_minute(self.zone, date, 1440, Edge::Closing)
    }

    /// The instant of a local time of the calendar's zone; one that does not exist moves forward by the gap, of
    /// two the first is taken.
    #[must_use]
    pub fn instant(&self, local: chrono::NaiveDateTime) -> Option<DateTime<Utc>> {
        super::zone::instant(self.zone, local, Edge::Opening)
    }

    /// The holidays of a year in order; two on one date stand side by side.
    #[must_use]
    pub fn holidays_of(&self, year: i32) -> Vec<(NaiveDate, Holiday)> {
        self.holidays.of_year(year)
    }

    pub(super) fn weekly(&self, day: chrono::Weekday) -> &[Interval] {
        self.weekly.get(day.num_days_from_monday() as usize).map_or(&[], Vec::as_slice)
    }

    pub(super) fn opening_on(&self, date: NaiveDate) -> Option<&ExtraHours> {
        if self.openings.is_empty() { None } else { self.openings.get(&date) }
    }

    pub(super) fn closure_on(&self, date: NaiveDate) -> Option<&Closure> {
        let next = self.closed.partition_point(|(from, _, _)| *from <= date);
        let (_, until, index) = self.closed.get(next.checked_sub(1)?)?;
        if date <= *until { self.closures.get(*index) } else { None }
    }

    /// A search for the next open date must end, so every year must have one. Only closures can take a whole
    /// year away from a week that has hours, so the years of the closures are looked at, and one without any.
    fn check_open_every_year(&self) -> Result<(), CalendarError> {
        if self.weekly.iter().all(Vec::is_empty) {
            return Err(CalendarError::NoHours);
        }
        let mut checked = Self::FIRST_YEAR - 1;
        for (from, until, _) in &self.closed {
            for year in from.year().max(checked + 1)..=until.year() {
                let day = |month, day| NaiveDate::from_ymd_opt(year, month, day);
                if let (Some(first), Some(last)) = (day(1, 1), day(12, 31)) {
                    let mut walker = DayWalker::new(self, first, last);
                    if !first
                        .iter_days()
                        .take_while(|date| *date <= last)
                        .any(|d| walker.closing(d).is_some())
                    {
                        return Err(CalendarError::NeverOpen { year });
                    }
                }
                checked = year;
            }
        }
        Ok(())
    }
}

/// SHA-256 of the normal form, in hexadecimal.
fn version_of(sheet: &CalendarSheet) -> String {
    let mut digest = Sha256::new();
    // A sheet is made of strings, dates and lists, which always serialise.
    digest.update(serde_json::to_vec(&sheet.normalised()).unwrap_or_default());
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Intervals in order, each forwards, none overlapping another; those that touch are joined.
fn checked_hours(written: &[Interval], path: &[String]) -> Result<Vec<Interval>, CalendarError> {
    if written.len() > MOST_INTERVALS {
        let (field, length) = (path.join("."), written.len());
        return Err(CalendarError::TooMany { field, length, most: MOST_INTERVALS });
    }
    let at = |index: usize| path.iter().cloned().chain([index.to_string()]).collect();
    for (index, interval) in written.iter().enumerate() {
        if interval.closes() <= interval.opens() {
            return Err(CalendarError::Backwards { path: at(index), interval: *interval });
        }
    }
    let mut ordered: Vec<(Interval, usize)> = written.iter().copied().zip(0..).collect();
    ordered.sort();
    for ((first, _), (second, index)) in ordered.iter().zip(ordered.iter().skip(1)) {
        if second.opens() < first.closes() {
            return Err(CalendarError::Overlap { path: at(*index), first: *first, second: *second });
        }
    }
    Ok(joined(ordered.into_iter().map(|(interval, _)| interval)))
}

/// Joins intervals, given in order of start, that touch or overlap.
fn joined(intervals: impl IntoIterator<Item = Interval>) -> Vec<Interval> {
    let mut joined: Vec<Interval> = Vec::new();
    for interval in intervals {
        match joined.last_mut() {
            Some(last) if interval.opens() <= last.closes() => {
                let closes = last.closes().max(interval.closes());
                *last = Interval::from_minutes(last.opens(), closes).unwrap_or(*last);
            }
            _ => joined.push(interval),
        }
    }
    joined
}

type Closed = Vec<(NaiveDate, NaiveDate, usize)>;

fn checked_closures(written: &[Closure]) -> Result<(Vec<Closure>, Closed), CalendarError> {
    check_length("closures", written.len())?;
    for (index, closure) in written.iter().enumerate() {
        let (from, until) = (closure.from, closure.until);
        for (key, date) in [("from", from), ("until", until)] {
            check_date(date, || vec!["closures".into(), index.to_string(), key.into()])?;
        }
        if until < from {
            return Err(CalendarError::ClosureBackwards { index, from, until });
        }
    }
    let mut closures = written.to_vec();
    closures.sort();
    let mut closed: Closed = Vec::new();
    for (index, closure) in closures.iter().enumerate() {
        // Where closures overlap, the one that began first names the day.
        let from = match closed.last() {
            Some((_, until, _)) if *until >= closure.from => until.succ_opt().unwrap_or(closure.from),
            _ => closure.from,
        };
        if from <= closure.until {
            closed.push((from, closure.until, index));
        }
    }
    Ok((closures, closed))
}

fn checked_openings(
    written: &[Opening],
    weekly: &[Vec<Interval>; 7],
) -> Result<BTreeMap<NaiveDate, ExtraHours>, CalendarError> {
    check_length("openings", written.len())?;
    let mut openings: BTreeMap<NaiveDate, ExtraHours> = BTreeMap::new();
    for (index, opening) in written.iter().enumerate() {
        check_date(opening.on, || vec!["openings".into(), index.to_string(), "on".into()])?;
        let path = ["openings".into(), index.to_string(), "hours".into()];
        openings.entry(opening.on).or_default().alone.extend(checked_hours(&opening.hours, &path)?);
    }
    for (date, hours) in &mut openings {
        hours.alone.sort();
        hours.alone = joined(std::mem::take(&mut hours.alone));
        let week = weekly.get(date.weekday().num_days_from_monday() as usize).map_or(&[][..], Vec::as_slice);
        let mut all: Vec<Interval> = hours.alone.iter().chain(week).copied().collect();
        all.sort();
        hours.added = joined(all);
    }
    Ok(openings)
}

fn check_length(field: &str, length: usize) -> Result<(), CalendarError> {
    if length > MOST_ENTRIES {
        return Err(CalendarError::TooMany { field: field.into(), length, most: MOST_ENTRIES });
    }
    Ok(())
}

fn check_date(date: NaiveDate, path: impl FnOnce() -> Vec<String>) -> Result<(), CalendarError> {
    if (Calendar::FIRST_YEAR..=Calendar::LAST_YEAR).contains(&date.year()) {
        return Ok(());
    }
    Err(CalendarError::DateOutOfRange { path: path(), date })
}
