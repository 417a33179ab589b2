//! The index on the shipped catalogue, and on sheets that are half written.

use std::path::Path;
use std::sync::OnceLock;

use super::*;
use crate::language::{Catalogue, Severity};
use crate::text::Language;

fn shipped() -> &'static [SourceFile] {
    static FILES: OnceLock<Vec<SourceFile>> = OnceLock::new();
    FILES.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../processes/chalons");
        let mut files = Vec::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|e| e == "yaml") {
                    let inside = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
                    files.push(SourceFile { path: inside, text: std::fs::read_to_string(&path).unwrap() });
                }
            }
        }
        files
    })
}

fn town() -> Index {
    let mut index = Index::new();
    for file in shipped() {
        index.put(&file.path, &file.text);
    }
    index
}

const POTHOLE: &str = "voirie/chaussee-abimee.yaml";

/// Writes `sheet` over the pothole with `¦` taken out; gives where that stood.
fn write(index: &mut Index, path: &str, sheet: &str) -> usize {
    let byte = sheet.find('¦').unwrap();
    index.put(path, &sheet.replace('¦', ""));
    byte
}

/// The pothole's sheet with one text replaced by another, in which `¦` is the cursor.
fn edited(from: &str, to: &str) -> String {
    let sheet = &shipped().iter().find(|file| file.path == POTHOLE).unwrap().text;
    assert!(sheet.contains(from), "{from}");
    sheet.replacen(from, to, 1)
}

fn labels(index: &mut Index, path: &str, sheet: &str) -> Vec<String> {
    let byte = write(index, path, sheet);
    index.suggestions(path, byte, Language::Fr).into_iter().map(|s| s.label).collect()
}

fn places(index: &Index, marks: &[Mark]) -> Vec<String> {
    marks
        .iter()
        .map(|mark| format!("{} `{}`", index.sources.place(*mark), index.sources.slice(*mark)))
        .collect()
}

#[test]
fn a_name_leads_to_where_it_is_said() {
    let mut index = town();
    for (from, to, expected) in [
        ("role:patrouilleur", "role:patrou¦illeur", "organisation.yaml"),
        ("role:patrouilleur", "r¦ole:patrouilleur", "organisation.yaml"),
        ("service:astreinte", "service:as¦treinte", "organisation.yaml"),
        ("models/signalement", "models/sig¦nalement", "models/signalement.yaml:3:8 `signalement`"),
        (
            "messages/reponse-signalement",
            "messages/re¦ponse-signalement",
            "messages/reponse-signalement.yaml",
        ),
        ("circuits/reponse-formalisee", "circuits/repon¦se-formalisee", "circuits/reponse-formalisee.yaml"),
        ("eclairage/panne", "eclai¦rage/panne", "eclairage/panne.yaml"),
        ("after: [visite]", "after: [vis¦ite]", "voirie/chaussee-abimee.yaml:36:11 `visite`"),
        ("tasks.visite.report.made_safe ", "tasks.visite.report.made¦_safe ", ":42:18 `made_safe`"),
        ("- { when: form.danger, to", "- { when: form.dan¦ger, to", "`danger`"),
    ] {
        let byte = write(&mut index, POTHOLE, &edited(from, to));
        let found = places(&index, &index.definitions(POTHOLE, byte));
        assert!(!found.is_empty() && found[0].contains(expected), "{to}: {found:?}");
    }
}

