//! `guichet replay`: the history of a request, and the request as it was, or as it was known.

use std::io::Write;

use chrono::{DateTime, Utc};
use clap::Args;
use guichet_engine::rules::records::access::Data;
use guichet_engine::rules::request::Request;
use guichet_engine::{Entry, Span};
use serde_json::{Value, json};

use super::context::{Context, Format};
use super::failure::{Failure, Verdict};
use super::output::Table;
use super::{find, local, opening, store};
use crate::{Titles, vocabulary};

/// Replay a request: what had happened by an instant, or what was known by then
#[derive(Debug, Args)]
#[command(after_help = "Example: guichet replay K7M-2QX-9RTA --at 2026-05-12T17:00:00+02:00")]
pub(crate) struct Replay {
    /// Its id, its tracking code, or its number in the system it was imported from.
    #[arg(value_name = "REQUEST")]
    request: String,
    /// Only what had happened by then (RFC 3339).
    #[arg(long, value_name = "INSTANT")]
    at: Option<DateTime<Utc>>,
    /// Only what had been recorded by then (RFC 3339).
    #[arg(long, value_name = "INSTANT")]
    as_known_at: Option<DateTime<Utc>>,
    /// Its collectivity, where several have the same number.
    #[arg(long)]
    tenant: Option<String>,
    /// With what was said, opened (--format json): that you open it is put on record first, under your name here.
    #[arg(long)]
    dossier: bool,
}

impl Replay {
    pub(crate) async fn run(self, context: &mut Context) -> Result<Verdict, Failure> {
        if self.dossier {
            context.only(&[Format::Json])?;
        }
        let guichet = store::open_to_read(context).await?;
        let printed = self.print(context, &guichet).await;
        guichet.close().await;
        printed.map(|()| Verdict::Good)
    }

    async fn print(&self, context: &mut Context, guichet: &crate::Guichet) -> Result<(), Failure> {
        let card = find::card(context, guichet, &self.request, self.tenant.as_deref()).await?;
        let span = Span { at: self.at, as_known_at: self.as_known_at };
        let failed = |error: &guichet_engine::EngineError| store::engine(error, context.language);
        if self.dossier {
            opening::noted(context, guichet, &card, Data::Dossier).await?;
        }
        let history = guichet.history(&card.tenant, card.request, &span, self.dossier).await;
        let history = history.map_err(|error| failed(&error))?;
        let state =
            guichet.replay(&card.tenant, card.request, &span).await.map_err(|error| failed(&error))?;
        match context.format {
            Format::Json => {
                let events: Result<Vec<Value>, _> = history.iter().map(event).collect();
                let answer = json!({ "request": card.request, "events": events?, "state": state.as_ref().map(summary) });
                writeln!(context.out, "{answer:#}")?;
                Ok(())
            }
            Format::Csv | Format::Sarif => table(context, &history).write_csv(&mut context.out),
            Format::Human => {
                table(context, &history).write(&mut context.out)?;
                writeln!(context.out)?;
                match state {
                    Some(state) => {
                        let titles = Titles::of(guichet.engine().definitions(), Some(&card.tenant));
                        stand(context, &state, &titles)
                    }
                    None => {
                        let words = context.say("Rien ne s’était encore passé.", "Nothing had happened yet.");
                        writeln!(context.out, "{words}")?;
                        Ok(())
                    }
                }
            }
        }
    }
}

/// An event as it is stored, its personal parts sealed unless they were opened.
fn event(entry: &Entry) -> Result<Value, Failure> {
    let body: Value = serde_json::to_value(&entry.event)?;
    Ok(json!({
        "revision": entry.revision, "position": entry.position, "type": entry.event.what.name(),
        "occurred": entry.meta.occurred_at, "recorded": entry.meta.recorded_at, "actor": entry.meta.actor,
        "body": body,
    }))
}

fn summary(request: &Request) -> Value {
    let clocks: Vec<Value> = request
        .clocks
        .iter()
        .map(|clock| {
            json!({ "commitment": clock.commitment, "cycle": clock.cycle, "status": clock.status, "due": clock.due })
        })
        .collect();
    json!({
        "process": request.process, "definition": request.definition, "stage": request.stage.id(),
        "service": request.service, "agent": request.agent, "complexity": request.complexity,
        "priority": request.priority, "cycle": request.cycle, "clocks": clocks, "updated": request.updated_at,
    })
}

fn table(context: &Context, history: &[Entry]) -> Table {
    let mut table = Table::new(&[
        ">n",
        context.say("arrivé", "happened"),
        context.say("inscrit", "recorded"),
        context.say("qui", "who"),
        context.say("événement", "event"),
    ]);
    for entry in history {
        table.row(vec![
            entry.revision.to_string(),
            local::instant(context.language, entry.meta.occurred_at),
            local::instant(context.language, entry.meta.recorded_at),
            entry.meta.actor.clone(),
            entry.event.what.name().to_owned(),
        ]);
    }
    table
}

fn stand(context: &mut Context, request: &Request, titles: &Titles) -> Result<(), Failure> {
    let language = context.language;
    let stage = vocabulary::stage(request.stage.id(), language);
    let service = request.service.clone().unwrap_or_else(|| "–".into());
    let (words, service_word) = (context.say("Étape", "Stage"), context.say("service", "service"));
    writeln!(context.out, "{words} : {stage} ; {service_word} : {service}")?;
    for clock in &request.clocks {
        let status = vocabulary::promise(clock.status, clock.broken, language);
        let name = titles.commitment(&clock.commitment, language);
        writeln!(context.out, "  {name} : {} ({status})", local::instant(language, clock.due))?;
    }
    Ok(())
}
