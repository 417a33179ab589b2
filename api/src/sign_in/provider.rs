//! An identity provider: where it is, which keys it signs with, and the calls that are made to it.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::jwk::Jwk;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;
use url::Url;
use url::form_urlencoded::Serializer;

use super::token::{self, Claims, Expected, TokenFault};
use crate::outgoing::{Answer, Call, Outgoing, Reach};
use crate::settings::Provider as Settings;

/// How long what a provider says of itself is believed.
const DISCOVERED_FOR: TimeDelta = TimeDelta::hours(1);
/// How soon after asking for keys they may be asked for again because a token names another one.
const KEYS_AGAIN_AFTER: TimeDelta = TimeDelta::seconds(10);
/// The most keys of a provider that are looked at.
const KEYS_MAX: usize = 64;
/// The largest secret, in bytes.
const SECRET_BYTES_MAX: u64 = 4096;

/// Why nobody could be signed in. The words name neither person nor token.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProviderFault {
    /// It does not answer, or not as one.
    #[error("the identity provider does not answer: {0}")]
    Silent(&'static str),
    /// It refused.
    #[error("the identity provider refused the exchange")]
    Refused,
    /// What it answered is not what it must be.
    #[error("the identity provider’s token is not taken: {0}")]
    Token(#[from] TokenFault),
    /// It knows the person less surely than was asked for.
    #[error("the identity provider knows the person less surely than asked for")]
    Level,
}

/// An address in an answer.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Address(Url);

impl TryFrom<String> for Address {
    type Error = url::ParseError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Self)
    }
}

impl Address {
    /// The address.
    pub(crate) fn url(&self) -> Url {
        self.0.clone()
    }
}

/// What a provider says of itself (OpenID Connect Discovery 1.0, section 3).
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Metadata {
    issuer: String,
    /// Where people are sent.
    pub(crate) authorization_endpoint: Address,
    token_endpoint: Address,
    jwks_uri: Address,
    userinfo_endpoint: Option<Address>,
    /// Where people are sent to sign out there too.
    pub(crate) end_session_endpoint: Option<Address>,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// Whether answers name the issuer (RFC 9207).
    #[serde(default)]
    pub(crate) authorization_response_iss_parameter_supported: bool,
}

/// An identity provider.
#[derive(Debug)]
pub(crate) struct Provider {
    /// What the installation says of it.
    pub(crate) settings: Settings,
    secret: String,
    outgoing: Outgoing,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    metadata: Option<(DateTime<Utc>, Metadata)>,
    keys: Vec<Jwk>,
    /// When the keys were asked for last, whatever came of it.
    keys_asked: Option<DateTime<Utc>>,
}

/// What a provider gives for a code.
#[derive(Deserialize)]
struct Given {
    id_token: String,
    access_token: String,
}

/// Who signed in, as the provider says, and the token by which they are signed out there again.
pub(crate) struct Person {
    /// What it says.
    pub(crate) claims: Claims,
    /// The identity token.
    pub(crate) hint: String,
}

