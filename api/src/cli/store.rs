//! The data folder, opened for a command.

use std::path::Path;
use std::time::Duration;

use guichet_engine::journal::{JOURNAL_FILE, JournalError};
use guichet_engine::rules::text::Language;
use guichet_engine::{EngineError, Published};
use guichet_projections::ProjectionError;

use super::catalogue;
use super::context::{Context, why_not};
use super::failure::Failure;
use crate::{Guichet, OpenError, Options, PublishError, Store};

/// Opens the store, which must hold something: a mistyped name must not make an empty town.
pub(crate) async fn open(context: &Context) -> Result<Guichet, Failure> {
    must_exist(context)?;
    holding(context, open_or_make(context, context.options()).await?).await
}

/// Refuses a database in which there is no event. It was named by mistake.
async fn holding(context: &Context, guichet: Guichet) -> Result<Guichet, Failure> {
    match guichet.engine().journal().head().await {
        Ok(None) if context.store.is_shared() => {
            guichet.close().await;
            Err(empty(context, &context.store))
        }
        Ok(_) => Ok(guichet),
        Err(error) => {
            guichet.close().await;
            Err(journal(&error, context.language))
        }
    }
}

/// Opens the data folder for a command that only reads: beside the server, where one holds it.
pub(crate) async fn open_to_read(context: &Context) -> Result<Guichet, Failure> {
    must_exist(context)?;
    let opened = match Guichet::open(context.options()).await {
        Err(OpenError::Journal(JournalError::Locked { .. })) => Guichet::open_beside(context.options()).await,
        opened => opened,
    };
    holding(context, opened.map_err(|error| refused(&error, context.language))?).await
}

/// Refuses a data folder in which there is no journal.
pub(crate) fn must_exist(context: &Context) -> Result<(), Failure> {
    if let Store::Sqlite(folder) = &context.store
        && !folder.join(JOURNAL_FILE).is_file()
    {
        return Err(empty(context, &folder.display()));
    }
    Ok(())
}

fn empty(context: &Context, place: &dyn std::fmt::Display) -> Failure {
    Failure::store(match context.language {
        Language::Fr => {
            format!("il n’y a pas de données dans {place} ; `guichet publish` ou `guichet demo` en crée")
        }
        Language::En => {
            format!("there is no data in {place}; `guichet publish` or `guichet demo` makes some")
        }
    })
}

/// Opens the data folder, and makes it if it is new.
pub(crate) async fn open_or_make(context: &Context, options: Options) -> Result<Guichet, Failure> {
    Guichet::open(options).await.map_err(|error| refused(&error, context.language))
}

/// Brings a catalogue into force.
pub(crate) async fn publish(
    guichet: &Guichet,
    folder: &Path,
    language: Language,
) -> Result<Published, Failure> {
    let found = catalogue::sound(folder, language)?;
    guichet.publish(&found).await.map_err(|error| publishing(&error, language))
}

/// How long a command waits for the read models to have seen everything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// What it means that a catalogue cannot be published.
pub(crate) fn publishing(error: &PublishError, language: Language) -> Failure {
    match error {
        PublishError::Engine(error) => engine(error, language),
        other => Failure::found(other.to_string()),
    }
}

/// What an error of the read models means to whoever gave the command.
pub(crate) fn reading(error: &ProjectionError, language: Language) -> Failure {
    match error {
        ProjectionError::Journal(error) => journal(error, language),
        ProjectionError::Unavailable { reason } | ProjectionError::Store { reason }
            if language == Language::Fr =>
        {
            Failure::store(format!("les modèles de lecture ne répondent pas : {reason}"))
        }
        other => Failure::store(other.to_string()),
    }
}

/// What it means that the folder cannot be opened.
pub(crate) fn refused(error: &OpenError, language: Language) -> Failure {
    match error {
        OpenError::Journal(error) => journal(error, language),
        OpenError::Engine(error) => engine(error, language),
        OpenError::Store(error) => Failure::usage(why_not(error, language)),
        OpenError::ReadModels(error) => reading(error, language),
        OpenError::Files(_) | OpenError::Outbox { .. } => Failure::store(error.to_string()),
    }
}

/// What an error of the engine means to whoever gave the command.
pub(crate) fn engine(error: &EngineError, language: Language) -> Failure {
    match error {
        EngineError::Rejected(rejection) => {
            Failure::found(format!("{} [{}]", rejection.text.get(language), rejection.code))
        }
        EngineError::Journal(error) => journal(error, language),
        EngineError::UnknownRequest => Failure::found(match language {
            Language::Fr => "cette demande n’existe pas".to_owned(),
            Language::En => error.to_string(),
        }),
        EngineError::UnknownTenant => Failure::found(match language {
            Language::Fr => "aucune collectivité ne porte ce nom".to_owned(),
            Language::En => error.to_string(),
        }),
        EngineError::Newer(what) => Failure::store(match language {
            Language::Fr => format!(
                "le journal contient un événement « {what} » que seule une version plus récente de guichet connaît"
            ),
            Language::En => error.to_string(),
        }),
        EngineError::Decode(_) | EngineError::Plan(_) | EngineError::MissingDefinition(_) => {
            Failure::store(error.to_string())
        }
        EngineError::Contended | EngineError::Chance(_) | EngineError::Encode(_) => {
            Failure::found(error.to_string())
        }
    }
}

/// What an error of the journal means to whoever gave the command.
pub(crate) fn journal(error: &JournalError, language: Language) -> Failure {
    let french = match error {
        JournalError::Locked { path } => {
            format!(
                "le dossier {path} est utilisé par un autre guichet en marche ; deux serveurs ne peuvent le partager"
            )
        }
        JournalError::ReadOnly { path, reason } => format!("impossible d’écrire dans {path} : {reason}"),
        JournalError::Newer { path, found, known } => format!(
            "{path} est au format {found}, écrit par une version plus récente de guichet ; celle-ci connaît jusqu’au format {known}"
        ),
        JournalError::Full => "le disque du journal est plein ; rien n’a été écrit".to_owned(),
        JournalError::Corrupt { what } => {
            format!(
                "le journal est endommagé : {what} ; restaurez une sauvegarde, ou lancez `guichet verify`"
            )
        }
        JournalError::Unavailable { reason } => {
            format!("l’entrepôt ne répond pas ; rien n’a été écrit : {reason}")
        }
        JournalError::Keys { reason } => format!("les clés de scellement sont inutilisables : {reason}"),
        _ => error.to_string(),
    };
    Failure::store(match language {
        Language::Fr => french,
        Language::En => error.to_string(),
    })
}
