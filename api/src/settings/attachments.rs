//! `[attachments]`: where files stand, how large they may be, who looks for viruses.
//!
//! ```toml
//! [attachments]
//! folder = "/srv/guichet/files"      # one that all servers share; `attachments` of the data folder by default
//! bytes_max = 26214400               # the largest file
//! types = ["image/jpeg", "application/pdf"]
//! clamd = "127.0.0.1:3310"           # or "unix:/run/clamav/clamd.ctl"
//! icap = "icap://127.0.0.1:1344/avscan"
//! scanner_down = "refuse"            # or "quarantine"
//!
//! [attachments.s3]                   # a bucket instead of the folder
//! endpoint = "https://s3.exemple.example"
//! region = "fr-par"
//! bucket = "ville-fichiers"
//! prefix = "guichet"                 # nothing outside of it is looked at
//! path_style = true                  # false: the bucket's name is part of the host's
//! access_key_file = "s3.id"          # counted from the folder of the settings
//! secret_key_file = "s3.secret"
//! ```

use std::path::{Path, PathBuf};

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
    /// Where clamd listens.
    pub clamd: Option<String>,
    /// The service of an ICAP server (RFC 3507) that looks for viruses, `icap://host:port/service`. Where both are named, a
    /// file must pass both; where neither is, nobody looks.
    pub icap: Option<String>,
    /// What becomes of files while one of them does not answer.
    pub scanner_down: WhenDown,
    /// The bucket that files stand in, instead of the folder; they still arrive in the folder, which may then be each
    /// server's own.
    pub s3: Option<Bucket>,
}

/// `[attachments.s3]`: a bucket of a server that speaks S3.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bucket {
    /// The server, `https://host` or `https://host:port`, without the bucket.
    pub endpoint: String,
    /// The bucket. It must be there; it should keep no versions, and let nobody else in.
    pub bucket: String,
    /// The region that signatures name; `us-east-1` by default, which servers without regions take.
    #[serde(default = "usual_region")]
    pub region: String,
    /// What all keys begin with; nothing by default.
    #[serde(default)]
    pub prefix: String,
    /// Whether the bucket is the first part of the address's path, as by default, or of the host's name.
    #[serde(default = "by_path")]
    pub path_style: bool,
    /// A file that holds the id of the access key.
    pub access_key_file: PathBuf,
    /// A file that holds its secret.
    pub secret_key_file: PathBuf,
}

fn usual_region() -> String {
    "us-east-1".to_owned()
}

fn by_path() -> bool {
    true
}

impl Section {
    /// Counts the files of keys from the folder of the settings.
    pub(super) fn count_from(&mut self, folder: &Path) {
        if let Some(bucket) = &mut self.s3 {
            bucket.access_key_file = folder.join(&bucket.access_key_file);
            bucket.secret_key_file = folder.join(&bucket.secret_key_file);
        }
    }
}

impl Default for Section {
    fn default() -> Self {
        Self {
            folder: None,
            bytes_max: FILE_BYTES_MAX,
            types: KINDS_TAKEN.iter().map(|kind| (*kind).to_owned()).collect(),
            clamd: None,
            icap: None,
            scanner_down: WhenDown::default(),
            s3: None,
        }
    }
}
