//! Who looked at personal data, and when.

use super::record_events;

record_events! {
    /// What happened.
    AccessEvent {}
}
