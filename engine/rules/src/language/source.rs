//! The files of a catalogue, and places in them.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// One file of a catalogue: its path relative to the catalogue's folder, with `/`, and its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFile {
    /// Path relative to the catalogue's folder, for example `voirie/chaussee-abimee.yaml`.
    pub path: String,
    /// The file's whole text.
    pub text: String,
}

/// A file that cannot be read as text, or is too large to be. Of what is in it, only as much is kept as shows where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// Path relative to the catalogue's folder.
    pub path: String,
    /// What is the matter.
    pub why: NotText,
}

/// Why a file is not a text that can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotText {
    /// It has more bytes than a file of a catalogue may have.
    TooLarge {
        /// How many bytes, where the system tells.
        bytes: u64,
    },
    /// It is not in UTF-8.
    Encoding {
        /// What it seems to be in, for example `UTF-16`.
        probably: &'static str,
        /// The text as it seems to be meant, up to the line of the first byte that is not UTF-8.
        text: String,
        /// The byte of `text` at which that is.
        at: usize,
    },
}

/// Which file of a [`Sources`] a place is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(usize);

/// A stretch of one file, in bytes. Copied freely: every value read from a sheet carries its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark {
    /// The file.
    pub file: FileId,
    /// First byte.
    pub start: usize,
    /// The byte after the last one.
    pub end: usize,
}

impl Mark {
    /// The bytes as a range.
    #[must_use]
    pub fn range(self) -> Range<usize> {
        self.start..self.end
    }
}

/// A value and where it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub mark: Mark,
}

impl<T> Spanned<T> {
    /// A value written at `mark`.
    pub fn new(value: T, mark: Mark) -> Self {
        Self { value, mark }
    }

    /// The same place with another value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Spanned<U> {
        Spanned { value: change(self.value), mark: self.mark }
    }
}

impl<T> std::ops::Deref for Spanned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// All files of one run, with what is needed to turn byte offsets into lines and columns.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    files: Vec<(SourceFile, Vec<usize>)>,
}

impl Sources {
    /// Takes in `files`, which keep their order.
    #[must_use]
    pub fn new(files: Vec<SourceFile>) -> Self {
        let mut sources = Self::default();
        for file in files {
            sources.add(file);
        }
        sources
    }

    /// Takes in one more file.
    pub fn add(&mut self, file: SourceFile) -> FileId {
        let starts = line_starts(&file.text);
        self.files.push((file, starts));
        FileId(self.files.len() - 1)
    }

    /// Gives a file another text. Marks of the text before mean nothing any more.
    pub fn set(&mut self, file: FileId, text: String) {
        if let Some((source, starts)) = self.files.get_mut(file.0) {
            *starts = line_starts(&text);
            source.text = text;
        }
    }

    /// The ids of all files, in order.
    pub fn ids(&self) -> impl Iterator<Item = FileId> + use<> {
        (0..self.files.len()).map(FileId)
    }

    /// The path of a file.
    #[must_use]
    pub fn path(&self, file: FileId) -> &str {
        self.files.get(file.0).map_or("", |(f, _)| f.path.as_str())
    }

    /// The text of a file.
    #[must_use]
    pub fn text(&self, file: FileId) -> &str {
        self.files.get(file.0).map_or("", |(f, _)| f.text.as_str())
    }

    /// The text between the ends of a mark.
    #[must_use]
    pub fn slice(&self, mark: Mark) -> &str {
        self.text(mark.file).get(mark.range()).unwrap_or_default()
    }

    /// Line and column of a byte, both counted from 1, the column in characters.
    #[must_use]
    pub fn position(&self, file: FileId, byte: usize) -> (usize, usize) {
        let Some((source, starts)) = self.files.get(file.0) else { return (1, 1) };
        let line = starts.partition_point(|start| *start <= byte).max(1);
        let start = starts.get(line - 1).copied().unwrap_or_default();
        let before = source.text.get(start..byte).unwrap_or_default();
        (line, before.chars().count() + 1)
    }

    /// `path:line:column` of the start of a mark.
    #[must_use]
    pub fn place(&self, mark: Mark) -> String {
        let (line, column) = self.position(mark.file, mark.start);
        format!("{}:{line}:{column}", self.path(mark.file))
    }
}

fn line_starts(text: &str) -> Vec<usize> {
    std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_from_one() {
        let mut sources = Sources::default();
        let file = sources.add(SourceFile { path: "a.yaml".into(), text: "é: à\r\nb: c\n".into() });
        assert_eq!(sources.position(file, 0), (1, 1));
        assert_eq!(sources.position(file, 4), (1, 4), "the à stands fourth although it is byte 4");
        assert_eq!(sources.position(file, 8), (2, 1));
        assert_eq!(sources.position(file, 999), (3, 1), "past the end is the end");
    }
}
