//! `guichet propose`: puts a sheet on its way into force, through its own circuit.

use std::io::Write;
use std::path::PathBuf;

use chrono::NaiveDate;
use clap::Args;
use guichet_engine::rules::request::Actor;
use serde_json::json;

use super::context::{Context, Format};
use super::failure::{Failure, Verdict};
use super::{catalogue, store};
use crate::SheetProposal;

/// Propose a sheet, or the end of a process: it enters force once its circuit has approved it
#[derive(Debug, Args)]
#[command(
    after_help = "Example: guichet propose processes/chalons --process voirie/chaussee-abimee --by a20 \
    --reason \"Two days instead of three\""
)]
pub(crate) struct Propose {
    /// The catalogue's folder that the sheet lies in; left out with `--remove`.
    #[arg(value_name = "FOLDER", required_unless_present = "remove")]
    catalogue: Option<PathBuf>,
    /// The process.
    #[arg(long)]
    process: String,
    /// Who proposes it, by staff code.
    #[arg(long, value_name = "CODE")]
    by: String,
    /// Why.
    #[arg(long)]
    reason: String,
    /// The collectivity.
    #[arg(long, default_value = "ville")]
    tenant: String,
    /// The day on which it enters force at the earliest.
    #[arg(long, value_name = "DATE")]
    enters_force: Option<NaiveDate>,
    /// Propose to take the process out of force.
    #[arg(long, conflicts_with = "catalogue")]
    remove: bool,
    /// The process to turn to instead.
    #[arg(long, value_name = "PROCESS", requires = "remove")]
    see_also: Option<String>,
}

impl Propose {
    pub(crate) async fn run(self, context: &mut Context) -> Result<Verdict, Failure> {
        context.only(&[Format::Human, Format::Json])?;
        let language = context.language;
        let catalogue = match &self.catalogue {
            Some(folder) => Some(catalogue::sound(folder, language)?),
            None => None,
        };
        let guichet = store::open(context).await?;
        let command_id = guichet.fresh_command_id().map_err(|error| store::engine(&error, language))?;
        let by = self.by.strip_prefix("person:").unwrap_or(&self.by).to_owned();
        let proposal = SheetProposal {
            tenant: self.tenant,
            process: self.process,
            reason: self.reason,
            enters_force: self.enters_force,
            replacement: self.see_also,
            actor: Actor::Agent(by),
            command_id,
        };
        let done = guichet.propose(catalogue.as_ref(), &proposal).await;
        guichet.close().await;
        let receipt = done.map_err(|error| store::engine(&error, language))?;
        if context.format == Format::Json {
            writeln!(context.out, "{}", json!({ "request": receipt.request, "process": proposal.process }))?;
        } else {
            let (process, request) = (&proposal.process, receipt.request);
            let line = context.say(
                "proposée ; elle entrera en vigueur quand cette demande sera validée :",
                "is proposed; it enters force once this request is validated:",
            );
            writeln!(context.out, "{process} {line} {request}")?;
        }
        Ok(Verdict::Good)
    }
}
