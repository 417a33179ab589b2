//! `[channels]`: the ways in. What stands here is held against the processes in force before a server begins, so that a
//! misspelt field is found by whoever wrote it, and not by the first citizen.

use std::path::PathBuf;

use serde::Deserialize;
use serde_json::{Map, Value};

/// The section `[channels]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Section {
    /// `[[channels.mailboxes]]`: addresses that people write to.
    pub mailboxes: Vec<Mailbox>,
}

/// What a message that begins something becomes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Becomes {
    /// The process, such as `institutions/question-generale`.
    pub process: String,
    /// The field of its form that takes the message's text.
    pub text: String,
    /// The field that takes a mail's subject; it begins the text where there is none.
    #[serde(default)]
    pub subject: Option<String>,
    /// The field that takes files; the form's first one for files if nothing is said.
    #[serde(default)]
    pub files: Option<String>,
    /// Fields that are always the same.
    #[serde(default)]
    pub form: Map<String, Value>,
}

/// An address that people write to.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mailbox {
    /// The collectivity.
    pub tenant: String,
    /// The address.
    pub address: String,
    /// What a mail becomes that answers none of ours.
    pub becomes: Becomes,
    /// A Maildir that the server watches; without it, mails are handed over by `guichet mail-in`.
    #[serde(default)]
    pub maildir: Option<PathBuf>,
    /// By what name the mail server in front of us signs what it found out about senders (`Authentication-Results`, RFC
    /// 8601). A sender whom it found forged gets no acknowledgement. Without it, nothing is believed.
    #[serde(default)]
    pub authserv_id: Option<String>,
}
