//! Finds the objects of a JSON text that hold personal data, and where in the text they stand.
//!
//! Bodies are never re-serialised: parts are cut out of the text and put back in, so every other byte stays what the caller wrote.

use std::borrow::Cow;
use std::ops::Range;

use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::JournalError;
use crate::limits::{BODY_DEPTH_MAX, BODY_PARTS_MAX};

/// An object with a marked member, such as `$personal`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part<'a> {
    /// Where the object stands in the text.
    pub(super) span: Range<usize>,
    /// Its members: name, and value as JSON text.
    pub(super) members: Vec<(Cow<'a, str>, &'a str)>,
}

impl<'a> Part<'a> {
    /// The value of a member as JSON text.
    pub(super) fn raw(&self, name: &str) -> Option<&'a str> {
        self.members.iter().find(|(member, _)| member == name).map(|(_, value)| *value)
    }

    /// The value of a member that is a text.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.raw(name)?).ok()
    }
}

/// The outermost objects that have a member called `marker`, in the order of the text.
pub(super) fn find<'a>(text: &'a str, marker: &str) -> Result<Vec<Part<'a>>, JournalError> {
    let mut found = Vec::new();
    if may_hold(text, marker) {
        visit(text, text, marker, 0, &mut found)?;
    }
    Ok(found)
}

/// Whether a member of this name could stand in the text. JSON allows any character to be escaped, so an escape may hide one.
pub(super) fn may_hold(text: &str, marker: &str) -> bool {
    text.contains(marker) || text.contains("\\u")
}

fn visit<'a>(
    whole: &'a str,
    here: &'a str,
    marker: &str,
    depth: usize,
    found: &mut Vec<Part<'a>>,
) -> Result<(), JournalError> {
    if depth > BODY_DEPTH_MAX {
        return Err(JournalError::TooLarge {
            what: "the nesting of a body",
            size: depth,
            limit: BODY_DEPTH_MAX,
        });
    }
    let here = here.trim();
    if !may_hold(here, marker) {
        return Ok(());
    }
    let mut json = serde_json::Deserializer::from_str(here);
    if here.starts_with('{') {
        let members = json.deserialize_map(Members).map_err(not_json)?;
        if members.iter().any(|(name, _)| name == marker) {
            if found.len() == BODY_PARTS_MAX {
                return Err(JournalError::TooLarge {
                    what: "the number of personal parts of a body",
                    size: found.len() + 1,
                    limit: BODY_PARTS_MAX,
                });
            }
            found.push(Part { span: span(whole, here), members });
            return Ok(());
        }
        members.into_iter().try_for_each(|(_, value)| visit(whole, value, marker, depth + 1, found))
    } else if here.starts_with('[') {
        let elements = json.deserialize_seq(Elements).map_err(not_json)?;
        elements.into_iter().try_for_each(|value| visit(whole, value, marker, depth + 1, found))
    } else {
        Ok(())
    }
}

/// Where a slice of the text stands in the text.
fn span(whole: &str, slice: &str) -> Range<usize> {
    let start = (slice.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize);
    start..start + slice.len()
}

fn not_json(error: serde_json::Error) -> JournalError {
    JournalError::invalid(format!("a body is not JSON: error at column {}", error.column()))
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<(Cow<'de, str>, &'de str)>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some((name, value)) = map.next_entry::<Name<'de>, &'de RawValue>()? {
            members.push((name.0, value.get()));
        }
        Ok(members)
    }
}

/// A member's name, borrowed unless it holds escapes.
#[derive(serde::Deserialize)]
#[serde(transparent)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

struct Elements;

impl<'de> Visitor<'de> for Elements {
    type Value = Vec<&'de str>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(value) = seq.next_element::<&'de RawValue>()? {
            elements.push(value.get());
        }
        Ok(elements)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_parts_wherever_they_stand() {
        let text = r#" {"a":[1,{"$personal":"p1","value":{"x":"}\"$personal"}}],"b":{"c":{"value":[2],"\u0024personal":"p2"}},"d":"$personal"}"#;
        let parts = find(text, "$personal").unwrap();
        let subjects: Vec<_> = parts.iter().filter_map(|part| part.text("$personal")).collect();
        assert_eq!(subjects, ["p1", "p2"]);
        assert_eq!(&text[parts[0].span.clone()], r#"{"$personal":"p1","value":{"x":"}\"$personal"}}"#);
        assert_eq!(parts[1].raw("value"), Some("[2]"));
    }

    #[test]
    fn refuses_bodies_that_nest_without_end() {
        let deep = format!("{}{{\"$personal\":\"p\"}}{}", "[".repeat(200), "]".repeat(200));
        assert!(find(&deep, "$personal").is_err());
    }
}
