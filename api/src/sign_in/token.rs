//! What a provider signed, checked (OpenID Connect Core 1.0, sections 3.1.3.7 and 5.3.4; RFC 8725).

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Map, Value};

/// The algorithms that are taken: signatures with a public key, none older than needed, and never a shared secret.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::EdDSA,
];
/// How far two clocks may differ.
const LEEWAY: TimeDelta = TimeDelta::seconds(60);
/// How long ago an identity token may have been made: it is fetched the moment it is.
const AGE_MAX: TimeDelta = TimeDelta::minutes(10);

/// What a token says.
pub(crate) type Claims = Map<String, Value>;

/// Why a token is not taken. Nothing of the token is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenFault {
    /// It is no token, or one of an algorithm that is not taken.
    #[error("it is no token that is taken")]
    Form,
    /// It is signed with a key that the provider does not show (now).
    #[error("its key is not known")]
    UnknownKey,
    /// Its signature is wrong.
    #[error("its signature is wrong")]
    Signature,
    /// It comes from somebody else.
    #[error("its issuer is another one")]
    Issuer,
    /// It is for somebody else.
    #[error("it is for somebody else")]
    Audience,
    /// It is over, or not yet valid, or too old.
    #[error("it is over or not yet valid")]
    Time,
    /// It answers another question than the one asked.
    #[error("it answers another sign-in")]
    Nonce,
    /// It lacks something, or says less than was asked for.
    #[error("it does not say enough")]
    Incomplete,
}

/// For whom and by whom a token must be made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected<'a> {
    /// The provider.
    pub(crate) issuer: &'a str,
    /// This installation, as the provider knows it.
    pub(crate) client_id: &'a str,
    /// Now (UTC).
    pub(crate) now: DateTime<Utc>,
}

/// The claims of an identity token, once everything that makes it one was checked.
pub(crate) fn identity(
    token: &str,
    keys: &[Jwk],
    expected: &Expected<'_>,
    nonce: &str,
) -> Result<Claims, TokenFault> {
    let claims = signed(token, keys)?;
    made_for_us(&claims, expected)?;
    let made = instant(&claims, "iat").ok_or(TokenFault::Incomplete)?;
    let ends = instant(&claims, "exp").ok_or(TokenFault::Incomplete)?;
    if ends + LEEWAY <= expected.now || made - LEEWAY > expected.now || made + AGE_MAX < expected.now {
        return Err(TokenFault::Time);
    }
    let early = instant(&claims, "nbf").is_some_and(|from| from - LEEWAY > expected.now);
    if early {
        return Err(TokenFault::Time);
    }
    if claims.get("nonce").and_then(Value::as_str) != Some(nonce) {
        return Err(TokenFault::Nonce);
    }
    subject(&claims).ok_or(TokenFault::Incomplete)?;
    Ok(claims)
}

/// The claims of a signed answer about a person.
pub(crate) fn about_person(token: &str, keys: &[Jwk], expected: &Expected<'_>) -> Result<Claims, TokenFault> {
    let claims = signed(token, keys)?;
    made_for_us(&claims, expected)?;
    if instant(&claims, "exp").is_some_and(|ends| ends + LEEWAY <= expected.now) {
        return Err(TokenFault::Time);
    }
    Ok(claims)
}

/// Whom a token is about: at most 255 characters, as the standard has it.
pub(crate) fn subject(claims: &Claims) -> Option<&str> {
    let subject = claims.get("sub").and_then(Value::as_str);
    subject.filter(|subject| !subject.is_empty() && subject.len() <= 255)
}

fn signed(token: &str, keys: &[Jwk]) -> Result<Claims, TokenFault> {
    let header = jsonwebtoken::decode_header(token).map_err(|_| TokenFault::Form)?;
    if !ALGORITHMS.contains(&header.alg) {
        return Err(TokenFault::Form);
    }
    let key = key_of(keys, header.kid.as_deref(), header.alg).ok_or(TokenFault::UnknownKey)?;
    let key = DecodingKey::from_jwk(key).map_err(|_| TokenFault::UnknownKey)?;
    let mut validation = Validation::new(header.alg);
    validation.algorithms = vec![header.alg];
    // Issuer, audience and times are checked by `identity`, by the engine's clock.
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    let read = jsonwebtoken::decode::<Claims>(token, &key, &validation);
    read.map(|read| read.claims).map_err(|_| TokenFault::Signature)
}

/// The key that a token names; where it names none, the only one that fits.
fn key_of<'a>(keys: &'a [Jwk], id: Option<&str>, algorithm: Algorithm) -> Option<&'a Jwk> {
    let mut fitting = keys.iter().filter(|key| fits(key, algorithm));
    match id {
        Some(id) => fitting.find(|key| key.common.key_id.as_deref() == Some(id)),
        None => fitting.next().filter(|_| fitting.next().is_none()),
    }
}

/// Whether a key may have made such a signature. A key for another algorithm never counts, whatever the token says.
fn fits(key: &Jwk, algorithm: Algorithm) -> bool {
    let for_signatures = !matches!(key.common.public_key_use, Some(PublicKeyUse::Encryption));
    let named = key.common.key_algorithm.is_none_or(|named| named.to_string() == format!("{algorithm:?}"));
    let kind = match &key.algorithm {
        AlgorithmParameters::EllipticCurve(curve) => matches!(
            (&curve.curve, algorithm),
            (EllipticCurve::P256, Algorithm::ES256) | (EllipticCurve::P384, Algorithm::ES384)
        ),
        AlgorithmParameters::RSA(_) => matches!(
            algorithm,
            Algorithm::RS256
                | Algorithm::RS384
                | Algorithm::RS512
                | Algorithm::PS256
                | Algorithm::PS384
                | Algorithm::PS512
        ),
        AlgorithmParameters::OctetKeyPair(_) => algorithm == Algorithm::EdDSA,
        // A shared secret is no public key, and of others nothing is known.
        _ => false,
    };
    for_signatures && named && kind
}

fn made_for_us(claims: &Claims, expected: &Expected<'_>) -> Result<(), TokenFault> {
    if claims.get("iss").and_then(Value::as_str) != Some(expected.issuer) {
        return Err(TokenFault::Issuer);
    }
    let (ours, others) = match claims.get("aud") {
        Some(Value::String(one)) => (one == expected.client_id, false),
        Some(Value::Array(all)) => {
            (all.iter().any(|one| one == expected.client_id), all.iter().any(|one| one != expected.client_id))
        }
        _ => (false, false),
    };
    let party = claims.get("azp").map(|party| party == expected.client_id);
    // With several audiences the token must say that it was made for this one.
    if !ours || party == Some(false) || (others && party.is_none()) {
        return Err(TokenFault::Audience);
    }
    Ok(())
}

fn instant(claims: &Claims, name: &str) -> Option<DateTime<Utc>> {
    let seconds = claims.get(name)?;
    // Some providers write fractions; they are cut off.
    let seconds = seconds.as_i64().or_else(|| seconds.to_string().split('.').next()?.parse().ok())?;
    DateTime::from_timestamp(seconds, 0)
}
