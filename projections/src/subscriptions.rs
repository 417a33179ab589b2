//! `subscriptions`: who asked for which news, and who consented to what, by accounts' ids. Nothing in it says who they are.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use guichet_rules::records::RecordEvent;
use guichet_rules::records::contact::{Circle, ContactEvent, Wish};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::answer::Answer;
use crate::error::ProjectionError;
use crate::models::ReadModel;
use crate::read_models::ReadModels;
use crate::runner::{Fold, Record};
use crate::store::{
    Columns, Row, Rows, Snapshot, Table, Value, Where, bytes, int, opt_int, opt_real, opt_text, text,
};

/// The read model.
pub(crate) static MODEL: ReadModel = ReadModel {
    name: "subscriptions",
    version: 1,
    tables: &[&SUBSCRIPTIONS, &CONSENTS],
    fold: |_| Box::new(Subscriptions),
};

static SUBSCRIPTIONS: Table = Table {
    name: "subscription",
    columns: &[
        bytes("contact"),
        bytes("subscription"),
        text("tenant"),
        opt_text("topic"),
        opt_text("area"),
        opt_real("lat"),
        opt_real("lon"),
        opt_int("metres"),
        int("since"),
    ],
    key: 2,
    indexes: &[&["tenant", "contact"]],
    append_only: false,
};

static CONSENTS: Table = Table {
    name: "consent",
    columns: &[bytes("contact"), text("purpose"), text("tenant"), text("version"), int("given")],
    key: 2,
    indexes: &[&["tenant", "purpose"]],
    append_only: false,
};

/// The folding side.
struct Subscriptions;

impl Fold for Subscriptions {
    fn record(&mut self, record: &Record<'_>, rows: &mut Rows) -> Result<(), String> {
        match &record.event {
            RecordEvent::Contact(event) => contact(record, event, rows),
            RecordEvent::Access(_)
            | RecordEvent::Alert(_)
            | RecordEvent::Erasure(_)
            | RecordEvent::Support(_)
            | RecordEvent::Webhook(_) => {}
        }
        Ok(())
    }
}

fn contact(record: &Record<'_>, event: &ContactEvent, rows: &mut Rows) {
    let (who, tenant, at): (Value, Value, Value) =
        (record.id.into(), record.tenant.into(), record.meta.occurred_at.into());
    match event {
        ContactEvent::Subscribed(event) => {
            let (wish, around) = (&event.wish, event.wish.around);
            rows.table(&SUBSCRIPTIONS).upsert([
                who,
                event.subscription.into(),
                tenant,
                wish.topic.as_ref().into(),
                wish.area.as_ref().into(),
                around.map(|around| around.lat).into(),
                around.map(|around| around.lon).into(),
                around.map(|around| around.metres).into(),
                at,
            ]);
        }
        ContactEvent::Unsubscribed(event) => {
            rows.table(&SUBSCRIPTIONS).withdraw(&[who, event.subscription.into()]);
        }
        ContactEvent::ConsentGiven(event) => {
            let (purpose, version) = ((&event.purpose).into(), (&event.version).into());
            rows.table(&CONSENTS).upsert([who, purpose, tenant, version, at]);
        }
        ContactEvent::ConsentWithdrawn(event) => {
            rows.table(&CONSENTS).withdraw(&[who, (&event.purpose).into()]);
        }
        ContactEvent::AccountOpened(_)
        | ContactEvent::IdentityVerified(_)
        | ContactEvent::DetailsChanged(_)
        | ContactEvent::AddressVerified(_)
        | ContactEvent::PreferencesChanged(_)
        | ContactEvent::RequestLinked(_)
        | ContactEvent::AccountClosed(_) => {}
    }
}

/// Somebody who asked for news.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Subscriber {
    /// Their account.
    pub contact: Uuid,
    /// What they asked for.
    pub wish: Wish,
    /// Since when (UTC).
    pub since: DateTime<Utc>,
}

/// How many agreed to something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentCount {
    /// To what.
    pub purpose: String,
    /// To which wording of it.
    pub version: String,
    /// How many people agree now.
    pub people: u64,
}

