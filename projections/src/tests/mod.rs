//! The laws of read models, held against random towns.
#![allow(
    clippy::cast_possible_wrap,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "tests"
)]

mod answers;
mod laws;
mod town;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use guichet_journal::{Journal, MemoryJournal};

use crate::models::ALL;
use crate::store::run;
use crate::{Options, ReadModels};

const SOON: Duration = Duration::from_secs(60);

fn memory() -> Arc<dyn Journal> {
    Arc::new(MemoryJournal::new().unwrap())
}

async fn open(path: &Path, journal: &Arc<dyn Journal>, options: Options) -> ReadModels {
    ReadModels::open_with(path, Arc::clone(journal), options).await.unwrap()
}

/// Every row of every read model, in the order of their keys, with the checkpoints.
async fn dump(models: &ReadModels) -> Vec<String> {
    let mut lines = Vec::new();
    let mut connection = models.writer().lock().await;
    let tables = ALL.iter().flat_map(|model| model.tables);
    let mut queries: Vec<(String, String)> = tables
        .map(|table| {
            let columns: Vec<String> = table.columns.iter().map(|c| format!("quote({})", c.name)).collect();
            let keys: Vec<&str> = table.columns.iter().take(table.key).map(|c| c.name).collect();
            let columns = columns.join(" || ',' || ");
            (
                table.name.to_owned(),
                format!("SELECT {columns} FROM {} ORDER BY {}", table.name, keys.join(", ")),
            )
        })
        .collect();
    queries.push((
        "read_model".into(),
        "SELECT name || ',' || version || ',' || COALESCE(position, '') FROM read_model ORDER BY name".into(),
    ));
    for (name, sql) in queries {
        for row in run(&mut connection, &sql, &[]).await.unwrap() {
            lines.push(format!("{name}: {}", sqlx::Row::get::<String, _>(&row, 0)));
        }
    }
    lines
}

fn differences(one: &[String], other: &[String]) -> Vec<String> {
    let missing = one.iter().filter(|line| !other.contains(line)).map(|line| format!("- {line}"));
    let extra = other.iter().filter(|line| !one.contains(line)).map(|line| format!("+ {line}"));
    missing.chain(extra).collect()
}
