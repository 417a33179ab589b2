//! Asking for cards.

use chrono::{DateTime, Utc};
use guichet_rules::process::{Channel, DefinitionHash, Kind, Priority};
use guichet_rules::request::RequestId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Card, MODEL, TABLE, priority_of, priority_rank};
use crate::answer::{Answer, Page, rows_of};
use crate::error::ProjectionError;
use crate::read_models::ReadModels;
use crate::store::{Columns, Row, Snapshot, Value, Where, code};

/// In which order cards come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CardOrder {
    /// The last received first.
    #[default]
    Newest,
    /// The longest waiting first.
    Oldest,
    /// What is due soonest first; requests without a due instant are left out.
    Due,
}

/// Which cards. Every condition that is given must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CardQuery {
    /// Of this collectivity; of all if none.
    pub tenant: Option<String>,
    /// Of this process.
    pub process: Option<String>,
    /// Of one of these processes; of any if there are none.
    pub processes: Vec<String>,
    /// Of this theme.
    pub theme: Option<String>,
    /// Of this kind.
    pub kind: Option<Kind>,
    /// That came in this way.
    pub channel: Option<Channel>,
    /// In one of these stages.
    pub stage: Vec<String>,
    /// In the charge of this service.
    pub service: Option<String>,
    /// In the hands of this agent, by staff code.
    pub agent: Option<String>,
    /// At least this urgent.
    pub priority: Option<Priority>,
    /// In this neighbourhood.
    pub area: Option<String>,
    /// Only open ones, or only finished ones.
    pub open: Option<bool>,
    /// With a promise due before this instant (UTC), broken ones included.
    pub due_before: Option<DateTime<Utc>>,
    /// Received at this instant (UTC) or later.
    pub received_from: Option<DateTime<Utc>>,
    /// Received before this instant (UTC).
    pub received_until: Option<DateTime<Utc>>,
    /// With something that was recorded at this instant (UTC) or later.
    pub updated_from: Option<DateTime<Utc>>,
    /// Of this account.
    pub account: Option<AccountCards>,
    /// Their order.
    pub order: CardOrder,
    /// How many at once: 50 if 0, at most 1,000.
    pub limit: u32,
    /// How many to leave out first, for callers that count pages; a cursor costs less.
    pub skip: u32,
    /// What the page before gave as `next`.
    pub cursor: Option<String>,
}

/// The requests of an account: those made in it, and those that were taken into it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AccountCards {
    /// The account.
    pub account: Uuid,
    /// Since when it is there (UTC): what was made in an account of the same person that was closed before is not theirs.
    pub since: DateTime<Utc>,
    /// Requests that were taken into it, wherever they were made.
    pub linked: Vec<RequestId>,
}

/// The columns of a card, in the order in which [`read`] takes them: all but the digest and the account.
fn columns() -> String {
    let names = TABLE.columns.iter().map(|column| column.name);
    let names = names.filter(|name| !matches!(*name, "tracking_digest" | "account"));
    names.collect::<Vec<_>>().join(", ")
}

/// The card of a row, and the key of the row.
fn read(row: &Row) -> Result<(i64, Card), ProjectionError> {
    let mut at = Columns::new(row);
    let rid = at.take()?;
    let card = Card {
        request: RequestId(at.uuid()?),
        tenant: at.take()?,
        process: at.take()?,
        definition: DefinitionHash(at.take()?),
        theme: at.take()?,
        kind: at.code()?,
        channel: at.code()?,
        opened_by: at.code()?,
        requester_kind: at.code()?,
        stage: at.take()?,
        open: at.flag()?,
        hold: at.take()?,
        hold_until: at.opt_instant()?,
        step: at.take()?,
        service: at.take()?,
        agent: at.take()?,
        complexity: at.code()?,
        priority: priority_of(at.take()?),
        received: at.instant()?,
        acknowledged: at.opt_instant()?,
        qualified: at.opt_instant()?,
        assigned: at.opt_instant()?,
        validated: at.opt_instant()?,
        delivered: at.opt_instant()?,
        closed: at.opt_instant()?,
        due_commitment: at.take()?,
        due: at.opt_instant()?,
        broken: at.flag()?,
        external: at.take()?,
        area: at.take()?,
        lat: at.take()?,
        lon: at.take()?,
        cycle: at.number()?,
        reassignments: at.number()?,
        rating: at.take::<Option<i64>>()?.and_then(|rating| u8::try_from(rating).ok()),
        updated: at.instant()?,
        revision: at.number()?,
    };
    Ok((rid, card))
}

impl CardQuery {
    fn conditions(&self) -> Where {
        let mut filter = Where::default();
        filter.maybe("tenant = ?", self.tenant.as_ref());
        filter.maybe("process = ?", self.process.as_ref());
        filter.among("process", self.processes.iter());
        filter.maybe("theme = ?", self.theme.as_ref());
        filter.maybe("kind = ?", self.kind.map(|kind| code(&kind)));
        filter.maybe("channel = ?", self.channel.map(Channel::id));
        filter.among("stage", self.stage.iter());
        filter.maybe("service = ?", self.service.as_ref());
        filter.maybe("agent = ?", self.agent.as_ref());
        filter.maybe("priority >= ?", self.priority.map(priority_rank));
        filter.maybe("area = ?", self.area.as_ref());
        filter.maybe("open = ?", self.open);
        filter.maybe("due < ?", self.due_before);
        filter.maybe("received >= ?", self.received_from);
        filter.maybe("received < ?", self.received_until);
        filter.maybe("updated >= ?", self.updated_from);
        if let Some(AccountCards { account, since, linked }) = &self.account {
            let made = [Value::from(*account), Value::from(*since)];
            let marks = vec!["?"; linked.len()].join(",");
            let linked = linked.iter().map(|request| Value::from(request.0));
            let or = if marks.is_empty() { String::new() } else { format!(" OR request IN ({marks})") };
            filter.raw(format!("((account = ? AND received >= ?){or})"), made.into_iter().chain(linked));
        }
        if self.order == CardOrder::Due {
            filter.raw("due IS NOT NULL", []);
        }
        filter
    }

