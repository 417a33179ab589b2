//! Reading: one snapshot for the rows and for the position they are true at.

use guichet_journal::Position;
use sqlx::Row as _;

use super::connection::{Connection, Row};
use super::database::Database;
use super::value::{Value, position_of};
use crate::answer::Answer;
use crate::error::ProjectionError;

/// The read models as they stood at one instant.
pub(crate) struct Snapshot {
    reading: Reading,
    position: Option<Position>,
}

/// A transaction that reads.
pub(super) enum Reading {
    Sqlite(sqlx::Transaction<'static, sqlx::Sqlite>),
    Postgres(sqlx::Transaction<'static, sqlx::Postgres>),
}

impl Snapshot {
    /// Takes one, for the read model `name`.
    pub(crate) async fn take(database: &Database, name: &str) -> Result<Self, ProjectionError> {
        let mut snapshot = Self { reading: database.reading().await?, position: None };
        let sql = "SELECT position FROM read_model WHERE name = ?";
        let rows = snapshot.connection().run(sql, &[name.into()]).await?;
        let token: Option<i64> = rows.first().map(|row| Columns::new(row).take()).transpose()?.flatten();
        snapshot.position = token.and_then(position_of);
        Ok(snapshot)
    }

    /// One of what does not follow from the journal, and so has no position.
    pub(crate) async fn plain(database: &Database) -> Result<Self, ProjectionError> {
        Ok(Self { reading: database.reading().await?, position: None })
    }

    /// The connection, in the transaction that shows it.
    pub(crate) fn connection(&mut self) -> Connection<'_> {
        match &mut self.reading {
            Reading::Sqlite(transaction) => Connection::Sqlite(transaction),
            Reading::Postgres(transaction) => Connection::Postgres(transaction),
        }
    }

    /// Rows of a statement whose text comes from constants of this crate, its values bound.
    pub(crate) async fn rows(&mut self, sql: String, values: &[Value]) -> Result<Vec<Row>, ProjectionError> {
        self.connection().run(&sql, values).await
    }

    /// How many rows a condition has, and how many of them are open: two columns of a `SELECT`.
    pub(crate) async fn counts(
        &mut self,
        sql: String,
        values: &[Value],
    ) -> Result<(u64, u64), ProjectionError> {
        let rows = self.rows(sql, values).await?;
        let Some(row) = rows.first() else { return Ok((0, 0)) };
        let mut columns = Columns::new(row);
        Ok((columns.count()?, columns.count()?))
    }

    /// The answer that was made from this snapshot.
    pub(crate) fn answer<T>(self, (n, open): (u64, u64), value: T) -> Answer<T> {
        Answer { as_of: self.position, n, open, value }
    }
}

/// The columns of a row, from left to right.
pub(crate) struct Columns<'r> {
    row: &'r Row,
    next: usize,
}

impl<'r> Columns<'r> {
    pub(crate) fn new(row: &'r Row) -> Self {
        Self { row, next: 0 }
    }

    /// The next column.
    pub(crate) fn take<T>(&mut self) -> Result<T, ProjectionError>
    where
        T: sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
        T: sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
    {
        let value = match self.row {
            Row::Sqlite(row) => row.try_get(self.next)?,
            Row::Postgres(row) => row.try_get(self.next)?,
        };
        self.next += 1;
        Ok(value)
    }

    pub(crate) fn count(&mut self) -> Result<u64, ProjectionError> {
        Ok(u64::try_from(self.take::<Option<i64>>()?.unwrap_or(0)).unwrap_or(0))
    }

    pub(crate) fn number<T: TryFrom<i64> + Default>(&mut self) -> Result<T, ProjectionError> {
        Ok(T::try_from(self.take::<i64>()?).unwrap_or_default())
    }

    pub(crate) fn flag(&mut self) -> Result<bool, ProjectionError> {
        Ok(self.take::<i64>()? != 0)
    }

