//! Calendars and commitments, tried from outside: the vectors, an oracle that counts minute by minute, the laws as
//! properties, and the mistakes that others made.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on must fail"
)]

mod calendars;
mod explanations;
mod hostile;
mod known_bugs;
mod legal;
mod oracle;
mod properties;
mod support;
mod vectors;
