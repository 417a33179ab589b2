//! What gateways of text messages and of social networks have in common: how they show who they are, and how what they
//! send is read, whatever they call it.

use std::collections::BTreeMap;
use std::path::Path;

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

use crate::settings::channels::Proof;

/// The largest message of a gateway, in bytes.
pub const MESSAGE_BYTES_MAX: usize = 64 * 1024;
/// How far a signature's instant may lie from now, in seconds; what is older may have been overheard and sent again.
pub const REPLAY_SECONDS_MAX: i64 = 300;

/// What a gateway's proof came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    /// Nothing was shown: a key must be.
    Nothing,
    /// It is the gateway.
    Right,
    /// It is somebody else, or too late.
    Wrong,
}

/// Whether these headers and this body prove that the gateway sent them.
pub(crate) async fn shown(
    proof: Option<&Proof>,
    headers: &HeaderMap,
    body: &[u8],
    now: DateTime<Utc>,
) -> Shown {
    let Some(proof) = proof else { return Shown::Nothing };
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let Some(given) = header(&proof.header) else { return Shown::Nothing };
    let Some(secret) = secret(&proof.secret_file).await else { return Shown::Wrong };
    if !proof.signed {
        return if same(given.as_bytes(), &secret) { Shown::Right } else { Shown::Wrong };
    }
    let mut mac = match Hmac::<Sha256>::new_from_slice(&secret) {
        Ok(mac) => mac,
        Err(_) => return Shown::Wrong,
    };
    if let Some(name) = &proof.timestamp {
        let Some(at) = header(name) else { return Shown::Wrong };
        let seconds = at.parse::<i64>().ok().map(|at| (now.timestamp() - at).saturating_abs());
        if seconds.is_none_or(|seconds| seconds > REPLAY_SECONDS_MAX) {
            return Shown::Wrong;
        }
        mac.update(at.as_bytes());
        mac.update(b".");
    }
    mac.update(body);
    let given = given.strip_prefix("sha256=").unwrap_or(given);
    let right = [hexadecimal(given), STANDARD.decode(given).ok()];
    let right = right.into_iter().flatten().any(|given| mac.clone().verify_slice(&given).is_ok());
    if right { Shown::Right } else { Shown::Wrong }
}

/// Equal, in a time that tells nothing about where they differ.
fn same(given: &[u8], secret: &[u8]) -> bool {
    given.len() == secret.len() && given.iter().zip(secret).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    if text.len() != 64 {
        return None;
    }
    (0..64).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}

/// The secret in a file, read each time, so that it can be changed while the server runs.
async fn secret(path: &Path) -> Option<Vec<u8>> {
    match tokio::fs::read(path).await {
        Ok(bytes) => {
            let secret = bytes.trim_ascii().to_vec();
            (secret.len() >= 16).then_some(secret)
        }
        Err(error) => {
            tracing::error!(path = %path.display(), %error, "a gateway's secret cannot be read");
            None
        }
    }
}

/// What a gateway sent, by the names it uses.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Sent {
    Json(Value),
    Form(BTreeMap<String, String>),
}

