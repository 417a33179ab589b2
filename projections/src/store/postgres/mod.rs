//! What is particular to PostgreSQL: its sessions, its schemas, what its types are called, how rows go in by the
//! thousand.

mod presence;
mod session;
mod write;

use std::sync::Arc;

use sqlx::postgres::{PgArguments, PgConnection};
use sqlx::{Arguments, AssertSqlSafe};

use super::connection::Row;
use super::table::Type;
use super::value::Value;
use crate::error::ProjectionError;

pub(crate) use presence::Presence;
pub(super) use presence::{drop_set, sets, take_lead};
pub(crate) use session::Postgres;
pub(crate) use session::SHARED;
pub(super) use session::{BEGIN_READING, BEGIN_SET_UP, BEGIN_SHARED, schemas};
pub(super) use write::{delete, upsert};

/// The names of a table's columns.
pub(super) const COLUMNS_OF: &str = "SELECT attname::text FROM pg_attribute \
    WHERE attrelid = to_regclass(?) AND attnum > 0 AND NOT attisdropped";

/// Whoever reads holds this table in its weakest mode from before their snapshot is taken: so nobody sees the new tables
/// of a rebuild by an old snapshot, in which they would be empty.
pub(super) const HOLD_READERS: &str = "LOCK TABLE reading IN ACCESS EXCLUSIVE MODE";

/// Tells whoever listens, once it is committed.
pub(super) const ANNOUNCE: &str = "SELECT pg_notify(current_schema(), '')";

/// Microseconds since 1970.
pub(super) const CLOCK: &str = "SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::bigint";

/// Kept until the session ends. A schema has a lock of its own for each thing that one server does at a time.
pub(super) const REBUILD_ALONE: &str =
    "SELECT pg_advisory_lock(hashtextextended('guichet rebuilds ' || current_schema(), 0))";

pub(super) async fn nobody_rebuilds(connection: &mut PgConnection) -> Result<bool, ProjectionError> {
    let sql =
        "SELECT pg_try_advisory_xact_lock(hashtextextended('guichet rebuilds ' || current_schema(), 0))";
    Ok(sqlx::query_scalar(sql).fetch_one(connection).await?)
}

pub(super) fn type_name(kind: Type) -> &'static str {
    match kind {
        Type::Int => "BIGINT",
        Type::Real => "DOUBLE PRECISION",
        // Texts sort by their bytes, as in SQLite, whatever the database's own order is.
        Type::Text => "TEXT COLLATE \"C\"",
        Type::Bytes => "BYTEA",
    }
}

/// Rows that change find a place beside their old version.
pub(super) fn storage(append_only: bool) -> &'static str {
    if append_only { "" } else { " WITH (fillfactor = 85)" }
}

pub(super) async fn run(
    connection: &mut PgConnection,
    sql: &str,
    values: &[Value],
) -> Result<Vec<Row>, ProjectionError> {
    let query = sqlx::query_with(AssertSqlSafe(numbered(sql)), arguments(values)?);
    Ok(query.fetch_all(connection).await?.into_iter().map(Row::Postgres).collect())
}

/// The statement with `$1`, `$2` … for its question marks. No text in a statement of this crate holds one.
fn numbered(sql: &str) -> String {
    let mut parts = sql.split('?');
    let mut numbered = parts.next().unwrap_or_default().to_owned();
    for (place, part) in parts.enumerate() {
        numbered += &format!("${}{part}", place + 1);
    }
    numbered
}

fn arguments(values: &[Value]) -> Result<PgArguments, ProjectionError> {
    let mut arguments = PgArguments::default();
    for value in values {
        let bound = match value {
            Value::Null => arguments.add(None::<i64>),
            Value::Int(value) => arguments.add(*value),
            Value::Real(value) => arguments.add(*value),
            Value::Text(value) => arguments.add(Arc::as_ref(value)),
            Value::Bytes(value) => arguments.add(value.as_slice()),
        };
        bound.map_err(|error| ProjectionError::store(error.to_string()))?;
    }
    Ok(arguments)
}

#[cfg(test)]
mod tests {
    #[test]
    fn values_are_numbered_in_their_order() {
        assert_eq!(super::numbered("a = ? AND b IN (?,?)"), "a = $1 AND b IN ($2,$3)");
        assert_eq!(super::numbered("SELECT 1"), "SELECT 1");
    }
}
