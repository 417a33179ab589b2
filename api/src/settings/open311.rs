//! `[open311]`: what the Open311 door says of itself.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The section `[open311]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Section {
    /// Names by which clients call collectivities beside their ids, for example `chalons.example = "ville"`: towns' web
    /// domains are what Open311 recommends as `jurisdiction_id`.
    pub jurisdictions: BTreeMap<String, String>,
    /// Whom clients may ask, in words; by default the e-mail address and telephone of the first collectivity.
    pub contact: Option<String>,
    /// How one gets a key, in words.
    pub key_service: Option<String>,
    /// Whether what is sent is acted upon (`production`), or this is a `test`.
    pub production: bool,
}

impl Default for Section {
    fn default() -> Self {
        Self { jurisdictions: BTreeMap::new(), contact: None, key_service: None, production: true }
    }
}
