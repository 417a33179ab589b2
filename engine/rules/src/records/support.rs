//! One person's vote for one request.

use super::record_events;

record_events! {
    /// What happened.
    SupportEvent {}
}
