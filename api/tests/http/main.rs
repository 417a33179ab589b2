//! The engine as integrators meet it: the library and HTTP, on the catalogue of Châlons. The files of `routes/` mirror
//! those of `src/http/routes/`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod bad_input;
mod contract;
mod examples;
mod forwarding;
mod gateway;
mod headers;
mod letters;
mod matrix;
mod open;
mod outbox;
mod pressure;
mod routes;
mod servers;
mod smtp;
mod store;
mod support;
mod webhooks;
mod workers;
