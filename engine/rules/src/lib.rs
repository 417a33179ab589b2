#![doc = include_str!("../README.md")]

pub mod calendar;
pub mod commitment;
pub mod language;
pub mod organisation;
pub mod process;
pub mod records;
pub mod request;
pub mod text;
pub mod tracking;
pub mod versions;
