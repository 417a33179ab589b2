//! `guichet show`: a request as it stands, and its history in words.

use std::io::Write;

use clap::Args;
use guichet_engine::rules::records::access::Data;
use guichet_projections::{Card, Commitment, TimelineEntry};
use serde_json::{Value, json};

use super::context::{Context, Format};
use super::failure::{Failure, Verdict};
use super::output::{Table, printable};
use super::{find, local, opening, store};
use crate::{Titles, vocabulary};

/// Show a request: where it stands, its promises, its history; nothing of it is personal without --dossier
#[derive(Debug, Args)]
#[command(after_help = "Example: guichet show A2023H028946")]
pub(crate) struct Show {
    /// Its id, its tracking code, or its number in the system it was imported from.
    #[arg(value_name = "REQUEST")]
    request: String,
    /// Its collectivity, where several have the same number.
    #[arg(long)]
    tenant: Option<String>,
    /// Also what was said in it: that you open it is put on record first, under your name on this machine.
    #[arg(long)]
    dossier: bool,
}

impl Show {
    pub(crate) async fn run(self, context: &mut Context) -> Result<Verdict, Failure> {
        if self.dossier {
            context.only(&[Format::Human, Format::Json])?;
        }
        let guichet = store::open_to_read(context).await?;
        let shown = self.show(context, &guichet).await;
        guichet.close().await;
        shown.map(|()| Verdict::Good)
    }

    async fn show(&self, context: &mut Context, guichet: &crate::Guichet) -> Result<(), Failure> {
        let card = find::card(context, guichet, &self.request, self.tenant.as_deref()).await?;
        let dossier = if self.dossier { Some(opened(context, guichet, &card).await?) } else { None };
        let models = guichet.read_models();
        let promises = models.commitments_of(&card.tenant, card.request).await;
        let promises = promises.map_err(|error| store::reading(&error, context.language))?.value;
        let timeline = models.timeline(&card.tenant, card.request).await;
        let timeline = timeline.map_err(|error| store::reading(&error, context.language))?.value;
        match context.format {
            Format::Json => {
                let mut answer = json!({ "request": card, "commitments": promises, "timeline": timeline });
                if let (Some(answer), Some(dossier)) = (answer.as_object_mut(), dossier) {
                    answer.insert("dossier".to_owned(), dossier);
                }
                writeln!(context.out, "{answer:#}")?;
                Ok(())
            }
            Format::Csv | Format::Sarif => history(context, &timeline).write_csv(&mut context.out),
            Format::Human => {
                let title = models.definition(&card.definition);
                let title = title.map_or(card.process.clone(), |it| it.title_in(context.language).to_owned());
                head(context, &card, &title)?;
                writeln!(context.out)?;
                let titles = Titles::of(guichet.engine().definitions(), Some(&card.tenant));
                promised(context, &promises, &titles).write(&mut context.out)?;
                writeln!(context.out)?;
                history(context, &timeline).write(&mut context.out)?;
                dossier.map_or(Ok(()), |dossier| said(context, &dossier))
            }
        }
    }
}

/// What was said in the request, once it is on record that it is opened.
async fn opened(context: &Context, guichet: &crate::Guichet, card: &Card) -> Result<Value, Failure> {
    opening::noted(context, guichet, card, Data::Dossier).await?;
    let failed = |error: &guichet_engine::EngineError| store::engine(error, context.language);
    let known = guichet.request(&card.tenant, card.request).await.map_err(|error| failed(&error))?;
    let dossier = guichet.dossier(&card.tenant, &known).await.map_err(|error| failed(&error))?;
    Ok(serde_json::to_value(&dossier)?)
}

/// What was said, a line for each value.
fn said(context: &mut Context, dossier: &Value) -> Result<(), Failure> {
    let words = context.say("Ce qui a été dit", "What was said");
    writeln!(context.out, "\n{words}")?;
    let mut lines = Vec::new();
    flat("", dossier, &mut lines);
    let width = lines.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    for (name, value) in lines {
        writeln!(context.out, "  {:<width$}  {}", printable(&name), printable(&value))?;
    }
    Ok(())
}

/// The values of a JSON text, each with the names that lead to it.
fn flat(before: &str, value: &Value, lines: &mut Vec<(String, String)>) {
    let name = |part: &str| if before.is_empty() { part.to_owned() } else { format!("{before}.{part}") };
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(part, member)| flat(&name(part), member, lines));
        }
        Value::Array(items) => items.iter().for_each(|item| flat(before, item, lines)),
        Value::String(text) => lines.push((before.to_owned(), text.clone())),
        Value::Null => {}
        Value::Bool(_) | Value::Number(_) => lines.push((before.to_owned(), value.to_string())),
    }
}

fn head(context: &mut Context, card: &Card, title: &str) -> Result<(), Failure> {
    let language = context.language;
    let mut rows = vec![
        (context.say("Demande", "Request"), card.request.to_string()),
        (context.say("Démarche", "Process"), format!("{} ({})", printable(title), card.process)),
        (context.say("Collectivité", "Collectivity"), card.tenant.clone()),
        (context.say("Canal", "Channel"), vocabulary::channel(card.channel.id(), language)),
        (context.say("Reçue", "Received"), local::instant(language, card.received)),
        (context.say("Étape", "Stage"), vocabulary::stage(&card.stage, language)),
    ];
    let more = [
        (context.say("Service", "Service"), card.service.clone()),
        (context.say("Agent", "Agent"), card.agent.clone()),
        (context.say("Validation", "Approval"), card.step.clone()),
        (context.say("Quartier", "Neighbourhood"), card.area.as_deref().map(printable)),
        (context.say("Numéro d’origine", "Number elsewhere"), card.external.as_deref().map(printable)),
    ];
    rows.extend(more.into_iter().filter_map(|(name, value)| Some((name, value?))));
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    for (name, value) in rows {
        writeln!(context.out, "{name:<width$}  {value}")?;
    }
    Ok(())
}

fn promised(context: &Context, promises: &[Commitment], titles: &Titles) -> Table {
    let language = context.language;
    let mut table = Table::new(&[
        context.say("engagement", "commitment"),
        context.say("délai", "time allowed"),
        context.say("échéance", "due"),
        context.say("état", "status"),
    ]);
    for promise in promises {
        let status = vocabulary::promise(promise.status, promise.broken, language);
        table.row(vec![
            titles.commitment(&promise.commitment, language),
            promise.budget.in_words(language),
            local::instant(language, promise.due),
            status.to_owned(),
        ]);
    }
    table
}

fn history(context: &Context, timeline: &[TimelineEntry]) -> Table {
    let mut table =
        Table::new(&[context.say("quand", "when"), context.say("qui", "who"), context.say("quoi", "what")]);
    for entry in timeline {
        let who = match &entry.on_behalf_of {
            Some(absent) => format!("{} ({} {absent})", entry.actor, context.say("pour", "for")),
            None => entry.actor.clone(),
        };
        let what = printable(entry.text.get(context.language));
        table.row(vec![local::instant(context.language, entry.occurred), who, what]);
    }
    table
}
