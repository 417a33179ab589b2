//! XML and JSON read into one kind of tree, with everything bounded: sizes, depth, counts. Document types and entities are
//! refused, because no document that is taken over needs them and every attack on XML does (OWASP, "XML external entity").

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use serde_json::Value;

/// The largest document, in bytes.
pub const DOCUMENT_BYTES_MAX: usize = 8 * 1024 * 1024;
/// The deepest element.
const DEPTH_MAX: usize = 64;
/// The most elements.
const ELEMENTS_MAX: usize = 100_000;

/// An element, without its namespace's prefix.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Element {
    /// Its name.
    pub name: String,
    /// Its attributes, in order.
    pub attributes: Vec<(String, String)>,
    /// The text directly in it, without the spaces around.
    pub text: String,
    /// The elements directly in it.
    pub children: Vec<Element>,
    /// The line it begins in, from 1; 0 in JSON.
    pub line: usize,
}

/// Why a document cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// It is too large, too deep or has too many parts.
    #[error("the document is larger, deeper or has more elements than is read")]
    TooLarge,
    /// It has a document type or entities.
    #[error("line {line}: document types and entities are not read")]
    Entity {
        /// The line, from 1.
        line: usize,
    },
    /// It is not well formed.
    #[error("line {line}: {reason}")]
    Malformed {
        /// The line, from 1; 0 where it is not known.
        line: usize,
        /// What the reader says.
        reason: String,
    },
}

impl Element {
    /// An attribute.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The first element of this name directly in it.
    #[must_use]
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The elements of this name directly in it.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of the first element of this name; empty if there is none.
    #[must_use]
    pub fn text_of(&self, name: &str) -> &str {
        self.child(name).map_or("", |child| child.text.as_str())
    }
}

/// Reads XML.
///
/// # Errors
/// [`DocumentError`].
pub fn read_xml(text: &str) -> Result<Element, DocumentError> {
    if text.len() > DOCUMENT_BYTES_MAX {
        return Err(DocumentError::TooLarge);
    }
    let mut reader = Reader::from_str(text);
    let mut tree = Tree { open: vec![Element::default()], elements: 0 };
    let mut lines = Lines { text, read: 0, line: 1 };
    loop {
        let line = lines.at(position(&reader));
        match reader.read_event() {
            Ok(Event::Start(start)) => tree.begin(&start, line)?,
            Ok(Event::Empty(start)) => {
                tree.begin(&start, line)?;
                tree.end();
            }
            Ok(Event::End(_)) => tree.end(),
            Ok(Event::Text(part)) => tree.say(&part.xml10_content()),
            Ok(Event::CData(part)) => tree.say(&part.xml10_content()),
            Ok(Event::GeneralRef(name)) => tree.say(&character(&name).ok_or(DocumentError::Entity { line })?),
            Ok(Event::DocType(_)) => return Err(DocumentError::Entity { line }),
            Ok(Event::Decl(_) | Event::PI(_) | Event::Comment(_)) => {}
            Ok(Event::Eof) => break,
            Err(error) => {
                let line = lines.at(usize::try_from(reader.error_position()).unwrap_or_default());
                return Err(DocumentError::Malformed { line, reason: error.to_string() });
            }
        }
    }
    tree.close(lines.at(text.len()))
}

fn position(reader: &Reader<&[u8]>) -> usize {
    usize::try_from(reader.buffer_position()).unwrap_or_default()
}

/// The character that a reference stands for: by its number, or one of the five that XML itself names.
fn character(name: &quick_xml::events::BytesRef<'_>) -> Option<String> {
    if let Ok(Some(symbol)) = name.resolve_char_ref() {
        return Some(symbol.to_string());
    }
    quick_xml::escape::resolve_xml_entity(&name.xml10_content()).map(str::to_owned)
}

/// Counts lines once, on the way through.
struct Lines<'t> {
    text: &'t str,
    read: usize,
    line: usize,
}

impl Lines<'_> {
    fn at(&mut self, byte: usize) -> usize {
        let part = self.text.as_bytes().get(self.read..byte.min(self.text.len())).unwrap_or_default();
        self.line += part.iter().filter(|byte| **byte == b'\n').count();
        self.read = self.read.max(byte.min(self.text.len()));
        self.line
    }
}

/// The elements that are open, the outermost being no element of the document.
struct Tree {
    open: Vec<Element>,
    elements: usize,
}

