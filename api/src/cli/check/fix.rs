//! Writes the corrections that are certain, and shows them.
//!
//! A correction replaces the bytes that a finding marks and nothing else, so comments and layout stay. Every set of
//! corrections is checked in memory first: one after which there are not fewer errors than before is left alone.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use guichet_engine::rules::language::Severity;
use guichet_engine::rules::language::diagnostic::{Diagnostic, Place};
use guichet_engine::rules::text::Language;
use serde_json::json;

use super::super::calendars::unreadable;
use super::super::catalogue::{read, root_of};
use super::super::context::{Context, Format};
use super::super::failure::{Failure, Verdict};
use super::examine::{Findings, examine, of_files};
use super::{count, inside, report, verdict};
use crate::CatalogueFiles;

/// A correction may bring to light what stood behind the fault; so often it is looked again.
const ROUNDS: usize = 8;
/// The most corrections that are tried one by one, where all of them together do no good.
const ONE_BY_ONE: usize = 50;

/// One replacement.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Correction {
    code: String,
    place: Place,
    text: String,
}

/// What was done to one catalogue.
struct Done {
    before: BTreeMap<String, String>,
    after: BTreeMap<String, String>,
    corrections: Vec<(Correction, String)>,
}

/// Whether a finding says what to write, and nothing else can have been meant.
pub(super) fn certain(finding: &Diagnostic) -> bool {
    finding.certain && finding.suggestion.is_some()
}

/// Corrects what lies below the paths.
pub(super) fn run(context: &mut Context, paths: &[PathBuf], dry: bool) -> Result<Verdict, Failure> {
    let mut all = Vec::new();
    let mut documents = Vec::new();
    for path in paths {
        let language = context.language;
        // Says what is the matter with the path, if anything is.
        let findings = examine(path, language)?;
        let Some(root) = root_of(path) else { continue };
        let within = inside(&root, path);
        let files = read(&root, language)?;
        let done = correct(&files, findings, &root, &within);
        if !dry {
            write(&root, &done, language)?;
        }
        for (correction, line) in &done.corrections {
            let Correction { code, place, text } = correction;
            if context.format == Format::Json {
                documents.push(json!({
                    "file": place.file, "line": place.line, "column": place.column, "code": code,
                    "before": line, "after": replaced(line, place, text), "text": text,
                }));
            } else {
                writeln!(context.out, "{}:{}:{}  {code}", place.file, place.line, place.column)?;
                writeln!(context.out, "- {line}\n+ {}\n", replaced(line, place, text))?;
            }
        }
        all.extend(of_files(patched(&files, &done.after), &root, &within));
    }
    tell(context, &all, documents, dry)?;
    Ok(verdict(&all))
}

fn tell(
    context: &mut Context,
    all: &[Findings],
    documents: Vec<serde_json::Value>,
    dry: bool,
) -> Result<(), Failure> {
    if context.format == Format::Json {
        let diagnostics: Vec<&Diagnostic> = all.iter().flat_map(|findings| &findings.found).collect();
        let answer = json!({
            "written": !dry, "corrections": documents,
            "errors": count(all, Severity::Error), "warnings": count(all, Severity::Warning),
            "diagnostics": diagnostics,
        });
        writeln!(context.out, "{answer:#}")?;
        return Ok(());
    }
    let note = match (dry, context.language) {
        (true, Language::Fr) => "Rien n’a été écrit (--dry-run). Après ces corrections :",
        (true, Language::En) => "Nothing was written (--dry-run). After these corrections:",
        (false, Language::Fr) => "Après ces corrections :",
        (false, Language::En) => "After these corrections:",
    };
    writeln!(context.out, "{note}")?;
    writeln!(context.out, "{}", report::summary(context.language, all))?;
    Ok(())
}

/// Corrects in memory, round by round, until nothing certain is left that does any good.
fn correct(files: &CatalogueFiles, mut findings: Vec<Findings>, root: &Path, within: &str) -> Done {
    let before: BTreeMap<String, String> =
        files.files.iter().map(|file| (file.path.clone(), file.text.clone())).collect();
    let mut done = Done { after: before.clone(), before, corrections: Vec::new() };
    for _ in 0..ROUNDS {
        let open = corrections(&findings);
        let check = |texts: &BTreeMap<String, String>| of_files(patched(files, texts), root, within);
        let wanted: Vec<Vec<Correction>> = match open.len() {
            0 | 1 => vec![open],
            n => {
                let each = open.iter().take(ONE_BY_ONE).map(|one| vec![one.clone()]).collect::<Vec<_>>();
                if n > ONE_BY_ONE { vec![open] } else { [vec![open], each].concat() }
            }
        };
        let errors = count(&findings, Severity::Error);
        let better = wanted.into_iter().filter(|set| !set.is_empty()).find_map(|set| {
            let texts = applied(&done.after, &set);
            let after = check(&texts);
            (count(&after, Severity::Error) < errors).then_some((set, texts, after))
        });
        let Some((set, texts, after)) = better else { break };
        done.corrections.extend(set.into_iter().map(|correction| {
            let line = line_of(&done.after, &correction.place);
            (correction, line)
        }));
        done.after = texts;
        findings = after;
    }
    done
}

