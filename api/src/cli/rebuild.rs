//! `guichet rebuild`: read models made anew from the journal.

use std::io::Write;

use clap::Args;
use guichet_engine::rules::text::Language;
use guichet_projections::{ProjectionError, ReadModels, SET_UNUSED_MIN};
use serde_json::json;

use super::context::{Context, Format};
use super::failure::{Failure, Verdict};
use super::store;

/// Make read models anew from the journal, all of them if none is named
#[derive(Debug, Args)]
#[command(after_help = "Example: guichet rebuild statistics")]
pub(crate) struct Rebuild {
    /// A read model.
    #[arg(value_name = "READ_MODEL", conflicts_with = "drop_unused")]
    read_model: Option<String>,
    /// Rebuild nothing; take away what versions of the program that no server runs any more left in PostgreSQL.
    #[arg(long)]
    drop_unused: bool,
}

impl Rebuild {
    pub(crate) async fn run(self, context: &mut Context) -> Result<Verdict, Failure> {
        context.only(&[Format::Human, Format::Json])?;
        if let Some(name) = self.read_model.as_deref().filter(|name| !ReadModels::names().contains(name)) {
            let known = ReadModels::names().join(", ");
            return Err(Failure::usage(match context.language {
                Language::Fr => format!("« {name} » n’est pas un modèle de lecture ; il y a : {known}"),
                Language::En => format!("`{name}` is no read model; there are: {known}"),
            }));
        }
        let guichet = store::open(context).await?;
        if self.drop_unused {
            let done = guichet.read_models().drop_unused(SET_UNUSED_MIN).await;
            guichet.close().await;
            return told(context, &done.map_err(|error| store::reading(&error, context.language))?);
        }
        let names: Vec<&str> = self.read_model.as_deref().into_iter().collect();
        let done = rebuild(&guichet, &names).await.map_err(|error| store::reading(&error, context.language));
        guichet.close().await;
        let rebuilt = done?;
        if context.format == Format::Json {
            let answer =
                json!({ "names": rebuilt.names, "events": rebuilt.events, "position": rebuilt.position });
            writeln!(context.out, "{answer}")?;
        } else {
            let (names, events) = (rebuilt.names.join(", "), rebuilt.events);
            let line = match context.language {
                Language::Fr => format!("Refaits à partir de {events} événements : {names}."),
                Language::En => format!("Made anew from {events} events: {names}."),
            };
            writeln!(context.out, "{line}")?;
        }
        Ok(Verdict::Good)
    }
}

/// Says which sets were taken away.
fn told(context: &mut Context, dropped: &[String]) -> Result<Verdict, Failure> {
    if context.format == Format::Json {
        writeln!(context.out, "{}", json!({ "dropped": dropped }))?;
    } else if dropped.is_empty() {
        writeln!(context.out, "{}", context.say("Rien n’est à retirer.", "There is nothing to take away."))?;
    } else {
        writeln!(context.out, "{} {}.", context.say("Retirés :", "Taken away:"), dropped.join(", "))?;
    }
    Ok(Verdict::Good)
}

async fn rebuild(
    guichet: &crate::Guichet,
    names: &[&str],
) -> Result<guichet_projections::Rebuilt, ProjectionError> {
    guichet.read_models().catch_up(store::PATIENCE).await?;
    guichet.read_models().rebuild(names).await
}
