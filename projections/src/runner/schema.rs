//! The tables of the read models and their checkpoints: made, filled beside, swapped.

use std::collections::BTreeMap;

use sqlx::sqlite::SqliteConnection;

use crate::error::ProjectionError;
use crate::models::{ALL, ReadModel};
use crate::store::{Columns, NEXT, Rows, SERVING, Value, execute, in_transaction, run, write};

const CHECKPOINTS: &str = "CREATE TABLE IF NOT EXISTS read_model \
    (name TEXT NOT NULL PRIMARY KEY, version INTEGER NOT NULL, generation INTEGER NOT NULL, position INTEGER)";

/// Where a read model stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    pub(crate) version: i64,
    /// The number of the last event's position; none before the first.
    pub(crate) position: Option<i64>,
}

/// Makes what every database of read models has, and takes away what a rebuild that was cut short left.
pub(crate) async fn prepare(connection: &mut SqliteConnection) -> Result<(), ProjectionError> {
    for table in [CHECKPOINTS, crate::outbox::ATTEMPTS, crate::catalogue::VIEWS] {
        execute(connection, table.to_owned()).await?;
    }
    discard_next(connection).await
}

/// Takes away the tables that were built beside.
pub(crate) async fn discard_next(connection: &mut SqliteConnection) -> Result<(), ProjectionError> {
    in_transaction(connection, async |connection| {
        for table in ALL.iter().flat_map(|model| model.tables) {
            execute(connection, format!("DROP TABLE IF EXISTS {}{NEXT}", table.name)).await?;
        }
        execute(connection, format!("DELETE FROM read_model WHERE name LIKE '%{NEXT}'")).await
    })
    .await
}

/// All checkpoints, by the name of the read model.
pub(crate) async fn checkpoints(
    connection: &mut SqliteConnection,
) -> Result<BTreeMap<String, Checkpoint>, ProjectionError> {
    let rows = run(connection, "SELECT name, version, position FROM read_model", &[]).await?;
    rows.iter()
        .map(|row| {
            let mut at = Columns::new(row);
            Ok((at.take()?, Checkpoint { version: at.take()?, position: at.take()? }))
        })
        .collect()
}

/// Makes empty tables of read models, in the place of what stands there, with their checkpoint before the first event.
/// Without `indexed`, their indexes are made later, when they are filled.
pub(crate) async fn create(
    connection: &mut SqliteConnection,
    models: &[&'static ReadModel],
    suffix: &str,
    indexed: bool,
) -> Result<i64, ProjectionError> {
    in_transaction(connection, async |connection| {
        let rows = run(connection, "SELECT COALESCE(MAX(generation), 0) + 1 FROM read_model", &[]).await?;
        let generation: i64 = rows.first().map(|row| Columns::new(row).take()).transpose()?.unwrap_or(1);
        for model in models {
            for table in model.tables {
                execute(connection, format!("DROP TABLE IF EXISTS {}{suffix}", table.name)).await?;
                execute(connection, table.create(suffix)).await?;
                for index in table.create_indexes(suffix, generation).into_iter().filter(|_| indexed) {
                    execute(connection, index).await?;
                }
            }
            let name = format!("{}{suffix}", model.name);
            run(connection, "DELETE FROM read_model WHERE name = ?", &[(&name).into()]).await?;
            let insert =
                "INSERT INTO read_model (name, version, generation, position) VALUES (?, ?, ?, NULL)";
            run(connection, insert, &[name.into(), model.version.into(), generation.into()]).await?;
        }
        Ok(generation)
    })
    .await
}

/// Writes a batch: its rows and the checkpoint of the read models, or nothing. The checkpoint must stand where the batch
/// began, so nothing is ever written twice or left out, even if two programs tried.
pub(crate) async fn commit(
    connection: &mut SqliteConnection,
    models: &[&'static ReadModel],
    suffix: &str,
    rows: Rows,
    (from, to): (Option<i64>, i64),
) -> Result<(), ProjectionError> {
    in_transaction(connection, async |connection| {
        write(connection, suffix, rows).await?;
        let marks = vec!["?"; models.len()].join(",");
        let sql = format!(
            "UPDATE read_model SET position = ? WHERE name IN ({marks}) AND position IS NOT DISTINCT FROM ? \
             RETURNING 1"
        );
        let mut values: Vec<Value> = vec![to.into()];
        values.extend(models.iter().map(|model| Value::from(format!("{}{suffix}", model.name))));
        values.push(from.into());
        let moved = run(connection, &sql, &values).await?;
        if moved.len() == models.len() {
            return Ok(());
        }
        Err(ProjectionError::store("their checkpoints were moved by somebody else; begin again from them"))
    })
    .await
}

/// Puts the tables that were built beside in the place of those that serve, all at once.
pub(crate) async fn swap(
    connection: &mut SqliteConnection,
    models: &[&'static ReadModel],
) -> Result<(), ProjectionError> {
    in_transaction(connection, async |connection| {
        for model in models {
            for table in model.tables {
                let name = table.name;
                execute(connection, format!("DROP TABLE IF EXISTS {name}{SERVING}")).await?;
                execute(connection, format!("ALTER TABLE {name}{NEXT} RENAME TO {name}{SERVING}")).await?;
            }
            run(connection, "DELETE FROM read_model WHERE name = ?", &[model.name.into()]).await?;
            let next = format!("{}{NEXT}", model.name);
            let rename = "UPDATE read_model SET name = ? WHERE name = ?";
            run(connection, rename, &[model.name.into(), next.into()]).await?;
        }
        Ok(())
    })
    .await
}
