//! Signing in through an identity provider, by OpenID Connect's authorization code flow: agents with ProConnect, citizens
//! with FranceConnect, or whatever else speaks the standard.
//!
//! Who comes back must be the browser that went (a cookie), answer the question that was asked (state and nonce, once
//! each), and bring a code that nobody else can use (PKCE). What the provider signed is checked by `token.rs`. A session is
//! then a row that several servers share, and 32 random bytes that only the person holds. Citizens whom no provider knows
//! prove an e-mail address instead (`by_email.rs`).

mod by_email;
mod cookies;
mod flow;
mod person;
mod provider;
mod token;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use guichet_engine::EngineError;
use guichet_projections::{ProjectionError, Session};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use url::Url;
use uuid::Uuid;

pub(crate) use by_email::{Browser, Given, GivenFault};
pub(crate) use cookies::Cookies;
pub(crate) use flow::Came;
use provider::Provider;
pub(crate) use provider::ProviderFault;

use crate::accounts::CITIZEN;
use crate::guichet::Guichet;
use crate::outgoing::Outgoing;
use crate::rights::Principal;

/// What a session's token begins with, so that people and secret scanners recognise it.
pub(crate) const PREFIX: &str = "gs_";
/// The longest text that is looked up as a session, in characters.
const TOKEN_LENGTH_MAX: usize = 128;

/// Who signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// The town hall's people.
    Agents,
    /// Citizens.
    Citizens,
}

impl Kind {
    /// As it stands in addresses.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Agents => "agents",
            Self::Citizens => "citizens",
        }
    }
}

