//! The KurrentDB store passes the suite, and survives what nodes and the network do to it.
//!
//! What runs here is a server of our own that speaks the protocol (`server`). No real node was ever run by us; the suite runs on one when
//! `GUICHET_TEST_KURRENTDB` holds its address.

#[cfg(test)]
#[path = "../faults/appends.rs"]
mod appends;
#[cfg(test)]
mod calls;
#[cfg(test)]
mod client;
#[cfg(test)]
mod failover;
#[cfg(test)]
mod streams;
#[cfg(test)]
mod suite;
#[cfg(test)]
mod tools;

#[cfg(test)]
#[allow(clippy::cast_possible_truncation, reason = "numbers of a test's log")]
mod server;
