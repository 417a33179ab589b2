//! `catalogue`: the processes in force, to be browsed by theme and found by words: with or without accents, in the
//! singular or the plural, by what means the same, and with a typing fault.
//!
//! The stems stand in the rows; comparing is done here and not by the database, so that every store finds the same in the
//! same order.

mod words;

use std::cmp::Ordering;
use std::collections::HashMap;

use guichet_rules::process::{Channel, DefinitionHash, Kind, Opener};
use guichet_rules::text::Text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::answer::{Answer, rows_of};
use crate::error::ProjectionError;
use crate::models::ReadModel;
use crate::read_models::ReadModels;
use crate::runner::{Fold, Process, Publication};
use crate::store::{Columns, Row, Rows, Snapshot, Table, Value, Where, code, int, opt_text, text};
use words::{Document, folded, ranked, stemmed};

/// So many processes are asked for by their names.
const NAMED_MAX: usize = 60;

/// The read model.
pub(crate) static MODEL: ReadModel =
    ReadModel { name: "catalogue", version: 2, tables: &[&TABLE], fold: |_| Box::new(Catalogue) };

static TABLE: Table = Table {
    name: "catalogue",
    columns: &[
        text("tenant"),
        text("process"),
        text("hash"),
        text("theme"),
        text("kind"),
        text("title"),
        opt_text("description"),
        text("open_to"),
        text("channels"),
        text("keywords"),
        text("see_also"),
        text("folded_title"),
        text("folded_words"),
        text("stems_title"),
        text("stems_keywords"),
        text("stems_words"),
    ],
    key: 2,
    indexes: &[],
    append_only: false,
};

/// Views are no events: they are counted beside the read model, and a rebuild leaves them alone.
pub(crate) static VIEWS: Table = Table {
    name: "catalogue_view",
    columns: &[text("tenant"), text("process"), int("views")],
    key: 2,
    indexes: &[],
    append_only: false,
};

/// A process in force.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CatalogueEntry {
    /// The collectivity that offers it.
    pub tenant: String,
    /// The process.
    pub process: String,
    /// Its version in force.
    pub definition: DefinitionHash,
    /// Its theme.
    pub theme: String,
    /// What kind of request it is.
    pub kind: Kind,
    /// What people call it.
    pub title: Text,
    /// A paragraph about it.
    pub description: Option<Text>,
    /// Who may open one.
    pub open_to: Vec<Opener>,
    /// Through which channels; all of them if empty.
    pub channels: Vec<Channel>,
    /// Words by which it is found.
    pub keywords: Vec<String>,
    /// Processes that may be meant instead.
    pub see_also: Vec<String>,
    /// How often it was looked at.
    pub views: u64,
}

/// In which order entries come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CatalogueOrder {
    /// What fits the words best first; without words, the most viewed.
    #[default]
    Best,
    /// The most viewed first.
    Views,
    /// By theme, then by title.
    Theme,
}

/// Which processes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CatalogueQuery {
    /// Of this collectivity; of all if none.
    pub tenant: Option<String>,
    /// That hold these words, in title, keywords, theme or description, in either language; if none holds all of them,
    /// those that hold the most.
    pub search: Option<String>,
    /// Of this theme.
    pub theme: Option<String>,
    /// Of this kind.
    pub kind: Option<Kind>,
    /// That this kind of person may open.
    pub open_to: Option<Opener>,
    /// Their order.
    pub order: CatalogueOrder,
    /// How many at most: 50 if 0, never more than 1,000.
    pub limit: u32,
}

/// A theme of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThemeEntry {
    /// Its id.
    pub theme: String,
    /// How many processes it has.
    pub processes: u64,
}

/// The folding side.
struct Catalogue;

impl Fold for Catalogue {
    fn publication(&mut self, publication: &Publication<'_>, rows: &mut Rows) {
        match publication {
            Publication::Process { tenant, process } => rows.table(&TABLE).upsert(row(tenant, process)),
            Publication::Retired { tenant, process } => {
                rows.table(&TABLE).withdraw(&[(*tenant).into(), (*process).into()]);
            }
            Publication::Organisation { .. } => {}
        }
    }
}

fn json<T: Serialize>(value: &T) -> Value {
    serde_json::to_string(value).unwrap_or_default().into()
}

