//! The dashboard on the terminal, as JSON, and as CSV.

use std::io::Write;

use chrono::{DateTime, Utc};
use guichet_engine::rules::text::Language;
use guichet_projections::{KeptLine, StatisticsLine};

use super::Figures;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::local::in_zone;
use crate::cli::output::{Table, euros, grouped, printable};
use crate::vocabulary::{channel, stage};

/// JSON for programs.
pub(super) fn json(context: &mut Context, figures: &Figures) -> Result<(), Failure> {
    writeln!(context.out, "{:#}", figures.json())?;
    Ok(())
}

/// One table: each figure is a line.
pub(super) fn csv(context: &mut Context, figures: &Figures) -> Result<(), Failure> {
    let mut table = Table::new(&[
        "section",
        "key",
        "requests",
        "open",
        "delivered",
        "cost_cents",
        "saving_cents",
        "on_time",
        "late",
        "open_past_due",
        "running",
        "known",
        "kept",
    ]);
    let mut line = |section: &str, line: &StatisticsLine| {
        let key = line.key.iter().map(|part| part.clone().unwrap_or_default()).collect::<Vec<_>>().join(" ");
        let counts = [line.requests, line.open, line.delivered, line.cost_cents, line.saving_cents];
        let mut row = vec![section.to_owned(), key];
        row.extend(counts.iter().map(u64::to_string));
        row.resize(13, String::new());
        table.row(row);
    };
    line("total", &figures.board.total);
    for (section, lines) in sections(figures) {
        lines.iter().for_each(|one| line(section, one));
    }
    for kept in &figures.board.kept {
        let mut row = vec!["kept".to_owned(), kept.key.clone().unwrap_or_default()];
        row.resize(7, String::new());
        let counts = [kept.on_time, kept.late, kept.open_past_due, kept.running, kept.known];
        row.extend(counts.iter().map(u64::to_string));
        row.push(kept.kept.map(|share| format!("{share:.4}")).unwrap_or_default());
        table.row(row);
    }
    table.write_csv(&mut context.out)
}

