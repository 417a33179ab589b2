//! Time and memory, and how they are printed.

use std::time::{Duration, Instant};

/// Whatever stops a measurement.
pub(crate) type Fault = Box<dyn std::error::Error + Send + Sync>;

/// Measures elapsed time.
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    #[must_use]
    #[allow(clippy::disallowed_methods, reason = "measuring is what this crate is for")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// Time since the start.
    #[must_use]
    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
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

/// Prints one line of a table.
pub(crate) fn line(what: &str, figures: &[(&str, String)]) {
    let figures: Vec<String> = figures.iter().map(|(name, value)| format!("{name} {value}")).collect();
    println!("{what:<44} {}", figures.join("  ·  "));
}
