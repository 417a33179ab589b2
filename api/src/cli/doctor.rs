//! `guichet doctor`: whether a data folder is well.

use std::io::Write;

use clap::Args;
use guichet_engine::journal::verify_all;
use guichet_projections::RunState;
use serde_json::json;

use super::context::{Context, Format};
use super::failure::{Failure, Verdict};
use super::store;
use crate::Guichet;

/// Examine a data folder: files, journal, keys, read models, what waits to be sent
#[derive(Debug, Args)]
#[command(after_help = "Example: guichet doctor --data guichet-data")]
pub(crate) struct Doctor {}

/// One thing that was looked at.
struct Finding {
    what: String,
    well: bool,
    words: String,
}

impl Doctor {
    pub(crate) async fn run(self, context: &mut Context) -> Result<Verdict, Failure> {
        context.only(&[Format::Human, Format::Json])?;
        let guichet = store::open(context).await?;
        let examined = examine(context, &guichet).await;
        guichet.close().await;
        let findings = examined?;
        if context.format == Format::Json {
            let list: Vec<_> = findings
                .iter()
                .map(|f| json!({ "what": f.what, "well": f.well, "words": f.words }))
                .collect();
            writeln!(context.out, "{:#}", json!({ "findings": list }))?;
        } else {
            for finding in &findings {
                let sign = if finding.well { "✓" } else { "✗" };
                writeln!(context.out, "{sign} {}: {}", finding.what, finding.words)?;
            }
        }
        let well = findings.iter().all(|finding| finding.well);
        Ok(if well { Verdict::Good } else { Verdict::FoundWrong })
    }
}

async fn examine(context: &Context, guichet: &Guichet) -> Result<Vec<Finding>, Failure> {
    let language = context.language;
    let say = |fr: &str, en: &str| context.say(fr, en).to_owned();
    let mut findings = Vec::new();
    let mut add = |what: String, well: bool, words: String| findings.push(Finding { what, well, words });
    let journal = guichet.engine().journal();
    let wrong = journal.examine().await.map_err(|error| store::journal(&error, language))?;
    let words = if wrong.is_empty() { say("sains", "sound") } else { wrong.join(" ; ") };
    add(say("fichiers du journal", "journal files"), wrong.is_empty(), words);
    let report = verify_all(journal.as_ref()).await.map_err(|error| store::journal(&error, language))?;
    let first = report.findings.first().map(ToString::to_string);
    let words = first
        .unwrap_or_else(|| format!("{} {}", report.events, say("événements vérifiés", "events verified")));
    add(say("journal", "journal"), report.is_sound(), words);
    let failed = |error: &guichet_projections::ProjectionError| store::reading(error, language);
    guichet.read_models().catch_up(store::PATIENCE).await.map_err(|error| failed(&error))?;
    let status = guichet.read_models().status().await.map_err(|error| failed(&error))?;
    let (well, words) = match &status.state {
        RunState::Stopped { reason, .. } | RunState::Retrying { reason } => (false, reason.clone()),
        RunState::CatchingUp | RunState::Following | RunState::Closed => {
            (status.caught_up, say("à jour", "caught up"))
        }
    };
    add(say("modèles de lecture", "read models"), well, words);
    let waiting = guichet.read_models().outbox(None, 1).await.map_err(|error| failed(&error))?;
    add(say("messages et courriers en attente", "messages and letters waiting"), true, waiting.n.to_string());
    let timers = guichet.read_models().timers_due(guichet.now(), 1).await.map_err(|error| failed(&error))?;
    add(say("minuteries échues", "timers past due"), true, timers.n.to_string());
    let definitions = guichet.engine().definitions();
    let tenants = definitions.tenants();
    let words: Vec<String> =
        tenants.iter().map(|tenant| format!("{tenant} {}", definitions.all_in_force(tenant).len())).collect();
    add(say("démarches en vigueur", "processes in force"), !tenants.is_empty(), words.join(", "));
    Ok(findings)
}
