//! Guichet: the engine behind the citizen portals of town halls. Library, HTTP and command line.

pub mod cli;
