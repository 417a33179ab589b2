//! Line after line: dashes, keys, block texts.

use super::*;

/// Reads a text into parts.
pub(super) struct Scanner<'t> {
    pub(super) text: &'t str,
    pub(super) parts: Vec<Part>,
    /// The block parts that are open, outermost first.
    pub(super) open: Vec<usize>,
    /// The part whose block scalar is being read.
    pub(super) block: Option<usize>,
}

impl Scanner<'_> {
    /// Reads a line, or several if brackets span them; gives the byte after.
    pub(super) fn line(&mut self, start: usize) -> usize {
        let end = self.line_end(start);
        let words = self.text.get(start..end).unwrap_or_default();
        let column = words.len() - words.trim_start().len();
        let content = words.trim();
        if content.is_empty() {
            return end + 1;
        }
        if let Some(index) = self.block {
            let own = self.parts.get(index).and_then(|part| part.column).unwrap_or_default();
            if column > own {
                self.extend(index, start + words.trim_end().len());
                return end + 1;
            }
            self.block = None;
        }
        if content.starts_with('#') || (column == 0 && (content.starts_with("---") || content == "...")) {
            return end + 1;
        }
        let stop = start + words.trim_end().len();
        self.entry(start + column, column, stop).max(end) + 1
    }

    pub(super) fn line_end(&self, start: usize) -> usize {
        self.text.get(start..).and_then(|rest| rest.find('\n')).map_or(self.text.len(), |at| start + at)
    }

    pub(super) fn extend(&mut self, index: usize, end: usize) {
        if let Some(part) = self.parts.get_mut(index) {
            part.value.end = end;
        }
    }

    /// Reads what begins at `at` on a line that ends at `stop`; gives the byte up to which it has read.
    pub(super) fn entry(&mut self, at: usize, column: usize, stop: usize) -> usize {
        let mut at = at;
        let mut column = column;
        let mut dashes = 0;
        // `- - - x`: several dashes may stand on one line.
        while dashes < MAX_DEPTH {
            let rest = self.text.get(at..stop).unwrap_or_default();
            if rest != "-" && !rest.starts_with("- ") {
                break;
            }
            dashes += 1;
            self.close(|own, item| own > column || (own == column && item));
            self.push(Name::Item, Some(column), at..at + 1);
            let gap = rest.get(1..).map_or(0, |r| r.len() - r.trim_start().len()) + 1;
            at += gap;
            column += gap;
            if at >= stop {
                return stop;
            }
        }
        let rest = self.text.get(at..stop).unwrap_or_default();
        if rest.starts_with('#') {
            return stop;
        }
        if let Some((key, length)) = key_of(rest) {
            self.close(|own, _| own >= column);
            let index = self.push(Name::Key(key), Some(column), at..at + length);
            let colon = at + length;
            let after = self.text.get(colon..stop).and_then(|r| r.find(':')).map_or(stop, |c| colon + c + 1);
            return self.value(index, after, stop);
        }
        if dashes > 0 {
            let item = self.open.last().copied().unwrap_or_default();
            return self.value(item, at, stop);
        }
        self.loose(at, column, stop)
    }

    /// Words on a line of their own: the rest of a value that began above, or something half written.
    pub(super) fn loose(&mut self, at: usize, column: usize, stop: usize) -> usize {
        let above = self.open.iter().rev().copied().find(|index| {
            self.parts.get(*index).and_then(|part| part.column).is_some_and(|own| own < column)
        });
        if let Some(index) = above {
            match self.parts.get(index).map(|part| part.form) {
                Some(Form::Scalar(_)) => {
                    self.extend(index, stop);
                    return stop;
                }
                // A value may begin on the line below its key.
                Some(Form::Nothing)
                    if self.text.get(at..).is_some_and(|r| r.starts_with(['{', '[', '"', '\''])) =>
                {
                    return self.value(index, at, stop);
                }
                Some(Form::Nothing | Form::FlowMap | Form::FlowList) | None => {}
            }
        }
        self.close(|own, _| own >= column);
        let index = self.push(Name::Bare, Some(column), at..stop);
        // What is half written holds nothing.
        self.open.pop();
        if let Some(part) = self.parts.get_mut(index) {
            part.form = Form::Scalar(Style::Plain);
            part.value = at..stop;
        }
        stop
    }

    pub(super) fn close(&mut self, done: impl Fn(usize, bool) -> bool) {
        while let Some(part) = self.open.last().and_then(|index| self.parts.get(*index)) {
            if !part.column.is_some_and(|own| done(own, part.name == Name::Item)) {
                return;
            }
            self.open.pop();
        }
    }

    pub(super) fn push(&mut self, name: Name, column: Option<usize>, head: Range<usize>) -> usize {
        let parent = self.open.last().copied();
        let empty = head.end..head.end;
        let part =
            Part { parent, name, column, head, form: Form::Nothing, value: empty.clone(), segment: empty };
        self.parts.push(part);
        let index = self.parts.len() - 1;
        self.open.push(index);
        index
    }

    /// Reads the value of a part.
    pub(super) fn value(&mut self, index: usize, at: usize, stop: usize) -> usize {
        let mut at = at + self.blank(at, stop);
        let mut rest = self.text.get(at..stop).unwrap_or_default();
        if rest.starts_with('&') {
            at += rest.find(' ').map_or(rest.len(), |end| end + 1);
            at += self.blank(at, stop);
            rest = self.text.get(at..stop).unwrap_or_default();
        }
        let (form, end) = match rest.chars().next() {
            None | Some('#') => (Form::Nothing, at),
            Some('{' | '[') => return self.flow(index, at),
            Some('|' | '>') => {
                self.block = Some(index);
                (Form::Scalar(Style::Block), stop)
            }
            Some(quote @ ('"' | '\'')) => {
                let style = if quote == '"' { Style::Double } else { Style::Single };
                (Form::Scalar(style), at + quoted(rest, quote).unwrap_or(rest.len()))
            }
            Some(_) => {
                let end = rest.find(" #").unwrap_or(rest.len());
                (Form::Scalar(Style::Plain), at + rest.get(..end).unwrap_or_default().trim_end().len())
            }
        };
        if let Some(part) = self.parts.get_mut(index) {
            part.form = form;
            part.value = at..end;
        }
        stop
    }

    pub(super) fn blank(&self, at: usize, stop: usize) -> usize {
        self.text.get(at..stop).map_or(0, |rest| rest.len() - rest.trim_start().len())
    }
}

