//! The figures that a town hall looks at, for the terminal, HTTP and the page alike.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use guichet_engine::Definitions;
use guichet_engine::journal::Position;
use guichet_engine::rules::text::{Language, Text};
use guichet_projections::{
    Card, Dimension, KeptBy, KeptLine, KeptQuery, ProjectionError, ReadModels, StatisticsLine,
    StatisticsQuery,
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::vocabulary;

/// Requests shown among those that wait the longest.
const OLDEST: u32 = 5;

/// The dashboard of a collectivity, or of all of them. Every figure is over the requests received so far; those of open
/// ones may yet change.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Dashboard {
    /// The collectivity; all of them if none.
    pub tenant: Option<String>,
    /// When it was asked for (UTC).
    pub now: DateTime<Utc>,
    /// The journal position at which it is true; none while the journal is empty.
    #[schemars(with = "Option<String>")]
    pub as_of: Option<Position>,
    /// All requests together: how many, open, delivered, their cost and saving against the counter in cents.
    pub total: StatisticsLine,
    /// By stage.
    pub by_stage: Vec<StatisticsLine>,
    /// By channel.
    pub by_channel: Vec<StatisticsLine>,
    /// By theme.
    pub by_theme: Vec<StatisticsLine>,
    /// Commitments kept, each with its denominator: on time ÷ (on time + late + open past due).
    pub kept: Vec<KeptLine>,
    /// The open requests that wait the longest.
    pub oldest_waiting: Vec<Card>,
    /// What people call the themes and commitments above.
    pub titles: Titles,
}

/// What people call things, by id.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct Titles {
    /// Themes.
    pub themes: BTreeMap<String, Text>,
    /// Commitments that have a title of their own.
    pub commitments: BTreeMap<String, Text>,
}

impl Titles {
    /// Titles as the definitions in force give them; where two processes call a commitment differently, the first in
    /// the order of their names counts.
    #[must_use]
    pub fn of(definitions: &Definitions, tenant: Option<&str>) -> Self {
        let mut titles = Self::default();
        let all = definitions.tenants();
        for tenant in all.iter().filter(|name| tenant.is_none_or(|wanted| wanted == *name)) {
            let organisation = definitions.organisation(tenant).unwrap_or_default();
            let themes = organisation.themes.iter().map(|theme| (theme.theme.clone(), theme.title.clone()));
            titles.themes.extend(themes);
            for plan in definitions.all_in_force(tenant) {
                for sheet in &plan.definition().commitments {
                    let Some(title) = &sheet.title else { continue };
                    titles.commitments.entry(sheet.commitment.clone()).or_insert_with(|| title.clone());
                }
            }
        }
        titles
    }

    /// What people call a theme.
    pub(crate) fn theme(&self, id: &str, language: Language) -> String {
        named(&self.themes, id, language).unwrap_or_else(|| vocabulary::theme(id, language))
    }

    /// What people call a commitment.
    pub(crate) fn commitment(&self, id: &str, language: Language) -> String {
        named(&self.commitments, id, language).unwrap_or_else(|| vocabulary::commitment(id, language))
    }
}

fn named(titles: &BTreeMap<String, Text>, id: &str, language: Language) -> Option<String> {
    titles.get(id).map(|title| title.get(language).to_owned())
}

impl Dashboard {
    /// The dashboard as of now.
    ///
    /// # Errors
    /// [`ProjectionError`] when the read models do not answer.
    pub async fn read(
        models: &ReadModels,
        definitions: &Definitions,
        tenant: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Self, ProjectionError> {
        let by = async |dimension: Option<Dimension>| {
            let tenant = tenant.map(str::to_owned);
            let by = dimension.into_iter().collect();
            models.statistics(&StatisticsQuery { tenant, by, ..StatisticsQuery::default() }).await
        };
        let total = by(None).await?;
        let kept = KeptQuery { by: Some(KeptBy::Commitment), ..kept_query(tenant, now) };
        Ok(Self {
            tenant: tenant.map(str::to_owned),
            now,
            as_of: total.as_of,
            total: total.value.total,
            by_stage: by(Some(Dimension::Stage)).await?.value.lines,
            by_channel: by(Some(Dimension::Channel)).await?.value.lines,
            by_theme: by(Some(Dimension::Theme)).await?.value.lines,
            kept: models.kept(&kept).await?.value,
            oldest_waiting: models.oldest_waiting(tenant, OLDEST).await?.value.items,
            titles: Titles::of(definitions, tenant),
        })
    }
}

fn kept_query(tenant: Option<&str>, now: DateTime<Utc>) -> KeptQuery {
    KeptQuery {
        tenant: tenant.map(str::to_owned),
        now,
        cohort: guichet_projections::Cohort::default(),
        from: None,
        until: None,
        commitment: None,
        process: None,
        theme: None,
        service: None,
        channel: None,
        by: None,
    }
}
