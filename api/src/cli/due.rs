//! `guichet due`: one due instant, and why.

use std::io::{BufRead, Write};
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::Args;
use guichet_engine::rules::commitment::{Budget, MonthRule, Pause, Question, answer_line};
use guichet_engine::rules::text::Language;
use serde_json::json;

use super::calendars;
use super::context::{Context, Format};
use super::failure::{Failure, Verdict};

/// Say when something is due by a calendar, and why.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    guichet due processes/chalons/calendars/mairie.yaml --from 2026-05-07T16:50:00+02:00 --within '2 working days' --explain\n  \
    guichet due tests/calendars --jsonl < tests/vectors/clock.jsonl")]
pub(crate) struct Due {
    /// Calendar files, or folders of them; several with --jsonl, whose lines name theirs.
    #[arg(required = true, value_name = "CALENDAR.yaml")]
    calendars: Vec<PathBuf>,
    /// When the clock starts (RFC 3339).
    #[arg(long, value_name = "INSTANT", required_unless_present = "jsonl", conflicts_with = "jsonl")]
    from: Option<DateTime<Utc>>,
    /// How long it may take, for example "2 working days".
    #[arg(long, value_name = "DURATION", required_unless_present = "jsonl", conflicts_with = "jsonl")]
    within: Option<Budget>,
    /// A stretch that does not count, as START/END (RFC 3339); may be given several times.
    #[arg(long, value_name = "A/B", conflicts_with = "jsonl")]
    paused: Vec<Pause>,
    /// How months and years end: same_day or day_after.
    #[arg(long, value_name = "RULE", default_value = "same_day", value_parser = month_rule)]
    month_rule: MonthRule,
    /// Say why, step by step.
    #[arg(long, conflicts_with = "jsonl")]
    explain: bool,
    /// Answer lines of JSON on standard input, each with its `due`.
    #[arg(long)]
    jsonl: bool,
}

fn month_rule(text: &str) -> Result<MonthRule, String> {
    serde_json::from_value(text.into()).map_err(|_| "same_day or day_after".to_owned())
}

impl Due {
    pub(crate) async fn run(self, context: &mut Context) -> Result<Verdict, Failure> {
        context.only(&[Format::Human, Format::Json])?;
        let calendars = calendars::read_all(&self.calendars, context.language)?;
        if self.jsonl {
            let mut verdict = Verdict::Good;
            for (number, line) in std::io::stdin().lock().lines().enumerate() {
                let line = line?;
                if line.trim().is_empty() {
                    continue;
                }
                match answer_line(&line, &calendars) {
                    Ok(answer) => writeln!(context.out, "{answer}")?,
                    Err(error) => {
                        // The answers stay in step with the questions, so a line that has none gets one too.
                        let refusal = json!({ "error": error.to_string(), "line": number + 1 });
                        writeln!(context.out, "{refusal}")?;
                        verdict = Verdict::FoundWrong;
                    }
                }
            }
            return Ok(verdict);
        }
        let (Some(from), Some(within)) = (self.from, self.within) else {
            return Err(Failure::usage("--from --within"));
        };
        let calendar = match calendars.values().collect::<Vec<_>>().as_slice() {
            [only] => *only,
            _ => {
                return Err(Failure::usage(match context.language {
                    Language::Fr => "il faut un seul calendrier (plusieurs seulement avec --jsonl)",
                    Language::En => "exactly one calendar is needed (several only with --jsonl)",
                }));
            }
        };
        let question = Question { from, within, month_rule: self.month_rule, pauses: self.paused };
        if context.format == Format::Json {
            let due = question.due(calendar).map_err(|error| Failure::found(error.to_string()))?;
            let mut answer = json!({ "due": due.at });
            if let (true, Some(map)) = (self.explain, answer.as_object_mut()) {
                map.insert("sentences".into(), due.explanation.sentences(context.language).into());
                map.insert("explanation".into(), serde_json::to_value(&due.explanation)?);
            }
            writeln!(context.out, "{answer}")?;
            return Ok(Verdict::Good);
        }
        let explain = self.explain.then_some(context.language);
        for line in question.lines(calendar, explain).map_err(|error| Failure::found(error.to_string()))? {
            writeln!(context.out, "{line}")?;
        }
        Ok(Verdict::Good)
    }
}
