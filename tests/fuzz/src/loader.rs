//! Catalogues: refused with a reason that can be shown, or accepted and fit to run.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use guichet_rules::language::diagnostic::{Diagnostic, Place, Style, render};
use guichet_rules::language::{Catalogue, Index, Loaded, Severity, SourceFile};
use guichet_rules::organisation::Organisation;
use guichet_rules::process::{Definition, Plan};
use guichet_rules::request::scenario;
use guichet_rules::text::Language;
use serde_json::Value;

/// The most findings of one input that are drawn; the text of the rest comes from the same places.
const MOST_DRAWN: usize = 10;

/// The town of the rules' own tests, by path.
static TOWN: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../engine/rules/tests/sheets/town");
    let mut files = BTreeMap::new();
    read(&root, &root, &mut files);
    assert!(files.len() >= 8, "the town is missing");
    files
});

fn read(at: &Path, root: &Path, files: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(at).expect("the town's folder") {
        let path = entry.expect("the town's folder").path();
        if path.is_dir() {
            read(&path, root, files);
        } else {
            let name = path.strip_prefix(root).expect("below it").to_string_lossy().into_owned();
            files.insert(name, std::fs::read_to_string(&path).expect("a text"));
        }
    }
}

fn load(files: &BTreeMap<String, String>) -> Loaded {
    let file = |(path, text): (&String, &String)| SourceFile { path: path.clone(), text: text.clone() };
    Catalogue::load(files.iter().map(file).collect())
}

/// Loads the town with `changed` in it, and looks at what comes of it.
pub(crate) fn try_out(changed: &[(&str, &str)]) {
    let mut files = TOWN.clone();
    files.extend(changed.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())));
    let loaded = crate::in_time(|| load(&files));
    let refused = loaded.diagnostics.iter().any(|finding| finding.severity == Severity::Error);
    assert_eq!(loaded.catalogue.is_none(), refused, "refused without a reason, or accepted with an error");
    for finding in &loaded.diagnostics {
        within(finding, &files);
    }
    for finding in loaded.diagnostics.iter().take(MOST_DRAWN) {
        let drawn = render(finding, &loaded.sources, Language::Fr, Style::Plain);
        assert!(drawn.contains(&finding.code), "{} is not in {drawn}", finding.code);
    }
    if let Some(catalogue) = &loaded.catalogue {
        runs(catalogue);
    }
    edited(changed);
}

/// A finding stands where its file has text, or right behind its end.
fn within(finding: &Diagnostic, files: &BTreeMap<String, String>) {
    let stands = |place: &Place| {
        let Some(text) = files.get(&place.file) else { return false };
        place.line >= 1
            && place.column >= 1
            && place.start <= place.end
            && text.is_char_boundary(place.start)
            && place.end <= text.len() + 1
    };
    let all = std::iter::once(&finding.place).chain(finding.labels.iter().map(|label| &label.place));
    for place in all {
        assert!(stands(place), "{}: {place:?} is outside its file", finding.code);
    }
    if finding.suggestion.is_some() {
        let place = &finding.place;
        let marked = files.get(&place.file).and_then(|text| text.get(place.start..place.end));
        assert!(marked.is_some(), "{}: what is to be replaced at {place:?} is no text", finding.code);
    }
}

/// What was accepted compiles, keeps its hash through its normal form, names what there is, and lives its scenarios.
fn runs(catalogue: &Catalogue) {
    let mut plans = Vec::new();
    for definition in &catalogue.definitions {
        let hash = definition.hash().expect("an accepted definition has a hash");
        let normal = serde_json::to_value(definition).expect("an accepted definition is JSON");
        let again: Definition = serde_json::from_value(normal.clone()).expect("a normal form is read");
        assert_eq!(&again, definition, "another definition comes back from its normal form");
        assert_eq!(again.hash().expect("a hash"), hash);
        names(&normal, &catalogue.organisation);
        for rule in &definition.assignment {
            let service = catalogue.organisation.service(&rule.is);
            let known = service.is_some_and(|service| definition.tenants.contains(&service.tenant));
            assert!(known, "{}: assigned to {}", definition.process, rule.is);
        }
        let plan = Plan::compile(Arc::new(definition.clone()));
        plans.push(Arc::new(plan.expect("an accepted definition compiles")));
    }
    for file in &catalogue.scenarios {
        for outcome in scenario::run(file, &plans, &catalogue.organisation) {
            let problems = outcome.steps.iter().flat_map(|step| &step.problems);
            let failed = problems.map(|problem| &problem.actual).find(|said| said.contains("rule.failed"));
            assert_eq!(failed, None, "an accepted rule fails");
        }
    }
}

/// Every party of an accepted definition is somebody.
fn names(value: &Value, organisation: &Organisation) {
    match value {
        Value::String(text) => {
            let known = match text.split_once(':') {
                Some(("role", role)) => organisation.roles.iter().any(|r| r.role == role),
                Some(("service", service)) => organisation.service(service).is_some(),
                Some(("person", person)) => organisation.person(person).is_some(),
                _ => true,
            };
            assert!(known, "{text} stands for nobody");
        }
        Value::Array(items) => items.iter().for_each(|item| names(item, organisation)),
        // Texts that people read, and words that they search for or choose, may say anything.
        Value::Object(map) => map
            .iter()
            .filter(|(key, _)| !matches!(key.as_str(), "fr" | "en" | "keywords" | "value"))
            .for_each(|(_, item)| names(item, organisation)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

thread_local! {
    /// The town's index, which an editor asks at every key.
    static INDEX: RefCell<Index> = RefCell::new({
        let mut index = Index::new();
        for (path, text) in TOWN.iter() {
            index.put(path, text);
        }
        index
    });
}

/// An editor that has the first file open finds its way in it, wherever the pointer stands.
fn edited(changed: &[(&str, &str)]) {
    let Some((path, text)) = changed.first() else { return };
    INDEX.with_borrow_mut(|index| {
        index.put(path, text);
        let _ = index.symbols(path, Language::En);
        // One place, which differs from text to text.
        let byte =
            text.bytes().fold(0, |sum: usize, byte| sum * 31 % 65_521 + usize::from(byte)) % (text.len() + 1);
        let _ = index.suggestions(path, byte, Language::Fr);
        let _ = index.about(path, byte, Language::En);
        let _ = index.definitions(path, byte);
        let _ = index.references(path, byte, true);
        match TOWN.get(*path) {
            Some(before) => index.put(path, before),
            None => index.remove(path),
        };
    });
}