fn row(tenant: &str, process: &Process) -> [Value; 16] {
    let definition = &process.definition;
    let title = &definition.title;
    let described = definition.description.clone().unwrap_or_default();
    let keywords = definition.keywords.join(" ");
    let words = [definition.theme.clone(), described.fr, described.en].join(" ");
    let titles = format!("{} {}", title.fr, title.en);
    [
        tenant.into(),
        (&definition.process).into(),
        (&process.hash.0).into(),
        (&definition.theme).into(),
        code(&definition.kind).into(),
        json(title),
        definition.description.as_ref().map(json).into(),
        json(&definition.open_to),
        json(&definition.channels),
        json(&definition.keywords),
        json(&definition.see_also),
        folded(&titles).into(),
        folded(&format!("{keywords} {words}")).into(),
        stemmed(&titles).into(),
        stemmed(&keywords).into(),
        stemmed(&words).into(),
    ]
}

fn read(row: &Row) -> Result<CatalogueEntry, ProjectionError> {
    let mut at = Columns::new(row);
    Ok(CatalogueEntry {
        tenant: at.take()?,
        process: at.take()?,
        definition: DefinitionHash(at.take()?),
        theme: at.take()?,
        kind: at.code()?,
        title: at.json()?,
        description: at.opt_json()?,
        open_to: at.json()?,
        channels: at.json()?,
        keywords: at.json()?,
        see_also: at.json()?,
        views: at.count()?,
    })
}

const COLUMNS: &str = "c.tenant, c.process, c.hash, c.theme, c.kind, c.title, c.description, c.open_to, c.channels, \
    c.keywords, c.see_also, COALESCE(v.views, 0) AS views";

const FROM: &str =
    "FROM catalogue c LEFT JOIN catalogue_view v ON v.tenant = c.tenant AND v.process = c.process";

impl CatalogueQuery {
    /// The conditions, the words left out.
    fn conditions(&self) -> Where {
        let mut filter = Where::default();
        filter.maybe("c.tenant = ?", self.tenant.as_ref());
        filter.maybe("c.theme = ?", self.theme.as_ref());
        filter.maybe("c.kind = ?", self.kind.map(|kind| code(&kind)));
        filter.maybe("c.open_to LIKE ?", self.open_to.map(|who| format!("%\"{}\"%", code(&who))));
        filter
    }
}

/// A process that may be found.
struct Candidate {
    tenant: String,
    process: String,
    theme: String,
    folded_title: String,
    views: u64,
}

/// The order of what was found: the same on every store, down to the last tie.
fn in_order(order: CatalogueOrder, one: &(u32, &Candidate), other: &(u32, &Candidate)) -> Ordering {
    let (best, worse) = (one.1, other.1);
    let views = worse.views.cmp(&best.views);
    let first = match order {
        CatalogueOrder::Best => other.0.cmp(&one.0).then(views),
        CatalogueOrder::Views => views,
        CatalogueOrder::Theme => best.theme.cmp(&worse.theme),
    };
    let name = |it: &Candidate| (it.folded_title.clone(), it.tenant.clone(), it.process.clone());
    first.then_with(|| name(best).cmp(&name(worse)))
}

/// What comparing needs of a row, and what ordering does.
fn compared(row: &Row) -> Result<(Candidate, Document), ProjectionError> {
    let mut at = Columns::new(row);
    let (tenant, process, theme, views) = (at.take()?, at.take()?, at.take()?, at.count()?);
    let (folded_title, folded_words): (String, String) = (at.take()?, at.take()?);
    let folded = format!("{} {} ", folded_title.trim_end(), folded_words.trim());
    let document = Document { titles: at.take()?, keywords: at.take()?, words: at.take()?, folded };
    Ok((Candidate { tenant, process, theme, folded_title, views }, document))
}

