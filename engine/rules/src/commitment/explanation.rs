//! Why a due instant is that one: rule and operands, as data that goes into the event.

use chrono::{DateTime, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::budget::{Budget, MonthRule, Unit};
use super::due::{Clock, instant};
use super::open_time::{OpenTime, Start, between};
use super::pause::Paused;
use crate::calendar::{Closure, DayStatus, DayWalker, Holiday, Micros, Span};
use crate::text::Text;

/// Each list of an explanation holds at most so many entries; the totals stand beside them.
const MOST_LISTED: usize = 31;

/// Which of the rules for due instants was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DueRule {
    /// The closing of the n-th open date after the date of the start.
    WorkingDays,
    /// The instant at which open time reaches the budget.
    WorkingTime,
    /// The instant at which time on any clock reaches the budget.
    ElapsedTime,
    /// The end of the n-th date after the date of the start.
    Days,
    /// The end of the same day-number, months later.
    MonthsSameDay,
    /// The end of the day after the same day-number, months later.
    MonthsDayAfter,
}

/// Why a due instant is that one. Everything that was counted or left out is in it, so nobody needs the calendar
/// of that time to understand it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Explanation {
    /// The rule.
    pub rule: DueRule,
    /// How long it may take.
    pub budget: Budget,
    /// When the clock started.
    pub from: DateTime<Utc>,
    /// That date in the calendar's zone.
    pub local_date: NaiveDate,
    /// The calendar's name.
    pub calendar: String,
    /// The calendar's version: SHA-256 of its sheet.
    pub calendar_version: String,
    /// IANA name of the calendar's zone.
    pub zone: String,
    /// For months and years: the same day-number, or the last day of its month where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_day: Option<NaiveDate>,
    /// For months and years with pauses: the later date of start that this start may not be due after, where that
    /// decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after_start_on: Option<NaiveDate>,
    /// The first dates that counted: open dates whose closing passed, or dates with open time that was used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub counted: Vec<NaiveDate>,
    /// How many dates counted in all.
    #[serde(default)]
    pub counted_total: u32,
    /// Holidays that took a day of the week with hours.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holidays: Vec<HolidaySkipped>,
    /// Closures that took a day of the week with hours.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub closures: Vec<ClosureSkipped>,
    /// Pauses between start and due instant, overlapping ones joined, with what each of them moved.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pauses: Vec<CountedPause>,
    /// The result.
    pub due: DateTime<Utc>,
}

/// A holiday that did not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HolidaySkipped {
    /// The date.
    pub date: NaiveDate,
    /// Which holiday; [`Holiday::name`] has its names.
    pub holiday: Holiday,
}

/// A closure whose dates did not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClosureSkipped {
    /// First date of the closure.
    pub from: NaiveDate,
    /// Last date of the closure.
    pub until: NaiveDate,
    /// Why it was closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Text>,
    /// How many dates that would have counted it took.
    pub dates: u32,
}

/// A pause and what it moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CountedPause {
    /// When the clock stopped.
    pub from: DateTime<Utc>,
    /// When it went on.
    pub until: DateTime<Utc>,
    /// What did not count because of it.
    pub effect: PauseEffect,
}

/// What a pause took out of the count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PauseEffect {
    /// So many closings of open dates.
    Closings(u32),
    /// So many ends of dates.
    DateEnds(u32),
    /// So much open time, in microseconds.
    OpenMicroseconds(i64),
    /// So much time, in microseconds.
    ElapsedMicroseconds(i64),
}

impl Explanation {
    pub(super) fn new(clock: &Clock<'_>, from: DateTime<Utc>, due: Micros) -> Self {
        let at = instant(due).unwrap_or(from);
        let mut explanation = Self {
            rule: rule_of(clock),
            budget: clock.budget,
            from,
            local_date: clock.start.date,
            calendar: clock.calendar.name().to_owned(),
            calendar_version: clock.calendar.version().to_owned(),
            zone: clock.calendar.zone().name().to_owned(),
            same_day: clock.months_later(clock.start.date).map(|months| months.same_day),
            not_after_start_on: None,
            counted: Vec::new(),
            counted_total: 0,
            holidays: Vec::new(),
            closures: Vec::new(),
            pauses: Vec::new(),
            due: at,
        };
        match explanation.rule {
            DueRule::WorkingDays => explanation.count_closings(clock, due),
            DueRule::WorkingTime => explanation.count_open_time(clock, due),
            DueRule::MonthsSameDay | DueRule::MonthsDayAfter => {
                let counted_from = clock.months().ok().map(|(_, start)| start);
                explanation.not_after_start_on = counted_from.filter(|start| *start != clock.start.date);
            }
            DueRule::ElapsedTime | DueRule::Days => {}
        }
        explanation.count_pauses(clock, due);
        explanation
    }

    fn count_closings(&mut self, clock: &Clock<'_>, due: Micros) {
        // The start's own date counts for a budget of zero that its closing met, and never else.
        let own = clock.calendar.closing_of(self.local_date).is_some_and(|closing| closing == self.due);
        let first = if own { Some(self.local_date) } else { self.local_date.succ_opt() };
        let Some(first) = first else { return };
        let mut walker = DayWalker::new(clock.calendar, first, clock.calendar.local_date(self.due));
        while let Some(date) = walker.next() {
            match walker.closing(date) {
                Some(closing) if closing <= due && !clock.paused.contains(closing) => self.count(date),
                Some(_) => {}
                None => self.skip(&mut walker, date),
            }
        }
    }

