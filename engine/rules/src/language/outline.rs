//! A file as its indentation tells it, also while a line of it is half written.
//!
//! The reader of YAML gives up at the first fault of syntax, and somebody who types makes one with every second letter.
//! This reader never gives up: it follows indentation, dashes, keys and brackets, closes what was left open where the
//! next line plainly belongs to something else, and so knows at every byte what is being written there.

use std::ops::Range;

use super::source::{FileId, Mark};
use super::yaml::{Entry, Kind, MAX_BYTES, MAX_DEPTH, MAX_NODES, Node, Scalar, Style};

/// One step down from the root of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The value under a key.
    Key(String),
    /// An item of a list, counted from 0.
    Item(usize),
}

/// What can be written at a byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A key of the mapping at the path.
    Key,
    /// The value at the path.
    Value,
    /// Either of them: nothing is decided yet below the path.
    Start,
}

/// What is being written at a byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// Where in the file's tree.
    pub path: Vec<Step>,
    /// A key or a value.
    pub place: Place,
    /// The bytes of the key or value as far as it is written, quotes included.
    pub token: Range<usize>,
    /// The other keys of the mapping.
    pub siblings: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Name {
    Key(String),
    Item,
    /// Words on a line of their own, of which it is not plain yet what they become.
    Bare,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Nothing,
    Scalar(Style),
    /// `{ … }`
    FlowMap,
    /// `[ … ]`
    FlowList,
}

#[derive(Debug)]
struct Part {
    parent: Option<usize>,
    name: Name,
    /// Where it begins on its line; what stands inside brackets has none.
    column: Option<usize>,
    /// The key, or the dash.
    head: Range<usize>,
    form: Form,
    /// What was written as its value; inside the brackets, for a flow collection.
    value: Range<usize>,
    /// Inside brackets: from one comma to the next.
    segment: Range<usize>,
}

/// A file's outline.
#[derive(Debug, Default)]
pub(super) struct Outline {
    parts: Vec<Part>,
}

impl Outline {
    /// Reads any text.
    pub(super) fn read(text: &str) -> Self {
        if text.len() > MAX_BYTES {
            return Self::default();
        }
        let mut scanner = Scanner { text, parts: Vec::new(), open: Vec::new(), block: None };
        let mut at = 0;
        while at < text.len() && scanner.parts.len() < MAX_NODES {
            at = scanner.line(at);
        }
        Self { parts: scanner.parts }
    }

    /// The file as a tree, as far as it can be made out. Where a key stands twice the first counts.
    pub(super) fn tree(&self, file: FileId, text: &str) -> Node {
        let mut children = vec![Vec::new(); self.parts.len() + 1];
        for (index, part) in self.parts.iter().enumerate() {
            if let Some(list) = children.get_mut(part.parent.map_or(0, |parent| parent + 1)) {
                list.push(index);
            }
        }
        self.node(None, file, text, &children, 0)
    }

    fn node(
        &self,
        part: Option<usize>,
        file: FileId,
        text: &str,
        children: &[Vec<usize>],
        depth: usize,
    ) -> Node {
        let own = part.and_then(|index| self.parts.get(index));
        let below = children.get(part.map_or(0, |index| index + 1)).map_or(&[][..], Vec::as_slice);
        let range = own.map_or(0..0, |part| part.value.clone());
        let scalar = |range: Range<usize>, style: Style| {
            let mark = Mark { file, start: range.start, end: range.end };
            let written = text.get(range).unwrap_or_default();
            let raw = Scalar { text: plain(written, style), style, raw: mark };
            Node { kind: Kind::Scalar(raw), mark }
        };
        let is = |index: &usize, wanted: fn(&Name) -> bool| {
            self.parts.get(*index).is_some_and(|p| wanted(&p.name))
        };
        if depth >= MAX_DEPTH || below.is_empty() {
            return match own.map(|part| part.form) {
                Some(Form::Scalar(style)) => scalar(range, style),
                Some(Form::FlowMap) => Node { kind: Kind::Map(Vec::new()), mark: whole(file, &range) },
                Some(Form::FlowList) => Node { kind: Kind::List(Vec::new()), mark: whole(file, &range) },
                Some(Form::Nothing) | None => scalar(range.start..range.start, Style::Plain),
            };
        }
        let first = below.first().and_then(|index| self.parts.get(*index)).map_or(0..0, |p| p.head.clone());
        let mark = Mark { file, start: first.start, end: first.end };
        if below.iter().any(|index| is(index, |name| matches!(name, Name::Item))) {
            let items = below.iter().filter(|index| is(index, |name| !matches!(name, Name::Key(_))));
            let items = items.map(|index| self.node(Some(*index), file, text, children, depth + 1)).collect();
            return Node { kind: Kind::List(items), mark };
        }
        let mut entries: Vec<Entry> = Vec::new();
        for index in below {
            let Some(Part { name: Name::Key(key), head, .. }) = self.parts.get(*index) else { continue };
            if entries.iter().all(|entry| entry.key != *key) {
                let value = self.node(Some(*index), file, text, children, depth + 1);
                let key_mark = Mark { file, start: head.start, end: head.end };
                entries.push(Entry { key: key.clone(), key_mark, value });
            }
        }
        Node { kind: Kind::Map(entries), mark }
    }

