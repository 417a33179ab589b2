//! `timeline`: the audit trail of a request, event by event, in words. What is personal stays in the journal; whoever
//! may see it opens the request's stream.

mod changes;
mod operands;
mod words;

pub use changes::{CHANGES_MAX, ChangeEntry, ChangeQuery};
use chrono::{DateTime, Utc};
use guichet_journal::Position;
use guichet_rules::organisation::Organisation;
use guichet_rules::process::Definition;
use guichet_rules::request::{Event, RequestId};
use guichet_rules::text::Text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::answer::Answer;
use crate::error::ProjectionError;
use crate::models::ReadModel;
use crate::read_models::ReadModels;
use crate::runner::{Change, Fold};
use crate::store::{
    Columns, Rows, Snapshot, Table, Where, int, marks, opt_text, position_of, text, token_of,
};

/// The read model.
pub(crate) static MODEL: ReadModel =
    ReadModel { name: "timeline", version: 1, tables: &[&TABLE], fold: |_| Box::new(Timeline) };

static TABLE: Table = Table {
    name: "timeline",
    columns: &[
        int("position"),
        int("rid"),
        int("revision"),
        text("event_type"),
        int("occurred"),
        int("recorded"),
        text("actor"),
        opt_text("on_behalf_of"),
        text("operands"),
    ],
    key: 1,
    indexes: &[&["rid", "revision"]],
    append_only: true,
};

/// What happened to a request, once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TimelineEntry {
    /// Where it stands in the journal.
    #[schemars(with = "String")]
    pub position: Position,
    /// Where it stands in the request's stream.
    pub revision: u64,
    /// Its type, for example `request.assigned`.
    pub event_type: String,
    /// When it happened (UTC).
    pub occurred: DateTime<Utc>,
    /// When it was recorded (UTC).
    pub recorded: DateTime<Utc>,
    /// The actor's pseudonym.
    pub actor: String,
    /// Staff code of the absent person in whose name it was done.
    pub on_behalf_of: Option<String>,
    /// What is not personal in it; `clocks` lists what it did to promises.
    pub operands: Map<String, Json>,
    /// The same in a sentence.
    pub text: Text,
}

/// An event in a sentence, as the audit trail has it. Titles come from the organisation and the definition; ids are
/// shown where there are none.
#[must_use]
pub fn in_words(event: &Event, organisation: Option<&Organisation>, definition: Option<&Definition>) -> Text {
    let operands: Map<String, Json> = serde_json::from_str(&operands::of(event)).unwrap_or_default();
    words::sentence(event.what.name(), &operands, &words::Names { organisation, definition })
}

/// The folding side.
struct Timeline;

impl Fold for Timeline {
    fn event(&mut self, change: &Change<'_>, rows: &mut Rows) -> Result<(), String> {
        rows.table(&TABLE).upsert([
            token_of(change.position).into(),
            change.after.rid.into(),
            change.revision.into(),
            change.event.what.name().into(),
            change.meta.occurred_at.into(),
            change.meta.recorded_at.into(),
            (&change.meta.actor).into(),
            change.on_behalf_of.into(),
            operands::of(change.event).into(),
        ]);
        Ok(())
    }
}

impl ReadModels {
    /// The history of a request of `tenant`, in its order; empty where it is not this collectivity's. The count is of
    /// events; `open` is all of them while the request is open, because more may follow.
    ///
    /// # Errors
    /// [`ProjectionError::Store`].
    pub async fn timeline(
        &self,
        tenant: &str,
        request: RequestId,
    ) -> Result<Answer<Vec<TimelineEntry>>, ProjectionError> {
        let mut filter = Where::default();
        filter.with("c.request = ?", request.0);
        filter.with("c.tenant = ?", tenant);
        let answer = self.entries(tenant, filter, 1_000_000).await?;
        let entries = answer.value.into_iter().map(|(_, entry)| entry).collect();
        Ok(Answer { as_of: answer.as_of, n: answer.n, open: answer.open, value: entries })
    }

    /// What was recorded of several requests of `tenant` between two instants (UTC), both included, with the request of
    /// each, in the order of the journal; the first ten thousand.
    ///
    /// # Errors
    /// [`ProjectionError::Store`].
    pub async fn timeline_among(
        &self,
        tenant: &str,
        requests: &[RequestId],
        (from, until): (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<Answer<Vec<(RequestId, TimelineEntry)>>, ProjectionError> {
        let mut filter = Where::default();
        let places = marks(requests.len());
        filter.raw(format!("c.request IN ({places})"), requests.iter().map(|request| request.0.into()));
        filter.with("c.tenant = ?", tenant);
        filter.with("t.recorded >= ?", from);
        filter.with("t.recorded <= ?", until);
        self.entries(tenant, filter, 10_000).await
    }

    async fn entries(
        &self,
        tenant: &str,
        filter: Where,
        limit: u32,
    ) -> Result<Answer<Vec<(RequestId, TimelineEntry)>>, ProjectionError> {
        let mut snapshot = Snapshot::take(self.database(), MODEL.name).await?;
        let sql = format!(
            "SELECT {}, c.definition, c.open, c.request FROM timeline t JOIN request_card c ON c.rid = t.rid \
             {} ORDER BY t.position LIMIT {limit}",
            TABLE.columns.iter().map(|column| format!("t.{}", column.name)).collect::<Vec<_>>().join(", "),
            filter.sql()
        );
        let rows = snapshot.rows(sql, &filter.values).await?;
        let organisation = self.organisation(tenant);
        let (mut entries, mut open) = (Vec::with_capacity(rows.len()), 0);
        for row in &rows {
            let mut at = Columns::new(row);
            let position =
                position_of(at.take()?).ok_or_else(|| ProjectionError::store("a position is none"))?;
            let _: i64 = at.take()?;
            let (revision, event_type): (u64, String) = (at.number()?, at.take()?);
            let (occurred, recorded) = (at.instant()?, at.instant()?);
            let (actor, on_behalf_of) = (at.take()?, at.take()?);
            let operands: Map<String, Json> = at.json()?;
            let definition = self.definition(&guichet_rules::process::DefinitionHash(at.take()?));
            open += u64::from(at.flag()?);
            let request = RequestId(at.uuid()?);
            let names =
                words::Names { organisation: organisation.as_deref(), definition: definition.as_deref() };
            let text = words::sentence(&event_type, &operands, &names);
            let entry = TimelineEntry {
                position,
                revision,
                event_type,
                occurred,
                recorded,
                actor,
                on_behalf_of,
                operands,
                text,
            };
            entries.push((request, entry));
        }
        Ok(snapshot.answer((entries.len() as u64, open), entries))
    }
}
