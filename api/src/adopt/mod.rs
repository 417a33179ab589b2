//! What a town has already, in another system's words, as sheets to go on from. What has a meaning here is taken over;
//! the rest is reported, and nothing is left out in silence.

mod bpmn;
mod document;
mod open311;
#[cfg(test)]
mod tests;

pub use bpmn::{is_bpmn, read_bpmn};
pub use document::{DOCUMENT_BYTES_MAX, DocumentError, Element, read_json, read_xml};
pub use open311::{Service, read_definition, read_services};

use crate::starter::Sketch;

/// What could be taken over of one process or service, and what could not.
#[derive(Debug, Clone, PartialEq)]
pub struct Adopted {
    /// What its sheet will say.
    pub sketch: Sketch,
    /// What has no place in a sheet, each with where it stood.
    pub left_out: Vec<LeftOut>,
}

/// A part of the other system's document that has no meaning here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// The line of the document, from 1; 0 where it has no lines.
    pub line: usize,
    /// What it was, in French and English.
    pub what: guichet_engine::rules::text::Text,
}