    /// What is being written at a byte; nothing inside a comment.
    pub(super) fn cursor(&self, text: &str, byte: usize) -> Option<Cursor> {
        let byte = byte.min(text.len());
        if let Some(flow) = self.flow_around(byte) {
            return Some(self.in_flow(flow, byte));
        }
        let line = text.get(..byte)?.rfind('\n').map_or(0, |at| at + 1);
        let end = text.get(byte..)?.find('\n').map_or(text.len(), |at| byte + at);
        if let Some((index, part)) = self.scalar_over(byte) {
            let place = if matches!(part.name, Name::Key(_)) || part.column.is_none() {
                Place::Value
            } else {
                Place::Start
            };
            return Some(self.at(Some(index), place, part.value.clone(), None));
        }
        if text.get(line..byte)?.contains('#') && text.get(line..byte)?.trim_start().starts_with('#') {
            return None;
        }
        let on_line = |part: &&Part| part.column.is_some() && (line..=byte).contains(&part.head.start);
        let last = self.parts.iter().enumerate().rfind(|(_, part)| on_line(part));
        match last {
            Some((index, part)) if part.name == Name::Bare => {
                Some(self.at(part.parent, Place::Start, part.head.clone(), Some(index)))
            }
            Some((index, part)) if matches!(part.name, Name::Key(_)) && byte <= part.head.end => {
                Some(self.at(part.parent, Place::Key, part.head.clone(), Some(index)))
            }
            // Behind what is finished, a comment is all that can follow.
            Some((_, part)) if part.form != Form::Nothing && byte > part.value.end => None,
            Some((index, part)) => {
                let place = if matches!(part.name, Name::Key(_)) { Place::Value } else { Place::Start };
                Some(self.at(Some(index), place, byte..byte, None))
            }
            None if text.get(line..end)?.trim().is_empty() => {
                Some(self.at(self.around(line, byte - line), Place::Start, byte..byte, None))
            }
            None => None,
        }
    }

    /// The innermost brackets around a byte.
    fn flow_around(&self, byte: usize) -> Option<usize> {
        let flow = |part: &Part| matches!(part.form, Form::FlowMap | Form::FlowList);
        let around = self
            .parts
            .iter()
            .enumerate()
            .filter(|(_, part)| flow(part) && part.value.start <= byte && byte <= part.value.end);
        around.max_by_key(|(_, part)| part.value.start).map(|(index, _)| index)
    }

