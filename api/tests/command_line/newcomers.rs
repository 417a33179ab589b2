//! Somebody who has never seen the project writes a process.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use crate::support::{Run, guichet, run};

/// Runs `guichet new` with these answers, one on a line.
fn answered(folder: &Path, language: &str, answers: &[&str]) -> Run {
    let arguments = ["new", "--catalogue", folder.to_str().unwrap(), "--lang", language];
    let mut command = guichet(folder, &arguments);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = answers.join("\n");
    lines.push('\n');
    // A program that ends before it has read everything closes its pipe.
    let _ = child.stdin.take().unwrap().write_all(lines.as_bytes());
    Run::of(&child.wait_with_output().unwrap())
}

const TOWN: [&str; 4] =
    ["L’Épine", "1 place de la Basilique, 51460 L’Épine", "03 53 01 51 90", "mairie@epine.example"];
const BENCH: [&str; 17] = [
    "Banc public cassé",
    "Broken bench",
    "voirie",
    "",
    "report",
    "",
    "banc, assise",
    "Où se trouve-t-il ?",
    "location",
    "oui",
    "Qu’est-ce qui est cassé ?",
    "choice",
    "assise, dossier, pied",
    "oui",
    "",
    "services-techniques",
    "oui",
];

/// What the checker and the runner of scenarios say of a folder.
fn holds(folder: &Path) {
    let data = tempfile::tempdir().unwrap();
    let path = folder.to_str().unwrap();
    let checked = run(data.path(), &["check", path]);
    assert_eq!(checked.code, 0, "{}", checked.out);
    let tested = run(data.path(), &["test", path, "--format", "json"]);
    assert_eq!(tested.code, 0, "{}", tested.out);
    assert!(tested.json()["passed"].as_u64().unwrap() > 0);
}

#[test]
fn a_town_without_anything_has_a_catalogue_and_a_process_after_a_few_answers() {
    let folder = tempfile::tempdir().unwrap();
    let town = folder.path().join("epine");
    let answers: Vec<&str> = TOWN.iter().chain(&BENCH).copied().chain(["agent-de-terrain", "5"]).collect();
    let made = answered(&town, "fr", &answers);
    assert_eq!(made.code, 0, "{}{}", made.out, made.err);
    holds(&town);
    let sheet = std::fs::read_to_string(town.join("voirie/banc-public-casse.yaml")).unwrap();
    for part in ["extends: models/commun", "# Ce que l’on demande", "field: casse", "within: 5 working days"]
    {
        assert!(sheet.contains(part), "{part} is missing:\n{sheet}");
    }
    let again = answered(&town, "fr", &["Banc public cassé", "", "voirie", "", "", "", "", "", ""]);
    assert!(again.out.contains("une fiche de ce nom existe déjà"), "{}", again.out);
    assert_eq!(again.code, 2, "{}", again.err);
}

#[test]
fn every_kind_and_every_model_of_a_large_catalogue_gives_a_sheet_that_holds() {
    let folder = tempfile::tempdir().unwrap();
    crate::catalogues::copy(folder.path());
    for (number, kind) in
        ["report", "application", "question", "complaint", "idea", "internal"].iter().enumerate()
    {
        // One kind shows what is written where there is no model to start from.
        for model in if *kind == "report" { ["-", ""].as_slice() } else { &[""] } {
            let title = format!("Essai {number} {kind} {}", if model.is_empty() { "proposé" } else { model });
            let silence: &[&str] = if *kind == "application" { &["acceptance", ""] } else { &[] };
            let english = format!("A trial: {title}");
            let head = [&title, &english, "voirie", "", kind, model, &title, "", "voirie", "non"];
            let answers: Vec<&str> = head
                .iter()
                .copied()
                .chain(["circuits/reponse-courte", "12"])
                .chain(silence.iter().copied())
                .collect();
            let made = answered(folder.path(), "en", &answers);
            assert_eq!(made.code, 0, "{title}: {}{}", made.out, made.err);
        }
    }
    holds(folder.path());
}

#[test]
fn a_wrong_answer_is_asked_for_again_and_no_answer_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let town = folder.path().join("epine");
    let made = answered(&town, "en", &["Épine", "1 place", "03", "not an address", "x@y"]);
    assert_eq!(made.code, 2);
    assert!(made.out.contains("an address such as"), "{}", made.out);
    assert!(made.err.contains("E-mail"), "{}", made.err);
    assert!(!town.exists());
}

