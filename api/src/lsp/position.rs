//! Bytes of a text and places in an editor, which counts lines and, in most editors, UTF-16 units.

use std::ops::Range as Bytes;

use gen_lsp_types::{Position, PositionEncodingKind, Range};

/// How an editor counts along a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Encoding {
    /// In bytes.
    Utf8,
    /// In UTF-16 units: what every editor understands, and what holds if none is agreed upon.
    #[default]
    Utf16,
}

impl Encoding {
    /// The best of those offered: bytes need no counting.
    pub(super) fn agreed(offered: &[PositionEncodingKind]) -> Self {
        if offered.contains(&PositionEncodingKind::UTF8) { Self::Utf8 } else { Self::Utf16 }
    }

    /// Its name in the protocol.
    pub(super) fn name(self) -> PositionEncodingKind {
        match self {
            Self::Utf8 => PositionEncodingKind::UTF8,
            Self::Utf16 => PositionEncodingKind::UTF16,
        }
    }

    fn units(self, c: char) -> usize {
        match self {
            Self::Utf8 => c.len_utf8(),
            Self::Utf16 => c.len_utf16(),
        }
    }
}

/// A text whose lines are known.
#[derive(Debug)]
pub(super) struct Lines<'t> {
    text: &'t str,
    /// First byte of each line.
    starts: Vec<usize>,
    encoding: Encoding,
}

impl<'t> Lines<'t> {
    pub(super) fn new(text: &'t str, encoding: Encoding) -> Self {
        let bytes = text.as_bytes();
        let ends = bytes.iter().enumerate().filter(|(at, byte)| match byte {
            b'\n' => true,
            // A carriage return alone ends a line; before a line feed the pair does.
            b'\r' => bytes.get(at + 1) != Some(&b'\n'),
            _ => false,
        });
        let starts = std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect();
        Self { text, starts, encoding }
    }

    /// The byte at a position. Past the end of a line is its end, past the last line is the end of the text, and the
    /// middle of a character is its beginning.
    pub(super) fn byte(&self, position: Position) -> usize {
        let line = usize::try_from(position.line).unwrap_or(usize::MAX);
        let Some(start) = self.starts.get(line).copied() else { return self.text.len() };
        let end = self.starts.get(line.saturating_add(1)).copied().unwrap_or(self.text.len());
        let words = self.text.get(start..end).unwrap_or_default().trim_end_matches(['\n', '\r']);
        let wanted = usize::try_from(position.character).unwrap_or(usize::MAX);
        let mut units = 0;
        for (at, c) in words.char_indices() {
            units += self.encoding.units(c);
            if units > wanted {
                return start + at;
            }
        }
        start + words.len()
    }

    /// The position of a byte.
    pub(super) fn position(&self, byte: usize) -> Position {
        let mut byte = byte.min(self.text.len());
        while !self.text.is_char_boundary(byte) {
            byte -= 1;
        }
        let line = self.starts.partition_point(|start| *start <= byte).saturating_sub(1);
        let start = self.starts.get(line).copied().unwrap_or_default();
        let before = self.text.get(start..byte).unwrap_or_default();
        let units: usize = before.chars().map(|c| self.encoding.units(c)).sum();
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Position { line: number(line), character: number(units) }
    }

    /// A stretch of bytes.
    pub(super) fn range(&self, bytes: Bytes<usize>) -> Range {
        Range { start: self.position(bytes.start), end: self.position(bytes.end) }
    }

    /// The bytes of a range, which may have been given backwards.
    pub(super) fn bytes(&self, range: Range) -> Bytes<usize> {
        let (start, end) = (self.byte(range.start), self.byte(range.end));
        start.min(end)..start.max(end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: u32, character: u32) -> Position {
        Position { line, character }
    }

    #[test]
    fn accents_and_emoji_are_counted_as_the_editor_counts() {
        let text = "é: 🚧x\r\nfin\rseul\n";
        let x = text.find('x').unwrap();
        for (encoding, column) in [(Encoding::Utf8, 8), (Encoding::Utf16, 5)] {
            let lines = Lines::new(text, encoding);
            assert_eq!(lines.position(x), at(0, column));
            assert_eq!(lines.byte(at(0, column)), x);
            assert_eq!(lines.position(text.find("seul").unwrap()), at(2, 0), "a lone return ends a line");
        }
        let lines = Lines::new(text, Encoding::Utf16);
        assert_eq!(lines.byte(at(0, 4)), text.find('🚧').unwrap(), "the middle of a pair is its beginning");
        assert_eq!(lines.byte(at(0, 99)), x + 1, "the end of the line, before its break");
        assert_eq!(lines.byte(at(99, 0)), text.len());
    }

    proptest::proptest! {
        #[test]
        fn there_and_back(text in "[aé🚧 \r\n]{0,40}", byte in 0usize..80) {
            let mut byte = byte.min(text.len());
            while !text.is_char_boundary(byte) { byte -= 1; }
            // Between the two characters of a line break no editor puts its cursor.
            let inside = byte > 0 && text.as_bytes()[byte - 1] == b'\r' && text.as_bytes().get(byte) == Some(&b'\n');
            proptest::prop_assume!(!inside);
            for encoding in [Encoding::Utf8, Encoding::Utf16] {
                let lines = Lines::new(&text, encoding);
                proptest::prop_assert_eq!(lines.byte(lines.position(byte)), byte);
            }
        }
    }
}
