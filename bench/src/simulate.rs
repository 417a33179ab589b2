//! A year of a town of 75,000 on one core, against the list of events alone.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::path::Path;

use chrono::NaiveDate;
use guichet::import::Areas;
use guichet::read_catalogue_folder;
use guichet::simulation::{Assumptions, Ground, Period, offered, simulate};
use guichet_rules::language::Catalogue;

use crate::measure::{Fault, Stopwatch, forget_peak, line, memory, rate};

/// Requests open at once, about: how long the floor's list is.
const OPEN: u64 = 40_000;

/// Lives a year with so many requests and prints how fast.
///
/// # Errors
/// When the catalogue is wrong.
pub(crate) fn run(requests: u32) -> Result<(), Fault> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../processes/chalons");
    let loaded = Catalogue::load(read_catalogue_folder(&folder)?);
    let catalogue = loaded.catalogue.ok_or("the catalogue has errors: run `guichet check`")?;
    let areas = catalogue.areas.as_deref().map(Areas::read).unwrap_or_default();
    let assumed = Assumptions::default().requests(requests);
    let day = |month, day| NaiveDate::from_ymd_opt(2026, month, day).ok_or("no such day");
    let period = Period { from: day(1, 1)?, until: day(12, 31)? };
    let ground = Ground::new(offered(&catalogue)?, &catalogue.organisation, areas, assumed, period)?;
    forget_peak();
    let watch = Stopwatch::start();
    let figures = simulate(&ground, 2016, 0.0);
    let elapsed = watch.elapsed();
    let (_, peak) = memory();
    let count = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let floor = floor(figures.commands);
    let share = 100.0 * floor / elapsed.as_secs_f64().max(1e-9);
    line(
        "a year of a town, one core",
        &[
            ("", format!("{} requests in {:.1} s", figures.lived, elapsed.as_secs_f64())),
            ("requests/s", format!("{:.0}", rate(count(figures.lived), elapsed))),
            ("commands/s", format!("{:.0}", rate(count(figures.commands), elapsed))),
            ("events/s", format!("{:.0}", rate(count(figures.events), elapsed))),
            ("peak MiB", peak.to_string()),
        ],
    );
    line("the list of events alone", &[("", format!("{floor:.2} s")), ("of it", format!("{share:.1} %"))]);
    Ok(())
}

/// The seconds that a list of events alone takes: each command put in and taken out in order, with as many waiting.
fn floor(commands: u64) -> f64 {
    let watch = Stopwatch::start();
    let mut list: BinaryHeap<Reverse<(u64, u64)>> = BinaryHeap::new();
    let mut sum = 0u64;
    for number in 0..commands {
        // A spread of instants that needs no generator.
        list.push(Reverse((number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40, number)));
        if number > OPEN
            && let Some(Reverse((at, _))) = list.pop()
        {
            sum = sum.wrapping_add(at);
        }
    }
    std::hint::black_box(sum);
    watch.elapsed().as_secs_f64()
}
