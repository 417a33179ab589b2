//! Going to the provider and coming back.

use chrono::TimeDelta;
use guichet_engine::EngineError;
use guichet_projections::Session;
use serde::{Deserialize, Serialize};
use url::Url;
use uuid::Uuid;

use super::cookies::AWAY_SECONDS;
use super::{Kind, ProviderFault, SignIn, SignInFault, digest, drawn, person};
use crate::accounts;
use crate::guichet::Guichet;
use crate::rights::Principal;

/// The longest address to be led back to, in characters.
const BACK_LENGTH_MAX: usize = 1024;
/// How long a portal may take to fetch the session of somebody who was led back to it.
const HANDED_FOR: TimeDelta = TimeDelta::seconds(60);

/// What is kept of somebody who went to a provider.
#[derive(Serialize, Deserialize)]
struct Pending {
    tenant: String,
    kind: Kind,
    nonce: String,
    verifier: String,
    back: String,
    /// What only the browser that went can show, as a digest.
    bound: String,
    /// A portal's own challenge: it will fetch the session itself.
    challenge: Option<String>,
}

/// What is kept of somebody whose session a portal is about to fetch.
#[derive(Serialize, Deserialize)]
struct Waiting {
    tenant: String,
    agent: Option<String>,
    account: Option<Uuid>,
    challenge: String,
}

/// What a browser brings back from the provider.
#[derive(Debug)]
pub(crate) struct Came<'a> {
    /// The code, where it was granted.
    pub(crate) code: Option<&'a str>,
    /// What was sent along.
    pub(crate) state: &'a str,
    /// Who says so, where the provider names itself (RFC 9207).
    pub(crate) issuer: Option<&'a str>,
    /// The cookie that was set when it went.
    pub(crate) bound: Option<&'a str>,
    /// The session that it had before.
    pub(crate) before: Option<&'a str>,
}

/// Somebody who signed in.
pub(crate) struct Signed {
    /// Where they are led now.
    pub(crate) back: String,
    /// Their session's token and how they are signed out at the provider; none where a portal fetches the session.
    pub(crate) opened: Option<(String, String)>,
}

/// A session that a portal fetched.
pub(crate) struct Handover {
    /// Its token.
    pub(crate) token: String,
    /// The session.
    pub(crate) session: Session,
}

