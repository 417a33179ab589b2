//! The signature on every message between Guichet and a provider: `t=SECONDS,v1=HEX`, where `HEX` is HMAC-SHA256
//! (RFC 2104) under the shared secret, over the seconds since 1970 in decimal, a full stop, and the body as it is sent.
//! The time keeps an old message from being sent again by somebody who listened.

use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The header that carries it.
pub const HEADER: &str = "payment-signature";
/// How far the two clocks may differ, and how long a message may travel.
pub const TOLERANCE: TimeDelta = TimeDelta::minutes(5);
/// The shortest secret, in bytes.
pub const SECRET_BYTES_MIN: usize = 32;

fn mac(secret: &[u8], seconds: i64, body: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(secret).ok()?;
    mac.update(seconds.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    Some(mac)
}

/// The header's value for a message sent at `now` (UTC).
#[must_use]
pub fn sign(secret: &[u8], now: DateTime<Utc>, body: &[u8]) -> String {
    let seconds = now.timestamp();
    let tag = mac(secret, seconds, body).map(|mac| mac.finalize().into_bytes());
    let hex: String = tag.iter().flatten().map(|byte| format!("{byte:02x}")).collect();
    format!("t={seconds},v1={hex}")
}

/// Whether `header` signs `body`, and was made lately. The comparison takes the same time wherever the first wrong byte
/// stands.
#[must_use]
pub fn is_valid(secret: &[u8], now: DateTime<Utc>, header: &str, body: &[u8]) -> bool {
    let mut parts = header.split(',');
    let (Some(time), Some(tag), None) = (parts.next(), parts.next(), parts.next()) else { return false };
    let seconds = time.strip_prefix("t=").and_then(|text| text.parse::<i64>().ok());
    let tag = tag.strip_prefix("v1=").and_then(bytes_of);
    let (Some(seconds), Some(tag)) = (seconds, tag) else { return false };
    let fresh = DateTime::from_timestamp(seconds, 0).is_some_and(|at| (now - at).abs() <= TOLERANCE);
    fresh && mac(secret, seconds, body).is_some_and(|mac| mac.verify_slice(&tag).is_ok())
}

fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    let digits = hex.as_bytes().chunks_exact(2);
    digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

    #[test]
    fn only_the_secret_the_time_and_the_body_together_are_accepted() {
        let now: DateTime<Utc> = "2026-11-03T09:00:00Z".parse().unwrap();
        let header = sign(SECRET, now, b"{}");
        assert!(is_valid(SECRET, now, &header, b"{}"));
        assert!(is_valid(SECRET, now + TOLERANCE, &header, b"{}"));
        assert!(!is_valid(SECRET, now + TOLERANCE + TimeDelta::seconds(1), &header, b"{}"), "too old");
        assert!(
            !is_valid(SECRET, now - TOLERANCE - TimeDelta::seconds(1), &header, b"{}"),
            "from the future"
        );
        assert!(!is_valid(b"another secret, of 32 bytes too!", now, &header, b"{}"));
        assert!(!is_valid(SECRET, now, &header, b"{ }"));
        let later = header.replacen("t=", "t=1", 1);
        for wrong in [
            "",
            "t=,v1=",
            "t=1",
            "v1=00,t=1",
            &later,
            &format!("{header},v1=00"),
            "t=9223372036854775807,v1=é",
        ] {
            assert!(!is_valid(SECRET, now, wrong, b"{}"), "{wrong}");
        }
        assert_eq!(sign(b"key", DateTime::from_timestamp(1, 0).unwrap(), b"x").len(), "t=1,v1=".len() + 64);
    }

    #[test]
    fn a_signature_is_what_any_other_program_would_make_of_it() {
        // printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac 0123456789abcdef0123456789abcdef
        let at = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        assert_eq!(
            sign(SECRET, at, br#"{"a":1}"#),
            "t=1700000000,v1=f05f2539e3ae1c49aec5f8cfdad75ef6b06480b133973ffbb7ec9e18827af177"
        );
    }
}
