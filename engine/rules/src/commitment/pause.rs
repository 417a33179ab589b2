//! Pauses: stretches of time that do not count.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::calendar::{Micros, Span};

/// A stretch of time that does not count, its end excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pause {
    /// When the clock stopped.
    pub from: DateTime<Utc>,
    /// When it went on; `None` while it still stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
}

/// The text is not a pause.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a pause; write two instants with their zones, such as `2026-05-07T10:00:00Z/2026-05-11T08:00:00Z`"
)]
pub struct PauseError(pub String);

impl Pause {
    /// A pause that ended.
    #[must_use]
    pub fn new(from: DateTime<Utc>, until: DateTime<Utc>) -> Self {
        Self { from, until: Some(until) }
    }

    /// A pause that still stands.
    #[must_use]
    pub fn open(from: DateTime<Utc>) -> Self {
        Self { from, until: None }
    }

    /// Whether an instant lies in it.
    #[must_use]
    pub fn contains(&self, instant: DateTime<Utc>) -> bool {
        self.from <= instant && self.until.is_none_or(|until| instant < until)
    }
}

impl std::str::FromStr for Pause {
    type Err = PauseError;

    /// Reads `FROM/UNTIL`, or `FROM/` for a pause that still stands.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || PauseError(text.chars().take(80).collect());
        let instant = |part: &str| {
            DateTime::parse_from_rfc3339(part.trim()).map(|instant| instant.with_timezone(&Utc)).ok()
        };
        let (from, until) = text.split_once('/').ok_or_else(error)?;
        let from = instant(from).ok_or_else(error)?;
        let until = match until.trim() {
            "" => None,
            until => Some(instant(until).ok_or_else(error)?),
        };
        Ok(Self { from, until })
    }
}

/// Pauses in order, apart, none empty, cut to what lies after a start. A pause that still stands ends at
/// [`Paused::FOREVER`].
#[derive(Debug, Clone, Default)]
pub(crate) struct Paused {
    spans: Vec<Span>,
}

impl Paused {
    pub(crate) const FOREVER: Micros = Micros::MAX;

    pub(crate) fn new(pauses: &[Pause], start: Micros) -> Self {
        let mut spans: Vec<Span> = pauses
            .iter()
            .map(|pause| Span {
                start: pause.from.timestamp_micros().max(start),
                end: pause.until.map_or(Self::FOREVER, |until| until.timestamp_micros()),
            })
            .filter(|span| span.start < span.end)
            .collect();
        spans.sort_unstable();
        let mut joined: Vec<Span> = Vec::with_capacity(spans.len());
        for span in spans {
            match joined.last_mut() {
                Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
                _ => joined.push(span),
            }
        }
        Self { spans: joined }
    }

    pub(crate) fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// Since when the clock stands still with no end in sight.
    pub(crate) fn standing(&self) -> Option<Micros> {
        self.spans.last().filter(|span| span.end == Self::FOREVER).map(|span| span.start)
    }

    pub(crate) fn contains(&self, instant: Micros) -> bool {
        let next = self.spans.partition_point(|span| span.start <= instant);
        next.checked_sub(1).and_then(|last| self.spans.get(last)).is_some_and(|span| instant < span.end)
    }
}
