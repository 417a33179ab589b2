//! `[attachments]`: where files stand, how large they may be, who looks for viruses.
//!
//! ```toml
//! [attachments]
//! folder = "/srv/guichet/files"      # one that all servers share; `attachments` of the data folder by default
//! bytes_max = 26214400               # the largest file
//! types = ["image/jpeg", "application/pdf"]
//! clamd = "127.0.0.1:3310"           # or "unix:/run/clamav/clamd.ctl"
//! scanner_down = "refuse"            # or "quarantine"
//! ```

use std::path::PathBuf;

use serde::Deserialize;

use crate::attachments::KINDS_TAKEN;

/// The largest file unless the settings say otherwise, in bytes: what a form takes where its sheet says nothing.
const FILE_BYTES_MAX: u64 = 25 * 1024 * 1024;

/// What becomes of files while the scanner does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenDown {
    /// They are refused: nothing is kept unseen.
    #[default]
    Refuse,
    /// They are kept, and shown to nobody before the scanner has seen them.
    Quarantine,
}

/// The section `[attachments]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Section {
    /// The folder that files stand in; `attachments` of the data folder by default. Several servers need one that all
    /// of them share.
    pub folder: Option<PathBuf>,
    /// The largest file, in bytes; 25 MiB by default.
    pub bytes_max: u64,
    /// The media types that are taken, found in the bytes; those of [`KINDS_TAKEN`] by default.
    pub types: Vec<String>,
    /// Where clamd listens; without it, nobody looks for viruses.
    pub clamd: Option<String>,
    /// What becomes of files while it does not answer.
    pub scanner_down: WhenDown,
}

impl Default for Section {
    fn default() -> Self {
        Self {
            folder: None,
            bytes_max: FILE_BYTES_MAX,
            types: KINDS_TAKEN.iter().map(|kind| (*kind).to_owned()).collect(),
            clamd: None,
            scanner_down: WhenDown::default(),
        }
    }
}
