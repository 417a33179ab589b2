//! How far each webhook has been told, and what could not be delivered yet. None of it follows from the journal, so no
//! rebuild touches it: losing it would send everything since the registration once more, with the same ids.
//!
//! A server claims an address for a while, sends what comes next, and settles: the cursor moves and failures are parked in
//! one transaction, which is refused when the claim was over and somebody else has the address by now.

use chrono::{DateTime, Utc};
use guichet_journal::Position;
use guichet_rules::records::webhook::{Subscription, WebhookStanding};
use guichet_rules::request::RequestId;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::ProjectionError;
use crate::read_models::ReadModels;
use crate::store::{
    Columns, Connection, Row, Snapshot, Table, Value, bytes, code, int, micros, opt_int, opt_text,
    position_of, token_of,
};

/// One row for each webhook that was ever claimed.
pub(crate) static CURSORS: Table = Table {
    name: "webhook_cursor",
    columns: &[
        bytes("webhook"),
        opt_int("position"),
        opt_int("leased_until"),
        opt_text("holder"),
        opt_int("rest_until"),
        opt_int("failures"),
        opt_int("failing_since"),
        opt_int("delivered"),
        opt_text("error"),
        opt_int("touched"),
    ],
    key: 1,
    indexes: &[],
    append_only: false,
};

/// Events that a webhook did not take: waiting for another try, or dead.
pub(crate) static PARKED: Table = Table {
    name: "webhook_delivery",
    columns: &[
        bytes("webhook"),
        bytes("event"),
        bytes("request"),
        int("revision"),
        int("position"),
        int("attempts"),
        opt_int("next_attempt"),
        int("dead"),
        int("parked"),
        opt_text("error"),
    ],
    key: 2,
    indexes: &[],
    append_only: false,
};

/// How the deliveries of a webhook go.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deliveries {
    /// Failures since the last success.
    pub failures: u32,
    /// When the first of them was (UTC).
    pub failing_since: Option<DateTime<Utc>>,
    /// The last success (UTC).
    pub delivered: Option<DateTime<Utc>>,
    /// How the last failure ended, without addresses.
    pub error: Option<String>,
    /// Events that are tried again.
    pub waiting: u64,
    /// Events that are not tried any more.
    pub dead: u64,
}

/// A webhook that a server has to itself for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Its id.
    pub webhook: Uuid,
    /// Its collectivity.
    pub tenant: String,
    /// What it wants.
    pub subscription: Subscription,
    /// Up to where it was told.
    pub position: Option<Position>,
    /// Until when the claim holds, by the clock of the database.
    pub leased_until: DateTime<Utc>,
    /// Failures since the last success.
    pub failures: u32,
    /// When the first of them was (UTC).
    pub failing_since: Option<DateTime<Utc>>,
    /// What waits for another try, in the order of the journal.
    pub waiting: Vec<Parked>,
}

/// An event that was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parked {
    /// The event: the delivery's id.
    pub event: Uuid,
    /// Its request.
    pub request: RequestId,
    /// Its place in the request's history.
    pub revision: u64,
    /// Its place in the journal.
    pub position: Position,
    /// Tries so far.
    pub attempts: u32,
    /// When it may be tried again (UTC); none while it waits behind an earlier event of its request.
    pub next_attempt: Option<DateTime<Utc>>,
    /// Whether it is not tried any more.
    pub dead: bool,
    /// How the last try ended, without addresses.
    pub error: Option<String>,
}

/// An event that is not tried any more, unless somebody asks for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// The event: the delivery's id.
    pub event: Uuid,
    /// Its request.
    pub request: RequestId,
    /// Its place in the request's history.
    pub revision: u64,
    /// Tries made.
    pub attempts: u32,
    /// When it was last given up (UTC).
    pub since: DateTime<Utc>,
    /// How the last try ended, without addresses.
    pub error: Option<String>,
}

