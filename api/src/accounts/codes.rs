//! One-time codes: whoever gives back the code that was sent to an address has proven that it is theirs.
//!
//! Nothing of the address is kept meanwhile: what is awaited stands under digests that the collectivity's secret makes,
//! and whoever answers names the address again. Every address is answered alike, known or not.

use chrono::{DateTime, TimeDelta};
use guichet_engine::rules::process::Delivery;
use guichet_engine::rules::text::Language;
use guichet_engine::{EngineError, tenant_of};
use guichet_projections::{Challenge, ProjectionError};
use uuid::Uuid;

use super::{blind, means, same_address};
use crate::guichet::Guichet;
use crate::outbound::{Means, OutMessage};

/// How long a code can be given, in minutes.
pub const CODE_MINUTES: i64 = 10;
/// How many digits a code has.
pub const CODE_DIGITS: usize = 8;

/// What an address is proven for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To sign in.
    SignIn,
    /// To be told news.
    Subscribe,
    /// To be reached there from now on.
    Reach,
    /// To vote.
    Vote,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::Subscribe => "subscribe",
            Self::Reach => "reach",
            Self::Vote => "vote",
        }
    }

    fn words(self, language: Language) -> &'static str {
        match (self, language) {
            (Self::SignIn, Language::Fr) => "pour vous connecter",
            (Self::SignIn, Language::En) => "to sign in",
            (Self::Subscribe, Language::Fr) => "pour confirmer votre abonnement",
            (Self::Subscribe, Language::En) => "to confirm your subscription",
            (Self::Reach, Language::Fr) => "pour confirmer que nous pouvons vous joindre ici",
            (Self::Reach, Language::En) => "to confirm that we can reach you here",
            (Self::Vote, Language::Fr) => "pour confirmer votre vote",
            (Self::Vote, Language::En) => "to confirm your vote",
        }
    }
}

/// An address, what it is proven for, and what is done then: all of it is named again with the code.
#[derive(Clone, Copy)]
pub struct Proof<'a> {
    /// The collectivity.
    pub tenant: &'a str,
    /// What for.
    pub purpose: Purpose,
    /// E-mail or text message.
    pub by: Delivery,
    /// The address.
    pub address: &'a str,
    /// What is done once it is proven, in full: another wish needs another code.
    pub content: &'a str,
}

