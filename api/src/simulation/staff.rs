//! The staff: each person does one thing after the other, in opening hours.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use guichet_engine::rules::calendar::Calendar;
use guichet_engine::rules::commitment::{Budget, MonthRule, Unit, due_instant, open_time};

/// Who is busy until when.
#[derive(Debug, Default)]
pub(super) struct Staff {
    free: HashMap<String, DateTime<Utc>>,
}

impl Staff {
    /// The one of `people` who is free first; of several, the first of the list.
    pub(super) fn freest<'a>(&self, people: &[&'a str]) -> Option<&'a str> {
        people.iter().copied().min_by_key(|person| self.free.get(*person))
    }

    /// Gives `person` a piece of work of so many open minutes that is to be begun at `from` at the earliest; answers
    /// when it is done. It never keeps someone longer from other work than it takes.
    pub(super) fn book(
        &mut self,
        person: &str,
        calendar: &Calendar,
        from: DateTime<Utc>,
        minutes: i64,
    ) -> DateTime<Utc> {
        let free = self.free.get(person).copied().unwrap_or(from);
        let done = after(calendar, free.max(from), minutes);
        // Work planned for later leaves the time before it free for other work.
        if from <= free || done - free < TimeDelta::hours(4) {
            self.free.insert(person.to_owned(), done);
        }
        done
    }
}

/// The instant at which so many open minutes have passed since `from`.
pub(super) fn after(calendar: &Calendar, from: DateTime<Utc>, minutes: i64) -> DateTime<Utc> {
    let minutes = u32::try_from(minutes.max(1)).unwrap_or(1).min(Unit::WorkingMinutes.most());
    let due = Budget::new(minutes, Unit::WorkingMinutes)
        .ok()
        .and_then(|budget| due_instant(calendar, from, budget, MonthRule::default(), &[]).ok());
    due.unwrap_or(from + TimeDelta::minutes(i64::from(minutes)))
}

/// Open minutes between two instants; 0 if the second is not later.
pub(super) fn open_minutes(calendar: &Calendar, from: DateTime<Utc>, until: DateTime<Utc>) -> i64 {
    open_time(calendar, from, until, &[]).num_minutes()
}
