//! Writing: rows are gathered while a batch is folded and go out as few, large statements.

use super::connection::Connection;
use super::table::Table;
use super::value::Value;
use crate::error::ProjectionError;

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

    /// Takes in others, of other keys.
    pub(crate) fn join(&mut self, others: Self) {
        for TableRows { table, upserts, deletes } in others.tables {
            let mine = self.table(table);
            mine.upserts.extend(upserts);
            mine.deletes.extend(deletes);
        }
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

impl Rows {
    /// Writes them, deletions first, into the tables with `suffix`.
    pub(crate) async fn write(
        self,
        connection: &mut Connection<'_>,
        suffix: &str,
    ) -> Result<(), ProjectionError> {
        for TableRows { table, upserts, deletes } in self.tables {
            if !deletes.is_empty() {
                connection.delete(table, suffix, &deletes).await?;
            }
            if !upserts.is_empty() {
                connection.upsert(table, suffix, &upserts).await?;
            }
        }
        Ok(())
    }
}