impl Tree {
    fn begin(&mut self, start: &BytesStart<'_>, line: usize) -> Result<(), DocumentError> {
        self.elements += 1;
        if self.open.len() > DEPTH_MAX || self.elements > ELEMENTS_MAX {
            return Err(DocumentError::TooLarge);
        }
        let name = start.local_name().as_ref().to_owned();
        let mut element = Element { name, line, ..Element::default() };
        for attribute in start.attributes() {
            let wrong = |reason: String| DocumentError::Malformed { line, reason };
            let attribute = attribute.map_err(|error| wrong(error.to_string()))?;
            let value = attribute
                .normalized_value(quick_xml::XmlVersion::Explicit1_0)
                .map_err(|error| wrong(error.to_string()))?;
            element.attributes.push((attribute.key.local_name().as_ref().to_owned(), value.into_owned()));
        }
        self.open.push(element);
        Ok(())
    }

    fn say(&mut self, text: &str) {
        if let Some(element) = self.open.last_mut() {
            element.text.push_str(text);
        }
    }

    fn end(&mut self) {
        let Some(mut element) = self.open.pop() else { return };
        element.text = element.text.trim().to_owned();
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.open.push(element),
        }
    }

    fn close(mut self, line: usize) -> Result<Element, DocumentError> {
        let ended = self.open.len() == 1;
        let root = self.open.pop().and_then(|mut document| document.children.pop());
        root.filter(|_| ended)
            .ok_or_else(|| DocumentError::Malformed { line, reason: "the document ends too soon".into() })
    }
}

/// Reads JSON as if it were XML: a member is an element, a list repeats its element (the mapping that Open311's JSON
/// follows). `root` names the outermost.
///
/// # Errors
/// [`DocumentError`].
pub fn read_json(text: &str, root: &str) -> Result<Element, DocumentError> {
    if text.len() > DOCUMENT_BYTES_MAX {
        return Err(DocumentError::TooLarge);
    }
    let value: Value = serde_json::from_str(text)
        .map_err(|error| DocumentError::Malformed { line: error.line(), reason: error.to_string() })?;
    let mut elements = 0;
    element(root, &value, 0, &mut elements)
}

fn element(name: &str, value: &Value, depth: usize, elements: &mut usize) -> Result<Element, DocumentError> {
    *elements += 1;
    if depth > DEPTH_MAX || *elements > ELEMENTS_MAX {
        return Err(DocumentError::TooLarge);
    }
    let mut found = Element { name: name.to_owned(), ..Element::default() };
    match value {
        Value::Null => {}
        Value::Bool(is) => found.text = is.to_string(),
        Value::Number(number) => found.text = number.to_string(),
        Value::String(text) => found.text = text.trim().to_owned(),
        Value::Array(items) => {
            for item in items {
                found.children.push(element("item", item, depth + 1, elements)?);
            }
        }
        Value::Object(members) => {
            for (key, value) in members {
                found.children.push(element(key, value, depth + 1, elements)?);
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_have_their_lines_texts_and_attributes() {
        let root = read_xml(
            "<?xml version=\"1.0\"?>\n<a:x>\n <y k=\"&quot;v&#233;\">d &amp; e<!-- no --></y>\n</a:x>",
        )
        .unwrap();
        assert_eq!((root.name.as_str(), root.line), ("x", 2));
        let y = root.child("y").unwrap();
        assert_eq!((y.attribute("k"), y.text.as_str(), y.line), (Some("\"vé"), "d & e", 3));
        let json = read_json("{\"y\": [\"a\", 2, null]}", "x").unwrap();
        assert_eq!(json.child("y").unwrap().children.len(), 3);
    }

    #[test]
    fn what_attacks_readers_of_xml_is_refused() {
        let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]>\n<x>&b;</x>";
        assert_eq!(read_xml(bomb), Err(DocumentError::Entity { line: 1 }));
        assert_eq!(read_xml("<x>\n&b;</x>"), Err(DocumentError::Entity { line: 2 }));
        assert_eq!(read_xml(&"<x>".repeat(200)), Err(DocumentError::TooLarge));
        assert!(matches!(read_xml("<x>\n<y></x>"), Err(DocumentError::Malformed { line: 2, .. })));
        assert!(matches!(read_xml("<x>"), Err(DocumentError::Malformed { .. })));
        assert!(matches!(read_xml(""), Err(DocumentError::Malformed { .. })));
        assert!(matches!(read_xml("<x k=\"&b;\"/>"), Err(DocumentError::Malformed { .. })));
        assert_eq!(
            read_json(&"[".repeat(100), "x")
                .map_err(|error| matches!(error, DocumentError::Malformed { .. })),
            Err(true)
        );
    }
}
