//! Inside brackets, which may span lines and be left open.

use super::scan::{Scanner, quoted};
use super::*;

impl Scanner<'_> {
    /// Reads `{ … }` or `[ … ]` from its opening bracket; gives the byte after its end.
    pub(super) fn flow(&mut self, owner: usize, at: usize) -> usize {
        let column = self.parts.get(owner).and_then(|part| part.column).unwrap_or_default();
        let mut stack: Vec<usize> = Vec::new();
        let mut at = at;
        let mut next = Some(owner);
        loop {
            if let Some(index) = next.take() {
                let map = self.text.get(at..).is_some_and(|rest| rest.starts_with('{'));
                at += 1;
                if let Some(part) = self.parts.get_mut(index) {
                    part.form = if map { Form::FlowMap } else { Form::FlowList };
                    part.value = at..at;
                }
                stack.push(index);
            }
            let Some(top) = stack.last().copied() else { return self.line_end(at) };
            at += self
                .text
                .get(at..)
                .map_or(0, |rest| rest.len() - rest.trim_start_matches([' ', '\t', ',']).len());
            let rest = self.text.get(at..).unwrap_or_default();
            match rest.chars().next() {
                Some('}' | ']') => {
                    self.extend(top, at);
                    stack.pop();
                    at += 1;
                    // A nested collection ends with its brackets; its segment goes on to the comma.
                    self.end_segment(top, at);
                }
                Some('\n' | '\r' | '#') => match self.goes_on(at, column) {
                    Some(after) => at = after,
                    None => return self.cut(&stack, at),
                },
                None => return self.cut(&stack, at),
                Some(_) if self.parts.len() >= MAX_NODES || stack.len() >= MAX_DEPTH => {
                    return self.cut(&stack, self.text.len());
                }
                Some(_) => {
                    let (after, nested) = self.segment(top, at);
                    at = after;
                    next = nested;
                }
            }
        }
    }

    /// Whether brackets go on on the next line: it must stand deeper than what they belong to, or close them.
    pub(super) fn goes_on(&self, at: usize, column: usize) -> Option<usize> {
        let mut start = self.line_end(at) + 1;
        loop {
            let words = self.text.get(start..self.line_end(start))?;
            if words.trim().is_empty() {
                start = self.line_end(start) + 1;
                continue;
            }
            let own = words.len() - words.trim_start().len();
            let deeper = own > column || words.trim_start().starts_with(['}', ']']);
            return deeper.then_some(start + own);
        }
    }

    /// Ends what is open at a byte.
    pub(super) fn cut(&mut self, stack: &[usize], at: usize) -> usize {
        let before = self.text.get(..at).unwrap_or_default();
        // Blank space at the end is still inside: that is where somebody types on.
        let end = before.len();
        for index in stack {
            self.extend(*index, end);
            self.end_segment(*index, end);
        }
        self.line_end(at)
    }

    pub(super) fn end_segment(&mut self, index: usize, end: usize) {
        if let Some(part) = self.parts.get_mut(index).filter(|part| part.column.is_none()) {
            part.segment.end = end;
        }
    }

    /// One entry between commas; gives the byte after it, and itself if its value is a collection that begins there.
    pub(super) fn segment(&mut self, parent: usize, start: usize) -> (usize, Option<usize>) {
        let map = self.parts.get(parent).is_some_and(|part| part.form == Form::FlowMap);
        let line = self.line_end(start);
        let rest = self.text.get(start..line).unwrap_or_default();
        let mut at = start;
        let (name, head) = if map {
            let length = flow_key(rest);
            let written = rest.get(..length).unwrap_or_default();
            at += length;
            (Name::Key(written.trim_matches(['"', '\'']).to_owned()), start..at)
        } else {
            (Name::Item, start..start)
        };
        let index = self.parts.len();
        let empty = head.end..head.end;
        self.parts.push(Part {
            parent: Some(parent),
            name,
            column: None,
            head,
            form: Form::Nothing,
            value: empty,
            segment: start..at,
        });
        if map {
            let gap = self.text.get(at..line).map_or(0, |r| r.len() - r.trim_start().len());
            if !self.text.get(at + gap..line).is_some_and(|r| r.starts_with(':')) {
                // No colon yet: a key that is being written. A stray bracket is read over.
                let end = if at == start { at + rest.chars().next().map_or(1, char::len_utf8) } else { at };
                self.end_segment(index, end);
                return (end, None);
            }
            at += gap + 1;
            at += self.text.get(at..line).map_or(0, |r| r.len() - r.trim_start().len());
        }
        self.flow_value(index, at, line)
    }

    pub(super) fn flow_value(&mut self, index: usize, at: usize, line: usize) -> (usize, Option<usize>) {
        let rest = self.text.get(at..line).unwrap_or_default();
        if rest.starts_with(['{', '[']) {
            return (at, Some(index));
        }
        let (style, length) = match rest.chars().next() {
            Some(quote @ ('"' | '\'')) => {
                let style = if quote == '"' { Style::Double } else { Style::Single };
                (style, quoted(rest, quote).unwrap_or(rest.len()))
            }
            _ => {
                let end = rest.find([',', '}', ']', '{', '[']).unwrap_or(rest.len());
                let end = rest.find(" #").map_or(end, |comment| comment.min(end));
                (Style::Plain, rest.get(..end).unwrap_or_default().trim_end().len())
            }
        };
        let after = self.text.get(at + length..line).unwrap_or_default();
        let gap = after.len() - after.trim_start_matches([' ', '\t']).len();
        if let Some(part) = self.parts.get_mut(index) {
            part.value = at..at + length;
            part.form = if length == 0 { Form::Nothing } else { Form::Scalar(style) };
            part.segment.end = at + length + gap;
        }
        // What follows a value without a comma is read over, so that reading always goes on.
        let next = at + length + gap;
        let stray = self.text.get(next..line).and_then(|r| r.chars().next());
        match stray {
            Some(',' | '}' | ']' | '#') | None => (next, None),
            Some(c) => (next + if length == 0 { c.len_utf8() } else { 0 }, None),
        }
    }
}

/// The length of a key inside brackets.
pub(super) fn flow_key(rest: &str) -> usize {
    if let Some(quote) = rest.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        return quoted(rest, quote).unwrap_or(rest.len());
    }
    let end = rest.char_indices().find(|(at, c)| match c {
        ',' | '{' | '}' | '[' | ']' => true,
        ':' => {
            rest.get(at + 1..).is_none_or(|r| r.is_empty() || r.starts_with([' ', '\t', ',', '}', '{', '[']))
        }
        _ => false,
    });
    rest.get(..end.map_or(rest.len(), |(at, _)| at)).unwrap_or_default().trim_end().len()
}
