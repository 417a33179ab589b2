//! Text to syntax tree, with the limits that keep the parser within its stack.

use std::cell::Cell;

use cel::Program;

use super::check::count;
use super::{Finding, MAX_BRACKETS, MAX_NODES, MAX_TEXT, words};

/// The parser recurses per bracket and per operator; unoptimised it takes some 20 KiB for each.
const STACK: usize = 64 << 20;

thread_local! {
    /// Whether this thread's stack is long enough for any text within the limits.
    static ON_LONG_STACK: Cell<bool> = const { Cell::new(false) };
}

/// Does `work` on a thread with a long stack, so that the rules compiled in it need no thread each. Where there is no
/// memory for one, it is done right here.
pub(crate) fn on_long_stack<T: Send>(work: impl Fn() -> T + Send + Sync) -> T {
    if ON_LONG_STACK.get() {
        return work();
    }
    let done = std::thread::scope(|scope| {
        let start = || {
            ON_LONG_STACK.set(true);
            work()
        };
        std::thread::Builder::new()
            .stack_size(STACK)
            .spawn_scoped(scope, start)
            .map(std::thread::ScopedJoinHandle::join)
    });
    match done {
        Ok(Ok(value)) => value,
        Ok(Err(panic)) => std::panic::resume_unwind(panic),
        Err(_) => work(),
    }
}

/// Parses where no text within the limits can exhaust the stack.
pub(super) fn parse(text: &str) -> Result<Program, Vec<Finding>> {
    refuse_before_parsing(text)?;
    // The parser may give up with a panic on a text that it should have refused.
    on_long_stack(|| {
        std::panic::catch_unwind(|| compile(text)).unwrap_or_else(|_| Err(vec![words::unreadable(text)]))
    })
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
