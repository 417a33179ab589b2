//! What the checker has to say: one value for people, machines and editors alike.

use std::collections::BTreeSet;

use annotate_snippets::{AnnotationKind, Group, Level, Patch, Renderer, Snippet};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::codes;
use super::source::{Mark, Sources};
use crate::text::{Language, Text};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The catalogue cannot be used.
    Error,
    /// It can be used, but probably does not say what was meant.
    Warning,
}

/// A stretch of a file as editors want it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Place {
    /// Path relative to the catalogue's folder.
    pub file: String,
    /// First byte.
    pub start: usize,
    /// The byte after the last one.
    pub end: usize,
    /// Line of the first byte, from 1.
    pub line: usize,
    /// Column of the first byte in characters, from 1.
    pub column: usize,
}

/// A second place that helps to understand the first, perhaps in another file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Label {
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// What is there.
    pub message: Text,
}

/// One finding, with everything a person or an editor needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Diagnostic {
    /// Stable name of the kind of finding, for example `role.unknown`.
    pub code: String,
    /// Error or warning.
    pub severity: Severity,
    /// The sentence.
    pub message: Text,
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// Other places.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<Label>,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<Text>,
    /// What to write instead of the marked text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
    /// Whether nothing else can have been meant, so that a program may write the suggestion into the file.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub certain: bool,
}

/// What to write instead, and how sure that is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// The text.
    pub text: String,
    /// Whether nothing else can have been meant.
    pub certain: bool,
}

impl Suggestion {
    /// The only thing that can have been meant.
    pub fn certain(text: impl Into<String>) -> Self {
        Self { text: text.into(), certain: true }
    }

    /// The same with another text.
    #[must_use]
    pub fn map(self, change: impl FnOnce(String) -> String) -> Self {
        Self { text: change(self.text), certain: self.certain }
    }
}

/// A plain text is a proposal, no more.
impl<T: Into<String>> From<T> for Suggestion {
    fn from(text: T) -> Self {
        Self { text: text.into(), certain: false }
    }
}

/// A finding while it is being made: places are still byte marks.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// Stable name of the kind of finding.
    pub code: &'static str,
    /// Error or warning.
    pub severity: Severity,
    /// Where.
    pub mark: Mark,
    /// The sentence.
    pub message: Text,
    /// Other places.
    pub labels: Vec<(Mark, Text)>,
    /// What to do about it.
    pub help: Option<Text>,
    /// What to write instead.
    pub suggestion: Option<Suggestion>,
}

impl Fault {
    /// An error at `mark`.
    pub fn error(code: &'static str, mark: Mark, fr: impl Into<String>, en: impl Into<String>) -> Self {
        debug_assert!(codes::page(code).is_some(), "{code} has no page in codes/");
        Self {
            code,
            severity: Severity::Error,
            mark,
            message: Text::new(fr, en),
            labels: Vec::new(),
            help: None,
            suggestion: None,
        }
    }

    /// A warning at `mark`.
    pub fn warning(code: &'static str, mark: Mark, fr: impl Into<String>, en: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, mark, fr, en) }
    }

    /// Adds a second place.
    #[must_use]
    pub fn label(mut self, mark: Mark, fr: impl Into<String>, en: impl Into<String>) -> Self {
        self.labels.push((mark, Text::new(fr, en)));
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, fr: impl Into<String>, en: impl Into<String>) -> Self {
        self.help = Some(Text::new(fr, en));
        self
    }

    /// Proposes what to write instead of the marked text.
    #[must_use]
    pub fn suggest(mut self, replacement: Option<impl Into<Suggestion>>) -> Self {
        self.suggestion = replacement.map(Into::into);
        self
    }

