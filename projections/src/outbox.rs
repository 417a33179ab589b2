//! `outbox`: what is to be sent and is not sent yet.
//!
//! What is asked for follows from the journal; how often it was tried stands beside it, in a table that a rebuild
//! leaves alone. A worker claims effects for a while, carries each out with its id, and reports the result as a
//! command; the event that this makes takes the effect out of here.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use guichet_rules::process::Delivery;
use guichet_rules::request::{Effect, Recipient, RequestId, Subject, effects, settled};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::answer::{Answer, rows_of};
use crate::error::ProjectionError;
use crate::models::ReadModel;
use crate::read_models::ReadModels;
use crate::runner::{Change, Fold, Turn};
use crate::store::{
    Columns, Connection, Row, Rows, Snapshot, Table, Value, Where, bytes, code, instant, int, micros,
    opt_int, opt_text, text,
};

/// The read model.
pub(crate) static MODEL: ReadModel = ReadModel {
    name: "outbox",
    version: 1,
    tables: &[&TABLE],
    fold: |begin| Box::new(Outbox { pending: begin.pending.clone(), before: HashMap::new() }),
};

static TABLE: Table = Table {
    name: "outbox",
    columns: &[
        int("rid"),
        text("effect"),
        bytes("request"),
        text("tenant"),
        text("recipient"),
        text("subject"),
        text("means"),
        int("asked"),
    ],
    key: 2,
    indexes: &[&["asked"]],
    append_only: false,
};

/// Tries, by request and effect. Losing this table costs a repeated try, never an effect.
pub(crate) static ATTEMPTS: Table = Table {
    name: "outbox_attempt",
    columns: &[
        bytes("request"),
        text("effect"),
        int("attempts"),
        opt_int("next_attempt"),
        opt_int("leased_until"),
        int("done"),
        opt_text("error"),
        opt_text("holder"),
        opt_int("touched"),
        opt_text("digest"),
    ],
    key: 2,
    indexes: &[],
    append_only: false,
};

/// An effect that is not done, with its tries so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxItem {
    /// The request.
    pub request: RequestId,
    /// Its collectivity.
    pub tenant: String,
    /// The effect's id within the request.
    pub effect: String,
    /// Who it goes to.
    pub recipient: Recipient,
    /// What it is about.
    pub subject: Subject,
    /// The means.
    pub by: Delivery,
    /// When the event that asks for it happened (UTC).
    pub asked: DateTime<Utc>,
    /// How often it was tried.
    pub attempts: u32,
    /// When it may be tried again (UTC).
    pub next_attempt: Option<DateTime<Utc>>,
    /// Until when a worker has it (UTC).
    pub leased_until: Option<DateTime<Utc>>,
    /// The worker that has it.
    pub holder: Option<String>,
    /// Why the last try failed.
    pub error: Option<String>,
    /// The digest that it is in, once it was gathered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Uuid>,
}

/// Effects that are not done, by request.
pub(crate) type Pending = HashMap<i64, BTreeMap<String, (Effect, DateTime<Utc>)>>;

/// The folding side. It holds what is not done yet, and nothing of requests that are.
struct Outbox {
    pending: Pending,
    /// What was not done before the batch, of the requests that it touched.
    before: Pending,
}

impl Fold for Outbox {
    fn event(&mut self, change: &Change<'_>, _: &mut Rows) -> Result<(), String> {
        let rid = change.after.rid;
        let pending = self.pending.get(&rid);
        let known: Vec<Effect> =
            pending.into_iter().flat_map(|p| p.values()).map(|(e, _)| e.clone()).collect();
        let over = if known.is_empty() { Vec::new() } else { settled(change.event, &known) };
        let plan = change.process.plan()?;
        let asked = effects(change.revision, change.event, &change.after.request, plan, change.organisation);
        if over.is_empty() && asked.is_empty() {
            return Ok(());
        }
        self.before.entry(rid).or_insert_with(|| pending.cloned().unwrap_or_default());
        let pending = self.pending.entry(rid).or_default();
        pending.retain(|id, _| !over.contains(id));
        for effect in asked {
            pending.insert(effect.id.clone(), (effect, change.meta.occurred_at));
        }
        if pending.is_empty() {
            self.pending.remove(&rid);
        }
        Ok(())
    }