impl ReadModels {
    /// Processes in force. The counts are of processes; none of them is "open".
    ///
    /// # Errors
    /// [`ProjectionError::Store`].
    pub async fn catalogue(
        &self,
        query: &CatalogueQuery,
    ) -> Result<Answer<Vec<CatalogueEntry>>, ProjectionError> {
        let mut snapshot = Snapshot::take(self.database(), MODEL.name).await?;
        let filter = query.conditions();
        let sql = format!(
            "SELECT c.tenant, c.process, c.theme, COALESCE(v.views, 0) AS views, c.folded_title, c.folded_words, \
             c.stems_title, c.stems_keywords, c.stems_words {FROM} {}",
            filter.sql()
        );
        let rows = snapshot.rows(sql, &filter.values).await?;
        let all = rows.iter().map(compared).collect::<Result<Vec<_>, _>>()?;
        let (candidates, documents): (Vec<Candidate>, Vec<Document>) = all.into_iter().unzip();
        let scores = ranked(&documents, query.search.as_deref().unwrap_or_default());
        let mut found: Vec<(u32, &Candidate)> =
            scores.iter().filter_map(|(place, score)| Some((*score, candidates.get(*place)?))).collect();
        found.sort_by(|one, other| in_order(query.order, one, other));
        let count = u64::try_from(found.len()).unwrap_or(u64::MAX);
        found.truncate(usize::try_from(rows_of(query.limit)).unwrap_or(usize::MAX));
        let mut entries = Vec::with_capacity(found.len());
        if !found.is_empty() {
            let mut filter = query.conditions();
            // Where few are wanted, the rest is not read: each number of names is a statement of its own.
            if found.len() <= NAMED_MAX {
                filter.among("c.process", found.iter().map(|(_, candidate)| candidate.process.as_str()));
            }
            let sql = format!("SELECT {COLUMNS} {FROM} {}", filter.sql());
            let rows = snapshot.rows(sql, &filter.values).await?;
            let wanted: HashMap<(&str, &str), usize> = found
                .iter()
                .enumerate()
                .map(|(n, (_, c))| ((c.tenant.as_str(), c.process.as_str()), n))
                .collect();
            let mut places = Vec::with_capacity(found.len());
            for row in &rows {
                let mut at = Columns::new(row);
                let (tenant, process): (String, String) = (at.take()?, at.take()?);
                if let Some(place) = wanted.get(&(tenant.as_str(), process.as_str())) {
                    places.push((*place, read(row)?));
                }
            }
            places.sort_by_key(|(place, _)| *place);
            entries.extend(places.into_iter().map(|(_, entry)| entry));
        }
        Ok(snapshot.answer((count, 0), entries))
    }

    /// One process in force.
    ///
    /// # Errors
    /// [`ProjectionError::Store`].
    pub async fn catalogue_entry(
        &self,
        tenant: &str,
        process: &str,
    ) -> Result<Answer<Option<CatalogueEntry>>, ProjectionError> {
        let mut snapshot = Snapshot::take(self.database(), MODEL.name).await?;
        let sql = format!("SELECT {COLUMNS} {FROM} WHERE c.tenant = ? AND c.process = ?");
        let rows = snapshot.rows(sql, &[tenant.into(), process.into()]).await?;
        let entry = rows.first().map(read).transpose()?;
        Ok(snapshot.answer((u64::from(entry.is_some()), 0), entry))
    }

    /// The themes that have processes, with how many.
    ///
    /// # Errors
    /// [`ProjectionError::Store`].
    pub async fn themes(&self, tenant: Option<&str>) -> Result<Answer<Vec<ThemeEntry>>, ProjectionError> {
        let mut snapshot = Snapshot::take(self.database(), MODEL.name).await?;
        let mut filter = Where::default();
        filter.maybe("tenant = ?", tenant);
        let sql = format!(
            "SELECT theme, COUNT(DISTINCT process) FROM catalogue {} GROUP BY theme ORDER BY theme",
            filter.sql()
        );
        let rows = snapshot.rows(sql, &filter.values).await?;
        let theme = |row: &Row| {
            let mut at = Columns::new(row);
            Ok(ThemeEntry { theme: at.take()?, processes: at.count()? })
        };
        let themes = rows.iter().map(theme).collect::<Result<Vec<_>, ProjectionError>>()?;
        let n = themes.iter().map(|theme| theme.processes).sum();
        Ok(snapshot.answer((n, 0), themes))
    }

    /// Counts that someone looked at a process.
    ///
    /// # Errors
    /// [`ProjectionError::Store`].
    pub async fn viewed(&self, tenant: &str, process: &str) -> Result<(), ProjectionError> {
        let sql = "INSERT INTO catalogue_view (tenant, process, views) VALUES (?, ?, 1) \
            ON CONFLICT (tenant, process) DO UPDATE SET views = catalogue_view.views + 1";
        let values = [tenant.into(), process.into()];
        self.database().shared(async |connection| connection.run(sql, &values).await.map(drop)).await
    }
}
