//! The process language: what designers write, read with its places, checked, and resolved into definitions.

use crate::process::Bindings;

/// A compiled rule.
#[derive(Debug)]
pub struct Expression {}

impl Expression {
    /// Whether it holds.
    ///
    /// # Errors
    /// A sentence, when it cannot be evaluated.
    pub fn holds(&self, _: &Bindings) -> Result<bool, String> {
        Err("rules are not evaluated yet".into())
    }
}
