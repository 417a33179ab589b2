//! Writing: rows are gathered while a batch is folded and go out as few, large statements.

use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqliteRow};
use sqlx::{Arguments, AssertSqlSafe, Connection};

use super::sqlite::BEGIN;
use super::table::Table;
use super::value::Value;
use crate::error::ProjectionError;

/// Rows in one statement, largest first; few sizes, so that statements stay prepared.
const CHUNKS: [usize; 3] = [128, 16, 1];

/// The rows of a batch for one table.
#[derive(Debug)]
pub(crate) struct TableRows {
    pub(crate) table: &'static Table,
    upserts: Vec<Value>,
    deletes: Vec<Value>,
}

impl TableRows {
    pub(crate) fn new(table: &'static Table) -> Self {
        Self { table, upserts: Vec::new(), deletes: Vec::new() }
    }

    /// Writes a row: all columns, in order.
    pub(crate) fn upsert(&mut self, row: impl IntoIterator<Item = Value>) {
        self.upserts.extend(row);
        debug_assert_eq!(self.upserts.len() % self.table.columns.len(), 0, "{}", self.table.name);
    }

    /// Deletes a row: the columns of its key, in order.
    pub(crate) fn delete(&mut self, key: impl IntoIterator<Item = Value>) {
        self.deletes.extend(key);
        debug_assert_eq!(self.deletes.len() % self.table.key, 0, "{}", self.table.name);
    }

    /// Deletes a row even if the same batch wrote it: deletions are carried out before anything is written.
    pub(crate) fn withdraw(&mut self, key: &[Value]) {
        let width = self.table.columns.len();
        let others = self.upserts.chunks(width).filter(|row| !row.starts_with(key));
        self.upserts = others.flatten().cloned().collect();
        self.delete(key.iter().cloned());
    }

    /// Writes what differs between two lists of rows of one request. The key is the request's and the row's place,
    /// so `before` and `after` are compared place by place.
    pub(crate) fn differ(&mut self, rid: i64, before: &[Vec<Value>], after: Vec<Vec<Value>>) {
        for place in after.len()..before.len() {
            self.delete([rid.into(), place_of(place)]);
        }
        for (place, row) in after.into_iter().enumerate() {
            if before.get(place) != Some(&row) {
                self.upsert([rid.into(), place_of(place)].into_iter().chain(row));
            }
        }
    }
}

fn place_of(place: usize) -> Value {
    Value::Int(i64::try_from(place).unwrap_or(i64::MAX))
}

/// The rows of a batch.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    tables: Vec<TableRows>,
}

impl Rows {
    /// Whether there is nothing to write.
    pub(crate) fn is_empty(&self) -> bool {
        self.tables.iter().all(|rows| rows.upserts.is_empty() && rows.deletes.is_empty())
    }

    /// Those of one table.
    pub(crate) fn table(&mut self, table: &'static Table) -> &mut TableRows {
        let place =
            self.tables.iter().position(|rows| std::ptr::eq(rows.table, table)).unwrap_or_else(|| {
                self.tables.push(TableRows::new(table));
                self.tables.len() - 1
            });
        // The place was just found or made.
        #[allow(clippy::indexing_slicing, reason = "the index comes from `position` or from the push above")]
        &mut self.tables[place]
    }
}

/// Writes the rows of a batch, deletions first, into the tables with `suffix`.
pub(crate) async fn write(
    connection: &mut SqliteConnection,
    suffix: &str,
    rows: Rows,
) -> Result<(), ProjectionError> {
    for TableRows { table, upserts, deletes } in rows.tables {
        in_chunks(connection, &deletes, table.key, |rows| table.delete(suffix, rows)).await?;
        in_chunks(connection, &upserts, table.columns.len(), |rows| table.upsert(suffix, rows)).await?;
    }
    Ok(())
}

async fn in_chunks(
    connection: &mut SqliteConnection,
    mut values: &[Value],
    width: usize,
    sql: impl Fn(usize) -> String,
) -> Result<(), ProjectionError> {
    for rows in CHUNKS {
        if values.len() < rows * width {
            continue;
        }
        let statement: std::sync::Arc<str> = sql(rows).into();
        while let Some((chunk, rest)) = values.split_at_checked(rows * width) {
            if chunk.is_empty() {
                break;
            }
            let mut arguments = SqliteArguments::default();
            bind(&mut arguments, chunk)?;
            sqlx::query_with(AssertSqlSafe(std::sync::Arc::clone(&statement)), arguments)
                .execute(&mut *connection)
                .await?;
            values = rest;
        }
    }
    Ok(())
}

/// One statement without values, its text from constants of this crate.
pub(crate) async fn execute(connection: &mut SqliteConnection, sql: String) -> Result<(), ProjectionError> {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *connection).await?;
    Ok(())
}

/// A statement with its values, its text from constants of this crate, and its rows.
pub(crate) async fn run(
    connection: &mut SqliteConnection,
    sql: &str,
    values: &[Value],
) -> Result<Vec<SqliteRow>, ProjectionError> {
    let mut arguments = SqliteArguments::default();
    bind(&mut arguments, values)?;
    Ok(sqlx::query_with(AssertSqlSafe(sql.to_owned()), arguments).fetch_all(&mut *connection).await?)
}

/// Carries `work` out whole or not at all.
pub(crate) async fn in_transaction<T>(
    connection: &mut SqliteConnection,
    work: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, ProjectionError>,
) -> Result<T, ProjectionError> {
    // Dropped half-way, it is rolled back before the connection is used again.
    let mut transaction = connection.begin_with(BEGIN).await?;
    let value = work(&mut transaction).await?;
    transaction.commit().await?;
    Ok(value)
}

pub(super) fn bind(arguments: &mut SqliteArguments, values: &[Value]) -> Result<(), ProjectionError> {
    arguments.reserve(values.len(), 0);
    for value in values {
        let bound = match value {
            Value::Null => arguments.add(None::<i64>),
            Value::Int(value) => arguments.add(*value),
            Value::Real(value) => arguments.add(*value),
            Value::Text(value) => arguments.add(std::sync::Arc::clone(value)),
            Value::Bytes(value) => arguments.add(value.clone()),
        };
        bound.map_err(|error| ProjectionError::store(error.to_string()))?;
    }
    Ok(())
}
