//! `[attachments]`: where files stand.

use serde::Deserialize;

/// The section `[attachments]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Section {}