#[test]
fn what_a_model_says_too_is_found_across_extends() {
    let mut index = town();
    // The key `answer` of the sheet merges over that of `models/commun`, two models up.
    let byte = write(&mut index, POTHOLE, &edited("\n  answer:", "\n  ans¦wer:"));
    let found = places(&index, &index.definitions(POTHOLE, byte));
    assert_eq!(found.len(), 1);
    assert!(found[0].contains("models/commun.yaml") && found[0].ends_with("`answer`"), "{found:?}");
    let byte = write(&mut index, POTHOLE, &edited("    warn_at:", "    wa¦rn_at:"));
    assert!(places(&index, &index.definitions(POTHOLE, byte))[0].contains("models/commun.yaml"));
    // A rule of the sheet on a field that only the model has.
    let sheet = "process: voirie/chaussee-abimee\nextends: models/signalement\nassignment:\n  - { when: form.pla¦ce.area == 'x', to: service:voirie }\n";
    let byte = write(&mut index, POTHOLE, sheet);
    let found = places(&index, &index.definitions(POTHOLE, byte));
    assert!(found[0].contains("models/signalement.yaml"), "{found:?}");
    // A placeholder of a message leads to the field of every sheet that sends it.
    let message =
        "message: reponse-signalement\nsubject: { fr: \"x\" }\nbody: { fr: \"Lieu : {form.pla¦ce|…}\" }\n";
    let byte = write(&mut index, "messages/reponse-signalement.yaml", message);
    let found = places(&index, &index.definitions("messages/reponse-signalement.yaml", byte));
    assert!(found.iter().any(|place| place.contains("models/signalement.yaml")), "{found:?}");
}

#[test]
fn everything_that_uses_a_name_is_found() {
    let mut index = town();
    let byte = write(&mut index, POTHOLE, &edited("- task: visite", "- task: vis¦ite"));
    let found = places(&index, &index.references(POTHOLE, byte, true));
    assert!(
        found.iter().all(|place| place.starts_with("voirie/chaussee-abimee")),
        "only of this process: {found:?}"
    );
    assert!(found.iter().any(|place| place.starts_with("voirie/chaussee-abimee.test.yaml")), "{found:?}");
    assert!(found.len() >= 4, "{found:?}");
    let byte = write(&mut index, POTHOLE, &edited("models/signalement", "models/sig¦nalement"));
    let users = index.references(POTHOLE, byte, false);
    assert!(users.len() > 5, "the other reports extend it too: {users:?}");
}

#[test]
fn keys_are_offered_that_are_not_there_yet_also_where_yaml_is_broken() {
    let mut index = town();
    let keys = labels(&mut index, POTHOLE, "process: voirie/chaussee-abimee\nextends: models/signalement\n¦");
    assert_eq!(keys[..4], ["remove", "tenants", "theme", "title"], "in the order of officers: {keys:?}");
    assert!(!keys.contains(&"extends".to_owned()));
    let in_task = labels(&mut index, POTHOLE, &edited("    by: role:patrouilleur\n", "    ¦\n"));
    assert!(in_task.contains(&"by".to_owned()) && !in_task.contains(&"title".to_owned()), "{in_task:?}");
    // Unclosed brackets and a lone word are faults of syntax.
    for broken in
        ["  - { field: x, ¦\n  - { field: y, type: text }\n", "  - field: x\n    re¦\n  - { field: y }\n"]
    {
        let keys = labels(&mut index, POTHOLE, &format!("process: a/b\nform:\n{broken}kind: report\n"));
        assert!(keys.contains(&"required".to_owned()) && !keys.contains(&"field".to_owned()), "{keys:?}");
    }
    let ways = labels(&mut index, "calendars/x.yaml", "calendar: x\nclosures:\n  - { on: 2026-01-02, ¦ }\n");
    assert_eq!(ways, ["why"], "a closure is on a day, or from one until another");
}

