//! Text to syntax tree, with the limits that keep the parser within its stack.

use cel::Program;

use super::check::count;
use super::{Finding, MAX_BRACKETS, MAX_NODES, MAX_TEXT, words};

/// The parser recurses per bracket and per operator; unoptimised it takes some 20 KiB for each.
const STACK: usize = 64 << 20;

/// Parses on a thread of its own, whose stack no text within the limits can exhaust.
pub(super) fn parse(text: &str) -> Result<Program, Vec<Finding>> {
    refuse_before_parsing(text)?;
    let result = std::thread::scope(|scope| {
        std::thread::Builder::new()
            .stack_size(STACK)
            .spawn_scoped(scope, || compile(text))
            .map(std::thread::ScopedJoinHandle::join)
    });
    match result {
        Ok(Ok(parsed)) => parsed,
        // The parser gave up on a text that it should have refused.
        Ok(Err(_)) => Err(vec![words::unreadable(text)]),
        Err(_) => Err(vec![Finding::new(
            "expression.no_thread",
            0..text.len(),
            "pas assez de mémoire pour lire cette règle",
            "not enough memory to read this rule",
        )]),
    }
}

fn compile(text: &str) -> Result<Program, Vec<Finding>> {
    let program = Program::compile(text).map_err(|e| vec![words::syntax(text, &e.errors)])?;
    // A long tree is dropped here, where the stack is long too.
    if count(program.expression(), MAX_NODES) > MAX_NODES {
        return Err(vec![Finding::new(
            "expression.too_long",
            0..text.len(),
            format!("cette règle a plus de {MAX_NODES} éléments ; partagez-la en plusieurs"),
            format!("this rule has more than {MAX_NODES} elements; split it"),
        )]);
    }
    Ok(program)
}

fn refuse_before_parsing(text: &str) -> Result<(), Vec<Finding>> {
    if text.len() > MAX_TEXT {
        return Err(vec![Finding::new(
            "expression.too_long",
            0..text.len(),
            format!("cette règle fait {} octets ; une règle en a au plus {MAX_TEXT}", text.len()),
            format!("this rule has {} bytes; a rule has at most {MAX_TEXT}", text.len()),
        )]);
    }
    if text.trim().is_empty() {
        return Err(vec![Finding::new(
            "expression.syntax",
            0..text.len(),
            "cette règle est vide",
            "this rule is empty",
        )]);
    }
    // Brackets inside quoted texts count too: a limit that needs no tokens cannot be fooled by them.
    let mut opened = text.char_indices().filter(|(_, c)| matches!(c, '(' | '[' | '{'));
    if let Some((at, _)) = opened.nth(MAX_BRACKETS) {
        return Err(vec![Finding::new(
            "expression.too_deep",
            at..at + 1,
            format!("plus de {MAX_BRACKETS} parenthèses dans une règle"),
            format!("more than {MAX_BRACKETS} brackets in one rule"),
        )]);
    }
    Ok(())
}
