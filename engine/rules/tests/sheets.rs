//! Catalogues, good and bad: what the checker says about each, to the letter.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "tests"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use guichet_rules::language::codes;
use guichet_rules::language::diagnostic::{Style, render};
use guichet_rules::language::{Catalogue, Loaded, Severity, SourceFile};
use guichet_rules::process::{Bindings, Plan};
use guichet_rules::text::Language;
use proptest::prelude::*;
use serde_json::json;

#[path = "sheets/mutations.rs"]
mod mutations;
#[path = "sheets/codes.rs"]
mod pages;

/// The files of a catalogue: texts by their paths.
type Files = BTreeMap<String, String>;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sheets").join(name)
}

fn walk(at: &Path, root: &Path, files: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(at).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, root, files);
        } else {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
            files.insert(name, std::fs::read_to_string(&path).unwrap());
        }
    }
}

fn chalons() -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../processes/chalons");
    walk(&root, &root, &mut files);
    files
}

fn good() -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    walk(&folder("good"), &folder("good"), &mut files);
    files
}

fn load(files: BTreeMap<String, String>) -> Loaded {
    Catalogue::load(files.into_iter().map(|(path, text)| SourceFile { path, text }).collect())
}

fn drawn(loaded: &Loaded) -> String {
    let french = loaded.diagnostics.iter().map(|d| render(d, &loaded.sources, Language::Fr, Style::Plain));
    let english = loaded.diagnostics.iter().map(|d| format!("{}: {}", d.code, d.message.en));
    format!(
        "{}\n\n== in English\n{}",
        french.collect::<Vec<_>>().join("\n\n"),
        english.collect::<Vec<_>>().join("\n")
    )
}

#[test]
fn the_good_catalogue_has_no_finding_and_its_plans_compile() {
    let loaded = load(good());
    assert!(loaded.diagnostics.is_empty(), "{}", drawn(&loaded));
    let catalogue = loaded.catalogue.unwrap();
    assert_eq!(catalogue.definitions.len(), 2);
    let pothole = catalogue.definition("voirie/chaussee-abimee").unwrap();
    let fields: Vec<&str> = pothole.form.iter().map(|f| f.field.as_str()).collect();
    assert_eq!(fields, ["place", "danger", "cause", "details"], "inherited fields first, then its own");
    let pavement = catalogue.definition("voirie/trottoir-abime").unwrap();
    let fields: Vec<&str> = pavement.form.iter().map(|f| f.field.as_str()).collect();
    assert_eq!(fields, ["place"], "a removed field is gone");
    assert_eq!(catalogue.scenarios[0].scenarios[0].steps.len(), 7);
    let places = &catalogue.places["voirie/chaussee-abimee"];
    let rule = &places["/assignment/0/when"];
    assert_eq!((rule.file.as_str(), rule.line), ("voirie/chaussee-abimee.yaml", 10));
    assert_eq!(places["/commitments/0/within/0/when"].file, "models/signalement.yaml");
    for definition in catalogue.definitions {
        Plan::compile(Arc::new(definition)).unwrap();
    }
}

#[test]
fn a_plan_takes_the_first_rule_that_holds() {
    let catalogue = load(good()).catalogue.unwrap();
    let plan =
        Plan::compile(Arc::new(catalogue.definition("voirie/chaussee-abimee").unwrap().clone())).unwrap();
    let object = |value: serde_json::Value| value.as_object().unwrap().clone();
    let mut facts = Bindings { form: object(json!({ "danger": true })), ..Bindings::default() };
    let assigned = |facts: &Bindings| {
        let (index, service) = plan.first(&plan.definition().assignment, facts).unwrap();
        (index, service.clone())
    };
    assert_eq!(assigned(&facts), (1, "voirie".into()), "no channel is known yet");
    facts.request = object(json!({ "channel": "phone" }));
    assert_eq!(assigned(&facts), (0, "astreinte".into()));
    let rule = plan.definition().assignment[0].when.as_ref().unwrap();
    let operands = plan.expression(rule).unwrap().operands(&facts);
    assert_eq!(operands, [("form.danger".into(), json!(true)), ("request.channel".into(), json!("phone"))]);
    assert!(plan.holds("form.unheard_of", &facts).is_err(), "only the definition's own rules are evaluated");
}

/// Snapshots in a folder of their own, one file for each case.
fn snapshots(at: &str) -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(folder(at));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings
}

