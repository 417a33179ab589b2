//! The life of a request: what may be asked of it ([`Command`]), what has happened to it ([`Event`]), what it is
//! because of that ([`Request`]), and why something is not allowed ([`Rejection`]).
//!
//! `decide` reads and `evolve` writes; neither reads a clock, draws a number or does I/O.

mod actor;
mod clock;
mod command;
mod decide;
mod effect;
mod event;
mod evolve;
mod happened;
mod personal;
mod rejection;
mod requester;
mod state;
mod timers;

pub use actor::*;
pub use clock::*;
pub use command::*;
pub use decide::*;
pub use effect::*;
pub use event::*;
pub use evolve::*;
pub use happened::*;
pub use personal::*;
pub use rejection::*;
pub use requester::*;
pub use state::*;
