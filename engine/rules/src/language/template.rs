//! Placeholders in messages: `{name}`, `{name|what to write when it is empty}`, `{{` and `}}` for braces.

use std::ops::Range;

/// A piece of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece<'t> {
    /// Words that stay as they are.
    Text(&'t str),
    /// A value to fill in.
    Placeholder {
        /// Its name.
        name: &'t str,
        /// What stands for it when it is empty.
        default: Option<&'t str>,
        /// Its bytes in the text, braces included.
        range: Range<usize>,
    },
}

/// A brace without its partner.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{en}")]
pub struct TemplateError {
    /// The byte at which it stands.
    pub at: usize,
    /// In French.
    pub fr: &'static str,
    /// In English.
    pub en: &'static str,
}

/// The pieces of a message, in order.
///
/// # Errors
/// At the first brace that is not closed, not opened, or closed on another line.
pub fn pieces(text: &str) -> Result<Vec<Piece<'_>>, TemplateError> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let plain = rest.find(['{', '}']).unwrap_or(rest.len());
        if plain > 0 {
            pieces.extend(rest.get(..plain).map(Piece::Text));
            at += plain;
            continue;
        }
        if rest.starts_with("{{") || rest.starts_with("}}") {
            pieces.extend(rest.get(..1).map(Piece::Text));
            at += 2;
            continue;
        }
        if rest.starts_with('}') {
            return Err(TemplateError {
                at,
                fr: "accolade fermée sans avoir été ouverte",
                en: "brace closed without being opened",
            });
        }
        let inner = rest.get(1..).unwrap_or_default();
        let end =
            inner.find(['{', '}', '\n']).filter(|end| inner.get(*end..).is_some_and(|r| r.starts_with('}')));
        let Some(inside) = end.and_then(|end| inner.get(..end)) else {
            return Err(TemplateError { at, fr: "accolade jamais refermée", en: "brace never closed" });
        };
        let (name, default) = match inside.split_once('|') {
            Some((name, default)) => (name.trim(), Some(default.trim())),
            None => (inside.trim(), None),
        };
        let range = at..at + inside.len() + 2;
        at = range.end;
        pieces.push(Piece::Placeholder { name, default, range });
    }
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_defaults_and_braces() {
        let found = pieces("N° {code}, {due| sans date }{{x}}").unwrap();
        let placeholder = |name, default, range| Piece::Placeholder { name, default, range };
        assert_eq!(
            found,
            [
                Piece::Text("N° "),
                placeholder("code", None, 4..10),
                Piece::Text(", "),
                placeholder("due", Some("sans date"), 12..29),
                Piece::Text("{"),
                Piece::Text("x"),
                Piece::Text("}"),
            ]
        );
    }

    #[test]
    fn braces_without_partner_are_found() {
        for (text, at) in [("a } b", 2), ("a {b", 2), ("{a\nb}", 0), ("{a{b}}", 0), ("é{", 2)] {
            assert_eq!(pieces(text).unwrap_err().at, at, "{text}");
        }
    }
}
