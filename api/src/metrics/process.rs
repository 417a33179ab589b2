//! The process, as far as the system tells (Linux: `/proc/self`).

use metrics::{describe_counter, describe_gauge, gauge};

use crate::ambient::SystemClock;
use guichet_engine::Clock;

/// Ticks of the processor's clock in a second, as Linux counts them for programs.
const TICKS: u64 = 100;

pub(super) fn describe() {
    describe_gauge!("process_start_time_seconds", "When the program began, in seconds since 1970 (UTC).");
    describe_gauge!("process_resident_memory_bytes", "Memory held.");
    describe_gauge!("process_open_fds", "Files and sockets open.");
    describe_counter!("process_cpu_seconds_total", "Processor time spent, in whole seconds.");
}

pub(super) fn started() {
    let now = SystemClock.now().timestamp();
    gauge!("process_start_time_seconds").set(u32::try_from(now).map_or(f64::NAN, f64::from));
}

/// Looks at the process now; what the system does not tell is left out.
pub(super) fn look() {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let held =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse().ok());
    if let Some(kibibytes) = held {
        let kibibytes: u32 = kibibytes;
        gauge!("process_resident_memory_bytes").set(f64::from(kibibytes) * 1024.0);
    }
    let open = std::fs::read_dir("/proc/self/fd").map(Iterator::count).ok();
    if let Some(open) = open.and_then(|open| u32::try_from(open).ok()) {
        gauge!("process_open_fds").set(f64::from(open));
    }
    if let Some(seconds) = processor() {
        metrics::counter!("process_cpu_seconds_total").absolute(seconds);
    }
}

/// User and system time, the 14th and 15th fields of `/proc/self/stat`; the second one may hold spaces.
fn processor() -> Option<u64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let after = stat.rsplit_once(')')?.1;
    let ticks: Vec<u64> =
        after.split_whitespace().skip(11).take(2).filter_map(|field| field.parse().ok()).collect();
    let [user, system] = ticks.as_slice() else { return None };
    Some((user + system) / TICKS)
}
