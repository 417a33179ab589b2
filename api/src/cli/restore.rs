//! `guichet restore`: a data folder from a backup.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use guichet_engine::rules::text::Language;
use serde_json::json;

use super::backup::{Programs, refused};
use super::context::{Context, Format};
use super::failure::{Failure, Verdict};
use super::local;
use crate::backup::{Restored, restore};

/// Restore a backup into a new or empty data folder, and verify every event of it
#[derive(Debug, Args)]
#[command(
    after_help = "Example: guichet restore --from /backups/journal/2026-11-22 --keys /vault/keys/2026-11-23 --data guichet-data\n\
    Take the newest keys there are, also for an older journal: whoever was erased since stays erased."
)]
pub(crate) struct Restore {
    /// The folder of the journal's backup.
    #[arg(long, value_name = "FOLDER")]
    from: PathBuf,
    /// The folder of the keys' backup.
    #[arg(long, value_name = "FOLDER")]
    keys: PathBuf,
    #[command(flatten)]
    tools: Programs,
}

impl Restore {
    pub(crate) async fn run(self, context: &mut Context) -> Result<Verdict, Failure> {
        context.only(&[Format::Human, Format::Json])?;
        let restored = restore(&self.from, &self.keys, &context.options(), &self.tools.tools()).await;
        let restored = restored.map_err(|error| refused(&error, context.language))?;
        print(context, &restored)?;
        Ok(if restored.verified.is_sound() { Verdict::Good } else { Verdict::FoundWrong })
    }
}

fn print(context: &mut Context, restored: &Restored) -> Result<(), Failure> {
    let Restored { journal, keys, verified } = restored;
    if context.format == Format::Json {
        let findings: Vec<String> = verified.findings.iter().map(ToString::to_string).collect();
        let answer = json!({
            "journal": journal, "keys": keys, "reaches": verified.recorded, "sound": verified.is_sound(),
            "events": verified.events, "erased": verified.erased, "findings": findings, "more": verified.more,
        });
        writeln!(context.out, "{answer:#}")?;
        return Ok(());
    }
    for finding in &verified.findings {
        writeln!(context.out, "{finding}")?;
    }
    let events = verified.events;
    let until = verified.recorded.map(|instant| local::instant(context.language, instant));
    let until = until.unwrap_or_else(|| "–".to_owned());
    let line = match (context.language, verified.is_sound()) {
        (Language::Fr, true) => format!(
            "Restaurés et vérifiés : {events} événements, le dernier du {until}. Ce qui est venu après est perdu. Les modèles de lecture se refont à l’ouverture."
        ),
        (Language::En, true) => format!(
            "Restored and verified: {events} events, the last of {until}. What came after is lost. Read models are made anew when the folder is opened."
        ),
        (Language::Fr, false) => {
            format!("Restaurés, mais avec des anomalies : {events} événements, le dernier du {until}.")
        }
        (Language::En, false) => {
            format!("Restored, but with things wrong: {events} events, the last of {until}.")
        }
    };
    writeln!(context.out, "{line}")?;
    Ok(())
}
