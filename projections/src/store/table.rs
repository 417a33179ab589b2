//! Tables as data: from them come the statements that create, fill and swap them.

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Int,
    Real,
    Text,
    Bytes,
}

/// A column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) kind: Type,
    pub(crate) nullable: bool,
    /// Whether its value never changes once the row is there, so that its indexes need not be touched again.
    pub(crate) fixed: bool,
}

impl Column {
    /// The same, never to change in a row.
    pub(crate) const fn fixed(self) -> Self {
        Self { fixed: true, ..self }
    }
}

impl Column {
    /// How it stands in the statement that creates its table.
    pub(super) fn definition(&self, type_name: impl Fn(Type) -> &'static str) -> String {
        let nullable = if self.nullable { "" } else { " NOT NULL" };
        format!("{} {}{nullable}", self.name, type_name(self.kind))
    }
}

const fn column(name: &'static str, kind: Type, nullable: bool) -> Column {
    Column { name, kind, nullable, fixed: false }
}

pub(crate) const fn int(name: &'static str) -> Column {
    column(name, Type::Int, false)
}

pub(crate) const fn opt_int(name: &'static str) -> Column {
    column(name, Type::Int, true)
}

pub(crate) const fn opt_real(name: &'static str) -> Column {
    column(name, Type::Real, true)
}

pub(crate) const fn text(name: &'static str) -> Column {
    column(name, Type::Text, false)
}

pub(crate) const fn opt_text(name: &'static str) -> Column {
    column(name, Type::Text, true)
}

pub(crate) const fn bytes(name: &'static str) -> Column {
    column(name, Type::Bytes, false)
}

pub(crate) const fn opt_bytes(name: &'static str) -> Column {
    column(name, Type::Bytes, true)
}

/// A table of a read model.
#[derive(Debug)]
pub(crate) struct Table {
    /// Its name while it serves; while it is rebuilt a suffix follows.
    pub(crate) name: &'static str,
    /// Its columns; the first `key` of them are the primary key.
    pub(crate) columns: &'static [Column],
    /// How many columns the key has.
    pub(crate) key: usize,
    /// Column lists of its other indexes.
    pub(crate) indexes: &'static [&'static [&'static str]],
    /// Whether rows are written once and never change.
    pub(crate) append_only: bool,
}

/// The suffix of the tables that serve.
pub(crate) const SERVING: &str = "";
/// The suffix of tables that are built beside those that serve.
pub(crate) const NEXT: &str = "__next";

impl Table {
    fn keys(&self) -> impl Iterator<Item = &'static str> {
        self.columns.iter().take(self.key).map(|column| column.name)
    }

    /// The names of the key's columns.
    pub(super) fn key_list(&self) -> String {
        self.keys().collect::<Vec<_>>().join(", ")
    }

    /// The names of all columns, for a `SELECT`.
    pub(crate) fn column_list(&self) -> String {
        self.columns.iter().map(|column| column.name).collect::<Vec<_>>().join(", ")
    }

    /// Creates the other indexes. Their names carry the generation, because they keep them when the table is renamed.
    pub(crate) fn create_indexes(&self, suffix: &str, generation: i64) -> Vec<String> {
        let name = self.name;
        let index = |(number, columns): (usize, &&[&str])| {
            format!("CREATE INDEX {name}_{number}_g{generation} ON {name}{suffix} ({})", columns.join(", "))
        };
        self.indexes.iter().enumerate().map(index).collect()
    }

    /// What an `INSERT` does where the key is there already.
    pub(super) fn on_conflict(&self) -> String {
        let columns = self.columns.iter().skip(self.key).filter(|column| !column.fixed);
        let changed: Vec<String> = columns.map(|column| format!("{0} = excluded.{0}", column.name)).collect();
        if self.append_only || changed.is_empty() {
            return String::new();
        }
        format!(" ON CONFLICT ({}) DO UPDATE SET {}", self.key_list(), changed.join(", "))
    }
}
