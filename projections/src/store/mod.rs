//! The database beneath the read models. What is particular to SQLite stands in `sqlite.rs`.

mod read;
mod sqlite;
mod table;
mod value;
mod write;

pub(crate) use read::{Columns, Snapshot, Where};
pub(crate) use sqlite::{connect, pool};
pub(crate) use table::{NEXT, SERVING, Table, bytes, int, opt_int, opt_real, opt_text, text};
pub(crate) use value::{Value, code, instant, micros, parse_code, position_of, token_of};
pub(crate) use write::{Rows, execute, in_transaction, run, write};
