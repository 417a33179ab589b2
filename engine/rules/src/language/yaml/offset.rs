//! From a place in a scalar's value back to the bytes it was written as.

use super::Style;

/// The offset in `raw` (the scalar as written, with quotes) of byte `offset` of `value` (the scalar as read).
///
/// Folding, indentation and escapes make the two differ. Walking both together undoes all of them: what the raw text
/// has more than the value is white space of folding and indentation, quotes, and escape sequences.
pub(super) fn raw_offset(raw: &str, value: &str, style: Style, offset: usize) -> usize {
    let mut at = opening(raw, style);
    for (index, wanted) in value.char_indices() {
        at += white_space_to_skip(raw.get(at..).unwrap_or_default(), wanted, style);
        if index >= offset {
            return at;
        }
        at += written_length(raw.get(at..).unwrap_or_default(), wanted, style);
    }
    at.min(raw.len())
}

/// The bytes before the first character of the value.
fn opening(raw: &str, style: Style) -> usize {
    match style {
        Style::Plain => 0,
        Style::Single | Style::Double => 1.min(raw.len()),
        Style::Block if raw.starts_with(['|', '>']) => raw.find('\n').map_or(raw.len(), |at| at + 1),
        Style::Block => 0,
    }
}

/// White space in the file that the value does not have: indentation, and line breaks that folding took away.
fn white_space_to_skip(rest: &str, wanted: char, style: Style) -> usize {
    if rest.starts_with(wanted) {
        return 0;
    }
    let mut rest_after = rest;
    // A backslash before the end of a line joins the lines of a double-quoted text.
    if style == Style::Double && (rest.starts_with("\\\n") || rest.starts_with("\\\r\n")) {
        rest_after = rest.get(1..).unwrap_or_default();
    }
    let blank = |c: char| c.is_ascii_whitespace();
    if wanted == ' ' || wanted == '\n' {
        // A folded line break: the value's one character stands for the whole run, taken by `written_length`.
        return 0;
    }
    let kept = rest_after.trim_start_matches(blank);
    rest.len() - kept.len()
}

/// How many bytes of the file stand for one character of the value.
fn written_length(rest: &str, wanted: char, style: Style) -> usize {
    if style == Style::Single && wanted == '\'' && rest.starts_with("''") {
        return 2;
    }
    if style == Style::Double && rest.starts_with('\\') {
        let digits = match rest.chars().nth(1) {
            Some('x') => 2,
            Some('u') => 4,
            Some('U') => 8,
            _ => 0,
        };
        return rest.char_indices().nth(2 + digits).map_or(rest.len(), |(at, _)| at);
    }
    if rest.starts_with(wanted) {
        return wanted.len_utf8();
    }
    if wanted == ' ' || wanted == '\n' {
        let blank = |c: char| c.is_ascii_whitespace();
        return rest.len() - rest.trim_start_matches(blank).len();
    }
    // The two do not fit together: stand still rather than run away.
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The raw text from the place that corresponds to `needle` in `value`.
    fn found<'a>(raw: &'a str, value: &str, style: Style, needle: &str) -> &'a str {
        let offset = value.find(needle).unwrap();
        let at = raw_offset(raw, value, style, offset);
        &raw[at..(at + needle.len()).min(raw.len())]
    }

    #[test]
    fn each_way_to_write_a_text_leads_back_to_it() {
        assert_eq!(found("form.dangr == true", "form.dangr == true", Style::Plain, "dangr"), "dangr");
        assert_eq!(
            found("form.é &&\n    form.dangr", "form.é && form.dangr", Style::Plain, "dangr"),
            "dangr"
        );
        assert_eq!(found("'x == ''é'' || dangr'", "x == 'é' || dangr", Style::Single, "dangr"), "dangr");
        assert_eq!(
            found(r#""x == \"\u00e9\\\" || dangr""#, r#"x == "é\" || dangr"#, Style::Double, "dangr"),
            "dangr"
        );
        assert_eq!(found("\"a || \\\n   dangr\"", "a || dangr", Style::Double, "dangr"), "dangr");
        assert_eq!(found("|\n    a ||\n    dangr\n", "a ||\ndangr\n", Style::Block, "dangr"), "dangr");
        assert_eq!(
            found("    a ||\n      b || dangr\n", "a ||\n  b || dangr\n", Style::Block, "dangr"),
            "dangr"
        );
        assert_eq!(
            found(">-\n    a ||\n    b ||\n\n    dangr", "a || b ||\ndangr", Style::Block, "dangr"),
            "dangr"
        );
        assert_eq!(found("a\n\n  dangr", "a\ndangr", Style::Plain, "dangr"), "dangr");
    }

    #[test]
    fn an_offset_past_the_end_is_the_end() {
        assert_eq!(raw_offset("abc", "abc", Style::Plain, 99), 3);
        assert_eq!(raw_offset("", "abc", Style::Plain, 2), 0);
    }
}
