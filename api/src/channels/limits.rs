//! How much may come in from one sender, and about one request: whoever sends us mails in somebody else's name must not
//! make us write to that person without end, and two programs that answer each other must come to an end.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::Semaphore;

/// New requests from one sender in an hour; each is acknowledged, and the sender may be forged.
pub const NEW_PER_SENDER: u32 = 10;
/// New requests through one mailbox or gateway in an hour, whoever sends them.
pub const NEW_PER_DOOR: u32 = 1_000;
/// Words on one request in an hour.
pub const REPLIES_PER_REQUEST: u32 = 20;
/// Large bodies (mails, photos, scans) in memory at once.
pub const LARGE_AT_ONCE: usize = 4;
/// Counters kept; when there are more, those of the hour before are forgotten.
const COUNTERS_MAX: usize = 50_000;

/// What has come in within the last hour, on this server.
#[derive(Debug)]
pub struct Limits {
    counts: Mutex<HashMap<String, Count>>,
    large: Semaphore,
}

#[derive(Debug, Clone, Copy)]
struct Count {
    since: DateTime<Utc>,
    number: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { counts: Mutex::default(), large: Semaphore::new(LARGE_AT_ONCE) }
    }
}

impl Limits {
    /// Whether one more may come under `key` within the hour; otherwise the seconds until that is so. Keys are digests: no
    /// address is kept.
    pub(crate) fn take(&self, key: &str, most: u32, now: DateTime<Utc>) -> Result<(), u64> {
        let hour = TimeDelta::hours(1);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= COUNTERS_MAX {
            counts.retain(|_, count| now - count.since < hour);
        }
        if counts.len() >= COUNTERS_MAX {
            counts.clear();
        }
        let count = counts.entry(key.to_owned()).or_insert(Count { since: now, number: 0 });
        if now - count.since >= hour {
            *count = Count { since: now, number: 0 };
        }
        if count.number < most {
            count.number += 1;
            return Ok(());
        }
        Err(u64::try_from((count.since + hour - now).num_seconds()).unwrap_or_default().max(1))
    }

    /// A place for a large body; none while all are taken.
    pub(crate) fn place(&self) -> Option<tokio::sync::SemaphorePermit<'_>> {
        self.large.try_acquire().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_later_more_may_come() {
        let limits = Limits::default();
        let now: DateTime<Utc> = "2026-11-03T09:00:00Z".parse().unwrap();
        for _ in 0..3 {
            assert_eq!(limits.take("a", 3, now), Ok(()));
        }
        assert_eq!(limits.take("a", 3, now + TimeDelta::minutes(59)), Err(60));
        assert_eq!(limits.take("b", 3, now), Ok(()));
        assert_eq!(limits.take("a", 3, now + TimeDelta::hours(1)), Ok(()));
    }
}
