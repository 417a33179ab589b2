//! The rules of a request: process language, calendars and commitments, decisions. Pure functions, no I/O.

pub mod calendar;
pub mod commitment;
pub mod organisation;
pub mod text;
