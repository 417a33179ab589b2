//! `guichet publish`: brings a catalogue into force.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use guichet_engine::rules::text::Language;
use serde_json::json;

use super::context::{Context, Format};
use super::failure::{Failure, Verdict};
use super::store;
use crate::Options;

/// Bring a catalogue into force; requests under way keep the version that received them
#[derive(Debug, Args)]
#[command(after_help = "Example: guichet publish processes/chalons --data guichet-data")]
pub(crate) struct Publish {
    /// The catalogue's folder.
    #[arg(value_name = "FOLDER")]
    catalogue: PathBuf,
}

impl Publish {
    pub(crate) async fn run(self, context: &mut Context) -> Result<Verdict, Failure> {
        context.only(&[Format::Human, Format::Json])?;
        // A catalogue with errors must not leave an empty data folder behind.
        super::catalogue::sound(&self.catalogue, context.language)?;
        let guichet = store::open_or_make(context, Options::new(&context.data)).await?;
        let published = store::publish(&guichet, &self.catalogue, context.language).await?;
        guichet.close().await;
        let (changed, unchanged) = (published.changed, published.unchanged);
        if context.format == Format::Json {
            writeln!(context.out, "{}", json!({ "changed": changed, "unchanged": unchanged }))?;
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
        }
        Ok(Verdict::Good)
    }
}
