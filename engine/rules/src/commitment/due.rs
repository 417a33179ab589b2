//! When a commitment is due.

use chrono::{DateTime, Datelike, Months, NaiveDate, TimeDelta, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::budget::{Budget, MonthRule, Unit};
use super::explanation::Explanation;
use super::open_time::{Start, reach};
use super::pause::{Pause, Paused};
use crate::calendar::{Calendar, DayWalker, Micros, Span};

/// A due instant and why it is that one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Due {
    /// The instant.
    pub at: DateTime<Utc>,
    /// Rule and operands, for those who ask why.
    pub explanation: Explanation,
}

/// Why there is no due instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoDue {
    /// The clock stands still and nobody knows when it goes on. It is not late, and cannot become so.
    #[error("the clock is paused since {since}")]
    Paused {
        /// Since when, or the start if it was paused from the beginning.
        since: DateTime<Utc>,
    },
    /// The start, or the end of the search, lies outside the years that are computed.
    #[error("the due instant lies outside the years that are computed")]
    OutOfRange,
}

/// When `budget`, counted from `from` over the calendar's open time and outside the pauses, is due, and why.
///
/// `pauses` may be in any order, overlap, be empty or lie before the start. `month_rule` is used for months and
/// years only.
///
/// # Errors
/// [`NoDue::Paused`] if an unfinished pause began before the due instant; [`NoDue::OutOfRange`] outside the years
/// that are computed.
pub fn due(
    calendar: &Calendar,
    from: DateTime<Utc>,
    budget: Budget,
    month_rule: MonthRule,
    pauses: &[Pause],
) -> Result<Due, NoDue> {
    let clock = Clock::new(calendar, from, budget, month_rule, pauses)?;
    let at = clock.due()?;
    Ok(Due { at: instant(at)?, explanation: Explanation::new(&clock, from, at) })
}

/// [`due`] without the explanation, for those who compute many.
///
/// # Errors
/// As [`due`].
pub fn due_instant(
    calendar: &Calendar,
    from: DateTime<Utc>,
    budget: Budget,
    month_rule: MonthRule,
    pauses: &[Pause],
) -> Result<DateTime<Utc>, NoDue> {
    instant(Clock::new(calendar, from, budget, month_rule, pauses)?.due()?)
}

pub(super) fn instant(micros: Micros) -> Result<DateTime<Utc>, NoDue> {
    DateTime::from_timestamp_micros(micros).ok_or(NoDue::OutOfRange)
}

/// Everything a due instant is made from.
pub(super) struct Clock<'a> {
    pub(super) calendar: &'a Calendar,
    pub(super) start: Start,
    pub(super) budget: Budget,
    pub(super) month_rule: MonthRule,
    pub(super) paused: Paused,
}

/// Where months lead, before any pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MonthsLater {
    /// The same day-number, or the month's last day where there is none.
    pub(super) same_day: NaiveDate,
    /// The date at whose end the months end, under the month rule.
    pub(super) last: NaiveDate,
}

/// Dates whose ends fall in a pause: the first, and the first after them; none while the pause still stands.
type PausedDates = (NaiveDate, Option<NaiveDate>);

impl<'a> Clock<'a> {
    fn new(
        calendar: &'a Calendar,
        from: DateTime<Utc>,
        budget: Budget,
        month_rule: MonthRule,
        pauses: &[Pause],
    ) -> Result<Self, NoDue> {
        let start = Start::new(calendar, from).ok_or(NoDue::OutOfRange)?;
        Ok(Self { calendar, start, budget, month_rule, paused: Paused::new(pauses, start.instant) })
    }

    fn due(&self) -> Result<Micros, NoDue> {
        let amount = i64::from(self.budget.amount());
        match self.budget.unit() {
            Unit::WorkingDays => self.working_days(),
            Unit::WorkingHours | Unit::WorkingMinutes => self.working_time(),
            Unit::Minutes | Unit::Hours => self.elapsed_time(),
            Unit::Days => self.end_of(self.nth_date(self.start.date, amount, &self.paused_dates())?),
            Unit::Months | Unit::Years => self.months().map(|(due, _)| due),
        }
    }

    /// The budget in microseconds of time; zero for a budget of dates.
    pub(super) fn microseconds(&self) -> Micros {
        let minutes = match self.budget.unit() {
            Unit::WorkingHours | Unit::Hours => 60,
            Unit::WorkingMinutes | Unit::Minutes => 1,
            Unit::WorkingDays | Unit::Days | Unit::Months | Unit::Years => 0,
        };
        i64::from(self.budget.amount()) * minutes * 60_000_000
    }

    /// The closing of the n-th open date after the start's whose closing is not paused. Zero days are the closing
    /// of the start's own date where that is still ahead.
    fn working_days(&self) -> Result<Micros, NoDue> {
        let mut walker = DayWalker::new(self.calendar, self.start.date, self.start.horizon());
        let mut left = self.budget.amount();
        if left == 0 {
            let today = walker.closing(self.start.date);
            if let Some(closing) = today.filter(|closing| self.start.instant < *closing)
                && !self.paused.contains(closing)
            {
                return Ok(closing);
            }
            left = 1;
        }
        walker.next();
        let standing = self.paused.standing().unwrap_or(Paused::FOREVER);
        while let Some(date) = walker.next() {
            let Some(closing) = walker.closing(date) else { continue };
            if standing <= closing {
                return Err(self.no_due());
            }
            if !self.paused.contains(closing) {
                left -= 1;
                if left == 0 {
                    return Ok(closing);
                }
            }
        }
        Err(NoDue::OutOfRange)
    }

