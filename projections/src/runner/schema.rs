//! The tables of the read models and their checkpoints: made, filled beside, swapped.

use std::collections::BTreeMap;

use crate::error::ProjectionError;
use crate::models::{ALL, ReadModel};
use crate::store::{Columns, Connection, NEXT, Rows, SERVING, Table, Value, int, opt_int, text};

/// Where each read model stands.
static CHECKPOINTS: Table = Table {
    name: "read_model",
    columns: &[text("name"), int("version"), int("generation"), opt_int("position")],
    key: 1,
    indexes: &[],
    append_only: false,
};

/// One row: which taking of the lead this is, and the position at which something was last published.
static LEADERSHIP: Table = Table {
    name: "leadership",
    columns: &[int("id"), int("epoch"), int("published"), opt_int("pid"), opt_int("since")],
    key: 1,
    indexes: &[],
    append_only: false,
};

/// What does not follow from the journal: no rebuild touches it, and all versions share it.
static SHARED: [&Table; 13] = [
    &crate::alerts::MARKS,
    &crate::challenges::CHALLENGES,
    &crate::common::KEYS,
    &crate::common::NUMBERS,
    &crate::common::SAID,
    &crate::catalogue::VIEWS,
    &crate::deliveries::CURSORS,
    &crate::deliveries::PARKED,
    &crate::outbox::ATTEMPTS,
    &crate::sessions::SESSIONS,
    &crate::sessions::SIGN_INS,
    &crate::handed::TABLE,
    &crate::stops::TABLE,
];

/// Where a read model stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    pub(crate) version: i64,
    pub(crate) generation: i64,
    /// The number of the last event's position; none before the first.
    pub(crate) position: Option<i64>,
}

/// Makes what every database of read models has, and takes away what a rebuild that was cut short left.
pub(crate) async fn prepare(connection: &mut Connection<'_>) -> Result<(), ProjectionError> {
    for table in [&CHECKPOINTS, &LEADERSHIP] {
        connection.keep(table, false).await?;
    }
    prepare_shared(connection).await?;
    let first = "INSERT INTO leadership (id, epoch, published) VALUES (1, 0, 0) ON CONFLICT (id) DO NOTHING";
    connection.run(first, &[]).await?;
    if connection.nobody_rebuilds().await? {
        discard_next(connection).await?;
    }
    Ok(())
}

/// Makes what all versions share.
pub(crate) async fn prepare_shared(connection: &mut Connection<'_>) -> Result<(), ProjectionError> {
    for table in SHARED {
        connection.keep(table, true).await?;
    }
    Ok(())
}

/// Takes away the tables that were built beside.
pub(crate) async fn discard_next(connection: &mut Connection<'_>) -> Result<(), ProjectionError> {
    for table in ALL.iter().flat_map(|model| model.tables) {
        connection.execute(format!("DROP TABLE IF EXISTS {}{NEXT}", table.name)).await?;
    }
    connection.run("DELETE FROM read_model WHERE name LIKE ?", &[format!("%{NEXT}").into()]).await.map(drop)
}

/// All checkpoints, by the name of the read model.
pub(crate) async fn checkpoints(
    connection: &mut Connection<'_>,
) -> Result<BTreeMap<String, Checkpoint>, ProjectionError> {
    let rows = connection.run("SELECT name, version, generation, position FROM read_model", &[]).await?;
    rows.iter()
        .map(|row| {
            let mut at = Columns::new(row);
            let name = at.take()?;
            Ok((name, Checkpoint { version: at.take()?, generation: at.take()?, position: at.take()? }))
        })
        .collect()
}

/// Nobody moves the checkpoints of the tables that serve, or swaps these, before the transaction ends.
pub(crate) async fn hold_checkpoints(connection: &mut Connection<'_>) -> Result<(), ProjectionError> {
    let hold = "UPDATE read_model SET position = position WHERE name NOT LIKE ?";
    connection.run(hold, &[format!("%{NEXT}").into()]).await.map(drop)
}