    fn in_flow(&self, flow: usize, byte: usize) -> Cursor {
        let map = self.parts.get(flow).is_some_and(|part| part.form == Form::FlowMap);
        let inside = self.parts.iter().enumerate().find(|(_, part)| {
            part.parent == Some(flow) && part.segment.start <= byte && byte <= part.segment.end
        });
        match inside {
            Some((index, part)) if map => {
                // After the colon the value begins.
                if matches!(part.name, Name::Key(_))
                    && byte > part.head.end
                    && part.value.start > part.head.end
                {
                    let token = if part.value.contains(&byte) || part.value.end == byte {
                        part.value.clone()
                    } else {
                        byte..byte
                    };
                    return self.at(Some(index), Place::Value, token, None);
                }
                self.at(Some(flow), Place::Key, part.head.clone(), Some(index))
            }
            Some((index, part)) => self.at(Some(index), Place::Value, part.value.clone(), None),
            None if map => self.at(Some(flow), Place::Key, byte..byte, None),
            None => {
                let count = self.parts.iter().filter(|part| part.parent == Some(flow)).count();
                let mut cursor = self.at(Some(flow), Place::Value, byte..byte, None);
                cursor.path.push(Step::Item(count));
                cursor
            }
        }
    }

    /// A scalar that is written on at this byte, if it is not inside brackets.
    fn scalar_over(&self, byte: usize) -> Option<(usize, &Part)> {
        self.parts.iter().enumerate().find(|(_, part)| {
            matches!(part.form, Form::Scalar(_))
                && part.name != Name::Bare
                && part.column.is_some()
                && part.value.start <= byte
                && byte <= part.value.end
        })
    }

    /// What an empty line belongs to, by its column.
    fn around(&self, line: usize, column: usize) -> Option<usize> {
        let mut parts = self.parts.iter().enumerate();
        let mut at = parts.rfind(|(_, part)| part.column.is_some() && part.head.start < line)?.0;
        loop {
            let part = self.parts.get(at)?;
            let holds = part.form == Form::Nothing && part.name != Name::Bare;
            if holds && part.column.is_some_and(|own| own < column) {
                return Some(at);
            }
            at = part.parent?;
        }
    }

    fn at(&self, part: Option<usize>, place: Place, token: Range<usize>, own: Option<usize>) -> Cursor {
        let siblings = self.parts.iter().enumerate().filter_map(|(index, sibling)| match &sibling.name {
            Name::Key(key) if sibling.parent == part && own != Some(index) => Some(key.clone()),
            Name::Key(_) | Name::Item | Name::Bare => None,
        });
        Cursor { path: self.path(part), place, token, siblings: siblings.collect() }
    }

    fn path(&self, part: Option<usize>) -> Vec<Step> {
        let mut path = Vec::new();
        let mut at = part;
        while let Some(part) = at.and_then(|index| self.parts.get(index)) {
            match &part.name {
                Name::Key(key) => path.push(Step::Key(key.clone())),
                Name::Item | Name::Bare => {
                    let before = self.parts.iter().take(at.unwrap_or_default());
                    path.push(Step::Item(
                        before.filter(|p| p.parent == part.parent && p.name == part.name).count(),
                    ));
                }
            }
            at = part.parent;
        }
        path.reverse();
        path
    }
}

fn whole(file: FileId, range: &Range<usize>) -> Mark {
    Mark { file, start: range.start.saturating_sub(1), end: range.end + 1 }
}

/// The words of a scalar without its quotes.
fn plain(written: &str, style: Style) -> String {
    match style {
        Style::Plain => written.to_owned(),
        Style::Single => {
            let inner = written.strip_prefix('\'').unwrap_or(written);
            inner.strip_suffix('\'').unwrap_or(inner).replace("''", "'")
        }
        Style::Double => {
            let inner = written.strip_prefix('"').unwrap_or(written);
            inner.strip_suffix('"').unwrap_or(inner).replace("\\\"", "\"")
        }
        Style::Block => {
            let lines = written.lines().skip(1).map(str::trim_start);
            lines.collect::<Vec<_>>().join("\n")
        }
    }
}

struct Scanner<'t> {
    text: &'t str,
    parts: Vec<Part>,
    /// The block parts that are open, outermost first.
    open: Vec<usize>,
    /// The part whose block scalar is being read.
    block: Option<usize>,
}

