//! The laws of read models, held against random towns.
#![allow(
    clippy::cast_possible_wrap,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "tests"
)]

/// Each test once on SQLite and once on PostgreSQL.
macro_rules! on_each_place {
    ($($test:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(crate::tests::ground::Ground::sqlite()).await;
            })*
        }

        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                let Some(ground) = crate::tests::ground::Ground::postgres() else { return };
                super::$test(ground.clone()).await;
                ground.clear().await;
            })*
        }
    };
}

mod answers;
mod deliveries;
mod ground;
mod laws;
mod places;
mod servers;
mod town;

use std::sync::Arc;
use std::time::Duration;

use guichet_journal::{Journal, MemoryJournal};

use crate::models::ALL;
use crate::store::{Columns, Place, Row, Table, Type};
use crate::{Options, ReadModels};

const SOON: Duration = Duration::from_secs(60);

fn memory() -> Arc<dyn Journal> {
    Arc::new(MemoryJournal::new().unwrap())
}

async fn open(place: &Place, journal: &Arc<dyn Journal>, options: Options) -> ReadModels {
    ReadModels::open_with(place, Arc::clone(journal), options).await.unwrap()
}

/// A statement on what one test has to itself.
async fn run(models: &ReadModels, sql: &str) -> Vec<Row> {
    let mut held = models.database().beside().await.unwrap();
    held.connection().run(sql, &[]).await.unwrap()
}

/// Every row of every read model, in the order of their keys, with the checkpoints.
async fn dump(models: &ReadModels) -> Vec<String> {
    let mut lines = Vec::new();
    for table in ALL.iter().flat_map(|model| model.tables) {
        let keys: Vec<&str> = table.columns.iter().take(table.key).map(|c| c.name).collect();
        let (columns, name) = (table.column_list(), table.name);
        let sql = format!("SELECT {columns} FROM {name} ORDER BY {}", keys.join(", "));
        for row in run(models, &sql).await {
            lines.push(format!("{name}: {}", shown(table, &row)));
        }
    }
    let checkpoints = "SELECT name, version, COALESCE(position, -1) FROM read_model ORDER BY name";
    for row in run(models, checkpoints).await {
        let mut at = Columns::new(&row);
        let (name, version, position): (String, i64, i64) =
            (at.take().unwrap(), at.take().unwrap(), at.take().unwrap());
        lines.push(format!("read_model: {name},{version},{position}"));
    }
    lines
}

fn shown(table: &Table, row: &Row) -> String {
    let mut at = Columns::new(row);
    let cells: Vec<String> = table
        .columns
        .iter()
        .map(|column| match column.kind {
            Type::Int => format!("{:?}", at.take::<Option<i64>>().unwrap()),
            Type::Real => format!("{:?}", at.take::<Option<f64>>().unwrap()),
            Type::Text => at.take::<Option<String>>().unwrap().map_or("-".into(), |text| format!("'{text}'")),
            Type::Bytes => format!("{:02x?}", at.take::<Option<Vec<u8>>>().unwrap()),
        })
        .collect();
    cells.join(",")
}

fn differences(one: &[String], other: &[String]) -> Vec<String> {
    let missing = one.iter().filter(|line| !other.contains(line)).map(|line| format!("- {line}"));
    let extra = other.iter().filter(|line| !one.contains(line)).map(|line| format!("+ {line}"));
    missing.chain(extra).collect()
}