    fn request(&mut self, turn: &Turn<'_>, rows: &mut Rows) {
        let rid = turn.after.rid;
        let Some(before) = self.before.remove(&rid) else { return };
        let none = BTreeMap::new();
        let after = self.pending.get(&rid).unwrap_or(&none);
        let rows = rows.table(&TABLE);
        for effect in before.keys().filter(|effect| !after.contains_key(*effect)) {
            rows.delete([rid.into(), effect.into()]);
        }
        for (id, (effect, asked)) in after.iter().filter(|(id, _)| !before.contains_key(*id)) {
            let request = &turn.after.request;
            rows.upsert([
                rid.into(),
                id.into(),
                request.id.0.into(),
                (&request.tenant).into(),
                serde_json::to_string(&effect.recipient).unwrap_or_default().into(),
                serde_json::to_string(&effect.subject).unwrap_or_default().into(),
                code(&effect.by).into(),
                (*asked).into(),
            ]);
        }
    }
}

/// What is not done where the table with `suffix` stands.
pub(crate) async fn load(connection: &mut Connection<'_>, suffix: &str) -> Result<Pending, ProjectionError> {
    let sql = format!("SELECT rid, effect, recipient, subject, means, asked FROM outbox{suffix}");
    let mut pending = Pending::new();
    for row in connection.run(&sql, &[]).await? {
        let mut at = Columns::new(&row);
        let (rid, id): (i64, String) = (at.take()?, at.take()?);
        let effect = Effect { id: id.clone(), recipient: at.json()?, subject: at.json()?, by: at.code()? };
        pending.entry(rid).or_default().insert(id, (effect, at.instant()?));
    }
    Ok(pending)
}

const COLUMNS: &str = "o.request, o.tenant, o.effect, o.recipient, o.subject, o.means, o.asked, \
    COALESCE(a.attempts, 0), a.next_attempt, a.leased_until, a.holder, a.error, a.digest";

const FROM: &str =
    "FROM outbox o LEFT JOIN outbox_attempt a ON a.request = o.request AND a.effect = o.effect";

fn read(row: &Row) -> Result<OutboxItem, ProjectionError> {
    let mut at = Columns::new(row);
    Ok(OutboxItem {
        request: RequestId(at.uuid()?),
        tenant: at.take()?,
        effect: at.take()?,
        recipient: at.json()?,
        subject: at.json()?,
        by: at.code()?,
        asked: at.instant()?,
        attempts: at.number()?,
        next_attempt: at.opt_instant()?,
        leased_until: at.opt_instant()?,
        holder: at.take()?,
        error: at.take()?,
        digest: at.take::<Option<String>>()?.and_then(|digest| Uuid::parse_str(&digest).ok()),
    })
}

/// How long tries are kept after the last of them, in microseconds: as long as tables of another version may lag behind
/// and still hold an effect that is settled.
const KEPT: i64 = 24 * 3_600 * 1_000_000;

/// One claim in so many takes away the tries of what is settled.
const CLEAN_EVERY: u64 = 64;

/// Marks items as claimed.
async fn lease(
    connection: &mut Connection<'_>,
    items: &mut [OutboxItem],
    (now, until): (i64, i64),
    holder: &str,
) -> Result<(), ProjectionError> {
    let mut values: Vec<Value> = Vec::with_capacity(items.len() * 5);
    for item in &mut *items {
        (item.leased_until, item.holder) = (Some(instant(until)), Some(holder.to_owned()));
        let key = [item.request.0.into(), (&item.effect).into()];
        values.extend(key.into_iter().chain([until.into(), holder.into(), now.into()]));
    }
    for chunk in values.chunks(LEASED_AT_ONCE * 5) {
        let marks = vec!["(?, ?, 0, 0, ?, ?, ?)"; chunk.len() / 5].join(", ");
        let sql = format!(
            "INSERT INTO outbox_attempt (request, effect, attempts, done, leased_until, holder, touched) \
             VALUES {marks} ON CONFLICT (request, effect) DO UPDATE SET leased_until = excluded.leased_until, \
             holder = excluded.holder, touched = excluded.touched"
        );
        connection.run(&sql, chunk).await?;
    }
    Ok(())
}