#[test]
fn every_bad_sheet_is_explained_to_the_letter() {
    let mut cases: Vec<PathBuf> =
        std::fs::read_dir(folder("bad")).unwrap().map(|e| e.unwrap().path()).collect();
    cases.retain(|path| path.extension().is_some_and(|e| e == "yaml"));
    cases.sort();
    assert!(cases.len() > 20);
    let settings = snapshots("said");
    for case in cases {
        let mut files = good();
        let name = case.file_stem().unwrap().to_str().unwrap().to_owned();
        // A case says which files it puts in the place of the good ones; `absent` takes one away.
        for part in std::fs::read_to_string(&case).unwrap().split("#! ").skip(1) {
            let (path, text) = part.split_once('\n').unwrap();
            match path.trim().strip_prefix("absent ") {
                Some(path) => drop(files.remove(path).unwrap()),
                None => drop(files.insert(path.trim().to_owned(), text.to_owned())),
            }
        }
        let loaded = load(files);
        assert!(!loaded.diagnostics.is_empty(), "{name} is not bad");
        let bad = loaded.diagnostics.iter().any(|d| d.severity == Severity::Error);
        assert_eq!(loaded.catalogue.is_none(), bad, "{name}");
        settings.bind(|| insta::assert_snapshot!(name, drawn(&loaded)));
    }
}

#[test]
fn the_catalogue_of_chalons_has_no_finding_and_a_process_in_each_theme() {
    let loaded = load(chalons());
    assert!(loaded.diagnostics.is_empty(), "{}", drawn(&loaded));
    let catalogue = loaded.catalogue.unwrap();
    assert!(catalogue.definitions.len() >= 24);
    for theme in &catalogue.organisation.themes {
        assert!(
            catalogue.definitions.iter().any(|d| d.theme == theme.theme),
            "nothing about {}",
            theme.theme
        );
    }
    for definition in catalogue.definitions {
        let name = definition.process.clone();
        assert!(catalogue.scenarios.iter().any(|s| s.process == name), "{name} has no scenario");
        Plan::compile(Arc::new(definition)).unwrap();
    }
}

/// The words in quotes that look like codes, in the files below a folder.
fn codes_in(at: &Path, codes: &mut std::collections::BTreeSet<String>) {
    for entry in std::fs::read_dir(at).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            // The grammar's examples look like codes, and the list itself is what the others are held against.
            if !path.ends_with("language/grammar") && !path.ends_with("language/codes") {
                codes_in(&path, codes);
            }
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        if !["Fault::", "Finding::", "unknown(", "Kind {", "const CODE"]
            .iter()
            .any(|word| text.contains(word))
        {
            continue;
        }
        // Tests and helps quote rules, which look like codes too.
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        let quoted = text.split('"').skip(1).step_by(2).chain(text.split('"').step_by(2));
        codes.extend(quoted.filter_map(|word| {
            let (kind, fault) = word.split_once('.')?;
            let plain =
                |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c == '_');
            let file = ["yaml", "geojson", "json"].contains(&fault);
            (plain(kind) && plain(fault) && !file).then(|| word.to_owned())
        }));
    }
}

#[test]
fn every_finding_has_a_page_and_every_page_a_finding() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut made = std::collections::BTreeSet::new();
    for folder in ["src/language", "../../api/src"] {
        let mut found = std::collections::BTreeSet::new();
        codes_in(&root.join(folder), &mut found);
        // Beside findings, the other folders quote names of other kinds: those of events, refusals, hosts.
        let of_kind = |code: &String| {
            codes::all().any(|page| page.code.split_once('.').unwrap().0 == code.split_once('.').unwrap().0)
        };
        found.retain(|code| folder == "src/language" || of_kind(code));
        made.extend(found);
    }
    let names = ["form.", "from.", "request.", "tasks."];
    made.retain(|code| !names.iter().any(|name| code.starts_with(name)));
    let listed: std::collections::BTreeSet<String> = codes::all().map(|page| page.code.to_owned()).collect();
    let without: Vec<&String> = made.difference(&listed).collect();
    assert!(without.is_empty(), "findings without a page: {without:?}");
    let never: Vec<&String> = listed.difference(&made).collect();
    assert!(never.is_empty(), "pages that nothing finds: {never:?}");
}

#[test]
fn the_guide_lists_every_finding() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let guide = std::fs::read_to_string(root.join("../../processes/manual.md")).unwrap();
    let (_, list) = guide.split_once("Codes are stable").unwrap();
    let (list, _) = list.split_once("\n## ").unwrap();
    for page in codes::all() {
        let sign = if page.severity == Severity::Warning { "†" } else { "" };
        let fix = if page.certain { "*" } else { "" };
        let word = format!("`{}`{sign}{fix} ", page.code);
        assert!(list.contains(&word), "the guide does not list {word}");
    }
    let gone: Vec<&str> =
        list.split('`').skip(1).step_by(2).filter(|c| c.contains('.') && codes::page(c).is_none()).collect();
    assert!(gone.is_empty(), "listed, and never found: {gone:?}");
}

