//! `[sign_in]`: the identity providers.

use serde::Deserialize;

/// The section `[sign_in]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Section {}
