//! The PostgreSQL store passes the suite, also on several servers, and does as promised when the database, the network or a server fails.
//!
//! The tests need a server: see `tools::SERVER`.

#![cfg(unix)]

#[cfg(test)]
mod conformance;
#[cfg(test)]
mod tools;
