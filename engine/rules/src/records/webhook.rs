//! An address that changes are sent to.
//!
//! The address and its secrets are personal parts: who holds the journal without its keys reads neither. An address often
//! holds a secret of its own in its path or query.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::record_events;
use crate::request::{Personal, Rejection};
use crate::text::Text;

/// Whose the personal parts are.
pub const INTEGRATOR: &str = "integrator";

/// What an integrator wants to be told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// What it is for, in the integrator's words; nothing personal belongs there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Beginnings of wire names, such as `request.` or `request.delivered`; everything if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<String>,
    /// Processes; all of them if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub processes: Vec<String>,
    /// Whether anything is sent; what happens meanwhile is sent once it is wanted again.
    pub active: bool,
}

impl Subscription {
    /// Whether events of this wire name are wanted, of whatever process.
    #[must_use]
    pub fn wants_event(&self, name: &str) -> bool {
        self.events.is_empty() || self.events.iter().any(|prefix| name.starts_with(prefix.as_str()))
    }

    /// Whether what happens to requests of this process is wanted.
    #[must_use]
    pub fn wants_process(&self, process: &str) -> bool {
        self.processes.is_empty() || self.processes.iter().any(|wanted| wanted == process)
    }
}

/// Why nothing is sent any more until somebody says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disablement {
    /// The receiver answered 410: there is nobody there any more.
    Gone,
    /// It failed for days.
    Failing,
}

/// Somebody wants to be told at this address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookRegistered {
    /// The address, an URL.
    pub address: Personal<String>,
    /// What signs deliveries: `whsec_` and base64 (Standard Webhooks).
    pub secret: Personal<String>,
    /// What is wanted.
    pub subscription: Subscription,
}

/// Something else is wanted, or elsewhere; it is not disabled any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookChanged {
    /// The new address, if it is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Personal<String>>,
    /// What is wanted from now on, whole.
    pub subscription: Subscription,
}

/// Another secret signs; the one before signs as well for a while, so that nothing is refused meanwhile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookSecretRotated {
    /// The new secret.
    pub secret: Personal<String>,
    /// Until when the one before signs too (UTC).
    pub previous_until: DateTime<Utc>,
}

/// Nothing is sent any more: it did not make sense.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookDisabled {
    /// Why.
    pub reason: Disablement,
    /// How the last try ended, without addresses.
    pub error: String,
}

/// Nobody wants to be told there any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookRemoved {}

record_events! {
    /// What happened to an address that changes are sent to.
    WebhookEvent {
        /// It was registered.
        WebhookRegistered = "webhook.registered",
        /// Something about it was changed.
        WebhookChanged = "webhook.changed",
        /// It has another secret.
        WebhookSecretRotated = "webhook.secret_rotated",
        /// It was disabled.
        WebhookDisabled = "webhook.disabled",
        /// It was removed.
        WebhookRemoved = "webhook.removed",
    }
}

/// Where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WebhookStanding {
    /// Deliveries go out.
    Active,
    /// Somebody paused it.
    Paused,
    /// It was disabled because deliveries made no sense.
    Disabled,
}

/// An address as it stands, folded from its events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// The address.
    pub address: Personal<String>,
    /// What signs.
    pub secret: Personal<String>,
    /// What signs as well, and until when (UTC).
    pub previous: Option<(Personal<String>, DateTime<Utc>)>,
    /// What is wanted.
    pub subscription: Subscription,
    /// Why it is disabled, if it is.
    pub disabled: Option<Disablement>,
}

