//! `ideas`: the ideas that the public sees, and who is for them. A vote is the id of its record and nothing else.

use chrono::{DateTime, Utc};
use guichet_rules::records::RecordEvent;
use guichet_rules::records::support::SupportEvent;
use guichet_rules::request::{Request, RequestId, published, shown, shown_cents};
use serde::{Deserialize, Serialize};

use crate::answer::{Answer, Page, rows_of};
use crate::error::ProjectionError;
use crate::models::ReadModel;
use crate::read_models::ReadModels;
use crate::request_card::place;
use crate::runner::{Fold, Process, Record, Turn};
use crate::store::{
    Columns, Row, Rows, Snapshot, Table, Value, Where, bytes, int, opt_int, opt_real, opt_text, text,
};

/// The read model.
pub(crate) static MODEL: ReadModel =
    ReadModel { name: "ideas", version: 1, tables: &[&IDEAS, &SUPPORT], fold: |_| Box::new(Ideas) };

static IDEAS: Table = Table {
    name: "idea",
    columns: &[
        int("rid"),
        bytes("request").fixed(),
        text("tenant").fixed(),
        text("process"),
        text("title"),
        opt_text("summary"),
        opt_int("cost"),
        opt_text("area"),
        opt_real("lat"),
        opt_real("lon"),
        text("stage"),
        int("published"),
    ],
    key: 1,
    indexes: &[&["request"], &["tenant", "published"]],
    append_only: false,
};

static SUPPORT: Table = Table {
    name: "support",
    columns: &[bytes("request"), bytes("vote"), text("tenant"), int("since")],
    key: 2,
    indexes: &[],
    append_only: false,
};

/// The folding side.
struct Ideas;

impl Fold for Ideas {
    fn request(&mut self, turn: &Turn<'_>, rows: &mut Rows) {
        let rid = turn.after.rid;
        match row(rid, &turn.after.request, turn.process) {
            Some(row) => rows.table(&IDEAS).upsert(row),
            None if turn.before.is_some_and(|(held, process)| row(rid, &held.request, process).is_some()) => {
                rows.table(&IDEAS).delete([rid.into()]);
            }
            None => {}
        }
    }

    fn record(&mut self, record: &Record<'_>, rows: &mut Rows) -> Result<(), String> {
        match &record.event {
            RecordEvent::Support(SupportEvent::SupportGiven(event)) => {
                let (since, tenant) = (record.meta.occurred_at.into(), record.tenant.into());
                rows.table(&SUPPORT).upsert([event.request.0.into(), record.id.into(), tenant, since]);
            }
            RecordEvent::Support(SupportEvent::SupportWithdrawn(event)) => {
                rows.table(&SUPPORT).withdraw(&[event.request.0.into(), record.id.into()]);
            }
            RecordEvent::Access(_)
            | RecordEvent::Alert(_)
            | RecordEvent::Contact(_)
            | RecordEvent::Erasure(_)
            | RecordEvent::Webhook(_) => {}
        }
        Ok(())
    }
}

fn row(rid: i64, request: &Request, process: &Process) -> Option<[Value; 12]> {
    let definition = &process.definition;
    let voting = definition.voting.as_ref()?;
    let since = published(request, definition)?;
    let (area, coordinates) = place(request, process);
    Some([
        rid.into(),
        request.id.0.into(),
        (&request.tenant).into(),
        (&request.process).into(),
        shown(request, &voting.title)?.into(),
        voting.summary.as_deref().and_then(|field| shown(request, field)).into(),
        voting.cost.as_deref().and_then(|field| shown_cents(request, field)).into(),
        area.into(),
        coordinates.map(|(lat, _)| lat).into(),
        coordinates.map(|(_, lon)| lon).into(),
        request.stage.id().into(),
        since.into(),
    ])
}

/// An idea, as everybody sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Idea {
    /// The request.
    pub request: RequestId,
    /// Its process.
    pub process: String,
    /// Its title.
    pub title: String,
    /// Its text, where the sheet shows one.
    pub summary: Option<String>,
    /// The amount it asks for, in cents, where the sheet shows one.
    pub cost: Option<i64>,
    /// The neighbourhood of its place.
    pub area: Option<String>,
    /// Latitude of its place, in degrees (WGS 84).
    pub lat: Option<f64>,
    /// Longitude of its place, in degrees (WGS 84).
    pub lon: Option<f64>,
    /// The stage: `qualified`, `assigned`, `validated` or `delivered`.
    pub stage: String,
    /// Since when everybody sees it (UTC).
    pub published: DateTime<Utc>,
    /// How many people are for it.
    pub votes: u64,
}

/// In which order ideas come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdeaOrder {
    /// Those with the most votes first.
    #[default]
    Votes,
    /// The last published first.
    Newest,
}