fn sections(figures: &Figures) -> [(&'static str, &Vec<StatisticsLine>); 3] {
    let board = &figures.board;
    [("stage", &board.by_stage), ("channel", &board.by_channel), ("theme", &board.by_theme)]
}

/// Tables and sentences for people.
pub(super) fn human(context: &mut Context, figures: &Figures) -> Result<(), Failure> {
    let board = &figures.board;
    let title = match context.language {
        Language::Fr => "Tableau de bord",
        Language::En => "Dashboard",
    };
    let whose = board
        .tenant
        .clone()
        .unwrap_or_else(|| context.say("toutes les collectivités", "all collectivities").into());
    let now = local(figures, context.language, board.now);
    writeln!(context.out, "{title} · {whose} · {now}\n")?;
    totals(context, figures)?;
    parts(context, figures)?;
    promises(context, figures)?;
    waiting(context, figures)?;
    overdue(context, figures)?;
    if let Some(position) = board.as_of {
        let words = context.say("Chiffres vrais à la position", "Figures true at position");
        writeln!(context.out, "\n{words} {position}.")?;
    }
    Ok(())
}

fn totals(context: &mut Context, figures: &Figures) -> Result<(), Failure> {
    let total = &figures.board.total;
    let line = match context.language {
        Language::Fr => format!(
            "{} demandes : {} délivrées, {} closes autrement, {} en cours.",
            n(total.requests),
            n(total.delivered),
            n(total.ended_otherwise),
            n(total.open)
        ),
        Language::En => format!(
            "{} requests: {} delivered, {} ended otherwise, {} open.",
            n(total.requests),
            n(total.delivered),
            n(total.ended_otherwise),
            n(total.open)
        ),
    };
    writeln!(context.out, "{line}")?;
    let (cost, saving) = (euros(cents(total.cost_cents)), euros(cents(total.saving_cents)));
    let letters = n(total.letters);
    let line = match context.language {
        Language::Fr => format!(
            "Coût : {cost}, dont {letters} courriers postés ; économie par rapport au guichet : {saving} ({} demandes en ligne).",
            n(total.online)
        ),
        Language::En => format!(
            "Cost: {cost}, with {letters} letters posted; saving against the counter: {saving} ({} requests online).",
            n(total.online)
        ),
    };
    writeln!(context.out, "{line}")?;
    let line = match (context.language, total.rating) {
        (_, None) => return Ok(()),
        (Language::Fr, Some(mean)) => {
            format!(
                "Note : {:.1} sur 5 ({} avis). Résolues au premier contact : {}.",
                mean,
                n(total.rated),
                n(total.first_contact)
            )
        }
        (Language::En, Some(mean)) => {
            format!(
                "Rating: {:.1} of 5 ({} ratings). Resolved at first contact: {}.",
                mean,
                n(total.rated),
                n(total.first_contact)
            )
        }
    };
    writeln!(context.out, "{line}")?;
    Ok(())
}

fn parts(context: &mut Context, figures: &Figures) -> Result<(), Failure> {
    let language = context.language;
    let titles = &figures.board.titles;
    let named = [
        (context.say("étape", "stage"), &stage as &dyn Fn(&str, Language) -> String),
        (context.say("canal", "channel"), &channel),
        (context.say("thème", "theme"), &|id: &str, language| titles.theme(id, language)),
    ];
    for ((_, lines), (head, words)) in sections(figures).into_iter().zip(named) {
        let mut table = Table::new(&[
            head,
            context.say(">demandes", ">requests"),
            context.say(">en cours", ">open"),
            context.say(">délivrées", ">delivered"),
            context.say(">coût", ">cost"),
            context.say(">économie", ">saving"),
        ]);
        for line in lines {
            let key = line.key.first().cloned().flatten().unwrap_or_default();
            table.row(vec![
                words(&key, language),
                n(line.requests),
                n(line.open),
                n(line.delivered),
                euros(cents(line.cost_cents)),
                euros(cents(line.saving_cents)),
            ]);
        }
        writeln!(context.out)?;
        table.write(&mut context.out)?;
    }
    Ok(())
}

fn promises(context: &mut Context, figures: &Figures) -> Result<(), Failure> {
    let mut table = Table::new(&[
        context.say("engagement", "commitment"),
        context.say(">à temps", ">on time"),
        context.say(">en retard", ">late"),
        context.say(">dépassés, en cours", ">open past due"),
        context.say(">issue connue", ">outcome known"),
        context.say(">tenus", ">kept"),
        context.say(">en cours", ">running"),
    ]);
    for KeptLine { key, on_time, late, open_past_due, known, kept, running, paused, .. } in
        &figures.board.kept
    {
        let share = kept.map_or_else(|| "–".to_owned(), |share| percent(share, context.language));
        table.row(vec![
            figures.board.titles.commitment(key.as_deref().unwrap_or_default(), context.language),
            n(*on_time),
            n(*late),
            n(*open_past_due),
            n(*known),
            share,
            n(running + paused),
        ]);
    }
    writeln!(context.out)?;
    table.write(&mut context.out)?;
    let words = context.say(
        "Tenus = à temps ÷ (à temps + en retard + dépassés encore en cours).",
        "Kept = on time ÷ (on time + late + open past due).",
    );
    writeln!(context.out, "  {words}")?;
    Ok(())
}

fn waiting(context: &mut Context, figures: &Figures) -> Result<(), Failure> {
    let oldest = figures.oldest();
    if oldest.is_empty() {
        return Ok(());
    }
    writeln!(context.out, "\n{}", context.say("Les plus anciennes en attente :", "Waiting the longest:"))?;
    let mut table = Table::new(&[
        context.say("demande", "request"),
        context.say("démarche", "process"),
        context.say("reçue", "received"),
        context.say("étape", "stage"),
        "service",
    ]);
    for card in oldest {
        table.row(vec![
            card.request.to_string(),
            shortened(figures.title(&card.process)),
            local(figures, context.language, card.received),
            stage(&card.stage, context.language),
            card.service.clone().unwrap_or_else(|| "–".into()),
        ]);
    }
    table.write(&mut context.out)
}

fn overdue(context: &mut Context, figures: &Figures) -> Result<(), Failure> {
    if figures.overdue.is_empty() {
        return Ok(());
    }
    let all = n(figures.overdue_all);
    let head = match context.language {
        Language::Fr => format!("Engagements dépassés et toujours en cours : {all}"),
        Language::En => format!("Promises past due and not done: {all}"),
    };
    writeln!(context.out, "\n{head}")?;
    let mut table = Table::new(&[
        context.say("demande", "request"),
        context.say("démarche", "process"),
        context.say("engagement", "commitment"),
        context.say("échéance", "due"),
        "service",
    ]);
    for promise in &figures.overdue {
        table.row(vec![
            promise.request.to_string(),
            shortened(figures.title(&promise.process)),
            figures.board.titles.commitment(&promise.commitment, context.language),
            local(figures, context.language, promise.due),
            promise.service.clone().unwrap_or_else(|| "–".into()),
        ]);
    }
    table.write(&mut context.out)?;
    let Some(late) = &figures.explained else { return Ok(()) };
    let head = match context.language {
        Language::Fr => format!("Pourquoi {} était due à cette date :", late.request),
        Language::En => format!("Why {} was due then:", late.request),
    };
    writeln!(context.out, "\n{head}")?;
    if let Some(rule) = &late.rule {
        writeln!(context.out, "  {} {rule}", context.say("Règle écrite dans", "Rule written in"))?;
    }
    for line in &late.why {
        writeln!(context.out, "  {line}")?;
    }
    if let Some(last) = &late.last {
        writeln!(context.out, "  {} {}", context.say("Dernier acte :", "Last act:"), printable(last))?;
    }
    Ok(())
}

fn n(count: u64) -> String {
    grouped(i64::try_from(count).unwrap_or(i64::MAX))
}

fn cents(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn percent(share: f64, language: Language) -> String {
    let text = format!("{:.1}", share * 100.0);
    match language {
        Language::Fr => format!("{} %", text.replace('.', ",")),
        Language::En => format!("{text} %"),
    }
}

fn shortened(text: &str) -> String {
    const MOST: usize = 44;
    let text = printable(text);
    if text.chars().count() <= MOST { text } else { text.chars().take(MOST - 1).chain(['…']).collect() }
}

/// An instant on the town hall's wall clock.
fn local(figures: &Figures, language: Language, instant: DateTime<Utc>) -> String {
    in_zone(language, instant, figures.zone)
}