    /// The finding with lines and columns.
    #[must_use]
    pub fn locate(self, sources: &Sources) -> Diagnostic {
        let place = |mark: Mark| {
            let (line, column) = sources.position(mark.file, mark.start);
            Place { file: sources.path(mark.file).to_owned(), start: mark.start, end: mark.end, line, column }
        };
        Diagnostic {
            code: self.code.to_owned(),
            severity: self.severity,
            message: self.message,
            place: place(self.mark),
            labels: self.labels.into_iter().map(|(m, message)| Label { place: place(m), message }).collect(),
            help: self.help,
            certain: self.suggestion.as_ref().is_some_and(|suggestion| suggestion.certain),
            suggestion: self.suggestion.map(|suggestion| suggestion.text),
        }
    }
}

/// Puts findings in the order of files and lines; the same finding about the same place stands once,
/// however many sheets inherit the place.
#[must_use]
pub fn locate_all(faults: Vec<Fault>, sources: &Sources) -> Vec<Diagnostic> {
    let mut seen = BTreeSet::new();
    let mut all: Vec<Diagnostic> = faults
        .into_iter()
        .filter(|f| seen.insert((f.mark, f.code, f.message.clone())))
        .map(|f| f.locate(sources))
        .collect();
    all.sort_by(|a, b| (&a.place, &a.code).cmp(&(&b.place, &b.code)));
    all
}

/// How findings are drawn for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// No escape sequences, for files and pipes.
    Plain,
    /// With colours, for terminals.
    Coloured,
}

/// One finding for people: `error[code]: sentence`, the line of the file with a caret under the place, the other
/// places, what to do, and the corrected line where one can be proposed.
#[must_use]
pub fn render(diagnostic: &Diagnostic, sources: &Sources, language: Language, style: Style) -> String {
    let (level, help_word) = match (diagnostic.severity, language) {
        (Severity::Error, Language::Fr) => (Level::ERROR.with_name("erreur"), "aide"),
        (Severity::Warning, Language::Fr) => (Level::WARNING.with_name("attention"), "aide"),
        (Severity::Error, Language::En) => (Level::ERROR, "help"),
        (Severity::Warning, Language::En) => (Level::WARNING, "help"),
    };
    let title = level.primary_title(diagnostic.message.get(language)).id(diagnostic.code.as_str());
    let mut main = Group::with_title(title);
    for snippet in snippets(diagnostic, sources, language) {
        main = main.element(snippet);
    }
    let mut groups = Vec::with_capacity(2);
    match (&diagnostic.help, &diagnostic.suggestion) {
        (Some(help), None) => {
            main = main.element(Level::HELP.with_name(help_word).message(help.get(language)));
            groups.push(main);
        }
        (help, Some(replacement)) => {
            let proposal = match language {
                Language::Fr => format!("vouliez-vous dire `{replacement}` ?"),
                Language::En => format!("did you mean `{replacement}`?"),
            };
            if let Some(help) = help {
                main = main.element(Level::HELP.with_name(help_word).message(help.get(language)));
            }
            groups.push(main);
            let title = Level::HELP.with_name(help_word).secondary_title(proposal);
            groups.push(Group::with_title(title).elements(patch(diagnostic, sources, replacement)));
        }
        (None, None) => groups.push(main),
    }
    let renderer = match style {
        Style::Plain => Renderer::plain(),
        Style::Coloured => Renderer::styled(),
    };
    renderer.render(&groups)
}

fn source_of<'a>(file: &str, sources: &'a Sources) -> Option<&'a str> {
    sources.ids().find(|id| sources.path(*id) == file).map(|id| sources.text(id))
}

/// The lines of a text that places stand in. The renderer looks at all it is given: a whole file would cost as much again
/// for each finding.
struct Window<'a> {
    text: &'a str,
    start: usize,
    line: usize,
}

