//! `forwards`: requests that were passed on to a collectivity of the installation and are not there yet.

use guichet_rules::request::{ForwardMeans, ForwardStanding, RequestId};

use crate::error::ProjectionError;
use crate::models::ReadModel;
use crate::read_models::ReadModels;
use crate::runner::{Fold, Held, Turn};
use crate::store::{Columns, Row, Rows, Snapshot, Table, Value, Where, bytes, int, text};

/// The read model.
pub(crate) static MODEL: ReadModel =
    ReadModel { name: "forwards", version: 1, tables: &[&TABLE], fold: |_| Box::new(Forwards) };

static TABLE: Table = Table {
    name: "forwards",
    columns: &[
        int("rid"),
        int("place"),
        bytes("request"),
        text("tenant"),
        text("addressee"),
        text("standing"),
    ],
    key: 2,
    indexes: &[&["standing", "rid"]],
    append_only: false,
};

/// A request that is on its way to another collectivity, or cannot be taken there for now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forward {
    /// The request.
    pub request: RequestId,
    /// The collectivity that passed it on.
    pub tenant: String,
    /// Whom to.
    pub to: String,
    /// Where the list goes on after it.
    pub cursor: i64,
}

/// The folding side.
struct Forwards;

impl Fold for Forwards {
    fn request(&mut self, turn: &Turn<'_>, rows: &mut Rows) {
        let (before, after) = (turn.before.map(|(held, _)| held), turn.after);
        let before = before.map(table_rows).unwrap_or_default();
        rows.table(&TABLE).differ(after.rid, &before, table_rows(after));
    }
}

fn table_rows(held: &Held) -> Vec<Vec<Value>> {
    let request = &held.request;
    let Some(known) = &request.forwarding else { return Vec::new() };
    let waits = match known.standing {
        ForwardStanding::UnderWay | ForwardStanding::Blocked { .. } => true,
        ForwardStanding::Arrived { .. } | ForwardStanding::Sent => false,
    };
    if !waits || known.means != ForwardMeans::Installation {
        return Vec::new();
    }
    let (to, standing) = (&known.to, known.standing.id());
    vec![vec![request.id.0.into(), (&request.tenant).into(), to.into(), standing.into()]]
}

fn read(row: &Row) -> Result<Forward, ProjectionError> {
    let mut at = Columns::new(row);
    let cursor = at.take()?;
    Ok(Forward { request: RequestId(at.uuid()?), tenant: at.take()?, to: at.take()?, cursor })
}

impl ReadModels {
    /// Requests on their way to another collectivity, or, if `blocked`, those that cannot be taken there for now: those
    /// after `after`, in the order in which they were received.
    ///
    /// # Errors
    /// [`ProjectionError::Store`].
    pub async fn forwards(
        &self,
        blocked: bool,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Forward>, ProjectionError> {
        let mut filter = Where::default();
        filter.with("standing = ?", if blocked { "blocked" } else { "under_way" });
        filter.maybe("rid > ?", after);
        let mut snapshot = Snapshot::take(self.database(), MODEL.name).await?;
        let sql = format!(
            "SELECT rid, request, tenant, addressee FROM forwards {} ORDER BY rid, place LIMIT {limit}",
            filter.sql()
        );
        let rows = snapshot.rows(sql, &filter.values).await?;
        rows.iter().map(read).collect()
    }
}