#[test]
fn names_and_words_are_offered_where_they_belong() {
    let mut index = town();
    let has = |found: &[String], wanted: &[&str]| {
        for word in wanted {
            assert!(found.iter().any(|label| label == word), "{word}: {found:?}");
        }
    };
    has(
        &labels(&mut index, POTHOLE, &edited("by: role:patrouilleur", "by: role:¦")),
        &["role:patrouilleur", "service"],
    );
    has(&labels(&mut index, POTHOLE, &edited("to: service:astreinte", "to: ¦")), &["service:astreinte"]);
    has(&labels(&mut index, POTHOLE, &edited("kind: report", "kind: ¦")), &["report", "question"]);
    has(&labels(&mut index, POTHOLE, &edited("after: [visite]", "after: [¦")), &["visite", "intervention"]);
    has(&labels(&mut index, POTHOLE, &edited("models/signalement", "¦")), &["models/commun"]);
    has(
        &labels(&mut index, POTHOLE, &edited("    until: delivered", "    until: ¦")),
        &["delivered", "task:visite"],
    );
    has(
        &labels(&mut index, POTHOLE, &edited("when: form.danger, is", "when: form.¦, is")),
        &["danger", "place", "photos"],
    );
    let in_rule = labels(
        &mut index,
        POTHOLE,
        &edited("when: request.complexity == 'complex'\n", "when: request.complexity == '¦'\n"),
    );
    assert_eq!(in_rule, ["simple", "complex"]);
    has(
        &labels(
            &mut index,
            POTHOLE,
            &edited("tasks.visite.report.made_safe == false", "tasks.visite.report.¦"),
        ),
        &["finding", "made_safe"],
    );
    let early = labels(
        &mut index,
        POTHOLE,
        &edited("when: form.danger, is: complex", "when: request.¦, is: complex"),
    );
    assert!(!early.contains(&"complexity".to_owned()), "it is being decided by this very rule: {early:?}");
    has(
        &labels(&mut index, "messages/refus.yaml", "message: refus\nbody: { fr: \"N° {¦\" }\n"),
        &["code", "form.place"],
    );
    let scenario =
        "process: voirie/chaussee-abimee\nscenarios:\n  - name: x\n    steps:\n      - complete: ¦\n";
    has(&labels(&mut index, "voirie/chaussee-abimee.test.yaml", scenario), &["visite"]);
}

#[test]
fn pointing_says_what_a_thing_is_in_both_languages() {
    let mut index = town();
    let mut about = |from: &str, to: &str, language: Language| {
        let byte = write(&mut index, POTHOLE, &edited(from, to));
        index.about(POTHOLE, byte, language).unwrap().words
    };
    let role = about("role:patrouilleur", "role:pat¦rouilleur", Language::Fr);
    assert!(
        role.contains("Tenu par ") && role.contains("Qui s’en charge") || role.contains("Tenu par "),
        "{role}"
    );
    assert!(about("role:patrouilleur", "role:pat¦rouilleur", Language::En).contains("Held by "));
    let circuit = about("circuits/reponse-formalisee", "circuits/re¦ponse-formalisee", Language::Fr);
    assert!(circuit.contains("1. **"), "{circuit}");
    let key = about("\n  answer:", "\n  ans¦wer:", Language::Fr);
    assert!(
        key.contains("10 jours ouvrés si `request.complexity == 'complex'`, sinon 2 jours ouvrés"),
        "{key}"
    );
    assert!(key.contains("Le modèle le dit aussi : `models/commun.yaml`"), "{key}");
    assert!(about("kind: report", "kind: rep¦ort", Language::Fr).contains("signalement"));
    assert!(
        about("within: 1 working day\n", "wit¦hin: 1 working day\n", Language::En).contains("**`within`**")
    );
}

#[test]
fn no_byte_of_a_shipped_file_fails_and_names_that_are_offered_are_known() {
    let index = town();
    for path in [
        POTHOLE,
        "models/commun.yaml",
        "messages/accuse-reception.yaml",
        "circuits/arrete.yaml",
        "calendars/mairie.yaml",
    ] {
        let text = index.text(path).unwrap().to_owned();
        for byte in (0..=text.len()).filter(|byte| text.is_char_boundary(*byte)) {
            let _ = index.about(path, byte, Language::Fr);
            let _ = index.definitions(path, byte);
            for one in index.suggestions(path, byte, Language::En) {
                assert!(text.get(one.range.clone()).is_some(), "{path}:{byte} {one:?}");
            }
        }
    }
}