impl<'a> Window<'a> {
    fn around<'p>(places: impl Iterator<Item = &'p Place>, text: &'a str) -> Self {
        let spans: Vec<_> = places.map(|place| drawable(place, text)).collect();
        let first = spans.iter().map(|span| span.start).min().unwrap_or_default();
        let last = spans.iter().map(|span| span.end).max().unwrap_or_default();
        let before = text.get(..first).unwrap_or_default();
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let after = text.get(last..).unwrap_or_default();
        let mut end = after.find('\n').map_or(text.len(), |at| last + at + 1).min(last + 400);
        // Of a very long line no more is shown anyway.
        while !text.is_char_boundary(end) {
            end += 1;
        }
        let line = before.matches('\n').count() + 1;
        Self { text: text.get(start..end).unwrap_or_default(), start, line }
    }

    fn span(&self, place: &Place) -> std::ops::Range<usize> {
        let place = Place {
            start: place.start.saturating_sub(self.start),
            end: place.end.saturating_sub(self.start),
            ..place.clone()
        };
        drawable(&place, self.text)
    }
}

/// A span that the renderer can draw: within the text and at character boundaries.
fn drawable(place: &Place, text: &str) -> std::ops::Range<usize> {
    let mut start = place.start.min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let mut end = place.end.clamp(start, text.len());
    while !text.is_char_boundary(end) {
        end += 1;
    }
    start..end
}

fn snippets<'a>(
    diagnostic: &'a Diagnostic,
    sources: &'a Sources,
    language: Language,
) -> Vec<Snippet<'a, annotate_snippets::Annotation<'a>>> {
    let mut files = vec![diagnostic.place.file.as_str()];
    for label in &diagnostic.labels {
        if !files.contains(&label.place.file.as_str()) {
            files.push(&label.place.file);
        }
    }
    let mut out = Vec::new();
    for file in files {
        let Some(text) = source_of(file, sources) else { continue };
        let here = (file == diagnostic.place.file).then_some(&diagnostic.place);
        let labels = || diagnostic.labels.iter().filter(|label| label.place.file == file);
        let window = Window::around(here.into_iter().chain(labels().map(|label| &label.place)), text);
        let mut snippet = Snippet::source(window.text).path(file).line_start(window.line);
        if let Some(place) = here {
            snippet = snippet.annotation(AnnotationKind::Primary.span(window.span(place)));
        }
        for label in labels() {
            let span = window.span(&label.place);
            snippet =
                snippet.annotation(AnnotationKind::Context.span(span).label(label.message.get(language)));
        }
        out.push(snippet);
    }
    out
}

fn patch<'a>(
    diagnostic: &Diagnostic,
    sources: &'a Sources,
    replacement: &str,
) -> Option<Snippet<'a, Patch<'a>>> {
    let text = source_of(&diagnostic.place.file, sources)?;
    let window = Window::around(std::iter::once(&diagnostic.place), text);
    let patch = Patch::new(window.span(&diagnostic.place), replacement.to_owned());
    Some(Snippet::source(window.text).line_start(window.line).patch(patch))
}

/// The known name nearest to `wrong`, if one is near enough to be meant: at most a third of its letters differ, and
/// two neighbours exchanged count as one difference.
#[must_use]
pub fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let folded = fold(wrong);
    let limit = (folded.chars().count() / 3).max(1);
    known
        .into_iter()
        .filter(|name| !name.is_empty())
        .map(|name| (distance(&folded, &fold(name)), name))
        .filter(|(d, _)| *d <= limit)
        .min_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.cmp(b.1)))
        .map(|(_, name)| name.to_owned())
}

/// The known name nearest to `wrong`, and whether it alone can have been meant: the two differ in letter case or accents
/// only, or by a slip or two of the hand where every other name is further away by two at least.
#[must_use]
pub fn near<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<Suggestion> {
    let known: BTreeSet<&str> = known.into_iter().collect();
    let name = nearest(wrong, known.iter().copied())?;
    let folded = fold(wrong);
    let away = distance(&folded, &fold(&name));
    let others = known.iter().filter(|other| **other != name);
    let second = others.map(|other| distance(&folded, &fold(other))).min().unwrap_or(usize::MAX);
    let long = wrong.chars().count().min(name.chars().count()) >= 4;
    let certain = if away == 0 { second > 0 } else { long && away <= 2 && second >= away + 2 };
    Some(Suggestion { text: name, certain })
}