impl Sent {
    /// Reads a body of this media type; none if it is neither JSON nor a form.
    pub(crate) fn read(kind: &str, body: &[u8]) -> Option<Result<Self, ()>> {
        match kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
            "application/json" => {
                let value = crate::http::extract::parse::<Value>(body).map_err(|_| ());
                Some(value.and_then(|value| if value.is_object() { Ok(Self::Json(value)) } else { Err(()) }))
            }
            "application/x-www-form-urlencoded" => {
                let pairs = url::form_urlencoded::parse(body).into_owned().take(200);
                Some(Ok(Self::Form(pairs.collect())))
            }
            _ => None,
        }
    }

    /// The text that stands under `name`: a member, or, where the name begins with `/`, a JSON pointer (RFC 6901).
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        let text = match self {
            Self::Form(pairs) => pairs.get(name).cloned(),
            Self::Json(value) => {
                let found = if name.starts_with('/') { value.pointer(name) } else { value.get(name) };
                match found? {
                    Value::String(text) => Some(text.clone()),
                    Value::Number(number) => Some(number.to_string()),
                    Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
                }
            }
        };
        text.map(|text| text.chars().filter(|symbol| *symbol == '\n' || !symbol.is_control()).collect())
    }

    /// The texts of a list, such as the addresses of pictures.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        let found = match self {
            Self::Json(value) if name.starts_with('/') => value.pointer(name),
            Self::Json(value) => value.get(name),
            Self::Form(_) => None,
        };
        match found {
            Some(Value::Array(items)) => {
                items.iter().filter_map(Value::as_str).take(20).map(str::to_owned).collect()
            }
            _ => self.text(name).into_iter().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proof(folder: &Path, timestamp: Option<&str>) -> Proof {
        let path = folder.join("secret");
        std::fs::write(&path, "a secret of the gateway\n").unwrap();
        Proof {
            header: "x-signature".into(),
            secret_file: path,
            signed: true,
            timestamp: timestamp.map(str::to_owned),
        }
    }

    fn signed(text: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(b"a secret of the gateway").unwrap();
        mac.update(text.as_bytes());
        mac.finalize().into_bytes().iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
    }

    #[tokio::test]
    async fn a_signature_counts_for_its_body_and_its_five_minutes() {
        let folder = tempfile::tempdir().unwrap();
        let proof = proof(folder.path(), Some("x-timestamp"));
        let now: DateTime<Utc> = "2026-11-03T09:00:00Z".parse().unwrap();
        let at = now.timestamp().to_string();
        let mut headers = HeaderMap::new();
        assert_eq!(shown(Some(&proof), &headers, b"x", now).await, Shown::Nothing);
        headers.insert("x-signature", format!("sha256={}", signed(&format!("{at}.x"))).parse().unwrap());
        assert_eq!(shown(Some(&proof), &headers, b"x", now).await, Shown::Wrong, "without its instant");
        headers.insert("x-timestamp", at.parse().unwrap());
        assert_eq!(shown(Some(&proof), &headers, b"x", now).await, Shown::Right);
        assert_eq!(shown(Some(&proof), &headers, b"y", now).await, Shown::Wrong, "another body");
        let later = now + chrono::TimeDelta::seconds(REPLAY_SECONDS_MAX + 1);
        assert_eq!(shown(Some(&proof), &headers, b"x", later).await, Shown::Wrong, "sent again later");
    }

    #[tokio::test]
    async fn a_shared_secret_counts_whole() {
        let folder = tempfile::tempdir().unwrap();
        let proof = Proof { signed: false, ..proof(folder.path(), None) };
        let now = "2026-11-03T09:00:00Z".parse().unwrap();
        for (given, wanted) in
            [("a secret of the gateway", Shown::Right), ("a secret", Shown::Wrong), ("", Shown::Wrong)]
        {
            let mut headers = HeaderMap::new();
            headers.insert("x-signature", given.parse().unwrap());
            assert_eq!(shown(Some(&proof), &headers, b"x", now).await, wanted, "{given}");
        }
    }

    #[test]
    fn fields_are_found_by_the_gateways_own_names() {
        let json = Sent::read(
            "application/json",
            br#"{"data":{"msisdn":33639980001},"text":"a\u0007b","media":["u"]}"#,
        );
        let json = json.unwrap().unwrap();
        assert_eq!(json.text("/data/msisdn").as_deref(), Some("33639980001"));
        assert_eq!(json.text("text").as_deref(), Some("ab"));
        assert_eq!(json.list("media"), ["u"]);
        let form = Sent::read("application/x-www-form-urlencoded; charset=utf-8", b"From=%2B336&Body=a+b")
            .unwrap()
            .unwrap();
        assert_eq!((form.text("From").as_deref(), form.text("Body").as_deref()), (Some("+336"), Some("a b")));
        assert!(Sent::read("application/json", b"[").unwrap().is_err());
        assert!(Sent::read("text/plain", b"x").is_none());
    }
}
