//! YAML as a tree in which every key and value knows where it was written.
//!
//! The tree is built from the parser's events, so that a file is read without recursion, a duplicate key does not
//! hide the faults after it, and the style of each scalar is known: `"12"` is text where `12` is a number.

mod build;
mod offset;
mod words;

pub use build::parse;

use super::source::Mark;

/// The most bytes one file may have.
pub const MAX_BYTES: usize = 1 << 20;
/// The deepest nesting of lists and mappings.
pub const MAX_DEPTH: usize = 32;
/// The most nodes, keys included, that one file may have once its aliases are written out: so many weigh some 20 MiB while
/// they are read.
pub const MAX_NODES: usize = 40_000;
/// The most aliases in one file.
pub const MAX_ALIASES: usize = 200;

/// How a scalar was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Without quotes.
    Plain,
    /// In single quotes.
    Single,
    /// In double quotes.
    Double,
    /// As a block, `|` or `>`.
    Block,
}

/// A text, number, truth value or nothing; which of them is decided by whoever reads it.
#[derive(Debug, Clone, PartialEq)]
pub struct Scalar {
    /// The text with escapes and folding undone.
    pub text: String,
    /// How it was written.
    pub style: Style,
    /// The bytes of the file that [`Scalar::text`] was read from, quotes included.
    pub raw: Mark,
}

/// One entry of a mapping.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key stands.
    pub key_mark: Mark,
    /// The value.
    pub value: Node,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// A scalar.
    Scalar(Scalar),
    /// A list.
    List(Vec<Node>),
    /// A mapping in the order of the file, its keys all different.
    Map(Vec<Entry>),
}

/// A value and where it was written. The mark of a list or mapping in block style is its first item or key, so that a
/// caret never underlines half a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Where.
    pub mark: Mark,
}

impl Node {
    /// Whether nothing was written: an empty value, `~` or `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        match &self.kind {
            Kind::Scalar(s) => {
                s.style == Style::Plain && matches!(s.text.as_str(), "" | "~" | "null" | "Null" | "NULL")
            }
            Kind::List(_) | Kind::Map(_) => false,
        }
    }

    /// The scalar, if it is one and says something.
    #[must_use]
    pub fn scalar(&self) -> Option<&Scalar> {
        match &self.kind {
            Kind::Scalar(s) if !self.is_null() => Some(s),
            Kind::Scalar(_) | Kind::List(_) | Kind::Map(_) => None,
        }
    }

    /// The scalar's text, if it is one and says something.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.scalar().map(|s| s.text.as_str())
    }

    /// The items, if it is a list.
    #[must_use]
    pub fn list(&self) -> Option<&[Node]> {
        match &self.kind {
            Kind::List(items) => Some(items),
            Kind::Scalar(_) | Kind::Map(_) => None,
        }
    }

    /// The entries, if it is a mapping.
    #[must_use]
    pub fn map(&self) -> Option<&[Entry]> {
        match &self.kind {
            Kind::Map(entries) => Some(entries),
            Kind::Scalar(_) | Kind::List(_) => None,
        }
    }

    /// The entry with this key, if it is a mapping that has one.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.map()?.iter().find(|e| e.key == key)
    }

    /// The value under this key, if it is a mapping that has one.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|e| &e.value)
    }

    /// How many nodes it consists of.
    #[must_use]
    pub fn size(&self) -> usize {
        1 + match &self.kind {
            Kind::Scalar(_) => 0,
            Kind::List(items) => items.iter().map(Node::size).sum(),
            Kind::Map(entries) => entries.iter().map(|e| e.value.size()).sum(),
        }
    }
}

impl Scalar {
    /// Where the byte `offset` of [`Scalar::text`] stands in the file, `source` being the text of that file.
    #[must_use]
    pub fn locate(&self, source: &str, offset: usize) -> usize {
        let raw = source.get(self.raw.range()).unwrap_or_default();
        self.raw.start + offset::raw_offset(raw, &self.text, self.style, offset)
    }

    /// Where a stretch of [`Scalar::text`] stands in the file.
    #[must_use]
    pub fn locate_range(&self, source: &str, range: std::ops::Range<usize>) -> Mark {
        let start = self.locate(source, range.start);
        let end = if range.end > range.start { self.locate(source, range.end) } else { start };
        Mark { file: self.raw.file, start, end: end.max(start) }
    }
}
