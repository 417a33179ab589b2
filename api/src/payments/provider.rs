//! Speaking to a provider.

use chrono::{DateTime, Utc};
use reqwest::{Method, Url};
use serde::{Deserialize, Serialize};

use super::{Notice, signature};
use crate::outgoing::{Call, CallError, Outgoing, Reach};
use crate::settings::PaymentProvider;

/// The largest answer of a provider, in bytes.
const ANSWER_BYTES_MAX: usize = 16 * 1024;
/// The largest file that can be a secret, in bytes.
const SECRET_BYTES_MAX: u64 = 4 * 1024;
/// The longest address of a page, in bytes.
const PAGE_BYTES_MAX: usize = 2_000;

/// What is asked of the provider for a page to pay on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PageAsked {
    /// The collectivity's number there.
    pub merchant: String,
    /// The name of the attempt. Asked again with the same, the provider gives the same page.
    pub reference: String,
    /// How much, in cents.
    pub amount: u64,
    /// In which currency.
    pub currency: String,
    /// What for, as the citizen reads it.
    pub label: String,
    /// Where the browser goes afterwards.
    pub return_url: String,
    /// Where the provider says what became of it.
    pub notification_url: String,
}

/// What is asked of the provider when nothing was heard.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StatusAsked {
    /// The collectivity's number there.
    pub merchant: String,
    /// The name of the attempt.
    pub reference: String,
}

#[derive(Deserialize)]
struct Page {
    url: String,
}

/// Why a provider did not help. The words hold neither its address nor what was said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// The secret cannot be read, or is too short to be one.
    #[error("the provider’s secret cannot be used")]
    Secret,
    /// No answer came.
    #[error("the provider did not answer: {0}")]
    Call(#[from] CallError),
    /// It answered with a failure.
    #[error("the provider answered with status {0}")]
    Status(u16),
    /// What it said cannot be understood.
    #[error("the provider’s answer cannot be understood")]
    Shape,
}

/// A collectivity's provider.
#[derive(Clone)]
pub struct Provider {
    settings: PaymentProvider,
    outgoing: Outgoing,
}

impl Provider {
    pub(super) fn new(settings: PaymentProvider, outgoing: Outgoing) -> Self {
        Self { settings, outgoing }
    }

    /// The collectivity's number there.
    #[must_use]
    pub fn merchant(&self) -> &str {
        &self.settings.merchant
    }

    /// An address of this server for the provider and for browsers, by its path; `public` is that of messages.
    ///
    /// # Errors
    /// [`ProviderError::Shape`].
    pub fn address(&self, public: &str, path: &str) -> Result<Url, ProviderError> {
        let base = match &self.settings.server_url {
            Some(url) => url.clone(),
            None => public.parse().map_err(|_| ProviderError::Shape)?,
        };
        base.join(path).map_err(|_| ProviderError::Shape)
    }

    /// After how many minutes without a word it is asked.
    #[must_use]
    pub fn ask_after_minutes(&self) -> u32 {
        self.settings.ask_after_minutes
    }

    /// Read each time, so that it can be changed without a restart.
    fn secret(&self) -> Result<Vec<u8>, ProviderError> {
        let path = &self.settings.secret_file;
        let size = std::fs::metadata(path).map_err(|_| ProviderError::Secret)?.len();
        if size > SECRET_BYTES_MAX {
            return Err(ProviderError::Secret);
        }
        let bytes = std::fs::read(path).map_err(|_| ProviderError::Secret)?;
        let secret = bytes.trim_ascii().to_vec();
        if secret.len() < signature::SECRET_BYTES_MIN { Err(ProviderError::Secret) } else { Ok(secret) }
    }

    /// Whether a message comes from this provider: signed with its secret at about `now` (UTC).
    ///
    /// # Errors
    /// [`ProviderError::Secret`].
    pub fn recognises(&self, now: DateTime<Utc>, header: &str, body: &[u8]) -> Result<bool, ProviderError> {
        Ok(signature::is_valid(&self.secret()?, now, header, body))
    }

    async fn ask<T: Serialize + Sync>(
        &self,
        what: &str,
        said: &T,
        now: DateTime<Utc>,
    ) -> Result<Vec<u8>, ProviderError> {
        let body = serde_json::to_vec(said).map_err(|_| ProviderError::Shape)?;
        let mut url: Url = self.settings.url.clone();
        url.path_segments_mut().map_err(|()| ProviderError::Shape)?.pop_if_empty().push(what);
        let mut call = Call::new(Method::POST, url)
            .header("content-type", "application/json")
            .header(signature::HEADER, signature::sign(&self.secret()?, now, &body))
            .body(body);
        call.answer_bytes_max = ANSWER_BYTES_MAX;
        let answer = self.outgoing.call(Reach::Configured, call).await?;
        if (200..300).contains(&answer.status) {
            Ok(answer.body)
        } else {
            Err(ProviderError::Status(answer.status))
        }
    }

    /// The address of a page to pay on.
    ///
    /// # Errors
    /// [`ProviderError`].
    pub async fn page(&self, asked: &PageAsked, now: DateTime<Utc>) -> Result<String, ProviderError> {
        let answer = self.ask("pages", asked, now).await?;
        let page: Page = serde_json::from_slice(&answer).map_err(|_| ProviderError::Shape)?;
        let url: Url = page.url.parse().map_err(|_| ProviderError::Shape)?;
        let fits = matches!(url.scheme(), "http" | "https") && url.as_str().len() <= PAGE_BYTES_MAX;
        if fits { Ok(url.into()) } else { Err(ProviderError::Shape) }
    }

    /// What became of an attempt; none if the provider has never heard of it.
    ///
    /// # Errors
    /// [`ProviderError`].
    pub async fn status(&self, reference: &str, now: DateTime<Utc>) -> Result<Option<Notice>, ProviderError> {
        let asked = StatusAsked { merchant: self.settings.merchant.clone(), reference: reference.to_owned() };
        let answer = match self.ask("status", &asked, now).await {
            Err(ProviderError::Status(404)) => return Ok(None),
            answer => answer?,
        };
        let notice: Notice = serde_json::from_slice(&answer).map_err(|_| ProviderError::Shape)?;
        let ours = notice.reference == reference && notice.merchant == self.settings.merchant;
        if ours { Ok(Some(notice)) } else { Err(ProviderError::Shape) }
    }
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Provider").field("merchant", &self.settings.merchant).finish_non_exhaustive()
    }
}
