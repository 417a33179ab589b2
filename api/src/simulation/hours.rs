//! Working time as a list of stretches, so that a sum over it costs one search.

use chrono::NaiveDate;
use guichet_engine::rules::calendar::Calendar;

/// An instant in whole seconds since 1970 UTC.
pub(super) type Second = i64;

/// Later than everything: work that nobody finishes.
pub(super) const NEVER: Second = i64::MAX / 4;

/// A stretch of working time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stretch {
    opens: Second,
    closes: Second,
    /// Working time before it.
    before: i64,
}

/// The working time of a calendar, or of someone, between two dates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Hours(Vec<Stretch>);

impl Hours {
    /// The open time of `calendar` on the dates from `first` to `last`, both included, that `there` leaves in.
    pub(super) fn of(
        calendar: &Calendar,
        first: NaiveDate,
        last: NaiveDate,
        there: impl Fn(NaiveDate) -> bool,
    ) -> Self {
        let days = first.iter_days().take_while(|day| *day <= last).filter(|day| there(*day));
        let spans = days.flat_map(|day| calendar.open_spans(day));
        Self::joined(spans.map(|span| (span.opens.timestamp(), span.closes.timestamp())))
    }

    /// All the time there is between two instants.
    pub(super) fn always(from: Second, until: Second) -> Self {
        Self::joined(std::iter::once((from, until)))
    }

    fn joined(spans: impl Iterator<Item = (Second, Second)>) -> Self {
        let mut stretches: Vec<Stretch> = Vec::new();
        let mut before = 0;
        for (opens, closes) in spans {
            match stretches.last_mut() {
                // A day that ends at midnight goes on into the next.
                Some(last) if opens <= last.closes => {
                    before += (closes - last.closes).max(0);
                    last.closes = last.closes.max(closes);
                }
                Some(_) | None => {
                    stretches.push(Stretch { opens, closes, before });
                    before += closes - opens;
                }
            }
        }
        Self(stretches)
    }

    /// The same without the dates that `away` names, by the date on which a stretch opens.
    pub(super) fn without(&self, away: impl Fn(Second) -> bool) -> Self {
        Self::joined(self.0.iter().filter(|s| !away(s.opens)).map(|s| (s.opens, s.closes)))
    }

    /// The first stretch that closes after `at`.
    pub(super) fn next(&self, at: Second) -> Option<(Second, Second)> {
        self.0.get(self.0.partition_point(|s| s.closes <= at)).map(|s| (s.opens, s.closes))
    }

    /// Working time before `at`.
    fn until(&self, at: Second) -> i64 {
        let next = self.0.partition_point(|stretch| stretch.opens < at);
        let last = next.checked_sub(1).and_then(|last| self.0.get(last));
        last.map_or(0, |last| last.before + at.min(last.closes) - last.opens)
    }

    /// Working time between two instants, in seconds.
    pub(super) fn between(&self, from: Second, until: Second) -> i64 {
        (self.until(until) - self.until(from)).max(0)
    }

    /// When so many seconds of working time have passed since `from`; [`NEVER`] beyond the dates it was made for.
    pub(super) fn after(&self, from: Second, seconds: i64) -> Second {
        let wanted = self.until(from) + seconds.max(0);
        let next =
            self.0.partition_point(|stretch| stretch.before + (stretch.closes - stretch.opens) < wanted);
        match self.0.get(next) {
            Some(stretch) => (stretch.opens + wanted - stretch.before).max(from),
            None => NEVER,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn week() -> Hours {
        Hours::joined([(100, 200), (300, 400), (400, 450)].into_iter())
    }

    #[test]
    fn working_time_is_summed_and_searched() {
        let hours = week();
        assert_eq!((hours.next(0), hours.next(450)), (Some((100, 200)), None));
        assert_eq!(hours.between(0, 1_000), 250);
        assert_eq!(hours.between(150, 310), 60);
        assert_eq!(hours.between(210, 290), 0);
        assert_eq!(hours.after(0, 30), 130);
        assert_eq!(hours.after(190, 10), 200);
        assert_eq!(hours.after(190, 11), 301);
        assert_eq!(hours.after(250, 0), 250);
        assert_eq!(hours.after(440, 11), NEVER);
        assert_eq!(hours.next(200), Some((300, 450)));
        assert_eq!(hours.without(|opens| opens == 100).between(0, 1_000), 150);
    }

    #[test]
    fn what_is_reached_has_passed() {
        let hours = week();
        for from in 0..460 {
            for seconds in 1..250 {
                let at = hours.after(from, seconds);
                assert!(at == NEVER || hours.between(from, at) == seconds, "{from} {seconds}");
            }
        }
    }
}