#[test]
fn layout_and_order_of_keys_do_not_change_the_version() {
    let hash = |files: BTreeMap<String, String>| {
        let catalogue = load(files).catalogue.unwrap();
        catalogue.definition("voirie/trottoir-abime").unwrap().hash().unwrap()
    };
    let mut other = good();
    let sheet = "# autre mise en page\nassignment: [ { to: 'service:voirie' } ]\nkeywords:\n- trottoir\n\
        qualification: \"automatic\"\nremove: danger\nextends: models/signalement\n\
        title:\n  en: Damaged pavement\n  fr: 'Trottoir abîmé'\nprocess: voirie/trottoir-abime\n";
    other.insert("voirie/trottoir-abime.yaml".into(), sheet.into());
    assert_eq!(hash(good()), hash(other.clone()));
    other.insert(
        "voirie/trottoir-abime.yaml".into(),
        sheet.replace("keywords:\n- trottoir", "keywords: [rue]"),
    );
    assert_ne!(hash(good()), hash(other));
    let mut message = good();
    message.entry("messages/reponse.yaml".into()).and_modify(|t| *t = t.replace("Bonjour.", "Bonsoir."));
    assert_ne!(hash(good()), hash(message), "a shared part is a part of the version");
}

#[test]
fn findings_travel_as_json_lines() {
    let mut files = good();
    files
        .entry("voirie/trottoir-abime.yaml".into())
        .and_modify(|t| *t = t.replace("service:voirie", "service:voiries"));
    let loaded = load(files);
    let line = serde_json::to_string(&loaded.diagnostics[0]).unwrap();
    assert_eq!(
        line,
        r#"{"code":"service.unknown","severity":"error","message":{"fr":"service inconnu : `voiries`","en":"unknown service: `voiries`"},"file":"voirie/trottoir-abime.yaml","start":210,"end":217,"line":8,"column":19,"suggestion":"voirie","certain":true}"#
    );
    assert_eq!(
        serde_json::from_str::<guichet_rules::language::Diagnostic>(&line).unwrap(),
        loaded.diagnostics[0]
    );
}

/// The good files with one of them changed: a line dropped, doubled or moved, a word replaced, bytes cut out.
fn mutants(original: BTreeMap<String, String>) -> impl Strategy<Value = BTreeMap<String, String>> {
    let words = prop::sample::select(vec![
        "",
        "~",
        "[]",
        "{}",
        "yes",
        "'",
        "\"",
        "{",
        "]",
        ": ",
        "- ",
        "&a",
        "*a",
        "!x",
        "|",
        ">",
        "\t",
        "é",
        "1",
        "-1",
        "form.x",
        "role:nobody",
        "0%",
        "999999999999999999999",
        "service:",
        "tasks.visite.done",
        "\u{0}",
        "&a [*a]",
        "form.danger && (",
        "{form.x}",
        "{",
        "2 fortnights",
        "models/signalement",
        "<<: x",
    ]);
    (any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<prop::sample::Index>(), words, 0..6_u8)
        .prop_map(move |(file, from, to, word, kind)| {
            let mut files = original.clone();
            let name = files.keys().nth(file.index(files.len())).unwrap().clone();
            let text = files.get_mut(&name).unwrap();
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            let (a, b) = (from.index(lines.len()), to.index(lines.len()));
            match kind {
                0 => drop(lines.remove(a)),
                1 => lines.insert(b, lines[a].clone()),
                2 => lines.swap(a, b),
                3 => {
                    let mut parts: Vec<&str> = lines[a].split(' ').collect();
                    let at = to.index(parts.len());
                    parts[at] = word;
                    lines[a] = parts.join(" ");
                }
                4 => lines[a] = format!("  {}", lines[a]),
                _ => {
                    let keep = to.index(lines[a].chars().count() + 1);
                    lines[a] = lines[a].chars().take(keep).collect::<String>() + word;
                }
            }
            *text = lines.join("\n");
            files
        })
}

/// Loads, draws what there is to say, and compiles what there is to run.
fn survives(files: BTreeMap<String, String>) -> Result<(), TestCaseError> {
    let loaded = load(files);
    for diagnostic in &loaded.diagnostics {
        let text = render(diagnostic, &loaded.sources, Language::En, Style::Plain);
        prop_assert!(text.contains(&diagnostic.code), "{text}");
        prop_assert!(diagnostic.place.line >= 1 && diagnostic.place.column >= 1);
    }
    for definition in loaded.catalogue.map(|c| c.definitions).unwrap_or_default() {
        prop_assert!(Plan::compile(Arc::new(definition)).is_ok());
    }
    Ok(())
}

proptest! {
    // The whole catalogue is read each time.
    #![proptest_config(ProptestConfig { cases: 6, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_change_of_a_real_file_hurts_the_loader(files in mutants(chalons())) {
        survives(files)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_change_of_a_good_file_hurts_the_loader(files in mutants(good())) {
        survives(files)?;
    }

    #[test]
    fn no_text_hurts_the_loader(text in prop_oneof![any::<String>(), "[-:{}\\[\\]\"'#&*!|>%@a \n]{0,400}"], which in any::<prop::sample::Index>()) {
        let mut files = good();
        let name = files.keys().nth(which.index(files.len())).unwrap().clone();
        files.insert(name, text);
        let loaded = load(files);
        prop_assert!(loaded.catalogue.is_some() || !loaded.diagnostics.is_empty());
    }
}
