//! `guichet diff`: what changes from one version to another, for whom, and for which requests under way.

use std::io::Write;

use clap::Args;
use guichet_engine::rules::process::SourceLine;
use guichet_engine::rules::request::{ClockPolicy, Mapping};
use guichet_engine::rules::text::{Language, Text};
use guichet_engine::rules::versions::{Area, Change, Nature, ProcessChanges, compare, likely_renames};
use serde_json::json;
use similar::{ChangeTag, TextDiff};

use super::context::{Context, Format};
use super::failure::{Failure, Verdict};
use super::named::{self, Versions};
use super::output::printable;
use super::{migrate, store};
use crate::Guichet;
use crate::migration::{MigrationPlan, Scope, Targets};

/// Say what changes from one version of a catalogue or sheet to another, and for whom
#[derive(Debug, Args)]
#[command(
    after_help = "OLD and NEW are a catalogue's folder, a sheet in one, `in-force` (what the data folder has in force),\n\
    or the hash of a published version. With --data it also says what would become of requests under way.\n\
    Example: guichet diff in-force processes/chalons/voirie/chaussee-abimee.yaml --data guichet-data"
)]
pub(crate) struct Diff {
    /// The version until now.
    #[arg(value_name = "OLD")]
    old: String,
    /// The version from now on.
    #[arg(value_name = "NEW")]
    new: String,
    /// What this collectivity has in force, and its requests.
    #[arg(long)]
    tenant: Option<String>,
}

impl Diff {
    pub(crate) async fn run(self, context: &mut Context) -> Result<Verdict, Failure> {
        context.only(&[Format::Human, Format::Json])?;
        let published = [&self.old, &self.new].into_iter().any(|text| named::is_published(text));
        if !published && !context.data_named && !context.store.is_shared() {
            return self.compared(context, None).await;
        }
        let guichet = store::open_to_read(context).await?;
        let done = self.compared(context, Some(&guichet)).await;
        guichet.close().await;
        done
    }

    async fn compared(&self, context: &mut Context, guichet: Option<&Guichet>) -> Result<Verdict, Failure> {
        let old = named::named(context, guichet, &self.old, self.tenant.as_deref())?;
        let new = named::named(context, guichet, &self.new, self.tenant.as_deref())?;
        let only = new.only.as_deref().or(old.only.as_deref());
        let found = compare(&old.borrowed(only), &new.borrowed(only));
        let touched = match guichet {
            Some(guichet) => self.touched(context, guichet, &found, &new).await?,
            None => None,
        };
        let renames: Vec<(String, Vec<String>)> = found
            .iter()
            .filter_map(|process| {
                let renames = likely_renames(old.of(&process.process)?, new.of(&process.process)?);
                (!renames.is_empty()).then(|| (process.process.clone(), renames))
            })
            .collect();
        if context.format == Format::Json {
            let requests = touched.as_ref().map(MigrationPlan::summary);
            let answer = json!({ "processes": found, "renames": renames, "requests": requests });
            writeln!(context.out, "{answer:#}")?;
            return Ok(Verdict::Good);
        }
        print_all(context, &found)?;
        for (process, renames) in &renames {
            let words = context.say("semble seulement renommé", "looks only renamed");
            writeln!(context.out, "\n{process} : {words} : {}", renames.join(" "))?;
        }
        if let Some(plan) = &touched {
            let words = context.say("Demandes en cours", "Requests under way");
            writeln!(context.out, "\n── {words}\n")?;
            migrate::print_plan(context, plan)?;
        }
        Ok(Verdict::Good)
    }

    /// What would become of the requests of the processes that change, as a migration would plan it.
    async fn touched(
        &self,
        context: &Context,
        guichet: &Guichet,
        found: &[ProcessChanges],
        new: &Versions,
    ) -> Result<Option<MigrationPlan>, Failure> {
        let processes: Vec<String> = found.iter().map(|process| process.process.clone()).collect();
        if processes.is_empty() {
            return Ok(None);
        }
        let scope = Scope {
            tenant: self.tenant.clone(),
            processes,
            request: None,
            targets: Targets::Candidates(new.plans()?),
            promises: ClockPolicy::RecomputeRemaining,
            mapping: Mapping::default(),
            agent: None,
        };
        let models = guichet.read_models();
        models.catch_up(store::PATIENCE).await.map_err(|error| store::reading(&error, context.language))?;
        let plan = MigrationPlan::make(guichet, &scope).await;
        plan.map(Some).map_err(|error| migrate::failure(&error, context.language))
    }
}

