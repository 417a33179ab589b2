//! Findings for people and for programs.

use std::io::{IsTerminal, Write};

use guichet_engine::rules::language::diagnostic::{Diagnostic, Severity};
use guichet_engine::rules::text::Language;
use serde_json::json;

use super::super::catalogue::drawn;
use super::super::context::Context;
use super::super::failure::Failure;
use super::examine::Findings;
use super::{count, fix};

/// Each finding with its lines, and a summary at the end.
pub(super) fn human(context: &mut Context, all: &[Findings]) -> Result<(), Failure> {
    let coloured = std::io::stdout().is_terminal();
    for findings in all {
        for text in drawn(&findings.found, &findings.sources, context.language, coloured) {
            writeln!(context.out, "{text}\n")?;
        }
    }
    writeln!(context.out, "{}", summary(context.language, all))?;
    let findings = || all.iter().flat_map(|findings| &findings.found);
    if let Some(first) = findings().next() {
        let code = &first.code;
        let line = match context.language {
            Language::Fr => format!("pourquoi, et que faire : guichet check --explain {code}"),
            Language::En => format!("why, and what to do: guichet check --explain {code}"),
        };
        writeln!(context.out, "{line}")?;
    }
    match (findings().filter(|finding| fix::certain(finding)).count(), context.language) {
        (0, _) => {}
        (1, Language::Fr) => writeln!(context.out, "une correction est certaine : --fix l’écrit")?,
        (1, Language::En) => writeln!(context.out, "one correction is certain: --fix writes it")?,
        (n, Language::Fr) => writeln!(context.out, "{n} corrections sont certaines : --fix les écrit")?,
        (n, Language::En) => writeln!(context.out, "{n} corrections are certain: --fix writes them")?,
    }
    Ok(())
}

/// One document; on one line where several follow each other.
pub(super) fn json(context: &mut Context, all: &[Findings], one_line: bool) -> Result<(), Failure> {
    let diagnostics: Vec<&Diagnostic> = all.iter().flat_map(|findings| &findings.found).collect();
    let answer = json!({
        "errors": count(all, Severity::Error),
        "warnings": count(all, Severity::Warning),
        "processes": processes(all),
        "diagnostics": diagnostics,
    });
    match one_line {
        true => writeln!(context.out, "{answer}")?,
        false => writeln!(context.out, "{answer:#}")?,
    }
    Ok(())
}

fn processes(all: &[Findings]) -> usize {
    all.iter().map(|findings| findings.processes).sum()
}

/// How much was read, and how much is wrong.
pub(super) fn summary(language: Language, all: &[Findings]) -> String {
    let (errors, warnings) = (count(all, Severity::Error), count(all, Severity::Warning));
    let processes = processes(all);
    match language {
        Language::Fr => {
            // In French nothing is singular: zéro erreur.
            let s = |count: usize| if count < 2 { "" } else { "s" };
            let (p, e, w) = (s(processes), s(errors), s(warnings));
            format!("{processes} démarche{p} lue{p} : {errors} erreur{e}, {warnings} avertissement{w}")
        }
        Language::En => {
            let s = |count: usize| if count == 1 { "" } else { "s" };
            let (es, e, w) = (if processes == 1 { "" } else { "es" }, s(errors), s(warnings));
            format!("{processes} process{es} read: {errors} error{e}, {warnings} warning{w}")
        }
    }
}
