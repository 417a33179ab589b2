//! `guichet verify`: whether the journal holds what was written, and nothing else.

use std::io::Write;

use clap::Args;
use guichet_engine::journal::{Verification, verify_all};
use guichet_engine::rules::text::Language;
use serde_json::json;

use super::context::{Context, Format};
use super::failure::{Failure, Verdict};
use super::store;

/// Verify every event of the journal: chain of headers, digests, sealed parts, revisions, times
#[derive(Debug, Args)]
#[command(after_help = "Example: guichet verify --data guichet-data")]
pub(crate) struct Verify {}

impl Verify {
    pub(crate) async fn run(self, context: &mut Context) -> Result<Verdict, Failure> {
        context.only(&[Format::Human, Format::Json])?;
        let guichet = store::open_to_read(context).await?;
        let done = verify_all(guichet.engine().journal().as_ref()).await;
        guichet.close().await;
        let report = done.map_err(|error| store::journal(&error, context.language))?;
        print(context, &report)?;
        Ok(if report.is_sound() { Verdict::Good } else { Verdict::FoundWrong })
    }
}

fn print(context: &mut Context, report: &Verification) -> Result<(), Failure> {
    let Verification { events, streams, opened, erased, findings, more, .. } = report;
    if context.format == Format::Json {
        let findings: Vec<String> = findings.iter().map(ToString::to_string).collect();
        let answer = json!({
            "sound": report.is_sound(), "events": events, "streams": streams, "opened": opened, "erased": erased,
            "findings": findings, "more": more,
        });
        writeln!(context.out, "{answer:#}")?;
        return Ok(());
    }
    for finding in findings {
        writeln!(context.out, "{finding}")?;
    }
    let wrong = u64::try_from(findings.len()).unwrap_or(u64::MAX).saturating_add(*more);
    let line = match (context.language, report.is_sound()) {
        (Language::Fr, true) => format!(
            "{events} événements dans {streams} flux : chaînés, entiers, inchangés ({opened} contenus ouverts et comparés, {erased} effacés)."
        ),
        (Language::En, true) => format!(
            "{events} events in {streams} streams: chained, whole, unchanged ({opened} contents opened and compared, {erased} erased)."
        ),
        (Language::Fr, false) => format!("{wrong} anomalies dans {events} événements."),
        (Language::En, false) => format!("{wrong} things wrong in {events} events."),
    };
    writeln!(context.out, "{line}")?;
    Ok(())
}