/// Claims noted by one statement.
const LEASED_AT_ONCE: usize = 64;

/// What a worker asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Who asks, for those who look at the outbox: a server's name.
    pub holder: String,
    /// Now (UTC).
    pub now: DateTime<Utc>,
    /// Until when nobody else gets what is claimed (UTC). Where several servers share a database, the time from `now` to
    /// here is counted by the database's clock.
    pub lease_until: DateTime<Utc>,
    /// Only effects by these means; by any if empty.
    pub by: Vec<Delivery>,
    /// How many at most.
    pub limit: u32,
}

impl ReadModels {
    /// Claims effects that may be tried now, the longest asked for first; no two claims, of any server, hold the same. A
    /// claim that is neither reported done nor failed ends with its lease. Whoever claims first waits until the read
    /// models have caught up, so that nothing is claimed that was settled long ago.
    ///
    /// # Errors
    /// [`ProjectionError::Store`], [`ProjectionError::Unavailable`].
    pub async fn outbox_claim(&self, claim: &Claim) -> Result<Vec<OutboxItem>, ProjectionError> {
        let term = (claim.lease_until - claim.now).num_microseconds().unwrap_or(0);
        let clean = self.claims().is_multiple_of(CLEAN_EVERY);
        let work = async |connection: &mut Connection<'_>| {
            let now = connection.clock(micros(claim.now)).await?;
            if clean {
                let gone = "DELETE FROM outbox_attempt WHERE COALESCE(touched, 0) < ? AND NOT EXISTS (SELECT 1 \
                    FROM outbox o WHERE o.request = outbox_attempt.request AND o.effect = outbox_attempt.effect)";
                connection.run(gone, &[(now - KEPT).into()]).await?;
            }
            let mut filter = Where::default();
            filter.with("(a.next_attempt IS NULL OR a.next_attempt <= ?)", claim.now);
            filter.with("(a.leased_until IS NULL OR a.leased_until <= ?)", now);
            filter.raw("COALESCE(a.done, 0) = 0", []);
            filter.among("o.means", claim.by.iter().map(code));
            let (conditions, limit) = (filter.sql(), claim.limit);
            let order = "ORDER BY o.asked, o.rid, o.effect";
            let sql = format!("SELECT {COLUMNS} {FROM} {conditions} {order} LIMIT {limit}");
            let rows = connection.run(&sql, &filter.values).await?;
            let mut items = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
            lease(connection, &mut items, (now, now + term), &claim.holder).await?;
            Ok(items)
        };
        self.database().shared(work).await
    }

    /// Notes that an effect was carried out and reported, so that nobody claims it again before the event that says so
    /// has been taken in. That is true whoever says it, even a worker whose claim was over.
    ///
    /// # Errors
    /// [`ProjectionError::Store`], [`ProjectionError::Unavailable`].
    pub async fn outbox_done(&self, item: &OutboxItem) -> Result<(), ProjectionError> {
        let done = "INSERT INTO outbox_attempt (request, effect, attempts, done, touched) VALUES (?, ?, 1, 1, ?) \
            ON CONFLICT (request, effect) DO UPDATE SET done = 1, attempts = outbox_attempt.attempts + 1, \
            touched = excluded.touched";
        let touched = item.leased_until.unwrap_or(item.asked);
        let values = [item.request.0.into(), (&item.effect).into(), touched.into()];
        self.database().shared(async |connection| connection.run(done, &values).await.map(drop)).await
    }

    /// Notes that a claimed effect failed and when it may be tried again (UTC). `error` is kept as it is, so it must
    /// name nobody. False, and nothing noted, where the claim was over and somebody else has the effect by now.
    ///
    /// # Errors
    /// [`ProjectionError::Store`], [`ProjectionError::Unavailable`].
    pub async fn outbox_failed(
        &self,
        item: &OutboxItem,
        error: &str,
        next_attempt: DateTime<Utc>,
    ) -> Result<bool, ProjectionError> {
        // Two claims of one effect never end at the same instant: the second begins after the end of the first.
        let failed = "UPDATE outbox_attempt SET attempts = attempts + 1, next_attempt = ?, error = ?, \
            leased_until = NULL, holder = NULL WHERE request = ? AND effect = ? AND leased_until = ? RETURNING effect";
        let values: [Value; 5] = [
            next_attempt.into(),
            error.into(),
            item.request.0.into(),
            (&item.effect).into(),
            item.leased_until.into(),
        ];
        self.database()
            .shared(async |connection| Ok(!connection.run(failed, &values).await?.is_empty()))
            .await
    }

    /// Gives claimed effects back until an instant (UTC): nothing failed, it is not yet time. An effect that somebody else
    /// has by now stays theirs.
    ///
    /// # Errors
    /// [`ProjectionError::Store`], [`ProjectionError::Unavailable`].
    pub async fn outbox_postponed(
        &self,
        item: &OutboxItem,
        until: DateTime<Utc>,
    ) -> Result<(), ProjectionError> {
        let later = "UPDATE outbox_attempt SET next_attempt = ?, leased_until = NULL, holder = NULL \
            WHERE request = ? AND effect = ? AND leased_until = ?";
        let values: [Value; 4] =
            [until.into(), item.request.0.into(), (&item.effect).into(), item.leased_until.into()];
        self.database().shared(async |connection| connection.run(later, &values).await.map(drop)).await
    }

    /// Notes that claimed effects go out together, whole or not at all: from now on they are told apart from others.
    ///
    /// # Errors
    /// [`ProjectionError::Store`], [`ProjectionError::Unavailable`].
    pub async fn outbox_gathered(&self, items: &[OutboxItem], digest: Uuid) -> Result<(), ProjectionError> {
        let gathered = "UPDATE outbox_attempt SET digest = ? WHERE request = ? AND effect = ?";
        let work = async |connection: &mut Connection<'_>| {
            for item in items {
                let values = [digest.to_string().into(), item.request.0.into(), (&item.effect).into()];
                connection.run(gathered, &values).await?;
            }
            Ok(())
        };
        self.database().shared(work).await
    }

    /// Lets an effect be tried at once, and as often as one that never failed.
    ///
    /// # Errors
    /// [`ProjectionError::Store`], [`ProjectionError::Unavailable`].
    pub async fn outbox_retried(&self, item: &OutboxItem) -> Result<(), ProjectionError> {
        let again =
            "UPDATE outbox_attempt SET attempts = 0, next_attempt = NULL WHERE request = ? AND effect = ?";
        let values = [item.request.0.into(), (&item.effect).into()];
        self.database().shared(async |connection| connection.run(again, &values).await.map(drop)).await
    }

    /// An effect that is not done; none where this collectivity has none of this id.
    ///
    /// # Errors
    /// [`ProjectionError::Store`].
    pub async fn outbox_item(
        &self,
        tenant: &str,
        request: RequestId,
        effect: &str,
    ) -> Result<Option<OutboxItem>, ProjectionError> {
        let mut snapshot = Snapshot::take(self.database(), MODEL.name).await?;
        let sql = format!("SELECT {COLUMNS} {FROM} WHERE o.tenant = ? AND o.request = ? AND o.effect = ?");
        let values = [tenant.into(), request.0.into(), effect.into()];
        snapshot.rows(sql, &values).await?.first().map(read).transpose()
    }

    /// Effects that are not done, the longest asked for first, whoever has claimed them. The counts are of effects.
    ///
    /// # Errors
    /// [`ProjectionError::Store`].
    pub async fn outbox(
        &self,
        tenant: Option<&str>,
        limit: u32,
    ) -> Result<Answer<Vec<OutboxItem>>, ProjectionError> {
        let mut filter = Where::default();
        filter.maybe("o.tenant = ?", tenant);
        let mut snapshot = Snapshot::take(self.database(), MODEL.name).await?;
        let count = format!("SELECT COUNT(*), COUNT(*) {FROM} {}", filter.sql());
        let counts = snapshot.counts(count, &filter.values).await?;
        let limit = rows_of(limit);
        let sql = format!(
            "SELECT {COLUMNS} {FROM} {} ORDER BY o.asked, o.rid, o.effect LIMIT {limit}",
            filter.sql()
        );
        let rows = snapshot.rows(sql, &filter.values).await?;
        let items = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        Ok(snapshot.answer(counts, items))
    }
}