    pub(crate) fn uuid(&mut self) -> Result<uuid::Uuid, ProjectionError> {
        let bytes: Vec<u8> = self.take()?;
        uuid::Uuid::from_slice(&bytes).map_err(|_| ProjectionError::store("an id does not have 16 bytes"))
    }

    pub(crate) fn instant(&mut self) -> Result<chrono::DateTime<chrono::Utc>, ProjectionError> {
        Ok(super::instant(self.take()?))
    }

    pub(crate) fn opt_instant(&mut self) -> Result<Option<chrono::DateTime<chrono::Utc>>, ProjectionError> {
        Ok(self.take::<Option<i64>>()?.map(super::instant))
    }

    /// A word of a closed list.
    pub(crate) fn code<T: serde::de::DeserializeOwned>(&mut self) -> Result<T, ProjectionError> {
        let code: String = self.take()?;
        super::parse_code(&code)
            .ok_or_else(|| ProjectionError::store(format!("`{code}` is not a word of its list")))
    }

    /// A word of a closed list, if there is one.
    pub(crate) fn opt_code<T: serde::de::DeserializeOwned>(&mut self) -> Result<Option<T>, ProjectionError> {
        let Some(code) = self.take::<Option<String>>()? else { return Ok(None) };
        let unknown = || ProjectionError::store(format!("`{code}` is not a word of its list"));
        super::parse_code(&code).map(Some).ok_or_else(unknown)
    }

    /// A value stored as JSON text.
    pub(crate) fn json<T: serde::de::DeserializeOwned>(&mut self) -> Result<T, ProjectionError> {
        let text: String = self.take()?;
        serde_json::from_str(&text)
            .map_err(|_| ProjectionError::store("a JSON column does not have its shape"))
    }
}

impl Columns<'_> {
    /// A value stored as JSON text, if there is one.
    pub(crate) fn opt_json<T: serde::de::DeserializeOwned>(&mut self) -> Result<Option<T>, ProjectionError> {
        let Some(text) = self.take::<Option<String>>()? else { return Ok(None) };
        let shape = |_| ProjectionError::store("a JSON column does not have its shape");
        serde_json::from_str(&text).map(Some).map_err(shape)
    }
}

/// The places of so many values between the brackets of `IN (…)`; of none, one that nothing equals.
pub(crate) fn marks(count: usize) -> String {
    if count == 0 { "NULL".to_owned() } else { vec!["?"; count].join(",") }
}

/// The conditions of a query and their values.
#[derive(Debug, Default, Clone)]
pub(crate) struct Where {
    conditions: Vec<String>,
    /// The values, in the order of their question marks.
    pub(crate) values: Vec<Value>,
}

impl Where {
    /// A condition with its value.
    pub(crate) fn with(&mut self, condition: &str, value: impl Into<Value>) {
        self.conditions.push(condition.to_owned());
        self.values.push(value.into());
    }

    /// The same where there is a value.
    pub(crate) fn maybe<T: Into<Value>>(&mut self, condition: &str, value: Option<T>) {
        if let Some(value) = value {
            self.with(condition, value);
        }
    }

    /// A condition without values, or whose values are given along.
    pub(crate) fn raw(&mut self, condition: impl Into<String>, values: impl IntoIterator<Item = Value>) {
        self.conditions.push(condition.into());
        self.values.extend(values);
    }

    /// `column IN (…)`, where there is at least one value.
    pub(crate) fn among<T: Into<Value>>(&mut self, column: &str, values: impl IntoIterator<Item = T>) {
        let values: Vec<Value> = values.into_iter().map(Into::into).collect();
        if !values.is_empty() {
            self.raw(format!("{column} IN ({})", vec!["?"; values.len()].join(",")), values);
        }
    }

    /// The clause.
    pub(crate) fn sql(&self) -> String {
        if self.conditions.is_empty() {
            String::new()
        } else {
            format!("WHERE {}", self.conditions.join(" AND "))
        }
    }
}
