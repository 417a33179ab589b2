//! Signatures of Standard Webhooks (<https://www.standardwebhooks.com>, version 1, symmetric).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use guichet_engine::Ambient;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// How secrets begin.
pub const SECRET_PREFIX: &str = "whsec_";
/// How many random bytes a secret has: within the 24 to 64 that the specification asks for.
pub const SECRET_BYTES: usize = 32;

/// A new secret.
///
/// # Errors
/// A sentence, when the system gives no random bytes.
pub fn fresh_secret(chance: &dyn Ambient) -> Result<String, String> {
    let mut bytes = [0; SECRET_BYTES];
    chance.fill(&mut bytes)?;
    Ok(format!("{SECRET_PREFIX}{}", STANDARD.encode(bytes)))
}

/// The signature of a delivery: HMAC-SHA256 over `id.timestamp.body`. `timestamp` counts seconds since 1970 (UTC). None
/// where the secret is not one.
#[must_use]
pub fn signature(secret: &str, id: &str, timestamp: i64, body: &[u8]) -> Option<String> {
    let key = STANDARD.decode(secret.strip_prefix(SECRET_PREFIX)?).ok()?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's reference implementations.
    #[test]
    fn the_published_example_comes_out() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let signed =
            signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signed.unwrap(), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert_eq!(signature("not a secret", "a", 0, b""), None);
    }
}
