//! When a town hall is open: zone, weekly hours, holidays, closures and extra openings.
//!
//! A [`CalendarSheet`] is what a designer wrote and what a published definition stores; a [`Calendar`] is the
//! same thing checked and ready to compute with. All sums are done on instants (UTC), all dates are taken in
//! the calendar's zone, and the zone tables are compiled in, so the machine's own zone never matters.

mod compile;
mod days;
mod holidays;
mod sheet;
mod zone;

pub use compile::{Calendar, CalendarError};
pub use days::{DayStatus, OpenSpan};
pub(crate) use days::{DayWalker, Micros, Span};
pub use holidays::{Holiday, HolidaySet, easter_sunday};
pub use sheet::{CalendarSheet, Closure, Interval, IntervalError, Opening, Weekday};
