//! `[messages]`: the ways out.

use serde::Deserialize;

/// The section `[messages]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Section {}
