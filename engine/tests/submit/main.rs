//! The engine's promises: the same command once, races decided again, histories looked back at, tenants kept apart.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on says so by stopping"
)]

mod late;
mod looking_back;
mod publishing;
mod repeating;
mod servers;
mod town;
