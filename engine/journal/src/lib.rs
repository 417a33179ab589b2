//! Durable memory: an append-only journal of events, and the stores that keep it.
