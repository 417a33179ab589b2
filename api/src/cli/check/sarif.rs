//! Findings in the Static Analysis Results Interchange Format, which code hosts and editors read (SARIF 2.1.0, OASIS
//! Standard).

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;

use guichet_engine::rules::language::codes::{self, Page};
use guichet_engine::rules::language::diagnostic::{Diagnostic, Place};
use guichet_engine::rules::language::{Severity, Sources};
use guichet_engine::rules::text::Language;
use serde_json::{Value, json};

use super::super::context::Context;
use super::super::failure::Failure;
use super::examine::Findings;

/// Writes one run of the tool.
pub(super) fn write(context: &mut Context, all: &[Findings]) -> Result<(), Failure> {
    let log = log(all, context.language);
    writeln!(context.out, "{log:#}")?;
    Ok(())
}

fn log(all: &[Findings], language: Language) -> Value {
    let used: BTreeSet<&str> =
        all.iter().flat_map(|findings| &findings.found).map(|finding| finding.code.as_str()).collect();
    let pages: Vec<&Page> = used.iter().filter_map(|code| codes::page(code)).collect();
    let results: Vec<Value> = all
        .iter()
        .flat_map(|findings| {
            let pages = &pages;
            findings.found.iter().map(move |finding| result(finding, findings, pages, language))
        })
        .collect();
    json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "guichet",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": pages.iter().map(|page| rule(page, language)).collect::<Vec<_>>(),
            }},
            "language": match language { Language::Fr => "fr", Language::En => "en" },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

fn rule(page: &Page, language: Language) -> Value {
    let say = |(fr, en): (&'static str, &'static str)| match language {
        Language::Fr => fr,
        Language::En => en,
    };
    json!({
        "id": page.code,
        "shortDescription": { "text": say(page.title) },
        "fullDescription": { "text": say(page.cause) },
        "help": { "text": page.in_words(language) },
        "defaultConfiguration": { "level": level(page.severity) },
    })
}

fn result(finding: &Diagnostic, findings: &Findings, pages: &[&Page], language: Language) -> Value {
    let message = match &finding.help {
        Some(help) => format!("{}\n{}", finding.message.get(language), help.get(language)),
        None => finding.message.get(language).to_owned(),
    };
    let physical = |place: &Place| {
        json!({
            "artifactLocation": { "uri": uri(&findings.root, &place.file) },
            "region": region(place, &findings.sources),
        })
    };
    let related: Vec<Value> = finding
        .labels
        .iter()
        .enumerate()
        .map(|(id, label)| {
            json!({
                "id": id,
                "physicalLocation": physical(&label.place),
                "message": { "text": label.message.get(language) },
            })
        })
        .collect();
    let mut result = json!({
        "ruleId": finding.code,
        "level": level(finding.severity),
        "message": { "text": message },
        "locations": [{ "physicalLocation": physical(&finding.place) }],
        "relatedLocations": related,
    });
    let index = pages.iter().position(|page| page.code == finding.code);
    if let (Some(map), Some(index)) = (result.as_object_mut(), index) {
        map.insert("ruleIndex".into(), index.into());
        if let Some(text) = &finding.suggestion {
            map.insert("fixes".into(), json!([fix(finding, findings, text, language)]));
        }
    }
    result
}

fn fix(finding: &Diagnostic, findings: &Findings, text: &str, language: Language) -> Value {
    let description = match language {
        Language::Fr => format!("Écrire `{text}`"),
        Language::En => format!("Write `{text}`"),
    };
    json!({
        "description": { "text": description },
        "artifactChanges": [{
            "artifactLocation": { "uri": uri(&findings.root, &finding.place.file) },
            "replacements": [{
                "deletedRegion": region(&finding.place, &findings.sources),
                "insertedContent": { "text": text },
            }],
        }],
    })
}

/// Lines and columns from 1, columns in characters; the end is the column after the last one.
fn region(place: &Place, sources: &Sources) -> Value {
    let file = sources.ids().find(|id| sources.path(*id) == place.file);
    let (line, column) =
        file.map_or((place.line, place.column), |file| sources.position(file, place.end.max(place.start)));
    json!({
        "startLine": place.line,
        "startColumn": place.column,
        "endLine": line.max(place.line),
        "endColumn": column,
        "byteOffset": place.start,
        "byteLength": place.end.saturating_sub(place.start),
    })
}

/// The file as a reference relative to where the command was given, or as a `file:` URI where the folder was named from
/// the root (RFC 3986, section 3.3: what a path may not hold is written in percent).
fn uri(root: &Path, file: &str) -> String {
    let mut path = String::new();
    let absolute = root.is_absolute();
    let whole = root.join(file);
    let parts = whole.components().filter_map(|part| match part {
        std::path::Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
        std::path::Component::ParentDir => Some("..".to_owned()),
        std::path::Component::CurDir | std::path::Component::RootDir | std::path::Component::Prefix(_) => {
            None
        }
    });
    for part in parts {
        if absolute || !path.is_empty() {
            path.push('/');
        }
        for byte in part.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => path.push(byte.into()),
                _ => path.push_str(&format!("%{byte:02X}")),
            }
        }
    }
    if absolute { format!("file://{path}") } else { path }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_written_as_a_reference() {
        assert_eq!(uri(Path::new("processes/châlons"), "a b/c.yaml"), "processes/ch%C3%A2lons/a%20b/c.yaml");
        assert_eq!(uri(Path::new("."), "a.yaml"), "a.yaml");
        assert_eq!(uri(Path::new("/tmp/x"), "a.yaml"), "file:///tmp/x/a.yaml");
    }
}
