//! What is particular to SQLite: how it is opened, what its types are called, how many rows go into a statement.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{
    SqliteArguments, SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool,
    SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Arguments, AssertSqlSafe, ConnectOptions, Connection};
use tokio::sync::Mutex;

use super::connection::Row;
use super::table::{Table, Type};
use super::value::Value;
use crate::error::ProjectionError;

/// Connections that answer queries beside the one that writes.
const READERS: u32 = 4;

/// Statements kept prepared on the writing connection: every table has a handful, while it serves and while it is rebuilt.
const STATEMENTS: usize = 256;

/// Rows in one statement, largest first; few sizes, so that statements stay prepared.
const CHUNKS: [usize; 3] = [128, 16, 1];

/// A transaction that writes says so at once: one that reads first could no longer begin to write.
pub(super) const BEGIN: &str = "BEGIN IMMEDIATE";

/// The names of a table's columns.
pub(super) const COLUMNS_OF: &str = "SELECT name FROM pragma_table_info(?)";

/// One file: one connection writes, whoever it is for, and several read.
#[derive(Debug)]
pub(crate) struct Sqlite {
    pub(super) writer: Mutex<SqliteConnection>,
    pub(super) readers: SqlitePool,
}

impl Sqlite {
    pub(super) async fn open(path: &Path) -> Result<Self, ProjectionError> {
        let writer = Mutex::new(connect(path).await?);
        Ok(Self { writer, readers: pool(path).await? })
    }
}

pub(super) fn type_name(kind: Type) -> &'static str {
    match kind {
        Type::Int => "INTEGER",
        Type::Real => "REAL",
        Type::Text => "TEXT",
        Type::Bytes => "BLOB",
    }
}

/// Rows that are found by a compound key only are stored in the key's own tree.
pub(super) fn storage(compound_key: bool) -> &'static str {
    if compound_key { " WITHOUT ROWID" } else { "" }
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(Duration::from_secs(30))
        .statement_cache_capacity(STATEMENTS)
        .disable_statement_logging()
}

/// The connection that writes. A power cut may take the last commits with it, never a part of one; they are made
/// again from the journal, which is why nothing waits for the disk here.
async fn connect(path: &Path) -> Result<SqliteConnection, ProjectionError> {
    let options = options(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .pragma("cache_size", "-65536")
        .pragma("wal_autocheckpoint", "8192");
    Ok(SqliteConnection::connect_with(&options).await?)
}

/// The connections that read.
async fn pool(path: &Path) -> Result<SqlitePool, ProjectionError> {
    let options = options(path).read_only(true);
    Ok(SqlitePoolOptions::new().max_connections(READERS).connect_with(options).await?)
}

pub(super) async fn run(
    connection: &mut SqliteConnection,
    sql: &str,
    values: &[Value],
) -> Result<Vec<Row>, ProjectionError> {
    let query = sqlx::query_with(AssertSqlSafe(sql.to_owned()), arguments(values)?);
    Ok(query.fetch_all(connection).await?.into_iter().map(Row::Sqlite).collect())
}

pub(super) async fn upsert(
    connection: &mut SqliteConnection,
    table: &Table,
    suffix: &str,
    values: &[Value],
) -> Result<(), ProjectionError> {
    let width = table.columns.len();
    let sql = |rows| {
        let (name, columns) = (table.name, table.column_list());
        let marks = marks(width, rows);
        format!("INSERT INTO {name}{suffix} ({columns}) VALUES {marks}{}", table.on_conflict())
    };
    in_chunks(connection, values, width, sql).await
}

pub(super) async fn delete(
    connection: &mut SqliteConnection,
    table: &Table,
    suffix: &str,
    keys: &[Value],
) -> Result<(), ProjectionError> {
    let sql = |rows| {
        let (name, list) = (table.name, table.key_list());
        format!("DELETE FROM {name}{suffix} WHERE ({list}) IN (VALUES {})", marks(table.key, rows))
    };
    in_chunks(connection, keys, table.key, sql).await
}

fn marks(width: usize, rows: usize) -> String {
    let row = format!("({})", vec!["?"; width].join(","));
    vec![row; rows].join(",")
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
        let statement: Arc<str> = sql(rows).into();
        while let Some((chunk, rest)) = values.split_at_checked(rows * width) {
            if chunk.is_empty() {
                break;
            }
            sqlx::query_with(AssertSqlSafe(Arc::clone(&statement)), arguments(chunk)?)
                .execute(&mut *connection)
                .await?;
            values = rest;
        }
    }
    Ok(())
}

fn arguments(values: &[Value]) -> Result<SqliteArguments, ProjectionError> {
    let mut arguments = SqliteArguments::default();
    arguments.reserve(values.len(), 0);
    for value in values {
        let bound = match value {
            Value::Null => arguments.add(None::<i64>),
            Value::Int(value) => arguments.add(*value),
            Value::Real(value) => arguments.add(*value),
            Value::Text(value) => arguments.add(Arc::clone(value)),
            Value::Bytes(value) => arguments.add(value.clone()),
        };
        bound.map_err(|error| ProjectionError::store(error.to_string()))?;
    }
    Ok(arguments)
}
