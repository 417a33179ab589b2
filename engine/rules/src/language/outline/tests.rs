//! What the outline makes of texts, whole and half written.

use super::*;
use crate::language::source::{SourceFile, Sources};
use crate::language::yaml;

/// What the outline makes of a text in which `¦` is the cursor.
fn at(text: &str) -> String {
    let byte = text.find('¦').unwrap();
    let text = text.replace('¦', "");
    let Some(cursor) = Outline::read(&text).cursor(&text, byte) else { return "nothing".into() };
    let path: Vec<String> = cursor
        .path
        .iter()
        .map(|step| match step {
            Step::Key(key) => key.clone(),
            Step::Item(n) => n.to_string(),
        })
        .collect();
    let token = &text[cursor.token.clone()];
    format!("{:?} of /{} `{token}` beside {}", cursor.place, path.join("/"), cursor.siblings.join(" "))
}

#[test]
fn what_is_being_written_is_known_at_every_stage_of_writing() {
    let cases = [
        ("¦", "Start of / `` beside "),
        ("kind: ¦\ntitle: x\n", "Value of /kind `` beside "),
        ("kind: rep¦ort\n", "Value of /kind `report` beside "),
        ("ki¦\ntitle: x\n", "Start of / `ki` beside title"),
        ("ki¦nd: report\ntitle: x\n", "Key of / `kind` beside title"),
        ("form:\n  - { field: a, ¦ }\n", "Key of /form/0 `` beside field"),
        ("form:\n  - { field: a, typ¦ }\n", "Key of /form/0 `typ` beside field"),
        ("form:\n  - { field: a, type: ¦\n  - { field: b }\n", "Value of /form/0/type `` beside "),
        ("form:\n  - { field: a, type: te¦xt, label: \"é, è\" }\n", "Value of /form/0/type `text` beside "),
        ("form:\n  - field: a\n    ¦\n  - field: b\n", "Start of /form/0 `` beside field"),
        ("form:\n  - field: a\n  - ¦\n", "Start of /form/1 `` beside "),
        ("form:\n  - field: a\n  ¦\n", "Start of /form `` beside "),
        ("treatment:\n- task: a\n  after: [b, ¦]\n", "Value of /treatment/0/after/1 `` beside "),
        ("treatment:\n- task: a\n  after: [b, c¦\n  when: x\n", "Value of /treatment/0/after/1 `c` beside "),
        ("treatment:\n- task: a\n  after:\n  - b¦\n", "Start of /treatment/0/after/0 `b` beside "),
        (
            "a:\n  when: >-\n    form.x &&\n    form.¦\n  is: y\n",
            "Value of /a/when `>-\n    form.x &&\n    form.` beside ",
        ),
        ("a: 1 # wo¦rds\n", "nothing"),
        ("# wo¦rds\n", "nothing"),
        ("by: role:¦\n", "Value of /by `role:` beside "),
        ("- at: x\n  by: \"role:a¦\"\n", "Value of /0/by `\"role:a\"` beside "),
        ("law: {¦}\n", "Key of /law `` beside "),
        ("law: {silence: none, ¦", "Key of /law `` beside silence"),
        ("law: { silence:¦ }\n", "Value of /law/silence `` beside "),
        ("a: { b: { c: d, ¦ }, e: f }\n", "Key of /a/b `` beside c"),
        ("a: { b: { c: d }, ¦e: f }\n", "Key of /a `e` beside b"),
        ("a: [\n  b,\n  ¦\n]\nc: d\n", "Value of /a/1 `` beside "),
        ("x:\n  y: 1\n\n¦", "Start of / `` beside x"),
        ("x:\n  y: 1\n  ¦\nz: 1\n", "Start of /x `` beside y"),
    ];
    for (text, expected) in cases {
        assert_eq!(at(text), expected, "{text}");
    }
}

/// The tree without its places, which the two readers give alike only where nothing is quoted or folded.
fn bare(node: &Node) -> String {
    match &node.kind {
        Kind::Scalar(scalar) if scalar.style == Style::Block => "block".to_owned(),
        Kind::Scalar(scalar) => format!("{:?}", scalar.text.split_whitespace().collect::<Vec<_>>()),
        Kind::List(items) => format!("[{}]", items.iter().map(bare).collect::<Vec<_>>().join(",")),
        Kind::Map(entries) => {
            let entries = entries.iter().map(|entry| format!("{}={}", entry.key, bare(&entry.value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
        }
    }
}

fn shipped() -> Vec<SourceFile> {
    let mut files = Vec::new();
    let mut folders = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../processes")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "yaml") {
                files.push(SourceFile {
                    text: std::fs::read_to_string(&path).unwrap(),
                    path: path.display().to_string(),
                });
            }
        }
    }
    files
}

#[test]
fn a_sound_file_is_the_same_tree_to_both_readers() {
    let files = shipped();
    assert!(files.len() > 100);
    for file in files {
        let mut sources = Sources::default();
        let id = sources.add(file.clone());
        let mut faults = Vec::new();
        let tree = yaml::parse(id, &file.text, &mut faults).unwrap();
        let outline = Outline::read(&file.text).tree(id, &file.text);
        assert_eq!(bare(&outline), bare(&tree), "{}", file.path);
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(2_000))]
    #[test]
    fn no_text_stops_it(text in "[a:\\-#{}\\[\\],'\"|> \n&é]{0,60}") {
        let outline = Outline::read(&text);
        let mut sources = Sources::default();
        let id = sources.add(SourceFile { path: String::new(), text: text.clone() });
        outline.tree(id, &text);
        for byte in (0..=text.len()).filter(|byte| text.is_char_boundary(*byte)) {
            if let Some(cursor) = outline.cursor(&text, byte) {
                proptest::prop_assert!(text.get(cursor.token.clone()).is_some(), "{:?}", cursor);
            }
        }
    }
}
