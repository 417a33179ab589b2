//! A large town's catalogue checked, against reading the YAML of the same files alone.

use std::path::Path;
use std::time::Duration;

use guichet::read_catalogue_folder;
use guichet_rules::language::{Catalogue, SourceFile};

use crate::measure::{Fault, Stopwatch, forget_peak, line, memory, quantile, rate};

/// How often each load is timed; the median is printed.
const RUNS: usize = 7;

/// Checks catalogues of so many sheets and prints how fast.
///
/// # Errors
/// When the catalogue is wrong.
pub(crate) fn run(sheets: usize) -> Result<(), Fault> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../processes/chalons");
    let town = read_catalogue_folder(&folder)?;
    let own = town.iter().filter(|file| is_sheet(file)).count();
    part(&format!("Châlons as it stands, {own} sheets"), &town)?;
    part(&format!("{sheets} sheets, each with its scenarios"), &grown(&town, sheets))?;
    let bare: Vec<SourceFile> = town.into_iter().filter(|file| !is_scenarios(file)).collect();
    part(&format!("{sheets} sheets without scenarios"), &grown(&bare, sheets))
}

fn part(what: &str, files: &[SourceFile]) -> Result<(), Fault> {
    let bytes: usize = files.iter().map(|file| file.text.len()).sum();
    forget_peak();
    let (before, _) = memory();
    let loaded = Catalogue::load(files.to_vec());
    let (_, peak) = memory();
    if loaded.catalogue.is_none() {
        let first = loaded.diagnostics.into_iter().next().map(|finding| finding.code).unwrap_or_default();
        return Err(format!("{what}: {first}").into());
    }
    drop(loaded);
    let check = median(|| drop(std::hint::black_box(Catalogue::load(files.to_vec()))));
    let floor = median(|| files.iter().for_each(parsed));
    line(
        what,
        &[
            ("files", files.len().to_string()),
            ("KiB", (bytes / 1024).to_string()),
            ("checked in ms", format!("{:.0}", 1e3 * check.as_secs_f64())),
            ("files/s", format!("{:.0}", rate(files.len(), check))),
            ("× YAML alone", format!("{:.1}", check.as_secs_f64() / floor.as_secs_f64().max(1e-9))),
            ("peak MiB", format!("{peak}, of which {before} before")),
        ],
    );
    Ok(())
}

fn median(mut work: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..RUNS)
        .map(|_| {
            let watch = Stopwatch::start();
            work();
            watch.elapsed()
        })
        .collect();
    times.sort_unstable();
    quantile(&times, 0.5)
}

/// The floor: a file's YAML as a tree of values, with nothing looked at.
fn parsed(file: &SourceFile) {
    if file.path.ends_with(".yaml") {
        drop(std::hint::black_box(serde_saphyr::from_str::<serde_json::Value>(&file.text)));
    }
}

fn is_scenarios(file: &SourceFile) -> bool {
    file.path.ends_with(".test.yaml")
}

fn is_sheet(file: &SourceFile) -> bool {
    !is_scenarios(file) && file.text.lines().any(|line| line.starts_with("process: "))
}

/// The town with copies of its sheets, until there are so many: each with a name, a title and keywords of its own.
pub(crate) fn grown(town: &[SourceFile], sheets: usize) -> Vec<SourceFile> {
    let mut files = town.to_vec();
    let own: Vec<&SourceFile> = town.iter().filter(|file| is_sheet(file)).collect();
    let copies = (2..).flat_map(|copy| own.iter().map(move |sheet| (copy, *sheet)));
    for (copy, sheet) in copies.take(sheets.saturating_sub(own.len())) {
        let name = sheet.path.trim_end_matches(".yaml");
        let scenarios = format!("{name}.test.yaml");
        files.push(copied(sheet, name, copy));
        files.extend(town.iter().filter(|file| file.path == scenarios).map(|file| copied(file, name, copy)));
    }
    files
}

fn copied(file: &SourceFile, name: &str, copy: usize) -> SourceFile {
    let mut text = String::with_capacity(file.text.len() + 64);
    let mut keywords = false;
    for line in file.text.lines() {
        // The words of each language follow on lines of their own.
        keywords = line == "keywords:" || keywords && line.starts_with("  ");
        let line = if line.starts_with("process: ") {
            format!("process: {name}-{copy}")
        } else if line.starts_with("title: ") {
            line.replace("fr: \"", &format!("fr: \"{copy} ")).replace("en: \"", &format!("en: \"{copy} "))
        } else if keywords {
            line.replace(": [", &format!(": [copie {copy}, "))
        } else {
            line.to_owned()
        };
        text.push_str(&line);
        text.push('\n');
    }
    SourceFile { path: file.path.replacen(name, &format!("{name}-{copy}"), 1), text }
}
