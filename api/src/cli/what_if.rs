//! `guichet what-if`: which promises would have been kept under another sheet.

use std::io::Write;

use chrono::{DateTime, Months, NaiveDate, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;
use clap::Args;
use guichet_engine::rules::text::Language;

use super::context::{Context, Format};
use super::failure::{Failure, Verdict};
use super::output::Table;
use super::{named, store};
use crate::Guichet;
use crate::what_if::{self, Question, Tally, WhatIfError, WhatIfLine};

/// Say which promises of a period would have been kept under another sheet; nothing is written
#[derive(Debug, Args)]
#[command(after_help = "What people did is taken as it was: only the promises are reckoned anew.\n\
    Example: guichet what-if processes/chalons/voirie/chaussee-abimee.yaml --since 2026-08-01 --until 2026-11-01")]
pub(crate) struct WhatIf {
    /// A sheet, a catalogue's folder, or the hash of a published version.
    #[arg(value_name = "SHEET")]
    sheet: String,
    /// Requests received on this day or later; the last three months if nothing is said.
    #[arg(long, value_name = "DAY")]
    since: Option<NaiveDate>,
    /// Requests received before this day.
    #[arg(long, value_name = "DAY")]
    until: Option<NaiveDate>,
    /// Only requests of this collectivity.
    #[arg(long)]
    tenant: Option<String>,
}

impl WhatIf {
    pub(crate) async fn run(self, context: &mut Context) -> Result<Verdict, Failure> {
        context.only(&[Format::Human, Format::Json])?;
        let guichet = store::open_to_read(context).await?;
        let done = self.answer(context, &guichet).await;
        guichet.close().await;
        done.map(|()| Verdict::Good)
    }

    async fn answer(&self, context: &mut Context, guichet: &Guichet) -> Result<(), Failure> {
        let language = context.language;
        let sheets = named::named(context, Some(guichet), &self.sheet, self.tenant.as_deref())?;
        let now = guichet.now();
        let day = |day: NaiveDate| {
            let midnight = day.and_time(NaiveTime::MIN);
            Tz::Europe__Paris.from_local_datetime(&midnight).earliest().map(|at| at.with_timezone(&Utc))
        };
        let until = self.until.and_then(day).unwrap_or(now);
        let quarter = until.checked_sub_months(Months::new(3)).unwrap_or(DateTime::<Utc>::MIN_UTC);
        let question = Question {
            tenant: self.tenant.clone(),
            from: self.since.and_then(day).unwrap_or(quarter),
            until,
            plans: sheets.plans()?,
        };
        let models = guichet.read_models();
        models.catch_up(store::PATIENCE).await.map_err(|error| store::reading(&error, language))?;
        let answer = guichet.what_if(&question).await.map_err(|error| match error {
            WhatIfError::ReadModels(error) => store::reading(&error, language),
            WhatIfError::Engine(error) => store::engine(&error, language),
        })?;
        if context.format == Format::Json {
            writeln!(context.out, "{:#}", serde_json::to_value(&answer)?)?;
            return Ok(());
        }
        print(context, &answer)
    }
}

fn print(context: &mut Context, answer: &what_if::WhatIf) -> Result<(), Failure> {
    let language = context.language;
    let (from, until) =
        (super::local::instant(language, answer.from), super::local::instant(language, answer.until));
    let requests = answer.requests;
    let line = match language {
        Language::Fr => format!("{requests} demandes reçues du {from} au {until}."),
        Language::En => format!("{requests} requests received from {from} to {until}."),
    };
    writeln!(context.out, "{line}\n")?;
    let mut table = Table::new(&[
        context.say("démarche", "process"),
        context.say("engagement", "commitment"),
        context.say(">tenus", ">kept"),
        context.say(">rompus", ">broken"),
        ">%",
        context.say(">tenus alors", ">kept then"),
        context.say(">rompus alors", ">broken then"),
        ">%",
        context.say(">gagnés", ">gained"),
        context.say(">perdus", ">lost"),
        context.say(">non comparables", ">not comparable"),
    ]);
    let counts = |tally: &Tally| [tally.kept.to_string(), tally.broken.to_string(), percent(tally)];
    for line in &answer.lines {
        let not: u64 = line.not_comparable.values().map(|(count, _)| count).sum();
        let mut cells = vec![line.process.clone(), line.commitment.clone()];
        cells.extend(counts(&line.old));
        cells.extend(counts(&line.new));
        cells.extend([line.gained.to_string(), line.lost.to_string(), not.to_string()]);
        table.row(cells);
    }
    table.write(&mut context.out)?;
    for line in &answer.lines {
        examples(context, line)?;
    }
    let words = context.say(
        "Ce que les gens ont fait est pris tel quel ; seuls les engagements sont recalculés. Rien n’est écrit.",
        "What people did is taken as it was; only the promises are reckoned anew. Nothing is written.",
    );
    writeln!(context.out, "\n{words}")?;
    Ok(())
}

fn percent(tally: &Tally) -> String {
    tally.rate().map_or_else(|| "–".to_owned(), |rate| format!("{:.1}", rate * 100.0))
}

fn examples(context: &mut Context, line: &WhatIfLine) -> Result<(), Failure> {
    let head = format!("{} · {}", line.process, line.commitment);
    let mut said = Vec::new();
    if line.gained > 0 {
        let words = context.say("tenus alors", "kept then");
        said.push(format!("{words} : {}", line.gained_examples.join(", ")));
    }
    if line.lost > 0 {
        let words = context.say("rompus alors", "broken then");
        said.push(format!("{words} : {}", line.lost_examples.join(", ")));
    }
    for (why, (count, some)) in &line.not_comparable {
        let why = why.text();
        said.push(format!("{count} × {} : {}", why.get(context.language), some.join(", ")));
    }
    if !said.is_empty() {
        writeln!(context.out, "\n{head}")?;
    }
    for words in said {
        writeln!(context.out, "  {words}")?;
    }
    Ok(())
}
