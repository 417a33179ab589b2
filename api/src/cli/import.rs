//! `guichet import`: requests from another system.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;
use guichet_engine::rules::language::{SourceFile, Sources};
use guichet_engine::rules::text::Language;
use serde_json::json;

use super::calendars::unreadable;
use super::catalogue::{drawn, root_of};
use super::context::{Context, Format};
use super::failure::{Failure, Verdict};
use super::output::{Table, grouped, printable};
use super::progress::Progress;
use super::store;
use crate::Guichet;
use crate::import::{Areas, Import as Run, ImportError, ImportMap, Locate, Summary, read_map};

/// Take in requests from another system, a row of a table each; run again, it makes nothing twice
#[derive(Debug, Args)]
#[command(after_help = "Example: guichet import reports.csv --map processes/chalons/imports/dansmarue.yaml")]
pub(crate) struct Import {
    /// The table (CSV).
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Which column says what.
    #[arg(long, value_name = "MAP.yaml")]
    map: PathBuf,
    /// The collectivity that receives all rows, whatever the map says.
    #[arg(long)]
    tenant: Option<String>,
    /// The catalogue to publish first where none is in force; that of the map if none is given.
    #[arg(long, value_name = "FOLDER")]
    catalogue: Option<PathBuf>,
}

impl Import {
    pub(crate) async fn run(self, context: &mut Context) -> Result<Verdict, Failure> {
        context.only(&[Format::Human, Format::Json])?;
        let (map, sources) = read(&self.map, context.language)?;
        if let Err(error) = std::fs::File::open(&self.file) {
            return Err(unreadable(&self.file, &error, context.language));
        }
        let guichet = store::open_or_make(context, context.options()).await?;
        let ended = self.carry_out(context, &guichet, &map, &sources).await;
        guichet.close().await;
        let summary = ended?;
        print(context, &summary)?;
        let whole = summary.aside == 0 && !summary.stopped;
        Ok(if whole { Verdict::Good } else { Verdict::FoundWrong })
    }

    async fn carry_out(
        &self,
        context: &Context,
        guichet: &Guichet,
        map: &ImportMap,
        sources: &Sources,
    ) -> Result<Summary, Failure> {
        let language = context.language;
        let beside = root_of(&self.map);
        let folder = self.catalogue.as_ref().or(beside.as_ref());
        if guichet.engine().definitions().tenants().is_empty()
            && let Some(folder) = folder
        {
            store::publish(guichet, folder, language).await?;
        }
        let stop = stop_on_ctrl_c();
        let mut bar = Progress::new(context.terminal);
        let words = context.say("lignes", "rows");
        let locate = folder.and_then(|folder| areas(folder));
        let run = Run { guichet, map, sources, file: &self.file, tenant: self.tenant.as_deref(), locate };
        let mut progress = |summary: &Summary| {
            let (read, size) = summary.bytes;
            bar.show(read, size, &format!("{} {words}", summary.rows));
        };
        run.run(&stop, &mut progress).await.map_err(|error| match error {
            ImportError::Map(found) => Failure::found(drawn(&found, sources, language, false).join("\n\n")),
            ImportError::Table { path, source } => unreadable(&path, &source, language),
            ImportError::Engine(error) => store::engine(&error, language),
            other @ ImportError::Aside { .. } => Failure::store(other.to_string()),
        })
    }
}

/// Finds the neighbourhood of a place, where the catalogue has a map of them.
fn areas(catalogue: &Path) -> Option<Locate> {
    let text = std::fs::read_to_string(catalogue.join("areas.geojson")).ok()?;
    let areas = Areas::read(&text);
    Some(Arc::new(move |lat, lon| areas.find(lat, lon).map(str::to_owned)))
}

/// Becomes true when the person wants to stop; a second Ctrl-C ends the program at once, and loses nothing either.
fn stop_on_ctrl_c() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&stop);
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            told.store(true, Ordering::Relaxed);
        }
        if tokio::signal::ctrl_c().await.is_ok() {
            std::process::exit(130);
        }
    });
    stop
}

fn read(path: &Path, language: Language) -> Result<(ImportMap, Sources), Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(path, &error, language))?;
    let mut sources = Sources::default();
    let file = sources.add(SourceFile { path: path.display().to_string(), text });
    match read_map(file, &sources) {
        Ok(map) => Ok((map, sources)),
        Err(found) => Err(Failure::found(drawn(&found, &sources, language, false).join("\n\n"))),
    }
}

fn print(context: &mut Context, summary: &Summary) -> Result<(), Failure> {
    let language = context.language;
    let Summary { rows, imported, repeated, aside, .. } = *summary;
    if context.format == Format::Json {
        let reason = |(reason, rows): &(guichet_engine::rules::text::Text, u64)| json!({ "reason": reason.get(language), "rows": rows });
        let answer = json!({
            "rows": rows, "imported": imported, "repeated": repeated, "aside": aside,
            "aside_file": summary.aside_file,
            "reasons": summary.reasons.iter().map(reason).collect::<Vec<_>>(),
            "processes": summary.processes.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
            "stopped": summary.stopped,
        });
        writeln!(context.out, "{answer:#}")?;
        return Ok(());
    }
    let n = |count: u64| grouped(i64::try_from(count).unwrap_or(i64::MAX));
    let mut table = Table::new(&[context.say("lignes", "rows"), ">"]);
    table.row(vec![context.say("importées", "imported").into(), n(imported)]);
    table.row(vec![context.say("déjà importées", "imported before").into(), n(repeated)]);
    table.row(vec![context.say("mises de côté", "kept aside").into(), n(aside)]);
    table.row(vec![context.say("en tout", "in all").into(), n(rows)]);
    table.write(&mut context.out)?;
    let mut processes = Table::new(&[context.say("démarche", "process"), context.say(">lignes", ">rows")]);
    for (process, rows) in &summary.processes {
        processes.row(vec![process.clone(), n(*rows)]);
    }
    if !processes.is_empty() {
        writeln!(context.out)?;
        processes.write(&mut context.out)?;
    }
    if let Some(path) = &summary.aside_file {
        let words = context.say(
            "Lignes mises de côté, avec leur numéro et la raison :",
            "Rows kept aside, with their line and the reason:",
        );
        writeln!(context.out, "\n{words} {}", path.display())?;
        for (reason, rows) in summary.reasons.iter().take(10) {
            writeln!(context.out, "  {} × {}", n(*rows), printable(reason.get(language)))?;
        }
    }
    if summary.stopped {
        let words = context.say(
            "Arrêté avant la fin ; la même commande reprend où elle en était, sans doublon.",
            "Stopped before the end; the same command goes on from there and makes nothing twice.",
        );
        writeln!(context.out, "\n{words}")?;
    }
    Ok(())
}
