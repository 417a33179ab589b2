//! A town that lives a month on the real engine: what `demo` shows.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{Months, NaiveDate, TimeDelta};
use clap::Args;
use guichet_engine::rules::text::Language;

use super::context::Context;
use super::failure::Failure;
use super::progress::Progress;
use super::{catalogue, store};
use crate::ambient::Surroundings;
use crate::http::asked_to_stop;
use crate::import::Areas;
use crate::simulation::{Month, Post, SimulationError, TownClock, live};
use crate::{Guichet, Options};

/// Which town, and which month of it.
#[derive(Debug, Args)]
pub(crate) struct TownOptions {
    /// The seed: the same one gives the same month.
    #[arg(long, default_value_t = 2016)]
    pub(crate) seed: u64,
    /// The month.
    #[arg(long, default_value = "2026-05", value_name = "YYYY-MM", value_parser = first_day)]
    pub(crate) month: NaiveDate,
    /// How busy the town is, in thousandths of Châlons.
    #[arg(long, default_value_t = 1000, value_name = "PERMILLE", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) busy: u32,
    /// The catalogue; that of Châlons in this repository if none is given.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) catalogue: Option<PathBuf>,
}

pub(crate) fn first_day(text: &str) -> Result<NaiveDate, String> {
    NaiveDate::parse_from_str(&format!("{text}-01"), "%Y-%m-%d")
        .map_err(|_| "a month is written 2026-05".to_owned())
}

impl TownOptions {
    fn days(&self) -> Month {
        let until = self.month + Months::new(1) - TimeDelta::days(1);
        Month { from: self.month, until, permille: self.busy }
    }
}

/// The folder of the catalogue that is named, or of that of Châlons.
pub(crate) fn catalogue_folder(named: Option<&Path>, language: Language) -> Result<PathBuf, Failure> {
    named.map(Path::to_owned).or_else(catalogue::chalons).ok_or_else(|| {
        Failure::usage(match language {
            Language::Fr => {
                "catalogue introuvable : lancez la commande dans le dépôt, ou indiquez --catalogue"
            }
            Language::En => {
                "no catalogue found: run this inside the repository, or name one with --catalogue"
            }
        })
    })
}

/// A town that has lived its month.
pub(crate) struct Town {
    pub(crate) guichet: Guichet,
    pub(crate) clock: Arc<TownClock>,
}

/// Lives the month in a new data folder.
pub(crate) async fn month(context: &Context, data: &Path, options: &TownOptions) -> Result<Town, Failure> {
    let language = context.language;
    let folder = catalogue_folder(options.catalogue.as_deref(), language)?;
    let found = catalogue::sound(&folder, language)?;
    let days = options.days();
    let eve = days.from.and_hms_opt(0, 0, 0).unwrap_or_default().and_utc() - TimeDelta::days(1);
    let clock = Arc::new(TownClock::at(eve));
    let post = Post::new(options.seed);
    let surroundings = Surroundings::with_clock(Arc::<TownClock>::clone(&clock));
    let choices = Options::new(data).ambient(Arc::new(surroundings)).outbound(Arc::new(post));
    let guichet = store::open_or_make(context, choices).await?;
    guichet.publish(&found).await.map_err(|error| store::publishing(&error, language))?;
    let areas = found.areas.as_deref().map(Areas::read).unwrap_or_default();
    let mut bar = Progress::new(context.terminal);
    let mut progress = |done: i64, of: i64| {
        let day = days.from + TimeDelta::minutes(done);
        let count = |minutes: i64| u64::try_from(minutes).unwrap_or_default();
        bar.show(count(done), count(of), &day.to_string());
    };
    let lived = tokio::select! {
        lived = live(&guichet, clock.manual(), options.seed, &days, &areas, &mut progress) => lived,
        // Whoever stops it half-way gets their prompt back, and a passing folder goes away.
        () = asked_to_stop() => return Err(Failure::found(context.say("interrompu", "interrupted"))),
    };
    lived.map_err(|error| failed(&error, language))?;
    drop(bar);
    Ok(Town { guichet, clock })
}

pub(crate) fn failed(error: &SimulationError, language: Language) -> Failure {
    match error {
        SimulationError::Engine(error) => store::engine(error, language),
        other => Failure::found(other.to_string()),
    }
}

/// A folder for a town that nobody keeps: gone when it is dropped.
#[derive(Debug)]
pub(crate) struct Passing(pub(crate) PathBuf);

impl Passing {
    pub(crate) fn new() -> Result<Self, Failure> {
        let mut bytes = [0; 8];
        getrandom::fill(&mut bytes).map_err(|error| Failure::found(error.to_string()))?;
        let path = std::env::temp_dir().join(format!("guichet-{:016x}", u64::from_le_bytes(bytes)));
        std::fs::create_dir(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        // What cannot be removed is in the system's folder for such things, which is emptied now and then.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The folder to live in: the one that was named, which must be new, or one that passes.
pub(crate) fn folder(context: &Context) -> Result<(PathBuf, Option<Passing>), Failure> {
    if context.store.is_shared() {
        return Err(Failure::usage(context.say(
            "cette ville d’essai vit dans un dossier à elle ; ne nommez pas de --store",
            "this trial town lives in a folder of its own; name no --store",
        )));
    }
    if !context.data_named {
        let passing = Passing::new()?;
        return Ok((passing.0.clone(), Some(passing)));
    }
    if context.data.join("journal.db").exists() {
        let path = context.data.display();
        return Err(Failure::usage(match context.language {
            Language::Fr => format!("{path} contient déjà des données ; indiquez un dossier neuf"),
            Language::En => format!("{path} holds data already; name a new folder"),
        }));
    }
    Ok((context.data.clone(), None))
}
