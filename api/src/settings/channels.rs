//! `[channels]`: the ways in.

use serde::Deserialize;

/// The section `[channels]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Section {}
