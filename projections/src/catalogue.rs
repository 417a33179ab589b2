//! `catalogue`: the processes in force, to be browsed by theme and found by words, with or without accents.

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

/// The read model.
pub(crate) static MODEL: ReadModel =
    ReadModel { name: "catalogue", version: 1, tables: &[&TABLE], fold: |_| Box::new(Catalogue) };

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
    /// That hold all these words, in title, keywords, theme or description, in either language.
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

fn row(tenant: &str, process: &Process) -> [Value; 13] {
    let definition = &process.definition;
    let title = &definition.title;
    let described = definition.description.clone().unwrap_or_default();
    let words =
        [definition.keywords.join(" "), definition.theme.clone(), described.fr, described.en].join(" ");
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
        folded(&format!("{} {}", title.fr, title.en)).into(),
        folded(&words).into(),
    ]
}

/// A text in lower case, without accents and without signs: what searching compares.
pub(crate) fn folded(text: &str) -> String {
    let mut folded = String::with_capacity(text.len() + 2);
    folded.push(' ');
    for letter in text.chars().flat_map(char::to_lowercase) {
        match letter {
            'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' => folded.push('a'),
            'ç' => folded.push('c'),
            'è' | 'é' | 'ê' | 'ë' => folded.push('e'),
            'ì' | 'í' | 'î' | 'ï' => folded.push('i'),
            'ñ' => folded.push('n'),
            'ò' | 'ó' | 'ô' | 'õ' | 'ö' => folded.push('o'),
            'ù' | 'ú' | 'û' | 'ü' => folded.push('u'),
            'ý' | 'ÿ' => folded.push('y'),
            'œ' => folded.push_str("oe"),
            'æ' => folded.push_str("ae"),
            // Combining accents of decomposed letters.
            '\u{300}'..='\u{36f}' => {}
            other if other.is_alphanumeric() => folded.push(other),
            _ if folded.ends_with(' ') => {}
            _ => folded.push(' '),
        }
    }
    folded
}

/// The words of a search, without the ending of the plural; short ones count only if there are no others.
fn search_words(search: &str) -> Vec<String> {
    let folded = folded(search);
    let all: Vec<&str> = folded.split_whitespace().collect();
    let long: Vec<&str> = all.iter().copied().filter(|word| word.chars().count() > 2).collect();
    let words = if long.is_empty() { all } else { long };
    words
        .into_iter()
        .map(|word| if word.len() > 3 { word.trim_end_matches(['s', 'x']) } else { word }.to_owned())
        .collect()
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
    /// The conditions, and how well an entry fits: a word in the title counts for more than elsewhere.
    fn conditions(&self) -> (Where, String, Vec<Value>) {
        let mut filter = Where::default();
        filter.maybe("c.tenant = ?", self.tenant.as_ref());
        filter.maybe("c.theme = ?", self.theme.as_ref());
        filter.maybe("c.kind = ?", self.kind.map(|kind| code(&kind)));
        filter.maybe("c.open_to LIKE ?", self.open_to.map(|who| format!("%\"{}\"%", code(&who))));
        // A sum even without words: a bare number after ORDER BY would name a column.
        let (mut fits, mut values) = (vec!["0 + 0".to_owned()], Vec::new());
        for word in self.search.iter().flat_map(|search| search_words(search)) {
            // Folded words hold letters and digits only, so nothing in them is a wildcard.
            let anywhere = Value::from(format!("%{word}%"));
            filter.raw("(c.folded_title LIKE ? OR c.folded_words LIKE ?)", [anywhere.clone(), anywhere]);
            fits.push("CASE WHEN c.folded_title LIKE ? THEN 2 ELSE 0 END".to_owned());
            fits.push("CASE WHEN c.folded_words LIKE ? THEN 1 ELSE 0 END".to_owned());
            values.extend([format!("% {word}%").into(), format!("% {word}%").into()]);
        }
        (filter, fits.join(" + "), values)
    }
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
        let (filter, fits, fit_values) = query.conditions();
        let count = format!("SELECT COUNT(*), CAST(0 AS BIGINT) {FROM} {}", filter.sql());
        let counts = snapshot.counts(count, &filter.values).await?;
        let order = match query.order {
            CatalogueOrder::Best => format!("{fits} DESC, views DESC, c.folded_title, c.tenant"),
            CatalogueOrder::Views => "views DESC, c.folded_title, c.tenant".to_owned(),
            CatalogueOrder::Theme => "c.theme, c.folded_title, c.tenant".to_owned(),
        };
        let sql = format!(
            "SELECT {COLUMNS} {FROM} {} ORDER BY {order} LIMIT {}",
            filter.sql(),
            rows_of(query.limit)
        );
        let ranked = matches!(query.order, CatalogueOrder::Best);
        let values = [filter.values, if ranked { fit_values } else { Vec::new() }].concat();
        let rows = snapshot.rows(sql, &values).await?;
        let entries = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        Ok(snapshot.answer(counts, entries))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accents_case_and_signs_do_not_matter() {
        assert_eq!(folded("Éclairage — l'Œuvre, Noël"), " eclairage l oeuvre noel");
        assert_eq!(folded("E\u{301}clairage"), " eclairage");
    }

    #[test]
    fn plurals_and_little_words_do_not_matter() {
        assert_eq!(search_words("les Lampadaires de la rue"), ["les", "lampadaire", "rue"]);
        assert_eq!(search_words("un"), ["un"]);
        assert_eq!(search_words("ÉTAT civil"), ["etat", "civil"]);
        assert!(search_words("  ,  ").is_empty());
    }
}
