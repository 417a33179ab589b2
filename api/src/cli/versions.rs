//! `guichet versions`: the history of a process, its drafts and its end.

use std::io::Write;

use clap::Args;
use guichet_engine::VersionEntry;
use guichet_engine::rules::text::Language;
use serde_json::json;

use super::context::{Context, Format};
use super::failure::{Failure, Verdict};
use super::output::{Table, printable};
use super::{local, store};

/// List the versions of a process: drafted, in force, retired; when, by whom, through which request
#[derive(Debug, Args)]
#[command(after_help = "Example: guichet versions voirie/chaussee-abimee")]
pub(crate) struct Versions {
    /// The process.
    #[arg(value_name = "PROCESS")]
    process: String,
    /// The collectivity.
    #[arg(long, default_value = "ville")]
    tenant: String,
}

impl Versions {
    pub(crate) async fn run(self, context: &mut Context) -> Result<Verdict, Failure> {
        context.only(&[Format::Human, Format::Json, Format::Csv])?;
        let guichet = store::open_to_read(context).await?;
        let found = guichet.engine().versions(&self.tenant, &self.process).await;
        guichet.close().await;
        let versions = found.map_err(|error| store::engine(&error, context.language))?;
        match context.format {
            Format::Json => writeln!(context.out, "{:#}", json!({ "versions": versions }))?,
            Format::Csv => table(context, &versions).write_csv(&mut context.out)?,
            Format::Human | Format::Sarif => table(context, &versions).write(&mut context.out)?,
        }
        Ok(Verdict::Good)
    }
}

fn table(context: &Context, versions: &[VersionEntry]) -> Table {
    let mut table = Table::new(&[
        context.say("Quand", "When"),
        context.say("Quoi", "What"),
        context.say("Version", "Version"),
        context.say("Par", "By"),
        context.say("Demande", "Request"),
        context.say("Approuvée par", "Approved by"),
        context.say("Remarque", "Remark"),
    ]);
    for version in versions {
        let hash = version.hash.as_ref().map(|hash| hash.0.chars().take(12).collect()).unwrap_or_default();
        let approvals: Vec<&str> = version.approvals.iter().map(|approval| approval.by.as_str()).collect();
        let remarks = version.reason.iter().cloned();
        let day = version.enters_force.map(|day| day.to_string());
        let differences = version.differences.iter().map(|text| text.get(context.language).to_owned());
        let remarks: Vec<String> =
            remarks.chain(day).chain(differences).chain(version.replacement.clone()).collect();
        table.row(vec![
            local::instant(context.language, version.at),
            what(version, context.language).to_owned(),
            hash,
            version.actor.clone(),
            version.request.map(|request| request.to_string()).unwrap_or_default(),
            approvals.join(", "),
            printable(&remarks.join(" · ")),
        ]);
    }
    table
}

fn what(version: &VersionEntry, language: Language) -> &'static str {
    let (fr, en) = match version.what {
        "drafted" => ("projet", "draft"),
        "retired" => ("retirée", "retired"),
        "draft_abandoned" => ("projet abandonné", "draft given up"),
        _ if version.in_force => ("en vigueur", "in force"),
        _ => ("publiée", "published"),
    };
    match language {
        Language::Fr => fr,
        Language::En => en,
    }
}
