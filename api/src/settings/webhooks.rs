//! `[webhooks]`: where changes are sent.

use serde::Deserialize;

/// The section `[webhooks]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Section {}
