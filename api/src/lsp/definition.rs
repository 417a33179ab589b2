//! Where things are said and where they are used.

use gen_lsp_types::{Location, Position};
use serde_json::{Value, json};

use super::view::View;

/// The most places of one answer.
const PLACES_MAX: usize = 1_000;

/// Where the thing at a position is said.
pub(super) fn definition(view: &View<'_>, position: Position) -> Value {
    let marks = view.index().definitions(&view.path, view.byte(position));
    let places: Vec<Location> =
        marks.into_iter().filter_map(|mark| view.location(mark)).take(PLACES_MAX).collect();
    if places.is_empty() { Value::Null } else { json!(places) }
}

/// Where the thing at a position is used.
pub(super) fn references(view: &View<'_>, position: Position, said_too: bool) -> Value {
    let marks = view.index().references(&view.path, view.byte(position), said_too);
    let places: Vec<Location> =
        marks.into_iter().filter_map(|mark| view.location(mark)).take(PLACES_MAX).collect();
    json!(places)
}
