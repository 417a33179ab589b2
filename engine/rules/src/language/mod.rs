//! The process language: what designers write, read with its places, checked, and resolved into definitions.

pub mod diagnostic;
pub mod expression;
pub mod facts;
pub mod source;
pub mod yaml;

pub use expression::Expression;
