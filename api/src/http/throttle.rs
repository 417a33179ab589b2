//! Slows down those who try tracking codes or flood the town with requests: a token bucket for each collectivity and
//! caller.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};

/// Look-ups of tracking codes: 20 at once, then one in three seconds.
pub(crate) const LOOK_UPS: Rate = Rate { burst: 20.0, seconds_each: 3.0 };
/// Requests from callers without a key: 60 at once, then one a second. A whole building may sit behind one address.
pub(crate) const ARRIVALS: Rate = Rate { burst: 60.0, seconds_each: 1.0 };
/// Keys and sessions that are none: 30 at once, then one every 2 seconds.
pub(crate) const STRANGERS: Rate = Rate { burst: 30.0, seconds_each: 2.0 };
/// Calls at once of one caller, as a multiple of what it may do in a second.
pub(crate) const CALLS_BURST: u32 = 6;
/// Callers remembered; when there are more, those who have been quiet longest are forgotten.
const CALLERS_MAX: usize = 10_000;

/// How many may come at once, and how long until another may.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    burst: f64,
    seconds_each: f64,
}

impl Rate {
    /// So many a second, and [`CALLS_BURST`] times as many at once.
    pub(crate) fn calls(each_second: u32) -> Self {
        let each_second = each_second.max(1);
        Self { burst: f64::from(each_second * CALLS_BURST), seconds_each: 1.0 / f64::from(each_second) }
    }

    /// How many may come at once.
    pub(crate) fn burst(self) -> f64 {
        self.burst
    }

    /// Seconds until so many have come back.
    pub(crate) fn seconds_for(self, missing: f64) -> f64 {
        (missing * self.seconds_each).max(0.0)
    }
}

/// Counts what callers do.
#[derive(Debug)]
pub(crate) struct Throttle {
    rate: Rate,
    buckets: Mutex<HashMap<(String, Option<IpAddr>), Bucket>>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    left: f64,
    at: DateTime<Utc>,
}

impl Throttle {
    /// Counts by this rate.
    pub(crate) fn new(rate: Rate) -> Self {
        Self { rate, buckets: Mutex::default() }
    }

    /// The rate that is counted by.
    pub(crate) fn rate(&self) -> Rate {
        self.rate
    }

    /// Whether `caller` may come once more, and how often it may come after that; otherwise the seconds to wait.
    pub(crate) fn take(&self, tenant: &str, caller: Option<IpAddr>, now: DateTime<Utc>) -> Result<f64, u64> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= CALLERS_MAX {
            // A bucket that has filled up again says nothing that a new one would not.
            buckets.retain(|_, bucket| bucket.refilled(self.rate, now) < self.rate.burst);
        }
        if buckets.len() >= CALLERS_MAX {
            buckets.clear();
        }
        let bucket =
            buckets.entry((tenant.to_owned(), caller)).or_insert(Bucket { left: self.rate.burst, at: now });
        let left = bucket.refilled(self.rate, now);
        *bucket = Bucket { left: if left >= 1.0 { left - 1.0 } else { left }, at: now };
        if left >= 1.0 { Ok(left - 1.0) } else { Err(wait(self.rate, left)) }
    }
}

impl Bucket {
    fn refilled(&self, rate: Rate, now: DateTime<Utc>) -> f64 {
        let millis = (now - self.at).num_milliseconds().clamp(0, 86_400_000);
        let seconds = f64::from(i32::try_from(millis).unwrap_or(i32::MAX)) / 1000.0;
        (self.left + seconds / rate.seconds_each).min(rate.burst)
    }
}

fn wait(rate: Rate, left: f64) -> u64 {
    let mut seconds = 1;
    // At most a few turns: a bucket is never more than one look-up short.
    while f64::from(u32::try_from(seconds).unwrap_or(u32::MAX)) < (1.0 - left) * rate.seconds_each
        && seconds < 60
    {
        seconds += 1;
    }
    seconds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_tries_too_often_waits_and_others_do_not() {
        let throttle = Throttle::new(LOOK_UPS);
        let now: DateTime<Utc> = "2026-11-03T10:00:00Z".parse().unwrap();
        let caller = Some("192.0.2.1".parse().unwrap());
        for _ in 0..20 {
            assert!(throttle.take("ville", caller, now).is_ok());
        }
        assert_eq!(throttle.take("ville", caller, now), Err(3));
        assert_eq!(throttle.take("ccas", caller, now), Ok(19.0));
        assert!(throttle.take("ville", None, now).is_ok());
        let later = now + chrono::TimeDelta::seconds(3);
        assert_eq!(throttle.take("ville", caller, later), Ok(0.0));
        assert_eq!(throttle.take("ville", caller, later), Err(3));
    }
}
