//! `guichet backup`: a copy of the journal and of its keys, beside a running server.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use guichet_engine::rules::text::Language;
use serde_json::json;

use super::context::{Context, Format};
use super::failure::{Failure, Verdict};
use super::store;
use crate::backup::{BackupError, Taken, Tools, backup};

/// Back up the journal and its keys into two folders, beside a running server
#[derive(Debug, Args)]
#[command(after_help = "Example: guichet backup /backups/journal/2026-11-22 --keys /vault/keys/2026-11-22\n\
    Keep the folder of the keys on another disk and for a few days only: an old copy of the keys brings back whom they erased.")]
pub(crate) struct Backup {
    /// A new or empty folder for the journal.
    #[arg(value_name = "FOLDER")]
    journal: PathBuf,
    /// A new or empty folder for the sealing keys and the master key.
    #[arg(long, value_name = "FOLDER")]
    keys: PathBuf,
    #[command(flatten)]
    tools: Programs,
}

/// Where other programs are.
#[derive(Debug, Args)]
pub(super) struct Programs {
    /// The folder of pg_dump and pg_restore, for a store on PostgreSQL.
    #[arg(long, value_name = "FOLDER", env = "GUICHET_PG_BIN")]
    pg_bin: Option<PathBuf>,
}

impl Programs {
    pub(super) fn tools(&self) -> Tools {
        Tools { folder: self.pg_bin.clone() }
    }
}

impl Backup {
    pub(crate) async fn run(self, context: &mut Context) -> Result<Verdict, Failure> {
        context.only(&[Format::Human, Format::Json])?;
        store::must_exist(context)?;
        let taken = backup(&context.options(), &self.tools.tools(), &self.journal, &self.keys).await;
        let taken = taken.map_err(|error| refused(&error, context.language))?;
        print(context, &taken)?;
        Ok(Verdict::Good)
    }
}

fn print(context: &mut Context, Taken { journal, keys }: &Taken) -> Result<(), Failure> {
    if context.format == Format::Json {
        writeln!(context.out, "{:#}", json!({ "journal": journal, "keys": keys }))?;
        return Ok(());
    }
    let events = journal.events.unwrap_or_default();
    let kept = keys.keys.map_or_else(|| "–".to_owned(), |keys| keys.to_string());
    let position = journal.position.map(|position| position.to_string()).unwrap_or_default();
    let line = match context.language {
        Language::Fr => {
            format!("Sauvegardés : {events} événements, jusqu’à la position {position} ; {kept} clés.")
        }
        Language::En => format!("Backed up: {events} events, up to position {position}; {kept} keys."),
    };
    writeln!(context.out, "{line}")?;
    Ok(())
}

/// What it means that there is no backup, or that nothing was restored.
pub(super) fn refused(error: &BackupError, language: Language) -> Failure {
    let french = match error {
        BackupError::Journal(error) => return store::journal(error, language),
        BackupError::Access(error) => format!("les clés d’accès ne peuvent être lues : {error}"),
        BackupError::Elsewhere => "KurrentDB se sauvegarde par ses propres moyens ; sauvegardez à part les clés du dossier de données".to_owned(),
        BackupError::Tool { program, reason } => format!("`{program}` : {reason}"),
        BackupError::Standing(schemas) => {
            format!("la base contient déjà ces schémas : {schemas} ; restaurez dans une base vide")
        }
        BackupError::OtherStore(kind) => format!(
            "la sauvegarde est celle d’un magasin de type « {kind} » ; nommez-en un, vide, avec --store"
        ),
        BackupError::Together(path) => format!(
            "{} tiendrait ensemble les clés et le journal ; donnez aux clés un dossier à part, sur un autre disque",
            path.display()
        ),
        BackupError::Taken(path) => format!("le dossier {} n’est pas vide", path.display()),
        BackupError::NotABackup { path, reason, .. } => {
            format!("{} ne contient pas la sauvegarde attendue : {reason}", path.display())
        }
        BackupError::Changed { path, reason } => {
            format!("{} n’est pas le fichier sauvegardé : {reason}", path.display())
        }
        BackupError::File { path, source } => format!("{} : {source}", path.display()),
    };
    let sentence = match language {
        Language::Fr => french,
        Language::En => error.to_string(),
    };
    match error {
        BackupError::Elsewhere
        | BackupError::OtherStore(_)
        | BackupError::Standing(_)
        | BackupError::Together(_)
        | BackupError::Taken(_)
        | BackupError::NotABackup { .. } => Failure::usage(sentence),
        BackupError::Changed { .. } => Failure::found(sentence),
        BackupError::Journal(_)
        | BackupError::Access(_)
        | BackupError::File { .. }
        | BackupError::Tool { .. } => Failure::store(sentence),
    }
}
