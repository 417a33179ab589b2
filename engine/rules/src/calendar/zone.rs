//! From local wall-clock times to instants, across changes of clock.

use chrono::{DateTime, Days, MappedLocalTime, NaiveDate, NaiveDateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::{GapInfo, Tz};

/// What a local time is the edge of; it decides which of two equal wall-clock times in autumn is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edge {
    /// The start of open time: the first of the two.
    Opening,
    /// The end of open time or of a date: the second of the two.
    Closing,
}

/// The instant of a local time. One that does not exist (spring) is moved forward by the gap.
///
/// `None` only beyond what the calendar arithmetic can represent.
pub(super) fn instant(zone: Tz, local: NaiveDateTime, edge: Edge) -> Option<DateTime<Utc>> {
    match zone.from_local_datetime(&local) {
        MappedLocalTime::Single(instant) => Some(instant.with_timezone(&Utc)),
        MappedLocalTime::Ambiguous(first, second) => Some(match edge {
            Edge::Opening => first.with_timezone(&Utc),
            Edge::Closing => second.with_timezone(&Utc),
        }),
        MappedLocalTime::None => {
            // Reading the missing time with the offset that held before the gap moves it forward by the gap.
            let (_, offset) = GapInfo::new(&local, &zone)?.begin?;
            let seconds = i64::from(chrono::Offset::fix(&offset).local_minus_utc());
            Some(local.checked_sub_signed(TimeDelta::try_seconds(seconds)?)?.and_utc())
        }
    }
}

/// The instant of so many minutes after local midnight of a date, on the wall clock; 1440 is the next midnight.
pub(super) fn instant_of_minute(zone: Tz, date: NaiveDate, minute: u16, edge: Edge) -> Option<DateTime<Utc>> {
    let (date, minute) =
        if minute >= 1440 { (date.checked_add_days(Days::new(1))?, minute - 1440) } else { (date, minute) };
    instant(zone, date.and_hms_opt(u32::from(minute / 60), u32::from(minute % 60), 0)?, edge)
}
