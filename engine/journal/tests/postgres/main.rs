//! The PostgreSQL store passes the suite, also on several servers, and does as promised when the database, the network or a server fails.
//!
//! The tests need a server: see `tools::SERVER`.

#![cfg(unix)]

#[cfg(test)]
#[path = "../faults/appends.rs"]
mod appends;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod server;
#[cfg(test)]
mod tools;
