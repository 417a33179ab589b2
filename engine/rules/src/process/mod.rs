//! A process as the engine executes it: the resolved [`Definition`] that is published and hashed, and the compiled
//! [`Plan`] made from it.

mod circuit;
mod definition;
mod form;
mod plan;
mod publication;
mod words;

pub use circuit::*;
pub use definition::*;
pub use form::*;
pub use plan::*;
pub use publication::*;
pub use words::*;
