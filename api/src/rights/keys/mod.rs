//! Bearer keys of agents and of programs: what they open, how long, and who made use of them.
//!
//! A key is 32 random bytes, so a plain SHA-256 of it cannot be reversed by guessing, and looking it up by its digest
//! tells nothing through timing.
//!
//! An installation of one server keeps them in a file, which the command line changes beside it; where several servers share a
//! PostgreSQL database, they stand in a table there.

mod change;
mod file;
mod ring;
mod table;
mod terms;

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use guichet_engine::rules::request::Actor;
use guichet_projections::ProjectionError;
use serde::{Deserialize, Deserializer, Serialize};

use super::{KeyScopes, Principal, Scope};
pub(crate) use file::write;
pub use file::{ACCESS_FILE, Access};
pub use ring::Keyring;
pub use table::{ACCESS_FILE_MOVED, KEYS_ANSWER_MAX, KEYS_LEASE};
pub use terms::{KeyTerms, LIMITS_MAX};

/// The most keys, those taken back included.
pub const KEYS_MAX: usize = 10_000;
/// What a key begins with, so that people and secret scanners recognise it.
pub(crate) const PREFIX: &str = "gk_";
/// What a program's key lets through unless more or less is asked for.
pub const PROGRAM_SCOPES: [Scope; 5] = [
    Scope::RequestsReceive,
    Scope::RequestsRead,
    Scope::FiguresRead,
    Scope::FilesWrite,
    Scope::DefinitionsRead,
];
/// What programs' keys made before rights stood on keys let through: everything that there was.
const EARLIER_SCOPES: [Scope; 6] = [
    Scope::RequestsReceive,
    Scope::RequestsRead,
    Scope::RequestsAct,
    Scope::InboxRead,
    Scope::FiguresRead,
    Scope::DefinitionsRead,
];

/// Whose a key is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holder {
    /// A member of staff, by staff code: they may do what their roles and services allow.
    Agent(String),
    /// A program, by a name: it acts on behalf of the public.
    Integrator(String),
}

/// A key as it is kept: without itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyEntry {
    /// By what people and the list call it; the beginning of its digest, which opens nothing.
    #[serde(default)]
    pub id: String,
    /// The collectivity that it opens.
    pub tenant: String,
    /// Whose it is.
    pub holder: Holder,
    /// SHA-256 of the key, in hexadecimal.
    pub sha256: String,
    /// When it was made (UTC).
    pub created: DateTime<Utc>,
    /// What it lets through at most. A program's key without it is from before keys had it; an agent's lets through
    /// whatever the agent may do.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "known_scopes")]
    pub scopes: Option<Vec<Scope>>,
    /// The processes (`voirie/chaussee-abimee`) and themes (`voirie`) that it is limited to; all of them if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub processes: Vec<String>,
    /// From when on it opens nothing (UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<DateTime<Utc>>,
    /// When it was taken back (UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<DateTime<Utc>>,
    /// The id of the key that takes its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<String>,
}

/// A right that only a newer version knows is none here.
fn known_scopes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Scope>>, D::Error> {
    let names = Option::<Vec<String>>::deserialize(deserializer)?;
    Ok(names.map(|names| names.iter().filter_map(|name| name.parse().ok()).collect()))
}

impl KeyEntry {
    /// Under which title its holder acts.
    #[must_use]
    pub fn actor(&self) -> Actor {
        self.principal().actor()
    }

    /// Whoever shows it.
    #[must_use]
    pub fn principal(&self) -> Principal {
        match &self.holder {
            Holder::Agent(code) => Principal::Agent(code.clone()),
            Holder::Integrator(name) => Principal::Integrator(name.clone()),
        }
    }

    /// What it lets through at most.
    #[must_use]
    pub fn key_scopes(&self) -> KeyScopes {
        match (&self.scopes, &self.holder) {
            (Some(scopes), _) => KeyScopes::Only(scopes.clone()),
            (None, Holder::Agent(_)) => KeyScopes::All,
            (None, Holder::Integrator(_)) => KeyScopes::Only(EARLIER_SCOPES.to_vec()),
        }
    }

    /// Whether it opens anything at this instant (UTC).
    #[must_use]
    pub fn is_valid(&self, now: DateTime<Utc>) -> bool {
        self.revoked.is_none() && self.expires.is_none_or(|expires| now < expires)
    }
}

/// Why keys cannot be read or made.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The file cannot be read or written.
    #[error("the keys in `{path}` cannot be used: {reason}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The table that servers share cannot be read or written.
    #[error("the keys in the database cannot be used: {0}")]
    Table(#[from] ProjectionError),
    /// The name cannot stand on events.
    #[error("`{0}` cannot be a holder: letters without accents, digits, `_`, `-` and `.`, 32 at most")]
    Holder(String),
    /// The name cannot be a collectivity's.
    #[error("`{0}` cannot be a collectivity: a small letter, then small letters and digits, 16 at most")]
    Tenant(String),
    /// A program cannot have this right.
    #[error("a program cannot have the right `{0}`")]
    Scope(Scope),
    /// What a key is limited to is no process and no theme.
    #[error(
        "`{0}` is no process or theme: small letters, digits and `-`, one `/` at most; {LIMITS_MAX} at most"
    )]
    Limit(String),
    /// It would open nothing from the beginning.
    #[error("a key cannot expire in the past")]
    Expired,
    /// There is no such key, or it was taken back.
    #[error("there is no key `{0}` that still opens anything")]
    Unknown(String),
    /// There are too many.
    #[error("there are {KEYS_MAX} keys already; take some back first")]
    TooMany,
    /// The system gives no random bytes.
    #[error("no randomness can be had: {0}")]
    Chance(String),
}
