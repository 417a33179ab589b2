//! Texts made by libFuzzer, tried on the loader of the process language and on the expressions of its rules.
//!
//! An input is one or more records, each begun by the separator U+001E: a line with a path, then a text. The files so
//! named replace or join those of the town of the rules' own tests, and the whole is loaded. The path `rule` stands for
//! no file: its text is compiled as the expression of a rule. Inputs are texts so that a find can be read as it is.
#![no_main]

mod expression;
mod lines;
mod loader;

use std::sync::Mutex;
use std::time::{Duration, Instant};

/// What stands before each record.
const RECORD: char = '\u{1e}';
/// The path that stands for an expression.
const RULE: &str = "rule";
/// The longest that one input may take.
const LONGEST: Duration = Duration::from_secs(1);

/// Where the last panic was and what it said. Some are caught on purpose: the parser of expressions gives up that way.
static LAST_PANIC: Mutex<String> = Mutex::new(String::new());

/// Notes panics instead of ending at once, as libFuzzer's own hook does: only one that is not caught is a find.
fn note_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let trace = std::backtrace::Backtrace::capture();
        if let Ok(mut last) = LAST_PANIC.lock() {
            *last = format!("{panic}\n{trace}");
        }
    }));
}

/// What comes of `work`, which must be done in time. A machine that others use is forgiven twice.
fn in_time<T>(work: impl Fn() -> T) -> T {
    for _ in 0..3 {
        let start = Instant::now();
        let done = work();
        if start.elapsed() < LONGEST {
            return done;
        }
    }
    panic!("this takes more than {LONGEST:?}, three times")
}

fn try_out(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let records = text.split(RECORD).filter_map(|record| record.split_once('\n'));
    let (rules, files): (Vec<_>, Vec<_>) = records.partition(|(path, _)| *path == RULE);
    for (_, rule) in rules {
        expression::try_out(rule);
    }
    if !files.is_empty() {
        loader::try_out(&files);
    }
}

libfuzzer_sys::fuzz_target!(
    init: note_panics(),
    |input: &[u8]| {
        if std::panic::catch_unwind(|| try_out(input)).is_err() {
            let last = LAST_PANIC.lock().map(|last| last.clone()).unwrap_or_default();
            eprintln!("{last}");
            std::process::abort();
        }
    }
);

libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    lines::change(data, size, max_size, seed)
});
