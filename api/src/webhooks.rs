//! Addresses that changes are sent to: registered, changed, given other secrets, removed.

use chrono::{DateTime, Utc};
use guichet_engine::journal::Position;
use guichet_engine::rules::records::webhook::{
    Disablement, Subscription, Webhook, WebhookRegistered, personal,
};
use guichet_engine::rules::records::{RecordEvent, WebhookEvent};
use guichet_engine::rules::request::{Actor, CommandId, Rejection};
use guichet_engine::{EngineError, RecordEntry, RecordReceipt, RecordSubmission};
use serde::Serialize;
use uuid::Uuid;

use crate::guichet::Guichet;
use crate::outbound::webhook::fresh_secret;

/// The most addresses of a collectivity.
pub const WEBHOOKS_MAX: usize = 50;
/// The longest time that a secret goes on signing beside the one that follows it, in hours.
pub const GRACE_HOURS_MAX: u32 = 168;
/// The kind of its streams.
const KIND: &str = "webhook";
/// The names from which ids of webhooks are made.
const NAMESPACE: Uuid = Uuid::from_u128(0x2f60_1d1c_88d3_4a5b_9a6e_0c57_13f4_7be2);

/// Who asks, and under which id.
#[derive(Debug, Clone)]
pub struct Asking<'a> {
    /// The collectivity.
    pub tenant: &'a str,
    /// Who.
    pub actor: &'a Actor,
    /// The same id sent again answers the same.
    pub command_id: CommandId,
}

/// A secret that was made, to be shown once.
#[derive(Debug, Clone)]
pub struct Entrusted {
    /// The webhook.
    pub webhook: Uuid,
    /// Its secret.
    pub secret: String,
    /// A reader that has passed this position has seen it.
    pub position: Option<Position>,
    /// Whether the same command had come before.
    pub repeated: bool,
}

impl Guichet {
    /// Registers an address, which was checked, and makes its secret.
    ///
    /// # Errors
    /// As [`Engine::record`](guichet_engine::Engine::record).
    pub async fn register_webhook(
        &self,
        asking: &Asking<'_>,
        address: &str,
        subscription: &Subscription,
    ) -> Result<Entrusted, EngineError> {
        let secret = fresh_secret(self.ambient().as_ref()).map_err(EngineError::Chance)?;
        let name = format!("{}:{}", asking.tenant, asking.command_id.0);
        let webhook = Uuid::new_v5(&NAMESPACE, name.as_bytes());
        let content = ("register", address, subscription);
        let receipt = self
            .webhook_record(asking, webhook, &content, |before, _| {
                let registered = WebhookRegistered {
                    address: personal(address.to_owned()),
                    secret: personal(secret.clone()),
                    subscription: subscription.clone(),
                };
                Webhook::register(before, registered)
            })
            .await?;
        self.entrusted(asking, receipt, secret).await
    }

    /// Changes what an address wants, or the address itself, which was checked; one that was disabled is active again.
    ///
    /// # Errors
    /// As [`Engine::record`](guichet_engine::Engine::record).
    pub async fn change_webhook(
        &self,
        asking: &Asking<'_>,
        webhook: Uuid,
        address: Option<&str>,
        subscription: &Subscription,
    ) -> Result<RecordReceipt, EngineError> {
        let content = ("change", address, subscription);
        let changed = self
            .webhook_record(asking, webhook, &content, |before, _| {
                Webhook::change(before, address.map(str::to_owned), subscription.clone())
            })
            .await?;
        self.forget_deliveries(webhook, false).await;
        Ok(changed)
    }

    /// Gives an address another secret; the present one goes on signing beside it until `previous_until` (UTC).
    ///
    /// # Errors
    /// As [`Engine::record`](guichet_engine::Engine::record).
    pub async fn rotate_webhook(
        &self,
        asking: &Asking<'_>,
        webhook: Uuid,
        grace_hours: u32,
    ) -> Result<Entrusted, EngineError> {
        let secret = fresh_secret(self.ambient().as_ref()).map_err(EngineError::Chance)?;
        let grace = chrono::TimeDelta::hours(i64::from(grace_hours.min(GRACE_HOURS_MAX)));
        let receipt = self
            .webhook_record(asking, webhook, &("rotate", grace_hours), |before, now| {
                Webhook::rotate(before, secret.clone(), now + grace)
            })
            .await?;
        self.entrusted(asking, receipt, secret).await
    }

