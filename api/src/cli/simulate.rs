//! `guichet simulate`: a year of a town in seconds, on the rules of production.

mod options;
mod print;

use std::io::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use clap::Args;
use guichet_engine::rules::text::Language;
use serde_json::json;

use super::context::{Context, Format};
use super::failure::{Failure, Verdict};
use super::progress::Progress;
use crate::simulation::{Comparison, Ground, Need, Summary, drawn, need, runs};
use options::{SimulateOptions, Variant};

/// Live a year of a town in seconds: promises kept, where requests wait, what staff it takes
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  guichet simulate --month 2026-05 --seeds 10\n  \
    guichet simulate --staff service:voirie=3 --compare service:voirie=4 --process voirie/\n  \
    guichet simulate --online +20% --svg report.svg\n  \
    guichet simulate --target 95% --for service:voirie")]
pub(crate) struct Simulate {
    #[command(flatten)]
    options: SimulateOptions,
}

/// All that was asked.
struct Answered {
    ground: Ground,
    summary: Summary,
    compared: Option<Comparison>,
    needs: Vec<Need>,
}

impl Simulate {
    pub(crate) async fn run(self, context: &mut Context) -> Result<Verdict, Failure> {
        context.only(&[Format::Human, Format::Json])?;
        let (language, terminal) = (context.language, context.terminal);
        let options = self.options.ready();
        let known = tokio::task::spawn_blocking(move || {
            let answered = answer(&options, language, terminal)?;
            Ok::<_, Failure>((options, answered))
        });
        let (options, answered) = known.await.map_err(|error| Failure::found(error.to_string()))??;
        if let Some(path) = &options.svg {
            let picture = drawn(
                &answered.ground,
                &answered.summary,
                answered.compared.as_ref(),
                &options.drawing(language),
            );
            std::fs::write(path, picture).map_err(|error| options::unwritable(path, &error, language))?;
        }
        match context.format {
            Format::Json => {
                let seeds = options.seeds();
                let report = json!({
                    "simulation": 1, "period": options.period(), "seeds": seeds, "online": options.online,
                    "assumptions": answered.ground.assumptions(), "summary": answered.summary,
                    "compared": answered.compared, "needs": answered.needs,
                });
                writeln!(context.out, "{report:#}")?;
            }
            Format::Human | Format::Csv | Format::Sarif => print::human(context, &options, &answered)?,
        }
        Ok(Verdict::Good)
    }
}

fn answer(options: &SimulateOptions, language: Language, terminal: bool) -> Result<Answered, Failure> {
    let (found, areas) = options.catalogue(language)?;
    let assumed = options.assumptions(language)?;
    let present = Variant { people: options.staff.clone(), online: options.online };
    let town = |variant: &Variant| options.town(&found, &areas, variant.assumed(&assumed), language);
    let ground = town(&present)?;
    let seeds = options.seeds();
    let at_once = options.at_once();
    let done = AtomicU64::new(0);
    let bar = Mutex::new(Progress::new(terminal));
    let scenarios = 1 + u64::from(options.compare.is_some());
    let told = || {
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        let mut bar = bar.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        bar.show(done, u64::try_from(seeds.len()).unwrap_or_default() * scenarios, "");
    };
    let lived = runs(&ground, &seeds, options.online, at_once, &told);
    let summary = Summary::of(&ground, &lived);
    let compared = match &options.compare {
        None => None,
        Some(variant) => {
            let mut people = options.staff.clone();
            people.extend(variant.people.clone());
            let other = Variant { people, online: variant.online.max(options.online) };
            let other_ground = town(&other)?;
            let other_lived = runs(&other_ground, &seeds, other.online, at_once, &told);
            Some(Comparison::of((&ground, &lived), (&other_ground, &other_lived)))
        }
    };
    let needs = match options.target {
        None => Vec::new(),
        Some(target) => {
            let town = |people: &std::collections::BTreeMap<String, u16>| {
                let mut all = options.staff.clone();
                all.extend(people.clone());
                let variant = Variant { people: all, online: options.online };
                options.ground(&found, &areas, variant.assumed(&assumed))
            };
            need(&town, &options.posts, target, (&seeds, options.online, at_once), &|| {})
                .map_err(|error| options.fault(&error, language))?
        }
    };
    drop(bar);
    Ok(Answered { ground, summary, compared, needs })
}