/// Why a code was not sent, or is not taken.
#[derive(Debug, thiserror::Error)]
pub enum CodeError {
    /// Too many codes went to this address lately; seconds after which another may.
    #[error("too many codes went to one address; again in {0} seconds")]
    TooMany(u64),
    /// It is not the code, or no longer, or not for this.
    #[error("the code is not the right one")]
    Wrong,
    /// The message does not go out now.
    #[error("the code cannot be sent now")]
    NotSent,
    /// The engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The read models do not answer.
    #[error(transparent)]
    ReadModels(#[from] ProjectionError),
}

/// Sends a code to the address.
///
/// # Errors
/// [`CodeError`]; the code before is worth nothing any more, unless it is [`CodeError::TooMany`].
pub async fn ask(guichet: &Guichet, proof: &Proof<'_>, language: Language) -> Result<(), CodeError> {
    let message = written(guichet, proof, language).await?;
    guichet.outbound().send(&message).await.map_err(|error| {
        tracing::warn!(%error, "a code could not be sent");
        CodeError::NotSent
    })
}

/// The message with a new code that is awaited from now on, still to be sent.
///
/// # Errors
/// As [`ask`], without [`CodeError::NotSent`].
pub(crate) async fn written(
    guichet: &Guichet,
    proof: &Proof<'_>,
    language: Language,
) -> Result<OutMessage, CodeError> {
    let code = draw(guichet)?;
    if proof.purpose == Purpose::SignIn {
        // Each browser has a code of its own, so that nobody undoes another's by asking too; what an address gets in
        // an hour is counted for all of them together.
        noted(guichet, &counted(guichet, proof)?).await?;
    }
    noted(guichet, &challenge(guichet, proof, &code)?).await?;
    Ok(message(guichet, proof, &code, language).await?)
}

async fn noted(guichet: &Guichet, challenge: &Challenge) -> Result<(), CodeError> {
    let now = guichet.now();
    let Some(again) = guichet.read_models().challenge(challenge, now).await? else { return Ok(()) };
    Err(CodeError::TooMany(u64::try_from((again - now).num_seconds()).unwrap_or_default().max(1)))
}

/// Takes a code back: the address is proven then, once.
///
/// # Errors
/// [`CodeError::Wrong`], also where it was never sent; otherwise as [`ask`].
pub async fn redeem(guichet: &Guichet, proof: &Proof<'_>, code: &str) -> Result<(), CodeError> {
    let digits: String = code.chars().filter(char::is_ascii_digit).collect();
    let challenge = challenge(guichet, proof, &digits)?;
    let met = guichet.read_models().challenge_met(&challenge, guichet.now()).await?;
    met.then_some(()).ok_or(CodeError::Wrong)
}

fn draw(guichet: &Guichet) -> Result<String, EngineError> {
    let mut bytes = [0; 8];
    guichet.ambient().fill(&mut bytes).map_err(EngineError::Chance)?;
    // Of 2^64 numbers the remainder favours none by more than one in 10^11.
    Ok(format!("{:0CODE_DIGITS$}", u64::from_be_bytes(bytes) % 100_000_000))
}

fn challenge(guichet: &Guichet, proof: &Proof<'_>, code: &str) -> Result<Challenge, EngineError> {
    let tenant = tenant_of(proof.tenant)?;
    let (purpose, by) = (proof.purpose.name(), means(proof.by));
    let address = same_address(proof.address);
    let digest = |words: &[&str]| *blind(guichet, &tenant, words).as_bytes();
    let id = match proof.purpose {
        Purpose::SignIn => digest(&["challenge", purpose, by, &address, proof.content]),
        Purpose::Subscribe | Purpose::Reach | Purpose::Vote => digest(&["challenge", purpose, by, &address]),
    };
    Ok(Challenge {
        id,
        code: digest(&["code", purpose, by, &address, code]),
        content: digest(&["content", proof.content]),
        expires: guichet.now() + TimeDelta::minutes(CODE_MINUTES),
    })
}

/// What counts how many codes went to an address. No code meets it: it is over before it begins.
fn counted(guichet: &Guichet, proof: &Proof<'_>) -> Result<Challenge, EngineError> {
    let tenant = tenant_of(proof.tenant)?;
    let address = same_address(proof.address);
    let words = ["asked", proof.purpose.name(), means(proof.by), &address];
    let id = *blind(guichet, &tenant, &words).as_bytes();
    Ok(Challenge { id, code: id, content: id, expires: DateTime::UNIX_EPOCH })
}

async fn message(
    guichet: &Guichet,
    proof: &Proof<'_>,
    code: &str,
    language: Language,
) -> Result<OutMessage, EngineError> {
    let organisation =
        guichet.engine().organisation_now(proof.tenant).await?.ok_or(EngineError::UnknownTenant)?;
    let collectivity = organisation.tenant(proof.tenant);
    let name = collectivity.map(|tenant| tenant.name.get(language).to_owned()).unwrap_or_default();
    let (spoken, why) = (spoken(code), proof.purpose.words(language));
    let (subject, text) = match language {
        Language::Fr => (
            format!("{spoken} : votre code"),
            format!(
                "Bonjour,\n\nVoici le code {why} : {spoken}\n\nIl est valable {CODE_MINUTES} minutes. Ne le donnez à \
                 personne : nous ne vous le demanderons jamais.\nSi vous n’avez rien demandé, ignorez ce message.\n\n{name}\n"
            ),
        ),
        Language::En => (
            format!("{spoken}: your code"),
            format!(
                "Hello,\n\nHere is the code {why}: {spoken}\n\nIt can be used for {CODE_MINUTES} minutes. Give it to \
                 nobody: we will never ask you for it.\nIf you did not ask for anything, ignore this message.\n\n{name}\n"
            ),
        ),
    };
    let means = if proof.by == Delivery::Sms { Means::Sms } else { Means::Email };
    let text = if means == Means::Sms { format!("{name}. {subject} ({CODE_MINUTES} min).") } else { text };
    Ok(OutMessage {
        id: format!("code.{}", guichet.fresh_command_id()?.0),
        means,
        to: proof.address.trim().to_owned(),
        from: collectivity.map(|tenant| tenant.email.clone()).unwrap_or_default(),
        from_name: name,
        subject,
        text,
        at: guichet.now(),
        language,
        thread: String::new(),
        link: String::new(),
        files: Vec::new(),
        unsubscribe: None,
    })
}

/// A code as it is read out: `1234 5678`.
fn spoken(code: &str) -> String {
    let (first, second) = code.split_at_checked(CODE_DIGITS / 2).unwrap_or((code, ""));
    format!("{first} {second}")
}

/// A token that ends a subscription without signing in (RFC 8058): whose it is and which one, with a proof that nobody
/// can make who does not hold the collectivity's secret.
///
/// # Errors
/// [`EngineError::UnknownTenant`] when `tenant` cannot be a name.
pub fn unsubscribe_token(guichet: &Guichet, tenant: &str, account: Uuid) -> Result<String, EngineError> {
    let name = tenant_of(tenant)?;
    let digest = blind(guichet, &name, &["unsubscribe", &account.to_string()]).to_string();
    Ok(format!("{}{}", account.simple(), digest.get(..32).unwrap_or_default()))
}

/// Whose subscriptions a token ends; none where it is not one of ours.
///
/// # Errors
/// As [`unsubscribe_token`].
pub fn token_account(guichet: &Guichet, tenant: &str, token: &str) -> Result<Option<Uuid>, EngineError> {
    let account = token.get(..32).and_then(|text| Uuid::try_parse(text).ok());
    let Some(account) = account else { return Ok(None) };
    let right = unsubscribe_token(guichet, tenant, account)?;
    // Compared by digests, so that how long it takes tells nothing of where they differ.
    let name = tenant_of(tenant)?;
    let same = blind(guichet, &name, &["token", &right]) == blind(guichet, &name, &["token", token]);
    Ok(same.then_some(account))
}
