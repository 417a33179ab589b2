//! Searches of a large town's catalogue, as the route of the catalogue makes them.

use std::time::Duration;

use guichet::{Guichet, Options, read_catalogue_folder};
use guichet_projections::CatalogueQuery;
use guichet_rules::language::Catalogue;

use crate::check::grown;
use crate::measure::{Fault, Stopwatch, line, quantile, row};

/// What is looked for: one word, a meaning of several, a typing fault, words in the plural, many words.
const SEARCHES: [&str; 6] = [
    "chaussee",
    "nid de poule",
    "lampadiare",
    "eclairages defectueux",
    "poubelle jaune cassée rue école",
    "",
];
/// How often each is looked for.
const RUNS: usize = 300;
/// What a search may take.
const AIM: Duration = Duration::from_millis(5);

/// Searches a catalogue of so many sheets and prints how long that takes.
///
/// # Errors
/// When the catalogue is wrong, or its read model cannot be made.
pub(crate) async fn run(sheets: usize) -> Result<(), Fault> {
    println!("search: {sheets} sheets in one read model on SQLite, rows read, compared, put in order");
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../processes/chalons");
    let loaded = Catalogue::load(grown(&read_catalogue_folder(&folder)?, sheets));
    let catalogue = loaded.catalogue.ok_or("the catalogue has errors")?;
    let data = tempfile::tempdir()?;
    let guichet = Guichet::in_memory(Options::new(data.path())).await?;
    guichet.publish(&catalogue).await?;
    guichet.read_models().catch_up(Duration::from_secs(60)).await?;
    let mut worst = Duration::ZERO;
    for search in SEARCHES {
        let query = CatalogueQuery {
            tenant: Some("ville".to_owned()),
            search: Some(search.to_owned()),
            ..CatalogueQuery::default()
        };
        let (mut times, mut found) = (Vec::with_capacity(RUNS), 0);
        for _ in 0..RUNS {
            let watch = Stopwatch::start();
            found = guichet.read_models().catalogue(&query).await?.n;
            times.push(watch.elapsed());
        }
        times.sort_unstable();
        let half = quantile(&times, 0.5);
        worst = worst.max(half);
        let millis = |time: Duration| format!("{:.2} ms", 1e3 * time.as_secs_f64());
        let figures =
            [("found", found.to_string()), ("p50", millis(half)), ("p99", millis(quantile(&times, 0.99)))];
        line(&format!("“{search}”"), &figures);
    }
    let took = format!("{:.2} ms", 1e3 * worst.as_secs_f64());
    let aim = format!("at most {:.0} ms", 1e3 * AIM.as_secs_f64());
    row(
        format!("search of {sheets} sheets, the slowest of {}", SEARCHES.len()),
        took,
        "half of the searches",
        &aim,
    );
    guichet.close().await;
    Ok(())
}
