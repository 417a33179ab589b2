//! When what failed is tried again: the schedule that Standard Webhooks recommends, over some three days.

use std::time::Duration;

use chrono::TimeDelta;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// The waits between tries, in seconds.
const WAITS: [u64; 9] =
    [5, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR];

/// Tries in all, the first included; then the event is a dead letter.
pub const ATTEMPTS_MAX: u32 = 10;
/// Failures in a row after which an address is left in peace for a while, whatever waits for it.
pub const FAILURES_BEFORE_REST: u32 = 3;
/// The longest rest after failures in a row.
pub const REST_MAX: Duration = Duration::from_secs(15 * MINUTE);
/// The longest wait that a receiver may ask for with `Retry-After`.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * HOUR);
/// An address that takes nothing for so long is disabled.
pub const FAILING_MAX: TimeDelta = TimeDelta::days(5);

/// The wait after `attempts` tries that failed; none when there is no other. `chance` from 0 to 255 lengthens it by up to
/// a tenth, so that what failed together is not tried together.
#[must_use]
pub fn wait_after(attempts: u32, chance: u8) -> Option<TimeDelta> {
    let index = usize::try_from(attempts.checked_sub(1)?).ok()?;
    let seconds = WAITS.get(index)?;
    Some(lengthened(Duration::from_secs(*seconds), chance))
}

/// How long an address rests after `failures` in a row; none while they are few.
#[must_use]
pub fn rest_after(failures: u32, chance: u8) -> Option<TimeDelta> {
    let beyond = failures.checked_sub(FAILURES_BEFORE_REST)?;
    let rest = Duration::from_secs(5).saturating_mul(1 << beyond.min(16)).min(REST_MAX);
    Some(lengthened(rest, chance))
}

fn lengthened(wait: Duration, chance: u8) -> TimeDelta {
    let wait = wait + wait * u32::from(chance) / (10 * 255);
    TimeDelta::from_std(wait).unwrap_or(TimeDelta::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_tries_within_some_three_days() {
        let waits: Vec<TimeDelta> = (1..ATTEMPTS_MAX).map(|tries| wait_after(tries, 0).unwrap()).collect();
        let all: TimeDelta = waits.iter().sum();
        assert!(waits.is_sorted() && all > TimeDelta::days(3) && all < TimeDelta::days(4), "{all}");
        assert_eq!(wait_after(ATTEMPTS_MAX, 0), None);
        assert_eq!(wait_after(0, 0), None);
    }

    #[test]
    fn chance_lengthens_by_a_tenth_at_most() {
        let (least, most) = (wait_after(4, 0).unwrap(), wait_after(4, 255).unwrap());
        assert_eq!(most.num_seconds(), least.num_seconds() * 11 / 10);
    }

    #[test]
    fn an_address_rests_longer_and_longer_up_to_its_limit() {
        let rests: Vec<Option<i64>> =
            (2..12).map(|failures| rest_after(failures, 0).map(|rest| rest.num_seconds())).collect();
        assert_eq!(rests[..4], [None, Some(5), Some(10), Some(20)]);
        assert_eq!(rests[9], Some(900));
    }
}
