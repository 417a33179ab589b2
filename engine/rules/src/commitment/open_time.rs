//! Open, unpaused time: the pieces of it in order, and how much of it lies between two instants.

use chrono::{DateTime, Datelike, Months, NaiveDate, TimeDelta, Utc};

use super::pause::{Pause, Paused};
use crate::calendar::{Calendar, DayWalker, Micros, Span};

/// Last year of a start. A hundred years of budget, and as much of pauses, end within the calendar's years.
const LAST_START_YEAR: i32 = 2_400;
/// No search goes further than this after its start, so that the sparsest calendar cannot make it hang.
const HORIZON: Months = Months::new(200 * 12);

/// A start that dates can be computed from: its instant and its local date.
#[derive(Debug, Clone, Copy)]
pub(super) struct Start {
    pub(super) instant: Micros,
    pub(super) date: NaiveDate,
}

impl Start {
    /// `None` outside the years that are computed.
    pub(super) fn new(calendar: &Calendar, from: DateTime<Utc>) -> Option<Self> {
        (Calendar::FIRST_YEAR..=LAST_START_YEAR)
            .contains(&from.year())
            .then(|| Self { instant: from.timestamp_micros(), date: calendar.local_date(from) })
    }

    /// The last date that a search from here looks at.
    pub(super) fn horizon(&self) -> NaiveDate {
        let end = NaiveDate::from_ymd_opt(Calendar::LAST_YEAR, 12, 31).unwrap_or(NaiveDate::MAX);
        self.date.checked_add_months(HORIZON).map_or(end, |date| date.min(end))
    }
}

/// The pieces of open, unpaused time after a start, in order and apart.
pub(super) struct OpenTime<'a> {
    walker: DayWalker<'a>,
    paused: &'a [Span],
    /// What is left of the spans of the dates already taken from the walker, the next one last.
    waiting: Vec<Span>,
    /// Nothing before this instant is given any more.
    done_until: Micros,
}

impl<'a> OpenTime<'a> {
    pub(super) fn new(calendar: &'a Calendar, start: Start, paused: &'a Paused) -> Self {
        // An interval that ends on a repeated midnight reaches into the next date.
        let first = start.date.pred_opt().unwrap_or(start.date);
        let walker = DayWalker::new(calendar, first, start.horizon());
        Self { walker, paused: paused.spans(), waiting: Vec::new(), done_until: start.instant }
    }

    fn next_open(&mut self) -> Option<Span> {
        loop {
            if let Some(span) = self.waiting.pop() {
                return Some(span);
            }
            let date = self.walker.next()?;
            self.walker.spans(date, &mut self.waiting);
            self.waiting.reverse();
        }
    }
}

impl Iterator for OpenTime<'_> {
    type Item = Span;

    fn next(&mut self) -> Option<Span> {
        loop {
            let open = self.next_open()?;
            let start = open.start.max(self.done_until);
            if start >= open.end {
                continue;
            }
            while self.paused.first().is_some_and(|pause| pause.end <= start) {
                self.paused = self.paused.get(1..).unwrap_or_default();
            }
            let Some(pause) = self.paused.first().filter(|pause| pause.start < open.end) else {
                self.done_until = open.end;
                return Some(Span { start, end: open.end });
            };
            if pause.end == Paused::FOREVER && pause.start <= start {
                return None;
            }
            self.done_until = pause.end.min(open.end);
            if pause.end < open.end {
                self.waiting.push(Span { start: pause.end, end: open.end });
            }
            if start < pause.start {
                return Some(Span { start, end: pause.start });
            }
        }
    }
}

/// The instant at which open, unpaused time since the start reaches `wanted`.
pub(super) fn reach(calendar: &Calendar, start: Start, wanted: Micros, paused: &Paused) -> Option<Micros> {
    let mut left = wanted;
    if left <= 0 {
        return Some(start.instant);
    }
    for piece in OpenTime::new(calendar, start, paused) {
        let length = piece.end - piece.start;
        if left <= length {
            return Some(piece.start + left);
        }
        left -= length;
    }
    None
}

/// Open, unpaused time between a start and an instant, in microseconds.
pub(super) fn between(calendar: &Calendar, start: Start, until: Micros, paused: &Paused) -> Micros {
    OpenTime::new(calendar, start, paused)
        .take_while(|piece| piece.start < until)
        .map(|piece| piece.end.min(until) - piece.start)
        .sum()
}

/// Open, unpaused time between two instants: what a gauge shows as spent. Zero if `until` lies before `from`, and
/// for instants outside the years that are computed (1900 to 2400).
#[must_use]
pub fn open_time(
    calendar: &Calendar,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
    pauses: &[Pause],
) -> TimeDelta {
    let Some(start) = Start::new(calendar, from) else { return TimeDelta::zero() };
    let paused = Paused::new(pauses, start.instant);
    TimeDelta::microseconds(between(calendar, start, until.timestamp_micros(), &paused))
}