    fn count_open_time(&mut self, clock: &Clock<'_>, due: Micros) {
        let mut last = None;
        for piece in OpenTime::new(clock.calendar, clock.start, &clock.paused) {
            if piece.start >= due {
                break;
            }
            let date = instant(piece.start).map(|at| clock.calendar.local_date(at)).ok();
            if date != last {
                date.into_iter().for_each(|date| self.count(date));
                last = date;
            }
        }
        let mut walker = DayWalker::new(clock.calendar, self.local_date, clock.calendar.local_date(self.due));
        while let Some(date) = walker.next() {
            self.skip(&mut walker, date);
        }
    }

    fn count(&mut self, date: NaiveDate) {
        self.counted_total += 1;
        if self.counted.len() < MOST_LISTED {
            self.counted.push(date);
        }
    }

    fn skip(&mut self, walker: &mut DayWalker<'_>, date: NaiveDate) {
        match walker.status(date) {
            DayStatus::Open | DayStatus::NoHours => {}
            DayStatus::Holiday(_) => {
                // Two holidays can fall on one date; both names are given for the one day off.
                for holiday in walker.holidays_on(date) {
                    if self.holidays.len() < MOST_LISTED {
                        self.holidays.push(HolidaySkipped { date, holiday });
                    }
                }
            }
            DayStatus::Closed(closure) => self.skip_closed(closure),
        }
    }

    fn skip_closed(&mut self, closure: &Closure) {
        let (from, until) = (closure.from, closure.until);
        if let Some(last) = self.closures.last_mut().filter(|last| last.from == from && last.until == until) {
            last.dates += 1;
        } else if self.closures.len() < MOST_LISTED {
            self.closures.push(ClosureSkipped { from, until, why: closure.why.clone(), dates: 1 });
        }
    }

    fn count_pauses(&mut self, clock: &Clock<'_>, due: Micros) {
        for span in clock.paused.spans().iter().filter(|span| span.start < due).take(MOST_LISTED) {
            let effect = match self.rule {
                DueRule::WorkingDays => PauseEffect::Closings(closings_in(clock, self.due, *span)),
                DueRule::WorkingTime => PauseEffect::OpenMicroseconds(open_in(clock, *span)),
                DueRule::ElapsedTime => PauseEffect::ElapsedMicroseconds(span.end - span.start),
                DueRule::Days | DueRule::MonthsSameDay | DueRule::MonthsDayAfter => {
                    let first = self.not_after_start_on.unwrap_or(self.local_date);
                    PauseEffect::DateEnds(date_ends_in(clock, first, self.due, *span))
                }
            };
            if let (Ok(from), Ok(until)) = (instant(span.start), instant(span.end)) {
                self.pauses.push(CountedPause { from, until, effect });
            }
        }
    }
}

fn rule_of(clock: &Clock<'_>) -> DueRule {
    match (clock.budget.unit(), clock.month_rule) {
        (Unit::WorkingDays, _) => DueRule::WorkingDays,
        (Unit::WorkingHours | Unit::WorkingMinutes, _) => DueRule::WorkingTime,
        (Unit::Hours | Unit::Minutes, _) => DueRule::ElapsedTime,
        (Unit::Days, _) => DueRule::Days,
        (Unit::Months | Unit::Years, MonthRule::SameDay) => DueRule::MonthsSameDay,
        (Unit::Months | Unit::Years, MonthRule::DayAfter) => DueRule::MonthsDayAfter,
    }
}

/// Closings that would have counted, had the pause not been.
fn closings_in(clock: &Clock<'_>, due: DateTime<Utc>, span: Span) -> u32 {
    let first = if clock.budget.amount() == 0 { Some(clock.start.date) } else { clock.start.date.succ_opt() };
    let Some(first) = first else { return 0 };
    let mut walker = DayWalker::new(clock.calendar, first, clock.calendar.local_date(due));
    let mut closings = 0;
    while let Some(date) = walker.next() {
        if walker.closing(date).is_some_and(|closing| span.start <= closing && closing < span.end) {
            closings += 1;
        }
    }
    closings
}

/// Ends of dates that would have counted, had the pause not been.
fn date_ends_in(clock: &Clock<'_>, first: NaiveDate, due: DateTime<Utc>, span: Span) -> u32 {
    let last = clock.calendar.local_date(due);
    let mut ends = 0;
    for date in first.iter_days().take_while(|date| *date < last) {
        let counts = date > first || clock.budget.amount() == 0;
        if counts && clock.end_of(date).is_ok_and(|end| span.start <= end && end < span.end) {
            ends += 1;
        }
    }
    ends
}

fn open_in(clock: &Clock<'_>, span: Span) -> Micros {
    let Ok(from) = instant(span.start) else { return 0 };
    let Some(start) = Start::new(clock.calendar, from) else { return 0 };
    between(clock.calendar, start, span.end, &Paused::default())
}