/// The key that a line begins with, unquoted, and its length as written.
pub(super) fn key_of(rest: &str) -> Option<(String, usize)> {
    if rest.starts_with(['{', '[', '|', '>', '#', '&', '*', '!', '%', '@', '`']) {
        return None;
    }
    let ends =
        |after: &str| after.strip_prefix(':').is_some_and(|r| r.is_empty() || r.starts_with([' ', '\t']));
    if let Some(quote) = rest.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        let length = quoted(rest, quote)?;
        let inner = rest.get(1..length.saturating_sub(1))?;
        return ends(rest.get(length..)?.trim_start()).then(|| (inner.to_owned(), length));
    }
    let (at, _) = rest.match_indices(':').find(|(at, _)| rest.get(*at..).is_some_and(ends))?;
    let key = rest.get(..at)?.trim_end();
    // A comment begins before the colon.
    (!key.contains(" #") && !key.is_empty()).then(|| (key.to_owned(), key.len()))
}

/// The length of a quoted text, quotes included, if it is closed.
pub(super) fn quoted(rest: &str, quote: char) -> Option<usize> {
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c == '\\' && quote == '"' {
            chars.next();
        } else if c == quote {
            if quote == '\'' && chars.peek().is_some_and(|(_, next)| *next == '\'') {
                chars.next();
                continue;
            }
            return Some(at + 1);
        }
    }
    None
}
