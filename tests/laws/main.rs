//! The laws, tried from outside. One file for each law or promise, one line here for each file.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on says so by stopping"
)]

mod architecture;
mod backup;
mod chaos;
mod dependencies;
mod grammar;
mod kill;
mod manual;
mod schemas;
