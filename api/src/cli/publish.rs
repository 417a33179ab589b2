//! `guichet publish`: brings a catalogue into force.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use guichet_engine::rules::request::Actor;
use guichet_engine::rules::text::Language;
use serde_json::json;

use super::context::{Context, Format};
use super::failure::{Failure, Verdict};
use super::store;

/// Bring a catalogue into force; requests under way keep the version that received them
#[derive(Debug, Args)]
#[command(after_help = "Example: guichet publish processes/chalons --data guichet-data")]
pub(crate) struct Publish {
    /// The catalogue's folder.
    #[arg(value_name = "FOLDER")]
    catalogue: PathBuf,
    /// Take processes out of force that the catalogue no longer has.
    #[arg(long)]
    retire_missing: bool,
}

impl Publish {
    pub(crate) async fn run(self, context: &mut Context) -> Result<Verdict, Failure> {
        context.only(&[Format::Human, Format::Json])?;
        // A catalogue with errors must not leave an empty data folder behind.
        super::catalogue::sound(&self.catalogue, context.language)?;
        let guichet = store::open_or_make(context, context.options()).await?;
        let published = store::publish(&guichet, &self.catalogue, context.language).await?;
        let missing = self.missing(context, &guichet).await;
        guichet.close().await;
        let missing = missing?;
        let (changed, unchanged) = (published.changed, published.unchanged);
        if context.format == Format::Json {
            let retired = published.retired;
            let missing: Vec<_> = missing
                .iter()
                .map(|(tenant, process)| json!({ "tenant": tenant, "process": process }))
                .collect();
            let answer = json!({ "changed": changed, "unchanged": unchanged, "retired_before": retired,
                "missing": missing, "missing_retired": self.retire_missing });
            writeln!(context.out, "{answer}")?;
        } else {
            let line = match context.language {
                Language::Fr => {
                    format!("Versions entrées en vigueur : {changed} ; déjà en vigueur : {unchanged}.")
                }
                Language::En => {
                    format!("Versions that entered into force: {changed}; in force already: {unchanged}.")
                }
            };
            writeln!(context.out, "{line}")?;
            if published.retired > 0 {
                let words = context.say(
                    "Laissées de côté, retirées depuis et inchangées :",
                    "Left aside, retired since and unchanged:",
                );
                writeln!(context.out, "{words} {}.", published.retired)?;
            }
            let words = if self.retire_missing {
                context.say("retirée, absente du catalogue", "retired, no longer in the catalogue")
            } else {
                context.say(
                    "absente du catalogue, toujours en vigueur (--retire-missing la retire)",
                    "no longer in the catalogue, still in force (--retire-missing retires it)",
                )
            };
            for (tenant, process) in &missing {
                writeln!(context.out, "{tenant} {process} : {words}")?;
            }
        }
        Ok(Verdict::Good)
    }

    /// Processes in force that the catalogue no longer has, each with its collectivity; taken out of force if that is
    /// wanted.
    async fn missing(
        &self,
        context: &Context,
        guichet: &crate::Guichet,
    ) -> Result<Vec<(String, String)>, Failure> {
        let catalogue = super::catalogue::sound(&self.catalogue, context.language)?;
        let engine = guichet.engine();
        let mut missing = Vec::new();
        for collectivity in &catalogue.organisation.tenants {
            let tenant = &collectivity.tenant;
            for plan in engine.definitions().all_in_force(tenant) {
                let process = &plan.definition().process;
                let offered =
                    catalogue.definition(process).is_some_and(|found| found.tenants.contains(tenant));
                if offered {
                    continue;
                }
                if self.retire_missing {
                    let reason = "no longer in the catalogue";
                    let done = engine.retire(tenant, process, reason, None, &Actor::Engine).await;
                    done.map_err(|error| store::engine(&error, context.language))?;
                }
                missing.push((tenant.clone(), process.clone()));
            }
        }
        Ok(missing)
    }
}
