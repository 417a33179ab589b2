//! Time, memory and processor time, and how they are printed.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Whatever stops a measurement.
pub(crate) type Fault = Box<dyn std::error::Error + Send + Sync>;

/// Measures elapsed time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    #[must_use]
    #[allow(clippy::disallowed_methods, reason = "measuring is what this crate is for")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// Started at an instant that may be still to come.
    #[must_use]
    pub(crate) const fn at(instant: Instant) -> Self {
        Self(instant)
    }

    /// When it was started.
    #[must_use]
    pub(crate) const fn started(&self) -> Instant {
        self.0
    }

    /// Time since the start.
    #[must_use]
    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// What callers did, and how long each waited.
pub(crate) struct Load {
    /// From the first call to the last answer.
    pub(crate) elapsed: Duration,
    /// Processor time of the whole program meanwhile.
    pub(crate) processor: Duration,
    /// Events that were written.
    pub(crate) events: usize,
    /// How long each call took, shortest first.
    pub(crate) latencies: Vec<Duration>,
}

impl Load {
    /// Calls in a second.
    #[must_use]
    pub(crate) fn calls_rate(&self) -> f64 {
        rate(self.latencies.len(), self.elapsed)
    }

    /// Events in a second.
    #[must_use]
    pub(crate) fn events_rate(&self) -> f64 {
        rate(self.events, self.elapsed)
    }

    /// The median and the 99th percentile, in words.
    #[must_use]
    pub(crate) fn waits(&self) -> (String, String) {
        let at = |share| format!("{:.2?}", quantile(&self.latencies, share));
        (at(0.5), at(0.99))
    }
}

/// How many in a second.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "a rate needs no more than 52 bits")]
pub(crate) fn rate(count: usize, elapsed: Duration) -> f64 {
    count as f64 / elapsed.as_secs_f64().max(1e-9)
}

/// The value at a share of the sorted list, 0.5 for the median.
#[must_use]
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an index into a list that fits in memory"
)]
pub(crate) fn quantile(sorted: &[Duration], share: f64) -> Duration {
    let index = (sorted.len() as f64 * share) as usize;
    sorted.get(index.min(sorted.len().saturating_sub(1))).copied().unwrap_or_default()
}

/// Memory of this process in MiB: now, and at its peak since [`forget_peak`]; zero where the system does not tell.
#[must_use]
pub(crate) fn memory() -> (u64, u64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).unwrap_or_default() / 1024
    };
    (field("VmRSS:"), field("VmHWM:"))
}

/// Lets the peak start again from what is in use now.
pub(crate) fn forget_peak() {
    // Only Linux has it; elsewhere the peak is that of the whole run.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// Processor time of this program so far, its own and the system's on its behalf, to a hundredth of a second; zero
/// where the system does not tell.
#[must_use]
pub(crate) fn processor() -> Duration {
    /// Linux counts these in hundredths of a second on every machine.
    const TICK: Duration = Duration::from_millis(10);
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The program's name stands in brackets and may hold anything; the 14th and 15th members are the times.
    let members = stat.rsplit(')').next().unwrap_or_default();
    let ticks = members.split_whitespace().skip(11).take(2);
    TICK * ticks.filter_map(|ticks| ticks.parse::<u32>().ok()).sum()
}

/// Prints one line of a part.
pub(crate) fn line(what: &str, figures: &[(&str, String)]) {
    let figures: Vec<String> = figures.iter().map(|(name, value)| format!("{name} {value}")).collect();
    println!("{what:<52} {}", figures.join("  ·  "));
}

static TABLE: Mutex<Vec<[String; 4]>> = Mutex::new(Vec::new());

/// Keeps a row for the table at the end: what was measured, the ratio, against what, and what is to be reached.
pub(crate) fn row(what: impl Into<String>, ratio: impl Into<String>, against: impl Into<String>, goal: &str) {
    let row = [what.into(), ratio.into(), against.into(), goal.to_owned()];
    TABLE.lock().unwrap_or_else(PoisonError::into_inner).push(row);
}

/// Prints the rows kept so far.
pub(crate) fn print_table() {
    let rows = TABLE.lock().unwrap_or_else(PoisonError::into_inner);
    if rows.is_empty() {
        return;
    }
    println!("\n| what | measured | against | at least |\n| --- | --- | --- | --- |");
    for [what, ratio, against, goal] in rows.iter() {
        println!("| {what} | {ratio} | {against} | {goal} |");
    }
}

static REMEMBERED: LazyLock<Mutex<HashMap<String, f64>>> = LazyLock::new(Mutex::default);

/// Keeps a rate of Guichet's for a later part to compare with.
pub(crate) fn remember(what: String, rate: f64) {
    REMEMBERED.lock().unwrap_or_else(PoisonError::into_inner).insert(what, rate);
}

/// A rate kept earlier in this run.
#[must_use]
pub(crate) fn remembered(what: &str) -> Option<f64> {
    REMEMBERED.lock().unwrap_or_else(PoisonError::into_inner).get(what).copied()
}

/// A share as a percentage.
#[must_use]
pub(crate) fn percent(ours: f64, floor: f64) -> String {
    format!("{:.0} %", 100.0 * ours / floor.max(1e-9))
}
