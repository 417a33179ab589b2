//! What happened to requests, one event after the other, for those who follow along.

use chrono::{DateTime, Utc};
use guichet_journal::Position;
use guichet_rules::process::{Channel, Kind};
use guichet_rules::request::RequestId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::MODEL;
use crate::answer::Answer;
use crate::error::ProjectionError;
use crate::read_models::ReadModels;
use crate::runner::{Progress, RunState};
use crate::store::{Columns, Row, Snapshot, Where, code, position_of, token_of};

/// The most changes read at once.
pub const CHANGES_MAX: u32 = 200;

/// Which changes. What is asked of the request is asked of it as the lists show it now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChangeQuery {
    /// Of this collectivity.
    pub tenant: String,
    /// Of this request alone.
    pub request: Option<RequestId>,
    /// Of requests of this process.
    pub process: Option<String>,
    /// Of this theme.
    pub theme: Option<String>,
    /// Of this kind.
    pub kind: Option<Kind>,
    /// That came in this way.
    pub channel: Option<Channel>,
    /// In one of these stages; in any if none.
    pub stage: Vec<String>,
    /// In the charge of this service.
    pub service: Option<String>,
    /// Of one of these events, such as `request.assigned`; of all if none.
    pub events: Vec<String>,
}

/// Something that happened to a request. Nothing in it is personal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChangeEntry {
    /// Where it stands in the journal; the place to go on from.
    #[schemars(with = "String")]
    pub position: Position,
    /// The request.
    pub request: RequestId,
    /// The revision of the request that it made, for `If-Match`.
    pub revision: u64,
    /// What happened, for example `request.assigned`.
    pub event: String,
    /// When it happened (UTC).
    pub occurred: DateTime<Utc>,
    /// When it was recorded (UTC).
    pub recorded: DateTime<Utc>,
    /// The process of the request.
    pub process: String,
    /// The stage that the request is in by now.
    pub stage: String,
    /// The service in charge by now.
    pub service: Option<String>,
    /// Whether something is still to be done.
    pub open: bool,
    /// The running commitment that is due next.
    pub due_commitment: Option<String>,
    /// When it is due (UTC).
    pub due: Option<DateTime<Utc>>,
    /// The promises that it made or changed, by name.
    pub promises: Vec<String>,
}

const COLUMNS: &str = "t.position, c.request, t.revision, t.event_type, t.occurred, t.recorded, c.process, c.stage, \
                       c.service, c.open, c.due_commitment, c.due, t.operands";

impl ChangeQuery {
    fn conditions(&self, after: Option<Position>) -> Where {
        let mut filter = Where::default();
        filter.with("c.tenant = ?", &self.tenant);
        filter.maybe("t.position > ?", after.map(token_of));
        filter.maybe("c.request = ?", self.request.map(|request| request.0));
        filter.maybe("c.process = ?", self.process.as_ref());
        filter.maybe("c.theme = ?", self.theme.as_ref());
        filter.maybe("c.kind = ?", self.kind.map(|kind| code(&kind)));
        filter.maybe("c.channel = ?", self.channel.map(Channel::id));
        filter.among("c.stage", self.stage.iter());
        filter.maybe("c.service = ?", self.service.as_ref());
        filter.among("t.event_type", self.events.iter());
        filter
    }
}

fn read(row: &Row) -> Result<ChangeEntry, ProjectionError> {
    let mut at = Columns::new(row);
    let mut entry = ChangeEntry {
        position: position_of(at.take()?).ok_or_else(|| ProjectionError::store("a position is none"))?,
        request: RequestId(at.uuid()?),
        revision: at.number()?,
        event: at.take()?,
        occurred: at.instant()?,
        recorded: at.instant()?,
        process: at.take()?,
        stage: at.take()?,
        service: at.take()?,
        open: at.flag()?,
        due_commitment: at.take()?,
        due: at.opt_instant()?,
        promises: Vec::new(),
    };
    let operands: Map<String, Json> = at.json()?;
    let clocks = operands.get("clocks").and_then(Json::as_array).into_iter().flatten();
    entry.promises =
        clocks.filter_map(|clock| clock.get("commitment")?.as_str().map(str::to_owned)).collect();
    entry.promises.dedup();
    Ok(entry)
}

impl ReadModels {
    /// What happened after `after`, in the order of the journal, [`CHANGES_MAX`] at most. Where fewer come, all up to
    /// `as_of` have come, so that one goes on from there; rows and `as_of` are of one instant, so that nothing that is
    /// recorded later can fall between two calls.
    ///
    /// # Errors
    /// [`ProjectionError::Store`].
    pub async fn changes(
        &self,
        query: &ChangeQuery,
        after: Option<Position>,
    ) -> Result<Answer<Vec<ChangeEntry>>, ProjectionError> {
        let mut snapshot = Snapshot::take(self.database(), MODEL.name).await?;
        let filter = query.conditions(after);
        let sql = format!(
            "SELECT {COLUMNS} FROM timeline t JOIN request_card c ON c.rid = t.rid {} ORDER BY t.position LIMIT {CHANGES_MAX}",
            filter.sql()
        );
        let rows = snapshot.rows(sql, &filter.values).await?;
        let entries = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let counts = (entries.len() as u64, entries.iter().filter(|entry| entry.open).count() as u64);
        Ok(snapshot.answer(counts, entries))
    }

    /// Done as soon as the read models are past `position`.
    ///
    /// # Errors
    /// [`ProjectionError::Closed`].
    pub async fn moved_beyond(&self, position: Option<Position>) -> Result<(), ProjectionError> {
        let mut progress = self.progress();
        let beyond = |progress: &Progress| progress.position > position || progress.state == RunState::Closed;
        match progress.wait_for(beyond).await {
            Ok(progress) if progress.position > position => Ok(()),
            Ok(_) | Err(_) => Err(ProjectionError::Closed),
        }
    }
}
