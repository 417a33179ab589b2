//! What we build on: licences that towns and embedders may use, and no crate known to be unsafe or abandoned.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use guichet_tests::workspace;
use serde_json::Value;

/// Licences that neither the Apache licence of Guichet nor a closed portal around it conflicts with.
const ALLOWED: [&str; 14] = [
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-1-Clause",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Unicode-3.0",
    "Zlib",
    "0BSD",
    "MIT-0",
    "CC0-1.0",
    "MPL-2.0",
    "CDLA-Permissive-2.0",
];

/// Crates with an advisory or no keeper that look like the obvious choice, each with the reason.
const REFUSED: [(&str, &str); 4] = [
    ("serde_yml", "RUSTSEC-2025-0068, unsound and archived"),
    ("serde_yaml", "archived"),
    ("proc-macro-error2", "RUSTSEC-2026-0173"),
    ("openssl-sys", "the system's library: a second stack for TLS"),
];

fn allowed(expression: &str) -> bool {
    let expression = expression.replace('/', " OR ").replace(['(', ')'], " ");
    let one_of = |part: &str| part.split(" OR ").any(|licence| ALLOWED.contains(&licence.trim()));
    expression.split(" AND ").all(one_of)
}

/// What only the KurrentDB client may bring: its own second way of everything, and the build of C. (The messages of traces
/// bring `tonic`, without its transport.)
const ONLY_FOR_KURRENTDB: [&str; 3] = ["kurrentdb", "aws-lc-rs", "aws-lc-sys"];

/// The packages of a build with these features.
fn packages(features: &str) -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline", "--filter-platform"])
        .args(["x86_64-unknown-linux-gnu", "--features", features])
        .current_dir(workspace())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

#[test]
fn every_licence_is_one_that_towns_and_embedders_may_use() {
    let strangers: Vec<String> = packages("guichet/kurrentdb")
        .iter()
        .filter(|package| !package["license"].as_str().is_some_and(allowed))
        .map(|package| format!("{}: {}", package["name"], package["license"]))
        .collect();
    assert_eq!(strangers, Vec::<String>::new());
    assert!(!allowed("AGPL-3.0") && !allowed("MIT AND GPL-2.0") && allowed("GPL-2.0 OR MIT"));
}

#[test]
fn no_crate_is_known_to_be_unsafe_or_abandoned() {
    for package in packages("guichet/kurrentdb") {
        let name = package["name"].as_str().unwrap();
        let refused = REFUSED.iter().find(|(refused, _)| *refused == name);
        assert!(refused.is_none(), "{refused:?}");
    }
}

#[test]
fn who_does_not_want_kurrentdb_does_not_carry_it() {
    let carried = |features: &str| -> Vec<String> {
        let packages = packages(features);
        let names = packages.iter().map(|package| package["name"].as_str().unwrap());
        names.filter(|name| ONLY_FOR_KURRENTDB.contains(name)).map(str::to_owned).collect()
    };
    assert_eq!(carried(""), Vec::<String>::new());
    assert_eq!(carried("guichet/kurrentdb").len(), ONLY_FOR_KURRENTDB.len());
}

/// The packages of a lock file, each with its version.
fn locked(path: &str) -> BTreeSet<(String, String)> {
    let text = fs::read_to_string(workspace().join(path)).unwrap();
    let value = |line: Option<&str>| line.and_then(|line| line.split('"').nth(1)).unwrap().to_owned();
    let packages = text.split("[[package]]").skip(1);
    packages
        .map(|package| {
            let part = |key: &str| value(package.lines().find(|line| line.starts_with(key)));
            (part("name = "), part("version = "))
        })
        .collect()
}

/// The fuzzer has a lock file of its own, being no part of the workspace: only its own tools may stand there alone.
#[test]
fn the_fuzzer_tries_the_versions_that_towns_run() {
    let house = locked("Cargo.lock");
    let alone: BTreeSet<String> =
        locked("tests/fuzz/Cargo.lock").difference(&house).map(|(name, _)| name.clone()).collect();
    let tools = ["arbitrary", "guichet-fuzz", "libfuzzer-sys"].map(str::to_owned);
    assert_eq!(alone, BTreeSet::from(tools), "copy Cargo.lock there and build it once");
}

/// The peers of the measurements have a lock file of their own too: what is only compared with is never shipped, so its licences are not ours.
#[test]
fn peers_are_compared_with_and_never_built_upon() {
    let house = locked("Cargo.lock");
    let peers = locked("bench/peers/Cargo.lock");
    let names = |list: &BTreeSet<(String, String)>| {
        list.iter().map(|(name, _)| name.clone()).collect::<BTreeSet<_>>()
    };
    for peer in ["cqrs-es", "sqlite-es", "postgres-es", "evento", "esrs"] {
        assert!(names(&peers).contains(peer), "{peer} is said to be compared with");
        assert!(!names(&house).contains(peer), "{peer}");
    }
}
