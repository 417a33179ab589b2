//! When a commitment is due.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::budget::{Budget, MonthRule, Unit};
use super::explanation::Explanation;
use super::open_time::{Start, reach};
use super::pause::{Pause, Paused};
use crate::calendar::{Calendar, DayWalker, Micros};

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
    /// The latest date of start from which the months lead to the same date.
    pub(super) counted_from: NaiveDate,
}

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
            Unit::Days => self.days(self.start.date, amount),
            Unit::Months | Unit::Years => {
                let months = self.months_later().ok_or(NoDue::OutOfRange)?;
                self.days(months.counted_from, (months.last - months.counted_from).num_days())
            }
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

    /// The end of the n-th date after `first` whose end is not paused. Zero days are the end of `first` itself.
    fn days(&self, first: NaiveDate, amount: i64) -> Result<Micros, NoDue> {
        let amount = u64::try_from(amount).map_err(|_| NoDue::OutOfRange)?;
        if self.paused.is_empty() {
            return self.end_of(first.checked_add_days(Days::new(amount)));
        }
        let end = self.end_of(Some(first))?;
        if amount == 0 && !self.paused.contains(end) {
            return Ok(end);
        }
        let mut left = amount.max(1);
        let standing = self.paused.standing().unwrap_or(Paused::FOREVER);
        let horizon = self.start.horizon();
        for date in first.iter_days().skip(1).take_while(|date| *date <= horizon) {
            let end = self.end_of(Some(date))?;
            if standing <= end {
                return Err(self.no_due());
            }
            if !self.paused.contains(end) {
                left -= 1;
                if left == 0 {
                    return Ok(end);
                }
            }
        }
        Err(NoDue::OutOfRange)
    }

    /// Where the months of the budget lead.
    ///
    /// Four starts, 28 to 31 January, lead to the 28th of February. They count as one start, the latest, when
    /// pauses push the end on, or else a request received on the 30th and paused that night would be due after
    /// one received on the 31st.
    pub(super) fn months_later(&self) -> Option<MonthsLater> {
        let amount = match self.budget.unit() {
            Unit::Months => self.budget.amount(),
            Unit::Years => self.budget.amount().checked_mul(12)?,
            _ => return None,
        };
        let date = self.start.date;
        let same_day = date.checked_add_months(Months::new(amount))?;
        let is_last_of_month = |date: NaiveDate| date.succ_opt().is_none_or(|next| next.day() == 1);
        let counted_from = if is_last_of_month(same_day) {
            date.iter_days().find(|date| is_last_of_month(*date))?
        } else {
            date
        };
        let last = match self.month_rule {
            MonthRule::SameDay => same_day,
            MonthRule::DayAfter => same_day.succ_opt()?,
        };
        Some(MonthsLater { same_day, last, counted_from })
    }

    pub(super) fn end_of(&self, date: Option<NaiveDate>) -> Result<Micros, NoDue> {
        let end = date.and_then(|date| self.calendar.end_of(date)).ok_or(NoDue::OutOfRange)?;
        Ok(end.timestamp_micros())
    }

    fn no_due(&self) -> NoDue {
        match self.paused.standing().map(instant) {
            Some(Ok(since)) => NoDue::Paused { since },
            Some(Err(_)) | None => NoDue::OutOfRange,
        }
    }
}
