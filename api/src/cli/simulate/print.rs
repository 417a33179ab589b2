//! The report as tables for people.

use std::io::Write;

use guichet_engine::rules::text::Language;

use super::Answered;
use super::options::SimulateOptions;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::output::{Table, grouped};
use crate::simulation::{Comparison, Estimate, Need, Promises, Summary};

/// Lines of a table that is cut.
const LINES: usize = 20;

/// Prints everything that was asked for.
pub(super) fn human(
    context: &mut Context,
    options: &SimulateOptions,
    answered: &Answered,
) -> Result<(), Failure> {
    let summary = &answered.summary;
    heading(context, options, summary)?;
    processes(context, options, summary)?;
    services(context, summary)?;
    waits(context, summary)?;
    posts(context, summary)?;
    channels(context, summary)?;
    if let Some(compared) = &answered.compared {
        comparison(context, summary, compared)?;
    }
    needs(context, &answered.needs)
}

/// A number in the language's way.
fn decimal(value: f64, digits: usize, language: Language) -> String {
    let text = format!("{value:.digits$}");
    let text = if text.starts_with('-') && text.trim_start_matches(['-', '0', '.']).is_empty() {
        text.trim_start_matches('-').to_owned()
    } else {
        text
    };
    if language == Language::Fr { text.replace('.', ",") } else { text }
}

#[allow(clippy::cast_possible_truncation, reason = "a count of requests")]
fn whole(value: f64) -> String {
    grouped(value.round() as i64)
}

/// A mean and how far it may be off.
fn spread(estimate: &Estimate, say: impl Fn(f64) -> String) -> String {
    let mean = say(estimate.mean);
    match (estimate.low, estimate.high) {
        (Some(low), Some(high)) => {
            let off = say((high - low) / 2.0);
            if off == say(0.0) { mean } else { format!("{mean} ± {off}") }
        }
        (_, _) => mean,
    }
}

fn percent(estimate: &Estimate, language: Language) -> String {
    let text = spread(estimate, |value| decimal(value * 100.0, 1, language));
    format!("{text} %")
}

fn kept(promises: &Promises, language: Language) -> String {
    promises.kept.as_ref().map_or_else(|| "–".to_owned(), |kept| percent(kept, language))
}

fn heading(context: &mut Context, options: &SimulateOptions, summary: &Summary) -> Result<(), Failure> {
    let language = context.language;
    let period = options.period();
    let seeds = options.seeds().len();
    let (from, until) = (period.from.format("%d/%m/%Y"), period.until.format("%d/%m/%Y"));
    let words = match language {
        Language::Fr => format!(
            "Simulation du {from} au {until} · {seeds} graine(s) ; ± : intervalle de confiance à 95 % (Student)"
        ),
        Language::En => format!(
            "Simulation from {} to {} · {seeds} seed(s); ±: 95 % confidence interval (Student)",
            period.from, period.until
        ),
    };
    writeln!(context.out, "{words}\n")?;
    let mut table = Table::new(&[context.say("en tout", "overall"), ">"]);
    let mut row = |fr: &str, en: &str, value: String| {
        table.row(vec![if language == Language::Fr { fr } else { en }.to_owned(), value]);
    };
    row("demandes reçues", "requests received", spread(&summary.received, whole));
    row("parties sans attendre leur tour", "left before their turn", spread(&summary.gave_up, whole));
    row("engagements tenus", "promises kept", kept(&summary.promises, language));
    row("engagements rompus", "promises broken", spread(&summary.promises.broken, whole));
    row("coût (€)", "cost (€)", spread(&summary.cost, whole));
    row("économie sur le guichet (€)", "saved against the counter (€)", spread(&summary.saving, whole));
    row("en attente à la fin", "waiting at the end", spread(&summary.queue_at_end, whole));
    let growth = spread(&summary.growth, |value| decimal(value, 1, language));
    row("files, dernier trimestre ÷ deuxième", "queues, last quarter ÷ second", growth);
    table.write(&mut context.out)?;
    if summary.growth.low.unwrap_or(summary.growth.mean) > 2.0 && summary.queue_at_end.mean > 50.0 {
        let words = context.say(
            "  Les files grandissent : ce qui arrive dépasse ce qui est traité.",
            "  The queues grow: more comes in than is done.",
        );
        writeln!(context.out, "{words}")?;
    }
    Ok(())
}

