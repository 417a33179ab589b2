//! The pages about each kind of finding.

use std::io::Write;

use guichet_engine::rules::language::Severity;
use guichet_engine::rules::language::codes::{self, CHAPTERS, Page};
use guichet_engine::rules::language::diagnostic::nearest;
use guichet_engine::rules::text::{Language, Text};
use serde_json::{Value, json};

use super::super::context::{Context, Format};
use super::super::failure::{Failure, Verdict};

/// Prints the page of a code.
pub(super) fn page(context: &mut Context, code: &str) -> Result<Verdict, Failure> {
    let Some(page) = codes::page(code.trim()) else {
        let near = nearest(code, codes::all().map(|page| page.code));
        return Err(Failure::usage(match (near, context.language) {
            (Some(near), Language::Fr) => format!("code inconnu : `{code}` ; vouliez-vous dire `{near}` ?"),
            (Some(near), Language::En) => format!("unknown code: `{code}`; did you mean `{near}`?"),
            (None, Language::Fr) => {
                format!("code inconnu : `{code}` ; `guichet check --codes` les montre tous")
            }
            (None, Language::En) => format!("unknown code: `{code}`; `guichet check --codes` lists them all"),
        }));
    };
    match context.format {
        Format::Json => writeln!(context.out, "{:#}", json_of(page))?,
        Format::Human | Format::Csv | Format::Sarif => {
            writeln!(context.out, "{}", page.in_words(context.language))?;
        }
    }
    Ok(Verdict::Good)
}

/// Prints every code with its title, chapter by chapter.
pub(super) fn list(context: &mut Context) -> Result<Verdict, Failure> {
    if context.format == Format::Json {
        let all: Vec<Value> = codes::all().map(json_of).collect();
        writeln!(context.out, "{:#}", Value::Array(all))?;
        return Ok(Verdict::Good);
    }
    let width = codes::all().map(|page| page.code.len()).max().unwrap_or_default();
    for chapter in CHAPTERS {
        writeln!(context.out, "{}", context.say(chapter.title.0, chapter.title.1))?;
        for page in chapter.pages {
            let severity = match page.severity {
                Severity::Error => " ",
                Severity::Warning => "†",
            };
            let fix = if page.certain { "*" } else { " " };
            let title = context.say(page.title.0, page.title.1).to_owned();
            writeln!(context.out, "  {:width$} {severity}{fix} {title}", page.code)?;
        }
        writeln!(context.out)?;
    }
    let legend = context.say(
        "† avertissement   * `--fix` l’écrit quand une seule chose a pu être voulue",
        "† warning   * `--fix` writes it where only one thing can have been meant",
    );
    let legend = legend.to_owned();
    writeln!(context.out, "{legend}")?;
    Ok(Verdict::Good)
}

fn json_of(page: &Page) -> Value {
    let text = |(fr, en): (&str, &str)| Text::new(fr, en);
    json!({
        "code": page.code,
        "severity": page.severity,
        "certain": page.certain,
        "title": text(page.title),
        "cause": text(page.cause),
        "remedy": text(page.remedy),
        "example": { "file": page.example.file, "wrong": page.example.bad, "right": page.example.good },
    })
}
