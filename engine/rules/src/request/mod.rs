//! The life of a request: what may be asked of it ([`Command`]), what has happened to it ([`Event`]), what it is
//! because of that ([`Request`]), and why something is not allowed ([`Rejection`]).
//!
//! `decide` reads and `evolve` writes; neither reads a clock, draws a number or does I/O.

mod actor;
mod appointment;
mod bindings;
mod clock;
mod command;
mod decide;
mod effect;
mod event;
mod evolve;
pub mod explain;
mod form;
mod forwarding;
mod happened;
mod ideas;
mod migration;
mod payment;
mod personal;
mod refusal;
mod rejection;
mod requester;
pub mod scenario;
mod state;
mod timers;

pub use actor::*;
pub use appointment::*;
pub use bindings::bindings;
pub use clock::*;
pub use command::*;
pub use decide::*;
pub use effect::*;
pub use event::*;
pub use evolve::*;
pub use forwarding::*;
pub use happened::*;
pub use ideas::{may_vote, published, shown, shown_cents};
pub use migration::*;
pub use payment::*;
pub use personal::*;
pub use refusal::REJECTION_CODES;
pub use rejection::*;
pub use requester::*;
pub use state::*;

/// The values of a form that a process has a field for and would take, as they were given, and the names of all others:
/// what becomes of a form that is passed on.
#[must_use]
pub fn fitting(definition: &crate::process::Definition, given: &Fields) -> (Fields, Vec<String>) {
    form::fitting(&definition.form, given)
}

/// The values of a form, by the names of their fields.
type Fields = serde_json::Map<String, serde_json::Value>;

/// An e-mail address as it is kept; none where the text cannot be one.
#[must_use]
pub fn email_address(text: &str) -> Option<String> {
    form::email(text)
}

/// A telephone number as it is kept, its digits with the `+` there was; none where the text cannot be one.
#[must_use]
pub fn phone_number(text: &str) -> Option<String> {
    form::phone(text)
}

#[cfg(test)]
mod tests;
