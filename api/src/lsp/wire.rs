//! Frames of the base protocol: headers, an empty line, a body of so many bytes.
//!
//! The kept reader of this protocol (`lsp-server`) ends at the first frame that is no message, and makes room for
//! whatever a header announces. An editor whose extension has a bad day must neither lose its server nor fill the
//! machine's memory, so frames are read here: every length is bounded, and reading goes on after what was not understood.

use std::io::{self, BufRead, Read, Write};

use serde::Serialize;

/// The largest body that is read, in bytes: a file of 1 MiB, each of its characters escaped, and some room.
pub(super) const BODY_MAX: u64 = 8 << 20;
/// The longest line of a header, in bytes.
const HEADER_MAX: u64 = 1024;

/// What came in.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// A body.
    Body(Vec<u8>),
    /// A body longer than [`BODY_MAX`], which has been read over.
    TooLarge,
    /// Bytes that are no frame. They are read over up to the next frame, and told once.
    Garbage,
}

/// Reads frames.
#[derive(Debug)]
pub(super) struct Reader<R> {
    input: R,
    lost: bool,
}

impl<R: BufRead> Reader<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, lost: false }
    }

    /// The next frame; nothing at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Frame>> {
        let mut length = None;
        loop {
            let mut line = Vec::new();
            (&mut self.input).take(HEADER_MAX).read_until(b'\n', &mut line)?;
            if line.is_empty() {
                return Ok(None);
            }
            match header(&line) {
                Header::Length(bytes) => length = Some(bytes),
                Header::Other => {}
                Header::End => {
                    if let Some(length) = length {
                        self.lost = false;
                        return self.body(length).map(Some);
                    }
                }
                Header::Garbage => {
                    length = None;
                    if !std::mem::replace(&mut self.lost, true) {
                        return Ok(Some(Frame::Garbage));
                    }
                }
            }
        }
    }

    fn body(&mut self, length: u64) -> io::Result<Frame> {
        let mut rest = (&mut self.input).take(length);
        if length > BODY_MAX {
            io::copy(&mut rest, &mut io::sink())?;
            return Ok(Frame::TooLarge);
        }
        let mut body = Vec::new();
        rest.read_to_end(&mut body)?;
        Ok(Frame::Body(body))
    }
}

enum Header {
    Length(u64),
    Other,
    End,
    Garbage,
}

fn header(line: &[u8]) -> Header {
    let Some(line) = std::str::from_utf8(line).ok().and_then(|line| line.strip_suffix('\n')) else {
        return Header::Garbage;
    };
    let line = line.trim_end_matches('\r');
    if line.is_empty() {
        return Header::End;
    }
    match line.split_once(':') {
        Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
            value.trim().parse().map_or(Header::Garbage, Header::Length)
        }
        Some((name, _)) if name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') => Header::Other,
        Some(_) | None => Header::Garbage,
    }
}

/// Writes one message.
pub(super) fn write(output: &mut impl Write, message: &impl Serialize) -> io::Result<()> {
    let body = serde_json::to_vec(message)?;
    write!(output, "Content-Length: {}\r\n\r\n", body.len())?;
    output.write_all(&body)?;
    output.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(bytes: &[u8]) -> Vec<Frame> {
        let mut reader = Reader::new(bytes);
        std::iter::from_fn(|| reader.next().unwrap()).collect()
    }

    #[test]
    fn frames_are_read_whatever_stands_between_them() {
        let body = |text: &str| Frame::Body(text.as_bytes().to_vec());
        let good = "Content-Type: x; charset=utf-8\r\nContent-Length: 3\r\n\r\n{é";
        assert_eq!(frames(good.as_bytes()), [body("{é")]);
        let bad =
            [b"\xff\xfe nonsense\r\nmore of it\r\n".as_slice(), good.as_bytes(), good.as_bytes()].concat();
        assert_eq!(frames(&bad), [Frame::Garbage, body("{é"), body("{é")]);
        assert_eq!(frames(b"content-length:2\n\n{}"), [body("{}")], "lenient where nothing can be mistaken");
        assert_eq!(frames(b"Content-Length: -1\r\n\r\n"), [Frame::Garbage]);
        assert_eq!(frames("x".repeat(5_000).as_bytes()), [Frame::Garbage]);
    }

    #[test]
    fn an_announced_length_takes_no_memory() {
        assert_eq!(frames(format!("Content-Length: {}\r\n\r\n{{}}", u64::MAX).as_bytes()), [Frame::TooLarge]);
        let cut = frames(b"Content-Length: 8000000\r\n\r\n{}");
        assert_eq!(cut, [Frame::Body(b"{}".to_vec())], "what was sent before the end is looked at");
    }

    proptest::proptest! {
        #[test]
        fn nothing_makes_reading_fail(bytes: Vec<u8>) {
            frames(&bytes);
        }
    }
}
