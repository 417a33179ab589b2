//! `[channels]`: the ways in. What stands here is held against the processes in force before a server begins, so that a
//! misspelt field is found by whoever wrote it, and not by the first citizen.

use std::path::PathBuf;

use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::{Map, Value};

/// The section `[channels]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Section {
    /// `[[channels.mailboxes]]`: addresses that people write to.
    pub mailboxes: Vec<Mailbox>,
    /// `[[channels.sms]]`: gateways that bring text messages, one for each collectivity.
    pub sms: Vec<SmsGateway>,
    /// `[[channels.social]]`: gateways that bring messages of social networks, one for each collectivity.
    pub social: Vec<SocialGateway>,
}

/// How a gateway that has no key of ours shows who it is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// The header in which it does.
    pub header: String,
    /// The file with the secret, 16 bytes at least.
    pub secret_file: PathBuf,
    /// Whether the header holds an HMAC-SHA256 of the body, in hexadecimal or base64; otherwise it holds the secret itself.
    #[serde(default)]
    pub signed: bool,
    /// The header with the instant of the signature, in seconds since 1970; signed before the body, with a point between.
    /// Without it a message that was overheard can be sent again, which its id keeps harmless.
    #[serde(default)]
    pub timestamp: Option<String>,
}

/// A gateway that brings text messages.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmsGateway {
    /// The collectivity.
    pub tenant: String,
    /// What a text becomes that names no tracking code.
    pub becomes: Becomes,
    /// What the gateway shows instead of a key.
    #[serde(default)]
    pub proof: Option<Proof>,
    /// What it calls things.
    #[serde(default)]
    pub fields: SmsFields,
    /// Whether how a request stands is answered by a text message of ours; otherwise the gateway is told what to answer.
    #[serde(default)]
    pub answers_by_message: bool,
    /// How it reports what became of text messages that were handed to it.
    #[serde(default)]
    pub reports: SmsReports,
}

/// How a gateway reports what became of a text message: what it calls things, as in [`SmsFields`], and its words for the
/// two ends of it. Whatever else it says, a message is under way.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SmsReports {
    /// Our own id of the message, which it was given as `{id}`.
    pub reference: String,
    /// Its own id of the message, which its answer gave at `id_at` of `[messages.sms]`.
    pub id: String,
    /// What became of it.
    pub status: String,
    /// Why not, as a code.
    pub error: String,
    /// Its words for a message that arrived.
    pub delivered: Vec<String>,
    /// Its words for a message that did not, and will not.
    pub failed: Vec<String>,
}

impl Default for SmsReports {
    fn default() -> Self {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Self {
            reference: "reference".into(),
            id: "id".into(),
            status: "status".into(),
            error: "error".into(),
            delivered: words(&["delivered", "DELIVRD"]),
            failed: words(&[
                "undelivered", "undeliverable", "failed", "rejected", "expired", "UNDELIV", "REJECTD", "EXPIRED",
            ]),
        }
    }
}

/// What a gateway calls the parts of a text message: members of its JSON or fields of its form; what begins with `/` is a
/// JSON pointer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SmsFields {
    /// Who sent it.
    pub from: String,
    /// What it says.
    pub text: String,
    /// The gateway's id of it.
    pub id: String,
    /// What the parts of one message have in common.
    pub reference: String,
}

impl Default for SmsFields {
    fn default() -> Self {
        Self { from: "from".into(), text: "text".into(), id: "id".into(), reference: "reference".into() }
    }
}

/// A gateway that brings messages of social networks.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SocialGateway {
    /// The collectivity.
    pub tenant: String,
    /// What a thread becomes.
    pub becomes: Becomes,
    /// What the gateway shows instead of a key.
    #[serde(default)]
    pub proof: Option<Proof>,
    /// What it calls things.
    #[serde(default)]
    pub fields: SocialFields,
}

/// What a gateway calls the parts of a social message, as for text messages.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SocialFields {
    /// The network.
    pub platform: String,
    /// The thread.
    pub thread: String,
    /// Who wrote it.
    pub author: String,
    /// What it says.
    pub text: String,
    /// The gateway's id of it.
    pub id: String,
    /// Addresses of pictures, a list or one.
    pub media: String,
    /// An e-mail address of the author, where the network gives one: the way out if the conversation is closed to us.
    pub email: String,
}

impl Default for SocialFields {
    fn default() -> Self {
        Self {
            platform: "platform".into(),
            thread: "thread".into(),
            author: "author".into(),
            text: "text".into(),
            id: "id".into(),
            media: "media".into(),
            email: "email".into(),
        }
    }
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
    /// The mailbox at a provider that the server fetches mails from; instead of `maildir`.
    #[serde(default)]
    pub imap: Option<Imap>,
    /// By what name the mail server in front of us signs what it found out about senders (`Authentication-Results`, RFC
    /// 8601). A sender whom it found forged gets no acknowledgement. Without it, nothing is believed.
    #[serde(default)]
    pub authserv_id: Option<String>,
}

/// A mailbox that is fetched from over IMAP.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Imap {
    /// The mail server, by the name on its certificate.
    pub host: String,
    /// Its port.
    #[serde(default = "imaps")]
    pub port: u16,
    /// How the connection is protected; never not at all.
    #[serde(default)]
    pub tls: ImapTls,
    /// Who signs in.
    pub user: String,
    /// The file with the password, read at each connection.
    pub password_file: PathBuf,
    /// A file with the certificate, or those of the authorities, to be believed instead of the usual ones (PEM).
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// The folder that mails come into, as the server calls it.
    #[serde(default = "inbox")]
    pub folder: String,
    /// The folder that mails are moved to once they were taken; without it they stay where they are, with the keyword
    /// `$GuichetTaken`, which not every server keeps.
    #[serde(default)]
    pub done_folder: Option<String>,
    /// The folder for what cannot be read; without it, that goes where the others go.
    #[serde(default)]
    pub unreadable_folder: Option<String>,
    /// Mails that came before this day (the server's) are left alone; without it, everything in the folder is taken.
    #[serde(default)]
    pub since: Option<NaiveDate>,
}

/// How the connection to a mail server is protected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImapTls {
    /// TLS from the first byte (RFC 8314).
    #[default]
    Implicit,
    /// Begins in clear and changes to TLS before anything is said.
    Starttls,
}

fn imaps() -> u16 {
    993
}

fn inbox() -> String {
    "INBOX".to_owned()
}
