//! What the dashboard shows, with the words of the catalogue beside its ids.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use guichet_engine::rules::calendar::Calendar;
use guichet_engine::rules::text::Language;
use guichet_projections::{Card, Commitment};
use serde_json::{Value, json};

use super::late::Late;
use crate::Guichet;
use crate::cli::failure::Failure;
use crate::cli::store;
use crate::dashboard::Dashboard;

/// How many overdue promises are shown.
const OVERDUE: u32 = 8;

/// The dashboard, and what stands behind it.
#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) board: Dashboard,
    /// Promises past due and not done, the longest overdue first, and how many there are.
    pub(crate) overdue: Vec<Commitment>,
    pub(crate) overdue_all: u64,
    /// One of them, explained.
    pub(crate) explained: Option<Late>,
    /// Titles of processes, by id.
    titles: BTreeMap<String, String>,
    /// The town hall's zone, in which dates are shown.
    pub(crate) zone: Tz,
}

impl Figures {
    pub(crate) async fn read(
        guichet: &Guichet,
        tenant: Option<&str>,
        language: Language,
    ) -> Result<Self, Failure> {
        let models = guichet.read_models();
        let failed = |error: &guichet_projections::ProjectionError| store::reading(error, language);
        let board = guichet.dashboard(tenant).await.map_err(|error| failed(&error))?;
        let overdue = models.overdue(tenant, board.now, OVERDUE).await.map_err(|error| failed(&error))?;
        let explained = match overdue.value.first() {
            Some(worst) => Late::read(guichet, worst, language).await?,
            None => None,
        };
        let definitions = guichet.engine().definitions();
        let mut titles = BTreeMap::new();
        let mut zone = Tz::Europe__Paris;
        for tenant in definitions.tenants() {
            for plan in definitions.all_in_force(&tenant) {
                let definition = plan.definition();
                titles.insert(definition.process.clone(), definition.title_in(language).to_owned());
                zone = plan.calendar(&definition.calendar).map_or(zone, Calendar::zone);
            }
        }
        Ok(Self { board, overdue_all: overdue.n, overdue: overdue.value, explained, titles, zone })
    }

    /// The title of a process; its id where it is no longer in force.
    pub(crate) fn title<'a>(&'a self, process: &'a str) -> &'a str {
        self.titles.get(process).map_or(process, String::as_str)
    }

    /// The oldest first, and of two of the same instant the one with the smaller id.
    pub(crate) fn oldest(&self) -> Vec<&Card> {
        let mut cards: Vec<&Card> = self.board.oldest_waiting.iter().collect();
        cards.sort_by_key(|card| (card.received, card.request));
        cards
    }

    /// Everything, for programs.
    pub(crate) fn json(&self) -> Value {
        let mut value = serde_json::to_value(&self.board).unwrap_or_default();
        if let Some(object) = value.as_object_mut() {
            object.insert("overdue".into(), json!({ "n": self.overdue_all, "items": self.overdue }));
            object.insert("explained".into(), json!(self.explained));
        }
        value
    }
}