fn print_all(context: &mut Context, found: &[ProcessChanges]) -> Result<(), Failure> {
    if found.is_empty() {
        let words = context.say("Rien ne change.", "Nothing changes.");
        writeln!(context.out, "{words}")?;
    }
    for (index, process) in found.iter().enumerate() {
        if index > 0 {
            writeln!(context.out)?;
        }
        let title = printable(process.title.get(context.language));
        writeln!(context.out, "{} — {title}", process.process)?;
        match process.nature {
            Nature::Added => {
                let words = context.say("Nouvelle démarche.", "A new process.");
                writeln!(context.out, "  {words}")?;
            }
            Nature::Removed => {
                let words = context.say("La démarche disparaît.", "The process is gone.");
                writeln!(context.out, "  {words}")?;
            }
            Nature::Changed | Nature::Longer | Nature::Shorter => print_process(context, &process.changes)?,
        }
    }
    Ok(())
}

fn print_process(context: &mut Context, changes: &[Change]) -> Result<(), Failure> {
    let mut areas: Vec<Area> = changes.iter().map(|change| change.area).collect();
    areas.dedup();
    for area in areas {
        writeln!(context.out, "  {}", area.title().get(context.language))?;
        for change in changes.iter().filter(|change| change.area == area) {
            print_change(context, change)?;
        }
    }
    Ok(())
}

/// A value that is shown on the line of its change; longer ones are shown line by line below it.
const SHORT: usize = 60;

fn print_change(context: &mut Context, change: &Change) -> Result<(), Failure> {
    let language = context.language;
    let subject = printable(change.subject.get(language));
    let nature = nature(change.nature, language);
    let who: Vec<String> = change.concerns.iter().map(|who| who.name().get(language).to_owned()).collect();
    let fits = |text: &Option<Text>| {
        text.as_ref().is_none_or(|text| {
            text.get(language).chars().count() <= SHORT && !text.get(language).contains('\n')
        })
    };
    let short = fits(&change.old) && fits(&change.new);
    let values = match (&change.old, &change.new) {
        _ if !short => String::new(),
        (Some(old), Some(new)) => {
            format!(" : {} → {}", printable(old.get(language)), printable(new.get(language)))
        }
        (Some(one), None) | (None, Some(one)) => format!(" : {}", printable(one.get(language))),
        (None, None) => String::new(),
    };
    writeln!(context.out, "    {subject} [{nature}]{values}")?;
    if !short {
        let of = |text: &Option<Text>| text.as_ref().map(|text| text.get(language).to_owned());
        lines(context, &of(&change.old).unwrap_or_default(), &of(&change.new).unwrap_or_default())?;
    }
    let words = context.say("pour", "for");
    let places = places(change.old_at.as_ref(), change.new_at.as_ref());
    writeln!(context.out, "      {words} {}{places}", who.join(", "))?;
    Ok(())
}

/// The lines of a text that are gone and those that are new.
fn lines(context: &mut Context, old: &str, new: &str) -> Result<(), Failure> {
    let diff = TextDiff::from_lines(old, new);
    for change in diff.iter_all_changes().filter(|change| change.tag() != ChangeTag::Equal) {
        let sign = if change.tag() == ChangeTag::Delete { '-' } else { '+' };
        writeln!(context.out, "      {sign} {}", printable(change.value().trim_end()))?;
    }
    Ok(())
}

fn nature(nature: Nature, language: Language) -> &'static str {
    let (fr, en) = match nature {
        Nature::Added => ("nouveau", "new"),
        Nature::Removed => ("supprimé", "gone"),
        Nature::Changed => ("changé", "changed"),
        Nature::Longer => ("plus long", "longer"),
        Nature::Shorter => ("plus court", "shorter"),
    };
    match language {
        Language::Fr => fr,
        Language::En => en,
    }
}

fn places(old: Option<&SourceLine>, new: Option<&SourceLine>) -> String {
    let place = |at: &SourceLine| format!("{}:{}", at.file, at.line);
    match (old.map(place), new.map(place)) {
        (Some(old), Some(new)) if old == new => format!("  ({new})"),
        (Some(old), Some(new)) => format!("  ({old} → {new})"),
        (Some(one), None) | (None, Some(one)) => format!("  ({one})"),
        (None, None) => String::new(),
    }
}
