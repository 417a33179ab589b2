//! `guichet explain`: why a request went where it went, and why each promise is due when it is.

use std::io::Write;

use clap::Args;
use guichet_engine::rules::request::explain::{About, Line, Tried};
use guichet_engine::rules::text::Language;

use super::context::{Context, Format};
use super::failure::{Failure, Verdict};
use super::output::printable;
use super::{find, local, store};
use crate::vocabulary;
use crate::{Explained, Titles};

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
        let guichet = store::open_to_read(context).await?;
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
        routes(context, &explained)?;
        promises(context, &explained, &Titles::of(guichet.engine().definitions(), Some(&card.tenant)))
    }
}

/// Why it went this way, in the order in which it went.
fn routes(context: &mut Context, explained: &Explained) -> Result<(), Failure> {
    for line in explained.lines.iter().filter(|line| !matches!(line.about, About::Clock { .. })) {
        print_line(context, line)?;
    }
    Ok(())
}

/// Why each promise is due when it is: all that happened to its clock, one promise after the other.
fn promises(context: &mut Context, explained: &Explained, titles: &Titles) -> Result<(), Failure> {
    let language = context.language;
    for clock in &explained.clocks {
        let name = titles.commitment(&clock.commitment, language);
        let status = vocabulary::promise(clock.status, false, language);
        writeln!(context.out, "\n{name} ({status})")?;
        let about = About::Clock { commitment: clock.commitment.clone(), cycle: clock.cycle };
        for line in explained.lines.iter().filter(|line| line.about == about) {
            print_line(context, line)?;
        }
    }
    Ok(())
}

fn print_line(context: &mut Context, line: &Line) -> Result<(), Failure> {
    let language = context.language;
    let at = local::instant(language, line.at);
    writeln!(context.out, "{at}  {}", printable(line.text.get(language)))?;
    for rule in &line.rules {
        writeln!(context.out, "    {}", printable(&cited(rule, language)))?;
    }
    for reason in &line.reasoning {
        writeln!(context.out, "    {}", printable(reason.get(language)))?;
    }
    Ok(())
}

/// A rule, its place in the designer's file, whether it held, and what it read.
pub(crate) fn cited(rule: &Tried, language: Language) -> String {
    let place = rule.source.as_ref().map(|line| format!("{}:{}", line.file, line.line));
    let place = place.unwrap_or_else(|| rule.pointer.clone());
    let Some(when) = &rule.when else {
        return match language {
            Language::Fr => format!("✓ {place}  dernier recours"),
            Language::En => format!("✓ {place}  last resort"),
        };
    };
    let read: Vec<String> = rule.operands.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    format!("{} {place}  {when}  ({})", if rule.held { "✓" } else { "✗" }, read.join(", "))
}
