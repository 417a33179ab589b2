//! One connection, whichever database it leads to.

use sqlx::postgres::{PgConnection, PgRow};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Connection as _};

use super::table::Table;
use super::value::Value;
use super::{postgres, sqlite};
use crate::error::ProjectionError;

/// A row of an answer.
#[derive(Debug)]
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

/// A connection, inside a transaction or not.
pub(crate) enum Connection<'c> {
    Sqlite(&'c mut SqliteConnection),
    Postgres(&'c mut PgConnection),
}

impl Connection<'_> {
    /// A statement with its values, its text from constants of this crate, and its rows.
    pub(crate) async fn run(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, ProjectionError> {
        match self {
            Self::Sqlite(connection) => sqlite::run(connection, sql, values).await,
            Self::Postgres(connection) => postgres::run(connection, sql, values).await,
        }
    }

    /// Statements without values, their text from constants of this crate.
    pub(crate) async fn execute(&mut self, sql: String) -> Result<(), ProjectionError> {
        let sql = sqlx::raw_sql(AssertSqlSafe(sql));
        match self {
            Self::Sqlite(connection) => sql.execute(&mut **connection).await.map(drop)?,
            Self::Postgres(connection) => sql.execute(&mut **connection).await.map(drop)?,
        }
        Ok(())
    }

    /// Carries `work` out whole or not at all.
    pub(crate) async fn in_transaction<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut Connection<'_>) -> Result<T, ProjectionError>,
    ) -> Result<T, ProjectionError> {
        // Dropped half-way, it is rolled back before the connection is used again.
        match self {
            Self::Sqlite(connection) => {
                let mut transaction = connection.begin_with(sqlite::BEGIN).await?;
                let value = work(&mut Connection::Sqlite(&mut transaction)).await?;
                transaction.commit().await?;
                Ok(value)
            }
            Self::Postgres(connection) => {
                let mut transaction = connection.begin().await?;
                let value = work(&mut Connection::Postgres(&mut transaction)).await?;
                transaction.commit().await?;
                Ok(value)
            }
        }
    }

    /// Creates a table, without the indexes beside its key.
    pub(crate) async fn create(&mut self, table: &Table, suffix: &str) -> Result<(), ProjectionError> {
        let name = format!("{}{suffix}", table.name);
        self.execute(format!("CREATE TABLE {}", self.definition(table, &name))).await
    }

    /// Creates a table that no rebuild touches, or adds the columns that it does not have yet. What is `shared` stands
    /// once for all versions that are running.
    pub(crate) async fn keep(&mut self, table: &Table, shared: bool) -> Result<(), ProjectionError> {
        let (columns, schema) = match self {
            Self::Sqlite(_) => (sqlite::COLUMNS_OF, None),
            Self::Postgres(_) => (postgres::COLUMNS_OF, Some(postgres::SHARED).filter(|_| shared)),
        };
        let name = schema.map_or_else(|| table.name.to_owned(), |schema| format!("{schema}.{}", table.name));
        self.execute(format!("CREATE TABLE IF NOT EXISTS {}", self.definition(table, &name))).await?;
        let mut known = Vec::new();
        for row in self.run(columns, &[(&name).into()]).await? {
            known.push(super::Columns::new(&row).take::<String>()?);
        }
        for column in table.columns.iter().filter(|column| !known.iter().any(|name| name == column.name)) {
            let column = self.column(column);
            self.execute(format!("ALTER TABLE {name} ADD COLUMN {column}")).await?;
        }
        Ok(())
    }

    fn column(&self, column: &super::table::Column) -> String {
        column.definition(match self {
            Self::Sqlite(_) => sqlite::type_name,
            Self::Postgres(_) => postgres::type_name,
        })
    }

    fn definition(&self, table: &Table, name: &str) -> String {
        let columns: Vec<String> = table.columns.iter().map(|column| self.column(column)).collect();
        let storage = match self {
            Self::Sqlite(_) => sqlite::storage(table.key > 1),
            Self::Postgres(_) => postgres::storage(table.append_only),
        };
        format!("{name} ({}, PRIMARY KEY ({})){storage}", columns.join(", "), table.key_list())
    }

    /// Writes rows: new ones, and new values for those whose key is there.
    pub(super) async fn upsert(
        &mut self,
        table: &Table,
        suffix: &str,
        values: &[Value],
    ) -> Result<(), ProjectionError> {
        match self {
            Self::Sqlite(connection) => sqlite::upsert(connection, table, suffix, values).await,
            Self::Postgres(connection) => postgres::upsert(connection, table, suffix, values).await,
        }
    }

    /// Deletes rows by their keys.
    pub(super) async fn delete(
        &mut self,
        table: &Table,
        suffix: &str,
        keys: &[Value],
    ) -> Result<(), ProjectionError> {
        match self {
            Self::Sqlite(connection) => sqlite::delete(connection, table, suffix, keys).await,
            Self::Postgres(connection) => postgres::delete(connection, table, suffix, keys).await,
        }
    }

    /// Whether nobody rebuilds tables beside.
    pub(crate) async fn nobody_rebuilds(&mut self) -> Result<bool, ProjectionError> {
        match self {
            Self::Sqlite(_) => Ok(true),
            Self::Postgres(connection) => postgres::nobody_rebuilds(connection).await,
        }
    }

    /// Waits until nobody else rebuilds tables beside, and keeps others from it as long as the connection stands.
    pub(crate) async fn rebuild_alone(&mut self) -> Result<(), ProjectionError> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(_) => self.run(postgres::REBUILD_ALONE, &[]).await.map(drop),
        }
    }

    /// In a transaction: nobody begins to read until it ends, and who reads has ended. SQLite's readers keep the tables
    /// that they began with.
    pub(crate) async fn hold_readers(&mut self) -> Result<(), ProjectionError> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(_) => self.execute(postgres::HOLD_READERS.to_owned()).await,
        }
    }
}
