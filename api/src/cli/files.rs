//! `guichet files`: the files that requests name, copied beside a running server and checked.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use guichet_engine::rules::text::Language;
use serde_json::json;

use super::context::{Context, Format};
use super::failure::{Failure, Verdict};
use crate::attachments::{AttachmentError, Checked, Files as Kept, Mirrored};
use crate::settings::Settings;

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
    /// The file of settings that the server is given: it names the folder or the bucket of the files.
    #[arg(long, value_name = "FILE", env = "GUICHET_SETTINGS", global = true)]
    settings: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Bring a copy up to date, beside a running server.
    Backup {
        /// The folder of the copy.
        #[arg(value_name = "FOLDER")]
        to: PathBuf,
    },
    /// Bring the files back from a copy into an empty folder or bucket, without a server.
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
        let here = kept(&context.options().data, self.folder.as_deref(), self.settings.as_deref())?;
        let failed = |error: AttachmentError| Failure::store(error.to_string());
        match self.what {
            What::Backup { to } => {
                let done = here.mirror(&Kept::folder(&to)).await;
                mirrored(context, &done.map_err(failed)?)
            }
            What::Restore { from } => {
                let done = here.bring_back(&Kept::folder(&from)).await;
                mirrored(context, &done.map_err(failed)?)
            }
            What::Verify => {
                let done = here.check(true).await;
                checked(context, &done.map_err(failed)?)
            }
        }
    }
}

/// The files of an installation: in the folder that was named, or where the settings say, or in the data folder.
pub(super) fn kept(data: &Path, folder: Option<&Path>, settings: Option<&Path>) -> Result<Kept, Failure> {
    if let Some(folder) = folder {
        return Ok(Kept::folder(folder));
    }
    let settings = settings.map(Settings::read).transpose();
    let settings = settings.map_err(|error| Failure::usage(error.to_string()))?.unwrap_or_default();
    Kept::of(data, &settings).map_err(|error| Failure::store(error.to_string()))
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
