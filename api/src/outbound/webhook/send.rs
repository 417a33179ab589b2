//! One delivery: signed, sent, judged.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use guichet_engine::rules::records::webhook::Webhook;
use reqwest::{Method, Url};

use super::schedule::RETRY_AFTER_MAX;
use super::sign::signature;
use crate::outgoing::{Answer, Call, Outgoing, Reach};
use crate::settings::Settings;

/// How long a receiver may take to answer.
pub const DELIVERY_MAX: Duration = Duration::from_secs(10);
/// The media type of an event in structured mode (CloudEvents 1.0, JSON format).
const CLOUD_EVENT: &str = "application/cloudevents+json; charset=utf-8";

/// Where deliveries go and what signs them.
#[derive(Clone)]
pub struct Signed {
    address: Url,
    reach: Reach,
    /// The present secret first, then the one before it while both sign.
    secrets: Vec<String>,
}

/// Never prints the address or a secret.
impl std::fmt::Debug for Signed {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Signed({} secrets)", self.secrets.len())
    }
}

impl Signed {
    /// Of a webhook whose personal parts are opened; none where they are erased or no longer allowed.
    #[must_use]
    pub fn of(webhook: &Webhook, settings: &Settings, now: DateTime<Utc>) -> Option<Self> {
        let address = super::checked_address(webhook.address.known()?, settings).ok()?;
        let mut secrets = vec![webhook.secret.known()?.clone()];
        let previous = webhook.previous.as_ref().filter(|(_, until)| now < *until);
        secrets.extend(previous.and_then(|(secret, _)| secret.known().cloned()));
        let reach = if settings.webhooks.allows(&address) { Reach::Configured } else { Reach::Public };
        Some(Self { address, reach, secrets })
    }
}

/// What became of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver took it.
    Delivered,
    /// It failed; the words hold no address.
    Failed(String),
    /// The receiver asks to wait this long.
    Wait(TimeDelta, String),
    /// There is nobody there any more (410).
    Gone,
}

/// Sends deliveries.
#[derive(Debug, Clone)]
pub struct Sender {
    outgoing: Outgoing,
}

impl Sender {
    /// Through these calls.
    #[must_use]
    pub fn new(outgoing: Outgoing) -> Self {
        Self { outgoing }
    }

    /// Sends `body` under `id`, which stays the same however often it is sent.
    pub async fn send(&self, to: &Signed, id: &str, body: Vec<u8>, now: DateTime<Utc>) -> Outcome {
        let timestamp = now.timestamp();
        let signatures: Vec<String> =
            to.secrets.iter().filter_map(|secret| signature(secret, id, timestamp, &body)).collect();
        let mut call = Call::new(Method::POST, to.address.clone())
            .header("content-type", CLOUD_EVENT)
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp.to_string())
            .header("webhook-signature", signatures.join(" "))
            .body(body);
        // Nothing in the answer matters but its status.
        call.answer_bytes_max = 0;
        match tokio::time::timeout(DELIVERY_MAX, self.outgoing.call(to.reach, call)).await {
            Err(_) => Outcome::Failed("no answer came in time".into()),
            Ok(Err(error)) => Outcome::Failed(error.to_string()),
            Ok(Ok(answer)) => judge(&answer, now),
        }
    }
}

fn judge(answer: &Answer, now: DateTime<Utc>) -> Outcome {
    let words = format!("answered {}", answer.status);
    match answer.status {
        200..=299 => Outcome::Delivered,
        410 => Outcome::Gone,
        300..=399 => Outcome::Failed(format!("{words}: redirects are not followed")),
        429 | 503 => {
            let wait = answer.header("retry-after").and_then(|text| retry_after(text, now));
            wait.map_or_else(|| Outcome::Failed(words.clone()), |wait| Outcome::Wait(wait, words.clone()))
        }
        _ => Outcome::Failed(words),
    }
}

/// Seconds, or an instant (RFC 9110, 10.2.3); never longer than [`RETRY_AFTER_MAX`].
fn retry_after(text: &str, now: DateTime<Utc>) -> Option<TimeDelta> {
    let most = TimeDelta::from_std(RETRY_AFTER_MAX).unwrap_or(TimeDelta::MAX);
    let wait = match text.trim().parse::<u32>() {
        Ok(seconds) => TimeDelta::seconds(i64::from(seconds)),
        Err(_) => DateTime::parse_from_rfc2822(text.trim()).ok()?.with_timezone(&Utc) - now,
    };
    Some(wait.clamp(TimeDelta::seconds(1), most))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&str, &str)]) -> Answer {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Answer { status, headers: headers.collect(), body: Vec::new() }
    }

    #[test]
    fn a_receiver_may_ask_to_wait() {
        let now = "2026-11-03T09:00:00Z".parse().unwrap();
        let wait = |text| match judge(&answer(429, &[("retry-after", text)]), now) {
            Outcome::Wait(wait, _) => Some(wait.num_seconds()),
            _ => None,
        };
        assert_eq!(wait("120"), Some(120));
        assert_eq!(wait("Tue, 03 Nov 2026 09:05:00 GMT"), Some(300));
        assert_eq!(wait("Mon, 02 Nov 2026 09:05:00 GMT"), Some(1), "a past instant is no reason to hurry");
        assert_eq!(wait("4294967295"), Some(24 * 3600));
        assert_eq!(wait("soon"), None);
        assert!(matches!(judge(&answer(503, &[]), now), Outcome::Failed(_)));
    }

    #[test]
    fn only_success_is_success() {
        let now = "2026-11-03T09:00:00Z".parse().unwrap();
        assert_eq!(judge(&answer(204, &[]), now), Outcome::Delivered);
        assert_eq!(judge(&answer(410, &[]), now), Outcome::Gone);
        for status in [301, 302, 307, 400, 401, 404, 500, 502] {
            assert!(matches!(judge(&answer(status, &[]), now), Outcome::Failed(_)), "{status}");
        }
    }
}