fn processes(context: &mut Context, options: &SimulateOptions, summary: &Summary) -> Result<(), Failure> {
    let language = context.language;
    let mut lines: Vec<_> =
        summary.processes.iter().filter(|line| line.process.starts_with(&options.process)).collect();
    lines.sort_by(|a, b| {
        b.promises.broken.mean.total_cmp(&a.promises.broken.mean).then_with(|| a.process.cmp(&b.process))
    });
    let more = lines.len().saturating_sub(LINES);
    let mut table = Table::new(&[
        context.say("démarche", "process"),
        context.say("collectivité", "collectivity"),
        context.say(">reçues", ">received"),
        context.say(">tenus", ">kept"),
        context.say(">rompus", ">broken"),
        context.say(">heures, médiane", ">hours, median"),
        context.say(">9 sur 10", ">9 in 10"),
    ]);
    for line in lines.into_iter().take(LINES) {
        table.row(vec![
            line.process.clone(),
            line.tenant.clone(),
            spread(&line.received, whole),
            kept(&line.promises, language),
            spread(&line.promises.broken, whole),
            whole(line.hours_median.mean),
            whole(line.hours_p90.mean),
        ]);
    }
    writeln!(context.out)?;
    table.write(&mut context.out)?;
    if more > 0 {
        let words = context.say("autres, dans --format json", "more, in --format json");
        writeln!(context.out, "  … {more} {words}")?;
    }
    Ok(())
}

fn services(context: &mut Context, summary: &Summary) -> Result<(), Failure> {
    let language = context.language;
    let mut lines: Vec<_> = summary.services.iter().collect();
    lines.sort_by(|a, b| {
        b.promises.broken.mean.total_cmp(&a.promises.broken.mean).then_with(|| a.service.cmp(&b.service))
    });
    let mut table = Table::new(&[
        context.say("service chargé", "service in charge"),
        context.say(">engagements", ">promises"),
        context.say(">tenus", ">kept"),
        context.say(">rompus", ">broken"),
    ]);
    for line in lines {
        table.row(vec![
            line.service.clone(),
            whole(line.promises.known.mean),
            kept(&line.promises, language),
            spread(&line.promises.broken, whole),
        ]);
    }
    writeln!(context.out)?;
    table.write(&mut context.out)
}

fn waits(context: &mut Context, summary: &Summary) -> Result<(), Failure> {
    let language = context.language;
    let mut table = Table::new(&[
        context.say("où elles attendent", "where they wait"),
        context.say("chez", "at"),
        context.say(">fois", ">times"),
        context.say(">heures, moyenne", ">hours, mean"),
        context.say(">9 sur 10", ">9 in 10"),
        context.say(">part", ">share"),
    ]);
    for line in summary.waits.iter().take(LINES) {
        table.row(vec![
            context.say(line.wait.words()[0], line.wait.words()[1]).to_owned(),
            line.at.clone(),
            whole(line.times.mean),
            spread(&line.hours_mean, |value| decimal(value, 1, language)),
            decimal(line.hours_p90.mean, 1, language),
            format!("{} %", decimal(line.share.mean * 100.0, 1, language)),
        ]);
    }
    writeln!(context.out)?;
    table.write(&mut context.out)?;
    let words = context.say(
        "  Heures ouvrées pour ce que fait la mairie ; heures d’horloge au guichet, au téléphone et chez l’usager.",
        "  Working hours for what the town hall does; hours on the clock at the counter, on the telephone, with requesters.",
    );
    writeln!(context.out, "{words}")?;
    Ok(())
}

