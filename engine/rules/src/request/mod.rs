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
mod happened;
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
pub use happened::*;
pub use migration::*;
pub use payment::*;
pub use personal::*;
pub use refusal::REJECTION_CODES;
pub use rejection::*;
pub use requester::*;
pub use state::*;

#[cfg(test)]
mod tests;
