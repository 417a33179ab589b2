//! A process as the engine executes it: the resolved [`Definition`] that is published and hashed, and the compiled
//! [`Plan`] made from it.

mod definition;
mod form;
mod plan;

pub use definition::*;
pub use form::*;
pub use plan::*;