/// What is certain, in the order of the files; of two that touch, neither.
fn corrections(findings: &[Findings]) -> Vec<Correction> {
    let mut all: Vec<Correction> = findings
        .iter()
        .flat_map(|findings| &findings.found)
        .filter(|finding| certain(finding))
        .filter_map(|finding| {
            let text = finding.suggestion.clone()?;
            Some(Correction { code: finding.code.clone(), place: finding.place.clone(), text })
        })
        .collect();
    all.sort_by(|a, b| (&a.place, &a.text).cmp(&(&b.place, &b.text)));
    all.dedup_by(|a, b| a.place == b.place && a.text == b.text);
    let touch = |a: &Place, b: &Place| {
        a.file == b.file && a.start < b.end.max(b.start + 1) && b.start < a.end.max(a.start + 1)
    };
    let alone = |one: &Correction| !all.iter().any(|other| other != one && touch(&one.place, &other.place));
    all.iter().filter(|one| alone(one)).cloned().collect()
}

fn applied(texts: &BTreeMap<String, String>, set: &[Correction]) -> BTreeMap<String, String> {
    let mut texts = texts.clone();
    // From the end, so that the places before stay where they are.
    for Correction { place, text, .. } in set.iter().rev() {
        let Some(file) = texts.get_mut(&place.file) else { continue };
        if file.get(place.start..place.end).is_some() {
            file.replace_range(place.start..place.end, text);
        }
    }
    texts
}

fn patched(files: &CatalogueFiles, texts: &BTreeMap<String, String>) -> CatalogueFiles {
    let mut files = files.clone();
    for file in &mut files.files {
        if let Some(text) = texts.get(&file.path) {
            file.text.clone_from(text);
        }
    }
    files
}

/// The line that a place begins in.
fn line_of(texts: &BTreeMap<String, String>, place: &Place) -> String {
    let text = texts.get(&place.file).map(String::as_str).unwrap_or_default();
    text.lines().nth(place.line.saturating_sub(1)).unwrap_or_default().to_owned()
}

/// The line with what stands at the place replaced. A place of several lines is shown from its first.
fn replaced(line: &str, place: &Place, text: &str) -> String {
    let start = line.char_indices().nth(place.column.saturating_sub(1)).map_or(line.len(), |(at, _)| at);
    let end = (start + (place.end - place.start)).min(line.len());
    let (before, after) = (line.get(..start).unwrap_or_default(), line.get(end..).unwrap_or_default());
    format!("{before}{text}{after}")
}

/// Puts each changed file in the place of the old one in one step, unless somebody has changed it meanwhile.
fn write(root: &Path, done: &Done, language: Language) -> Result<(), Failure> {
    for (file, text) in &done.after {
        let Some(before) = done.before.get(file).filter(|before| *before != text) else { continue };
        let path = root.join(file);
        let failed = |error: std::io::Error| unreadable(&path, &error, language);
        if std::fs::read_to_string(&path).map_err(failed)? != *before {
            let path = path.display();
            return Err(Failure::found(match language {
                Language::Fr => format!("{path} a changé entre-temps : rien n’y a été écrit"),
                Language::En => format!("{path} has changed meanwhile: nothing was written to it"),
            }));
        }
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let fresh = path.with_file_name(format!(".{name}.{}.guichet", std::process::id()));
        let put = || {
            let mut out = std::fs::File::create_new(&fresh)?;
            out.write_all(text.as_bytes())?;
            out.set_permissions(std::fs::metadata(&path)?.permissions())?;
            out.sync_all()?;
            std::fs::rename(&fresh, &path)
        };
        if let Err(error) = put() {
            // What is half written must not stay; that it cannot be taken away changes nothing.
            let _ = std::fs::remove_file(&fresh);
            return Err(failed(error));
        }
    }
    Ok(())
}