impl Webhook {
    /// The state that events make; none before the first and after the removal.
    pub fn of<'a>(events: impl IntoIterator<Item = &'a WebhookEvent>) -> Option<Self> {
        events.into_iter().fold(None, Self::after)
    }

    fn after(webhook: Option<Self>, event: &WebhookEvent) -> Option<Self> {
        match (webhook, event) {
            (_, WebhookEvent::WebhookRegistered(event)) => Some(Self {
                address: event.address.clone(),
                secret: event.secret.clone(),
                previous: None,
                subscription: event.subscription.clone(),
                disabled: None,
            }),
            (Some(webhook), WebhookEvent::WebhookChanged(event)) => Some(Self {
                address: event.address.clone().unwrap_or(webhook.address),
                subscription: event.subscription.clone(),
                disabled: None,
                ..webhook
            }),
            (Some(webhook), WebhookEvent::WebhookSecretRotated(event)) => Some(Self {
                previous: Some((webhook.secret, event.previous_until)),
                secret: event.secret.clone(),
                ..webhook
            }),
            (Some(webhook), WebhookEvent::WebhookDisabled(event)) => {
                Some(Self { disabled: Some(event.reason), ..webhook })
            }
            (_, WebhookEvent::WebhookRemoved(_)) | (None, _) => None,
        }
    }

    /// Where it stands.
    #[must_use]
    pub fn standing(&self) -> WebhookStanding {
        match (self.disabled, self.subscription.active) {
            (Some(_), _) => WebhookStanding::Disabled,
            (None, true) => WebhookStanding::Active,
            (None, false) => WebhookStanding::Paused,
        }
    }

    /// Registers it.
    ///
    /// # Errors
    /// It is there already.
    pub fn register(
        before: Option<&Self>,
        registered: WebhookRegistered,
    ) -> Result<Vec<WebhookEvent>, Rejection> {
        match before {
            None => Ok(vec![registered.into()]),
            Some(_) => Err(Rejection::new(
                "webhook.exists",
                Text::new("Cette adresse est déjà inscrite.", "This address is registered already."),
            )),
        }
    }

    /// Changes it; nothing happens where nothing is different.
    ///
    /// # Errors
    /// `webhook.unknown`.
    pub fn change(
        before: Option<&Self>,
        address: Option<String>,
        subscription: Subscription,
    ) -> Result<Vec<WebhookEvent>, Rejection> {
        let webhook = before.ok_or_else(unknown)?;
        if address.is_none() && webhook.subscription == subscription && webhook.disabled.is_none() {
            return Ok(Vec::new());
        }
        let address = address.map(personal);
        Ok(vec![WebhookChanged { address, subscription }.into()])
    }

    /// Gives it another secret; the present one signs too until `previous_until` (UTC).
    ///
    /// # Errors
    /// `webhook.unknown`.
    pub fn rotate(
        before: Option<&Self>,
        secret: String,
        previous_until: DateTime<Utc>,
    ) -> Result<Vec<WebhookEvent>, Rejection> {
        before.ok_or_else(unknown)?;
        Ok(vec![WebhookSecretRotated { secret: personal(secret), previous_until }.into()])
    }

    /// Disables it; nothing happens where nothing is sent anyway.
    #[must_use]
    pub fn disable(before: Option<&Self>, reason: Disablement, error: &str) -> Vec<WebhookEvent> {
        match before.map(Self::standing) {
            Some(WebhookStanding::Active) => vec![WebhookDisabled { reason, error: error.to_owned() }.into()],
            Some(WebhookStanding::Paused | WebhookStanding::Disabled) | None => Vec::new(),
        }
    }

    /// Removes it.
    ///
    /// # Errors
    /// `webhook.unknown`.
    pub fn remove(before: Option<&Self>) -> Result<Vec<WebhookEvent>, Rejection> {
        before.ok_or_else(unknown)?;
        Ok(vec![WebhookRemoved {}.into()])
    }
}

/// A part that only holders of the journal's keys read.
#[must_use]
pub fn personal(value: String) -> Personal<String> {
    Personal { subject: INTEGRATOR.into(), content: crate::request::Content::Known(value) }
}

fn unknown() -> Rejection {
    Rejection::new(
        "webhook.unknown",
        Text::new("Cette adresse n’est pas inscrite.", "There is no such address."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registered() -> WebhookEvent {
        WebhookRegistered {
            address: personal("https://portail.example/crochet?jeton=1".into()),
            secret: personal("whsec_AAAA".into()),
            subscription: Subscription { active: true, ..Subscription::default() },
        }
        .into()
    }

    #[test]
    fn a_secret_goes_on_signing_beside_the_one_that_follows_it() {
        let until = "2026-11-04T09:00:00Z".parse().unwrap();
        let mut events = vec![registered()];
        let before = Webhook::of(&events);
        events.extend(Webhook::rotate(before.as_ref(), "whsec_BBBB".into(), until).unwrap());
        let webhook = Webhook::of(&events).unwrap();
        assert_eq!(webhook.secret.known().unwrap(), "whsec_BBBB");
        let (previous, ends) = webhook.previous.unwrap();
        assert_eq!((previous.known().unwrap().as_str(), ends), ("whsec_AAAA", until));
    }

    #[test]
    fn what_was_disabled_sends_again_once_somebody_changes_it() {
        let mut events = vec![registered()];
        let before = Webhook::of(&events);
        events.extend(Webhook::disable(before.as_ref(), Disablement::Gone, "410"));
        let disabled = Webhook::of(&events).unwrap();
        assert_eq!(disabled.standing(), WebhookStanding::Disabled);
        assert!(Webhook::disable(Some(&disabled), Disablement::Failing, "500").is_empty(), "once is enough");
        let wanted = disabled.subscription.clone();
        events.extend(Webhook::change(Some(&disabled), None, wanted.clone()).unwrap());
        let active = Webhook::of(&events).unwrap();
        assert_eq!(active.standing(), WebhookStanding::Active);
        assert!(Webhook::change(Some(&active), None, wanted).unwrap().is_empty(), "nothing is different");
    }

    #[test]
    fn what_was_removed_is_not_there() {
        let events = vec![registered(), WebhookRemoved {}.into()];
        assert_eq!(Webhook::of(&events), None);
        assert_eq!(Webhook::remove(None).unwrap_err().code, "webhook.unknown");
    }

    #[test]
    fn prefixes_and_processes_choose() {
        let some = Subscription {
            events: vec!["request.deliver".into()],
            processes: vec!["voirie/tag".into()],
            ..Subscription::default()
        };
        assert!(some.wants_event("request.delivered") && !some.wants_event("request.received"));
        assert!(some.wants_process("voirie/tag") && !some.wants_process("voirie/tags"));
        assert!(Subscription::default().wants_event("x") && Subscription::default().wants_process("x"));
    }

    #[test]
    fn a_body_comes_back_as_it_was_written() {
        let event = registered();
        let body = serde_json::to_vec(&event).unwrap();
        assert_eq!(WebhookEvent::decode("webhook.registered", &body).unwrap(), event);
    }
}