/// Letters without case, accents, and the hyphens and underscores that people mix up.
fn fold(text: &str) -> String {
    text.chars()
        .flat_map(char::to_lowercase)
        .map(|c| match c {
            'à' | 'â' | 'ä' => 'a',
            'é' | 'è' | 'ê' | 'ë' => 'e',
            'î' | 'ï' => 'i',
            'ô' | 'ö' => 'o',
            'ù' | 'û' | 'ü' => 'u',
            'ç' => 'c',
            '_' | ' ' => '-',
            other => other,
        })
        .collect()
}

/// Edit distance with exchange of neighbours (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(64).collect(), b.chars().take(64).collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut previous_a = None;
    for (i, ca) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        let mut previous_b = None;
        for (j, cb) in b.iter().enumerate() {
            let at = |line: &[usize], k: usize| line.get(k).copied().unwrap_or(usize::MAX / 2);
            let mut best =
                (at(&last, j + 1) + 1).min(at(&row, j) + 1).min(at(&last, j) + usize::from(ca != cb));
            if previous_a == Some(cb) && previous_b == Some(ca) && j > 0 {
                best = best.min(at(&before, j - 1) + 1);
            }
            row.push(best);
            previous_b = Some(cb);
        }
        previous_a = Some(ca);
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::source::SourceFile;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let known = ["voirie", "espaces-verts", "eclairage", "astreinte"];
        assert_eq!(nearest("viorie", known).as_deref(), Some("voirie"));
        assert_eq!(nearest("éclairage", known).as_deref(), Some("eclairage"));
        assert_eq!(nearest("espaces_vert", known).as_deref(), Some("espaces-verts"));
        assert_eq!(nearest("piscine", known), None);
        assert_eq!(nearest("", known), None);
    }

    #[test]
    fn a_name_is_certain_only_where_no_other_is_near() {
        let known = ["voirie", "voirie2", "espaces-verts", "elu", "dga", "dgs"];
        let sure = |wrong: &str| near(wrong, known).map(|s| (s.text, s.certain));
        assert_eq!(sure("Espaces_Verts"), Some(("espaces-verts".into(), true)));
        assert_eq!(sure("espace-verts"), Some(("espaces-verts".into(), true)));
        assert_eq!(sure("voiri"), Some(("voirie".into(), false)), "the other is as good as near");
        assert_eq!(sure("voirie1"), Some(("voirie".into(), false)), "two are near");
        assert_eq!(sure("dgx"), Some(("dga".into(), false)));
        assert_eq!(sure("DGS"), Some(("dgs".into(), true)), "no other differs in letter case alone");
        assert_eq!(sure("elux"), Some(("elu".into(), false)), "a short name is soon like another");
        assert_eq!(sure("ÉLU"), Some(("elu".into(), true)));
    }

    #[test]
    fn a_finding_is_drawn_with_its_other_places_and_the_corrected_line() {
        let mut sources = Sources::default();
        let model = sources.add(SourceFile { path: "models/m.yaml".into(), text: "model: m\n".into() });
        let text = "# Éclairage\nby: role:patrouileur\n";
        let file = sources.add(SourceFile { path: "a/b.yaml".into(), text: text.into() });
        let start = text.find("patrouileur").unwrap();
        let fault = Fault::error(
            "role.unknown",
            Mark { file, start, end: start + 11 },
            "rôle inconnu",
            "unknown role",
        )
        .label(Mark { file: model, start: 7, end: 8 }, "hérité d’ici", "inherited from here")
        .suggest(Some("patrouilleur"));
        let drawn = render(&fault.locate(&sources), &sources, Language::Fr, Style::Plain);
        insta::assert_snapshot!(drawn, @r"
        erreur[role.unknown]: rôle inconnu
         --> a/b.yaml:2:10
          |
        2 | by: role:patrouileur
          |          ^^^^^^^^^^^
          |
         ::: models/m.yaml:1:8
          |
        1 | model: m
          |        - hérité d’ici
          |
        aide: vouliez-vous dire `patrouilleur` ?
          |
        2 | by: role:patrouilleur
          |                  +
        ");
    }
}