impl Provider {
    /// A provider of the settings.
    ///
    /// # Errors
    /// A sentence: its issuer is no address, or the secret cannot be read.
    pub(crate) fn new(settings: &Settings, outgoing: Outgoing) -> Result<Self, String> {
        let issuer: Url =
            settings.issuer.parse().map_err(|_| format!("`{}` is no address", settings.issuer))?;
        let local = matches!(issuer.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
        if issuer.scheme() != "https" && !(issuer.scheme() == "http" && local) {
            return Err(format!("`{}` must be an https address", settings.issuer));
        }
        let secret = secret(&settings.client_secret_file)?;
        Ok(Self { settings: settings.clone(), secret, outgoing, held: Mutex::default() })
    }

    /// What it says of itself, asked for again when that was long ago. Where it does not answer, what it said stands.
    pub(crate) async fn metadata(&self, now: DateTime<Utc>) -> Result<Metadata, ProviderFault> {
        let mut held = self.held.lock().await;
        if let Some((at, metadata)) = &held.metadata
            && now - *at < DISCOVERED_FOR
        {
            return Ok(metadata.clone());
        }
        match self.discover().await {
            Ok(metadata) => {
                held.metadata = Some((now, metadata.clone()));
                Ok(metadata)
            }
            Err(fault) => held.metadata.as_ref().map(|(_, metadata)| metadata.clone()).ok_or(fault),
        }
    }

    async fn discover(&self) -> Result<Metadata, ProviderFault> {
        let address =
            format!("{}/.well-known/openid-configuration", self.settings.issuer.trim_end_matches('/'));
        let url = address.parse().map_err(|_| ProviderFault::Silent("its address is none"))?;
        let metadata: Metadata = self.json(Call::new(reqwest::Method::GET, url)).await?;
        if metadata.issuer != self.settings.issuer {
            return Err(ProviderFault::Silent("it names itself otherwise"));
        }
        let secured = self.settings.issuer.starts_with("https:");
        let inward = |address: &Address| secured && address.0.scheme() != "https";
        let all = [&metadata.authorization_endpoint, &metadata.token_endpoint, &metadata.jwks_uri];
        let more = metadata.userinfo_endpoint.iter().chain(&metadata.end_session_endpoint);
        if all.into_iter().chain(more).any(inward) {
            return Err(ProviderFault::Silent("it names addresses without encryption"));
        }
        Ok(metadata)
    }

    /// Its keys; asked for again when a token names one that is not among them, and not too often.
    async fn keys(&self, now: DateTime<Utc>, again: bool) -> Result<Vec<Jwk>, ProviderFault> {
        let metadata = self.metadata(now).await?;
        let mut held = self.held.lock().await;
        let age = held.keys_asked.map(|asked| now - asked);
        let due = age.is_none_or(|age| age >= if again { KEYS_AGAIN_AFTER } else { DISCOVERED_FOR });
        if due {
            held.keys_asked = Some(now);
            let call = Call::new(reqwest::Method::GET, metadata.jwks_uri.url());
            match self.json::<Value>(call).await {
                Ok(set) => {
                    let keys = set.get("keys").and_then(Value::as_array).into_iter().flatten().take(KEYS_MAX);
                    // A key of a kind that nobody here knows does not make the others unusable.
                    held.keys = keys.filter_map(|key| serde_json::from_value(key.clone()).ok()).collect();
                }
                Err(fault) if held.keys.is_empty() => {
                    held.keys_asked = None;
                    return Err(fault);
                }
                Err(fault) => tracing::warn!(fault = %fault, "the keys known before stand"),
            }
        }
        Ok(held.keys.clone())
    }

    /// Checks with the keys that are known, and with those shown now where the token names none of them.
    async fn checked(
        &self,
        now: DateTime<Utc>,
        check: impl Fn(&[Jwk]) -> Result<Claims, TokenFault>,
    ) -> Result<Claims, ProviderFault> {
        match check(&self.keys(now, false).await?) {
            Err(TokenFault::UnknownKey) => Ok(check(&self.keys(now, true).await?)?),
            other => Ok(other?),
        }
    }

    /// Exchanges the code of somebody who came back (RFC 6749, section 4.1.3; RFC 7636, section 4.5) for what the
    /// provider says of them, all of it checked.
    pub(crate) async fn person(
        &self,
        code: &str,
        verifier: &str,
        redirect: &str,
        nonce: &str,
        now: DateTime<Utc>,
    ) -> Result<Person, ProviderFault> {
        let metadata = self.metadata(now).await?;
        let given = self.exchange(&metadata, code, verifier, redirect).await?;
        let expected = Expected { issuer: &metadata.issuer, client_id: &self.settings.client_id, now };
        let token = &given.id_token;
        let mut claims = self.checked(now, |keys| token::identity(token, keys, &expected, nonce)).await?;
        if !self.settings.acr.is_empty() {
            let level = claims.get("acr").and_then(Value::as_str).unwrap_or_default();
            self.settings.acr.iter().find(|wanted| *wanted == level).ok_or(ProviderFault::Level)?;
        }
        if let Some(url) = &metadata.userinfo_endpoint {
            let told = self.told(url.url(), &given.access_token, &expected).await?;
            if token::subject(&told) != token::subject(&claims) {
                return Err(TokenFault::Incomplete.into());
            }
            for (name, value) in told {
                claims.entry(name).or_insert(value);
            }
        }
        Ok(Person { claims, hint: given.id_token })
    }

    async fn exchange(
        &self,
        metadata: &Metadata,
        code: &str,
        verifier: &str,
        redirect: &str,
    ) -> Result<Given, ProviderFault> {
        let call = self.question(metadata, code, verifier, redirect);
        self.json(call).await
    }

    fn question(&self, metadata: &Metadata, code: &str, verifier: &str, redirect: &str) -> Call {
        let methods = metadata.token_endpoint_auth_methods_supported.as_ref();
        // Where nothing is said, it is the header (RFC 8414, section 2).
        let by_header = methods.is_none_or(|methods| !methods.iter().any(|one| one == "client_secret_post"));
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code")
            .append_pair("code", code)
            .append_pair("redirect_uri", redirect)
            .append_pair("code_verifier", verifier);
        let call = Call::new(reqwest::Method::POST, metadata.token_endpoint.url())
            .header("content-type", "application/x-www-form-urlencoded");
        let call = if by_header {
            let encoded = |text: &str| Serializer::new(String::new()).append_key_only(text).finish();
            let pair = format!("{}:{}", encoded(&self.settings.client_id), encoded(&self.secret));
            call.header("authorization", format!("Basic {}", STANDARD.encode(pair)))
        } else {
            form.append_pair("client_id", &self.settings.client_id)
                .append_pair("client_secret", &self.secret);
            call
        };
        call.body(form.finish())
    }

    /// What the provider tells of the person: signed, or plain over the connection that was made to it.
    async fn told(&self, url: Url, access: &str, expected: &Expected<'_>) -> Result<Claims, ProviderFault> {
        let call = Call::new(reqwest::Method::GET, url).header("authorization", format!("Bearer {access}"));
        let answer = self.call(call).await?;
        let kind = answer.header("content-type").unwrap_or_default();
        if kind.starts_with("application/jwt") {
            let token = String::from_utf8(answer.body).map_err(|_| TokenFault::Form)?;
            let token = token.trim();
            return self.checked(expected.now, |keys| token::about_person(token, keys, expected)).await;
        }
        serde_json::from_slice(&answer.body).map_err(|_| ProviderFault::Silent("it answers no JSON"))
    }

    async fn json<T: serde::de::DeserializeOwned>(&self, call: Call) -> Result<T, ProviderFault> {
        let answer = self.call(call.header("accept", "application/json")).await?;
        serde_json::from_slice(&answer.body)
            .map_err(|_| ProviderFault::Silent("it answers otherwise than it must"))
    }

    async fn call(&self, call: Call) -> Result<Answer, ProviderFault> {
        let answer = self.outgoing.call(Reach::Configured, call).await;
        let answer = answer.map_err(|error| {
            tracing::warn!(error = %error, "the identity provider cannot be reached");
            ProviderFault::Silent("it cannot be reached")
        })?;
        match answer.status {
            200..=299 => Ok(answer),
            400..=499 => Err(ProviderFault::Refused),
            _ => Err(ProviderFault::Silent("it failed")),
        }
    }
}

fn secret(path: &Path) -> Result<String, String> {
    let fault = |error: std::io::Error| format!("`{}` cannot be read: {error}", path.display());
    if std::fs::metadata(path).map_err(fault)?.len() > SECRET_BYTES_MAX {
        return Err(format!("`{}` is too large for a secret", path.display()));
    }
    let text = std::fs::read_to_string(path).map_err(fault)?;
    let secret = text.trim();
    if secret.is_empty() { Err(format!("`{}` is empty", path.display())) } else { Ok(secret.to_owned()) }
}