#[test]
fn a_name_that_was_offered_is_never_unknown() {
    let files = shipped();
    let mut index = town();
    let text = files.iter().find(|file| file.path == POTHOLE).unwrap().text.clone();
    // At the end of every name of the sheet each name that is offered is written there, one after another.
    let ends: Vec<usize> =
        index.of(POTHOLE).unwrap().1.names.iter().filter(|n| !n.own).map(|n| n.mark.end).collect();
    assert!(ends.len() > 15, "{ends:?}");
    let mut tried = 0;
    for (turn, end) in ends.into_iter().enumerate() {
        let offered = index.suggestions(POTHOLE, end, Language::Fr);
        let names: Vec<_> =
            offered.into_iter().filter(|s| matches!(s.kind, SuggestionKind::Name(_))).collect();
        assert!(!names.is_empty(), "at {end}: {}", &text[end.saturating_sub(20)..end]);
        // A different one at each place keeps the test short and sees them all in time.
        let one = &names[turn % names.len()];
        let mut changed = text.clone();
        changed.replace_range(one.range.clone(), &one.insert);
        index.put(POTHOLE, &changed);
        let found = Catalogue::load(index.files());
        let unknown: Vec<_> = found
            .diagnostics
            .iter()
            .filter(|d| {
                d.place.file == POTHOLE
                    && d.place.start >= one.range.start
                    && d.place.end <= one.range.start + one.insert.len()
                    && d.severity == Severity::Error
                    && (d.code.ends_with(".unknown") || d.code.ends_with("unknown_name"))
            })
            .collect();
        // What was written is known; whether the rest of the sheet still fits it is another question.
        assert!(unknown.is_empty(), "{one:?} at {end}: {unknown:?}");
        index.put(POTHOLE, &text);
        tried += 1;
    }
    assert!(tried > 15);
}

#[test]
fn the_outline_names_stages_tasks_and_fields() {
    let index = town();
    let symbols = index.symbols(POTHOLE, Language::Fr);
    let flat = |symbols: &[Symbol]| -> Vec<String> {
        let mut lines = Vec::new();
        for symbol in symbols {
            lines.push(symbol.name.clone());
            assert!(
                symbol.whole.start <= symbol.name_at.start && symbol.name_at.end <= symbol.whole.end,
                "{symbol:?}"
            );
            for child in &symbol.children {
                assert!(
                    symbol.whole.start <= child.whole.start && child.whole.end <= symbol.whole.end,
                    "{symbol:?}"
                );
                lines.push(format!("  {} {}", child.name, child.detail.clone().unwrap_or_default()));
                lines.extend(child.children.iter().map(|field| format!("    {}", field.name)));
            }
        }
        lines
    };
    insta::assert_snapshot!(flat(&symbols).join("\n").replace(['\u{a0}', '\u{202f}'], " "), @r"
    form
      place Où ?
      danger Y a-t-il un danger immédiat ?
      photos 
      details 
    qualification
    assignment
    treatment
      visite Visite du patrouilleur
        finding
        made_safe
      intervention Intervention de l’équipe
    validation
    delivery
    commitments
      acknowledgement 
      answer 
    law
    privacy
    costs
    ");
}

#[test]
fn whom_a_request_can_be_passed_on_to_is_offered_collectivities_too() {
    let mut index = town();
    let path = "voirie/chaussee-abimee.test.yaml";
    let steps =
        "process: voirie/chaussee-abimee\nscenarios:\n  - name: x\n    steps:\n      - { forward: ¦ }\n";
    let offered = labels(&mut index, path, steps);
    for name in ["prefecture", "caf", "tenant:agglo"] {
        assert!(offered.iter().any(|label| label == name), "{name}: {offered:?}");
    }
}
