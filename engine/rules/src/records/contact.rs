//! A person's account, consents and subscriptions.

use super::record_events;

record_events! {
    /// What happened.
    ContactEvent {}
}
