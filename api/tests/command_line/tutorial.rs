//! The tutorial of `processes/README.md`, done as it stands there: every command is given, every answer typed, every
//! change made, and what the program prints must be what the reader is shown.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use crate::support::{Run, guichet, repository};

/// The blocks of the tutorial in one language, in order: how each is fenced, and its lines.
fn blocks(language: &str) -> Vec<(String, Vec<String>)> {
    let text = std::fs::read_to_string(repository().join("processes/README.md")).unwrap();
    let begin = text.find(&format!("<!-- tutorial {language} -->")).unwrap();
    let part = &text[begin..];
    let part = &part[..part.find("<!-- end -->").unwrap()];
    let mut blocks = Vec::new();
    let mut open: Option<(String, Vec<String>)> = None;
    for line in part.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some((_, lines)), None) => lines.push(line.to_owned()),
            (None, Some(kind)) => open = Some((kind.to_owned(), Vec::new())),
            (None, None) => {}
        }
    }
    blocks
}

/// The answers that the block shows: what stands after the mark of a question.
fn answers(lines: &[String]) -> String {
    let typed = lines
        .iter()
        .filter_map(|line| line.split_once(" > ").or_else(|| Some((line.strip_suffix(" >")?, ""))));
    typed.map(|(_, answer)| format!("{answer}\n")).collect()
}

/// Days are of the day on which one tries it.
fn without_days(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let line = line.trim_end();
        let mut rest = line;
        while let Some(at) = rest.find("\"20") {
            let end = rest[at + 1..].find('"').map_or(rest.len(), |end| at + end + 2);
            out.push_str(&rest[..at]);
            out.push_str("\"day\"");
            rest = &rest[end..];
        }
        out.push_str(rest);
        out.push('\n');
    }
    out
}

fn command(folder: &Path, line: &str, language: &str, typed: &str) -> Run {
    let words: Vec<&str> = line.split_whitespace().skip(1).collect();
    let mut command = guichet(&folder.join("data"), &words);
    command.current_dir(folder).env("LANG", if language == "fr" { "fr_FR.UTF-8" } else { "en_GB.UTF-8" });
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A command that asks nothing has closed its input by now.
    let _ = child.stdin.take().unwrap().write_all(typed.as_bytes());
    Run::of(&child.wait_with_output().unwrap())
}

/// Makes the change that a block shows: lines with `-` become those with `+` that follow them.
fn change(folder: &Path, lines: &[String]) {
    let path = folder.join(lines[0].strip_prefix("--- ").unwrap());
    let (mut old, mut new) = (String::new(), String::new());
    for line in &lines[1..] {
        let (sign, text) = line.split_at(usize::from(!line.is_empty()));
        for (signs, into) in [([" ", "-"], &mut old), ([" ", "+"], &mut new)] {
            if signs.contains(&sign) || sign.is_empty() {
                into.push_str(text);
                into.push('\n');
            }
        }
    }
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text.matches(&old).count(), 1, "{} has not exactly one\n{old}", path.display());
    std::fs::write(&path, text.replacen(&old, &new, 1)).unwrap();
}

fn try_out(language: &str) {
    let folder = tempfile::tempdir().unwrap();
    let blocks = blocks(language);
    assert!(blocks.len() > 4, "the tutorial in {language} is gone");
    for (kind, lines) in blocks {
        if kind == "diff" {
            change(folder.path(), &lines);
            continue;
        }
        for (line, shown) in commands_of(&lines) {
            let done = command(folder.path(), line.strip_prefix("$ ").unwrap(), language, &answers(&shown));
            let shown = without_days(&shown.join("\n"));
            let printed = without_days(&done.out);
            assert_eq!(printed.trim_end(), shown.trim_end(), "$ {line}\n{}", done.err);
        }
    }
}

/// The commands of a block, each with what it prints.
fn commands_of(lines: &[String]) -> Vec<(String, Vec<String>)> {
    let mut commands: Vec<(String, Vec<String>)> = Vec::new();
    for line in lines {
        if line.starts_with("$ ") {
            commands.push((line.clone(), Vec::new()));
        } else if let Some((_, shown)) = commands.last_mut() {
            shown.push(line.clone());
        }
    }
    commands
}

#[test]
fn the_tutorial_in_french_goes_as_it_is_shown() {
    try_out("fr");
}

#[test]
fn the_tutorial_in_english_goes_as_it_is_shown() {
    try_out("en");
}