/// Which ideas.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct IdeaQuery {
    /// Of this collectivity.
    pub tenant: String,
    /// Of this process.
    pub process: Option<String>,
    /// In this neighbourhood.
    pub area: Option<String>,
    /// Their order.
    pub order: IdeaOrder,
    /// How many at once: 50 if 0, at most 1,000.
    pub limit: u32,
    /// What the page before gave as `next`.
    pub cursor: Option<String>,
}

const COLUMNS: &str = "rid, request, process, title, summary, cost, area, lat, lon, stage, published, votes";
/// Every idea with its votes, counted where they stand.
const COUNTED: &str = "(SELECT i.*, (SELECT COUNT(*) FROM support s WHERE s.request = i.request) AS votes \
    FROM idea i) AS counted";

fn read(row: &Row) -> Result<(i64, Idea), ProjectionError> {
    let mut at = Columns::new(row);
    let rid = at.take()?;
    let idea = Idea {
        request: RequestId(at.uuid()?),
        process: at.take()?,
        title: at.take()?,
        summary: at.take()?,
        cost: at.take()?,
        area: at.take()?,
        lat: at.take()?,
        lon: at.take()?,
        stage: at.take()?,
        published: at.instant()?,
        votes: at.count()?,
    };
    Ok((rid, idea))
}

impl IdeaQuery {
    fn conditions(&self) -> Where {
        let mut filter = Where::default();
        filter.with("tenant = ?", &self.tenant);
        filter.maybe("process = ?", self.process.as_ref());
        filter.maybe("area = ?", self.area.as_ref());
        filter
    }

    fn key(&self) -> &'static str {
        match self.order {
            IdeaOrder::Votes => "votes",
            IdeaOrder::Newest => "published",
        }
    }
}

impl ReadModels {
    /// Ideas that meet conditions, in stretches, each with its votes as they stand at the answer's position.
    ///
    /// # Errors
    /// [`ProjectionError::Cursor`] for a cursor of another list, [`ProjectionError::Store`].
    pub async fn ideas(&self, query: &IdeaQuery) -> Result<Answer<Page<Idea>>, ProjectionError> {
        let mut snapshot = Snapshot::take(self.database(), MODEL.name).await?;
        let mut filter = query.conditions();
        let count = format!(
            "SELECT COUNT(*), CAST(SUM(CASE WHEN stage = 'delivered' THEN 0 ELSE 1 END) AS BIGINT) FROM idea {}",
            filter.sql()
        );
        let counts = snapshot.counts(count, &filter.values).await?;
        let key = query.key();
        if let Some(cursor) = &query.cursor {
            let (value, rid) = cursor.split_once('.').ok_or(ProjectionError::Cursor)?;
            let number = |text: &str| text.parse::<i64>().map_err(|_| ProjectionError::Cursor);
            filter.raw(format!("({key}, rid) < (?, ?)"), [number(value)?.into(), number(rid)?.into()]);
        }
        let limit = rows_of(query.limit);
        let sql = format!(
            "SELECT {COLUMNS} FROM {COUNTED} {} ORDER BY {key} DESC, rid DESC LIMIT {}",
            filter.sql(),
            limit + 1
        );
        let rows = snapshot.rows(sql, &filter.values).await?;
        let mut ideas = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let more = ideas.len() > limit as usize;
        ideas.truncate(limit as usize);
        let next = ideas.last().filter(|_| more).map(|(rid, idea)| match query.order {
            IdeaOrder::Votes => format!("{}.{rid}", idea.votes),
            IdeaOrder::Newest => format!("{}.{rid}", idea.published.timestamp_micros()),
        });
        let items = ideas.into_iter().map(|(_, idea)| idea).collect();
        Ok(snapshot.answer(counts, Page { items, next }))
    }

    /// One idea of a collectivity, with its votes; none where everybody does not see it.
    ///
    /// # Errors
    /// [`ProjectionError::Store`].
    pub async fn idea(
        &self,
        tenant: &str,
        request: RequestId,
    ) -> Result<Answer<Option<Idea>>, ProjectionError> {
        let mut filter = Where::default();
        filter.with("request = ?", request.0);
        filter.with("tenant = ?", tenant);
        let mut snapshot = Snapshot::take(self.database(), MODEL.name).await?;
        let sql = format!("SELECT {COLUMNS} FROM {COUNTED} {}", filter.sql());
        let rows = snapshot.rows(sql, &filter.values).await?;
        let idea = rows.first().map(read).transpose()?.map(|(_, idea)| idea);
        let n = u64::from(idea.is_some());
        Ok(snapshot.answer((n, n), idea))
    }
}