/// In a transaction: makes empty tables of read models, in the place of what stands there, with their checkpoint before
/// the first event. Without `indexed`, their indexes are made later, when they are filled.
pub(crate) async fn create(
    connection: &mut Connection<'_>,
    models: &[&'static ReadModel],
    suffix: &str,
    indexed: bool,
) -> Result<i64, ProjectionError> {
    let rows = connection.run("SELECT COALESCE(MAX(generation), 0) + 1 FROM read_model", &[]).await?;
    let generation: i64 = rows.first().map(|row| Columns::new(row).take()).transpose()?.unwrap_or(1);
    for model in models {
        for table in model.tables {
            connection.execute(format!("DROP TABLE IF EXISTS {}{suffix}", table.name)).await?;
            connection.create(table, suffix).await?;
            for index in table.create_indexes(suffix, generation).into_iter().filter(|_| indexed) {
                connection.execute(index).await?;
            }
        }
        let name = format!("{}{suffix}", model.name);
        connection.run("DELETE FROM read_model WHERE name = ?", &[(&name).into()]).await?;
        let insert = "INSERT INTO read_model (name, version, generation, position) VALUES (?, ?, ?, NULL)";
        connection.run(insert, &[name.into(), model.version.into(), generation.into()]).await?;
    }
    Ok(generation)
}

/// In a transaction: writes a batch, its rows and the checkpoint of the read models. The checkpoint must stand where the
/// batch began and the tables must be those that it began with, so nothing is ever written twice or left out, even if
/// two programs tried.
pub(crate) async fn advance(
    connection: &mut Connection<'_>,
    models: &[&'static ReadModel],
    (suffix, generation): (&str, i64),
    rows: Rows,
    (from, to): (Option<i64>, i64),
) -> Result<(), ProjectionError> {
    let marks = vec!["?"; models.len()].join(",");
    let sql = format!(
        "UPDATE read_model SET position = ? WHERE name IN ({marks}) AND position IS NOT DISTINCT FROM ? \
         AND generation <= ? RETURNING name"
    );
    let mut values: Vec<Value> = vec![to.into()];
    values.extend(models.iter().map(|model| Value::from(format!("{}{suffix}", model.name))));
    values.extend([from.into(), generation.into()]);
    if connection.run(&sql, &values).await?.len() != models.len() {
        return Err(ProjectionError::Superseded);
    }
    rows.write(connection, suffix).await
}

/// The position at which something was last published, as its number.
pub(crate) async fn published(connection: &mut Connection<'_>) -> Result<i64, ProjectionError> {
    let rows = connection.run("SELECT published FROM leadership", &[]).await?;
    rows.first().map_or(Ok(0), |row| Columns::new(row).take())
}

/// In a transaction: checks that nobody took the lead since `epoch` was drawn, and that nobody does before the end.
pub(crate) async fn still_leads(
    connection: &mut Connection<'_>,
    epoch: i64,
    published: Option<i64>,
) -> Result<(), ProjectionError> {
    let sql = "UPDATE leadership SET published = COALESCE(?, published) WHERE epoch = ? RETURNING epoch";
    let led = connection.run(sql, &[published.into(), epoch.into()]).await?;
    if led.is_empty() { Err(ProjectionError::Superseded) } else { Ok(()) }
}

/// In a transaction: puts the tables that were built beside in the place of those that serve, all at once.
pub(crate) async fn swap(
    connection: &mut Connection<'_>,
    models: &[&'static ReadModel],
) -> Result<(), ProjectionError> {
    connection.hold_readers().await?;
    for model in models {
        for table in model.tables {
            let name = table.name;
            connection.execute(format!("DROP TABLE IF EXISTS {name}{SERVING}")).await?;
            connection.execute(format!("ALTER TABLE {name}{NEXT} RENAME TO {name}{SERVING}")).await?;
        }
        connection.run("DELETE FROM read_model WHERE name = ?", &[model.name.into()]).await?;
        let next = format!("{}{NEXT}", model.name);
        let rename = "UPDATE read_model SET name = ? WHERE name = ?";
        connection.run(rename, &[model.name.into(), next.into()]).await?;
    }
    Ok(())
}
