//! `guichet check`: everything that is wrong with a catalogue, in one run.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use guichet_engine::rules::language::diagnostic::{Diagnostic, Severity};
use guichet_engine::rules::language::{SourceFile, Sources};
use guichet_engine::rules::text::Language;
use serde_json::json;

use super::calendars::unreadable;
use super::catalogue::{drawn, load, root_of};
use super::context::{Context, Format};
use super::failure::{Failure, Verdict};
use crate::import::read_map;

/// Find what is wrong with a catalogue, a sheet or an import map
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  guichet check processes/chalons\n  \
    guichet check processes/chalons/voirie/chaussee-abimee.yaml --format json")]
pub(crate) struct Check {
    /// Folders of catalogues, or folders and files in one: then only what is found there is shown.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
}

/// What was found below one path.
struct Findings {
    found: Vec<Diagnostic>,
    sources: Sources,
    processes: usize,
}

impl Check {
    pub(crate) async fn run(self, context: &mut Context) -> Result<Verdict, Failure> {
        context.only(&[Format::Human, Format::Json])?;
        let (mut errors, mut warnings, mut processes) = (0, 0, 0);
        let mut all = Vec::new();
        let coloured = std::io::stdout().is_terminal();
        for path in &self.paths {
            for findings in examine(path, context.language)? {
                processes += findings.processes;
                errors += findings.found.iter().filter(|f| f.severity == Severity::Error).count();
                warnings += findings.found.iter().filter(|f| f.severity == Severity::Warning).count();
                if context.format == Format::Human {
                    for text in drawn(&findings.found, &findings.sources, context.language, coloured) {
                        writeln!(context.out, "{text}\n")?;
                    }
                }
                all.extend(findings.found);
            }
        }
        if context.format == Format::Json {
            let answer = json!({
                "errors": errors, "warnings": warnings, "processes": processes, "diagnostics": all,
            });
            writeln!(context.out, "{answer:#}")?;
        } else {
            writeln!(context.out, "{}", summary(context.language, processes, errors, warnings))?;
        }
        Ok(if errors == 0 { Verdict::Good } else { Verdict::FoundWrong })
    }
}

fn summary(language: Language, processes: usize, errors: usize, warnings: usize) -> String {
    let s = |count: usize| if count == 1 { "" } else { "s" };
    match language {
        Language::Fr => {
            // In French nothing is singular: zéro erreur.
            let s = |count: usize| if count < 2 { "" } else { "s" };
            let (p, e, w) = (s(processes), s(errors), s(warnings));
            format!("{processes} démarche{p} lue{p} : {errors} erreur{e}, {warnings} avertissement{w}")
        }
        Language::En => {
            let es = if processes == 1 { "" } else { "es" };
            format!(
                "{processes} process{es} read: {errors} error{}, {warnings} warning{}",
                s(errors),
                s(warnings)
            )
        }
    }
}

fn examine(path: &Path, language: Language) -> Result<Vec<Findings>, Failure> {
    if let Err(error) = std::fs::metadata(path) {
        return Err(unreadable(path, &error, language));
    }
    let Some(root) = root_of(path) else {
        let path = path.display();
        return Err(Failure::usage(match language {
            Language::Fr => {
                format!("{path} n’est ni un catalogue ni dans un catalogue (aucun catalogue.yaml)")
            }
            Language::En => format!("{path} neither is a catalogue nor lies in one (no catalogue.yaml)"),
        }));
    };
    let within = inside(&root, path);
    let mut all = maps(&root, &within, language)?;
    if !within.starts_with("imports/") {
        let loaded = load(&root, language)?;
        let processes =
            loaded.sources.ids().filter(|id| is_process(loaded.sources.path(*id), &within)).count();
        let mut found = loaded.diagnostics;
        found.retain(|finding| covers(&within, &finding.place.file));
        all.insert(0, Findings { found, sources: loaded.sources, processes });
    }
    Ok(all)
}

/// The path inside the catalogue with `/`; empty for the catalogue itself.
pub(crate) fn inside(root: &Path, path: &Path) -> String {
    let (root, path) = (std::fs::canonicalize(root), std::fs::canonicalize(path));
    let (Ok(root), Ok(path)) = (root, path) else { return String::new() };
    let parts =
        path.strip_prefix(&root).map(|p| p.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>());
    parts.map(|parts| parts.join("/")).unwrap_or_default()
}

/// Whether a file is the one named, or lies in the folder named.
pub(crate) fn covers(within: &str, file: &str) -> bool {
    within.is_empty() || file == within || file.strip_prefix(within).is_some_and(|rest| rest.starts_with('/'))
}

fn is_process(file: &str, within: &str) -> bool {
    const PARTS: [&str; 5] = ["calendars", "models", "circuits", "messages", "imports"];
    let folder = file.split_once('/').map(|(folder, _)| folder);
    let sheet = file.strip_suffix(".yaml").is_some_and(|stem| !stem.ends_with(".test"));
    sheet && covers(within, file) && folder.is_some_and(|folder| !PARTS.contains(&folder))
}

/// The maps of imports, which are read by their own command and are no part of a definition.
fn maps(root: &Path, within: &str, language: Language) -> Result<Vec<Findings>, Failure> {
    let Ok(entries) = std::fs::read_dir(root.join("imports")) else { return Ok(Vec::new()) };
    let mut names: Vec<String> =
        entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.retain(|name| name.ends_with(".yaml") && covers(within, &format!("imports/{name}")));
    names.sort();
    let mut all = Vec::new();
    for name in names {
        let path = root.join("imports").join(&name);
        let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, &error, language))?;
        let mut sources = Sources::default();
        let file = sources.add(SourceFile { path: format!("imports/{name}"), text });
        let found = read_map(file, &sources).err().unwrap_or_default();
        all.push(Findings { found, sources, processes: 0 });
    }
    Ok(all)
}
