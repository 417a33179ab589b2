//! How an event changes a request: the only writer of state, and it holds no rules.

use super::event::Event;
use super::state::{Meta, Request};

/// The request after `event`. Total: an event that cannot be (any but the first on no request) changes nothing.
#[must_use]
pub fn evolve(request: Option<Request>, event: &Event, meta: &Meta) -> Option<Request> {
    let _ = (event, meta);
    request
}
