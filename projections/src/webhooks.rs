//! `webhooks`: the addresses that changes are sent to, without the addresses themselves and their secrets, which are opened
//! from the journal by whoever sends. What was delivered stands beside, in `deliveries`.

use chrono::{DateTime, Utc};
use guichet_rules::records::RecordEvent;
use guichet_rules::records::WebhookEvent;
use guichet_rules::records::webhook::{Disablement, Subscription, WebhookStanding};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::deliveries::Deliveries;
use crate::error::ProjectionError;
use crate::models::ReadModel;
use crate::read_models::ReadModels;
use crate::runner::{Fold, Record};
use crate::store::{Columns, Row, Rows, Snapshot, Table, Value, bytes, code, int, opt_text, text, token_of};

/// The read model.
pub(crate) static MODEL: ReadModel = ReadModel {
    name: "webhooks",
    version: 1,
    tables: &[&TABLE, &SUBSCRIPTION, &STANDING],
    fold: |_| Box::new(Webhooks),
};

static TABLE: Table = Table {
    name: "webhook",
    columns: &[bytes("webhook"), text("tenant").fixed(), int("registered").fixed(), int("begins").fixed()],
    key: 1,
    indexes: &[&["tenant"]],
    append_only: false,
};

/// Apart, because it changes without the row above.
static SUBSCRIPTION: Table = Table {
    name: "webhook_subscription",
    columns: &[bytes("webhook"), text("subscription")],
    key: 1,
    indexes: &[],
    append_only: false,
};

/// Apart, because it changes without what is wanted.
static STANDING: Table = Table {
    name: "webhook_standing",
    columns: &[bytes("webhook"), text("standing"), opt_text("reason"), opt_text("error")],
    key: 1,
    indexes: &[],
    append_only: false,
};

/// An address that changes are sent to, as lists show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookEntry {
    /// Its id.
    pub webhook: Uuid,
    /// The collectivity whose changes are sent.
    pub tenant: String,
    /// When it was registered (UTC).
    pub registered: DateTime<Utc>,
    /// What is wanted.
    pub subscription: Subscription,
    /// Where it stands.
    pub standing: WebhookStanding,
    /// Why it is disabled, if it is.
    pub disabled: Option<Disablement>,
    /// How the try ended after which it was disabled.
    pub disabled_after: Option<String>,
    /// How deliveries go.
    pub deliveries: Deliveries,
}

/// The folding side.
struct Webhooks;

impl Fold for Webhooks {
    fn record(&mut self, record: &Record<'_>, rows: &mut Rows) -> Result<(), String> {
        let RecordEvent::Webhook(event) = &record.event else { return Ok(()) };
        match event {
            WebhookEvent::WebhookRegistered(event) => {
                rows.table(&TABLE).upsert([
                    record.id.into(),
                    record.tenant.into(),
                    record.meta.recorded_at.into(),
                    token_of(record.position).into(),
                ]);
                settings(record, &event.subscription, rows);
            }
            WebhookEvent::WebhookChanged(event) => settings(record, &event.subscription, rows),
            WebhookEvent::WebhookSecretRotated(_) => {}
            WebhookEvent::WebhookDisabled(event) => rows.table(&STANDING).upsert([
                record.id.into(),
                code(&WebhookStanding::Disabled).into(),
                code(&event.reason).into(),
                (&event.error).into(),
            ]),
            WebhookEvent::WebhookRemoved(_) => {
                rows.table(&TABLE).withdraw(&[record.id.into()]);
                rows.table(&SUBSCRIPTION).withdraw(&[record.id.into()]);
                rows.table(&STANDING).withdraw(&[record.id.into()]);
            }
        }
        Ok(())
    }
}

fn settings(record: &Record<'_>, subscription: &Subscription, rows: &mut Rows) {
    let wanted = serde_json::to_string(subscription).unwrap_or_default();
    rows.table(&SUBSCRIPTION).upsert([record.id.into(), wanted.into()]);
    let standing = if subscription.active { WebhookStanding::Active } else { WebhookStanding::Paused };
    rows.table(&STANDING).upsert([record.id.into(), code(&standing).into(), Value::Null, Value::Null]);
}

const SELECT: &str = "SELECT w.webhook, w.tenant, w.registered, u.subscription, s.standing, s.reason, s.error, \
    COALESCE(c.failures, 0), c.failing_since, c.delivered, c.error, \
    (SELECT COUNT(*) FROM webhook_delivery d WHERE d.webhook = w.webhook AND d.dead = 0), \
    (SELECT COUNT(*) FROM webhook_delivery d WHERE d.webhook = w.webhook AND d.dead = 1) \
    FROM webhook w JOIN webhook_subscription u ON u.webhook = w.webhook \
    JOIN webhook_standing s ON s.webhook = w.webhook \
    LEFT JOIN webhook_cursor c ON c.webhook = w.webhook";

fn read(row: &Row) -> Result<WebhookEntry, ProjectionError> {
    let mut at = Columns::new(row);
    Ok(WebhookEntry {
        webhook: at.uuid()?,
        tenant: at.take()?,
        registered: at.instant()?,
        subscription: at.json()?,
        standing: at.code()?,
        disabled: at.opt_code()?,
        disabled_after: at.take()?,
        deliveries: Deliveries {
            failures: at.number()?,
            failing_since: at.opt_instant()?,
            delivered: at.opt_instant()?,
            error: at.take()?,
            waiting: at.count()?,
            dead: at.count()?,
        },
    })
}

impl ReadModels {
    /// The addresses of a collectivity, the first registered first.
    ///
    /// # Errors
    /// [`ProjectionError::Store`].
    pub async fn webhooks(&self, tenant: &str) -> Result<Vec<WebhookEntry>, ProjectionError> {
        let mut snapshot = Snapshot::take(self.database(), MODEL.name).await?;
        let sql = format!("{SELECT} WHERE w.tenant = ? ORDER BY w.registered, w.webhook");
        snapshot.rows(sql, &[tenant.into()]).await?.iter().map(read).collect()
    }

    /// One of them; none where this collectivity has none of this id.
    ///
    /// # Errors
    /// [`ProjectionError::Store`].
    pub async fn webhook(
        &self,
        tenant: &str,
        webhook: Uuid,
    ) -> Result<Option<WebhookEntry>, ProjectionError> {
        let mut snapshot = Snapshot::take(self.database(), MODEL.name).await?;
        let sql = format!("{SELECT} WHERE w.tenant = ? AND w.webhook = ?");
        let rows = snapshot.rows(sql, &[tenant.into(), webhook.into()]).await?;
        rows.first().map(read).transpose()
    }
}
