//! Help, refusals, exit codes.

use std::process::Stdio;

use crate::support::{guichet, run};

fn nowhere() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn every_command_is_in_the_list() {
    let help = run(nowhere().path(), &["--help"]);
    assert_eq!(help.code, 0);
    let commands: Vec<&str> = help
        .out
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    insta::assert_snapshot!(commands.join(" "), @"demo serve stats inbox show outbox accesses letter explain replay import mail-in publish propose retire versions diff migrate what-if new adopt check lsp test diagram due simulate key rebuild backup restore files verify doctor help");
}

#[test]
fn wrong_usage_is_two_and_one_sentence() {
    let folder = nowhere();
    assert_eq!(run(folder.path(), &["nonsense"]).code, 2);
    assert_eq!(run(folder.path(), &["stats", "--nonsense"]).code, 2);
    assert_eq!(run(folder.path(), &["due", "tests/calendars/mairie.yaml"]).code, 2);
    let refused = run(folder.path(), &["check", "no/such/place"]);
    assert_eq!((refused.code, refused.out.as_str()), (2, ""));
    insta::assert_snapshot!(refused.err, @"erreur: no/such/place n’existe pas");
    let refused = run(folder.path(), &["explain", "x", "--format", "csv", "--lang", "en"]);
    assert_eq!(refused.code, 2);
    insta::assert_snapshot!(refused.err, @"error: this command only prints: human, json");
}

#[test]
fn a_data_folder_that_is_not_there_is_three_and_is_not_made() {
    let folder = nowhere();
    let data = folder.path().join("town");
    for command in [&["stats"][..], &["show", "x"], &["inbox"], &["verify"], &["doctor"], &["rebuild"]] {
        let refused = run(&data, command);
        assert_eq!(refused.code, 3, "{command:?}");
        assert!(refused.err.starts_with("erreur: il n’y a pas de données dans"), "{}", refused.err);
        assert_eq!(refused.err.lines().count(), 1, "{}", refused.err);
    }
    assert!(!data.exists());
}

#[test]
fn a_due_instant_and_why() {
    let calendar = "tests/calendars/mairie.yaml";
    let asked = ["due", calendar, "--from", "2026-05-07T16:50:00+02:00", "--within", "2 working days"];
    let answer = run(nowhere().path(), &asked);
    assert_eq!((answer.code, answer.out.as_str()), (0, "2026-05-12T15:00:00+00:00\n"));
    let explained = run(nowhere().path(), &[&asked[..], &["--explain", "--lang", "en"]].concat());
    assert!(explained.out.contains("public holiday (Victory in Europe Day)"), "{}", explained.out);
    let paused = [&asked[..], &["--paused", "2026-05-11T00:00:00Z/2026-05-12T00:00:00Z"]].concat();
    assert_eq!(run(nowhere().path(), &paused).out, "2026-05-13T15:00:00+00:00\n");
}

#[test]
fn lines_of_questions_are_answered_in_step() {
    let mut asking = guichet(nowhere().path(), &["due", "tests/calendars", "--jsonl"]);
    let vectors =
        std::fs::File::open(crate::support::repository().join("tests/vectors/clock.jsonl")).unwrap();
    let answers = asking.stdin(Stdio::from(vectors)).output().unwrap();
    assert!(answers.status.success());
    let read = |text: &str| -> Vec<serde_json::Value> {
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let known =
        std::fs::read_to_string(crate::support::repository().join("tests/vectors/clock.jsonl")).unwrap();
    assert_eq!(read(std::str::from_utf8(&answers.stdout).unwrap()), read(&known));
}

#[cfg(unix)]
#[test]
fn a_closed_pipe_ends_a_command_quietly() {
    let folder = nowhere();
    let shell = format!("{} check processes/chalons --format json | true", env!("CARGO_BIN_EXE_guichet"));
    let ended = std::process::Command::new("sh")
        .args(["-c", &shell])
        .current_dir(crate::support::repository())
        .env("GUICHET_DATA", folder.path())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
}
