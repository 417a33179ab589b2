//! `guichet doctor`: whether a town's memory is well, and what to do where it is not.

mod around;
mod within;

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::context::{Context, Format};
use super::failure::{Failure, Verdict};
use super::store;
use crate::settings::Settings;
use crate::store::Store;

/// Examine a store, beside its server as well: files, journal, keys, read models, what waits, disk, clock, backups
#[derive(Debug, Args)]
#[command(after_help = "Example: guichet doctor --data guichet-data --backup /backups/journal")]
pub(crate) struct Doctor {
    /// Where the backups of the journal are, each in a folder of its own, or one of them: complain when the newest is
    /// older than a day.
    #[arg(long, value_name = "FOLDER")]
    backup: Option<PathBuf>,
    /// The folder of the files that requests name, where the settings name another than the data folder's.
    #[arg(long, value_name = "FOLDER")]
    files: Option<PathBuf>,
    /// The file of settings that the server is given: it names the folder or the bucket of the files, and mailboxes that
    /// are tried.
    #[arg(long, value_name = "FILE", env = "GUICHET_SETTINGS")]
    settings: Option<PathBuf>,
}

/// One thing that was looked at.
pub(super) struct Finding {
    /// Its name for programs.
    what: &'static str,
    /// Its name for people.
    name: String,
    well: bool,
    /// What was found.
    words: String,
    /// What to do about it; none where all is well.
    advice: Option<String>,
}

/// What was found so far, in the language of the one who asked.
pub(super) struct Findings<'a> {
    context: &'a Context,
    list: Vec<Finding>,
}

impl<'a> Findings<'a> {
    fn say(&self, fr: &str, en: &str) -> String {
        self.context.say(fr, en).to_owned()
    }

    fn add(&mut self, what: &'static str, name: (&str, &str), words: String) {
        let name = self.say(name.0, name.1);
        self.list.push(Finding { what, name, well: true, words, advice: None });
    }

    /// Something that is not well, with what to do about it.
    fn complain(&mut self, what: &'static str, name: (&str, &str), words: String, advice: (&str, &str)) {
        let (name, advice) = (self.say(name.0, name.1), Some(self.say(advice.0, advice.1)));
        self.list.push(Finding { what, name, well: false, words, advice });
    }

    /// Well or not, by `well`.
    fn judge(
        &mut self,
        well: bool,
        what: &'static str,
        name: (&str, &str),
        words: String,
        advice: (&str, &str),
    ) {
        if well { self.add(what, name, words) } else { self.complain(what, name, words, advice) }
    }
}

impl Doctor {
    pub(crate) async fn run(self, context: &mut Context) -> Result<Verdict, Failure> {
        context.only(&[Format::Human, Format::Json])?;
        store::must_exist(context)?;
        let mut findings = Findings { context, list: Vec::new() };
        let ended = self.examine(&mut findings).await;
        let findings = findings.list;
        print(context, &findings)?;
        ended?;
        let well = findings.iter().all(|finding| finding.well);
        Ok(if well { Verdict::Good } else { Verdict::FoundWrong })
    }

    async fn examine(&self, findings: &mut Findings<'_>) -> Result<(), Failure> {
        let context = findings.context;
        let version = env!("CARGO_PKG_VERSION");
        findings.add("program", ("programme", "program"), format!("guichet {version}, {}", context.store));
        if let Store::Sqlite(folder) = &context.store {
            around::room(findings, folder);
            around::modes(findings, folder);
        }
        let data = context.options().data;
        let files = super::files::kept(&data, self.files.as_deref(), self.settings.as_deref())?;
        around::files(findings, &files).await;
        if let Some(path) = &self.settings {
            let settings = Settings::read(path).map_err(|error| Failure::usage(error.to_string()))?;
            around::mailboxes(findings, &settings).await;
        }
        if let Some(folder) = &self.backup {
            around::backups(findings, folder);
        }
        let opened = store::open_to_read(context).await;
        let guichet = opened.inspect_err(|failure| {
            let advice = (
                "lisez la phrase ; une sauvegarde se restaure avec `guichet restore`",
                "read the sentence; a backup is restored with `guichet restore`",
            );
            findings.complain("open", ("ouverture", "opening"), failure.sentence().to_owned(), advice);
        })?;
        let done = within::examine(findings, &guichet).await;
        guichet.close().await;
        done
    }
}

fn print(context: &mut Context, findings: &[Finding]) -> Result<(), Failure> {
    if context.format == Format::Json {
        let list: Vec<_> = findings
            .iter()
            .map(|f| json!({ "what": f.what, "name": f.name, "well": f.well, "words": f.words, "advice": f.advice }))
            .collect();
        writeln!(context.out, "{:#}", json!({ "findings": list }))?;
        return Ok(());
    }
    for finding in findings {
        let sign = if finding.well { "✓" } else { "✗" };
        writeln!(context.out, "{sign} {}: {}", finding.name, finding.words)?;
        if let Some(advice) = &finding.advice {
            writeln!(context.out, "    → {advice}")?;
        }
    }
    Ok(())
}
