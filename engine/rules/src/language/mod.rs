//! The process language: what designers write, read with its places, checked, and resolved into definitions.
//!
//! [`Catalogue::load`] takes the texts of a folder's files and gives the catalogue, or every reason why there is none.

mod check;
pub mod codes;
pub mod diagnostic;
pub mod expression;
pub mod facts;
pub mod grammar;
pub mod index;
mod load;
pub mod outline;
pub mod schema;
pub mod sheet;
pub mod source;
pub mod template;
mod unread;
pub mod yaml;

pub use diagnostic::{Diagnostic, Severity};
pub use expression::Expression;
pub use index::Index;
pub use load::{Catalogue, Loaded, MAX_FILES};
pub use source::{SourceFile, Sources};

/// The names that a text of `messages:` may hold in braces, those of form fields and tasks left out.
pub fn message_values() -> impl Iterator<Item = &'static str> {
    check::messages::ALWAYS.into_iter().chain(check::messages::SOMETIMES)
}