fn posts(context: &mut Context, summary: &Summary) -> Result<(), Failure> {
    let language = context.language;
    let mut table = Table::new(&[
        context.say("qui travaille", "who works"),
        context.say(">personnes", ">people"),
        context.say(">occupation", ">busy"),
    ]);
    let mut lines: Vec<_> = summary.posts.iter().filter(|line| line.busy.mean > 0.0).collect();
    lines.sort_by(|a, b| b.busy.mean.total_cmp(&a.busy.mean).then_with(|| a.post.cmp(&b.post)));
    for line in lines {
        table.row(vec![line.post.clone(), line.people.to_string(), percent(&line.busy, language)]);
    }
    writeln!(context.out)?;
    table.write(&mut context.out)
}

fn channels(context: &mut Context, summary: &Summary) -> Result<(), Failure> {
    let mut table = Table::new(&[
        context.say("canal", "channel"),
        context.say(">demandes", ">requests"),
        context.say(">coût (€)", ">cost (€)"),
        context.say(">économie (€)", ">saved (€)"),
    ]);
    for line in &summary.channels {
        let cells = [&line.received, &line.cost, &line.saving].map(|estimate| spread(estimate, whole));
        table.row(std::iter::once(line.channel.clone()).chain(cells).collect());
    }
    writeln!(context.out)?;
    table.write(&mut context.out)
}

fn comparison(context: &mut Context, first: &Summary, compared: &Comparison) -> Result<(), Failure> {
    let language = context.language;
    let mut table = Table::new(&[
        context.say("comparaison", "comparison"),
        context.say(">avant", ">before"),
        context.say(">après", ">after"),
        context.say(">différence", ">difference"),
    ]);
    let other = &compared.other;
    table.row(vec![
        context.say("engagements tenus", "promises kept").into(),
        kept(&first.promises, language),
        kept(&other.promises, language),
        percent(&compared.kept, language),
    ]);
    table.row(vec![
        context.say("engagements rompus", "promises broken").into(),
        whole(first.promises.broken.mean),
        whole(other.promises.broken.mean),
        spread(&compared.broken, whole),
    ]);
    table.row(vec![
        context.say("coût (€)", "cost (€)").into(),
        whole(first.cost.mean),
        whole(other.cost.mean),
        spread(&compared.cost, whole),
    ]);
    let of = |summary: &Summary, name: &str| {
        let line = summary.services.iter().find(|line| line.service == name);
        line.map_or(0.0, |line| line.promises.broken.mean)
    };
    let mut services: Vec<_> = compared.services.iter().collect();
    services.sort_by(|a, b| b.1.mean.abs().total_cmp(&a.1.mean.abs()).then_with(|| a.0.cmp(b.0)));
    for (name, estimate) in services.into_iter().take(5) {
        let words = context.say("rompus", "broken");
        let cells = [whole(of(first, name)), whole(of(other, name)), spread(estimate, whole)];
        table.row(std::iter::once(format!("  {words} : {name}")).chain(cells).collect());
    }
    writeln!(context.out)?;
    table.write(&mut context.out)
}

fn needs(context: &mut Context, needs: &[Need]) -> Result<(), Failure> {
    let language = context.language;
    let Some(first) = needs.first() else { return Ok(()) };
    let target = decimal(first.target * 100.0, 0, language);
    let heading = match language {
        Language::Fr => format!("pour tenir {target} %"),
        Language::En => format!("to keep {target} %"),
    };
    let mut table = Table::new(&[
        &heading,
        context.say(">personnes", ">people"),
        context.say(">tenus", ">kept"),
        context.say(">il en faut", ">needed"),
        context.say(">tenus alors", ">kept then"),
    ]);
    for need in needs {
        let people = need.people.map_or_else(|| "–".to_owned(), |people| people.to_string());
        table.row(vec![
            need.post.clone(),
            need.present.to_string(),
            percent(&need.kept_now, language),
            people,
            percent(&need.kept, language),
        ]);
    }
    writeln!(context.out)?;
    table.write(&mut context.out)?;
    if needs.iter().any(|need| need.people.is_none()) {
        let words = context.say(
            "  – : ce n’est pas une affaire d’effectif ; voyez où elles attendent.",
            "  –: more people do not help; see where they wait.",
        );
        writeln!(context.out, "{words}")?;
    }
    Ok(())
}
