//! Rules of a sheet: CEL, behind limits and a type check of our own.
//!
//! The crate parses and evaluates; it checks no name or type, and bounds no work. So this layer refuses what is too
//! long or too deep before parsing, checks every name, type and option against the sheet's own form before a rule is
//! ever used, and estimates the most work that an evaluation can take. A rule that compiles cannot fail on a field
//! that was not given: such a field is its type's zero.

mod check;
mod environment;
mod evaluate;
mod parse;
mod words;

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::Value as Json;

pub use environment::{Environment, Hidden, Type};
pub use evaluate::EvaluationError;
pub(crate) use parse::on_long_stack;

use super::diagnostic::{Fault, Severity, Suggestion};
use super::source::Mark;
use super::yaml::Scalar;
use crate::process::Bindings;
use crate::text::Text;

/// The longest text of an expression, in bytes.
pub const MAX_TEXT: usize = 1024;
/// The most opening brackets of all kinds, which also bounds how deeply they nest.
pub const MAX_BRACKETS: usize = 64;
/// The most nodes of the parsed expression, as written.
pub const MAX_NODES: usize = 200;
/// How deeply `exists`, `all`, `filter` and `map` may nest.
pub const MAX_COMPREHENSIONS: usize = 2;
/// The most steps that an evaluation may take, counting the largest lists that the form allows.
pub const MAX_COST: usize = 20_000;

/// Something wrong with an expression, at a byte range of its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Stable name of the kind of finding, `expression.…`.
    pub code: &'static str,
    /// Error or warning.
    pub severity: Severity,
    /// Where in the expression's text.
    pub range: Range<usize>,
    /// The sentence.
    pub message: Text,
    /// What to do about it.
    pub help: Option<Text>,
    /// What to write instead of the text at `range`.
    pub suggestion: Option<Suggestion>,
}

impl Finding {
    pub(super) fn new(
        code: &'static str,
        range: Range<usize>,
        fr: impl Into<String>,
        en: impl Into<String>,
    ) -> Self {
        let message = Text::new(fr, en);
        Self { code, severity: Severity::Error, range, message, help: None, suggestion: None }
    }

    fn help(mut self, fr: impl Into<String>, en: impl Into<String>) -> Self {
        self.help = Some(Text::new(fr, en));
        self
    }

    fn suggest(mut self, suggestion: Option<impl Into<Suggestion>>) -> Self {
        self.suggestion = suggestion.map(Into::into);
        self
    }

    /// The finding at its place in the file that `scalar` was read from, `source` being that file's text.
    #[must_use]
    pub fn at(self, scalar: &Scalar, source: &str) -> Fault {
        let mark = scalar.locate_range(source, self.range);
        // A caret under nothing is invisible at the end of a quoted text.
        let mark = if mark.start == mark.end { Mark { end: mark.start + 1, ..mark } } else { mark };
        Fault {
            code: self.code,
            severity: self.severity,
            mark,
            message: self.message,
            labels: Vec::new(),
            help: self.help,
            suggestion: self.suggestion,
        }
    }
}

/// A rule that has been checked and can be evaluated.
pub struct Expression {
    text: String,
    program: cel::Program,
    /// Every field that the rule reads, by its full name, with its type.
    paths: BTreeMap<String, Type>,
    constant: Option<bool>,
}

impl std::fmt::Debug for Expression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Expression").field(&self.text).finish()
    }
}

impl Expression {
    /// Compiles a rule, which must come out as yes or no.
    ///
    /// # Errors
    /// Everything that is wrong with it, at byte ranges of `text`.
    pub fn compile(text: &str, environment: &Environment) -> Result<Self, Vec<Finding>> {
        let (mut expression, kind) = Self::compiled(text, environment)?;
        if kind != Type::Boolean {
            let (fr, en) = kind.name();
            let fr = format!("une règle doit donner oui ou non ; celle-ci donne {fr}");
            let en = format!("a rule must come out as yes or no; this one comes out as {en}");
            return Err(vec![Finding::new("expression.not_boolean", 0..text.len(), fr, en)]);
        }
        if expression.paths.is_empty() {
            expression.constant = expression.holds(&Bindings::default()).ok();
        }
        Ok(expression)
    }

    /// Compiles an amount, which must come out as a whole number of cents.
    ///
    /// # Errors
    /// As [`Expression::compile`].
    pub fn compile_cents(text: &str, environment: &Environment) -> Result<Self, Vec<Finding>> {
        let (expression, kind) = Self::compiled(text, environment)?;
        if kind != Type::Integer {
            let (fr, en) = kind.name();
            let fr = format!("un montant se donne en centimes, un nombre entier ; ceci donne {fr}");
            let en = format!("an amount is given in cents, a whole number; this comes out as {en}");
            return Err(vec![Finding::new("payment.expression", 0..text.len(), fr, en)]);
        }
        Ok(expression)
    }

    /// A checked expression, and what it comes out as.
    fn compiled(text: &str, environment: &Environment) -> Result<(Self, Type), Vec<Finding>> {
        let program = parse::parse(text)?;
        let checked = check::check(text, &program, environment)?;
        let (paths, constant) = (checked.paths, checked.constant);
        Ok((Self { text: text.to_owned(), program, paths, constant }, checked.kind))
    }

    /// The rule as written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it always comes out as, where that is plain from the text.
    #[must_use]
    pub fn constant(&self) -> Option<bool> {
        self.constant
    }

    /// The full names of the fields that it reads, for example `form.danger`.
    pub fn reads(&self) -> impl Iterator<Item = &str> {
        self.paths.keys().map(String::as_str)
    }

    /// Whether the rule holds for these values.
    ///
    /// # Errors
    /// If a sum leaves the range of whole numbers, or a value given is not of its declared type.
    pub fn holds(&self, bindings: &Bindings) -> Result<bool, EvaluationError> {
        evaluate::evaluate(&self.program, &self.paths, bindings)
    }

    /// The whole number that an expression of [`Expression::compile_cents`] comes out as.
    ///
    /// # Errors
    /// As [`Expression::holds`].
    pub fn cents(&self, bindings: &Bindings) -> Result<i64, EvaluationError> {
        evaluate::cents_of(&self.program, &self.paths, bindings)
    }

    /// The values that the rule reads, for an explanation: `form.danger = true`.
    #[must_use]
    pub fn operands(&self, bindings: &Bindings) -> Vec<(String, Json)> {
        self.paths
            .iter()
            .map(|(path, kind)| (path.clone(), evaluate::operand(bindings, path, kind)))
            .collect()
    }
}

#[cfg(test)]
mod tests;
