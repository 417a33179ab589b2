//! The parser's messages, said again for an officer of a town hall.

use std::ops::Range;

use cel::ParseError;

use super::Finding;
use crate::language::diagnostic::Suggestion;

const CODE: &str = "expression.syntax";

/// What is wrong with a text that the parser could not read.
pub(super) fn unreadable(text: &str) -> Finding {
    Finding::new(CODE, 0..text.len(), "cette règle est illisible", "this rule cannot be read")
}

/// The first of the parser's errors: those after it are mostly its echoes.
pub(super) fn syntax(text: &str, errors: &[ParseError]) -> Finding {
    let Some(first) = errors.first() else { return unreadable(text) };
    let at = offset(text, first.pos);
    if let Some(habit) = habit(text, at) {
        return habit;
    }
    let message = first.msg.strip_prefix("Syntax error: ").unwrap_or(&first.msg);
    sentence(text, at, message)
}

/// Byte offset of a line and column, both from 1, the column in characters.
fn offset(text: &str, (line, column): (isize, isize)) -> usize {
    let line = usize::try_from(line).unwrap_or(1).max(1);
    let column = usize::try_from(column).unwrap_or(1).max(1);
    let start: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let rest = text.get(start..).unwrap_or_default();
    start + rest.char_indices().nth(column - 1).map_or(rest.len(), |(at, _)| at)
}

/// The word or sign at `at`.
fn token(text: &str, at: usize) -> Range<usize> {
    let rest = text.get(at..).unwrap_or_default();
    let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    let length = if word == 0 { rest.chars().next().map_or(0, char::len_utf8) } else { word };
    at..at + length
}

/// What people write who do not know this language: each of these has one meaning.
fn habit(text: &str, at: usize) -> Option<Finding> {
    let word = token(text, at);
    let written = text.get(word.clone())?;
    let use_instead = |instead: &str, range: Range<usize>| {
        Finding::new(
            CODE,
            range,
            format!("ici on écrit `{instead}`"),
            format!("this is written `{instead}` here"),
        )
        .suggest(Some(Suggestion::certain(instead)))
    };
    let before = text.get(..at)?.trim_end();
    match written.to_lowercase().as_str() {
        "and" | "et" => Some(use_instead("&&", word)),
        "or" | "ou" => Some(use_instead("||", word)),
        "not" | "non" => Some(use_instead("!", word)),
        "=" => Some(use_instead("==", word)),
        "&" => Some(use_instead("&&", word)),
        "|" => Some(use_instead("||", word)),
        ">" if before.ends_with('<') => Some(use_instead("!=", before.len() - 1..word.end)),
        "≠" => Some(use_instead("!=", word)),
        "≥" => Some(use_instead(">=", word)),
        "≤" => Some(use_instead("<=", word)),
        "“" | "”" | "«" | "»" | "’" | "‘" => {
            Some(Finding::new(CODE, word, "guillemet typographique", "typographic quote").help(
                "entourez les textes d’apostrophes droites : 'voirie'",
                "put texts in straight quotes: 'voirie'",
            ))
        }
        "if" | "si" | "alors" | "then" => Some(
            Finding::new(
                CODE,
                word,
                "une règle est une condition, sans `si`",
                "a rule is a bare condition, without `if`",
            )
            .help(
                "par exemple : form.danger && request.channel == 'phone'",
                "for example: form.danger && request.channel == 'phone'",
            ),
        ),
        // The word before the place where the parser stumbled, as in `not form.danger`.
        _ => match before.rsplit(|c: char| !c.is_alphanumeric() && c != '_').next().filter(|w| !w.is_empty())
        {
            Some(last @ ("not" | "non" | "NOT")) => {
                let start = before.len() - last.len();
                Some(use_instead("!", start..before.len()))
            }
            _ => None,
        },
    }
}

fn sentence(text: &str, at: usize, message: &str) -> Finding {
    let range = token(text, at);
    let written = text.get(range.clone()).unwrap_or_default();
    if message.starts_with("missing") {
        let what = message.split('\'').nth(1).unwrap_or(")");
        let (fr, en) = (format!("il manque `{what}`"), format!("`{what}` is missing"));
        return Finding::new(CODE, range, fr, en);
    }
    if written.is_empty() || message.contains("'<EOF>'") && message.starts_with("mismatched") {
        let end = text.trim_end().len();
        return Finding::new(CODE, end..end, "la règle s’arrête au milieu", "the rule stops in the middle");
    }
    if message.starts_with("token recognition error at: ''")
        || message.starts_with("token recognition error at: '\"")
    {
        let (fr, en) = ("texte entre apostrophes jamais refermé", "this quoted text is never closed");
        return Finding::new(CODE, at..at + 1, fr, en);
    }
    if message.starts_with("token recognition error") {
        let before = text.get(..at).unwrap_or_default();
        let start = before.trim_end_matches(|c: char| c.is_alphanumeric() || c == '_').len();
        let range = if written.starts_with(char::is_alphabetic) { start..range.end } else { range };
        let written = text.get(range.clone()).unwrap_or_default();
        let (fr, en) =
            (format!("`{written}` n’a pas de sens ici"), format!("`{written}` means nothing here"));
        return Finding::new(CODE, range, fr, en).help(
            "les noms s’écrivent sans accent ; les textes entre apostrophes",
            "names have no accents; texts stand in quotes",
        );
    }
    if let Some(word) = message.strip_prefix("reserved identifier: ") {
        let (fr, en) = (format!("`{word}` est un mot réservé"), format!("`{word}` is a reserved word"));
        return Finding::new(CODE, range, fr, en);
    }
    if message.contains("int literal") || message.contains("double literal") {
        return Finding::new(CODE, range, "nombre trop grand", "number too large");
    }
    if message.contains("recursion") || message.contains("recovery") {
        return Finding::new(
            "expression.too_deep",
            0..text.len(),
            "règle trop imbriquée",
            "rule nested too deeply",
        );
    }
    let (fr, en) = (format!("`{written}` n’a pas sa place ici"), format!("`{written}` cannot stand here"));
    Finding::new(CODE, range, fr, en)
}
