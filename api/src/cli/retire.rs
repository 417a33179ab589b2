//! `guichet retire`: takes a process out of force.

use std::io::Write;

use clap::Args;
use guichet_engine::rules::request::Actor;
use serde_json::json;

use super::context::{Context, Format};
use super::failure::{Failure, Verdict};
use super::store;

/// Take a process out of force at once; requests under way go on to their end
#[derive(Debug, Args)]
#[command(after_help = "Example: guichet retire loisirs/patinoire --reason \"The rink has closed\" \
    --see-also loisirs/piscine")]
pub(crate) struct Retire {
    /// The process.
    #[arg(value_name = "PROCESS")]
    process: String,
    /// Why.
    #[arg(long)]
    reason: String,
    /// The process to turn to instead.
    #[arg(long, value_name = "PROCESS")]
    see_also: Option<String>,
    /// The collectivity.
    #[arg(long, default_value = "ville")]
    tenant: String,
}

impl Retire {
    pub(crate) async fn run(self, context: &mut Context) -> Result<Verdict, Failure> {
        context.only(&[Format::Human, Format::Json])?;
        let guichet = store::open(context).await?;
        let (process, see_also) = (&self.process, self.see_also.as_deref());
        let done =
            guichet.engine().retire(&self.tenant, process, &self.reason, see_also, &Actor::Engine).await;
        guichet.close().await;
        done.map_err(|error| store::engine(&error, context.language))?;
        if context.format == Format::Json {
            writeln!(context.out, "{}", json!({ "retired": process, "tenant": self.tenant }))?;
        } else {
            let words = context.say("n’est plus proposée", "is no longer offered");
            writeln!(context.out, "{process} {words}.")?;
        }
        Ok(Verdict::Good)
    }
}
