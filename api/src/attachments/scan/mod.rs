//! Looking for viruses, by programs that were made for it: clamd, and whatever speaks ICAP.

mod clamd;
mod icap;
#[cfg(test)]
mod tests;

use std::time::Duration;

use tokio::io::AsyncRead;

use super::error::AttachmentError;
use crate::settings::attachments::Section;
use clamd::Clamd;
use icap::Icap;

/// How long a scanner has for one file.
pub const SCAN_MAX: Duration = Duration::from_secs(60);

/// What a scanner says of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing was found.
    Clean,
    /// Something was found, by the name that the scanner gives it.
    Found(String),
}

/// A program that looks for viruses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scanner {
    /// clamd, by its own protocol.
    Clamd(Clamd),
    /// A service of an ICAP server.
    Icap(Icap),
}

impl Scanner {
    /// Those that the settings name.
    ///
    /// # Errors
    /// [`AttachmentError::Scanner`] where one is no address.
    pub(crate) fn all(section: &Section) -> Result<Vec<Self>, AttachmentError> {
        let icap = section.icap.as_deref().map(Icap::parse).transpose();
        let icap = icap.map_err(|reason| AttachmentError::Scanner { reason })?;
        let clamd = section.clamd.as_deref().map(Clamd::parse);
        Ok(clamd.map(Self::Clamd).into_iter().chain(icap.map(Self::Icap)).collect())
    }

    /// Asks about the `size` bytes that `reader` gives.
    ///
    /// # Errors
    /// A sentence, when the scanner does not answer as its protocol says, or not in time.
    pub(crate) async fn scan(
        &self,
        reader: impl AsyncRead + Unpin + Send,
        size: u64,
    ) -> Result<Verdict, String> {
        let asked = async {
            match self {
                Self::Clamd(clamd) => clamd.scan(reader).await,
                Self::Icap(icap) => icap.scan(reader, size).await,
            }
        };
        tokio::time::timeout(SCAN_MAX, asked).await.map_err(|_| "no answer in time".to_owned())?
    }
}

/// Words of a scanner, made fit for a line of a log and a sentence.
fn words(text: &str) -> String {
    text.chars().filter(|symbol| !symbol.is_control()).take(200).collect()
}
