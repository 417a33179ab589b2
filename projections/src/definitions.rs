//! `definitions`: every published version of a process and the organisation of each collectivity, so that a restart
//! need not look for them through the whole journal.

use std::sync::Arc;

use guichet_rules::organisation::Organisation;
use guichet_rules::process::{Definition, DefinitionHash};

use crate::error::ProjectionError;
use crate::models::ReadModel;
use crate::runner::{Fold, Known, Process, Publication};
use crate::store::{Columns, Connection, Rows, Table, text};

/// The read model.
pub(crate) static MODEL: ReadModel = ReadModel {
    name: "definitions",
    version: 1,
    tables: &[&DEFINITIONS, &ORGANISATIONS],
    fold: |_| Box::new(Definitions),
};

static DEFINITIONS: Table = Table {
    name: "definition",
    columns: &[text("hash"), text("body")],
    key: 1,
    indexes: &[],
    append_only: false,
};

static ORGANISATIONS: Table = Table {
    name: "organisation",
    columns: &[text("tenant"), text("body")],
    key: 1,
    indexes: &[],
    append_only: false,
};

/// The folding side.
struct Definitions;

impl Fold for Definitions {
    fn publication(&mut self, publication: &Publication<'_>, rows: &mut Rows) {
        match publication {
            Publication::Process { process, .. } => {
                let body = serde_json::to_string(&*process.definition).unwrap_or_default();
                rows.table(&DEFINITIONS).upsert([(&process.hash.0).into(), body.into()]);
            }
            // Requests under way go on to their end under it.
            Publication::Retired { .. } => {}
            Publication::Organisation { tenant, organisation } => {
                let body = serde_json::to_string(organisation).unwrap_or_default();
                rows.table(&ORGANISATIONS).upsert([(*tenant).into(), body.into()]);
            }
        }
    }
}

/// What was published up to where the tables with `suffix` stand.
pub(crate) async fn load(connection: &mut Connection<'_>, suffix: &str) -> Result<Known, ProjectionError> {
    let mut known = Known::default();
    let sql = format!("SELECT hash, body FROM definition{suffix} ORDER BY hash");
    for row in connection.run(&sql, &[]).await? {
        let mut at = Columns::new(&row);
        let hash = DefinitionHash(at.take()?);
        let definition: Definition = at.json()?;
        known.add_process(Arc::new(Process::new(hash, Arc::new(definition))));
    }
    let sql = format!("SELECT tenant, body FROM organisation{suffix} ORDER BY tenant");
    for row in connection.run(&sql, &[]).await? {
        let mut at = Columns::new(&row);
        let tenant: String = at.take()?;
        let organisation: Organisation = at.json()?;
        known.set_organisation(&tenant, Arc::new(organisation));
    }
    Ok(known)
}
