//! `guichet explain`: why a request went where it went, and why each promise is due when it is.

use std::io::Write;

use clap::Args;
use guichet_engine::rules::text::Language;

use super::context::{Context, Format};
use super::failure::{Failure, Verdict};
use super::output::printable;
use super::{find, local, store};
use crate::Titles;
use crate::{Explained, RuleCited};

/// Say why a request went where it went, and why each of its promises is due when it is
#[derive(Debug, Args)]
#[command(after_help = "Example: guichet explain K7M-2QX-9RTA")]
pub(crate) struct Explain {
    /// Its id, its tracking code, or its number in the system it was imported from.
    #[arg(value_name = "REQUEST")]
    request: String,
    /// Its collectivity, where several have the same number.
    #[arg(long)]
    tenant: Option<String>,
}

impl Explain {
    pub(crate) async fn run(self, context: &mut Context) -> Result<Verdict, Failure> {
        context.only(&[Format::Human, Format::Json])?;
        let guichet = store::open(context).await?;
        let printed = self.print(context, &guichet).await;
        guichet.close().await;
        printed.map(|()| Verdict::Good)
    }

    async fn print(&self, context: &mut Context, guichet: &crate::Guichet) -> Result<(), Failure> {
        let card = find::card(context, guichet, &self.request, self.tenant.as_deref()).await?;
        let explained = guichet.explain(&card.tenant, card.request).await;
        let explained = explained.map_err(|error| store::engine(&error, context.language))?;
        if context.format == Format::Json {
            writeln!(context.out, "{:#}", serde_json::to_value(&explained)?)?;
            return Ok(());
        }
        let version: String = card.definition.0.chars().take(12).collect();
        let words = context.say("version de la démarche", "version of the process");
        writeln!(context.out, "{} · {} · {words} {version}\n", card.request, card.process)?;
        choices(context, &explained)?;
        promises(context, &explained, &Titles::of(guichet.engine().definitions(), Some(&card.tenant)))
    }
}

fn choices(context: &mut Context, explained: &Explained) -> Result<(), Failure> {
    let language = context.language;
    for choice in &explained.choices {
        let at = local::instant(language, choice.at);
        writeln!(context.out, "{at}  {}", printable(choice.text.get(language)))?;
        match (&choice.rule, &choice.by) {
            (Some(rule), _) => writeln!(context.out, "    {}", cited(rule, language))?,
            (None, Some(by)) => {
                writeln!(context.out, "    {} {by}", context.say("Choix fait par", "Chosen by"))?;
            }
            (None, None) => {}
        }
    }
    Ok(())
}

fn promises(context: &mut Context, explained: &Explained, titles: &Titles) -> Result<(), Failure> {
    let language = context.language;
    for clock in &explained.clocks {
        let name = titles.commitment(&clock.commitment, language);
        let status = serde_json::to_value(clock.status)?;
        let status = status.as_str().unwrap_or_default().to_owned();
        writeln!(context.out, "\n{name} ({status})")?;
        if let Some(rule) = &clock.rule {
            writeln!(context.out, "    {}", cited(rule, language))?;
        }
        let lines = match language {
            Language::Fr => &clock.fr,
            Language::En => &clock.en,
        };
        for line in lines {
            writeln!(context.out, "    {line}")?;
        }
    }
    Ok(())
}

fn cited(rule: &RuleCited, language: Language) -> String {
    let place = rule.source.as_ref().map(|line| format!("{}:{}", line.file, line.line));
    let place = place.unwrap_or_else(|| rule.pointer.clone());
    match (&rule.when, language) {
        (Some(when), Language::Fr) => format!("Règle {place} : parce que {when}"),
        (Some(when), Language::En) => format!("Rule {place}: because {when}"),
        (None, Language::Fr) => format!("Règle {place} : dernier recours"),
        (None, Language::En) => format!("Rule {place}: last resort"),
    }
}
