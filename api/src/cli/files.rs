//! `guichet files`: the files that requests name, copied beside a running server and checked.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use guichet_engine::rules::text::Language;
use serde_json::json;

use super::context::{Context, Format};
use super::failure::{Failure, Verdict};
use crate::attachments::{ATTACHMENTS_FOLDER, Checked, Mirrored, bring_back, check, mirror};

/// Copy the files that requests name, bring them back, or check them by their digests
#[derive(Debug, Args)]
#[command(after_help = "Example: guichet files backup /backups/files\n\
    A copy follows: what was erased here is taken away there too, the next time it is brought up to date.")]
pub(crate) struct Files {
    #[command(subcommand)]
    what: What,
    /// The folder of the files, where the settings name another than the data folder's.
    #[arg(long, value_name = "FOLDER", global = true)]
    folder: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Bring a copy up to date, beside a running server.
    Backup {
        /// The folder of the copy.
        #[arg(value_name = "FOLDER")]
        to: PathBuf,
    },
    /// Bring the files back from a copy into an empty folder, without a server.
    Restore {
        /// The folder of the copy.
        #[arg(value_name = "FOLDER")]
        from: PathBuf,
    },
    /// Read every file and compare it with its digest.
    Verify,
}

impl Files {
    pub(crate) async fn run(self, context: &mut Context) -> Result<Verdict, Failure> {
        context.only(&[Format::Human, Format::Json])?;
        let here = self.folder.unwrap_or_else(|| context.options().data.join(ATTACHMENTS_FOLDER));
        let done = tokio::task::spawn_blocking(move || match self.what {
            What::Backup { to } => Done::Mirrored(mirror(&here, &to)),
            What::Restore { from } => Done::Mirrored(bring_back(&from, &here)),
            What::Verify => Done::Checked(check(&here, true)),
        });
        let done = done.await.map_err(|error| Failure::store(error.to_string()))?;
        let failed = |error: std::io::Error| Failure::store(error.to_string());
        match done {
            Done::Mirrored(done) => mirrored(context, &done.map_err(failed)?),
            Done::Checked(done) => checked(context, &done.map_err(failed)?),
        }
    }
}

enum Done {
    Mirrored(std::io::Result<Mirrored>),
    Checked(std::io::Result<Checked>),
}

fn mirrored(context: &mut Context, done: &Mirrored) -> Result<Verdict, Failure> {
    let Mirrored { files, copied, removed } = done;
    if context.format == Format::Json {
        writeln!(context.out, "{:#}", json!({ "files": files, "copied": copied, "removed": removed }))?;
        return Ok(Verdict::Good);
    }
    let line = match context.language {
        Language::Fr => format!("{files} fichiers ; {copied} éléments copiés, {removed} retirés."),
        Language::En => format!("{files} files; {copied} things copied, {removed} taken away."),
    };
    writeln!(context.out, "{line}")?;
    Ok(Verdict::Good)
}

fn checked(context: &mut Context, done: &Checked) -> Result<Verdict, Failure> {
    let Checked { sound, changed, missing, orphans } = done;
    let well = changed.is_empty() && missing.is_empty();
    if context.format == Format::Json {
        let answer = json!({ "sound": sound, "changed": changed, "missing": missing, "orphans": orphans });
        writeln!(context.out, "{answer:#}")?;
    } else {
        for (words, digests) in [
            (context.say("modifié", "changed"), changed),
            (context.say("manquant", "missing"), missing),
            (context.say("tenu par rien", "held by nothing"), orphans),
        ] {
            for digest in digests {
                writeln!(context.out, "{words} : {digest}")?;
            }
        }
        let line = match context.language {
            Language::Fr => format!("{sound} fichiers intacts."),
            Language::En => format!("{sound} files are what they were."),
        };
        writeln!(context.out, "{line}")?;
    }
    Ok(if well { Verdict::Good } else { Verdict::FoundWrong })
}
