//! `guichet simulate`: a month of a town, lived in seconds.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{Months, NaiveDate, TimeDelta};
use clap::Args;
use guichet_engine::rules::text::Language;
use serde_json::json;

use super::context::{Context, Format};
use super::failure::{Failure, Verdict};
use super::output::{Table, grouped};
use super::progress::Progress;
use super::{catalogue, dashboard, store};
use crate::ambient::Surroundings;
use crate::http::asked_to_stop;
use crate::import::Areas;
use crate::simulation::{Lived, Month, Post, Posted, SimulationError, TownClock, live};
use crate::{Guichet, Options};

/// Live a month of a town on a simulated clock, and show what became of it
#[derive(Debug, Args)]
#[command(after_help = "Example: guichet simulate --seed 7 --month 2026-05 --busy 2000")]
pub(crate) struct Simulate {
    #[command(flatten)]
    pub(crate) town: TownOptions,
}

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

fn first_day(text: &str) -> Result<NaiveDate, String> {
    NaiveDate::parse_from_str(&format!("{text}-01"), "%Y-%m-%d")
        .map_err(|_| "a month is written 2026-05".to_owned())
}

impl TownOptions {
    fn days(&self) -> Month {
        let until = self.month + Months::new(1) - TimeDelta::days(1);
        Month { from: self.month, until, permille: self.busy }
    }

    fn folder(&self, language: Language) -> Result<PathBuf, Failure> {
        self.catalogue.clone().or_else(catalogue::chalons).ok_or_else(|| {
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
}

/// A town that has lived its month.
pub(crate) struct Town {
    pub(crate) guichet: Guichet,
    pub(crate) clock: Arc<TownClock>,
    pub(crate) lived: Lived,
    pub(crate) posted: Posted,
}

/// Lives the month in a new data folder.
pub(crate) async fn month(context: &Context, data: &Path, options: &TownOptions) -> Result<Town, Failure> {
    let language = context.language;
    let folder = options.folder(language)?;
    let found = catalogue::sound(&folder, language)?;
    let days = options.days();
    let eve = days.from.and_hms_opt(0, 0, 0).unwrap_or_default().and_utc() - TimeDelta::days(1);
    let clock = Arc::new(TownClock::at(eve));
    let post = Post::new(options.seed);
    let surroundings = Surroundings::with_clock(Arc::<TownClock>::clone(&clock));
    let choices = Options::new(data).ambient(Arc::new(surroundings)).outbound(Arc::new(post.clone()));
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
    let lived = lived.map_err(|error| failed(&error, language))?;
    drop(bar);
    Ok(Town { posted: post.posted(), guichet, clock, lived })
}

fn failed(error: &SimulationError, language: Language) -> Failure {
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

impl Simulate {
    pub(crate) async fn run(self, context: &mut Context) -> Result<Verdict, Failure> {
        let (data, _passing) = folder(context)?;
        let town = month(context, &data, &self.town).await?;
        let printed = self.print(context, &town).await;
        town.guichet.close().await;
        printed.map(|()| Verdict::Good)
    }

    async fn print(&self, context: &mut Context, town: &Town) -> Result<(), Failure> {
        let Lived { requests, commands, timers, processes, refused, .. } = &town.lived;
        let Posted { emails, texts, bounced } = town.posted;
        if context.format == Format::Json {
            let dashboard = dashboard::read(&town.guichet, None, context.language).await?;
            let answer = json!({
                "seed": self.town.seed, "requests": requests, "commands": commands, "timers": timers,
                "processes": processes, "refused": refused,
                "emails": emails, "texts": texts, "bounced": bounced, "dashboard": dashboard.json(),
            });
            writeln!(context.out, "{answer:#}")?;
            return Ok(());
        }
        dashboard::print(context, &town.guichet, None).await?;
        if context.format == Format::Csv {
            return Ok(());
        }
        let n = |count: u64| grouped(i64::try_from(count).unwrap_or(i64::MAX));
        let mut table = Table::new(&[context.say("simulation", "simulation"), ">"]);
        table.row(vec![context.say("demandes", "requests").into(), n(*requests)]);
        table.row(vec![
            context.say("démarches employées", "processes used").into(),
            n(processes.len() as u64),
        ]);
        table.row(vec![context.say("actes", "commands").into(), n(*commands)]);
        table.row(vec![context.say("minuteries", "timers").into(), n(*timers)]);
        table.row(vec![context.say("courriels", "e-mails").into(), n(emails)]);
        table.row(vec![context.say("SMS", "text messages").into(), n(texts)]);
        table.row(vec![context.say("non remis", "bounced").into(), n(bounced)]);
        for (code, count) in refused {
            table.row(vec![format!("{} {code}", context.say("refusé :", "refused:")), n(*count)]);
        }
        writeln!(context.out)?;
        table.write(&mut context.out)
    }
}