/// What a server asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointClaim {
    /// Who asks: a server's name.
    pub holder: String,
    /// Now (UTC).
    pub now: DateTime<Utc>,
    /// Until when nobody else gets them (UTC); with several servers the time from `now` is counted by the database.
    pub lease_until: DateTime<Utc>,
    /// Where the journal ends: addresses told up to there have nothing to do.
    pub head: Position,
    /// How many at most.
    pub limit: u32,
}

/// What a turn came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settled {
    /// Up to where it was told by now; as before where none.
    pub position: Option<Position>,
    /// Whether anything was taken.
    pub succeeded: bool,
    /// What is out of the way: taken, or no longer wanted.
    pub delivered: Vec<Uuid>,
    /// What was not, old and new.
    pub parked: Vec<Parked>,
    /// Failures since the last success.
    pub failures: u32,
    /// When the first of them was (UTC).
    pub failing_since: Option<DateTime<Utc>>,
    /// Nothing is sent before this instant (UTC).
    pub rest_until: Option<DateTime<Utc>>,
    /// How the last failure ended.
    pub error: Option<String>,
}

const PARKED_COLUMNS: &str = "event, request, revision, position, attempts, next_attempt, dead, error";

fn read_parked(row: &Row) -> Result<Parked, ProjectionError> {
    let mut at = Columns::new(row);
    let (event, request, revision) = (at.uuid()?, RequestId(at.uuid()?), at.number()?);
    let position = position_of(at.take()?);
    Ok(Parked {
        event,
        request,
        revision,
        position: position.ok_or_else(|| ProjectionError::store("a position is not one"))?,
        attempts: at.number()?,
        next_attempt: at.opt_instant()?,
        dead: at.flag()?,
        error: at.take()?,
    })
}

