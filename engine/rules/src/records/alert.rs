//! One message to all whom it concerns.

use super::record_events;

record_events! {
    /// What happened.
    AlertEvent {}
}
