//! `[attachments]`: where files stand.

use std::path::PathBuf;

use serde::Deserialize;

/// The largest file unless the settings say otherwise, in bytes: what a form takes where its sheet says nothing.
const FILE_BYTES_MAX: u64 = 25 * 1024 * 1024;

/// The section `[attachments]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Section {
    /// The folder that files stand in; `attachments` of the data folder by default. Several servers need one that all
    /// of them share.
    pub folder: Option<PathBuf>,
    /// The largest file, in bytes; 25 MiB by default.
    pub bytes_max: u64,
}

impl Default for Section {
    fn default() -> Self {
        Self { folder: None, bytes_max: FILE_BYTES_MAX }
    }
}
