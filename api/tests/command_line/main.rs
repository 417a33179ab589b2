//! The command line as people and scripts meet it: the program itself, its words and its exit codes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "tests"
)]

mod accesses;
mod alerts;
mod catalogues;
mod checking;
mod databases;
mod diagrams;
mod editor;
mod files;
mod forwarding;
mod imap;
mod imports;
mod mail;
mod newcomers;
mod operations;
mod scenarios;
mod servers;
mod simulations;
mod stopping;
mod support;
mod towns;
#[cfg(feature = "otlp")]
mod traces;
mod tutorial;
mod versions;
mod words;
