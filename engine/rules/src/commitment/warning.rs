//! When to warn before a commitment is broken.

use chrono::{DateTime, Utc};

use super::due::{NoDue, instant};
use super::open_time::{Start, between, reach};
use super::pause::{Pause, Paused};
use crate::calendar::{Calendar, Micros};

/// The instant at which open, unpaused time since `from` reaches `percent` of what lies between `from` and `due`.
///
/// It lies in open time or on a closing, never in the night after it. Where no open time lies between the two
/// instants, it is `from`: all of nothing is spent. A percentage over 100 counts as 100.
///
/// # Errors
/// [`NoDue::OutOfRange`] if `from` lies outside the years that are computed.
pub fn warning(
    calendar: &Calendar,
    from: DateTime<Utc>,
    due: DateTime<Utc>,
    percent: u8,
    pauses: &[Pause],
) -> Result<DateTime<Utc>, NoDue> {
    let start = Start::new(calendar, from).ok_or(NoDue::OutOfRange)?;
    let paused = Paused::new(pauses, start.instant);
    let total = between(calendar, start, due.timestamp_micros(), &paused);
    let wanted = share(total, percent.min(100));
    instant(reach(calendar, start, wanted, &paused).ok_or(NoDue::OutOfRange)?)
}

/// So many percent, rounded up to the microsecond: the share must have been reached.
fn share(total: Micros, percent: u8) -> Micros {
    let percent = Micros::from(percent);
    total / 100 * percent + (total % 100 * percent + 99) / 100
}
