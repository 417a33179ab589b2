//! Signing in by a code that is sent to an e-mail address, for citizens whom no identity provider knows.
//!
//! The answer is the same, and comes as fast, whatever is known of the address: the account is opened only once the code
//! came back, and the mail leaves after the answer. A code is worth something once, for ten minutes, and in the browser
//! (or for the portal) that asked for it.

use std::sync::Arc;
use std::time::Duration;

use guichet_engine::EngineError;
use guichet_engine::rules::process::Delivery;
use guichet_engine::rules::text::Language;
use guichet_projections::Session;

use super::{SignIn, SignInFault, digest, drawn};
use crate::accounts::codes::{self, CodeError, Proof, Purpose};
use crate::accounts::{self, Identity};
use crate::guichet::Guichet;
use crate::outbound::{OutMessage, Outbound, SendError};
use crate::rights::Principal;

/// How many mails with codes are on their way at once; who asks beyond that is told to come back.
pub(super) const SENDING_MAX: usize = 64;
/// After how long a mail that could not leave is tried again: a code is worth nothing after ten minutes.
const TRIED_AGAIN_AFTER: [Duration; 3] =
    [Duration::from_secs(2), Duration::from_secs(15), Duration::from_secs(60)];

/// Who asks for a code, and alone can give it back.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Browser<'a> {
    /// A browser, by the cookie that it was given.
    Cookie(&'a str),
    /// A portal on another origin, by the SHA-256 of a verifier that it keeps (RFC 7636, `S256`).
    Challenge(&'a str),
}

impl Browser<'_> {
    /// What a code is tied to: nothing by which the browser could be impersonated.
    fn content(self) -> String {
        match self {
            Self::Cookie(bound) => format!("browser {}", digest(bound)),
            Self::Challenge(challenge) => format!("portal {challenge}"),
        }
    }
}

/// A code that comes back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Given<'a> {
    /// The address that it was sent to, as the rules keep addresses.
    pub(crate) address: &'a str,
    /// The code as it was typed.
    pub(crate) code: &'a str,
    /// Who gives it.
    pub(crate) by: Browser<'a>,
    /// The session that the browser had before.
    pub(crate) before: Option<&'a str>,
    /// In which language they are written to from now on, if they have no account yet.
    pub(crate) language: Language,
}

impl SignIn {
    /// What a browser is given so that it alone can give a code back.
    pub(crate) fn bind(guichet: &Guichet) -> Result<String, SignInFault> {
        drawn(guichet)
    }

    /// Has a code sent to `address`. It leaves after this has returned.
    pub(crate) async fn ask_code(
        &self,
        guichet: &Guichet,
        tenant: &str,
        (address, by): (&str, Browser<'_>),
        language: Language,
    ) -> Result<(), CodeError> {
        let sending = Arc::clone(&self.sending).try_acquire_owned().map_err(|_| CodeError::NotSent)?;
        let content = by.content();
        let proof =
            Proof { tenant, purpose: Purpose::SignIn, by: Delivery::Email, address, content: &content };
        let message = codes::written(guichet, &proof, language).await?;
        let outbound = Arc::clone(guichet.outbound());
        tokio::spawn(async move {
            send(outbound.as_ref(), &message).await;
            drop(sending);
        });
        Ok(())
    }

    /// Opens a session for whoever gives back the code that was sent to an address of theirs, once.
    pub(crate) async fn code_given(
        &self,
        guichet: &Guichet,
        tenant: &str,
        given: &Given<'_>,
    ) -> Result<(String, Session), GivenFault> {
        let (content, address) = (given.by.content(), given.address);
        let by = Delivery::Email;
        let proof = Proof { tenant, purpose: Purpose::SignIn, by, address, content: &content };
        codes::redeem(guichet, &proof, given.code).await?;
        let account = accounts::account_of(guichet, tenant, by, address)?;
        let known = accounts::sealed(guichet, tenant, account).await?;
        let identity = Identity {
            provider: accounts::means(by).to_owned(),
            email: Some(address.to_owned()),
            language: if known.is_open() { known.language } else { given.language },
            ..Identity::default()
        };
        accounts::signed_in(guichet, tenant, account, &identity).await?;
        let principal = Principal::Citizen(account);
        Ok(self.open(guichet, tenant, &principal, given.before).await?)
    }
}

/// Why nobody is signed in with a code.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GivenFault {
    /// It is not the code.
    #[error(transparent)]
    Code(#[from] CodeError),
    /// The session cannot be opened.
    #[error(transparent)]
    SignIn(#[from] SignInFault),
    /// The account cannot be opened.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// Sends a mail, and tries again for as long as its code is worth something.
async fn send(outbound: &dyn Outbound, message: &OutMessage) {
    for wait in TRIED_AGAIN_AFTER.map(Some).into_iter().chain([None]) {
        let error = match outbound.send(message).await {
            Ok(()) => return,
            Err(error) => error,
        };
        tracing::warn!(%error, "a code to sign in could not be sent");
        match (error, wait) {
            (SendError::Later(_), Some(wait)) => tokio::time::sleep(wait).await,
            (SendError::Later(_) | SendError::Never(_), _) => return,
        }
    }
}