#[test]
fn what_is_typed_cannot_break_out_of_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let town = folder.path().join("epine");
    let mut answers: Vec<&str> = vec!["\" }\n", "\\\" : [", "{code}", "a@b.c"];
    let hostile = [
        "Un \"titre\" : { oui",
        "# no\\",
        "voirie",
        "piege",
        "idea",
        "",
        "*a, &b, !c",
        "(form.x) \" ?",
        "text",
        "oui",
        "",
        "accueil",
        "non",
        "",
    ];
    answers.extend(hostile);
    let made = answered(&town, "fr", &answers);
    assert_eq!(made.code, 0, "{}{}", made.out, made.err);
    holds(&town);
}

const SERVICES: &str = "<services>\n<service><service_code>006</service_code><service_name>Tag sur un mur</service_name>\
    <description/><metadata>true</metadata><type>realtime</type><keywords>tag, bombe</keywords><group>Propreté</group></service>\n\
    <service><service_code>007</service_code><service_name>Trou dans la rue</service_name><metadata>false</metadata>\
    <keywords>cratère</keywords><group>Street</group></service>\n</services>";
const DEFINITION: &str = "<service_definition><service_code>006</service_code><attributes>\
    <attribute><variable>true</variable><code>SURFACE</code><datatype>singlevaluelist</datatype><required>true</required><order>1</order>\
    <description>Sur quoi ?</description><values><value><key>1</key><name>Mur</name></value><value><key>2</key><name>Vitrine</name>\
    </value></values></attribute>\n<attribute><variable>false</variable><code>X</code><datatype>string</datatype><required>false\
    </required><order>2</order><description>Ne nettoyez pas vous-même.</description></attribute></attributes></service_definition>";

#[test]
fn the_services_of_another_system_become_sheets_that_hold() {
    let folder = tempfile::tempdir().unwrap();
    let town = folder.path().join("epine");
    let begun = answered(&town, "fr", &TOWN);
    assert!(town.join("catalogue.yaml").exists(), "{}", begun.err);
    let (list, definition) = (folder.path().join("services.xml"), folder.path().join("006.xml"));
    std::fs::write(&list, SERVICES).unwrap();
    std::fs::write(&definition, DEFINITION).unwrap();
    let (list, definition, town) =
        (list.to_str().unwrap(), definition.to_str().unwrap(), town.to_str().unwrap());
    let line =
        ["adopt", list, definition, "--catalogue", town, "--service", "services-techniques", "--lang", "fr"];
    let made = run(folder.path(), &line);
    assert_eq!(made.code, 1, "the second service’s group is no theme: {}", made.out);
    assert!(made.out.contains("services.xml:3: service `007`"), "{}", made.out);
    assert!(made.out.contains("006.xml:2: texte affiché sans réponse"), "{}", made.out);
    let with_theme: Vec<&str> = line.iter().copied().chain(["--theme", "voirie"]).collect();
    let made = run(folder.path(), &with_theme);
    assert!(made.out.contains("tag-sur-un-mur.yaml existe déjà"), "{}", made.out);
    assert!(made.out.contains("+ ") && made.out.contains("trou-dans-la-rue.yaml"), "{}", made.out);
    holds(Path::new(town));
    let sheet = std::fs::read_to_string(Path::new(town).join("proprete/tag-sur-un-mur.yaml")).unwrap();
    for part in ["type: location", "field: surface", "value: vitrine", "keywords: [\"tag\", \"bombe\"]"] {
        assert!(sheet.contains(part), "{part} is missing:\n{sheet}");
    }
}

#[test]
fn documents_that_attack_their_reader_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("services.xml");
    for (text, told) in [
        (
            "<!DOCTYPE x [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><services>&a;</services>",
            "document types and entities",
        ),
        ("<services><service>", "ends too soon"),
        ("[{\"service_code\": ", "EOF"),
    ] {
        std::fs::write(&list, text).unwrap();
        let line = [
            "adopt",
            list.to_str().unwrap(),
            "--catalogue",
            "processes/chalons",
            "--service",
            "voirie",
            "--lang",
            "en",
        ];
        let refused = run(folder.path(), &line);
        assert_eq!(refused.code, 2, "{refused:?}");
        assert!(refused.err.contains(told), "{}", refused.err);
    }
}