fn read(row: &Row) -> Result<Subscriber, ProjectionError> {
    let mut at = Columns::new(row);
    let contact = at.uuid()?;
    let (topic, area) = (at.take()?, at.take()?);
    let (lat, lon, metres): (Option<f64>, Option<f64>, Option<i64>) = (at.take()?, at.take()?, at.take()?);
    let around = lat.zip(lon).map(|(lat, lon)| Circle {
        lat,
        lon,
        metres: metres.and_then(|metres| u32::try_from(metres).ok()).unwrap_or_default(),
    });
    Ok(Subscriber { contact, wish: Wish { topic, area, around }, since: at.instant()? })
}

impl ReadModels {
    /// Whoever asked for news of a collectivity on any of these topics (on any if empty), before an instant (UTC), in the
    /// order of their accounts behind `after`; at most `limit` wishes of them, an account's own together or not at all.
    ///
    /// # Errors
    /// [`ProjectionError::Store`].
    pub async fn subscribers(
        &self,
        tenant: &str,
        topics: &[String],
        until: DateTime<Utc>,
        after: Option<Uuid>,
        limit: u32,
    ) -> Result<Answer<Vec<Subscriber>>, ProjectionError> {
        let mut filter = Where::default();
        filter.with("tenant = ?", tenant);
        filter.with("since <= ?", until);
        filter.maybe("contact > ?", after);
        if !topics.is_empty() {
            let marks = vec!["?"; topics.len()].join(",");
            filter.raw(format!("(topic IS NULL OR topic IN ({marks}))"), topics.iter().map(Value::from));
        }
        let mut snapshot = Snapshot::take(self.database(), MODEL.name).await?;
        let sql = format!(
            "SELECT contact, topic, area, lat, lon, metres, since FROM subscription {} \
             ORDER BY contact, subscription LIMIT {}",
            filter.sql(),
            u64::from(limit) + 1
        );
        let rows = snapshot.rows(sql, &filter.values).await?;
        let mut found = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        if found.len() > limit as usize {
            // The last account may go on behind the end: it comes whole with the next stretch.
            let last = found.last().map(|subscriber| subscriber.contact);
            found.retain(|subscriber| Some(subscriber.contact) != last);
        }
        let n = found.len() as u64;
        Ok(snapshot.answer((n, n), found))
    }

    /// How many people agree to what, by purpose and wording.
    ///
    /// # Errors
    /// [`ProjectionError::Store`].
    pub async fn consents(&self, tenant: &str) -> Result<Answer<Vec<ConsentCount>>, ProjectionError> {
        let mut snapshot = Snapshot::take(self.database(), MODEL.name).await?;
        let sql = "SELECT purpose, version, COUNT(*) FROM consent WHERE tenant = ? \
            GROUP BY purpose, version ORDER BY purpose, version";
        let rows = snapshot.rows(sql.to_owned(), &[tenant.into()]).await?;
        let read = |row: &Row| {
            let mut at = Columns::new(row);
            Ok(ConsentCount { purpose: at.take()?, version: at.take()?, people: at.count()? })
        };
        let counts = rows.iter().map(read).collect::<Result<Vec<_>, ProjectionError>>()?;
        let n = counts.iter().map(|count| count.people).sum();
        Ok(snapshot.answer((n, n), counts))
    }

    /// How many people asked for news, by topic; those who named none under the empty name.
    ///
    /// # Errors
    /// [`ProjectionError::Store`].
    pub async fn topics(&self, tenant: &str) -> Result<Answer<BTreeMap<String, u64>>, ProjectionError> {
        let mut snapshot = Snapshot::take(self.database(), MODEL.name).await?;
        let sql = "SELECT COALESCE(topic, ''), COUNT(DISTINCT contact) FROM subscription WHERE tenant = ? \
            GROUP BY COALESCE(topic, '')";
        let rows = snapshot.rows(sql.to_owned(), &[tenant.into()]).await?;
        let read = |row: &Row| {
            let mut at = Columns::new(row);
            Ok((at.take()?, at.count()?))
        };
        let topics = rows.iter().map(read).collect::<Result<BTreeMap<_, _>, ProjectionError>>()?;
        let n = topics.values().sum();
        Ok(snapshot.answer((n, n), topics))
    }
}
