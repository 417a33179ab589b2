//! `[payments]`: the provider that takes money.

use serde::Deserialize;

/// The section `[payments]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Section {}
