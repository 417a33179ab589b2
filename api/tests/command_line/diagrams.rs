//! `guichet diagram` as people meet it.

use crate::support::run;

#[test]
fn a_process_is_drawn_by_its_name_or_its_sheet() {
    let folder = tempfile::tempdir().unwrap();
    let named = run(folder.path(), &["diagram", "voirie/chaussee-abimee"]);
    assert_eq!(named.code, 0, "{}", named.err);
    assert!(named.out.starts_with("<svg ") && named.out.contains("Patrouilleur"), "{}", named.out);
    let sheet = run(folder.path(), &["diagram", "processes/chalons/voirie/chaussee-abimee.yaml"]);
    assert_eq!(sheet.out, named.out);
    let file = folder.path().join("drawn/pothole.bpmn");
    let arguments = ["diagram", "voirie/chaussee-abimee", "--as", "bpmn", "--lang", "en", "--output"];
    let saved = run(folder.path(), &[&arguments[..], &[file.to_str().unwrap()]].concat());
    assert_eq!((saved.code, saved.out.as_str()), (0, ""), "{}", saved.err);
    let bpmn = std::fs::read_to_string(file).unwrap();
    assert!(bpmn.contains("name=\"Patroller’s visit\"") && bpmn.contains("bpmndi:BPMNPlane"), "{bpmn}");
}

#[test]
fn what_cannot_be_drawn_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let unknown = run(folder.path(), &["diagram", "voirie/nulle-part"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.err.contains("aucune démarche de ce nom"), "{}", unknown.err);
    let several = run(folder.path(), &["diagram", "processes/chalons/voirie"]);
    assert_eq!(several.code, 2);
    assert!(several.err.contains("--all"), "{}", several.err);
    let nowhere = run(folder.path(), &["diagram", "processes/chalons", "--all"]);
    assert_eq!(nowhere.code, 2, "{}", nowhere.err);
    let no_data = run(&folder.path().join("none"), &["diagram", "--request", "A1"]);
    assert_eq!(no_data.code, 3, "{}", no_data.err);
}