/// Why nobody is signed in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignInFault {
    /// There is no provider for them.
    #[error("nobody signs in here")]
    Unconfigured,
    /// Where to go afterwards is neither here nor a portal that is known.
    #[error("people are not led there")]
    Elsewhere,
    /// What comes back was not asked for by this browser, or too long ago, or was used already.
    #[error("this is not the answer to a sign-in under way")]
    Stale,
    /// The person, or the provider, said no.
    #[error("the sign-in was given up")]
    GivenUp,
    /// Nobody of the collectivity has this identity.
    #[error("nobody of the staff has this identity")]
    Unknown,
    /// The provider.
    #[error(transparent)]
    Provider(#[from] ProviderFault),
    /// The engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The shared tables.
    #[error(transparent)]
    Store(#[from] ProjectionError),
}

/// Signing in, as an installation set it up.
#[derive(Debug)]
pub(crate) struct SignIn {
    agents: Option<Provider>,
    citizens: Option<Provider>,
    /// This server, as browsers know it.
    here: Url,
    portals: Vec<String>,
    by_email: bool,
    /// Mails with codes that are on their way at once.
    sending: Arc<Semaphore>,
    idle: TimeDelta,
    hours: TimeDelta,
}

impl SignIn {
    /// As the settings say.
    ///
    /// # Errors
    /// A sentence about what cannot be.
    pub(crate) fn new(guichet: &Guichet) -> Result<Self, String> {
        let (options, settings) = (guichet.options(), &guichet.options().settings.sign_in);
        let unconfigured = settings.agents.is_none() && settings.citizens.is_none();
        let here = match options.public_url.parse::<Url>() {
            Ok(here) => here,
            // Where nobody signs in, the address only stands in letters.
            Err(_) if unconfigured => crate::PUBLIC_URL.parse().map_err(|_| String::new())?,
            Err(_) => return Err(format!("`{}` is no address of a server", options.public_url)),
        };
        let provider = |settings: &Option<crate::settings::Provider>| {
            let Some(settings) = settings else { return Ok(None) };
            Provider::new(settings, Outgoing::new()?).map(Some)
        };
        let origin = |portal: &String| {
            let parsed = portal.parse::<Url>().map(|url| url.origin().ascii_serialization());
            parsed.ok().filter(|origin| origin == portal).ok_or_else(|| {
                format!("`{portal}` is no origin: write `https://name`, without anything after it")
            })
        };
        Ok(Self {
            agents: provider(&settings.agents)?,
            citizens: provider(&settings.citizens)?,
            here,
            portals: settings.portals.iter().map(origin).collect::<Result<_, _>>()?,
            by_email: settings.citizens_by_email,
            sending: Arc::new(Semaphore::new(by_email::SENDING_MAX)),
            idle: TimeDelta::minutes(i64::from(settings.idle_minutes)),
            hours: TimeDelta::hours(i64::from(settings.hours)),
        })
    }

    fn provider(&self, kind: Kind) -> Result<&Provider, SignInFault> {
        let provider = match kind {
            Kind::Agents => &self.agents,
            Kind::Citizens => &self.citizens,
        };
        provider.as_ref().ok_or(SignInFault::Unconfigured)
    }

    /// This server's origin, as browsers name it.
    pub(crate) fn origin(&self) -> String {
        self.here.origin().ascii_serialization()
    }

    /// Whether citizens can sign in with an identity provider.
    pub(crate) fn has_citizens(&self) -> bool {
        self.citizens.is_some()
    }

    /// Whether citizens can sign in by e-mail.
    pub(crate) fn is_by_email(&self) -> bool {
        self.by_email
    }

    /// How long a session lasts without use.
    pub(crate) fn idle(&self) -> TimeDelta {
        self.idle
    }

    /// How cookies are written here.
    pub(crate) fn cookies(&self) -> Cookies {
        Cookies::new(self.here.scheme() == "https", self.hours)
    }

    /// Whoever holds this token in this collectivity now (UTC).
    pub(crate) async fn holder(
        &self,
        guichet: &Guichet,
        tenant: &str,
        token: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<(Principal, Session)>, ProjectionError> {
        if !token.starts_with(PREFIX) || token.len() > TOKEN_LENGTH_MAX {
            return Ok(None);
        }
        let session = guichet.read_models().session(&digest(token), now, self.idle).await?;
        let session = session.filter(|session| session.tenant == tenant);
        Ok(session.and_then(|session| Some((principal(&session)?, session))))
    }

    /// Opens a session for somebody, and ends the one that their browser had.
    async fn open(
        &self,
        guichet: &Guichet,
        tenant: &str,
        principal: &Principal,
        before: Option<&str>,
    ) -> Result<(String, Session), SignInFault> {
        let now = guichet.now();
        let token = format!("{PREFIX}{}", drawn(guichet)?);
        let (kind, holder) = match principal {
            Principal::Agent(code) => ("agent", code.clone()),
            Principal::Citizen(account) => (CITIZEN, account.to_string()),
            Principal::Integrator(_) => return Err(SignInFault::Unknown),
        };
        let session = Session {
            digest: digest(&token),
            tenant: tenant.to_owned(),
            kind: kind.to_owned(),
            holder,
            opened: now,
            touched: now,
            ends: now + self.hours,
        };
        if let Some(before) = before {
            guichet.read_models().session_end(&digest(before)).await?;
        }
        guichet.read_models().session_open(&session, self.idle).await?;
        Ok((token, session))
    }
}

fn principal(session: &Session) -> Option<Principal> {
    match session.kind.as_str() {
        "agent" => Some(Principal::Agent(session.holder.clone())),
        CITIZEN => Uuid::parse_str(&session.holder).ok().map(Principal::Citizen),
        _ => None,
    }
}

/// 32 random bytes, as text.
fn drawn(guichet: &Guichet) -> Result<String, SignInFault> {
    let mut bytes = [0; 32];
    guichet.ambient().fill(&mut bytes).map_err(EngineError::Chance)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// What is kept of something that only its holder may know; also PKCE's challenge of a verifier (RFC 7636, section 4.2).
pub(crate) fn digest(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(text.as_bytes()))
}
