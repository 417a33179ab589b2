//! Names inside rules and messages.

use std::ops::Range;

use crate::language::grammar::Referent;
use crate::language::template::{self, Piece};

/// A kind of thing, the task it belongs to, its name, and where that stands.
pub(super) type Named = (Referent, Option<String>, String, Range<usize>);

/// `form.place.area`: names with dots between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chain {
    pub(super) parts: Vec<(String, Range<usize>)>,
}

impl Chain {
    /// The fields and tasks that it names.
    pub(super) fn names(&self) -> Vec<Named> {
        let part = |index: usize| self.parts.get(index);
        let word = |index: usize| part(index).map_or("", |(name, _)| name.as_str());
        let mut names = Vec::new();
        match (word(0), part(1)) {
            ("form", Some((field, range))) => {
                names.push((Referent::Field, None, field.clone(), range.clone()));
            }
            ("tasks", Some((task, range))) => {
                names.push((Referent::Task, None, task.clone(), range.clone()));
                if let ("report", Some((field, range))) = (word(2), part(3)) {
                    names.push((Referent::ReportField, Some(task.clone()), field.clone(), range.clone()));
                }
            }
            _ => {}
        }
        names
    }
}

/// The chains of names in a rule, texts between quotes left out.
pub(super) fn chains(text: &str) -> Vec<Chain> {
    let mut chains = Vec::new();
    let mut chain: Option<Chain> = None;
    let mut quote = None;
    let mut chars = text.char_indices().peekable();
    let mut dotted = false;
    while let Some((at, c)) = chars.next() {
        if let Some(open) = quote {
            match c {
                '\\' => drop(chars.next()),
                c if c == open => quote = None,
                _ => {}
            }
            continue;
        }
        if is_letter(c) && !c.is_ascii_digit() {
            let mut end = at + c.len_utf8();
            while let Some((next, _)) = chars.next_if(|(_, c)| is_letter(*c)) {
                end = next + 1;
            }
            let part = (text.get(at..end).unwrap_or_default().to_owned(), at..end);
            match chain.as_mut().filter(|_| dotted) {
                Some(chain) => chain.parts.push(part),
                None => chains.extend(chain.replace(Chain { parts: vec![part] })),
            }
            dotted = false;
        } else if c == '.' && chain.is_some() {
            dotted = true;
        } else if !c.is_whitespace() {
            chains.extend(chain.take());
            dotted = false;
            quote = (c == '\'' || c == '"').then_some(c);
        }
    }
    chains.extend(chain);
    chains
}

fn is_letter(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// What is being written at a byte of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Writing {
    /// A name: those before it, and the bytes of its own letters.
    Name(Vec<String>, Range<usize>),
    /// A text that is compared with something: its name, and the bytes between the quotes.
    Text(Vec<String>, Range<usize>),
}

/// What is being written at a byte of a rule.
pub(super) fn writing(text: &str, byte: usize) -> Option<Writing> {
    let before = text.get(..byte)?;
    if let Some(start) = open_quote(before) {
        let quote = before.get(start..)?.chars().next()?;
        let end = text.get(byte..)?.find([quote, '\n']).map_or(text.len(), |at| byte + at);
        let compared = before.get(..start)?.trim_end().trim_end_matches(['=', '!', '[', ',', ' ']);
        // `x in ['a', 'b']`: what is compared stands before the bracket.
        let compared =
            compared.rsplit_once(" in ").or_else(|| compared.rsplit_once(" in[")).map_or(compared, |p| p.0);
        let compared = compared.strip_suffix(" in").unwrap_or(compared);
        return Some(Writing::Text(last_chain(compared), start + 1..end));
    }
    let start = before
        .rfind(|c| !is_letter(c))
        .map_or(0, |at| at + before.get(at..).and_then(|r| r.chars().next()).map_or(1, char::len_utf8));
    let end = text.get(byte..)?.find(|c| !is_letter(c)).map_or(text.len(), |at| byte + at);
    let names = match before.get(..start)?.trim_end().strip_suffix('.') {
        Some(before) => last_chain(before),
        None => Vec::new(),
    };
    Some(Writing::Name(names, start..end))
}