    fn working_time(&self) -> Result<Micros, NoDue> {
        reach(self.calendar, self.start, self.microseconds(), &self.paused).ok_or_else(|| self.no_due())
    }

    fn elapsed_time(&self) -> Result<Micros, NoDue> {
        let mut left = self.microseconds();
        let mut now = self.start.instant;
        for pause in self.paused.spans() {
            if left <= pause.start - now {
                return Ok(now + left);
            }
            if pause.end == Paused::FOREVER {
                return Err(self.no_due());
            }
            left -= pause.start - now;
            now = pause.end;
        }
        now.checked_add(left).ok_or(NoDue::OutOfRange)
    }

    /// The n-th date after `first` whose end is not paused. Zero dates are `first` itself.
    fn nth_date(&self, first: NaiveDate, amount: i64, paused: &[PausedDates]) -> Result<NaiveDate, NoDue> {
        let covered = |date| paused.iter().any(|(from, to)| *from <= date && to.is_none_or(|to| date < to));
        if amount <= 0 && !covered(first) {
            return Ok(first);
        }
        let mut left = amount.max(1);
        let mut next = first.succ_opt().ok_or(NoDue::OutOfRange)?;
        for (from, to) in paused {
            let free = (*from - next).num_days().max(0);
            if left <= free {
                break;
            }
            let Some(to) = to else { return Err(self.no_due()) };
            if next < *to {
                left -= free;
                next = *to;
            }
        }
        let date = next.checked_add_signed(TimeDelta::days(left - 1)).ok_or(NoDue::OutOfRange)?;
        if date <= self.start.horizon() { Ok(date) } else { Err(NoDue::OutOfRange) }
    }

    /// The dates whose ends fall in a pause, in order.
    fn paused_dates(&self) -> Vec<PausedDates> {
        let ending_from = |micros: Micros| {
            let date = self.calendar.local_date(instant(micros).ok()?);
            let before = date.pred_opt()?;
            // A midnight ends the date before it.
            Some(if self.end_of(before).is_ok_and(|end| micros <= end) { before } else { date })
        };
        let dates = |span: &Span| {
            let to = if span.end == Paused::FOREVER { None } else { Some(ending_from(span.end)?) };
            Some((ending_from(span.start)?, to))
        };
        self.paused.spans().iter().filter_map(dates).collect()
    }

    /// When the months of the budget end, and the date of start that it was counted from.
    ///
    /// Each end of a date that falls in a pause moves the end of the months on by a date, as it does for days. One
    /// case needs more. Four starts, 28 to 31 December, lead to the 28th of February; a request of the 28th that was
    /// paused on the 29th and 30th would so be due after one of the 31st. No request may be due later than one that
    /// came after it, so it is then due together with that one. Only the last date of a month can be such a start.
    pub(super) fn months(&self) -> Result<(Micros, NaiveDate), NoDue> {
        let paused = self.paused_dates();
        let counted = |start: NaiveDate, last: NaiveDate| {
            self.nth_date(start, (last - start).num_days(), &paused).map(|date| (date, start))
        };
        let own = self.start.date;
        let mut best = counted(own, self.months_later(own).ok_or(NoDue::OutOfRange)?.last);
        if !paused.is_empty() {
            let mut start = last_of_month(own);
            while let Some((date, last)) = start.and_then(|date| Some((date, self.months_later(date)?.last)))
            {
                // It is due at that date's end at the earliest, and later starts still later.
                let standing = paused.last().is_some_and(|(from, to)| to.is_none() && *from <= last);
                if standing || last > self.start.horizon() || best.is_ok_and(|(date, _)| date <= last) {
                    break;
                }
                match (best, counted(date, last)) {
                    (Ok((earliest, _)), Ok((other, _))) if other >= earliest => {}
                    (_, Ok(other)) => best = Ok(other),
                    (_, Err(_)) => {}
                }
                start = date.succ_opt().and_then(last_of_month);
            }
        }
        let (date, start) = best?;
        Ok((self.end_of(date)?, start))
    }

    /// Where the months of the budget lead from a date.
    pub(super) fn months_later(&self, from: NaiveDate) -> Option<MonthsLater> {
        let amount = match self.budget.unit() {
            Unit::Months => self.budget.amount(),
            Unit::Years => self.budget.amount().checked_mul(12)?,
            Unit::WorkingDays
            | Unit::WorkingHours
            | Unit::WorkingMinutes
            | Unit::Minutes
            | Unit::Hours
            | Unit::Days => return None,
        };
        let same_day = from.checked_add_months(Months::new(amount))?;
        let last = match self.month_rule {
            MonthRule::SameDay => same_day,
            MonthRule::DayAfter => same_day.succ_opt()?,
        };
        Some(MonthsLater { same_day, last })
    }

    pub(super) fn end_of(&self, date: NaiveDate) -> Result<Micros, NoDue> {
        let end = self.calendar.end_of(date).ok_or(NoDue::OutOfRange)?;
        Ok(end.timestamp_micros())
    }

    fn no_due(&self) -> NoDue {
        match self.paused.standing().map(instant) {
            Some(Ok(since)) => NoDue::Paused { since },
            Some(Err(_)) | None => NoDue::OutOfRange,
        }
    }
}

fn last_of_month(date: NaiveDate) -> Option<NaiveDate> {
    date.with_day(1)?.checked_add_months(Months::new(1))?.pred_opt()
}