    fn order(&self) -> (&'static str, &'static str, &'static str) {
        match self.order {
            CardOrder::Newest => ("received", "DESC", "<"),
            CardOrder::Oldest => ("received", "ASC", ">"),
            CardOrder::Due => ("due", "ASC", ">"),
        }
    }

    fn cursor_of(&self, (rid, card): &(i64, Card)) -> String {
        let key = match self.order {
            CardOrder::Newest | CardOrder::Oldest => card.received,
            CardOrder::Due => card.due.unwrap_or(card.received),
        };
        format!("{}.{rid}", key.timestamp_micros())
    }
}

/// The sort key and the row's key of a cursor.
fn parse_cursor(cursor: &str) -> Result<[Value; 2], ProjectionError> {
    let (key, rid) = cursor.split_once('.').ok_or(ProjectionError::Cursor)?;
    let number = |text: &str| text.parse::<i64>().map_err(|_| ProjectionError::Cursor);
    Ok([number(key)?.into(), number(rid)?.into()])
}

impl ReadModels {
    /// The card of a request of `tenant`; none where it is not this collectivity's.
    ///
    /// # Errors
    /// [`ProjectionError::Store`].
    pub async fn card(
        &self,
        tenant: &str,
        request: RequestId,
    ) -> Result<Answer<Option<Card>>, ProjectionError> {
        let mut filter = Where::default();
        filter.with("request = ?", request.0);
        filter.with("tenant = ?", tenant);
        self.one_card(filter).await
    }

    /// The card with this digest of a tracking code, whatever the collectivity. Should two requests have it, which
    /// chance does not do, neither is shown.
    ///
    /// # Errors
    /// [`ProjectionError::Store`].
    pub async fn card_by_tracking(&self, digest: &str) -> Result<Answer<Option<Card>>, ProjectionError> {
        let mut filter = Where::default();
        filter.with("tracking_digest = ?", digest);
        self.one_card(filter).await
    }

    /// The card of a request of `tenant` by its number in the system it was imported from; none where two have it.
    ///
    /// # Errors
    /// [`ProjectionError::Store`].
    pub async fn card_by_external(
        &self,
        tenant: &str,
        external: &str,
    ) -> Result<Answer<Option<Card>>, ProjectionError> {
        let mut filter = Where::default();
        filter.with("external = ?", external);
        filter.with("tenant = ?", tenant);
        self.one_card(filter).await
    }

    async fn one_card(&self, filter: Where) -> Result<Answer<Option<Card>>, ProjectionError> {
        let mut snapshot = Snapshot::take(self.database(), MODEL.name).await?;
        let sql = format!("SELECT {} FROM request_card {} LIMIT 2", columns(), filter.sql());
        let rows = snapshot.rows(sql, &filter.values).await?;
        let card = match rows.as_slice() {
            [row] => Some(read(row)?.1),
            _ => None,
        };
        let counts = (card.iter().count(), card.iter().filter(|card| card.open).count());
        Ok(snapshot.answer((counts.0 as u64, counts.1 as u64), card))
    }

    /// Cards that meet conditions, in stretches.
    ///
    /// # Errors
    /// [`ProjectionError::Cursor`] for a cursor of another list, [`ProjectionError::Store`].
    pub async fn cards(&self, query: &CardQuery) -> Result<Answer<Page<Card>>, ProjectionError> {
        let mut snapshot = Snapshot::take(self.database(), MODEL.name).await?;
        let mut filter = query.conditions();
        let count = format!("SELECT COUNT(*), CAST(SUM(open) AS BIGINT) FROM request_card {}", filter.sql());
        let counts = snapshot.counts(count, &filter.values).await?;
        let (key, direction, beyond) = query.order();
        if let Some(cursor) = &query.cursor {
            filter.raw(format!("({key}, rid) {beyond} (?, ?)"), parse_cursor(cursor)?);
        }
        let limit = rows_of(query.limit);
        let sql = format!(
            "SELECT {} FROM request_card {} ORDER BY {key} {direction}, rid {direction} LIMIT {} OFFSET {}",
            columns(),
            filter.sql(),
            limit + 1,
            query.skip
        );
        let rows = snapshot.rows(sql, &filter.values).await?;
        let mut cards = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let more = cards.len() > limit as usize;
        cards.truncate(limit as usize);
        let next = cards.last().filter(|_| more).map(|last| query.cursor_of(last));
        let items = cards.into_iter().map(|(_, card)| card).collect();
        Ok(snapshot.answer(counts, Page { items, next }))
    }

    /// The open requests that wait the longest.
    ///
    /// # Errors
    /// [`ProjectionError::Store`].
    pub async fn oldest_waiting(
        &self,
        tenant: Option<&str>,
        limit: u32,
    ) -> Result<Answer<Page<Card>>, ProjectionError> {
        let tenant = tenant.map(str::to_owned);
        let query =
            CardQuery { tenant, open: Some(true), order: CardOrder::Oldest, limit, ..CardQuery::default() };
        self.cards(&query).await
    }
}