impl ReadModels {
    /// Claims addresses that there is something to do for; no two claims, of any server, hold the same. A claim that is
    /// not settled ends with its lease.
    ///
    /// # Errors
    /// [`ProjectionError::Store`], [`ProjectionError::Unavailable`].
    pub async fn webhook_claim(&self, claim: &EndpointClaim) -> Result<Vec<Endpoint>, ProjectionError> {
        let term = (claim.lease_until - claim.now).num_microseconds().unwrap_or(0);
        // Where nobody else can be, whoever else has a claim is dead.
        let alone = if self.database().sole_lead().is_some() { "OR c.holder <> ?" } else { "" };
        let work = async |connection: &mut Connection<'_>| {
            let now = connection.clock(micros(claim.now)).await?;
            let sql = format!(
                "SELECT w.webhook, w.tenant, u.subscription, COALESCE(c.position, w.begins), \
                 COALESCE(c.failures, 0), c.failing_since FROM webhook w \
                 JOIN webhook_subscription u ON u.webhook = w.webhook \
                 JOIN webhook_standing s ON s.webhook = w.webhook AND s.standing = ? \
                 LEFT JOIN webhook_cursor c ON c.webhook = w.webhook \
                 WHERE (c.leased_until IS NULL OR c.leased_until <= ? {alone}) \
                 AND (c.rest_until IS NULL OR c.rest_until <= ?) \
                 AND (COALESCE(c.position, w.begins) < ? OR EXISTS (SELECT 1 FROM webhook_delivery d \
                 WHERE d.webhook = w.webhook AND d.dead = 0 AND d.next_attempt <= ?)) \
                 ORDER BY COALESCE(c.touched, 0), w.webhook LIMIT {}",
                claim.limit
            );
            let mut values: Vec<Value> = vec![code(&WebhookStanding::Active).into(), now.into()];
            values.extend((!alone.is_empty()).then(|| (&claim.holder).into()));
            values.extend([claim.now.into(), token_of(claim.head).into(), claim.now.into()]);
            let mut endpoints = Vec::new();
            for row in connection.run(&sql, &values).await? {
                let mut at = Columns::new(&row);
                endpoints.push(Endpoint {
                    webhook: at.uuid()?,
                    tenant: at.take()?,
                    subscription: at.json()?,
                    position: position_of(at.take()?),
                    leased_until: crate::store::instant(now + term),
                    failures: at.number()?,
                    failing_since: at.opt_instant()?,
                    waiting: Vec::new(),
                });
            }
            for endpoint in &mut endpoints {
                lease(connection, endpoint, (now, now + term), &claim.holder).await?;
            }
            Ok(endpoints)
        };
        self.database().shared(work).await
    }

    /// Notes what a turn came to, whole or not at all. False, and nothing noted, where the claim was over and somebody
    /// else has the address by now.
    ///
    /// # Errors
    /// [`ProjectionError::Store`], [`ProjectionError::Unavailable`].
    pub async fn webhook_settle(
        &self,
        endpoint: &Endpoint,
        settled: &Settled,
        now: DateTime<Utc>,
    ) -> Result<bool, ProjectionError> {
        let succeeded = settled.succeeded.then_some(now);
        let cursor = "UPDATE webhook_cursor SET position = COALESCE(?, position), rest_until = ?, failures = ?, \
            failing_since = ?, delivered = COALESCE(?, delivered), \
            error = CASE WHEN ? = '' THEN error ELSE ? END, leased_until = NULL, holder = NULL \
            WHERE webhook = ? AND leased_until = ? RETURNING webhook";
        let values: [Value; 9] = [
            settled.position.map(token_of).into(),
            settled.rest_until.into(),
            settled.failures.into(),
            settled.failing_since.into(),
            succeeded.into(),
            settled.error.as_deref().unwrap_or_default().into(),
            settled.error.as_deref().unwrap_or_default().into(),
            endpoint.webhook.into(),
            endpoint.leased_until.into(),
        ];
        let work = async |connection: &mut Connection<'_>| {
            if connection.run(cursor, &values).await?.is_empty() {
                return Ok(false);
            }
            let taken = "DELETE FROM webhook_delivery WHERE webhook = ? AND event = ?";
            for event in &settled.delivered {
                connection.run(taken, &[endpoint.webhook.into(), (*event).into()]).await?;
            }
            for parked in &settled.parked {
                park(connection, endpoint.webhook, parked, now).await?;
            }
            Ok(true)
        };
        self.database().shared(work).await
    }

    /// Events that are not tried any more, the first first.
    ///
    /// # Errors
    /// [`ProjectionError::Store`].
    pub async fn dead_letters(&self, webhook: Uuid, limit: u32) -> Result<Vec<DeadLetter>, ProjectionError> {
        let sql = format!(
            "SELECT event, request, revision, attempts, parked, error FROM webhook_delivery \
             WHERE webhook = ? AND dead = 1 ORDER BY position LIMIT {limit}"
        );
        let read = |row: &Row| {
            let mut at = Columns::new(row);
            Ok(DeadLetter {
                event: at.uuid()?,
                request: RequestId(at.uuid()?),
                revision: at.number()?,
                attempts: at.number()?,
                since: at.instant()?,
                error: at.take()?,
            })
        };
        let mut snapshot = Snapshot::take(self.database(), PARKED.name).await?;
        snapshot.rows(sql, &[webhook.into()]).await?.iter().map(read).collect()
    }

    /// Has dead letters tried again from `now` (UTC) on: one, or all of them. How many there were is answered.
    ///
    /// # Errors
    /// [`ProjectionError::Store`], [`ProjectionError::Unavailable`].
    pub async fn revive_dead_letters(
        &self,
        webhook: Uuid,
        event: Option<Uuid>,
        now: DateTime<Utc>,
    ) -> Result<usize, ProjectionError> {
        let one = if event.is_some() { "AND event = ?" } else { "" };
        let revive = format!(
            "UPDATE webhook_delivery SET dead = 0, attempts = 0, next_attempt = ? \
             WHERE webhook = ? AND dead = 1 {one} RETURNING event"
        );
        let rested = "UPDATE webhook_cursor SET rest_until = NULL WHERE webhook = ?";
        let mut values: Vec<Value> = vec![now.into(), webhook.into()];
        values.extend(event.map(Value::from));
        let work = async |connection: &mut Connection<'_>| {
            let revived = connection.run(&revive, &values).await?.len();
            connection.run(rested, &[webhook.into()]).await?;
            Ok(revived)
        };
        self.database().shared(work).await
    }

    /// Forgets a dead letter: it is never sent. False where there is none of this id.
    ///
    /// # Errors
    /// [`ProjectionError::Store`], [`ProjectionError::Unavailable`].
    pub async fn drop_dead_letter(&self, webhook: Uuid, event: Uuid) -> Result<bool, ProjectionError> {
        let gone =
            "DELETE FROM webhook_delivery WHERE webhook = ? AND event = ? AND dead = 1 RETURNING event";
        let values = [webhook.into(), event.into()];
        self.database().shared(async |connection| Ok(!connection.run(gone, &values).await?.is_empty())).await
    }

    /// Forgets everything about the deliveries of a webhook that was removed; for one that was changed, lets it be tried
    /// at once.
    ///
    /// # Errors
    /// [`ProjectionError::Store`], [`ProjectionError::Unavailable`].
    pub async fn webhook_begins_anew(&self, webhook: Uuid, removed: bool) -> Result<(), ProjectionError> {
        let work = async |connection: &mut Connection<'_>| {
            if removed {
                let gone = "DELETE FROM webhook_delivery WHERE webhook = ?";
                connection.run(gone, &[webhook.into()]).await?;
                connection.run("DELETE FROM webhook_cursor WHERE webhook = ?", &[webhook.into()]).await?;
                return Ok(());
            }
            let rested = "UPDATE webhook_cursor SET rest_until = NULL, failures = 0, failing_since = NULL \
                WHERE webhook = ?";
            connection.run(rested, &[webhook.into()]).await.map(drop)
        };
        self.database().shared(work).await
    }
}