    /// Disables an address, as the engine: nothing makes sense there any more.
    pub(crate) async fn disable_webhook(
        &self,
        tenant: &str,
        webhook: Uuid,
        reason: Disablement,
        error: &str,
    ) -> Result<(), EngineError> {
        let asking = Asking { tenant, actor: &Actor::Engine, command_id: self.fresh_command_id()? };
        let content = ("disable", reason, error);
        self.webhook_record(&asking, webhook, &content, |before, _| {
            Ok(Webhook::disable(before, reason, error))
        })
        .await
        .map(drop)
    }

    /// Removes an address, and everything that waits for it; the key of its address and secrets is destroyed.
    ///
    /// # Errors
    /// As [`Engine::record`](guichet_engine::Engine::record).
    pub async fn remove_webhook(
        &self,
        asking: &Asking<'_>,
        webhook: Uuid,
    ) -> Result<RecordReceipt, EngineError> {
        let removed =
            self.webhook_record(asking, webhook, &"remove", |before, _| Webhook::remove(before)).await?;
        self.engine().erase_record(asking.tenant, KIND, webhook).await?;
        self.forget_deliveries(webhook, true).await;
        Ok(removed)
    }

    /// An address as it stands, its secrets opened; none where this collectivity has none of this id.
    ///
    /// # Errors
    /// As [`Engine::recorded_of`](guichet_engine::Engine::recorded_of).
    pub async fn webhook(&self, tenant: &str, webhook: Uuid) -> Result<Option<Webhook>, EngineError> {
        let entries = self.engine().recorded_of(tenant, KIND, webhook, true).await?;
        Ok(folded(&entries))
    }

    async fn webhook_record<T, D>(
        &self,
        asking: &Asking<'_>,
        webhook: Uuid,
        content: &T,
        decide: D,
    ) -> Result<RecordReceipt, EngineError>
    where
        T: Serialize + Sync,
        D: Fn(Option<&Webhook>, DateTime<Utc>) -> Result<Vec<WebhookEvent>, Rejection> + Send + Sync,
    {
        let submission = RecordSubmission {
            tenant: asking.tenant,
            kind: KIND,
            record: webhook,
            actor: asking.actor,
            command_id: asking.command_id,
            content,
        };
        let decide = |entries: &[RecordEntry], now| {
            let events = decide(folded(entries).as_ref(), now)?;
            Ok(events.into_iter().map(RecordEvent::from).collect())
        };
        self.engine().record(&submission, decide).await
    }

    /// The secret that was made, or, where the same command had come before, the one that was made then.
    async fn entrusted(
        &self,
        asking: &Asking<'_>,
        receipt: RecordReceipt,
        secret: String,
    ) -> Result<Entrusted, EngineError> {
        let (webhook, position, repeated) = (receipt.record, receipt.position, receipt.repeated);
        let mut made = secret;
        if repeated {
            let entries = self.engine().recorded_of(asking.tenant, KIND, webhook, true).await?;
            let first = entries.iter().filter(|entry| entry.command == asking.command_id.0);
            made = first.filter_map(secret_of).next().unwrap_or_default();
        }
        Ok(Entrusted { webhook, secret: made, position, repeated })
    }

    async fn forget_deliveries(&self, webhook: Uuid, removed: bool) {
        // What is left over harms nobody: an address that is not there is never claimed.
        if let Err(error) = self.read_models().webhook_begins_anew(webhook, removed).await {
            tracing::warn!(%error, "the deliveries of a webhook are not forgotten");
        }
    }
}

fn secret_of(entry: &RecordEntry) -> Option<String> {
    let RecordEvent::Webhook(event) = &entry.event else { return None };
    match event {
        WebhookEvent::WebhookRegistered(event) => event.secret.known().cloned(),
        WebhookEvent::WebhookSecretRotated(event) => event.secret.known().cloned(),
        WebhookEvent::WebhookChanged(_)
        | WebhookEvent::WebhookDisabled(_)
        | WebhookEvent::WebhookRemoved(_) => None,
    }
}

fn folded(entries: &[RecordEntry]) -> Option<Webhook> {
    let events = entries.iter().filter_map(|entry| match &entry.event {
        RecordEvent::Webhook(event) => Some(event),
        RecordEvent::Access(_)
        | RecordEvent::Erasure(_)
        | RecordEvent::Alert(_)
        | RecordEvent::Contact(_)
        | RecordEvent::Support(_) => None,
    });
    Webhook::of(events)
}
