//! `[payments]`: the provider that takes money.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use url::Url;

/// The section `[payments]`: one part for each collectivity that takes money, `[payments.ville]` for example.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct Section {
    /// The providers, by collectivity.
    pub providers: BTreeMap<String, Provider>,
}

/// The provider that takes money for a collectivity.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// Its address, below which it is asked for pages and for what became of a payment.
    #[serde(deserialize_with = "address")]
    pub url: Url,
    /// The collectivity's number there.
    pub merchant: String,
    /// A file that holds the secret that both sign with, at least 32 bytes.
    pub secret_file: PathBuf,
    /// This server's address as the provider and browsers reach it; that of messages to citizens if nothing is said.
    #[serde(default, deserialize_with = "optional_address")]
    pub server_url: Option<Url>,
    /// After how many minutes without a word it is asked what became of a payment.
    #[serde(default = "fifteen")]
    pub ask_after_minutes: u32,
}

fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Url, D::Error> {
    let url = Url::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)?;
    let fits = matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none();
    if fits { Ok(url) } else { Err(D::Error::custom("an address of the web without a password is needed")) }
}

fn optional_address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Url>, D::Error> {
    address(deserializer).map(Some)
}

fn fifteen() -> u32 {
    15
}
