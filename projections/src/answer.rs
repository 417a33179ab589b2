//! What every query answers: the rows, how many stand behind them, and up to where in the journal that is true.

use guichet_journal::Position;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An answer and what it rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Answer<T> {
    /// The journal position at which it is true; none while the journal is empty.
    #[schemars(with = "Option<String>")]
    pub as_of: Option<Position>,
    /// How many rows (requests, unless the query says otherwise) stand behind it, all pages together.
    pub n: u64,
    /// How many of them belong to requests that are still open, so that their figures may yet change.
    pub open: u64,
    /// The answer.
    pub value: T,
}

/// A stretch of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// What to send along for the next stretch; none at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// The most rows of one page; a larger wish is answered with this many.
pub const PAGE_ROWS_MAX: u32 = 1_000;

/// The rows of a page where the query does not say.
pub const PAGE_ROWS: u32 = 50;

/// The rows to read for a page of `wanted` rows (0: the usual number).
pub(crate) fn rows_of(wanted: u32) -> u32 {
    if wanted == 0 { PAGE_ROWS } else { wanted.min(PAGE_ROWS_MAX) }
}