impl Scanner<'_> {
    /// Reads a line, or several if brackets span them; gives the byte after.
    fn line(&mut self, start: usize) -> usize {
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

    fn line_end(&self, start: usize) -> usize {
        self.text.get(start..).and_then(|rest| rest.find('\n')).map_or(self.text.len(), |at| start + at)
    }

    fn extend(&mut self, index: usize, end: usize) {
        if let Some(part) = self.parts.get_mut(index) {
            part.value.end = end;
        }
    }

    /// Reads what begins at `at` on a line that ends at `stop`; gives the byte up to which it has read.
    fn entry(&mut self, at: usize, column: usize, stop: usize) -> usize {
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
    fn loose(&mut self, at: usize, column: usize, stop: usize) -> usize {
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

    fn close(&mut self, done: impl Fn(usize, bool) -> bool) {
        while let Some(part) = self.open.last().and_then(|index| self.parts.get(*index)) {
            if !part.column.is_some_and(|own| done(own, part.name == Name::Item)) {
                return;
            }
            self.open.pop();
        }
    }

    fn push(&mut self, name: Name, column: Option<usize>, head: Range<usize>) -> usize {
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
    fn value(&mut self, index: usize, at: usize, stop: usize) -> usize {
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

    fn blank(&self, at: usize, stop: usize) -> usize {
        self.text.get(at..stop).map_or(0, |rest| rest.len() - rest.trim_start().len())
    }
}

/// The key that a line begins with, unquoted, and its length as written.
fn key_of(rest: &str) -> Option<(String, usize)> {
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
fn quoted(rest: &str, quote: char) -> Option<usize> {
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

/// Brackets.
impl Scanner<'_> {
    /// Reads `{ … }` or `[ … ]` from its opening bracket; gives the byte after its end.
    fn flow(&mut self, owner: usize, at: usize) -> usize {
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
    fn goes_on(&self, at: usize, column: usize) -> Option<usize> {
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
    fn cut(&mut self, stack: &[usize], at: usize) -> usize {
        let before = self.text.get(..at).unwrap_or_default();
        // Blank space at the end is still inside: that is where somebody types on.
        let end = before.len();
        for index in stack {
            self.extend(*index, end);
            self.end_segment(*index, end);
        }
        self.line_end(at)
    }

    fn end_segment(&mut self, index: usize, end: usize) {
        if let Some(part) = self.parts.get_mut(index).filter(|part| part.column.is_none()) {
            part.segment.end = end;
        }
    }

    /// One entry between commas; gives the byte after it, and itself if its value is a collection that begins there.
    fn segment(&mut self, parent: usize, start: usize) -> (usize, Option<usize>) {
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

    fn flow_value(&mut self, index: usize, at: usize, line: usize) -> (usize, Option<usize>) {
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
fn flow_key(rest: &str) -> usize {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::source::{SourceFile, Sources};
    use crate::language::yaml;

    /// What the outline makes of a text in which `¦` is the cursor.
    fn at(text: &str) -> String {
        let byte = text.find('¦').unwrap();
        let text = text.replace('¦', "");
        let Some(cursor) = Outline::read(&text).cursor(&text, byte) else { return "nothing".into() };
        let path: Vec<String> = cursor
            .path
            .iter()
            .map(|step| match step {
                Step::Key(key) => key.clone(),
                Step::Item(n) => n.to_string(),
            })
            .collect();
        let token = &text[cursor.token.clone()];
        format!("{:?} of /{} `{token}` beside {}", cursor.place, path.join("/"), cursor.siblings.join(" "))
    }

    #[test]
    fn what_is_being_written_is_known_at_every_stage_of_writing() {
        let cases = [
            ("¦", "Start of / `` beside "),
            ("kind: ¦\ntitle: x\n", "Value of /kind `` beside "),
            ("kind: rep¦ort\n", "Value of /kind `report` beside "),
            ("ki¦\ntitle: x\n", "Start of / `ki` beside title"),
            ("ki¦nd: report\ntitle: x\n", "Key of / `kind` beside title"),
            ("form:\n  - { field: a, ¦ }\n", "Key of /form/0 `` beside field"),
            ("form:\n  - { field: a, typ¦ }\n", "Key of /form/0 `typ` beside field"),
            ("form:\n  - { field: a, type: ¦\n  - { field: b }\n", "Value of /form/0/type `` beside "),
            (
                "form:\n  - { field: a, type: te¦xt, label: \"é, è\" }\n",
                "Value of /form/0/type `text` beside ",
            ),
            ("form:\n  - field: a\n    ¦\n  - field: b\n", "Start of /form/0 `` beside field"),
            ("form:\n  - field: a\n  - ¦\n", "Start of /form/1 `` beside "),
            ("form:\n  - field: a\n  ¦\n", "Start of /form `` beside "),
            ("treatment:\n- task: a\n  after: [b, ¦]\n", "Value of /treatment/0/after/1 `` beside "),
            (
                "treatment:\n- task: a\n  after: [b, c¦\n  when: x\n",
                "Value of /treatment/0/after/1 `c` beside ",
            ),
            ("treatment:\n- task: a\n  after:\n  - b¦\n", "Start of /treatment/0/after/0 `b` beside "),
            (
                "a:\n  when: >-\n    form.x &&\n    form.¦\n  is: y\n",
                "Value of /a/when `>-\n    form.x &&\n    form.` beside ",
            ),
            ("a: 1 # wo¦rds\n", "nothing"),
            ("# wo¦rds\n", "nothing"),
            ("by: role:¦\n", "Value of /by `role:` beside "),
            ("- at: x\n  by: \"role:a¦\"\n", "Value of /0/by `\"role:a\"` beside "),
            ("law: {¦}\n", "Key of /law `` beside "),
            ("law: {silence: none, ¦", "Key of /law `` beside silence"),
            ("law: { silence:¦ }\n", "Value of /law/silence `` beside "),
            ("a: { b: { c: d, ¦ }, e: f }\n", "Key of /a/b `` beside c"),
            ("a: { b: { c: d }, ¦e: f }\n", "Key of /a `e` beside b"),
            ("a: [\n  b,\n  ¦\n]\nc: d\n", "Value of /a/1 `` beside "),
            ("x:\n  y: 1\n\n¦", "Start of / `` beside x"),
            ("x:\n  y: 1\n  ¦\nz: 1\n", "Start of /x `` beside y"),
        ];
        for (text, expected) in cases {
            assert_eq!(at(text), expected, "{text}");
        }
    }

    /// The tree without its places, which the two readers give alike only where nothing is quoted or folded.
    fn bare(node: &Node) -> String {
        match &node.kind {
            Kind::Scalar(scalar) if scalar.style == Style::Block => "block".to_owned(),
            Kind::Scalar(scalar) => format!("{:?}", scalar.text.split_whitespace().collect::<Vec<_>>()),
            Kind::List(items) => format!("[{}]", items.iter().map(bare).collect::<Vec<_>>().join(",")),
            Kind::Map(entries) => {
                let entries = entries.iter().map(|entry| format!("{}={}", entry.key, bare(&entry.value)));
                format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
            }
        }
    }

    fn shipped() -> Vec<SourceFile> {
        let mut files = Vec::new();
        let mut folders = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../processes")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|e| e == "yaml") {
                    files.push(SourceFile {
                        text: std::fs::read_to_string(&path).unwrap(),
                        path: path.display().to_string(),
                    });
                }
            }
        }
        files
    }

    #[test]
    fn a_sound_file_is_the_same_tree_to_both_readers() {
        let files = shipped();
        assert!(files.len() > 100);
        for file in files {
            let mut sources = Sources::default();
            let id = sources.add(file.clone());
            let mut faults = Vec::new();
            let tree = yaml::parse(id, &file.text, &mut faults).unwrap();
            let outline = Outline::read(&file.text).tree(id, &file.text);
            assert_eq!(bare(&outline), bare(&tree), "{}", file.path);
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(2_000))]
        #[test]
        fn no_text_stops_it(text in "[a:\\-#{}\\[\\],'\"|> \n&é]{0,60}") {
            let outline = Outline::read(&text);
            let mut sources = Sources::default();
            let id = sources.add(SourceFile { path: String::new(), text: text.clone() });
            outline.tree(id, &text);
            for byte in (0..=text.len()).filter(|byte| text.is_char_boundary(*byte)) {
                if let Some(cursor) = outline.cursor(&text, byte) {
                    proptest::prop_assert!(text.get(cursor.token.clone()).is_some(), "{:?}", cursor);
                }
            }
        }
    }
}
