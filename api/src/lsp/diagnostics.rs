//! Findings as editors show them.

use std::collections::BTreeMap;

use gen_lsp_types::{
    Code, Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity, DiagnosticTag, Location, Message,
    Range,
};
use guichet_engine::rules::language::diagnostic::{Diagnostic as Finding, Place, Severity};
use serde_json::json;

use super::catalogue::Catalogue;
use super::documents::Documents;
use super::position::Lines;
use super::settings::Settings;

/// The most findings that are shown of one file. Who has more does not read them one by one.
const SHOWN_MAX: usize = 500;

/// What the editor is to be told of each file, those included of which nothing is to be said any more.
pub(super) fn of_files(
    findings: &[Finding],
    catalogue: &Catalogue,
    documents: &Documents,
    settings: &Settings,
) -> BTreeMap<String, Vec<Diagnostic>> {
    let told = catalogue.told.keys().map(|path| (path.clone(), Vec::new()));
    // A file that is open is told of even where nothing is wrong: the editor then knows that it was looked at.
    let open = catalogue.index.paths().filter(|path| catalogue.version(path, documents).is_some());
    let mut files: BTreeMap<String, Vec<Diagnostic>> =
        told.chain(open.map(|path| (path.to_owned(), Vec::new()))).collect();
    for finding in findings {
        let of_file = files.entry(finding.place.file.clone()).or_default();
        if of_file.len() < SHOWN_MAX {
            of_file.push(shown(finding, catalogue, documents, settings));
        }
    }
    files
}

fn shown(finding: &Finding, catalogue: &Catalogue, documents: &Documents, settings: &Settings) -> Diagnostic {
    let related = finding.labels.iter().filter_map(|label| {
        let uri = catalogue.uri(&label.place.file, documents)?;
        let location = Location { uri, range: range(&label.place, catalogue, settings) };
        Some(DiagnosticRelatedInformation {
            location,
            message: label.message.get(settings.language).to_owned(),
        })
    });
    let related: Vec<_> = if settings.related { related.collect() } else { Vec::new() };
    let unnecessary = settings.tags && finding.code == UNUSED;
    Diagnostic {
        range: range(&finding.place, catalogue, settings),
        severity: Some(match finding.severity {
            Severity::Error => DiagnosticSeverity::Error,
            Severity::Warning => DiagnosticSeverity::Warning,
        }),
        code: Some(Code::String(finding.code.clone())),
        code_description: None,
        source: Some("guichet".to_owned()),
        message: Message::String(words(finding, settings)),
        tags: unnecessary.then(|| vec![DiagnosticTag::Unnecessary]),
        related_information: (!related.is_empty()).then_some(related),
        data: finding.suggestion.as_ref().map(|suggestion| json!({ "suggestion": suggestion })),
    }
}

/// The code of a shared part that nothing refers to: editors draw it pale.
const UNUSED: &str = "catalogue.unused";

/// The sentence, what to do, and what was probably meant. An editor shows nothing but this.
fn words(finding: &Finding, settings: &Settings) -> String {
    let mut words = finding.message.get(settings.language).to_owned();
    if let Some(help) = &finding.help {
        words.push('\n');
        words.push_str(help.get(settings.language));
    }
    if let Some(meant) = &finding.suggestion {
        words.push('\n');
        words.push_str(
            &settings.say(format!("vouliez-vous dire `{meant}` ?"), format!("did you mean `{meant}`?")),
        );
    }
    words
}

fn range(place: &Place, catalogue: &Catalogue, settings: &Settings) -> Range {
    let text = catalogue.index.text(&place.file).unwrap_or_default();
    Lines::new(text, settings.encoding).range(place.start..place.end)
}