/// Notes a claim, and loads what waits.
async fn lease(
    connection: &mut Connection<'_>,
    endpoint: &mut Endpoint,
    (now, until): (i64, i64),
    holder: &str,
) -> Result<(), ProjectionError> {
    let noted = "INSERT INTO webhook_cursor (webhook, position, leased_until, holder, touched) VALUES (?, ?, ?, ?, ?) \
        ON CONFLICT (webhook) DO UPDATE SET leased_until = excluded.leased_until, holder = excluded.holder, \
        touched = excluded.touched";
    let values: [Value; 5] = [
        endpoint.webhook.into(),
        endpoint.position.map(token_of).into(),
        until.into(),
        holder.into(),
        now.into(),
    ];
    connection.run(noted, &values).await?;
    let sql = format!(
        "SELECT {PARKED_COLUMNS} FROM webhook_delivery WHERE webhook = ? AND dead = 0 ORDER BY position"
    );
    let rows = connection.run(&sql, &[endpoint.webhook.into()]).await?;
    endpoint.waiting = rows.iter().map(read_parked).collect::<Result<_, _>>()?;
    Ok(())
}

async fn park(
    connection: &mut Connection<'_>,
    webhook: Uuid,
    parked: &Parked,
    now: DateTime<Utc>,
) -> Result<(), ProjectionError> {
    let sql = "INSERT INTO webhook_delivery (webhook, event, request, revision, position, attempts, next_attempt, \
        dead, parked, error) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULLIF(?, '')) ON CONFLICT (webhook, event) DO UPDATE SET \
        attempts = excluded.attempts, next_attempt = excluded.next_attempt, dead = excluded.dead, \
        parked = excluded.parked, error = excluded.error";
    let values: [Value; 10] = [
        webhook.into(),
        parked.event.into(),
        parked.request.0.into(),
        parked.revision.into(),
        token_of(parked.position).into(),
        parked.attempts.into(),
        parked.next_attempt.into(),
        parked.dead.into(),
        now.into(),
        parked.error.as_deref().unwrap_or_default().into(),
    ];
    connection.run(sql, &values).await.map(drop)
}
