//! Every page of the list of codes, tried on a small town: its example yields that finding and nothing else, and what
//! it says to write instead yields none.

use std::collections::{BTreeMap, BTreeSet};

use guichet_rules::language::Severity;
use guichet_rules::language::codes::{self, Page};

use super::{Files, drawn, folder, load, snapshots, walk};

pub(super) fn town() -> Files {
    let mut files = BTreeMap::new();
    walk(&folder("town"), &folder("town"), &mut files);
    files
}

/// Findings that cannot come without others, and which those are.
const COMPANIONS: &[(&str, &[&str])] = &[
    ("task.cycle", &["commitment.never_stops"]),
    ("task.never_starts", &["task.cycle", "commitment.never_stops"]),
    ("commitment.never_starts", &["task.cycle"]),
    ("acknowledgement.missing", &["catalogue.unused"]),
];

/// A net below the grammar, which refuses each such verb before: what a command alone would still not take.
const NET: &str = "scenario.action";

/// Findings that other doors make, where they are tried: when a folder is read, by `guichet due` and `guichet test`, and
/// of the maps of imports.
fn elsewhere(code: &str) -> bool {
    matches!(code, NET | "file.encoding" | "calendar.shape" | "scenario.failed" | "branch.not_taken")
        || code.starts_with("import.")
}

fn replaced(page: &Page, with: &str) -> Files {
    let mut files = town();
    let example = page.example;
    if example.place.is_empty() {
        files.insert(example.file.to_owned(), with.to_owned());
        return files;
    }
    let text = files.get_mut(example.file).unwrap_or_else(|| panic!("{}: no such file", page.code));
    assert_eq!(text.matches(example.place).count(), 1, "{}: `{}`", page.code, example.place);
    *text = text.replace(example.place, with);
    files
}

/// The town with the page's fault. What is too long for a page is made here.
fn bad(page: &Page) -> Files {
    let in_place = |text: String| replaced(page, &text);
    match page.code {
        "catalogue.incomplete" => {
            let mut files = town();
            files.remove(page.example.file);
            files
        }
        "catalogue.too_large" => {
            let mut files = town();
            let more = (0..10_000).map(|i| (format!("voirie/f{i}.test.yaml"), "a: 1\n".to_owned()));
            files.extend(more);
            files
        }
        "yaml.too_many" => in_place(format!("keywords: [&mot trottoir{}]", ", *mot".repeat(201))),
        "yaml.too_large" => in_place(format!("keywords: [trottoir]\n{}", "# …\n".repeat(300_000))),
        "expression.too_long" => {
            let list: Vec<String> = (0..200).map(|n| n.to_string()).collect();
            in_place(format!("when: \"form.width in [{}]\",", list.join(",")))
        }
        "expression.too_deep" => in_place(format!("when: {}form.danger{},", "(".repeat(65), ")".repeat(65))),
        "expression.too_costly" => {
            let list = "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20]";
            let inner = format!("{list}.all(b, a{} > 0)", " + b".repeat(40));
            in_place(format!("when: \"{list}.all(a, {inner})\","))
        }
        _ => in_place(page.example.bad.to_owned()),
    }
}

#[test]
fn every_page_is_complete_and_no_code_stands_twice() {
    let mut seen = BTreeSet::new();
    for page in codes::all() {
        assert!(seen.insert(page.code), "{} twice", page.code);
        for (fr, en) in [page.title, page.cause, page.remedy] {
            assert!(!fr.is_empty() && !en.is_empty() && fr != en, "{}: {fr:?} {en:?}", page.code);
        }
        assert!(!page.example.file.is_empty(), "{}", page.code);
    }
    assert!(seen.len() > 110);
    assert!(codes::page("role.unknown").is_some() && codes::page("role.unheard_of").is_none());
}

#[test]
fn every_page_yields_its_own_finding_to_the_letter() {
    let sound = load(town());
    assert!(sound.diagnostics.is_empty(), "{}", drawn(&sound));
    let settings = snapshots("said/codes");
    let mut wrong = Vec::new();
    for page in codes::all().filter(|page| !elsewhere(page.code)) {
        let loaded = load(bad(page));
        let found: BTreeSet<&str> = loaded.diagnostics.iter().map(|d| d.code.as_str()).collect();
        let companions = COMPANIONS.iter().find(|(code, _)| *code == page.code).map_or(&[][..], |(_, c)| *c);
        let expected: BTreeSet<&str> = companions.iter().copied().chain([page.code]).collect();
        if found != expected {
            wrong.push(format!("{}: {found:?}\n{}", page.code, drawn(&loaded)));
            continue;
        }
        for finding in loaded.diagnostics.iter().filter(|d| d.code == page.code) {
            assert_eq!(finding.severity, page.severity, "{}", page.code);
            assert!(page.certain || !finding.certain, "{} is certain, its page is not", page.code);
        }
        let errors = loaded.diagnostics.iter().any(|d| d.severity == Severity::Error);
        assert_eq!(loaded.catalogue.is_none(), errors, "{}", page.code);
        let lines =
            |sign: &str, text: &str| text.lines().map(|l| format!("{sign} {l}\n")).collect::<String>();
        let (place, fault) = (lines("-", page.example.place), lines("+", page.example.bad));
        let said = format!("{}\n{place}{fault}\n{}", page.example.file, drawn(&loaded));
        settings.bind(|| insta::assert_snapshot!(page.code, said));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn what_a_page_says_to_write_instead_is_sound() {
    let absent = ["catalogue.incomplete", "catalogue.too_large"];
    for page in codes::all().filter(|page| !absent.contains(&page.code) && !page.code.starts_with("import."))
    {
        // A file that should not be there is put right by leaving it out.
        if page.example.place.is_empty() && page.example.good.is_empty() {
            continue;
        }
        let loaded = load(replaced(page, page.example.good));
        assert!(loaded.diagnostics.is_empty(), "{}\n{}", page.code, drawn(&loaded));
    }
}

#[test]
fn what_is_certain_makes_the_example_right() {
    for page in codes::all().filter(|page| page.certain && !elsewhere(page.code)) {
        let mut files = bad(page);
        let loaded = load(files.clone());
        let finding = loaded.diagnostics.iter().find(|d| d.code == page.code).unwrap();
        // A scenario's finding marks its whole step.
        let Some(suggestion) = finding.suggestion.as_ref().filter(|_| finding.certain) else {
            assert!(
                matches!(page.code, "step.unknown" | "commitment.unknown"),
                "{} is not certain of its own example",
                page.code
            );
            continue;
        };
        let text = files.get_mut(&finding.place.file).unwrap();
        text.replace_range(finding.place.start..finding.place.end, suggestion);
        assert_eq!(files, replaced(page, page.example.good), "{}", page.code);
    }
}
