//! Messages that arrive by other ways than a form: each becomes a request, or a word on one.
//!
//! What a message is and what is to be done with it are plain functions of its bytes; carrying it out is one command
//! whose id is made from the message's own, so that a message that arrives twice is received once.

mod check;
pub(crate) mod form;
pub mod gateway;
pub mod imap;
pub mod limits;
pub mod mail;
pub(crate) mod maildir;
pub mod nearby;
pub(crate) mod post;
pub mod sms;
pub mod social;
pub(crate) mod take;
pub mod thread;

pub use check::check;
pub use take::{Became, TakeError};
