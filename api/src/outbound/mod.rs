//! What leaves the town hall: e-mails and text messages, through a port with several ways behind it.
//!
//! [`compose`] turns an effect into a message, [`render`] fills the designer's texts in, and an [`Outbound`] sends.
//! Nothing here decides *whether* something is sent: that stands in the journal.

pub mod compose;
mod console;
mod dated;
pub mod dates;
mod file;
pub mod gateway;
mod html;
pub mod letter;
mod mail;
mod memory;
pub mod named;
pub mod quiet;
pub mod render;
pub mod slip;
mod smtp;
mod split;
pub mod texts;
pub mod values;
pub mod webhook;

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use guichet_engine::rules::text::Language;

pub use console::ConsoleOutbound;
pub use file::FileOutbound;
pub use gateway::{GatewayError, GatewayOutbound};
pub use html::html;
pub use memory::MemoryOutbound;
pub use smtp::{SmtpError, SmtpOptions, SmtpOutbound, SmtpTls};
pub use split::SplitOutbound;

/// By which means a message goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Means {
    /// An e-mail, in plain text with the same as HTML beside it.
    Email,
    /// A text message.
    Sms,
    /// A message in a conversation of a social network.
    Social,
}

/// A message ready to be sent.
#[derive(Clone, PartialEq, Eq)]
pub struct OutMessage {
    /// Always the same for the same effect, so that whoever receives it twice can tell.
    pub id: String,
    /// How it goes.
    pub means: Means,
    /// An e-mail address, a telephone number, or a conversation of a social network as JSON (`SocialAddress`).
    pub to: String,
    /// The collectivity's address, which answers go to.
    pub from: String,
    /// The collectivity's name, shown beside the address.
    pub from_name: String,
    /// One line.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// When it was written (UTC).
    pub at: DateTime<Utc>,
    /// The language of its text.
    pub language: Language,
    /// What it belongs to, always the same for the same request: mail programs show together what shares it.
    pub thread: String,
    /// The follow-up address, the only one in the text that becomes a link; none if empty.
    pub link: String,
    /// Files that go with it; text messages take none.
    pub files: Vec<OutFile>,
    /// Where whoever gets it says that they want no more of the kind, for what was subscribed to.
    pub unsubscribe: Option<String>,
}

/// A file that goes with an e-mail.
#[derive(Clone, PartialEq, Eq)]
pub struct OutFile {
    /// Its name.
    pub name: String,
    /// Its media type.
    pub kind: String,
    /// Its bytes.
    pub bytes: Arc<[u8]>,
}

/// Never prints who it is for, nor what it says.
impl std::fmt::Debug for OutMessage {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "OutMessage({}, {:?})", self.id, self.means)
    }
}

/// Why a message did not go out. The words hold no address: they are recorded for ever.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// It may go out later.
    #[error("not sent for now: {0}")]
    Later(String),
    /// It will never go out like this.
    #[error("cannot be sent: {0}")]
    Never(String),
}

/// A way out of the town hall.
#[async_trait]
pub trait Outbound: Send + Sync {
    /// Sends `message`, or says whether trying again makes sense. Sending the same id twice must do no harm beyond a
    /// repeat that its receiver can recognise.
    ///
    /// # Errors
    /// [`SendError`].
    async fn send(&self, message: &OutMessage) -> Result<(), SendError>;

    /// As [`Outbound::send`]; answers the id by which the carrier itself knows the message, where it gives one and may
    /// tell by it later what became of it.
    ///
    /// # Errors
    /// [`SendError`].
    async fn hand_over(&self, message: &OutMessage) -> Result<Option<String>, SendError> {
        self.send(message).await.map(|()| None)
    }
}
