//! The rules of a request: process language, calendars and commitments, decisions. Pure functions, no I/O.

pub mod calendar;
pub mod commitment;
pub mod language;
pub mod organisation;
pub mod process;
pub mod request;
pub mod text;
pub mod tracking;
