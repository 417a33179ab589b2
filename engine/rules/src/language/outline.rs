//! A file as its indentation tells it, also while a line of it is half written.
//!
//! The reader of YAML gives up at the first fault of syntax, and somebody who types makes one with every second letter.
//! This reader never gives up: it follows indentation, dashes, keys and brackets, closes what was left open where the
//! next line plainly belongs to something else, and so knows at every byte what is being written there.

mod brackets;
mod scan;
#[cfg(test)]
mod tests;

use std::ops::Range;

use scan::Scanner;

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
