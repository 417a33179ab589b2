//! An address that changes are sent to.

use super::record_events;

record_events! {
    /// What happened.
    WebhookEvent {}
}
