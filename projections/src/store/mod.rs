//! The database beneath the read models. What is particular to SQLite stands in `sqlite.rs`, what is particular to
//! PostgreSQL in `postgres/`; the rest of the house writes one SQL, with `?` for values, and never asks which it is.

mod connection;
mod database;
mod place;
mod postgres;
mod presence;
mod read;
mod sqlite;
mod table;
mod value;
mod write;

pub(crate) use connection::{Connection, Row};
pub(crate) use database::Database;
pub use place::Place;
pub(crate) use postgres::SHARED as SHARED_SET;
pub(crate) use presence::{Presence, Witness};
pub(crate) use read::{Columns, Snapshot, Where, marks};
#[cfg(test)]
pub(crate) use table::Type;
pub(crate) use table::{NEXT, SERVING, Table, bytes, int, opt_bytes, opt_int, opt_real, opt_text, text};
pub(crate) use value::{Value, code, instant, micros, parse_code, position_of, token_of};
pub(crate) use write::Rows;
