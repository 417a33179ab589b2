//! A stored file, as forms name it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A stored file. It serialises as the value of a form's field of type `files` has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StoredFile {
    /// Its name, cleaned: no folders, no control characters, 255 bytes of UTF-8 at most.
    #[schema(min_length = 1, max_length = 255, example = "photo.jpg")]
    pub name: String,
    /// Its media type, found in its bytes.
    #[serde(rename = "type")]
    #[schema(min_length = 3, max_length = 127, example = "image/jpeg")]
    pub kind: String,
    /// Its size in bytes, as stored.
    #[schema(minimum = 1, example = 48213)]
    pub size: u64,
    /// The SHA-256 of its bytes as stored, in small hexadecimal letters.
    #[schema(
        pattern = "^[0-9a-f]{64}$",
        example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    )]
    pub sha256: String,
}

/// A stored file and the proof that whoever names it uploaded it. Put as it is into a form, it is the value of a file.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Uploaded {
    /// The file.
    #[serde(flatten)]
    pub file: StoredFile,
    /// Drawn for this upload, and worth as long as the file waits to be named: a day. A digest alone proves nothing,
    /// because others may have learnt it.
    #[schema(pattern = "^[0-9a-f]{32}$", example = "5f0c6ad3b35e4c3f9d0b6f0a6d6e2c11")]
    pub proof: String,
}

/// The digest that a text is, in small letters; none if it is none.
pub(crate) fn digest(text: &str) -> Option<String> {
    let fits = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    fits.then(|| text.to_ascii_lowercase())
}
