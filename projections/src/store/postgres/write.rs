//! Rows go in as one array for each column, thousands at once: the statement stays the same however many they are.

use std::collections::HashSet;

use sqlx::postgres::{PgArguments, PgConnection};
use sqlx::{Arguments, AssertSqlSafe};

use crate::error::ProjectionError;
use crate::store::table::{Column, Table, Type};
use crate::store::value::Value;

/// The most rows of one statement: its arrays are held by the server as a whole.
const ROWS: usize = 8_192;

pub(in crate::store) async fn upsert(
    connection: &mut PgConnection,
    table: &Table,
    suffix: &str,
    values: &[Value],
) -> Result<(), ProjectionError> {
    let width = table.columns.len();
    let mut rows: Vec<&[Value]> = values.chunks_exact(width).collect();
    if !table.append_only {
        last_of_each(&mut rows, table.key);
    }
    let (name, columns, arrays) = (table.name, table.column_list(), arrays(table.columns));
    let conflict = table.on_conflict();
    let sql = format!("INSERT INTO {name}{suffix} ({columns}) SELECT * FROM UNNEST({arrays}){conflict}");
    for rows in rows.chunks(ROWS) {
        let arguments = transposed(table.columns, rows)?;
        sqlx::query_with(AssertSqlSafe(sql.clone()), arguments).execute(&mut *connection).await?;
    }
    Ok(())
}

pub(in crate::store) async fn delete(
    connection: &mut PgConnection,
    table: &Table,
    suffix: &str,
    keys: &[Value],
) -> Result<(), ProjectionError> {
    let columns = table.columns.get(..table.key).unwrap_or_default();
    let (name, list, arrays) = (table.name, table.key_list(), arrays(columns));
    let sql = format!("DELETE FROM {name}{suffix} WHERE ({list}) IN (SELECT * FROM UNNEST({arrays}))");
    let keys: Vec<&[Value]> = keys.chunks_exact(table.key).collect();
    for keys in keys.chunks(ROWS) {
        let arguments = transposed(columns, keys)?;
        sqlx::query_with(AssertSqlSafe(sql.clone()), arguments).execute(&mut *connection).await?;
    }
    Ok(())
}

/// A statement cannot write a row twice: of rows with the same key, the last stays.
fn last_of_each(rows: &mut Vec<&[Value]>, key: usize) {
    let mut seen: HashSet<&[Value]> = HashSet::with_capacity(rows.len());
    let mut keep: Vec<bool> =
        rows.iter().rev().map(|row| row.get(..key).is_some_and(|key| seen.insert(key))).collect();
    if seen.len() < rows.len() {
        rows.retain(|_| keep.pop().unwrap_or(true));
    }
}

fn arrays(columns: &[Column]) -> String {
    let array = |(place, column): (usize, &Column)| {
        let kind = match column.kind {
            Type::Int => "bigint",
            Type::Real => "double precision",
            Type::Text => "text",
            Type::Bytes => "bytea",
        };
        format!("${}::{kind}[]", place + 1)
    };
    columns.iter().enumerate().map(array).collect::<Vec<_>>().join(", ")
}

/// One array for each column.
fn transposed(columns: &[Column], rows: &[&[Value]]) -> Result<PgArguments, ProjectionError> {
    let mut arguments = PgArguments::default();
    for (place, column) in columns.iter().enumerate() {
        let cells = rows.iter().map(|row| row.get(place).unwrap_or(&Value::Null));
        let bound = match column.kind {
            Type::Int => arguments.add(cells.map(Value::as_int).collect::<Vec<_>>()),
            Type::Real => arguments.add(cells.map(Value::as_real).collect::<Vec<_>>()),
            Type::Text => arguments.add(cells.map(Value::as_text).collect::<Vec<_>>()),
            Type::Bytes => arguments.add(cells.map(Value::as_bytes).collect::<Vec<_>>()),
        };
        bound.map_err(|error| ProjectionError::store(error.to_string()))?;
    }
    Ok(arguments)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_rows_with_one_key_the_last_stays() {
        let rows: Vec<[Value; 2]> =
            [(1_i64, "a"), (2, "b"), (1, "c"), (3, "d")].map(|(key, word)| [key.into(), word.into()]).into();
        let mut kept: Vec<&[Value]> = rows.iter().map(<[Value; 2]>::as_slice).collect();
        last_of_each(&mut kept, 1);
        assert_eq!(kept, [&rows[1], &rows[2], &rows[3]]);
    }
}