impl SignIn {
    /// Where somebody is sent to sign in, and what their browser must show when it comes back.
    pub(crate) async fn go(
        &self,
        guichet: &Guichet,
        (tenant, kind): (&str, Kind),
        (back, challenge): (Option<&str>, Option<&str>),
        bound: Option<String>,
    ) -> Result<(Url, String), SignInFault> {
        let provider = self.provider(kind)?;
        let (back, portal) = self.back(back)?;
        if portal != challenge.is_some() {
            return Err(SignInFault::Elsewhere);
        }
        let now = guichet.now();
        let metadata = provider.metadata(now).await?;
        let (state, nonce, verifier) = (drawn(guichet)?, drawn(guichet)?, drawn(guichet)?);
        let bound = bound.map_or_else(|| drawn(guichet), Ok)?;
        let mut url = metadata.authorization_endpoint.url();
        let settings = &provider.settings;
        let mut scopes = settings.scopes.clone();
        if !scopes.iter().any(|scope| scope == "openid") {
            scopes.insert(0, "openid".to_owned());
        }
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &settings.client_id)
            .append_pair("redirect_uri", &self.redirect(tenant, kind))
            .append_pair("scope", &scopes.join(" "))
            .append_pair("state", &state)
            .append_pair("nonce", &nonce)
            .append_pair("code_challenge", &digest(&verifier))
            .append_pair("code_challenge_method", "S256");
        if !settings.acr.is_empty() {
            url.query_pairs_mut().append_pair("acr_values", &settings.acr.join(" "));
        }
        let pending = Pending {
            tenant: tenant.to_owned(),
            kind,
            nonce,
            verifier,
            back,
            bound: digest(&bound),
            challenge: challenge.map(str::to_owned),
        };
        let said = serde_json::to_string(&pending).map_err(EngineError::from)?;
        let ends = now + TimeDelta::seconds(AWAY_SECONDS);
        guichet.read_models().sign_in_begin(&digest(&state), &said, (now, ends)).await?;
        Ok((url, bound))
    }

    /// Takes in whoever comes back. What they bring is good once, whatever becomes of it.
    pub(crate) async fn come(
        &self,
        guichet: &Guichet,
        (tenant, kind): (&str, Kind),
        came: &Came<'_>,
    ) -> Result<Signed, SignInFault> {
        let provider = self.provider(kind)?;
        let now = guichet.now();
        let said = guichet.read_models().sign_in_end(&digest(came.state), now).await?;
        let pending: Option<Pending> = said.and_then(|said| serde_json::from_str(&said).ok());
        let same = |pending: &Pending| {
            let bound = came.bound.is_some_and(|bound| digest(bound) == pending.bound);
            bound && pending.tenant == tenant && pending.kind == kind
        };
        let pending = pending.filter(same).ok_or(SignInFault::Stale)?;
        let metadata = provider.metadata(now).await?;
        let named = came.issuer.is_some() || metadata.authorization_response_iss_parameter_supported;
        if named && came.issuer != Some(provider.settings.issuer.as_str()) {
            return Err(SignInFault::Stale);
        }
        let code = came.code.ok_or(SignInFault::GivenUp)?;
        let redirect = self.redirect(tenant, kind);
        let found = provider.person(code, &pending.verifier, &redirect, &pending.nonce, now).await;
        let found = found.inspect_err(|fault| tracing::warn!(fault = %fault, "nobody was signed in"))?;
        let principal = match kind {
            Kind::Agents => person::staff(guichet, tenant, &provider.settings, &found.claims).await?,
            Kind::Citizens => person::citizen(guichet, tenant, &provider.settings, &found.claims).await?,
        };
        if let Some(challenge) = pending.challenge {
            let code = self.hand(guichet, tenant, &principal, challenge).await?;
            let mut back: Url = pending.back.parse().map_err(|_| SignInFault::Elsewhere)?;
            back.query_pairs_mut().append_pair("sign_in", &code);
            return Ok(Signed { back: back.into(), opened: None });
        }
        let (token, _) = self.open(guichet, tenant, &principal, came.before).await?;
        Ok(Signed { back: pending.back, opened: Some((token, found.hint)) })
    }

    /// Lets a portal fetch the session of somebody, once and soon.
    async fn hand(
        &self,
        guichet: &Guichet,
        tenant: &str,
        principal: &Principal,
        challenge: String,
    ) -> Result<String, SignInFault> {
        let (agent, account) = match principal {
            Principal::Agent(code) => (Some(code.clone()), None),
            Principal::Citizen(account) => (None, Some(*account)),
            Principal::Integrator(_) => return Err(SignInFault::Unknown),
        };
        let waiting = Waiting { tenant: tenant.to_owned(), agent, account, challenge };
        let said = serde_json::to_string(&waiting).map_err(EngineError::from)?;
        let (code, now) = (drawn(guichet)?, guichet.now());
        guichet.read_models().sign_in_begin(&digest(&code), &said, (now, now + HANDED_FOR)).await?;
        Ok(code)
    }

    /// Opens the session that a portal fetches: it shows the code that came with the person, and the verifier of the
    /// challenge with which it sent them.
    pub(crate) async fn fetch(
        &self,
        guichet: &Guichet,
        tenant: &str,
        code: &str,
        verifier: &str,
    ) -> Result<Handover, SignInFault> {
        let said = guichet.read_models().sign_in_end(&digest(code), guichet.now()).await?;
        let waiting: Option<Waiting> = said.and_then(|said| serde_json::from_str(&said).ok());
        let meant = |waiting: &Waiting| waiting.tenant == tenant && waiting.challenge == digest(verifier);
        let waiting = waiting.filter(meant).ok_or(SignInFault::Stale)?;
        let agent = waiting.agent.map(Principal::Agent);
        let principal = agent.or(waiting.account.map(Principal::Citizen)).ok_or(SignInFault::Stale)?;
        if let Principal::Citizen(account) = &principal
            && !accounts::sealed(guichet, tenant, *account).await?.is_open()
        {
            // The account was closed while its holder was led back.
            return Err(SignInFault::Stale);
        }
        let (token, session) = self.open(guichet, tenant, &principal, None).await?;
        Ok(Handover { token, session })
    }

    /// Where somebody is sent to sign out at the provider too, if it offers that (OpenID Connect RP-Initiated Logout 1.0).
    pub(crate) async fn farewell(
        &self,
        guichet: &Guichet,
        kind: Kind,
        hint: &str,
    ) -> Result<Option<Url>, ProviderFault> {
        let Ok(provider) = self.provider(kind) else { return Ok(None) };
        let metadata = provider.metadata(guichet.now()).await?;
        let Some(mut url) = metadata.end_session_endpoint.map(|address| address.url()) else {
            return Ok(None);
        };
        url.query_pairs_mut()
            .append_pair("id_token_hint", hint)
            .append_pair("client_id", &provider.settings.client_id)
            .append_pair("post_logout_redirect_uri", self.here.as_str());
        Ok(Some(url))
    }

    fn redirect(&self, tenant: &str, kind: Kind) -> String {
        let base = self.here.as_str().trim_end_matches('/');
        format!("{base}/v1/{tenant}/sign-in/{}/callback", kind.name())
    }

    /// Where somebody wants to be led afterwards, if that is here or a portal that is known, and whether it is a portal.
    fn back(&self, wanted: Option<&str>) -> Result<(String, bool), SignInFault> {
        let Some(wanted) = wanted else { return Ok(("/".to_owned(), false)) };
        let odd = |symbol: char| symbol.is_control() || symbol == '\\' || symbol.is_whitespace();
        if wanted.len() > BACK_LENGTH_MAX || wanted.chars().any(odd) {
            return Err(SignInFault::Elsewhere);
        }
        if wanted.starts_with('/') {
            // `//name` would be another server; whatever else is odd shows when it is read as a browser does.
            let joined = self.here.join(wanted).map_err(|_| SignInFault::Elsewhere)?;
            let stays = joined.origin() == self.here.origin() && !wanted.starts_with("//");
            return stays.then(|| (wanted.to_owned(), false)).ok_or(SignInFault::Elsewhere);
        }
        let url: Url = wanted.parse().map_err(|_| SignInFault::Elsewhere)?;
        let origin = url.origin().ascii_serialization();
        let known = self.portals.contains(&origin) && url.username().is_empty() && url.password().is_none();
        known.then(|| (url.into(), true)).ok_or(SignInFault::Elsewhere)
    }
}
