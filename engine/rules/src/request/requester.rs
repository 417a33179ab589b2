//! Who a request is for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::personal::Personal;
use crate::process::Delivery;
use crate::text::Language;

/// What is known of the requester. Only `contact` identifies them; the rest are facts that rules may use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Requester {
    /// Person, organisation or association.
    pub kind: RequesterKind,
    /// The language they are written to in.
    pub language: Language,
    /// How they wish to be answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preferred: Option<Delivery>,
    /// They gave an e-mail address.
    #[serde(default)]
    pub by_email: bool,
    /// They gave a telephone number.
    #[serde(default)]
    pub by_sms: bool,
    /// They gave a postal address.
    #[serde(default)]
    pub by_letter: bool,
    /// They wrote in a conversation of a social network.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_social: bool,
    /// They have an account.
    #[serde(default)]
    pub account: bool,
    /// Which account: an id that says nothing to whoever does not hold the collectivity's secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<Uuid>,
    /// They gave a name.
    #[serde(default)]
    pub named: bool,
    /// How to reach them; nothing for those who did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Personal<Contact>>,
}

/// Kind of requester.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the words say it")]
pub enum RequesterKind {
    #[default]
    Person,
    Organisation,
    Association,
}

/// How to reach the requester.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Contact {
    /// Name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// E-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Telephone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Postal address, in lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The conversation of a social network in which they wrote; kept of requests that came by one alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub social: Option<Box<SocialAddress>>,
}

/// A conversation of a social network, as its gateway names it.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct SocialAddress {
    /// The network.
    pub platform: String,
    /// The conversation: what an answer must name to stand in it.
    pub thread: String,
    /// Who wrote.
    pub author: String,
}

/// The longest part of such an address, in bytes.
const SOCIAL_BYTES_MAX: usize = 200;

impl SocialAddress {
    /// Whether it can be one: each part says something, in one line.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        let fits = |text: &String| {
            (1..=SOCIAL_BYTES_MAX).contains(&text.len()) && !text.chars().any(char::is_control)
        };
        [&self.platform, &self.thread, &self.author].into_iter().all(fits)
    }
}

/// Never prints who it is.
impl std::fmt::Debug for SocialAddress {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("SocialAddress(…)")
    }
}

/// Never prints who it is.
impl std::fmt::Debug for Contact {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Contact(…)")
    }
}
