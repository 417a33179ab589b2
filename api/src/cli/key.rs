//! `guichet key`: makes a key for an agent or a program.

use std::io::Write;

use clap::Args;
use guichet_engine::rules::text::Language;
use serde_json::json;

use super::context::{Context, Format};
use super::failure::{Failure, Verdict};
use crate::access::{Access, AccessError, Holder};
use crate::ambient::Surroundings;

/// Make a key for an agent or a program; it is shown once and kept only as a digest
#[derive(Debug, Args)]
#[command(after_help = "Example: guichet key --tenant ville --agent a01\n\
    A running server knows the new key at once.")]
pub(crate) struct Key {
    /// The collectivity that it opens.
    #[arg(long, value_name = "TENANT")]
    tenant: String,
    /// For this member of staff, by staff code.
    #[arg(long, value_name = "CODE", conflicts_with = "integrator", required_unless_present = "integrator")]
    agent: Option<String>,
    /// For this program, by a name of your choice.
    #[arg(long, value_name = "NAME")]
    integrator: Option<String>,
}

impl Key {
    #[allow(clippy::unused_async, reason = "every command is called alike")]
    pub(crate) async fn run(self, context: &mut Context) -> Result<Verdict, Failure> {
        context.only(&[Format::Human, Format::Json])?;
        let holder = match (self.agent, self.integrator) {
            (Some(code), _) => Holder::Agent(code),
            (None, name) => Holder::Integrator(name.unwrap_or_default()),
        };
        let access = Access::open(&context.data).map_err(refused)?;
        let key = access.create(&self.tenant, holder, &Surroundings::system()).map_err(refused)?;
        match context.format {
            Format::Json => writeln!(context.out, "{}", json!({ "key": key, "tenant": self.tenant }))?,
            Format::Human | Format::Csv | Format::Sarif => {
                writeln!(context.out, "{key}")?;
                let note = match context.language {
                    Language::Fr => "Gardez cette clé : elle ne sera plus montrée.",
                    Language::En => "Keep this key: it will not be shown again.",
                };
                // On standard error, so that a script can take the key alone.
                let _ = writeln!(std::io::stderr(), "{note}");
            }
        }
        Ok(Verdict::Good)
    }
}

fn refused(error: AccessError) -> Failure {
    match error {
        AccessError::Holder(_) | AccessError::Tenant(_) => Failure::usage(error.to_string()),
        AccessError::File { .. } => Failure::store(error.to_string()),
        AccessError::TooMany | AccessError::Chance(_) => Failure::found(error.to_string()),
    }
}
