//! `guichet check` beyond its findings: pages, corrections, watching, SARIF, and what no catalogue should hold.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use guichet_engine::rules::language::codes;
use serde_json::Value;

use crate::support::{guichet, repository, run};

/// A copy of the small town of the rules' own tests.
fn town() -> tempfile::TempDir {
    fn walk(from: &Path, to: &Path) {
        std::fs::create_dir_all(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let (from, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
            if from.is_dir() {
                walk(&from, &to);
            } else {
                std::fs::copy(from, to).unwrap();
            }
        }
    }
    let folder = tempfile::tempdir().unwrap();
    walk(&repository().join("engine/rules/tests/sheets/town"), folder.path());
    folder
}

fn change(folder: &Path, file: &str, from: &str, to: &str) {
    let path = folder.join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{file} has no `{from}`");
    std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
}

fn found(folder: &Path) -> Vec<String> {
    let checked = run(folder, &["check", folder.to_str().unwrap(), "--format", "json"]).json();
    let all = checked["diagnostics"].as_array().unwrap();
    all.iter().map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_code_is_explained_in_both_languages_and_a_near_one_is_proposed() {
    let data = tempfile::tempdir().unwrap();
    let page = run(data.path(), &["check", "--explain", "commitment.too_short", "--lang", "en"]);
    assert_eq!(page.code, 0);
    insta::assert_snapshot!(page.out, @"
    commitment.too_short (warning)
    A promise shorter than the work

    The steps that must always be done, one after the other, may take longer than what is promised. Only what is sure on any day counts.

    Promise more, or give the steps less.
    This is yours to decide: `guichet check --fix` leaves it alone.

    Wrong (models/base.yaml):
      within: 4 working hours

    Right:
      within: 10 working days
    ");
    let unknown = run(data.path(), &["check", "--explain", "role.unkown"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.err.contains("vouliez-vous dire `role.unknown` ?"), "{}", unknown.err);
    let list = run(data.path(), &["check", "--codes", "--format", "json"]).json();
    let listed: Vec<&str> = list.as_array().unwrap().iter().map(|p| p["code"].as_str().unwrap()).collect();
    assert_eq!(listed, codes::all().map(|page| page.code).collect::<Vec<_>>());
    let human = run(data.path(), &["check", "--codes"]);
    assert!(codes::all().all(|page| human.out.contains(&format!("{} ", page.code))));
}

#[test]
fn the_pages_about_maps_of_imports_yield_their_own_findings() {
    assert_eq!(found(town().path()), Vec::<String>::new());
    let pages = codes::all().filter(|page| page.code.starts_with("import."));
    // Only the table itself can tell its columns.
    for page in pages.filter(|page| page.code != "import.unknown_column") {
        let folder = town();
        change(folder.path(), page.example.file, page.example.place, page.example.bad);
        assert_eq!(found(folder.path()), [page.code]);
        let folder = town();
        change(folder.path(), page.example.file, page.example.place, page.example.good);
        assert!(page.example.good.is_empty() || found(folder.path()).is_empty(), "{}", page.code);
    }
}

#[test]
fn what_is_certain_is_written_and_nothing_else_is_touched() {
    let folder = town();
    let sheet = folder.path().join("voirie/trou.yaml");
    let sound = std::fs::read_to_string(&sheet).unwrap();
    // A byte-order mark, the ends of lines of Windows, a comment with accents: all of it stays.
    let sound = format!("\u{feff}# Éclairé : à garder\n{sound}# fin\n").replace('\n', "\r\n");
    std::fs::write(&sheet, &sound).unwrap();
    assert_eq!(found(folder.path()), Vec::<String>::new());
    let broken = sound
        .replace("type: boolean, required: true", "type: boolean, required: oui")
        .replace("within: 1 working day\r", "within: 1 jour ouvré\r")
        .replace("role:accueil", "role:acceuil")
        .replace("form.danger && form.width", "form.dangr && form.width");
    std::fs::write(&sheet, &broken).unwrap();
    let path = folder.path().to_str().unwrap();
    let dry = run(folder.path(), &["check", path, "--fix", "--dry-run"]);
    assert_eq!(dry.code, 0, "nothing is left after these: {}", dry.out);
    assert!(dry.out.contains("+     within: 1 working day\n"), "{}", dry.out);
    assert_eq!(std::fs::read_to_string(&sheet).unwrap(), broken, "a rehearsal writes nothing");
    let fixed = run(folder.path(), &["check", path, "--fix", "--format", "json"]);
    assert_eq!((fixed.code, &fixed.json()["errors"]), (0, &Value::from(0)));
    assert_eq!(fixed.json()["corrections"].as_array().unwrap().len(), 4);
    assert_eq!(std::fs::read_to_string(&sheet).unwrap(), sound);
    let left: Vec<_> = std::fs::read_dir(folder.path().join("voirie")).unwrap().collect();
    assert_eq!(left.len(), 3, "no half-written file stays");
}

#[test]
fn a_correction_that_does_no_good_is_left_alone() {
    let folder = town();
    // Two keys that both look like `keywords`: one of them can be corrected, the other would then stand twice.
    change(folder.path(), "voirie/trottoir.yaml", "keywords: [trottoir]", "keyword: [a]\nkeywordss: [b]");
    // A name that two others are as near to.
    change(folder.path(), "voirie/trottoir.yaml", "to: service:voirie", "to: service:xau");
    let path = folder.path().to_str().unwrap();
    let fixed = run(folder.path(), &["check", path, "--fix", "--format", "json"]).json();
    let errors = found(folder.path());
    assert_eq!(fixed["errors"].as_u64().unwrap() as usize, errors.len());
    assert!(errors.contains(&"service.unknown".to_owned()) && errors.len() <= 2, "{errors:?}");
}

/// The log of a run, with the rules of its schema that matter to those who read it.
fn sarif(folder: &Path) -> Value {
    let path = folder.to_str().unwrap();
    let log = run(folder, &["check", path, "--format", "sarif", "--lang", "en"]).json();
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    for result in run["results"].as_array().unwrap() {
        let rule = &rules[result["ruleIndex"].as_u64().unwrap() as usize];
        assert_eq!(rule["id"], result["ruleId"]);
        for text in ["shortDescription", "fullDescription", "help"] {
            assert!(!rule[text]["text"].as_str().unwrap().is_empty());
        }
        assert!(["error", "warning"].contains(&result["level"].as_str().unwrap()));
        let region = &result["locations"][0]["physicalLocation"]["region"];
        let number = |key: &str| region[key].as_u64().unwrap();
        assert!(number("startLine") >= 1 && number("startColumn") >= 1);
        assert!((number("endLine"), number("endColumn")) >= (number("startLine"), number("startColumn")));
    }
    log
}

#[test]
fn code_hosts_are_told_in_sarif_with_other_places_and_corrections() {
    let folder = town();
    change(folder.path(), "models/base.yaml", "role:directeur", "role:directeurr");
    change(folder.path(), "voirie/trottoir.yaml", "fr: \"Trottoir abîmé\"", "fr: \"Trou dans la rue\"");
    let log = sarif(folder.path());
    let results = log["runs"][0]["results"].as_array().unwrap();
    let of = |code: &str| results.iter().find(|result| result["ruleId"] == code).unwrap();
    let role = of("role.unknown");
    let uri = role["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap();
    assert!(uri.starts_with("file:///") && uri.ends_with("/models/base.yaml"), "{uri}");
    assert!(!role["relatedLocations"].as_array().unwrap().is_empty(), "the sheet that inherits it");
    let replacement = &role["fixes"][0]["artifactChanges"][0]["replacements"][0];
    assert_eq!(replacement["insertedContent"]["text"], "directeur");
    assert_eq!(replacement["deletedRegion"], role["locations"][0]["physicalLocation"]["region"]);
    let twin = of("process.same_title");
    let other = &twin["relatedLocations"][0];
    assert_eq!(other["message"]["text"], "the same title");
    assert!(other["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap().contains("trottoir"));
    let others = run(folder.path(), &["stats", "--format", "sarif"]);
    assert_eq!(others.code, 2, "only findings are told in it");
}

/// The schema of the standard, where the tester has it: `GUICHET_TEST_SARIF` names its file.
#[test]
fn sarif_is_what_its_schema_says() {
    let Some(schema) = std::env::var_os("GUICHET_TEST_SARIF") else { return };
    let schema: Value = serde_json::from_slice(&std::fs::read(schema).unwrap()).unwrap();
    let folder = town();
    change(folder.path(), "models/base.yaml", "role:directeur", "role:directeurr");
    let validator = jsonschema::validator_for(&schema).unwrap();
    let log = sarif(folder.path());
    let faults: Vec<String> = validator.iter_errors(&log).map(|error| error.to_string()).collect();
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn a_changed_file_is_checked_again() {
    let folder = town();
    let path = folder.path().to_str().unwrap().to_owned();
    let mut child = guichet(folder.path(), &["check", &path, "--watch", "--format", "json"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| tell.send(line)));
    let next = || {
        let line = told.recv_timeout(Duration::from_secs(30)).unwrap();
        serde_json::from_str::<Value>(&line).unwrap()["errors"].as_u64().unwrap()
    };
    assert_eq!(next(), 0);
    change(folder.path(), "voirie/trou.yaml", "role:accueil", "role:acceuil");
    assert_eq!(next(), 1);
    std::fs::write(folder.path().join("voirie/nouveau.yaml"), "# rien\n").unwrap();
    assert_eq!(next(), 2);
    std::fs::remove_file(folder.path().join("voirie/nouveau.yaml")).unwrap();
    change(folder.path(), "voirie/trou.yaml", "role:acceuil", "role:accueil");
    // Both changes may be seen at once, or one after the other.
    while next() != 0 {}
    let interrupted = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(interrupted.unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0), "Ctrl-C ends with what was found last");
}

/// Files that no catalogue should hold, each with the finding that says so.
fn bombs() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let mut laughs =
        String::from("process: voirie/trottoir\na0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
    for i in 1..12 {
        laughs.push_str(&format!("a{i}: &a{i} [{}]\n", vec![format!("*a{}", i - 1); 9].join(", ")));
    }
    let utf16 = |little: bool| -> Vec<u8> {
        let units = "\u{feff}process: voirie/trottoir\n".encode_utf16();
        units.flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() }).collect()
    };
    let text = |text: String| text.into_bytes();
    vec![
        ("an alias bomb", "yaml.too_many", text(laughs)),
        ("ten megabytes", "yaml.too_large", vec![b'#'; 10 << 20]),
        ("ten megabytes on one line", "yaml.too_large", text(format!("process: {}", "x".repeat(10 << 20)))),
        ("brackets", "yaml.too_deep", text("[".repeat(200_000))),
        ("braces", "yaml.too_deep", text("{a: ".repeat(200_000))),
        ("a staircase", "yaml.too_deep", text((0..700).map(|i| format!("{}a:\n", " ".repeat(i))).collect())),
        ("a mebibyte of small lists", "yaml.too_many", text(format!("keywords: [{}]", "1,".repeat(500_000)))),
        ("a mebibyte of keys", "yaml.too_many", text((0..90_000).map(|i| format!("k{i}: 1\n")).collect())),
        (
            "one long line",
            "key.unknown",
            text(format!("process: voirie/trottoir\nx: {}\n", "x".repeat(1_000_000))),
        ),
        ("UTF-16, little end first", "file.encoding", utf16(true)),
        ("UTF-16, big end first", "file.encoding", utf16(false)),
        ("Latin-1", "file.encoding", b"title: Chauss\xe9e\n".to_vec()),
        ("a lone surrogate", "file.encoding", b"title: \xed\xa0\x80\n".to_vec()),
        ("an escaped lone surrogate", "yaml.syntax", b"title: \"\\ud800\"\n".to_vec()),
        ("a null byte", "yaml.syntax", b"title: a\0b\n".to_vec()),
        (
            "random bytes",
            "file.encoding",
            (0..200_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect(),
        ),
        ("many faults", "key.unknown", text((0..10_000).map(|i| format!("k{i}: 1\n")).collect())),
    ]
}

/// How long a run took and the most memory it held (MiB).
fn cost(command: &mut std::process::Command) -> (i32, String, Duration, u64) {
    let out = tempfile::NamedTempFile::new().unwrap();
    let start = Instant::now();
    let mut child = command.stdout(out.reopen().unwrap()).stderr(Stdio::null()).spawn().unwrap();
    let status = PathBuf::from(format!("/proc/{}/status", child.id()));
    let mut peak = 0;
    let ended = loop {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
        let kib = line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).unwrap_or_default();
        peak = peak.max(kib / 1024);
        if let Some(ended) = child.try_wait().unwrap() {
            break ended;
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    let said = std::fs::read_to_string(out.path()).unwrap();
    (ended.code().unwrap_or(-1), said, start.elapsed(), peak)
}

#[test]
fn what_no_catalogue_should_hold_ends_in_a_clear_error_soon_and_in_little_memory() {
    let sound = town();
    let (_, _, _, itself) = cost(&mut guichet(sound.path(), &["check", sound.path().to_str().unwrap()]));
    for (what, code, bytes) in bombs() {
        let folder = town();
        std::fs::write(folder.path().join("voirie/trottoir.yaml"), bytes).unwrap();
        let path = folder.path().to_str().unwrap();
        let (ended, said, took, peak) = cost(&mut guichet(folder.path(), &["check", path]));
        assert_eq!(ended, 1, "{what}: {}", said.chars().take(500).collect::<String>());
        assert!(
            said.contains(&format!("[{code}]")),
            "{what}: {}",
            said.chars().take(500).collect::<String>()
        );
        assert!(said.len() < 1 << 20, "{what}: {} bytes to read", said.len());
        println!("{what}: {took:?}, {peak} MiB");
        // Unoptimised and on a busy machine: not the 100 ms of the promise, but no more than a few of them.
        assert!(took < Duration::from_secs(5), "{what} took {took:?}");
        // The unoptimised program alone takes some 55 MiB; what counts is what a bomb costs beside it.
        assert!(peak <= itself + 32, "{what} took {peak} MiB, the sound town {itself}");
    }
}

#[test]
fn ten_thousand_files_are_refused_before_they_are_read() {
    let folder = town();
    for i in 0..10_001 {
        std::fs::write(folder.path().join(format!("voirie/f{i}.yaml")), "a: 1\n").unwrap();
    }
    let path = folder.path().to_str().unwrap();
    let (ended, _, took, peak) = cost(&mut guichet(folder.path(), &["check", path]));
    assert_eq!(ended, 2);
    assert!(took < Duration::from_secs(5) && peak <= 64, "{took:?}, {peak} MiB");
}