/// The quote that is open at the end of a text.
fn open_quote(text: &str) -> Option<usize> {
    let mut open: Option<(usize, char)> = None;
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match (open, c) {
            (Some(_), '\\') => drop(chars.next()),
            (Some((_, quote)), c) if c == quote => open = None,
            (None, '\'' | '"') => open = Some((at, c)),
            _ => {}
        }
    }
    open.map(|(at, _)| at)
}

/// The names at the very end of a text.
fn last_chain(text: &str) -> Vec<String> {
    let text = text.trim_end();
    let last = chains(text)
        .pop()
        .filter(|chain| chain.parts.last().is_some_and(|(_, range)| range.end == text.len()));
    last.map(|chain| chain.parts.into_iter().map(|(name, _)| name).collect()).unwrap_or_default()
}

/// The fields that a message names: `{form.x}`, `{tasks.t.f}`.
pub(super) fn placeholders(text: &str) -> Vec<Named> {
    let mut names = Vec::new();
    for piece in template::pieces(text).unwrap_or_default() {
        let Piece::Placeholder { name, range, .. } = piece else { continue };
        let inside = text.get(range.clone()).unwrap_or_default();
        let start = range.start + inside.find(name).unwrap_or(1);
        let mut parts = Vec::new();
        let mut at = start;
        for part in name.split('.') {
            parts.push((part.to_owned(), at..at + part.len()));
            at += part.len() + 1;
        }
        match parts.as_slice() {
            [(form, _), (field, range)] if form == "form" => {
                names.push((Referent::Field, None, field.clone(), range.clone()));
            }
            [(tasks, _), (task, at), (field, range)] if tasks == "tasks" => {
                names.push((Referent::Task, None, task.clone(), at.clone()));
                names.push((Referent::ReportField, Some(task.clone()), field.clone(), range.clone()));
            }
            _ => {}
        }
    }
    names
}

/// The placeholder that is being written at a byte of a message: its bytes, without the brace.
pub(super) fn open_placeholder(text: &str, byte: usize) -> Option<Range<usize>> {
    let before = text.get(..byte)?;
    let open = before.rfind('{')?;
    let inside = before.get(open + 1..)?;
    let escaped = before.get(..open)?.ends_with('{');
    if escaped || inside.contains(['}', '\n', '|', ' ']) {
        return None;
    }
    let end =
        text.get(byte..)?.find(|c: char| !(is_letter(c) || c == '.')).map_or(text.len(), |at| byte + at);
    Some(open + 1..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_and_texts_are_not() {
        let found: Vec<_> = chains("form.a.b == 'form.c' && tasks.t.report . f || x")
            .into_iter()
            .map(|chain| chain.parts.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>().join("."))
            .collect();
        assert_eq!(found, ["form.a.b", "tasks.t.report.f", "x"]);
    }

    #[test]
    fn what_is_being_written_is_a_name_or_a_text() {
        let at = |text: &str| writing(&text.replace('¦', ""), text.find('¦').unwrap()).unwrap();
        let names = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        assert_eq!(at("a && form.da¦ng == 1"), Writing::Name(names(&["form"]), 10..14));
        assert_eq!(at("¦"), Writing::Name(vec![], 0..0));
        assert_eq!(
            at("request.complexity == 'com¦'"),
            Writing::Text(names(&["request", "complexity"]), 23..26)
        );
        assert_eq!(at("form.x in ['a', '¦"), Writing::Text(names(&["form", "x"]), 17..17));
        assert_eq!(open_placeholder("Bonjour {form.x} et {fo", 23), Some(21..23));
        assert_eq!(open_placeholder("Bonjour {form.x} et", 19), None);
    }
}
